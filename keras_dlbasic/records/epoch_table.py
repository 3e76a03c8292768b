"""The logs of the epochs of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_dlbasic.records.printable import printable


class EpochTable:
    """Numbers by name and epoch; what misses is NaN."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[str, float]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """Name to array with one entry per epoch; `"epoch"` is the first name."""
        names = dict.fromkeys(name for row in self._rows.values() for name in row)
        table = {"epoch": np.array(list(self._rows), np.int64)}
        for name in names:
            table[name] = np.array(
                [row.get(name, np.nan) for row in self._rows.values()], np.float64
            )
        return table

    def append(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Add or complete the row of `epoch`; what is no number is left out."""
        row = self._rows.setdefault(int(epoch), {})
        for name, value in logs.items():
            number = _as_number(value)
            if number is not None and name != "epoch":
                row[printable(str(name))] = number


def _as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
