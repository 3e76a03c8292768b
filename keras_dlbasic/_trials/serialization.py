"""What trials share, packed to travel to other processes."""

from __future__ import annotations

import io
import mmap
import pickle
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

_Base: Any = pickle.Pickler
with suppress(ImportError):  # with it, functions of scripts and notebooks travel too
    _Base = import_module("cloudpickle").Pickler


def pack(content: Any) -> bytes:
    """Return `content` as bytes; arrays on disk travel as the names of their files.

    Raises:
        TypeError: If something in it cannot travel.
    """
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(content)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            "An executor runs trials in other processes, and something does not travel "
            f"there: {error}. Define `build_model` at the top of a module, or install "
            "cloudpickle (pip install cloudpickle); give the data as arrays."
        ) from error
    return buffer.getvalue()


def unpack(packed: bytes) -> Any:
    """Return what `pack` packed."""
    return _Unpickler(io.BytesIO(packed)).load()


class _Pickler(_Base):
    def persistent_id(self, obj: Any) -> Any:
        # views keep the offset of what they are views of: those travel as arrays
        base: Any = getattr(obj, "base", None)
        if isinstance(obj, np.memmap) and isinstance(base, mmap.mmap):
            order = "F" if obj.flags.fnc else "C"
            return (
                str(obj.filename),
                obj.dtype.str,
                obj.shape,
                obj.offset,
                order,
            )
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> np.memmap:
        name, dtype, shape, offset, order = pid
        return np.memmap(
            name, dtype=dtype, mode="r", shape=shape, offset=offset, order=order
        )
