"""What all tests share."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from importlib import metadata
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

# workers share the cores: threads of their own would only get in each other's way
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

# Many tests train the same small models: XLA compiles each program once for all workers.
# All is traced as ever, and a program that differs in anything is compiled by itself.
# JAX_ENABLE_COMPILATION_CACHE=0 turns it off.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="jax-programs-")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

# Most of the time of a small fit goes into LLVM. What is compared bit by bit is compiled
# alike; tests marked `optimized` are about what XLA's optimizer makes of a program. It is
# set for the whole process, since fixtures of a module come before those of a test, and
# for those it starts.
if not os.environ.get("EVERYWHERE"):
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

# a shell has what it starts in the background ignore interrupts, some of which are tested
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

sys.path.insert(0, os.path.dirname(__file__))  # tests import `models`, `reference`

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("tests", deadline=None, max_examples=30, derandomize=True)
settings.load_profile("tests")

ON_ONE_BACKEND = {
    Path(__file__).parent / name
    for name in (
        "analysis",
        "diagnosis",
        "examples",
        "inspection",
        "layer_kinds",
        "plots",
        "records",
        "reports",
        "treatment",
    )
}
"""Folders of what knows arrays and records only, or Keras' public methods only."""


def pytest_configure(config):
    """Let the coming Keras warn of every recurrent layer that gets a mask.

    Keras 3.16 says so of its own layers, whether or not anything comes after them.
    """
    try:  # without an import of Keras, which takes seconds
        version = metadata.version("keras")
    except metadata.PackageNotFoundError:
        version = metadata.version("keras-nightly")
    if tuple(map(int, version.split(".")[:2])) >= (3, 16):
        line = "ignore:Layer .* was passed an input with a mask attached:UserWarning"
        config.addinivalue_line("filterwarnings", line)


def pytest_collection_finish(session):
    """Have garbage collected less often, and never what has been imported.

    Tracing makes many objects, and each full collection walks over all of TensorFlow's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_ignore_collect(collection_path, config):
    """Do not even import what is left to PyTorch, unless it is asked for by name."""
    if leaves_to_pytorch() and collection_path in ON_ONE_BACKEND:
        asked = [Path(name.partition("::")[0]).resolve() for name in config.args]
        if not any({path, *path.parents} & ON_ONE_BACKEND for path in asked):
            return True
    return None


def leaves_to_pytorch():
    return not os.environ.get("EVERYWHERE") and os.environ["KERAS_BACKEND"] != "torch"


def only_on(item):
    """Return the backend that a test marked `once` runs on, None for one on all."""
    marker = item.get_closest_marker("once")
    return marker and (marker.args or ("torch",))[0]


def pytest_collection_modifyitems(config, items):
    """Leave tests marked `once` to one backend: PyTorch, where they are quickest.

    They start processes, run whole guides, know no backend, or are near to another test
    that runs on all; `once("jax")` names another backend. Asked for by themselves they
    run on any backend; all of them do with `make test-everywhere`. So do those marked
    `everywhere`, which no backend runs else: cases that are near to quicker ones.
    """
    for item in items:
        if ON_ONE_BACKEND & set(item.path.parents):
            item.add_marker("once")
    here = (None, os.environ["KERAS_BACKEND"])
    left = [
        item
        for item in items
        if only_on(item) not in here or item.get_closest_marker("everywhere")
    ]
    if os.environ.get("EVERYWHERE") or len(left) == len(items):
        return
    dropped = set(left)
    items[:] = [item for item in items if item not in dropped]
    config.hook.pytest_deselected(items=left)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Fail a test left to one backend that skips itself there: it would run nowhere."""
    report = (yield).get_result()
    backend = os.environ["KERAS_BACKEND"]
    why = str(report.longrepr)
    lacks = "could not import" in why or "is not installed" in why
    if report.skipped and only_on(item) == backend and not lacks:
        report.outcome = "failed"
        report.longrepr = f"left to {backend}, but skipped there: {why}"


def pytest_unconfigure():
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True)
def _as_users_compile(request):
    """Have XLA do all it does for users, in tests that are marked `optimized`."""
    is_marked = request.node.get_closest_marker("optimized") is not None
    if not is_marked or os.environ["KERAS_BACKEND"] != "jax":
        yield
        return
    import jax

    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="session")
def child_path():
    """`sys.path` of child processes: Keras imports TensorFlow on any backend, if it can."""
    is_needed = os.environ["KERAS_BACKEND"] == "tensorflow"
    hidden = Path(__file__).parent / "without_tensorflow"
    return sys.path if is_needed else [str(hidden), *sys.path]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
