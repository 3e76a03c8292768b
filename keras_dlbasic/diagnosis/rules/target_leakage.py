"""Inputs that give the target away."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.records import InputFacts

BLIND = 1e-6
"""A prediction that changes by less does not depend on later steps."""

COPIES = 0.9
"""Skill from which a model copies."""


@rule(kind="cause", needs=("inputs",))
def target_leakage(run: Run, *, change: float = 0.02, copies: float = 0.15) -> Verdict:
    """Look for inputs that reveal the target.

    A column that is correlated with the target may be a good feature; a column that
    equals it up to rounding is a copy. Training and validation are perfect then, but
    the model fails on new rows, for which the target is not known. The same applies if
    a model predicts the next step of a sequence and can see it. To test this, later
    steps are changed: the predictions at earlier steps must not change. A decoder that
    gets the targets themselves, not shifted by a step, is reported too, and so is a
    model that sees no later steps and is to predict the steps of its only input.

    Args:
        run: The run.
        change: Minimum change of a prediction if the step that it predicts is changed,
            in units of the standard deviation over rows.
        copies: The same for a critical finding: the model copies the target.
    """
    probe = run.facts.probe
    answers = probe.response if probe else None
    follows = not run.targets or any(t.copy_of is None for t in run.targets)
    if answers is not None and answers.later_steps > change and follows:
        return _looks_ahead(run, answers.later_steps, (change, copies))
    given = next((t.same_step_of for t in run.targets if t.same_step_of), None)
    by_step = any((output.rank or 0) > 2 for output in run.facts.outputs)
    if given is not None and by_step:
        return _given_away(given)
    copied = next((t.copy_of for t in run.targets if t.copy_of), None)
    is_copied = by_step and (run.outcome.skill or 0.0) >= COPIES
    # a model that shifts its input itself does not see the step
    sees = answers is not None and answers.own_step > copies
    if copied and is_copied and answers and sees and answers.later_steps < BLIND:
        return _not_shifted(run, copied, (answers.own_step, copies))
    for facts in run.inputs:
        if facts.target_column is None:
            continue
        place = facts.target_column
        if len(facts.shape) == 3:
            return _in_window(facts, *divmod(place, facts.shape[2]))
        return Finding(
            severity="warning",
            message=(
                f"Column {place} of input {facts.name!r} is a copy of the target (up "
                "to scale or class numbering), so the model only has to copy it. It "
                "fails if new data lack this column."
            ),
            confidence=0.9,
            evidence={"column": place},
            remedies=(
                suggest.by_hand(
                    f"x = np.delete(x, {place}, axis=1)",
                    "the target is not known for new data",
                ),
            ),
        )
    if numbered := _row_number(run):
        return numbered
    return Fine("no input was found to contain the target")


def _in_window(facts: InputFacts, step: int, feature: int) -> Finding:
    return Finding(
        severity="warning",
        message=(
            f"Step {step} (of 0 to {facts.shape[1] - 1}), feature {feature} of input "
            f"{facts.name!r} is a copy of the target, so the model only has to copy "
            "it. For a forecast, the target must come after the window."
        ),
        confidence=0.9,
        evidence={"step": step, "feature": feature},
        remedies=(
            suggest.by_hand(
                "x, y = windows[:, :-1], windows[:, -1]",
                "the window then ends one step before the target",
            ),
        ),
    )


def _given_away(source: str) -> Finding:
    return Finding(
        severity="warning",
        message=(
            f"Input {source!r} is the target itself, step by step, so the model only "
            "has to copy it. For new data the target is not known. (An autoencoder "
            "does this on purpose.)"
        ),
        confidence=0.85,
        evidence={"input": source},
        remedies=(
            suggest.by_hand(
                "shift the input of the decoder by one step: start token, then "
                "y[:, :-1]",
                "each step is then predicted from the steps before it",
            ),
        ),
    )


def _not_shifted(run: Run, source: str, change: tuple[float, float]) -> Finding:
    kinds = {layer.kind for layer in run.layers}
    is_model_of_steps = bool(kinds & {"recurrent", "attention"})
    # a code for symbols, or a model that restores what is left out
    may_hide = any(
        layer.dropout or layer.noise or layer.kind in ("custom", "foreign")
        for layer in run.layers
    )
    is_plain = is_model_of_steps and not may_hide
    return Finding(
        severity="warning" if is_plain else "info",
        message=(
            f"The target at each step is the same step of input {source!r}. The model "
            "sees this step, uses no later ones, and predicts it nearly without an "
            "error, so it only copies its input. A language model needs the next step "
            "as the target."
        ),
        value=change[0],
        threshold=change[1],
        unit="standard deviations of the predictions",
        confidence=0.9,
        evidence={"input": source},
        remedies=(
            suggest.by_hand(
                "x, y = tokens[:, :-1], tokens[:, 1:]",
                "each step is then predicted from the steps before it",
            ),
        ),
    )


def _row_number(run: Run) -> Finding | None:
    if run.task not in (TaskKind.CLASSES, TaskKind.LABELS):
        return None
    facts = next((f for f in run.inputs if f.row_number is not None), None)
    if facts is None:
        return None
    # two classes are parted by a threshold of any quantity; three blocks are an order
    several = len([share for share in run.target.frequencies or () if share]) > 2
    return Finding(
        severity="warning" if several else "info",
        risk="warning",
        message=(
            f"Column {facts.row_number} of input {facts.name!r} is a row number, and "
            "the rows are sorted by class, so the number reveals the class. It does "
            "not for new data. (Ignore this if the column is a real quantity, such as "
            "a position on a grid.)"
        ),
        confidence=0.7,
        evidence={"column": facts.row_number},
        remedies=(
            suggest.by_hand(
                f"x = np.delete(x, {facts.row_number}, axis=1)",
                "a row number is not a feature of the sample",
            ),
        ),
    )


def _looks_ahead(run: Run, value: float, thresholds: tuple[float, float]) -> Finding:
    source = next((f.next_step_of for f in run.targets if f.next_step_of), "x")
    return Finding(
        severity="critical" if value >= thresholds[1] else "info",
        risk="critical",
        message=(
            f"The target at each step is the next step of input {source!r}, and the "
            "model can see it: changing the following steps changes the prediction by "
            f"{value:.2g} standard deviations. So the model copies the target instead "
            "of predicting it, and fails on new data. (A sequence autoencoder does "
            "this on purpose.)"
        ),
        value=value,
        threshold=thresholds[0],
        unit="standard deviations of the predictions",
        confidence=0.9,
        remedies=(
            suggest.by_hand(
                "pass `use_causal_mask=True` to attention, `padding='causal'` to "
                "convolutions, and use no `Bidirectional` layer",
                "each step then sees only the steps before it",
            ),
        ),
    )
