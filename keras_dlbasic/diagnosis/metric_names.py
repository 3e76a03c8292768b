"""The names of compiled metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

ACCURACIES = (
    "accuracy",
    "acc",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
)


def metric_names(metrics: Any) -> Iterator[tuple[str, Any]]:
    """Yield Keras' names of metrics, with their thresholds."""
    if isinstance(metrics, Mapping) and "class_name" in metrics:
        if not metrics.get("own"):
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(metrics["class_name"]))
            yield name.lower(), metrics.get("threshold")
    elif isinstance(metrics, str):
        yield metrics, None
    elif isinstance(metrics, Mapping):
        for part in metrics.values():
            yield from metric_names(part)
    elif isinstance(metrics, (list, tuple)):
        for part in metrics:
            yield from metric_names(part)
