"""A run as rules look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.overfitting.detect import detect_overfitting
from keras_dlbasic.analysis.overfitting.epoch_rates import epoch_rates
from keras_dlbasic.analysis.overfitting.verdict import OverfittingVerdict
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.curves import Descent, descent_of, penalty_of
from keras_dlbasic.diagnosis.flow import Flow, early_flow
from keras_dlbasic.diagnosis.known_facts import KnownFacts
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.outcome import Outcome, outcome_of
from keras_dlbasic.diagnosis.outputs_apart import OutputRecord
from keras_dlbasic.diagnosis.rates import Movement, movement_of, update_ratio_of
from keras_dlbasic.diagnosis.reasons import Reasons
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.diagnosis.verdict import Verdict
from keras_dlbasic.records import (
    LayerTable,
    OutputFacts,
    TrainingRecord,
)

USUAL_BATCH_SIZE = 32
"""Small batches do best over many tasks, between 2 and 32 (Masters & Luschi 2018)."""

ENOUGH_UPDATES = 300
"""With this many, adaptive optimizers at a rate of 1e-3 move a weight by up to 0.3."""


@names_nearest
class Run(KnownFacts):
    """The run that a rule judges: its record, its facts, and values derived from them.

    A property raises `Skipped` with the reason if the record lacks the data for it, so
    a rule need not check for missing data. Everything works on a saved record, without
    Keras.

    Args:
        record: What was recorded.
        live: Whether the run is still going on. Defaults to `False`.
        planned: Whether training has not started yet. Defaults to `False`.

    Attributes:
        record: The `TrainingRecord`: sampled steps, epochs and tables.
        facts: Facts about the model, the data, the optimizer and the planned run, a
            `RunFacts`. Unknown facts are None.
        live: Whether the run is still going on, so that its result cannot be judged
            yet.
        is_planned: Whether training has not started yet (`preflight`).
        output_name: If the run is judged for one of several outputs: name of the
            output. Else None.
        verdicts: For rules with `last=True`: the results of the other rules by name,
            symptoms with their causes. Empty for the others.

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
        self.verdicts: Mapping[str, Verdict] = {}
        self.output_name: str | None = None
        self._flows: dict[tuple[int, int], Flow | None] = {}

    # -- outputs -----------------------------------------------------------------

    @cached_property
    def outputs_apart(self) -> tuple[Run, ...]:
        """The run as it is for each of several outputs; empty where there is one.

        In each of them `.output`, `.target`, `.loss_kind`, `.task`, `.outcome`,
        `.probed(...)`, `.loss` and `.descent` are about its output alone; layers,
        gradients and inputs are those of the whole model. See
        `@rule(per_output=True)`.
        """
        n = len(self.facts.outputs)
        return tuple(map(self._of_output, range(n))) if n > 1 else ()

    def for_output(self, name: str) -> Run:
        """Return the run as seen by one of several outputs.

        Args:
            name: Name of the output, as in `losses` and logs.

        Raises:
            KeyError: If there is no such output.
        """
        by_name = {run.output_name: run for run in self.outputs_apart}
        if name not in by_name:
            raise KeyError(
                f"The model has no output named {name!r}. Its outputs are: "
                f"{sorted(map(str, by_name)) or 'a single one'}."
            )
        return by_name[name]

    def _of_output(self, index: int) -> Run:
        record = OutputRecord(self.record, index)
        run = Run(record, live=self.live, planned=self.is_planned)
        run.output_name = record.name
        return run

    @property
    def is_trained(self) -> bool:
        """Whether the output has a loss; True for a model with one output."""
        return not isinstance(self.record, OutputRecord) or self.record.is_trained

    @property
    def loss_weight(self) -> float:
        """Factor of the loss of this output in the sum over outputs."""
        record = self.record
        return record.loss_weight if isinstance(record, OutputRecord) else 1.0

    def hidden(self, labels: Sequence[str]) -> list[int]:
        """Return the indices of the labels whose layers are not output layers.

        For a model with one output, the last layer is taken as its output layer.

        Args:
            labels: Labels of layers, from input to output.
        """
        # The layers of the outputs are known by name if there are several. Of one
        # output, the last layer gives it.
        heads = self._heads.intersection(labels) or set(labels[-1:])
        return [place for place, label in enumerate(labels) if label not in heads]

    @cached_property
    def _heads(self) -> set[str | None]:
        """Names of the layers that give one of several outputs."""
        record = self.record
        whole = record.whole if isinstance(record, OutputRecord) else record
        outputs = whole.facts.outputs
        return {output.name for output in outputs} if len(outputs) > 1 else set()

    def moderate_batch_size(self, least: int = 8) -> int:
        """Return a batch size of 32, or less if that would leave too few updates.

        Args:
            least: Minimum batch size. Defaults to `8`.
        """
        epochs, per_epoch = self.facts.epochs, self.facts.steps_per_epoch
        batch = self.facts.batch_size
        # The rows that a run sees are given. A smaller batch makes more updates of
        # them.
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
        if not self.facts.batch_size:
            raise Skipped("the batch size is not known")
        return self.facts.batch_size

    @cached_property
    def loss_kind(self) -> LossKind:
        """What the compiled loss expects: `.name`, `.family` and `.from_logits`.

        The family of a loss that is not known is `"unknown"`.
        """
        return LossKind.of(self.facts.loss)

    @cached_property
    def task(self) -> TaskKind:
        """What the loss and the output make of the target: classes or values.

        Of several outputs that of the first target is meant; see `outputs_apart`.

        A `keras_dlbasic.analysis.TaskKind`, `TaskKind.UNKNOWN` if nothing tells.
        """
        if self.outputs_apart:
            first = self.facts.targets[:1]
            with_it = [run for run in self.outputs_apart if run.facts.targets == first]
            return with_it[0].task if first and with_it else TaskKind.UNKNOWN
        outputs = self.facts.outputs
        output = outputs[0] if outputs else OutputFacts()
        return TaskKind.of(self.loss_kind.family, output.activation, output.units)

    @property
    def compares_class_numbers(self) -> bool:
        """Whether a regression loss compares class numbers with a softmax output."""
        outputs, targets = self.facts.outputs, self.facts.targets
        if len(outputs) != 1 or len(targets) != 1 or self.loss_kind.family != "values":
            return False
        units, target = outputs[0].units or 1, targets[0]
        return bool(
            outputs[0].activation == "softmax"
            and target.kind in ("whole_numbers", "binary")
            and target.n_columns == 1 < units
            and target.max < units
        )

    # -- curves ------------------------------------------------------------------

    def curve(self, name: str) -> np.ndarray:
        """Return a logged value by epoch, `[n_epochs]`; empty if it was not logged.

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
        # a file may hold the validation loss only; it can be judged by itself
        loss = self.loss if len(self.loss) else np.full(len(val), np.nan)
        return detect_overfitting(
            loss,
            val,
            epochs=self.numbers,
            learning_rate=epoch_rates(self.record),
        )

    @cached_property
    def descent(self) -> Descent:
        """What the training loss does: where it begins and ends, falls and oscillates.

        Losses: `.first` (before training, if known), `.last` (median of the last three
        epochs), `.lowest`, `.highest` (with `.highest_step`, an int or None), and
        `.scale`, the loss of a constant prediction if known (`.has_baseline`). Relative
        to `.scale`: `.drop` over the last half of the epochs, `.swing` from
        epoch to epoch. `.falls`: whether the drop is beyond noise. `.n_epochs`: an int.

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
            if name in ("probe", "activations"):
                raise Skipped(self.reasons.probe)
            raise Skipped(f"no {name} was recorded")
        return table

    def probed(self, measure: str) -> np.ndarray:
        """Return a measure of the predictions on the probe, `[n]`.

        Args:
            measure: Its name: `"loss"`, `"skill"`, `"spread"`, ...

        Raises:
            Skipped: If it was not measured.
        """
        table = self.table("probe")
        values = table[measure][:, 0] if measure in table.measures else np.zeros(0)
        if not np.isfinite(values).any():
            raise Skipped(f"the {measure} of the predictions is not known")
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
        """Compare the gradients of the layers in the first sampled steps.

        Args:
            least: Minimum number of usable steps. Defaults to `5`.
            early: Number of usable steps that are compared. Defaults to `64`.

        Returns:
            `.down`: the smallest ratio of a layer's relative gradient to the largest
            among the layers after it, with the label `.down_layer`. `.up`: the largest
            ratio of a layer's relative gradient to that of the last layer, with the
            label `.up_layer`. None if there are too few steps or fewer than two layers
            with kernels.
        """
        if (least, early) not in self._flows:
            flow = early_flow(self.record, self.clean, least=least, early=early)
            self._flows[least, early] = flow
        return self._flows[least, early]

    @property
    def penalty(self) -> float:
        """The weight penalty in the loss at the end of the run; 0 if not known."""
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
    def has_curves_only(self) -> bool:
        """Whether the record has only what a table of epochs contains."""
        record = self.record
        return not (len(record.steps) or record.tables or self.facts.model)

    @property
    def probe_rows(self) -> int | None:
        """Number of probe rows that the model was evaluated on; None if not known.

        Simple baseline predictors use all rows of the probe, `facts.probe.rows`.
        """
        probe = self.facts.probe
        return (probe.looked or probe.rows) if probe else None

    @property
    def reasons(self) -> Reasons:
        """Why something is not known, as text for a `Skipped`."""
        return Reasons(self.facts, self.task, self.output_name)
