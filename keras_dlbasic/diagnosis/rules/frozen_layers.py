"""Layers that are not trained, in a model that does not get far."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

LEAST_REFERENCE = 0.15
"""Skill of simple predictors below which there is little to learn."""


@rule(kind="cause", explains=NOT_LEARNING, needs=("network",), live=False)
def frozen_layers(run: Run, *, share: float = 0.5) -> Verdict:
    """Look for a model most of whose weights are frozen, and that does not get far.

    A frozen base is right where it was trained on data like these; so it counts only
    where the run does not get far.

    Args:
        run: The run.
        share: Share of the weights of layers with kernels that has to be frozen.
    """
    known = [layer for layer in run.layers if layer.has_kernel and layer.n_weights]
    frozen = [layer for layer in known if not layer.trainable]
    total = sum(layer.n_weights for layer in known)
    if not total:
        return Skipped("no layer with a kernel is known")
    value = sum(layer.n_weights for layer in frozen) / total
    if run.n_trainable_weights == 0 or value < share:
        return Fine(f"{value:.0%} of the weights are frozen")
    # If simple predictors find nothing either, unfreezing the layers will not help.
    reference = run.outcome.reference
    if reference is not None and reference < LEAST_REFERENCE:
        return Fine("simple predictors find nothing in the inputs either")
    names = ", ".join(f"'{layer.label}'" for layer in frozen[:3])
    more = f" and {len(frozen) - 3} more" if len(frozen) > 3 else ""
    return Finding(
        severity="info",
        message=(
            f"{value:.0%} of the weights are frozen ({names}{more}): they stay as they "
            "were, and the rest has to do with what they pass on."
        ),
        risk="warning",
        layer=frozen[0].label,
        value=value,
        threshold=share,
        unit="share of the weights",
        confidence=0.75,
        evidence={"layers": [layer.label for layer in frozen[:10]]},
        remedies=(
            suggest.by_hand(
                f"model{_path(frozen[-1].label)}.trainable = True, then compile again",
                "unfreeze from the last layer on; with trained weights at a tenth of "
                "the learning rate",
            ),
            suggest.by_hand(
                "check that the frozen layers hold trained weights, and get inputs as "
                "those they were trained on",
                "random layers that are frozen stay random",
            ),
        ),
    )


def _path(label: str) -> str:
    """Return the code that leads to a layer, through nested models."""
    return "".join(f".get_layer('{name}')" for name in label.split("/"))
