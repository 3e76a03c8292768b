"""A model that answers (nearly) the same to all inputs."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import predictors_find_nothing, reads_ids
from keras_dlbasic.diagnosis.reasons import UNKNOWN_LOSS
from keras_dlbasic.diagnosis.target_deviation import target_deviation

PAIRS = suggest.check_rows(
    "simple predictors learn nothing either, so inputs and targets may not match"
)


@rule(kind="symptom", needs=("probe", "target"), live=False, per_output=True)
def constant_predictions(run: Run, *, spread: float = 0.02) -> Verdict:
    """Compare the spread of the predictions with that of the targets.

    Args:
        run: The run.
        spread: Predictions count as constant if their standard deviation is below this
            share of that of the targets. They then explain at most `spread**2` of the
            variance.
    """
    values = run.probed("spread")
    if run.data.one_sided:
        return Skipped(run.data.one_sided)
    if run.task is TaskKind.UNKNOWN and values[-1]:
        return Skipped(UNKNOWN_LOSS)
    deviation = target_deviation(run)
    if run.outcome.learned is True:
        return Fine("predictions differ")
    last = float(values[-1])
    commonest = run.record.tables["probe"]["commonest"][-1, 0]
    if deviation > 0 and last < spread * deviation:
        value = last / deviation
        text = (
            "The predictions are nearly the same for all inputs: their standard "
            f"deviation is {value:.1e} times that of the targets."
        )
    elif commonest == 1.0 and run.outcome.learned is False:
        value, text = 0.0, "The model predicts the same class for all inputs."
    else:
        return Fine("predictions differ")
    is_unrelated = predictors_find_nothing(run) and not reads_ids(run)
    return Finding(
        severity="critical" if run.outcome.learned is False else "warning",
        message=text,
        value=value,
        threshold=spread,
        unit="standard deviations of the targets",
        confidence=0.95,
        remedies=(
            *((PAIRS,) if is_unrelated else ()),
            suggest.range_test("a wrong learning rate is the most common cause"),
            suggest.new_weights("poor initial weights can block signals and gradients"),
        ),
    )
