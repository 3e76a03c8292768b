"""Why it is not known what a run came to, in words."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.records import ProbeFacts, RunFacts


def why_no_skill(facts: RunFacts, task: TaskKind) -> str:
    """Return why the skill of the predictions is not known.

    Args:
        facts: What is known of the run.
        task: What the predictions are.
    """
    probe = facts.probe
    if probe and not task.is_known:
        return _why_no_loss(facts) or (
            "needs a loss that is known, to tell classes from values"
        )
    if probe and (probe.rows or 0) < 20:
        return "needs 20 rows of data"
    if not probe or probe.failed is not None:
        return why_unknown(facts, task)
    if probe.no_skill:
        return f"there is no skill: {probe.no_skill}"
    return "needs one output, finite predictions and targets that fit them"


def why_unknown(facts: RunFacts, task: TaskKind) -> str:
    """Return why it is not known whether a run does better than a constant.

    Args:
        facts: What is known of the run.
        task: What the predictions are.
    """
    probe = facts.probe
    no_loss = "" if task.is_known else _why_no_loss(facts)
    if no_loss:
        return no_loss
    if not probe:
        return "needs `x=` and `y=`"
    if probe.failed is not None:
        return why_no_probe(probe)
    if probe.baseline_failed is not None:
        return f"the loss of single rows is not known ({probe.baseline_failed})"
    if probe.baseline_loss is None:
        return (
            "needs a loss that compares each row with its own target"
            if facts.targets
            else "needs `y=` and a loss that is known"
        )
    if not probe.baseline_loss:
        return "needs targets that differ"
    return "needs finite predictions on the probe"


def why_no_probe(probe: ProbeFacts) -> str:
    """Return why the model was not looked at, though there were rows."""
    return f"the model could not be run apart from `fit` ({probe.failed})"


def _why_no_loss(facts: RunFacts) -> str:
    """Return why there is no loss to score predictions by; empty if there is one."""
    if facts.loss is not None or facts.own_loss is None:
        return ""
    if facts.own_loss:
        methods = " and ".join(f"`{name}`" for name in facts.own_loss)
        return (
            f"the loss is computed by {methods} of the model's own, not compiled: "
            "there is nothing to score predictions by"
        )
    return "no loss was compiled: there is nothing to score predictions by"
