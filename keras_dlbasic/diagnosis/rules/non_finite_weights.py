"""Weights that are NaN or infinite before the first step."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import by_hand


@rule(
    "cause",
    explains=(
        "non_finite_values",
        "constant_predictions",
        "plateau",
        "underfitting",
        "dead_units",
        "diverging_loss",
    ),
)
def non_finite_weights(run: Run) -> Judged:
    """Look for layers whose weights were lost before the run began."""
    layers = _in_record(run) or _in_facts(run)
    if layers:
        return Found(
            "critical",
            f"Weights of {len(layers)} layers were not finite before the first step: "
            "an earlier training destroyed them.",
            remedies=(
                by_hand(
                    "build the model anew before you mend and train it",
                    "no training brings weights back that are not finite",
                ),
            ),
            details={
                "layer": layers[0],
                "step": None if run.is_planned else 0,
                "value": float(len(layers)),
                "threshold": 0.0,
                "evidence": {"layers": layers[:10]},
            },
        )
    if layers is None:
        raise Skipped("the weights before the first step were not recorded")
    return "all weights were finite before the first step"


def _in_record(run: Run) -> list[str] | None:
    record = run.record
    if not len(record.steps) or record.steps[0] != 0:
        return None
    lost = ~np.isfinite(record.by_layer("weight_norm")[0])
    return [
        layer for layer, is_lost in zip(record.layers, lost, strict=True) if is_lost
    ]


def _in_facts(run: Run) -> list[str] | None:
    """Return the same by the kernels, which are looked at as training begins."""
    network = run.facts.get("network")
    if not network:
        return None
    sizes = {f["label"]: f.get("kernel_rms", 0.0) for f in network.get("layers") or []}
    return [label for label, size in sizes.items() if not np.isfinite(size)]
