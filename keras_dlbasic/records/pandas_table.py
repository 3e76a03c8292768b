"""Records as tables of pandas, an optional dependency."""

from __future__ import annotations

from typing import Any

from keras_dlbasic.records.plain_tables import plain_table
from keras_dlbasic.records.record_data import RecordData


def to_pandas(record: RecordData) -> Any:
    """Return the sampled steps of `record` as a long table."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "`TrainingRecord.to_pandas` needs pandas. Install it: pip install pandas"
        ) from error
    return pd.DataFrame(plain_table(record, "steps"))
