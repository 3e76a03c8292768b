"""Deep stacks of activations that pass on little of the gradient."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

MANY_UNITS = 8
"""A softmax over fewer units may be the output of a classifier that goes on."""

SLOPES = {"sigmoid": 0.25, "hard_sigmoid": 1 / 6, "sparse_sigmoid": 0.5}
"""Steepest slopes below one."""


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "vanishing_gradients", "saturated_units"),
    needs=("network",),
)
def saturating_activations(
    run: Run, *, least: float = 1e-2, measured: float = 0.1, gone: float = 1e-3
) -> Verdict:
    """Multiply the steepest slopes of the hidden activations.

    In a `Sequential` model, hidden dense layers with a softmax are reported as well:
    their outputs sum to 1, so each is small and depends on all others.

    Args:
        run: The run.
        least: Maximum product of the slopes for a finding. With weights of usual size,
            at most this share of a gradient reaches the first layer.
        measured: Maximum product for a finding if the measured gradients vanish; two
            sigmoid layers are below it.
        gone: Maximum relative gradient of a layer, as a share of the largest after it,
            for a vanishing gradient.
    """
    hidden = [f for f in run.layers[:-1] if f.activation in SLOPES]
    # Normalization keeps units where their slope is steep.
    if any(f.normalizes for f in run.layers):
        return _of_softmax(run) or Fine("the layers are normalized")
    product = 1.0
    for facts in hidden:
        product *= SLOPES[str(facts.activation)]
    flow = run.early_flow() if product < measured else None
    # slopes make a gradient small; what is exactly zero met dead units, or no way
    has_vanished = flow is not None and 0 < flow.down < gone
    if product < least or has_vanished:
        return Finding(
            severity="info",
            message=(
                f"{len(hidden)} hidden layers have '{hidden[0].activation}' "
                f"activations. Their slopes multiply to at most {product:.1e}, so "
                "hardly any gradient reaches the first of them."
                + (
                    f" Relative to its weights, layer '{flow.down_layer}' gets "
                    f"{flow.down:.1e} times the gradient of later layers."
                    if flow is not None and has_vanished
                    else ""
                )
            ),
            risk="critical",
            layer=hidden[0].label,
            value=product,
            threshold=least if product < least else measured,
            unit="share of the gradient",
            confidence=0.88,
            remedies=(
                suggest.activations(
                    "the slope of ReLU is 1 for positive inputs", initialize=True
                ),
                suggest.normalization("keeps inputs where the slope is steep"),
                suggest.new_weights(
                    "larger initial weights compensate for small slopes"
                ),
            ),
        )
    return _of_softmax(run) or Fine(f"slopes multiply to {product:.2g}")


def _of_softmax(run: Run) -> Finding | None:
    """Look for hidden layers with a softmax; in other models it may be a gate."""
    kernels = [layer for layer in run.layers if layer.has_kernel]
    found = [
        layer
        for layer in kernels[:-1]
        if layer.kind == "dense"
        and layer.activation == "softmax"
        and (layer.units or 0) >= MANY_UNITS
        and "/" not in layer.label  # a classifier that the model is built on
    ]
    if not found or not run.model.is_sequential:
        return None
    names = ", ".join(f"'{layer.label}'" for layer in found[:3])
    return Finding(
        severity="info",
        message=(
            f"Hidden layers have a softmax ({names}): their outputs are small and sum "
            "to 1, so they pass on little of their inputs and of the gradients."
        ),
        risk="warning",
        layer=found[0].label,
        value=float(len(found)),
        threshold=0.0,
        unit="layers",
        confidence=0.85,
        remedies=(
            suggest.by_hand(
                'keras.layers.Dense(units, "relu", kernel_initializer="he_normal")',
                "a softmax belongs in the output layer of a classifier",
            ),
        ),
    )
