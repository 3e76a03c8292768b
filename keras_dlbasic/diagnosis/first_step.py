"""What the first step of a run was like, before any update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records.probe_facts import UndefinedFacts

Place = Literal["outputs", "loss", "gradients", "unknown"]


@dataclass(frozen=True)
class BrokenStart:
    """A first step that was not finite, so that no update can be the cause.

    Attributes:
        place: What was the first not to be finite: `"outputs"`, `"loss"` or, if both
            are finite, `"gradients"`; `"unknown"` if outputs were not looked at.
        layers: Labels of the layers that are not finite: in their outputs, from input
            to output, or in their gradients; empty if not known.
    """

    place: Place
    layers: tuple[str, ...] = ()


def broken_start(run: Run) -> BrokenStart | None:
    """Return what was not finite at the first step; None if all was, or not known.

    Args:
        run: The run.
    """
    record = run.record
    if run.is_planned:
        return _planned(run)
    if not len(record.steps) or record.steps[0] != 0 or record.skipped[0]:
        return None
    loss = record.batch_loss[0]
    counts = record.by_layer("non_finite")[0]
    # a loss that was not recorded is NaN as well, but its gradients are finite
    if not counts.sum() > 0:
        return None
    # From front to back: outputs, then the loss, then gradients. What is not finite in
    # one makes all that follows not finite, so the first place counts.
    outputs = _layers_with_lost_outputs(run)
    if outputs is not None:
        return BrokenStart("outputs", outputs)
    if not np.isfinite(loss):
        return BrokenStart("loss" if _was_looked_at(run) else "unknown")
    named = zip(record.layers, counts, strict=True)
    return BrokenStart("gradients", tuple(layer for layer, n in named if n))


def _planned(run: Run) -> BrokenStart | None:
    """Return what `preflight` saw as it evaluated the loss and its gradient once."""
    start = run.facts.start
    outputs = _layers_with_lost_outputs(run)
    if outputs is not None:
        return BrokenStart("outputs", outputs)
    if start is None or (start.loss_is_finite and not start.layers):
        return None
    if not start.loss_is_finite:
        return BrokenStart("loss")
    return BrokenStart("gradients", start.layers)


def _was_looked_at(run: Run) -> bool:
    """Return whether the model was run on the probe before training."""
    probe = run.record.tables.get("probe")
    return probe is not None and len(probe) > 0 and probe.epochs[0] < 0


def _layers_with_lost_outputs(run: Run) -> tuple[str, ...] | None:
    """Return the layers whose outputs were not finite before training.

    None if the predictions were finite, or that was not looked at.
    """
    tables = run.record.tables
    probe, layers = tables.get("probe"), tables.get("activations")
    if probe is None or not _was_looked_at(run):
        return None
    if not np.nan_to_num(probe["non_finite"][0]).max() > 0:
        return None
    if layers is None or not len(layers):
        return ()
    lost = ~np.isfinite(layers["mean"][0])
    return tuple(
        label for label, is_lost in zip(layers.labels, lost, strict=True) if is_lost
    )


def lost_elsewhere(run: Run) -> str | None:
    """Return what was not finite before anything was computed: data or weights.

    None if both were finite, as far as they are known.

    Args:
        run: The run.
    """
    facts = run.facts
    lost = [x.non_finite for x in facts.inputs] + [y.non_finite for y in facts.targets]
    if any(lost):
        return "the data"
    if any(layer.n_non_finite for layer in facts.layers):
        return "the weights"
    return None


def undefined_rows(run: Run) -> UndefinedFacts | None:
    """Return the rows whose loss is not finite whatever is predicted; None for none.

    Args:
        run: The run.
    """
    return None if run.facts.probe is None else run.facts.probe.undefined


def said_rows(rows: UndefinedFacts) -> str:
    """Return a sentence about rows whose loss is not defined."""
    example = ", ".join(f"{value:.3g}" for value in rows.example)
    return (
        f"The loss of {rows.rows} of {rows.of} rows is NaN or infinite whatever the "
        f"model predicts, for example that of a row with the target [{example}]."
    )
