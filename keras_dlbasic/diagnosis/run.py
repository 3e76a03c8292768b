"""A run as rules look at it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from keras_dlbasic.analysis.overfitting.detect import detect_overfitting
from keras_dlbasic.analysis.overfitting.verdict import OverfittingVerdict
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.curves import Descent, descent_of, penalty_of
from keras_dlbasic.diagnosis.flow import Flow, early_flow
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.outcome import Outcome, outcome_of
from keras_dlbasic.diagnosis.rates import Movement, movement_of, update_ratio_of
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.records import LayerTable, TrainingRecord

USUAL_BATCH_SIZE = 32
"""Small batches do best over many tasks, between 2 and 32 (Masters & Luschi 2018)."""

ENOUGH_UPDATES = 300
"""With so many, adaptive optimizers at a rate of 1e-3 move a weight by up to 0.3."""

UNKNOWN_LOSS = (
    "the loss is not known (of your own, or none), so whether the targets are classes "
    "is not known"
)

UNKNOWN_VALIDATION = (
    "the validation data are not known; give `TrainingDoctor` or `preflight` "
    "`validation_data=(x, y)`, arrays"
)


class Run:
    """What rules may ask of a run: its record, its facts, and what follows from them.

    A question that the record has no answer to raises `Skipped` with the reason, so a
    rule need not check for what is missing. Nothing here knows Keras; all of it can be
    told from a saved record.

    Args:
        record: What was recorded.
        live: Whether the run goes on. Defaults to `False`.
        planned: Whether nothing was trained yet. Defaults to `False`.

    Attributes:
        record: The `TrainingRecord`: sampled steps, epochs and tables.
        facts: The facts of the record, a dictionary: what is known of the model, the
            data, the optimizer and the planned run. A name may be missing.
        live: Whether the run goes on, so that what it comes to cannot be judged yet.
        is_planned: Whether nothing was trained yet (`preflight`).

    Example:
    >>> from keras_dlbasic.diagnosis import Run
    >>> from keras_dlbasic.records import TrainingRecord
    >>> run = Run(TrainingRecord.from_history({"loss": [0.9, 0.6, 0.5]}))
    >>> run.descent.last
    0.6
    >>> run.steps
    Traceback (most recent call last):
    keras_dlbasic.diagnosis.skipped.Skipped: no gradients were recorded
    """

    def __init__(
        self, record: TrainingRecord, *, live: bool = False, planned: bool = False
    ) -> None:
        self.record = record
        self.facts = record.facts
        self.live = live
        self.is_planned = planned

    # -- facts -------------------------------------------------------------------

    def fact(self, name: str, why: str | None = None) -> Any:
        """Return a fact that is a dictionary or a list.

        Args:
            name: Its name in `facts`, such as `"network"`.
            why: The reason to give if it is not known. Defaults to None: one that says
                how to have it recorded.

        Raises:
            Skipped: If it is not known.
        """
        value = self.facts.get(name)
        if value is None or not isinstance(value, (dict, list)):
            raise Skipped(why or _WHY.get(name, f"`{name}` is not known"))
        return value

    @property
    def layers(self) -> list[dict[str, Any]]:
        """Facts of the layers, from input to output.

        Each is a dictionary with `"label"`, `"class_name"`, `"trainable"`,
        `"normalizes"` and, where there is such a thing, `"activation"`, `"units"`,
        `"gain"` (deviation of the kernel times the root of its fan-in), `"fan_in"`,
        `"fan_out"`, `"penalty"`, `"dropout"`.

        Raises:
            Skipped: If nothing is known of the model.
        """
        return list(self.fact("network")["layers"])

    def moderate_batch_size(self, least: int = 8) -> int:
        """Return a batch size of 32, or less if that would leave too few updates.

        Args:
            least: Never less than that. Defaults to `8`.
        """
        epochs, per_epoch = self.facts.get("epochs"), self.facts.get("steps_per_epoch")
        batch = self.facts.get("batch_size")
        size = USUAL_BATCH_SIZE
        if epochs and per_epoch and batch:
            while size > least and epochs * per_epoch * batch < ENOUGH_UPDATES * size:
                size //= 2
        return size

    @property
    def batch_size(self) -> int:
        """Number of rows in a batch.

        Raises:
            Skipped: If it is not known.
        """
        size = self.facts.get("batch_size")
        if not size:
            raise Skipped("the batch size is not known")
        return int(size)

    @cached_property
    def loss_kind(self) -> LossKind:
        """What the compiled loss expects: `.name`, `.family` and `.from_logits`.

        The family of a loss that is not known is `"unknown"`.
        """
        return LossKind.of(self.facts.get("loss"))

    @cached_property
    def task(self) -> TaskKind:
        """What the loss and the output make of the first target: classes or values.

        A `keras_dlbasic.analysis.TaskKind`, `TaskKind.UNKNOWN` if nothing tells.
        """
        loss, data = self.facts.get("loss"), self.facts.get("data") or {}
        if isinstance(loss, dict) and "class_name" not in loss:
            targets = data.get("targets") or [{}]
            loss = loss.get(targets[0].get("name")) if len(loss) > 1 else loss
        elif isinstance(loss, list) and loss:
            loss = loss[0]
        outputs = (self.facts.get("network") or {}).get("outputs") or []
        output = outputs[0] if len(outputs) == 1 else {}
        family = LossKind.of(loss).family
        return TaskKind.of(family, output.get("activation"), output.get("units"))

    @property
    def compares_class_numbers(self) -> bool:
        """Whether a loss of values compares class numbers with shares of a softmax."""
        outputs = (self.facts.get("network") or {}).get("outputs") or []
        targets = (self.facts.get("data") or {}).get("targets") or []
        if len(outputs) != 1 or len(targets) != 1 or self.loss_kind.family != "values":
            return False
        units, target = outputs[0].get("units") or 1, targets[0]
        return bool(
            outputs[0].get("activation") == "softmax"
            and target.get("kind") in ("whole_numbers", "binary")
            and target.get("n_columns", 1) == 1 < units
            and target["max"] < units
        )

    @property
    def output(self) -> dict[str, Any]:
        """Facts of the only output: `"name"`, `"activation"`, `"units"`, `"rank"`.

        Raises:
            Skipped: If there are several, or it is not known.
        """
        outputs = self.fact("network").get("outputs") or []
        if len(outputs) != 1:
            raise Skipped(f"the model has {len(outputs)} known outputs; needs one")
        return dict(outputs[0])

    @property
    def targets(self) -> dict[str, Any]:
        """Facts of the only target: `"kind"`, `"min"`, `"max"`, `"std"`, ...

        Raises:
            Skipped: If there are several or none.
        """
        targets = self.fact("data").get("targets") or []
        if len(targets) != 1 or "kind" not in targets[0]:
            raise Skipped("needs one array of targets, `y=`")
        return dict(targets[0])

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Facts of the inputs that have numbers: `"rms"`, `"offset"`, ...

        Raises:
            Skipped: If there are none.
        """
        inputs = [i for i in self.fact("data").get("inputs") or [] if "dtype" in i]
        if not inputs:
            raise Skipped("needs the inputs, `x=`")
        return inputs

    @property
    def validation(self) -> dict[str, Any]:
        """Facts of the validation data: `"n_rows"` and how they compare with training.

        Raises:
            Skipped: If they are not known.
        """
        validation = self.fact("data").get("validation")
        if not validation:
            raise Skipped(UNKNOWN_VALIDATION)
        return dict(validation)

    @property
    def optimizer(self) -> dict[str, Any]:
        """The optimizer's configuration; empty if not known."""
        found = self.facts.get("optimizer")
        return found if isinstance(found, dict) else {}

    # -- curves ------------------------------------------------------------------

    def curve(self, name: str) -> np.ndarray:
        """Return a log by epoch, `[n_epochs]`; empty if there is none.

        Args:
            name: Its name in the logs, such as `"val_accuracy"`.
        """
        return self.record.epochs.get(name, np.zeros(0))

    @property
    def loss(self) -> np.ndarray:
        """The training loss by epoch, `[n_epochs]`; empty if it was not logged."""
        return self.curve("loss")

    @property
    def val_loss(self) -> np.ndarray:
        """The validation loss by epoch, `[n_epochs]`; empty if it was not logged."""
        return self.curve("val_loss")

    @cached_property
    def numbers(self) -> np.ndarray:
        """The numbers of the epochs, `[n_epochs]`, 0-based."""
        return self.record.epochs["epoch"]

    @cached_property
    def overfitting(self) -> OverfittingVerdict:
        """The verdict of `analysis.detect_overfitting` on the curves.

        `.detected`, `.onset` (0-based epoch), `.rise`, `.confidence`, `.reason`.

        Raises:
            Skipped: If no finite `val_loss` was logged.
        """
        val = self.val_loss
        if not np.isfinite(val).any():
            if len(val):
                raise Skipped("`val_loss` is not finite in any epoch")
            raise Skipped("no `val_loss` was logged")
        loss = self.loss if len(self.loss) else np.full(len(val), np.nan)
        return detect_overfitting(loss, val, epochs=self.numbers)

    @cached_property
    def descent(self) -> Descent:
        """What the training loss does: where it begins and ends, falls and swings.

        Losses: `.first` (before training, if known), `.last` (median of the last three
        epochs), `.lowest`, `.highest` (with `.highest_step`, an int or None), and
        `.scale`, the loss of a constant prediction if known (`.has_baseline`). Relative
        to `.scale`: `.drop` over the last half of the epochs, `.swing` around its
        course. `.falls`: whether the drop is beyond noise. `.n_epochs`: an int.

        Raises:
            Skipped: If no finite training loss was logged.
        """
        return descent_of(self.record, self.outcome.baseline)

    # -- measurements ------------------------------------------------------------

    def table(self, name: str) -> LayerTable:
        """Return a table of the record.

        Args:
            name: Its name, such as `"probe"` or `"activations"`.

        Raises:
            Skipped: If it has no row.
        """
        table = self.record.tables.get(name)
        if table is None or not len(table):
            raise Skipped(_WHY.get(name, f"no table of {name} was recorded"))
        return table

    def probed(self, measure: str) -> np.ndarray:
        """Return a measure of the predictions on the probe, `[n]`.

        Args:
            measure: Its name: `"loss"`, `"score"`, `"spread"`, ...

        Raises:
            Skipped: If none was taken.
        """
        table = self.table("probe")
        values = table[measure][:, 0] if measure in table.measures else np.zeros(0)
        if not np.isfinite(values).any():
            raise Skipped(f"the {measure} on the probe is not known")
        return values

    @property
    def steps(self) -> np.ndarray:
        """The sampled steps, `[n]`, 0-based.

        Raises:
            Skipped: If there is none.
        """
        if not len(self.record.steps):
            raise Skipped("no gradients were recorded")
        return self.record.steps

    @cached_property
    def clean(self) -> np.ndarray:
        """Which sampled steps have finite gradients and were not skipped, `[n]`."""
        rows: np.ndarray = (self.record.non_finite.sum(axis=1) == 0) & (
            ~self.record.skipped
        )
        return rows

    @cached_property
    def update_ratio(self) -> np.ndarray:
        """Size of the update over that of the weights, over all kernels, `[n]`.

        NaN where the update was skipped; empty without kernels.
        """
        return update_ratio_of(self.record)

    @cached_property
    def movement(self) -> Movement:
        """How far and how fast the weights move.

        `.ratio`, the median update-to-weight ratio of a step, and `.first`, the largest
        in the first ten sampled steps; `.path`, how far the weights can have moved at
        most, in units of their norm; `.growth` of their norm; `.steps`, an int.

        Raises:
            Skipped: If no updates of kernels were recorded.
        """
        self.steps  # noqa: B018 - raises without any
        return movement_of(self.record)

    def early_flow(self, *, least: int = 5, early: int = 64) -> Flow | None:
        """Compare the gradients of layers with each other, in the first sampled steps.

        Args:
            least: Number of usable steps that are needed. Defaults to `5`.
            early: Number of usable steps that are looked at. Defaults to `64`.

        Returns:
            `.down`, the smallest ratio of a layer's gradient, relative to its weights,
            to the largest behind it, and `.up`, the largest to that of the last layer,
            with the labels `.down_layer` and `.up_layer`. None if there are too few
            steps or fewer than two layers with kernels.
        """
        return early_flow(self.record, self.clean, least=least, early=early)

    @property
    def penalty(self) -> float:
        """The weight penalty on the loss at the end, 0 if it is not known."""
        return penalty_of(self.record)

    @cached_property
    def outcome(self) -> Outcome:
        """What the run came to, against a constant prediction.

        `.learned`: True, False, or None where that is unclear. `.is_known`: whether
        there is anything to judge by. Numbers, None where not known: `.skill` (see
        `analysis.skill`) and `.reference`, that of the better simple predictor; `.loss`
        at the end, `.baseline`, that of a constant prediction, and `.loss_saved`, the
        share of the baseline that is saved, with its `.loss_saved_error`.
        """
        return outcome_of(self.record)

    @property
    def why_no_skill(self) -> str:
        """Why the skill of the predictions is not known."""
        probe = self.facts.get("probe")
        if probe and self.task is TaskKind.UNKNOWN:
            return "needs a loss that is known, to tell classes from values"
        if probe and (probe.get("rows") or 0) < 20:
            return "needs 20 rows of data"
        if not probe or "failed" in probe:
            return self.why_unknown
        if probe.get("no_skill"):
            return f"there is no skill: {probe['no_skill']}"
        return "needs one output, finite predictions and targets that fit them"

    @property
    def why_unknown(self) -> str:
        """Why what the run came to is not known."""
        probe = self.facts.get("probe")
        if not probe:
            return "needs `x=` and `y=`"
        if "failed" in probe:
            return f"needs a probe that does not fail ({probe['failed']})"
        if probe.get("baseline_loss") is None:
            return "needs `y=` and a loss that is known"
        if not probe["baseline_loss"]:
            return "needs targets that differ"
        return "needs finite predictions on the probe"


_WHY = {
    "network": "the model is not known; watch the run with `TrainingDoctor`",
    "data": "the data are not known; give `TrainingDoctor` `x=` and `y=`",
    "probe": "no probe of the data; give `TrainingDoctor` `x=` and `y=`",
    "activations": "no activations; give `TrainingDoctor` `x=`",
}
