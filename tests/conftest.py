"""What all tests share."""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

sys.path.insert(0, os.path.dirname(__file__))  # tests import `models`, `reference`

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("tests", deadline=None, max_examples=30, derandomize=True)
settings.load_profile("tests")


def pytest_collection_modifyitems(items):
    """Tests marked `once` start processes or whole guides; one backend runs them."""
    if os.environ["KERAS_BACKEND"] == "torch":
        return
    for item in items:
        if item.get_closest_marker("once"):
            item.add_marker(pytest.mark.skip(reason="run on PyTorch only, for speed"))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
