"""The course of a treatment: short trials, then the training that counts."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic.diagnosis import Diagnosis, Finding, RemedySuggestion
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.inspection import preflight
from keras_dlbasic.records import TrialResult
from keras_dlbasic.records.json_text import json_text
from keras_dlbasic.studies import TrialRunner
from keras_dlbasic.treatment.attempt import Attempt, better_first
from keras_dlbasic.treatment.epoch_costs import (
    range_test_epochs,
    range_test_updates,
    short_epochs,
)
from keras_dlbasic.treatment.judging import (
    CLEAR,
    LEAST_GAIN,
    beyond_us,
    comparable,
    diagnosis_of,
    helped,
    is_clear,
    judge,
    progress,
    score_of,
)
from keras_dlbasic.treatment.plan import (
    NotApplicableError,
    Plan,
    find_learning_rate,
)
from keras_dlbasic.treatment.step_log import StepLog
from keras_dlbasic.treatment.treatment import Treatment
from keras_dlbasic.treatment.trial import (
    TreatmentTask,
    plan_to_json,
    train,
)
from keras_dlbasic.treatment.untried import Untried
from keras_dlbasic.treatment.worth_trying import worth_trying


class Course:
    """A treatment under way: what is tried, what is kept and what it has cost.

    Args:
        task: The model and its data.
        runner: Runs the short trials, and keeps them.
        plan: The training that was asked for.
        budget: What all of it may cost, in multiples of that.
        seeds: Up to this many seeds a trial.
        verbose: Whether to say what is tried.
    """

    def __init__(
        self,
        task: TreatmentTask,
        runner: TrialRunner,
        plan: Plan,
        budget: float,
        seeds: int,
        verbose: int,
    ) -> None:
        self._task, self._runner, self._plan = task, runner, plan
        self._asked, self._budget, self._seeds = plan.epochs, budget, seeds
        self._rows = count_rows(list(task.data))
        self._spent = 0.0  # epochs
        self._paid: set[str] = set()
        self._log = StepLog(verbose)
        self._untried = Untried()

    def run(self) -> Treatment:
        """Try remedies, then train; an interrupt says what was kept so far."""
        try:
            result = self._run()
            self._log.say(f"done; {self._spent:.0f} epochs were trained")
            return result
        except KeyboardInterrupt:
            self._log.interrupted(self._code())
            raise
        finally:
            self._log.close()

    def _code(self) -> str:
        return self._plan.code(
            build=not isinstance(self._task.model, keras.Model),
            validation=self._task.validation_data is not None,
        )

    def _run(self) -> Treatment:
        self._log.say("a short trial of the model as it is")
        untreated = self._trial(self._plan, 0)
        first, first_score = diagnosis_of(untreated), score_of(untreated)
        before = self._preflight()
        # What is known before the first step need not show in a short trial. If that
        # finds nothing, the findings of the preflight are reported.
        if before is not None and not first.at_least("warning"):
            first = Diagnosis(
                [*before.at_least("warning"), *first],
                first.checked_fine,
                first.skipped,
                outcome=first.outcome,
                coverage=first.coverage,
            )
        self._try_all()
        model, values = self._train(self._plan.epochs)
        diagnosis = Diagnosis.from_dict(json.loads(values["diagnosis"]))
        model, values, diagnosis = self._after(model, values, diagnosis)
        return Treatment(
            model=model,
            diagnosis=diagnosis,
            first_diagnosis=first,
            history=tuple(self._log.steps),
            code=self._code(),
            cost=self._spent / self._asked,
            score=float(values["score"]),
            first_score=first_score,
            by_hand=self._untried.by_hand,
        )

    # -- short trials ----------------------------------------------------------------

    def _try_all(self) -> None:
        """Try remedies until nothing is found, or the budget is used up."""
        while self._keeps_another():
            pass

    def _keeps_another(self) -> bool:
        # a remedy that is kept may have done away with more than one finding, or shown
        # another: so the findings are asked for anew after each
        for finding in self._findings():
            for remedy in self._untried.remedies_of(finding, in_short_trial=True):
                if self._can_pay(self._price(remedy)) and self._try(finding, remedy):
                    return True
        return False

    def _findings(self) -> list[Finding]:
        """Return what a short trial may fix, with the plan as it is."""
        trial = self._trial(self._plan, 0)
        return worth_trying(self._preflight(), diagnosis_of(trial), score_of(trial))

    def _try(self, finding: Finding, remedy: RemedySuggestion) -> bool:
        """Try a remedy; keep it, or the next one if that brings more, if it helped."""
        attempt = self._attempt(finding, remedy, self._seeds)
        if attempt is None:
            return False
        if attempt.kept and finding.kind == "cause" and attempt.progress < CLEAR:
            # its cause is gone, which by itself is no proof that it helps
            attempt = self._better(attempt, finding)
        self._log.add_attempt(attempt)
        if attempt.kept:
            self._plan = attempt.plan
            self._untried.was_kept(attempt.remedy)
        return attempt.kept

    def _better(self, first: Attempt, finding: Finding) -> Attempt:
        """Return the better one of an attempt and that with the next remedy."""
        for remedy in self._untried.remedies_of(finding, in_short_trial=True):
            if not self._can_pay(self._price(remedy) + self._short(self._plan)):
                continue
            second = self._attempt(finding, remedy, seeds=1)
            if second is None:
                continue
            better, other = better_first(first, second)
            self._log.add_attempt(other)
            return better
        return first

    def _attempt(
        self, finding: Finding, remedy: RemedySuggestion, seeds: int
    ) -> Attempt | None:
        """Compare short trials with and without a remedy."""
        self._trying(finding, remedy)
        plan = self._changed(finding, remedy)
        if plan is None:
            return None
        gains = []
        for seed in range(seeds):
            old, new = self._trial(self._plan, seed), self._trial(plan, seed)
            if new.status == "failed":
                self._log.add(finding, remedy, note=f"cannot be applied ({new.error})")
                return None
            gains.append(score_of(new) - score_of(old))
            # A second seed costs as much as two short trials, so it is asked only where
            # the first leaves it open, and the budget allows.
            is_open = not is_clear(gains, finding, old, new)
            if not (is_open and self._can_pay(2 * self._short(plan))):
                break
        old, new = self._trial(self._plan, 0), self._trial(plan, 0)
        kept, note = judge(gains, finding, old, new)
        before = score_of(old)
        after = before + float(np.mean(gains))
        return Attempt(
            finding, remedy, plan, before, after, kept, note, progress(old, new)
        )

    def _trying(self, finding: Finding, remedy: RemedySuggestion) -> None:
        """Tell what is tried, and what is spent so far."""
        budget = self._budget * self._asked
        self._log.trying(finding, remedy, spent=self._spent, budget=budget)

    def _changed(self, finding: Finding, remedy: RemedySuggestion) -> Plan | None:
        self._untried.add(remedy)
        try:
            assert remedy.name is not None
            return self._plan.with_remedy(remedy.name, remedy.kwargs, self._find_rate)
        except NotApplicableError as error:
            self._log.add(finding, remedy, note=f"cannot be applied ({error})")
            return None

    def _find_rate(self) -> float | None:
        self._spent += range_test_epochs(self._plan, self._rows)
        model = self._plan.apply(self._task.build(0), *self._task.data, 0)
        steps = range_test_updates(self._plan, self._rows)
        return find_learning_rate(model, *self._task.data, self._plan.batch_size, steps)

    def _price(self, remedy: RemedySuggestion) -> float:
        """Return the epochs that a short trial of a remedy takes."""
        return self._range_price(remedy) + self._short(self._plan)

    def _range_price(self, remedy: RemedySuggestion) -> float:
        """Return the epochs that a range test takes if the remedy asks for one."""
        spec = REMEDIES.get(remedy.name or "")
        if spec is None or "find_rate" not in spec.needs:
            return 0.0
        return range_test_epochs(self._plan, self._rows)

    def _trial(self, plan: Plan, seed: int) -> TrialResult:
        epochs = self._short(plan)
        settings = {"plan": plan_to_json(plan), "seed": seed, "epochs": epochs}
        result = self._runner.run([settings])[0]
        key = json_text(settings, sort_keys=True)
        if key not in self._paid:
            self._paid.add(key)
            self._spent += float(result.values.get("epochs", 0))
        return result

    def _short(self, plan: Plan) -> int:
        return short_epochs(plan, self._rows)

    def _can_pay(self, epochs: float) -> bool:
        """Return whether the budget has these epochs besides those of the last fit."""
        return epochs + self._plan.epochs <= self._left()

    def _left(self) -> float:
        """Return the epochs that may still be spent."""
        return self._budget * self._asked - self._spent

    def _preflight(self) -> Diagnosis | None:
        try:
            model = self._plan.apply(self._task.build(0), *self._task.data, 0)
            return preflight(
                model,
                *self._task.data,
                validation_data=self._task.validation_data,
                batch_size=self._plan.batch_size,
                epochs=self._plan.epochs,
                rules=self._task.rules,
            )
        except ValueError:
            return None

    # -- the training that counts ------------------------------------------------------

    def _train(self, epochs: int) -> tuple[Any, dict[str, Any]]:
        self._log.say(f"training for {epochs} epochs")
        model, values = train(self._plan, self._task, 0, epochs, whole=True)
        self._spent += values["epochs"]
        return model, values

    def _after(
        self, model: Any, values: dict[str, Any], diagnosis: Diagnosis
    ) -> tuple[Any, dict[str, Any], Diagnosis]:
        """Try what only a whole training shows, as far as the budget goes."""
        passed_over = beyond_us(diagnosis)
        for finding in diagnosis.at_least("warning"):
            if finding.name in passed_over:
                continue
            for remedy in self._untried.remedies_of(finding):
                price = self._range_price(remedy)
                if not self._plan.epochs_within(self._left() - price):
                    continue
                self._trying(finding, remedy)
                plan = self._changed(finding, remedy)
                epochs = 0 if plan is None else plan.epochs_within(self._left())
                if plan is None or not epochs:
                    continue
                # The whole training goes by the changed plan. If the remedy did not
                # help, the former plan comes back, and so does the former model.
                before, self._plan = self._plan, plan
                try:
                    new_model, new = self._train(epochs)
                except ValueError as error:
                    self._plan = before
                    self._log.add(finding, remedy, note=f"cannot be applied ({error})")
                    continue
                judged = Diagnosis.from_dict(json.loads(new["diagnosis"]))
                gain = comparable(new["score"]) - comparable(values["score"])
                kept, note = helped([gain], finding, diagnosis, judged)
                if epochs < plan.epochs:  # a finding may be gone for that alone
                    kept = gain > LEAST_GAIN
                    note = f"skill {gain:+.3f}, in {epochs} of {plan.epochs} epochs"
                self._log.add(
                    finding, remedy, values["score"], new["score"], kept, note
                )
                if kept:
                    return self._after(new_model, new, judged)
                self._plan = before
        return model, values, diagnosis
