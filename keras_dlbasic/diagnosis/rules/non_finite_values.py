"""Losses, gradients or weights that are NaN or infinite."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import (
    by_hand,
    clip_gradients,
    lower_learning_rate,
)


@rule("symptom")
def non_finite_values(run: Run) -> Judged:
    """Look for values that are NaN or infinite."""
    record = run.record
    remedies = (
        by_hand(
            "check the data for NaN", "NaN in the data reaches every weight at once"
        ),
        lower_learning_rate("steps that are too long overflow"),
        clip_gradients("a single huge gradient cannot then carry the weights away"),
    )
    rows = np.flatnonzero((record.non_finite.sum(axis=1) > 0) & ~record.skipped)
    if len(rows):
        row = int(rows[0])
        counts = record.by_layer("non_finite")[row]
        layers = [layer for layer, n in zip(record.layers, counts, strict=True) if n]
        step = int(record.steps[row])
        return Found(
            "critical",
            f"Gradients are not finite at step {step + 1} (epoch "
            f"{int(record.step_epochs[row]) + 1}) in {len(layers)} layers.",
            remedies=remedies,
            details={
                "layer": layers[0] if layers else None,
                "step": step,
                "epoch": int(record.step_epochs[row]),
                "value": float(counts.sum()),
                "threshold": 0.0,
                "evidence": {"layers": layers[:10]},
            },
        )
    for name in ("loss", "val_loss"):
        curve = run.curve(name)
        if not len(curve):
            continue
        wrong = np.isinf(curve)
        if name == "loss" and len(curve) and np.isnan(curve[-1]):
            wrong = wrong | np.isnan(curve)
        if wrong.any():
            epoch = int(run.numbers[int(np.argmax(wrong))])
            return Found(
                "critical",
                f"'{name}' is not finite in epoch {epoch + 1}.",
                remedies=remedies,
                details={"epoch": epoch, "value": float(wrong.sum()), "threshold": 0.0},
            )
    table = record.tables.get("probe")
    if (
        table is not None
        and len(table)
        and np.nanmax(np.nan_to_num(table["non_finite"])) > 0
    ):
        row = int(np.argmax(table["non_finite"][:, 0] > 0))
        return Found(
            "critical",
            f"{table['non_finite'][row, 0]:.0%} of the predictions on the probe are not "
            "finite.",
            remedies=remedies,
            details={
                "epoch": int(table.epochs[row]),
                "threshold": 0.0,
                "value": float(table["non_finite"][row, 0]),
            },
        )
    if not len(record.steps) and not len(run.loss) and not len(run.val_loss):
        raise Skipped("no losses and no gradients were recorded")
    return "all losses and gradients are finite"
