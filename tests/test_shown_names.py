"""Names that users have seen in the README, the guide or an example keep working."""

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import keras_dlbasic as kd

ROOT = Path(__file__).parent.parent
SHOWN = (Path(__file__).parent / "shown_names.txt").read_text().split()
CODE = re.compile(r"```(?:python|py)\n(.*?)```", re.DOTALL)


def resolve(name):
    """Import what a dotted name stands for, modules and attributes alike."""
    package, *parts = name.split(".")
    found, path = import_module(package), package
    for part in parts:
        path += f".{part}"
        try:
            found = getattr(found, part)
        except AttributeError:
            found = import_module(path)
    return found


def names_in(code):
    """Return the dotted names of the package that a piece of code uses."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            text = ast.unparse(node)
            if re.fullmatch(r"(kd|keras_dlbasic)[\w.]+", text):
                names.add(text.replace("kd.", "keras_dlbasic.", 1))
    return {name for name in names if name.startswith("keras_dlbasic")}


def pieces():
    """Yield each example and each block of code that users see, with its file."""
    for path in sorted((ROOT / "examples").rglob("*.py")):
        yield path, path.read_text()
    for path in [*ROOT.glob("README*.md"), *sorted((ROOT / "docs").rglob("*.md"))]:
        if "_build" not in path.parts:
            yield from ((path, code) for code in CODE.findall(path.read_text()))


@pytest.mark.parametrize("name", SHOWN)
def test_a_shown_name_works(name):
    found = resolve(name)
    # a function must not give way to the module that it lies in
    is_room = name.count(".") < 2 and name.rpartition(".")[2] not in kd._FUNCTIONS
    assert isinstance(found, ModuleType) == is_room


@pytest.mark.once
def test_each_shown_name_is_on_the_list():
    missing = {
        (str(path.relative_to(ROOT)), name)
        for path, code in pieces()
        for name in names_in(code)
        if name not in SHOWN and not _is_part_of_one(name)
    }
    assert not missing


def _is_part_of_one(name):
    # an attribute of an object that is on the list, or the way to it
    return any(
        name.startswith(f"{shown}.") or shown.startswith(f"{name}.")
        for shown in SHOWN
        if shown.count(".") > 1
    )
