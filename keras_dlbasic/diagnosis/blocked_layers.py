"""Layers of a model that nothing of the loss reaches."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.frozen_zeros import frozen_zeros
from keras_dlbasic.diagnosis.run import Run

USUAL = 1e-6
"""Share of the largest gradient that the layer right behind has at least. Gradients
that fade from layer to layer until they are zero are smaller there."""

LEAST = 1e-10
"""A gradient norm below this is next to nothing itself."""

IDLE = 0.9
"""Share of a layer's units, dead or saturated, with which these may be the reason."""


def blocked_layers(run: Run) -> tuple[str, ...]:
    """Return the layers that no gradient reached at any sampled step.

    The first layers count, up to one of them; if these have gradients, and the model
    has one output, any before the last one with a gradient. What is behind that may be
    an output without a loss.

    Args:
        run: The run, with finite gradients at some sampled steps.

    Returns:
        Their labels, from input to output; empty if there are none, if units that are
        idle, weights of zero or gradients that fade explain it, or if the model has a
        `train_step` of its own.
    """
    if "train_step" in (run.facts.own_loss or ()):
        return ()  # other optimizers, which are not watched, may train them
    norms = np.nan_to_num(run.record.by_layer("gradient_norm")[run.clean])
    layers = run.record.layers
    reached = np.flatnonzero((norms > 0).any(axis=0))
    if not len(reached):
        return ()
    with_kernel = {v.layer for v in run.record.variables if len(v.shape) > 1}
    blocked = layers[: reached[0]]
    if not blocked:
        blocked = _between(run, layers, reached, with_kernel)
    typical = np.median(norms, axis=0)
    fades = typical[reached[0]] < max(USUAL * typical.max(), LEAST)
    if fades or not with_kernel.intersection(blocked):
        return ()
    return () if _is_explained(run) else blocked


def _between(
    run: Run, layers: tuple[str, ...], reached: np.ndarray, with_kernel: set[str]
) -> tuple[str, ...]:
    """Return layers with a kernel and no gradient amid others that have one."""
    if len(run.facts.outputs) != 1:
        return ()  # they may belong to an output without a loss
    return tuple(
        layers[place]
        for place in range(reached[-1])
        if place not in reached and layers[place] in with_kernel
    )


def _is_explained(run: Run) -> bool:
    """Return whether there is a layer that no gradient gets through by itself."""
    if run.facts.model is not None and frozen_zeros(run):
        return True
    table = run.record.tables.get("activations")
    if table is None or not len(table):
        return False
    # the gradient was zero from the first step on, so what counts is the first look
    shares = [table[name][0] for name in ("dead_units", "saturated_units")]
    return bool(np.nanmax(shares, initial=0.0) >= IDLE)
