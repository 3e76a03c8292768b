"""Examples in docstrings, the README and the guide run."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path
from types import FunctionType

import keras
import matplotlib.axes
import numpy as np
import pytest

import keras_dlbasic as kd

ROOT = Path(__file__).parent.parent
OTHER_BACKENDS = {"tensorflow", "jax", "torch"} - {keras.backend.backend()}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(kd.__path__, "keras_dlbasic.")
    if not any(module.name.endswith(f"{name}_backend") for name in OTHER_BACKENDS)
)
TAPPED = ("gradients", "callbacks")
"""What differs between backends; the examples of the rest run on one."""

PAGES = [
    pytest.param(page, marks=pytest.mark.once)
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=[pytest.mark.once] * (name.split(".")[1] not in TAPPED)
        )
        for name in MODULES
    ],
)
def test_docstring_examples(name):
    module = importlib.import_module(name)
    keras.utils.set_random_seed(0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    with np.printoptions(legacy=False):
        failed, _ = doctest.testmod(module, optionflags=flags)
    assert failed == 0


def readme(page):
    found = page["doctor"].diagnosis
    assert "vanishing_gradients" in found.names
    assert not found.is_healthy
    assert page["record"].by_layer("gradient_norm").shape[1] == 9
    assert page["monitor"].non_finite is None
    assert len(page["report"].layers) == 9
    drawn = kd.propagation_report(page["mended"], page["x"][:256])
    variances = [layer.preactivation_variance for layer in drawn.layers]
    np.testing.assert_allclose(variances, 1.0, atol=0.1)


def remedies(page):
    assert page["result"].kept[0].finding == "output_activation_mismatch"
    assert page["result"].score > 0.5
    error = page["new"].evaluate(page["x"], page["y"], verbose=0)[0]
    assert error < 10  # in units of the targets' variance, not of the targets


def batch_size(page):
    assert page["size"] == 256
    steps = page["optimizer"].gradient_accumulation_steps or 1
    assert len(page["data"]) == steps
    assert [trial.status for trial in page["result"].trials] == ["done"] * 6
    assert page["estimate"].low <= page["estimate"].value <= page["estimate"].high


def building_blocks(page):
    assert page["initializer"].gain == 1.0
    assert page["smaller"].count_params() <= page["model"].count_params()
    assert set(page["monitor"].record.tables) == {"activations"}


def overfitting(page):
    assert page["detector"].verdict.detected
    assert page["verdict"].detected
    assert page["stopping"].report.stopped
    assert Path("history.png").stat().st_size > 0


def landscape(page):
    assert page["point"].verdict == "saddle"
    assert page["point"].certain
    assert page["probe"].points[23].verdict == "saddle"
    assert "saddle point" in page["plateau"].message
    assert page["on_the_ridge"][1] == 0
    assert abs(page["left"][1]) > 0.3


CLAIMS = {
    "README.md": readme,
    "batch-size.md": batch_size,
    "building_blocks.md": building_blocks,
    "landscape.md": landscape,
    "overfitting.md": overfitting,
    "remedies.md": remedies,
}
"""What the examples of a page are to have led to."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_examples(page, tmp_path, monkeypatch):
    """Code blocks marked ```python run, one after the other, in one namespace."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert page.read_text().count("```python") == len(blocks)
    keras.utils.set_random_seed(0)
    namespace = {"__name__": "page"}
    exec(compile("\n".join(blocks), str(page), "exec"), namespace)
    if page.name in CLAIMS:
        CLAIMS[page.name](namespace)
    for value in list(namespace.values()):
        if isinstance(value, matplotlib.axes.Axes):
            assert value.has_data() or value.texts


def test_public_objects_are_documented():
    missing = []
    for name in MODULES:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            found = getattr(module, public, None)
            if (
                isinstance(found, (type, FunctionType))
                and not (found.__doc__ or "").strip()
            ):
                missing.append(f"{name}.{public}")
    assert missing == []
