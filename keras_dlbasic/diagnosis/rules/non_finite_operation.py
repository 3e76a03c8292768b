"""Values that are lost at once, in an operation that is not defined for a number."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.breakdown import Breakdown, breakdown_of
from keras_dlbasic.diagnosis.first_step import lost_elsewhere
from keras_dlbasic.diagnosis.recurrent_growth import recurrent_growth
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE

GUARD = suggest.by_hand(
    "guard logarithms, divisions and roots in the loss and in layers of your own, as "
    "in ops.log(ops.maximum(x, 1e-7)) or ops.sqrt(x + 1e-7)",
    "zero and negative numbers are met sooner or later, at any learning rate",
)
POSITIVE = suggest.by_hand(
    "make what has to be positive positive: ops.softplus(x) + 1e-3 for a deviation or "
    "a rate",
    "a linear output gives negative numbers as well",
)
LOOK = suggest.by_hand(
    "evaluate the loss on single batches, in float32, until one is NaN or infinite",
    "the rows of that batch show which value it is",
)


@rule(kind="cause", explains=(*NOT_FINITE, "exploding_gradients"), needs=("updates",))
def non_finite_operation(
    run: Run,
    *,
    ratio: float = 0.1,
    rise: float = 3.0,
    growth: float = 10.0,
    near: int = 4,
) -> Verdict:
    """Look for values that become NaN or infinite although nothing had grown.

    Steps that are too long show before numbers overflow: in long updates, a rising loss
    or growing weights. Where none of these came before, the learning rate is not shown
    to be the cause. It is beyond doubt where the loss alone is NaN: weights and
    gradients stay finite then.

    Args:
        run: The run.
        ratio: Update-to-weight ratio of a step before that speaks for the rate.
        rise: Rise of the loss before that speaks for it.
        growth: Growth of the weights over the whole run that speaks for it where they
            stayed finite.
        near: Steps since the last look within which nothing can have grown unseen.
    """
    found = breakdown_of(run)
    if found is None:
        return Fine("no values were lost on the way")
    if lost_elsewhere(run):
        return Fine("values were lost in the data or the weights")
    if found.lost == "loss":
        if found.growth > growth:
            return Fine("the weights grew before the loss was lost")
    elif found.was_announced(ratio=ratio, rise=rise):
        return Fine("updates, loss, weights or gradients had grown before")
    if recurrent_growth(run) is not None:
        return Fine("the values of a recurrent layer had grown before")
    is_sure = found.lost == "loss" or found.gap <= near
    return Finding(
        severity="critical" if is_sure else "warning",
        message=_message(found),
        layer=found.layers[0] if found.layers else None,
        step=found.step,
        epoch=found.epoch,
        value=found.update_ratio,
        threshold=ratio,
        unit="of the weights, the longest step before",
        confidence=0.9 if is_sure else 0.7,
        evidence={
            "lost": found.lost,
            "rise_of_loss": found.rise_of_loss,
            "growth_of_weights": found.growth,
            "steps_since_last_look": found.gap,
            "layers": list(found.layers[:10]),
        },
        remedies=(POSITIVE, GUARD) if found.lost == "loss" else (GUARD, LOOK),
    )


def _message(found: Breakdown) -> str:
    if found.lost == "loss":
        return (
            "The loss is NaN while weights and gradients stay finite: it takes the "
            "logarithm or the root of a negative number, or divides zero by zero. A "
            "smaller learning rate does not help."
        )
    where = f"At step {found.step + 1} (epoch {found.epoch + 1}) "
    if found.lost == "gradients":
        what = (
            "the gradients are not finite though the loss is: the slope of a root, a "
            "norm or a power is infinite there, or a logarithm meets zero. "
        )
    else:
        what = "the loss and the gradients are NaN or infinite all at once. "
    return (
        f"{where}{what}Before, no step was longer than {found.update_ratio:.2g} of the "
        "weights and neither the loss nor the weights had grown, so the learning rate "
        "is not shown to be the cause."
    )
