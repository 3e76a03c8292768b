"""Values that are lost at once, in an operation that is not defined for a number."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.breakdown import Breakdown, breakdown_of
from keras_dlbasic.diagnosis.first_step import (
    lost_elsewhere,
    said_rows,
    undefined_rows,
)
from keras_dlbasic.diagnosis.recurrent_growth import recurrent_growth
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE
from keras_dlbasic.records.probe_facts import UndefinedFacts

GUARD = suggest.by_hand(
    "guard logarithms, divisions and roots in custom losses and layers, as in "
    "ops.log(ops.maximum(x, 1e-7)) or ops.sqrt(x + 1e-7)",
    "sooner or later they get 0 or a negative number, at any learning rate",
)
POSITIVE = suggest.by_hand(
    "use ops.softplus(x) + 1e-3 for values that must be positive, such as a "
    "standard deviation or a rate",
    "a linear output can be negative",
)
TARGETS = suggest.by_hand(
    "correct these targets or leave their rows out: evaluate the loss row by row to "
    "find all of them",
    "no prediction gives these rows a finite loss",
)
LOOK = suggest.by_hand(
    "evaluate the loss batch by batch, in float32, until it is NaN or infinite",
    "the cause is in the rows of that batch",
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
    """Look for NaN or infinite values without growth of updates, loss or weights.

    If steps are too long, there are long updates, a rising loss or growing weights
    before numbers overflow. Without these signs, the learning rate is probably not the
    cause. This is certain if only the loss is NaN, while weights and gradients are
    finite, and if the loss of some rows is not finite whatever is predicted.

    Args:
        run: The run.
        ratio: Update-to-weight ratio of an earlier step from which on the rate may be
            the cause.
        rise: The same for a rise of the loss.
        growth: The same for the growth of the weights over the run, if they stayed
            finite.
        near: Maximum number of steps since the last measurement.
    """
    found = breakdown_of(run)
    if lost_elsewhere(run):
        return Fine("the data or the weights were not finite")
    if (rows := undefined_rows(run)) is not None:
        return _of_rows(rows, found)
    if found is None:
        return Fine("no value became NaN or infinite during training")
    if found.lost == "loss":
        if found.growth > growth:
            return Fine("the weights grew before the loss became NaN or infinite")
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
        unit="of the weights, the longest step before that",
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


def _of_rows(rows: UndefinedFacts, found: Breakdown | None) -> Finding:
    return Finding(
        severity="critical",
        message=(
            f"{said_rows(rows)} It takes the logarithm or the root of a negative "
            "number there, or divides by zero. One such row makes the loss of its "
            "batch NaN or infinite, so a lower learning rate does not help."
        ),
        step=0 if found is None else found.step,
        epoch=0 if found is None else found.epoch,
        value=rows.rows / rows.of,
        threshold=0.0,
        unit="of the rows",
        confidence=0.95,
        evidence={"rows": rows.rows, "of": rows.of, "example": list(rows.example)},
        remedies=(TARGETS, GUARD),
    )


def _message(found: Breakdown) -> str:
    if found.lost == "loss":
        return (
            "The loss is NaN although weights and gradients are finite. It takes the "
            "logarithm or the root of a negative number, or divides zero by zero, so a "
            "lower learning rate does not help."
        )
    where = f"At step {found.step + 1} (epoch {found.epoch + 1}) "
    if found.lost == "gradients":
        what = (
            "the gradients become NaN or infinite although the loss is finite, as for "
            "a root, norm, power or logarithm of 0, whose derivative is infinite. "
        )
    else:
        what = "the loss and the gradients become NaN or infinite at the same time. "
    return (
        f"{where}{what}Before that, no step changed the weights by more than "
        f"{found.update_ratio:.2g} of their norm, and neither loss nor weights had "
        "grown, so the learning rate is probably not the cause."
    )
