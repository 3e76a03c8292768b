"""What the tests of studies share."""

import sys

import pytest

from keras_dlbasic.studies import process_pool


@pytest.fixture(scope="session")
def start_pool(child_path):
    """Return a function that starts a pool of one process, which takes seconds."""

    def start():
        executor = process_pool(1)
        with pytest.MonkeyPatch.context() as patch:  # read as the process starts
            patch.setattr(sys, "path", child_path)
            executor.submit(int).result()
        return executor

    return start


@pytest.fixture(scope="session")
def pool(start_pool):
    """A process that several tests use."""
    with start_pool() as executor:
        yield executor
