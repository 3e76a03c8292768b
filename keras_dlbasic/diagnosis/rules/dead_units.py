"""Rectifier units that are zero for all data."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.finding import Severity
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import (
    initialize,
    insert_normalization,
    lower_learning_rate,
    swap_activations,
)


@rule("symptom")
def dead_units(run: Run, *, most: float = 0.5, least_rows: int = 16) -> Judged:
    """Look for layers most of whose units are dead on the probe.

    Args:
        run: The run.
        most: Share of a hidden layer's units that counts; a layer all of whose units
            are dead passes nothing on, whatever the others do.
        least_rows: Fewer rows than this cannot tell.
    """
    table = run.table("activations")
    facts = run.facts.get("probe") or {}
    if facts.get("rows", least_rows) < least_rows:
        raise Skipped(f"the probe has {facts['rows']} rows; needs {least_rows}")
    shares = np.nan_to_num(table["dead_units"][-1])
    labels = list(table.labels)
    hidden = [i for i in range(len(labels)) if i < len(labels) - 1]
    if not hidden:
        raise Skipped("no hidden layers are known")
    worst = max(hidden, key=lambda i: shares[i])
    value = float(shares[worst])
    if value < most:
        return f"at most {value:.0%} of a layer's units are dead"
    at_start = float(np.nan_to_num(table["dead_units"][0])[worst])
    learned = run.outcome.learned
    severity: Severity
    if run.live and value < 1:
        severity = "info"  # many a run begins so and recovers
    elif learned is False:
        severity = "critical"
    elif learned is None and not run.outcome.is_known and value > 0.9:
        severity = "warning"
    else:
        severity = "info"
    rows = np.flatnonzero(np.nan_to_num(table["dead_units"][:, worst]) >= most)
    return Found(
        severity,
        f"{value:.0%} of the units of layer '{labels[worst]}' are dead on the "
        f"probe ({at_start:.0%} before training).",
        remedies=(
            lower_learning_rate("a step that was too long pushes units below zero"),
            initialize("units that begin dead get no gradient to come alive"),
            swap_activations("leaky units keep a gradient", "leaky_relu"),
            insert_normalization("centres what the units are given"),
        ),
        details={
            "layer": labels[worst],
            "epoch": max(0, int(table.epochs[rows[0]])),
            "value": value,
            "threshold": most,
            "confidence": 0.95,
            "evidence": {"before_training": at_start},
        },
    )
