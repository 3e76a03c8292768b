"""Reads what users give for `x`, `y` and `validation_data`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from keras_dlbasic._data import kinds
from keras_dlbasic._data.alone import check_alone
from keras_dlbasic._data.arrays import EXPECTED, as_arrays, received
from keras_dlbasic._data.batches import rows_of
from keras_dlbasic._data.fits import check_fits, check_number, named_columns
from keras_dlbasic._data.names import ARGUMENTS, Names
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
        is_from_all: Whether each row of the data set could have been among these.
        n_passed: Number of batches of a data set that were read; None of arrays.
        batch_size: Rows in the first batch of a data set; None of arrays.
        n_batches: Number of batches of a data set, None if not known.
    """

    x: Any
    y: Any
    sample_weight: Any
    n_rows: int
    is_sample: bool = False
    is_from_all: bool = True
    n_passed: int | None = None
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
    names: Names = ARGUMENTS,
) -> Data:
    """Read data in any of the forms that users have.

    Args:
        x: Inputs: an array, a tensor of any backend, a data frame or series, a sparse
            matrix, a list, or a structure of these; or a data set that gives batches
            with targets: a `keras.utils.PyDataset`, a `tf.data.Dataset`, a
            `DataLoader`.
        y: Targets, in the same forms; None with a data set.
        sample_weight: Weights of samples. Defaults to None.
        model: The model that the rows go into, to have them checked. Defaults to None:
            not known, as with a function that makes the model.
        most: Number of rows that are drawn of a data set, always the same: of all of a
            `PyDataset` or a `DataLoader`; of others from the first 2,048 batches, or
            the first GiB. Defaults to None: all rows.
        needs_y: Whether there must be targets. Defaults to `False`.
        takes_weights: Whether sample weights are made use of; they are refused else.
            Defaults to `True`.
        names: What errors call these. Defaults to the names of the arguments.

    Returns:
        A `Data`.

    Raises:
        ValueError: If `x` or `y` is none of these or can be read only once, holds text,
            has another length than the other, or does not fit the model.
    """
    of_set: dict[str, Any] = {}
    if kinds.is_one_shot(x):
        raise ValueError(_one_shot(x, names.x))
    if kinds.is_data_set(x):
        check_alone(x, y, sample_weight, names)
        rows = rows_of(x, most, names)
        x, y, sample_weight = rows.parts
        of_set = {**vars(rows)}
        del of_set["parts"]
    else:
        x, y = named_columns(model, x, y, names)
        x, y = as_arrays(x, names.x), as_arrays(y, names.y)
        sample_weight = as_arrays(sample_weight, names.sample_weight)
    if not _leaves(x):
        raise ValueError(f"`{names.x}` {EXPECTED}. Received: {x!r}")
    if needs_y and not _leaves(y):
        raise ValueError(
            f"`{names.y}` is missing: give targets for the rows of `{names.x}`, or a "
            "data set whose batches are `(x, y)`."
        )
    if sample_weight is not None and not takes_weights:
        raise ValueError(
            f"The batches of `{names.x}` have sample weights, which are not used "
            "here. Give batches of `(x, y)`."
        )
    check_no_text(x, y, model, names)
    if model is not None:
        check_number(model, x, names.x)
    n_rows = _count((x, y, sample_weight), names)
    if model is not None:
        check_fits(model, x, names.x, y)
    return Data(x, y, sample_weight, n_rows, **of_set)


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
        takes_weights: Whether sample weights are made use of; they are refused else.
            Defaults to `True`.
        name: How errors call it. Defaults to `"validation_data"`.

    Returns:
        `(x, y)`, with sample weights where there are any; None for None.

    Raises:
        ValueError: If it is none of these.
    """
    if data is None:
        return None
    if kinds.makes_batches(data):
        found = read(data, model=model, most=most, names=Names.of_batches(name))
    elif isinstance(data, (tuple, list)) and len(data) in (2, 3):
        x, y, *weight = data
        found = read(
            x,
            y,
            sample_weight=weight[0] if weight else None,
            model=model,
            most=most,
            names=Names.of_parts(name),
        )
    else:
        raise ValueError(
            f"`{name}` must be `(x, y)` or `(x, y, sample_weight)`, or a data set. "
            + (
                f"Received: {type(data).__name__} of length {len(data)}"
                if isinstance(data, (tuple, list))
                else received(data)
            )
        )
    if found.sample_weight is None:
        return found.x, found.y
    if not takes_weights:
        raise ValueError(
            f"`{name}` has sample weights, which are not used here. Give `(x, y)`."
        )
    return found.x, found.y, found.sample_weight


def _one_shot(x: Any, name: str) -> str:
    return (
        f"`{name}` is an iterator of type {type(x).__name__}, which can be read only "
        "once: rows that are read here would be missing in `fit`. Give a batch as "
        "arrays, `x, y = next(data)`, or a data set that can be read again, such as a "
        "`keras.utils.PyDataset`."
    )


def _leaves(data: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(data) if leaf is not None]


def _count(parts: Any, names: Names) -> int:
    lengths = [[int(leaf.shape[0]) for leaf in _leaves(part)] for part in parts]
    found = {length for part in lengths for length in part}
    if len(found) == 1 and 0 not in found:
        return found.pop()
    if found == {0}:
        raise ValueError(
            f"`{names.x}` must hold at least one sample. Received: 0 rows."
        )
    called = (names.x, names.y, names.sample_weight)
    said = [
        f"{', '.join(map(str, dict.fromkeys(part)))} in `{name}`"
        for part, name in zip(lengths, called, strict=True)
        if part
    ]
    raise ValueError(
        f"`{names.x}` and `{names.y}` must have the same number of rows. Received: "
        f"{' and '.join(said)}. Rows are along the first axis."
    )
