"""Whether code draws from the generators that a process shares."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from inspect import isclass, isfunction, ismodule
from types import CodeType
from typing import Any

import numpy as np

from keras_dlbasic._backends.code_of_users import code_of_users

_functions: tuple[Any, Any] = (random.random, np.random.random_sample)
SHARED = tuple(function.__self__ for function in _functions)

LIBRARIES = ("keras", "keras_dlbasic", "tensorflow", "jax", "torch", "numpy", "scipy")

WRAPPED = ("__func__", "__wrapped__", "func", "fget")
"""Where methods, decorated functions, partial ones and properties hold functions."""


def may_draw(*given: Any) -> bool:
    """Return whether code of the user's may draw from `random` or `numpy.random`.

    Its code is read, and that of the functions and classes it names; it is not run. The
    answer is True for all that names something `random`, also where that is Keras' or a
    backend's; so a False is to be relied on, unless the code takes a generator from
    where no name tells it.

    Args:
        *given: Models, and other things that a step calls, such as a loss.
    """
    # Which thread draws cannot be seen as it happens. A hook of `sys.setprofile` tells
    # the calls of `random`, but not those of NumPy 2.4, whose functions are methods
    # that raise no event on Python 3.11. And it made a look at 20 small layers on
    # PyTorch take 22 ms in place of 12. Reading the code takes 0.3 ms.
    # A walk over all that can be reached by a name, without recursion, since code may
    # name itself. What is of a library counts only if it is a generator: libraries are
    # large, and what Keras draws is known.
    waiting, met = code_of_users(*given), set[int]()
    while waiting:
        part = waiting.pop()
        if _is_generator(part):
            return True
        if part is None or id(part) in met:
            continue
        met.add(id(part))
        waiting += [getattr(part, name, None) for name in WRAPPED]
        if _is_of_library(part):
            continue
        if isfunction(part):
            names = set(_names(part.__code__))
            if "random" in names:
                return True
            waiting += _named(part, names)
        else:
            waiting += _held(part)
    return False


def _is_generator(part: Any) -> bool:
    owner = getattr(part, "__self__", None)
    return part is random or part is np.random or any(owner is g for g in SHARED)


def _is_of_library(part: Any) -> bool:
    module = part if ismodule(part) else getattr(part, "__module__", None)
    name = getattr(module, "__name__", module) or type(part).__module__
    root = str(name).partition(".")[0]
    return root in LIBRARIES or (root in sys.stdlib_module_names and root != "__main__")


def _names(code: CodeType) -> Iterator[str]:
    """Return the names in a function's code, and in functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _named(function: Any, names: set[str]) -> Iterator[Any]:
    """Return what a function names: globals, parts of modules, its closure."""
    known = function.__globals__
    for value in [known[name] for name in names if name in known]:
        yield value
        if ismodule(value) and not _is_of_library(value):
            yield from [vars(value)[name] for name in names if name in vars(value)]
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _held(part: Any) -> Iterator[Any]:
    """Return what else can be called by what is no function."""
    if isclass(part):
        yield from part.__mro__[1:]
        yield from vars(part).values()
    elif not ismodule(part):
        yield type(part)
