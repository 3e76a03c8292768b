"""What the tests of studies share."""

import pytest

from keras_dlbasic.studies import process_pool


@pytest.fixture(scope="session")
def pool():
    """A process: it takes seconds to start, for it imports Keras and the backend."""
    with process_pool(1) as executor:
        yield executor
