"""What one trial of a study gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from keras_dlbasic._display import Displayed
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records.json_text import json_text

STATUSES = ("done", "diverged", "failed", "lost")


@names_nearest
@dataclass(frozen=True, repr=False)
class TrialResult(Displayed):
    """The result of one trial of a study.

    Attributes:
        settings: Settings of the trial by name: the seed and what the study varies.
        status: `"done"`; `"diverged"`: the loss became non-finite; `"failed"`: an
            exception was raised; `"lost"`: the worker process died twice, cannot import
            what it needs, or has another backend. Lost trials run again when the study
            is run again.
        values: Measurements by name: numbers, strings and arrays.
        error: The error message, in one line.
        parallel: Whether other trials may have run in parallel, which makes its times
            unreliable.
        threads: Number of threads of the backend, 0 if not known. Trials with different
            numbers may differ in the last bits.

    Example:
    >>> from keras_dlbasic.records import TrialResult
    >>> result = TrialResult({"batch_size": 32, "seed": 0}, values={"loss": 0.5})
    >>> TrialResult.from_json(result.to_json()) == result
    True
    """

    settings: Mapping[str, Any]
    status: str = "done"
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    parallel: bool = False
    threads: int = 0

    def to_json(self) -> str:
        """Return the result as JSON; non-finite numbers are kept."""
        return json_text(asdict(self), other=_refuse, keep_non_finite=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> TrialResult:
        """Read what `to_json` wrote; lists of numbers become arrays.

        Raises:
            ValueError: If `text` is not such JSON.
        """
        try:
            entry = json.loads(text)
            values = {name: _array(value) for name, value in entry["values"].items()}
            result = cls(**{**entry, "values": values})
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(
                "Expected text written by `TrialResult.to_json`. Received: "
                f"{text[:60]!r} ({type(error).__name__}: {error})"
            ) from error
        return result


def _refuse(value: Any) -> Any:
    raise TypeError(
        "Settings and values of a trial must be numbers, texts, arrays, or lists and "
        f"dicts of them. Received: {value!r} of type {type(value).__name__}"
    )


def _array(value: Any) -> Any:
    if isinstance(value, list):
        array = np.asarray(value)
        return array if array.dtype.kind in "biuf" else value
    return value
