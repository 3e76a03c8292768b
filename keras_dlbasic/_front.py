"""What the package and its rooms show to users: names, and hints for wrong ones."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from keras_dlbasic._nearest import nearest_name

PACKAGE = "keras_dlbasic"
ALIAS = "kd"
CLOSE = 0.75
"""Names that share less than this are not suggested, see `difflib`."""


LEAST = 5
"""Number of letters of a part of a name that suggests the name."""


def front(
    name: str,
    homes: Mapping[str, str] | None = None,
    modules: Collection[str] = (),
    otherwise: Callable[[str], Any] | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package.

    Type checkers take a `__getattr__` for the promise that every name exists. So the
    package defines it out of their sight, and shows them the names that are imported on
    demand by imports under `TYPE_CHECKING`:

        if TYPE_CHECKING:
            from keras_dlbasic.room.place import thing
        else:
            __getattr__, __dir__ = front(__name__, {"thing": "place"})

    Args:
        name: Name of the package. `dir()` shows what its `__all__` lists.
        homes: Names that are imported when first asked for, each with its module
            within the package. Defaults to None: none.
        modules: Modules within the package that are imported when first asked for.
        otherwise: Gives what a name stands for that is none of these, or raises
            AttributeError. Defaults to None.
    """
    later = dict(homes or {})

    def get(wanted: str) -> Any:
        if wanted in modules:
            return import_module(f"{name}.{wanted}")
        if wanted in later:
            return getattr(import_module(f"{name}.{later[wanted]}"), wanted)
        if otherwise is not None:
            with suppress(AttributeError):
                return otherwise(wanted)
        raise _unknown(name, wanted)

    def shown() -> list[str]:
        return sorted(sys.modules[name].__all__)

    return get, shown


def _unknown(package: str, wanted: str) -> AttributeError:
    message = f"module {package!r} has no attribute {wanted!r}"
    # `from package import module` asks for a module before it is imported
    is_plain = wanted.startswith("_") or find_spec(f"{package}.{wanted}") is not None
    found = None if is_plain else _nearest(package, wanted)
    if found:
        message += f"; did you mean {found}?"
    # with `obj` set to the module, Python would add a suggestion of its own to ours
    return AttributeError(message, name=wanted, obj=None)


def _nearest(package: str, wanted: str) -> str | None:
    """Return where a name like the wanted one is: here if it can be, else elsewhere."""
    here = {_plain(n): f"{_spoken(package)}.{n}" for n in sys.modules[package].__all__}
    elsewhere = dict(_all_names())
    # The same name elsewhere is nearer to what was meant than a similar name here.
    for names in (here, elsewhere):
        if _plain(wanted) in names:
            return names[_plain(wanted)]
    for names in (here, elsewhere):
        close = nearest_name(_plain(wanted), names, cutoff=CLOSE)
        if close:
            return names[close]
    # a part of a name, as `Doctor` of `TrainingDoctor`
    parts = [n for n in {**elsewhere, **here} if _plain(wanted) in n]
    if parts and len(_plain(wanted)) >= LEAST:
        return {**elsewhere, **here}[min(parts, key=len)]
    return None


def _all_names() -> Iterator[tuple[str, str]]:
    """Yield all public names with how users write them; later ones are preferred."""
    front_door = sys.modules[PACKAGE]
    for room in front_door._MODULES:
        for name in _names_in(room):
            yield _plain(name), f"{ALIAS}.{room}.{name}"
    for name in front_door.__all__:
        yield _plain(name), f"{ALIAS}.{name}"


def _names_in(room: str) -> list[str]:
    # read, not imported: a wrong name must not cost the import of the whole package,
    # and some rooms cannot be imported where Keras is not installed
    source = files(PACKAGE) / room / "__init__.py"
    for node in ast.parse(source.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def _spoken(package: str) -> str:
    return package.replace(PACKAGE, ALIAS, 1)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
