"""Why something is not known of a run: what was not given, or what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic.analysis.row_order import MIN_BATCHES
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.frozen_judge import has_frozen_judge, has_judge
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.records import RunFacts

UNKNOWN_LOSS = "the loss is not known (a custom loss, or none)"

OWN_LOSS = "a custom loss does not say what the correct output is"

MIN_ROWS = 20
"""With fewer rows simple predictors tell nothing."""


@dataclass(frozen=True)
class Reasons:
    """Reasons for which a question about a run has no answer.

    Each is a clause without a full stop. None asks for what was given: a user who gave
    `x=` is told what was wrong with it.

    Attributes:
        facts: What is known of the run.
        task: What the predictions are.
        output_name: Of one of several outputs that is asked about, its name.
    """

    facts: RunFacts
    task: TaskKind = TaskKind.UNKNOWN
    output_name: str | None = None

    def gave(self, name: str) -> bool:
        """Return whether the user gave something, by its name in `RunFacts.given`."""
        if self.facts.given is not None:
            return name in self.facts.given
        data = self.facts.data  # a record of an earlier version
        if data is None or data.source == "first batches":
            return False
        known = {"x": data.inputs, "y": data.targets}
        known["validation_data"] = (data.validation,) if data.validation else ()
        return bool(known.get(name))

    @property
    def network(self) -> str:
        """Why the model is not known."""
        if self.facts.given is not None:
            return "the model was not built before the first step"
        if self.facts.data is not None or self.facts.probe is not None:
            return "the model is not known"
        return "the model is not known; watch the run with `TrainingDoctor`"

    @property
    def data(self) -> str:
        """Why nothing is known of the data."""
        if self.gave("x"):
            if self.facts.model is None and self.facts.given is not None:
                return self.network
            return "the data that were given could not be read"
        if self.facts.given is not None:
            return "no batches could be kept for inspection; give `x=` and `y=`"
        return "the data are not known; give `TrainingDoctor` `x=` and `y=`"

    @property
    def inputs(self) -> str:
        """Why no array of inputs is known."""
        if self.facts.data is None:
            return self.data
        return "the inputs are not arrays of numbers"

    @property
    def targets(self) -> str:
        """Why the targets, or the only target, are not known."""
        if self.facts.data is None:
            return self.data
        n = len(self.facts.targets)
        if n > 1:
            return f"there are {n} arrays of targets, and this check needs one"
        if not n and self.gave("y") and self.output_name is not None:
            return "which of the targets belong to this output is not known"
        if n or self.gave("y"):
            return "the targets are not an array of numbers"
        if self.gave("x"):
            return "no targets were given; give `y=`"
        return "the batches have no targets"

    @property
    def batches(self) -> str:
        """Why batches do not tell of the order or the weights of rows."""
        batches = None if self.facts.data is None else self.facts.data.batches
        if batches is None:
            if self.facts.given is not None:
                return "no batches of `fit` were read"
            return "no batches were read; this check needs a record of `fit`"
        n = batches.n_batches or 0
        if n < MIN_BATCHES:
            return f"{n} batches were read, and this check needs {MIN_BATCHES}"
        return "the targets are all the same, or have more than one value per row"

    @property
    def output(self) -> str:
        """Why the only output is not known."""
        n = len(self.facts.outputs)
        if n > 1:
            return f"the model has {n} outputs, and this check needs one"
        return "the outputs of the model could not be determined"

    @property
    def validation(self) -> str:
        """Why nothing is known of the validation data."""
        if self.gave("validation_set"):
            return (
                "no batches of the validation data could be compared with training "
                "rows; give both as arrays, `validation_data=(x, y)`"
            )
        if self.gave("validation_data"):
            if self.gave("x"):
                return "the validation data could not be compared with `x`"
            return "validation data are compared with `x`, which was not given"
        what = "`validation_data=(x, y)`"
        if not self.gave("x"):
            what = f"`x=`, `y=` and {what}"
        return (
            f"the validation data are not known; give `TrainingDoctor` or `preflight` "
            f"{what} as arrays"
        )

    @property
    def probe(self) -> str:
        """Why the model was not run on rows of the data."""
        probe = self.facts.probe
        if probe is not None and probe.failed is not None:
            return f"the model could not be run on rows of the data ({probe.failed})"
        if self.facts.data is None:
            return self.data
        if any(facts.non_finite for facts in self.facts.inputs):
            return "the inputs have NaN or infinity, so the model was not run on them"
        return "the model was not run on rows of the data"

    @property
    def _no_answers(self) -> str | None:
        """Why predictions and targets are not compared; None if they are."""
        data, probe = self.facts.data, self.facts.probe
        if data is not None and data.one_sided:
            return data.one_sided
        if probe is None or probe.failed is not None:
            return self.probe
        return self.targets if data is not None and not data.targets else None

    @property
    def outcome(self) -> str:
        """Why the predictions are not compared with a constant prediction."""
        # Reasons come in the order in which judging fails: no answers to compare with,
        # rows that do not count alike, a loss that fails on a constant prediction.
        if (why := self._no_answers) is not None:
            return why
        if self._weights is not None:
            return self._weights
        if has_judge(self.facts):
            judge = (
                "frozen layers"
                if has_frozen_judge(self.facts)
                else "the layers of another model"
            )
            return (
                f"{judge} make the output and all targets are the same, as in "
                "adversarial training, so a constant prediction is no baseline"
            )
        probe = self.facts.probe
        assert probe is not None  # else there are no answers
        if probe.baseline_failed and self.facts.loss is not None:
            failed = probe.baseline_failed
            return f"the loss failed on a constant prediction ({failed})"
        if probe.baseline_loss is None:
            return self._no_baseline
        if not probe.baseline_loss:
            return (
                "the loss of a constant prediction is 0: the targets are all the same"
            )
        return "the predictions on the probe are not finite"

    @property
    def skill(self) -> str:
        """Why the skill of the model or of simple predictors is not known."""
        if (why := self._no_answers) is not None:
            return why
        probe = self.facts.probe
        assert probe is not None  # else there are no answers
        if self._weights is not None:
            return self._weights
        if self.task is TaskKind.UNKNOWN:
            return self._no_baseline
        if (probe.rows or 0) < MIN_ROWS:
            return (
                f"the data have {probe.rows or 0} rows, and this check needs {MIN_ROWS}"
            )
        if probe.no_skill:
            return f"there is no skill: {probe.no_skill}"
        if len(self.facts.targets) > 1 or len(self.facts.outputs) > 1:
            return "there are several outputs, and skill is defined for one"
        if not probe.references and probe.dense is not None:
            return "simple predictors of places are no measure of this model"
        if not probe.references:
            return "no simple predictor can be fitted to such inputs"
        return "the predictions on the probe are not finite or do not fit the targets"

    @property
    def _weights(self) -> str | None:
        """Why rows of different weights are not judged; None if they are."""
        weights = self.facts.data.weights if self.facts.data else ()
        if not any(one.is_uneven for one in weights):
            return None
        return "rows have very different sample weights, which this check ignores"

    @property
    def _no_baseline(self) -> str:
        if LossKind.of(self.facts.loss).family == "unknown":
            loss = self.facts.loss
            is_one = isinstance(loss, dict) and "class_name" in loss
            if isinstance(loss, (dict, list, tuple)) and not is_one:
                return "there are several losses, and this check needs one"
            if is_one and loss.get("own"):
                return f"{OWN_LOSS} (`{loss['class_name']}`)"
            return self._own_loss or UNKNOWN_LOSS
        if not self.task.is_known:
            return "loss and output do not show what the predictions mean"
        return "the loss of a constant prediction could not be computed"

    @property
    def _own_loss(self) -> str:
        """Say where the model computes its loss itself; empty if it does not."""
        if self.facts.loss is not None or not self.facts.own_loss:
            return ""
        methods = " and ".join(f"`{name}`" for name in self.facts.own_loss)
        return f"the model computes its loss in {methods}, without a compiled loss"
