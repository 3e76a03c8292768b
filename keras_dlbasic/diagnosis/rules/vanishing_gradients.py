"""Gradients that fade on their way to the first layers."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.finding import Severity

HARM: dict[bool | None, Severity] = {False: "critical", None: "warning", True: "info"}
"""Severity, depending on whether the model has learned something."""


ACTIVATIONS = suggest.activations(
    "sigmoid and tanh have slopes below 1, ReLU has slope 1"
)
STEEP = (
    None,
    "linear",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
)
"""Activations of which the slope is about 1 for half of all inputs."""


@rule(kind="symptom", needs=("gradients",))
def vanishing_gradients(
    run: Run, *, ratio: float = 1e-3, least: int = 5, early: int = 64
) -> Verdict:
    """Compare the gradients of layers with those of the layers after them.

    Only the first sampled steps are compared, because small gradients are normal after
    convergence. If the run has learned, it is harmless.

    Args:
        run: The run.
        ratio: Maximum ratio of a layer's relative gradient to the largest after it. A
            sigmoid layer passes on at most a quarter, so five of them reach the default
            of `1e-3`.
        least: Minimum number of sampled steps.
        early: Number of first sampled steps that are compared.
    """
    flow = run.early_flow(least=least, early=early)
    if flow is None:
        return Skipped("needs two layers with kernels and five sampled steps")
    if flow.down < ratio:
        learned = run.outcome.learned
        severity = HARM[learned]
        if run.live and run.outcome.is_known:
            severity = "info"  # too early to say that nothing is learned
        return Finding(
            severity=severity,
            message=(
                f"Gradients vanish: the gradient of layer '{flow.down_layer}', "
                f"relative to its weights, is {flow.down:.1e} times that of the layers "
                "after it."
            ),
            layer=flow.down_layer,
            epoch=0,
            step=int(run.steps[0]),
            value=flow.down,
            threshold=ratio,
            confidence=0.9,
            remedies=(
                *((ACTIVATIONS,) if _may_flatten(run) else ()),
                suggest.new_weights(
                    "weights of the right scale keep the gradient norm"
                ),
                suggest.normalization("normalization keeps the gradient norm"),
            ),
        )
    return Fine(
        f"the first layers get {flow.down:.2g} of the largest relative gradient"
    )


def _may_flatten(run: Run) -> bool:
    """Return whether the slopes of hidden activations may be small, as of a sigmoid."""
    hidden = [layer for layer in run.layers if layer.has_kernel][:-1]
    return not hidden or any(
        layer.activation not in STEEP or layer.kind == "recurrent" for layer in hidden
    )
