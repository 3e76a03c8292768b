"""Weights that are NaN or infinite before the first step."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE


@rule(kind="cause", explains=NOT_FINITE)
def non_finite_weights(run: Run) -> Verdict:
    """Look for layers with NaN or infinite weights before the first step."""
    known = [part for part in (_in_record(run), _in_facts(run)) if part is not None]
    layers = list(dict.fromkeys(layer for part in known for layer in part))
    if layers:
        return Finding(
            severity="critical",
            message=(
                f"Before the first step, the weights of {len(layers)} "
                f"layer{'s' * (len(layers) != 1)} are NaN or infinite, probably from "
                "an earlier `fit` that diverged. They cannot recover."
            ),
            layer=layers[0],
            step=None if run.is_planned else 0,
            value=float(len(layers)),
            threshold=0.0,
            unit="layers",
            evidence={"layers": layers[:10]},
            remedies=(
                suggest.by_hand(
                    "build the model anew before you train it again",
                    "NaN and infinite weights cannot recover",
                ),
                suggest.new_weights(
                    "draws new weights if you cannot build the model anew"
                ),
            ),
        )
    if not known:
        return Skipped("the weights before the first step were not recorded")
    return Fine("all weights were finite before the first step")


def _in_record(run: Run) -> list[str] | None:
    record = run.record
    if not len(record.steps) or record.steps[0] != 0:
        return None
    lost = ~np.isfinite(record.by_layer("weight_norm")[0])
    if lost.any() and not record.non_finite[0].sum() > 0:
        return None  # not recorded, or too large for a norm: the gradients are finite
    return [
        layer for layer, is_lost in zip(record.layers, lost, strict=True) if is_lost
    ]


def _in_facts(run: Run) -> list[str] | None:
    """Return the same by all weights, which are looked at as training begins."""
    known = [f for f in run.facts.layers if f.n_non_finite is not None]
    return [f.label for f in known if f.n_non_finite] if known else None
