"""What code of the user's does whenever a model is called."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from pathlib import PurePath
from types import FrameType
from typing import Any, NamedTuple

import keras

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._keras.exchanged_axes import (
    exchanges_axes,
    is_fold,
    told,
    whole_shape,
)
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.outputs import trace_outputs
from keras_dlbasic.records.printable import printable

MAX_DEPTH = 200
"""Number of frames that are searched for the call in which a weight is made."""

LIBRARIES = ("keras", "keras_dlbasic", "torch", "jax", "tensorflow")
"""Packages whose frames are not the user's place."""

BY_LAYER = ("add_weight", "add_variable")
"""Methods by which a layer makes weights that Keras knows."""


class SeenInCall(NamedTuple):
    """What a model does whenever it is called, and hardly should.

    Attributes:
        layers: Layers with weights, and where they are made, such as
            `"Dense in Net.call (net.py, line 12)"`.
        variables: Where variables are made that are in no layer, such as
            `"Net.call (net.py, line 12)"`.
        reshapes: Where `keras.ops.reshape` exchanges the axes of a row, such as
            `"Net.call (net.py, line 9): (2, 28) to (28, 2)"`.
    """

    layers: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    reshapes: tuple[str, ...] = ()


def seen_in_call(model: Any, x: Any = None) -> SeenInCall:
    """Return which layers and variables a model makes in a call, and what it reshapes.

    A layer that `call` makes, `keras.layers.Dense(8)(x)`, has new weights whenever the
    Python code of `call` runs. They are no weights of the model: no optimizer changes
    them, and no file has them. The model is traced once on two rows, and the makers of
    new trainable variables are noted.

    Args:
        model: A built model.
        x: A batch of inputs. Defaults to None: zeros, of the shapes that the model was
            built for.

    Returns:
        All kinds; none where the model cannot be traced, or a profiler is running.
    """
    if not code_of_users(model) or sys.getprofile() is not None:
        return SeenInCall()
    given = [] if x is None else keras.tree.flatten(x)
    shapes = [tuple(one.shape[1:]) for one in given if hasattr(one, "shape")]
    try:
        with _noting({id(layer) for layer in all_layers(model)}, shapes) as notes:
            trace_outputs(model, x)
    except Exception:  # code of the user's may do anything
        return SeenInCall()
    made = list(dict.fromkeys(notes.made))
    return SeenInCall(
        tuple(f"{maker} in {place}" for maker, place in made if maker),
        tuple(place for maker, place in made if not maker),
        tuple(dict.fromkeys(notes.reshapes)),
    )


@dataclass
class _Notes:
    """What is noted: makers with places, and reshapes."""

    made: list[tuple[str, str]] = field(default_factory=list)
    reshapes: list[str] = field(default_factory=list)


@contextmanager
def _noting(known: set[int], shapes: list[tuple[int, ...]]) -> Iterator[_Notes]:
    """Within the context, note who makes variables and who reshapes in this thread.

    Args:
        known: What the layers of the model are, by `id`.
        shapes: Shapes of a row of the inputs.
    """
    making = inspect.unwrap(keras.Variable.__init__).__code__
    reshaping = inspect.unwrap(keras.ops.reshape).__code__
    notes = _Notes()

    # Nothing of Keras is replaced: the interpreter says which functions are called.
    def note(frame: FrameType, event: str, given: Any) -> None:
        if event != "call":
            return
        if frame.f_code is making and frame.f_locals.get("trainable", True):
            place = _place(frame, known)
            notes.made += [] if place is None else [place]
        elif frame.f_code is reshaping:
            text = _exchange(frame, shapes)
            notes.reshapes += [] if text is None else [text]

    sys.setprofile(note)
    try:
        yield notes
    finally:
        sys.setprofile(None)


def _exchange(frame: FrameType, shapes: list[tuple[int, ...]]) -> str | None:
    """Return where the user's code exchanges axes by a reshape, None if it does not."""
    back = frame.f_back
    owner = None if back is None else back.f_locals.get("self")
    if back is None or not isinstance(owner, keras.layers.Layer):
        return None
    if not _is_own_call(back):
        return None
    try:
        before = tuple(frame.f_locals["x"].shape)
        shape = tuple(frame.f_locals["newshape"])
        after = whole_shape(shape, prod(before))
        if not exchanges_axes(before[1:], after[1:]):
            return None
        if before[1:] not in shapes and is_fold(before[1:]):
            return None
    except Exception:  # shapes that are tensors
        return None
    return f"{_told_place(back, owner)}: {told(before, after)}"


def _told_place(frame: FrameType, owner: Any) -> str:
    code = frame.f_code
    file = PurePath(code.co_filename).name
    return printable(
        f"{type(owner).__name__}.{code.co_name} ({file}, line {frame.f_lineno})"
    )


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
            elif _is_own_call(back):
                maker = "" if made is None else printable(type(made).__name__)
                return maker, _told_place(back, owner)
        back, depth = back.f_back, depth + 1
    return None


def _is_own_call(frame: FrameType) -> bool:
    """Return whether a frame runs code of the user's within the call of a layer."""
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return module not in LIBRARIES
