"""What trials share, packed to travel to other processes."""

from __future__ import annotations

import io
import mmap
import pickle
from typing import Any

import cloudpickle
import numpy as np


def pack(content: Any) -> bytes:
    """Return `content` as bytes, for `pickle.loads`.

    Functions of scripts and notebooks travel as their code, arrays on disk as the names
    of their files.

    Raises:
        TypeError: If something in it cannot travel.
    """
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(content)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            "An executor runs trials in other processes, and something cannot be "
            f"pickled with cloudpickle: {error}. Create it within `build_model`, pass "
            "the data as arrays, or run the trials without an executor."
        ) from error
    return buffer.getvalue()


class _Pickler(cloudpickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        # views keep the offset of what they are views of: those travel as arrays
        base: Any = getattr(obj, "base", None)
        if isinstance(obj, np.memmap) and isinstance(base, mmap.mmap):
            order = "F" if obj.flags.fnc else "C"
            name = str(obj.filename)
            return np.memmap, (name, obj.dtype, "r", obj.offset, obj.shape, order)
        return super().reducer_override(obj)
