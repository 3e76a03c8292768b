"""Keras' private names stay where they are looked after when Keras changes."""

import ast
from pathlib import Path

import pytest

import keras_dlbasic

PACKAGE = Path(keras_dlbasic.__file__).parent
KNOW_KERAS = ("_keras", "_backends")
OF_OTHERS = {"_mp_context": "concurrent.futures", "_DummyThread": "threading"}
"""Private names that are not Keras'."""

READS = ("getattr", "hasattr", "setattr", "delattr")

pytestmark = pytest.mark.once


def attributes(tree):
    """Yield the private names used of objects, the object's code, and the node."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=of, attr=name):
                pass
            case ast.Call(
                func=ast.Name(id=function),
                args=[of, ast.Constant(value=str(name)), *_],
            ) if function in READS:
                pass
            case _:
                continue
        if name.startswith("_") and not name.startswith("__"):
            yield name, ast.unparse(of), node


def is_stored(node):
    return isinstance(getattr(node, "ctx", None), ast.Store)


def given_names(tree):
    """Return the names that some code gives to functions, classes and attributes."""
    names = {name for name, _, node in attributes(tree) if is_stored(node)}
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
    return names


class Classes:
    """The classes of a package, and the names that each has from the package."""

    def __init__(self, trees):
        classes = [n for t in trees for n in ast.walk(t) if isinstance(n, ast.ClassDef)]
        self._given, self._bases = {}, {}
        for node in classes:  # of two classes of a name, either may be meant
            self._given.setdefault(node.name, set()).update(given_names(node))
            bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
            bases = [base.split(".")[-1] for base in bases]
            self._bases.setdefault(node.name, []).extend(bases)

    def names(self, name):
        above = [self.names(base) for base in self._bases.get(name, ()) if base != name]
        return self._given.get(name, set()).union(*above)


def foreign_names(sources):
    """Return where private names are used that the package did not give.

    Those of `self` must come from its class or those above it in the package.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    classes = Classes(trees.values())
    own = {name for tree in trees.values() for name in given_names(tree)} | {*OF_OTHERS}
    from_outside = {  # as in `callback._is_off = True`
        name
        for tree in trees.values()
        for name, of, node in attributes(tree)
        if is_stored(node) and of != "self"
    }
    found = []
    for path, tree in trees.items():
        if path.split("/")[0] in KNOW_KERAS:
            continue
        of_self = {}
        for owner in (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)):
            known = classes.names(owner.name) | from_outside
            of_self |= {
                node: known for _, of, node in attributes(owner) if of == "self"
            }
        found += [
            f"{path}:{node.lineno} {of}.{name}"
            for name, of, node in attributes(tree)
            if name not in of_self.get(node, own)
        ]
    return found


def test_private_names_of_keras_are_used_where_all_of_keras_is_known():
    sources = {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    found = foreign_names(sources)
    assert not found, (
        "private names of Keras outside of `_keras` and `_backends`; move what needs "
        f"them into a function of `_keras`: {found}"
    )


@pytest.mark.parametrize(
    "line",
    [
        "model._flatten_layers()",
        "getattr(layer, '_inbound_nodes', ())",
        "tensor._keras_history.operation",
        "class Own(Callback):\n  def get(self): return self._model",
    ],
)
def test_a_private_name_of_keras_is_found(line):
    own = "class A:\n  def __init__(self): self._model = 1; self._model, other._model"
    assert not foreign_names({"studies/a.py": own})
    assert len(foreign_names({"studies/a.py": own, "plots/b.py": line})) == 1
    assert not foreign_names({"studies/a.py": own, "_keras/b.py": line})
