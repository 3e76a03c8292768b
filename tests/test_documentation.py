"""Examples in docstrings, the README and the guide run."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path
from types import FunctionType

import keras
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
PAGES = [
    ROOT / "README.md",
    *(
        pytest.param(page, marks=pytest.mark.once)
        for page in sorted((ROOT / "docs").rglob("*.md"))
    ),
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    module = importlib.import_module(name)
    keras.utils.set_random_seed(0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    with np.printoptions(legacy=False):
        failed, _ = doctest.testmod(module, optionflags=flags)
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_examples(page, tmp_path, monkeypatch):
    """Code blocks marked ```python run, one after the other, in one namespace."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    code = "\n".join(blocks)
    keras.utils.set_random_seed(0)
    exec(compile(code, str(page), "exec"), {"__name__": "page"})


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
