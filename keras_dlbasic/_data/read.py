"""Reads what users give for `x`, `y` and `validation_data`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from keras_dlbasic._data import kinds
from keras_dlbasic._data.arrays import EXPECTED, as_arrays
from keras_dlbasic._data.batches import rows_of
from keras_dlbasic._data.fits import check_fits, check_number, named_columns
from keras_dlbasic._data.text import check_no_text


@dataclass(frozen=True)
class Data:
    """Rows as arrays.

    Attributes:
        x: Inputs: an array with samples first, or a structure of arrays.
        y: Targets, likewise, or None.
        sample_weight: Weights of the samples, or None.
        n_rows: Number of rows.
        is_sample: Whether there may be more rows: these were drawn from a data set.
        batch_size: Rows in the first batch of a data set; None of arrays.
        n_batches: Number of batches of a data set, None if not known.
    """

    x: Any
    y: Any
    sample_weight: Any
    n_rows: int
    is_sample: bool = False
    batch_size: int | None = None
    n_batches: int | None = None


def read(
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    model: Any = None,
    most: int | None = None,
    needs_y: bool = False,
    takes_weights: bool = True,
    name: str = "x",
) -> Data:
    """Read data in any of the forms that users have.

    Args:
        x: Inputs: an array, a tensor of any backend, a data frame or series, a sparse
            matrix, a list, or a structure of these; or a data set that gives batches
            with targets: a `keras.utils.PyDataset`, a `tf.data.Dataset`, a
            `DataLoader`.
        y: Targets, in the same forms; None with a data set.
        sample_weight: Weights of samples. Defaults to None.
        model: The model that the rows go into, to have them checked, or None: not
            known. Defaults to None.
        most: Number of rows that are enough, which counts for data sets only. Defaults
            to None: all rows.
        needs_y: Whether there must be targets. Defaults to `False`.
        takes_weights: Whether sample weights are made use of; they are refused else.
            Defaults to `True`.
        name: How errors call `x`. Defaults to `"x"`.

    Returns:
        A `Data`.

    Raises:
        ValueError: If `x` or `y` is none of these or can be read only once, holds text,
            has another length than the other, or does not fit the model.
    """
    is_sample = False
    of_set: dict[str, int | None] = {}
    if kinds.is_one_shot(x):
        raise ValueError(_one_shot(x, name))
    if kinds.is_data_set(x):
        if y is not None:
            raise ValueError(
                f"`y` was given beside a data set of type {type(x).__name__}, whose "
                "batches have the targets. Leave `y` out."
            )
        if sample_weight is not None:
            raise ValueError(
                "`sample_weight` was given beside a data set of type "
                f"{type(x).__name__}. Put the weights into its batches, "
                "`(x, y, sample_weight)`."
            )
        (x, y, sample_weight), is_sample, of_set = rows_of(x, most)
    else:
        x, y = named_columns(model, x, y)
        x, y = as_arrays(x, name), as_arrays(y, "y")
        sample_weight = as_arrays(sample_weight, "sample_weight")
    leaves = [leaf for leaf in keras.tree.flatten(x) if leaf is not None]
    if not leaves:
        raise ValueError(f"`{name}` {EXPECTED}. Received: {x!r}")
    if needs_y and not [leaf for leaf in keras.tree.flatten(y) if leaf is not None]:
        raise ValueError(
            "`y` is missing: give targets for the rows of `x`, or a data set whose "
            "batches are `(x, y)`."
        )
    if sample_weight is not None and not takes_weights:
        raise ValueError(
            f"The batches of `{name}` hold sample weights, which are not made use of "
            "here. Give batches of `(x, y)`."
        )
    check_no_text(x, y, model, name)
    if model is not None:
        check_number(model, x, name)
    n_rows = _count((x, y, sample_weight), name)
    if model is not None:
        check_fits(model, x, name)
    return Data(x, y, sample_weight, n_rows, is_sample, **of_set)


def read_validation(
    data: Any,
    *,
    model: Any = None,
    most: int | None = None,
    takes_weights: bool = True,
    name: str = "validation_data",
) -> tuple[Any, Any] | tuple[Any, Any, Any] | None:
    """Read what was given as `validation_data`.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, a data set, or None.
        model: As for `read`.
        most: As for `read`.
        takes_weights: As for `read`.
        name: How errors call it. Defaults to `"validation_data"`.

    Returns:
        `(x, y)`, with sample weights where there are any; None for None.

    Raises:
        ValueError: If it is none of these.
    """
    if data is None:
        return None
    if kinds.makes_batches(data):
        parts: tuple[Any, ...] = (data,)
    else:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ValueError(
                f"`{name}` must be `(x, y)` or `(x, y, sample_weight)`, or a "
                f"data set. Received: {type(data).__name__}"
                + (f" of length {len(data)}" if isinstance(data, (tuple, list)) else "")
            )
        parts = tuple(data)
    weight = parts[2] if len(parts) > 2 else None
    if weight is not None and not takes_weights:
        raise ValueError(
            f"`{name}` holds sample weights, which are not made use of here. Give "
            "`(x, y)`."
        )
    found = read(
        *parts[:2],
        sample_weight=weight,
        model=model,
        most=most,
        takes_weights=takes_weights,
        name=f"{name}[0]" if len(parts) > 1 else name,
    )
    if found.sample_weight is None:
        return found.x, found.y
    return found.x, found.y, found.sample_weight


def _one_shot(x: Any, name: str) -> str:
    return (
        f"`{name}` is an iterator of type {type(x).__name__}, which can be read only "
        "once: rows that are read here would be missing in `fit`. Give a batch as "
        "arrays, `x, y = next(data)`, or a data set that can be read again, such as a "
        "`keras.utils.PyDataset`."
    )


def _count(parts: Any, name: str) -> int:
    lengths = [
        [int(leaf.shape[0]) for leaf in keras.tree.flatten(part) if leaf is not None]
        for part in parts
    ]
    found = {length for part in lengths for length in part}
    if len(found) == 1 and 0 not in found:
        return found.pop()
    if found == {0}:
        raise ValueError(f"`{name}` must hold at least one sample. Received: 0 rows.")
    said = [
        f"{', '.join(map(str, dict.fromkeys(part)))} in `{called}`"
        for part, called in zip(lengths, (name, "y", "sample_weight"), strict=True)
        if part
    ]
    raise ValueError(
        f"`{name}` and `y` must have the same number of rows. Received: "
        f"{' and '.join(said)}. Rows are along the first axis."
    )
