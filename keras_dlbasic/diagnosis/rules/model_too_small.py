"""A model too small to follow the data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note
from keras_dlbasic.records import LayerFacts


@rule(kind="cause", explains=("underfitting",), needs=("network",), live=False)
def model_too_small(run: Run, *, weights: int = 16) -> Verdict:
    """Look for models without hidden layers or with a handful of weights.

    Args:
        run: The run.
        weights: Maximum number of trainable weights for a finding.
    """
    # a variable that is in no layer may be a constant
    if run.model.untracked or run.model.made_in_call:
        return Fine("the model has layers that Keras does not find")
    layers = [f for f in run.layers if _follows_patterns(f)]
    n = run.n_trainable_weights
    if len(layers) == 1 or n < weights:
        what = "no hidden layer" if len(layers) == 1 else f"{n} trainable weights"
        return Finding(
            severity="info",
            message=f"The model has {what}, so it can learn simple patterns only.",
            risk="warning",
            value=float(n),
            threshold=float(weights),
            unit="weights",
            confidence=0.6,
            note=worth_a_note(run),
            remedies=(suggest.larger_model("more units can fit the data"),),
        )
    return Fine(f"{n} trainable weights in {len(layers)} layers")


def _follows_patterns(layer: LayerFacts) -> bool:
    """Return True for layers that do more to their input than to scale or look it up.

    Recurrent and attention layers, wrappers and layers of the user's own have weights
    but no kernel of which a gain is known.
    """
    if layer.has_kernel:
        return True
    scales = layer.normalizes or layer.scales
    # the weights of an activation are slopes, as those of PReLU
    is_plain = layer.known_kind in ("embedding", "activation")
    return layer.n_weights > 0 and not scales and not is_plain
