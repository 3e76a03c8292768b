"""Layers and variables that a model makes anew whenever it is called."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from types import FrameType
from typing import Any, NamedTuple

import keras

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.outputs import trace_outputs
from keras_dlbasic.records.printable import printable

MAX_DEPTH = 200
"""Number of frames that are searched for the call in which a weight is made."""

LIBRARIES = ("keras", "keras_dlbasic", "torch", "jax", "tensorflow")
"""Packages whose frames are not the user's place."""

BY_LAYER = ("add_weight", "add_variable")
"""Methods by which a layer makes weights that Keras knows."""


class MadeInCall(NamedTuple):
    """What a model makes anew whenever it is called.

    Attributes:
        layers: Layers with weights, and where they are made, such as
            `"Dense in Net.call (net.py, line 12)"`.
        variables: Where variables are made that are in no layer, such as
            `"Net.call (net.py, line 12)"`.
    """

    layers: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def made_in_call(model: Any, x: Any = None) -> MadeInCall:
    """Return which layers and variables come into being while a model is called.

    A layer that `call` makes, `keras.layers.Dense(8)(x)`, has new weights whenever the
    Python code of `call` runs. They are no weights of the model: no optimizer changes
    them, and no file has them. The model is traced once on two rows, and the makers of
    new trainable variables are noted.

    Args:
        model: A built model.
        x: A batch of inputs. Defaults to None: zeros, of the shapes that the model was
            built for.

    Returns:
        Both kinds; none where the model cannot be traced, or a profiler is running.
    """
    if not code_of_users(model) or sys.getprofile() is not None:
        return MadeInCall()
    try:
        with _noting({id(layer) for layer in all_layers(model)}) as found:
            trace_outputs(model, x)
    except Exception:  # code of the user's may do anything
        return MadeInCall()
    found = list(dict.fromkeys(found))
    return MadeInCall(
        tuple(f"{maker} in {place}" for maker, place in found if maker),
        tuple(place for maker, place in found if not maker),
    )


@contextmanager
def _noting(known: set[int]) -> Iterator[list[tuple[str, str]]]:
    """Within the context, note who makes trainable variables in this thread."""
    making = inspect.unwrap(keras.Variable.__init__).__code__
    found: list[tuple[str, str]] = []

    # Nothing of Keras is replaced: the interpreter says which functions are called.
    def note(frame: FrameType, event: str, given: Any) -> None:
        if event != "call" or frame.f_code is not making:
            return
        place = _place(frame, known) if frame.f_locals.get("trainable", True) else None
        if place is not None:
            found.append(place)

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


def _place(frame: FrameType, known: set[int]) -> tuple[str, str] | None:
    """Return which layer is made, "" if none, and in which call of one of the model's.

    None if a layer of the model makes its own weights, or there is no such call.
    """
    made: Any = None
    back, depth = frame.f_back, 0
    while back is not None and depth < MAX_DEPTH:
        owner = back.f_locals.get("self")
        if isinstance(owner, keras.layers.Layer):
            if id(owner) not in known:
                made = owner
            elif back.f_code.co_name in (*BY_LAYER, "build"):
                return None
            elif _is_own_call(back, owner):
                maker = "" if made is None else printable(type(made).__name__)
                code = back.f_code
                file = PurePath(code.co_filename).name
                return maker, printable(
                    f"{type(owner).__name__}.{code.co_name} "
                    f"({file}, line {back.f_lineno})"
                )
        back, depth = back.f_back, depth + 1
    return None


def _is_own_call(frame: FrameType, owner: Any) -> bool:
    """Return whether a frame runs code of the user's within the call of a layer."""
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return module not in LIBRARIES
