"""Dropout that is active in prediction."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.response import response_of
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records.probe_facts import ResponseFacts


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "overfitting", "oscillating_loss"),
    needs=("network",),
    live=False,
)
def random_at_inference(
    run: Run, *, change: float = 0.05, large: float = 0.25, lost: float = 0.05
) -> Verdict:
    """Run the model twice on the same rows, as `predict` does.

    Dropout should be off in inference. If `call` passes `training=True` to it, units
    are also dropped in `evaluate` and `predict`, so predictions are random and less
    accurate. Some models do this on purpose, to average many predictions. So it is a
    note, unless predictions differ much and are measurably worse than with dropout off.

    Args:
        run: The run.
        change: Minimum difference between two predictions of the same rows, in units of
            the standard deviation over rows.
        large: Minimum such difference for a warning.
        lost: Minimum skill that dropout costs for a warning. Where no skill is known,
            the loss counts, as a share of the loss of a constant prediction.
    """
    found = response_of(run)
    if isinstance(found, Fine):
        return found
    if found.noise != found.noise:
        return Skipped("the model was not run a second time on the same rows")
    layer = found.dropping
    if layer is None or found.noise < change:
        return Fine("repeated predictions are the same")
    cost, text = _cost(run, found)
    is_harm = found.noise >= large and cost is not None and cost >= lost
    return Finding(
        severity="warning" if is_harm else "info",
        message=(
            "`predict` gives different results for the same rows, by "
            f"{found.noise:.2g} of their standard deviation: dropout layer '{layer}' "
            f"is active outside of training too.{text}"
        ),
        risk="warning",
        layer=layer,
        value=found.noise,
        threshold=change,
        unit="standard deviations of the predictions",
        confidence=0.85,
        evidence={
            "skill": found.skill,
            "skill_without": found.skill_without,
            "loss": found.loss,
            "loss_without": found.loss_without,
        },
        remedies=(
            suggest.by_hand(
                f"do not pass `training=True` to '{layer}' in `call`",
                "Keras then turns dropout off in `evaluate` and `predict`",
            ),
            suggest.by_hand(
                "kd.layers.mc_predict(model, x)",
                "averages many predictions, if this dropout is intended",
            ),
        ),
    )


def _cost(run: Run, found: ResponseFacts) -> tuple[float | None, str]:
    """Return what dropout costs in prediction, None if it is not known, and a text."""
    skill = found.skill_without - found.skill
    if not math.isnan(skill):
        return skill, (
            f" With dropout off, the skill on training samples is "
            f"{found.skill_without:.2f} and not {found.skill:.2f}."
        )
    loss, baseline = found.loss - found.loss_without, run.outcome.baseline
    if math.isnan(loss) or not baseline:
        return None, ""
    return loss / abs(baseline), (
        f" With dropout off, the loss on training samples is {found.loss_without:.3g} "
        f"and not {found.loss:.3g}."
    )
