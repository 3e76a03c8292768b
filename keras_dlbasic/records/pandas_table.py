"""Records as tables of pandas, an optional dependency."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.records.record_data import MEASURES, SCALARS, RecordData


def to_pandas(record: RecordData) -> Any:
    """Return the sampled steps of `record` as a long table."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "`TrainingRecord.to_pandas` needs pandas. Install it: pip install pandas"
        ) from error
    n, k = len(record.steps), len(record.variables)
    table: dict[str, Any] = {
        "step": np.repeat(record.steps, k),
        "epoch": np.repeat(record.step_epochs, k),
        "variable": np.tile(np.arange(k), n),
    }
    for name in ("path", "layer", "role"):
        table[name] = [getattr(v, name) for v in record.variables] * n
    for name in MEASURES:
        table[name] = getattr(record, name).reshape(-1)
    for name in (*SCALARS[1:], "global_gradient_norm"):
        table[name] = np.repeat(getattr(record, name), k)
    return pd.DataFrame(table)
