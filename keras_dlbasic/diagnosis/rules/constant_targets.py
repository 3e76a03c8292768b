"""Targets that are the same for all rows."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.frozen_judge import has_frozen_judge, trained_judge


@rule(
    kind="cause",
    explains=("constant_predictions", "plateau", "overfitting"),
    needs=("target",),
    per_output=True,
)
def constant_targets(run: Run, *, share: float = 0.999) -> Verdict:
    """Look for targets that are the same in nearly all rows.

    Losses that do not read the targets are excluded: some losses of embeddings only get
    targets because `fit` requires them. So are models that end in frozen layers, or in
    a model that is compiled by itself: in adversarial training a discriminator is to
    give the same answer for all rows.

    Args:
        run: The run.
        share: Minimum share of rows with the same target for a finding.
    """
    target = run.target
    if run.data.one_sided:
        return Skipped(run.data.one_sided)
    if run.facts.loss is None and not run.facts.own_loss:
        return Skipped("no loss was compiled, and some losses do not read the targets")
    if run.loss_kind.family == "unknown":
        probe = run.facts.probe
        reads = probe.reads_targets if probe else None
        if reads is False:
            return Fine("the loss is your own and does not read the targets")
        if reads is None:
            return Skipped("the loss is your own and may not read the targets")
    if has_frozen_judge(run.facts):
        return Fine("frozen layers make the output, as in adversarial training")
    if (judge := trained_judge(run.facts)) is not None:
        return Fine(f"model '{judge}' makes the output, as in adversarial training")
    check = suggest.by_hand(
        "check the code that makes the targets", "constant targets teach nothing"
    )
    if target.is_constant:
        return Finding(
            severity="critical",
            message="All targets are the same, so there is nothing to learn.",
            value=1.0,
            threshold=share,
            unit="share of the rows",
            remedies=(check,),
        )
    if target.commonest > share:
        return Finding(
            severity="warning",
            message=(
                f"{target.commonest:.2%} of the targets have the same value, so there "
                "is almost nothing to learn."
            ),
            value=target.commonest,
            threshold=share,
            unit="share of the rows",
            confidence=0.9,
            remedies=(check,),
        )
    return Fine(f"the most common target makes up {target.commonest:.1%}")
