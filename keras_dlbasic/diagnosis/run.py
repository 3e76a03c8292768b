"""A run as rules look at it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from keras_dlbasic.analysis.overfitting.detect import detect_overfitting
from keras_dlbasic.analysis.overfitting.verdict import OverfittingVerdict
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.outcome import Outcome, outcome_of
from keras_dlbasic.diagnosis.rule import Skipped
from keras_dlbasic.records import LayerTable, TrainingRecord

USUAL_BATCH_SIZE = 32
"""Small batches do best over many tasks, between 2 and 32 (Masters & Luschi 2018)."""

ENOUGH_UPDATES = 300
"""With so many, adaptive optimizers at a rate of 1e-3 move a weight by up to 0.3."""

UNKNOWN_LOSS = (
    "the loss is not known (of your own, or none), so whether the targets are classes "
    "is not known"
)


class Run:
    """A record with its facts, and what several rules ask of them.

    Nothing here knows Keras; all of it can be told from a saved record.

    Args:
        record: What was recorded.
        live: Whether the run goes on.
        planned: Whether nothing was trained yet.
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
        """Return a fact.

        Raises:
            Skipped: If it is not known.
        """
        value = self.facts.get(name)
        if value is None or not isinstance(value, (dict, list)):
            raise Skipped(why or _WHY.get(name, f"`{name}` is not known"))
        return value

    @property
    def layers(self) -> list[dict[str, Any]]:
        """What is known of the layers.

        Raises:
            Skipped: If nothing is.
        """
        return list(self.fact("network")["layers"])

    def moderate_batch_size(self, least: int = 8) -> int:
        """Return a batch size of 32, or less if that would leave too few updates.

        Args:
            least: Never less than that.
        """
        epochs, per_epoch = self.facts.get("epochs"), self.facts.get("steps_per_epoch")
        batch = self.facts.get("batch_size")
        size = USUAL_BATCH_SIZE
        if epochs and per_epoch and batch:
            while size > least and epochs * per_epoch * batch < ENOUGH_UPDATES * size:
                size //= 2
        return size

    @cached_property
    def loss_kind(self) -> LossKind:
        """What the compiled loss expects."""
        return LossKind.of(self.facts.get("loss"))

    @cached_property
    def task(self) -> TaskKind:
        """What the loss and the output make of the first target."""
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
        """The only output.

        Raises:
            Skipped: If there are several, or it is not known.
        """
        outputs = self.fact("network").get("outputs") or []
        if len(outputs) != 1:
            raise Skipped(f"the model has {len(outputs)} known outputs; needs one")
        return dict(outputs[0])

    @property
    def targets(self) -> dict[str, Any]:
        """Facts of the only target.

        Raises:
            Skipped: If there are several or none.
        """
        targets = self.fact("data").get("targets") or []
        if len(targets) != 1 or "kind" not in targets[0]:
            raise Skipped("needs one array of targets, `y=`")
        return dict(targets[0])

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Facts of the inputs that have numbers.

        Raises:
            Skipped: If there are none.
        """
        inputs = [i for i in self.fact("data").get("inputs") or [] if "dtype" in i]
        if not inputs:
            raise Skipped("needs the inputs, `x=`")
        return inputs

    @property
    def optimizer(self) -> dict[str, Any]:
        """The optimizer's configuration; empty if not known."""
        found = self.facts.get("optimizer")
        return found if isinstance(found, dict) else {}

    # -- curves ------------------------------------------------------------------

    def curve(self, name: str) -> np.ndarray:
        """Return the logs of an epoch; empty if there are none."""
        return self.record.epochs.get(name, np.zeros(0))

    @property
    def loss(self) -> np.ndarray:
        """The training loss by epoch; empty if it was not logged."""
        return self.curve("loss")

    @property
    def val_loss(self) -> np.ndarray:
        """The validation loss by epoch; empty if it was not logged."""
        return self.curve("val_loss")

    @cached_property
    def numbers(self) -> np.ndarray:
        """The numbers of the epochs."""
        return self.record.epochs["epoch"]

    @cached_property
    def overfitting(self) -> OverfittingVerdict:
        """The verdict on the curves.

        Raises:
            Skipped: If there is no validation.
        """
        val = self.val_loss
        if not np.isfinite(val).any():
            if len(val):
                raise Skipped("`val_loss` is not finite in any epoch")
            raise Skipped("no `val_loss` was logged")
        loss = self.loss if len(self.loss) else np.full(len(val), np.nan)
        return detect_overfitting(loss, val, epochs=self.numbers)

    # -- measurements ------------------------------------------------------------

    def table(self, name: str) -> LayerTable:
        """Return a table of the record.

        Raises:
            Skipped: If it has no row.
        """
        table = self.record.tables.get(name)
        if table is None or not len(table):
            raise Skipped(_WHY.get(name, f"no table of {name} was recorded"))
        return table

    def probed(self, measure: str) -> np.ndarray:
        """Return a measure of the predictions on the probe, `[n]`.

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
        """The sampled steps.

        Raises:
            Skipped: If there is none.
        """
        if not len(self.record.steps):
            raise Skipped("no gradients were recorded")
        return self.record.steps

    @cached_property
    def clean(self) -> np.ndarray:
        """Which sampled steps have finite gradients and were not skipped."""
        rows: np.ndarray = (self.record.non_finite.sum(axis=1) == 0) & (
            ~self.record.skipped
        )
        return rows

    @cached_property
    def update_ratio(self) -> np.ndarray:
        """Size of the update over that of the weights, over all kernels, `[n]`."""
        kernels = [len(v.shape) > 1 for v in self.record.variables]
        if not any(kernels):
            return np.zeros(0)
        with np.errstate(all="ignore"):
            updates = self.record.update_norm[:, kernels].astype(np.float64)
            weights = self.record.weight_norm[:, kernels].astype(np.float64)
            updates = np.where(np.isfinite(updates), updates, 0.0)
            total = np.sqrt((weights**2).sum(axis=1))
            ratio: np.ndarray = np.sqrt((updates**2).sum(axis=1)) / total
        ratio[self.record.skipped] = np.nan
        return ratio

    @cached_property
    def outcome(self) -> Outcome:
        """What the run came to."""
        return outcome_of(self.record)

    @property
    def why_no_score(self) -> str:
        """Why the predictions have no score."""
        probe = self.facts.get("probe")
        if probe and self.task is TaskKind.UNKNOWN:
            return "needs a loss that is known, to tell classes from values"
        if probe and (probe.get("rows") or 0) < 20:
            return "needs 20 rows of data"
        if not probe or "failed" in probe:
            return self.why_unknown
        return "needs one output, and targets that fit it and differ"

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
