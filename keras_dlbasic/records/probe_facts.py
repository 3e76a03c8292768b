"""What a model and its loss make of the rows on which the model is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records.json_facts import UNKNOWN, Facts


@dataclass(frozen=True, eq=False, repr=False)
class TruthFacts(Facts):
    """What a loss gives for answers of which it is known how right they are.

    Attributes:
        truth: Loss where the output gives the targets themselves.
        constant: The lowest loss of a constant prediction of that form.
        edge: The lower loss of the smallest and of the largest target as a constant
            prediction.
        shuffled: Loss where each row is given the target of another.
        opposite: Loss where the output gives 1 less the targets; NaN if targets are
            not from 0 to 1.
        hardened: Loss where the output gives shares of 0 and 1 only, the nearest to the
            targets; NaN if these are 0 and 1 themselves.
        moved: How much the loss of one answer changes where all targets become it.
        tenfold: Loss where the output gives ten times the targets (or their logits, if
            these are the form of the output that costs least). NaN for class numbers,
            and for outputs that are limited, as are those of a sigmoid.
        hundredfold: The same for a hundred times the targets.
        falling: Share of the rows whose loss falls below zero from one to the other and
            in proportion.
        one_hot_truth: For class numbers that the loss does not compare with the column
            of their class: loss where the output gives their one-hot vectors and the
            targets are these vectors, too. NaN for others.
        one_hot_constant: The lowest loss of a constant prediction for these targets.
        one_hot_shuffled: Loss where each row is given the vector of another.
    """

    truth: float = UNKNOWN
    constant: float = UNKNOWN
    edge: float = UNKNOWN
    shuffled: float = UNKNOWN
    opposite: float = UNKNOWN
    hardened: float = UNKNOWN
    moved: float = UNKNOWN
    tenfold: float = UNKNOWN
    hundredfold: float = UNKNOWN
    falling: float = UNKNOWN
    one_hot_truth: float = UNKNOWN
    one_hot_constant: float = UNKNOWN
    one_hot_shuffled: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class BeyondFacts(Facts):
    """What a loss gives for probabilities whose targets are not all from 0 to 1.

    Attributes:
        outside: Share of the targets outside of 0 and 1.
        tenth: Loss where the output is as close to the targets as 0.1 and 0.9 allow.
        hundredth: The same for 0.01 and 0.99.
        thousandth: The same for 0.001 and 0.999.
        compares: Whether the loss of targets 0 is lowest for outputs of 0, and that of
            targets 1 for outputs of 1, as in a cross-entropy.
    """

    outside: float = UNKNOWN
    tenth: float = UNKNOWN
    hundredth: float = UNKNOWN
    thousandth: float = UNKNOWN
    compares: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class OutsideFacts(Facts):
    """What a custom loss asks for beyond the range of the output's activation.

    Attributes:
        share: Share of the rows for which the loss is lowest there.
        answer: Median of what it is lowest for in these rows.
        within: Mean over all rows of the lowest loss within the range.
        loss: Mean of the lowest loss, within the range or beyond.
    """

    share: float = UNKNOWN
    answer: float = UNKNOWN
    within: float = UNKNOWN
    loss: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class CategoryFacts(Facts):
    """Columns of few values that tell more as categories than as numbers.

    Attributes:
        columns: Their places.
        as_numbers: Skill of simple predictors of the columns as they are, on unseen
            rows.
        as_categories: The same of a linear one with a column for each value.
    """

    columns: tuple[int, ...] = ()
    as_numbers: float = UNKNOWN
    as_categories: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class UndefinedFacts(Facts):
    """Rows whose loss is NaN or infinite whatever is predicted.

    Attributes:
        rows: Number of such rows.
        of: Number of rows whose loss was evaluated.
        example: The target of one of them, its first values.
    """

    rows: int = 0
    of: int = 0
    example: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class PairedFacts(Facts):
    """What a loss that is not known gives for predictions in and out of their places.

    Attributes:
        loss: Loss of the predictions.
        dealt: Loss where each row is given the prediction of another.
        error: Standard error of the difference.
        by_row: Whether the loss of some rows is the same whatever others are with them.
        reads_targets: Whether it changes where all rows get the target of one.
        makes_table: Whether predictions that differ may be exchanged, though the loss
            changes where the targets get the shape of the output: it compares all
            targets with all outputs.
    """

    loss: float = UNKNOWN
    dealt: float = UNKNOWN
    error: float = UNKNOWN
    by_row: bool = False
    reads_targets: bool = False
    makes_table: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class TwinFacts(Facts):
    """What a model of pairs gives for two inputs that are the same.

    Attributes:
        same: Its output for them: 0 for a distance, 1 for a likeness.
        loss_of_0: Loss of this output for the label 0.
        loss_of_1: Loss of this output for the label 1.
        nearer: Share of pairs, one of label 1 and one of label 0, in which the inputs
            of the first are nearer to each other than those of the second.
        told: Share in which the output of the first is nearer to that of the same
            inputs.
        rows_of_0: Number of pairs with label 0.
        rows_of_1: Number of pairs with label 1.
    """

    same: float = UNKNOWN
    loss_of_0: float = UNKNOWN
    loss_of_1: float = UNKNOWN
    nearer: float = UNKNOWN
    told: float = UNKNOWN
    rows_of_0: int = 0
    rows_of_1: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class DriftFacts(Facts):
    """How the moving statistics of a normalization compare with what it is given.

    Attributes:
        layer: Label of the layer.
        mean: Distance of the means, root mean square over channels, in standard
            deviations of the moving statistics. NaN if not known.
        variance: Variance of what it is given over the moving variance, geometric mean
            over channels. NaN if not known.
    """

    layer: str = ""
    mean: float = UNKNOWN
    variance: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class AttentionFacts(Facts):
    """How a softmax within a model deals out its weights on some rows.

    Attributes:
        layer: Label of the layer that computes it; empty if not known.
        entries: Mean number of entries that are not masked.
        spread: Standard deviation of the scores that it is given, mean over its rows.
        decided: Share of its rows in which one entry has more than 0.9 of the weight.
        is_new: Whether all biases of the layer (of the model, if it has none) are 0 or
            1, as those of new weights are.
        is_attention: Whether its scores are those of queries and keys.
    """

    layer: str = ""
    entries: float = UNKNOWN
    spread: float = UNKNOWN
    decided: float = UNKNOWN
    is_new: bool = False
    is_attention: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class InferenceFacts(Facts):
    """What a model gives as `evaluate` and `predict` run it, with moving statistics.

    Attributes:
        loss: Loss on the probe, without penalties. NaN if not known.
        skill: Skill of the predictions, as in the table `"probe"`. NaN if not known.
        drifts: The layers that use moving statistics, in the order in which they ran.
    """

    loss: float = UNKNOWN
    skill: float = UNKNOWN
    drifts: tuple[DriftFacts, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class ResponseFacts(Facts):
    """How predictions answer to changes of the inputs, as `predict` runs the model.

    Changes are root mean squares in standard deviations of the predictions over rows.
    They are NaN where they are not known.

    Attributes:
        noise: Change from one run to the next on the same rows.
        dropping: Label of a layer of Keras' that drops units in inference; None if
            there is none. The layer of this package that is made for it does not count.
        loss: Loss on the probe, if there is such a layer.
        loss_without: Loss on the probe with dropout off, likewise.
        skill: Skill on the probe, likewise.
        skill_without: Skill on the probe with dropout off, likewise.
        normalizing: Label of a batch normalization that is called with `training=True`
            in inference; None if there is none.
        other_rows: Change where the other rows of the batch are changed.
        order: Change where the steps of the sequences come in another order.
        later_steps: Change at earlier steps where later steps are changed, of the input
            of which the target is the next step.
        own_step: Change at the first step that is changed itself.
        spread: Deviation of the predictions over rows, as a share of their root mean
            square.
        not_needed: Whether it was left out as the model does well.
    """

    noise: float = UNKNOWN
    dropping: str | None = None
    loss: float = UNKNOWN
    loss_without: float = UNKNOWN
    skill: float = UNKNOWN
    skill_without: float = UNKNOWN
    normalizing: str | None = None
    other_rows: float = UNKNOWN
    order: float = UNKNOWN
    later_steps: float = UNKNOWN
    own_step: float = UNKNOWN
    spread: float = UNKNOWN
    not_needed: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class NarrowFacts(Facts):
    """What is lost of the targets in a dense layer of few units that all signals pass.

    Attributes:
        layer: Label of the layer.
        units: Number of its units.
        given: The best skill of simple predictors on unseen rows from what the first
            such layer is given, at the end of the run.
        passed: The same from what this layer gives.
    """

    layer: str = ""
    units: int = 0
    given: float = UNKNOWN
    passed: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class OffsetFacts(Facts):
    """What a constant at the output would save at the end of a run.

    It is asked of models without any bias, and of those whose values are worse than a
    constant prediction.

    Attributes:
        loss: Loss on some rows at the end of the run.
        moved: Loss on them with the best constant added to what the activation of the
            output is given.
        has_bias: Whether something in the model adds a constant.
        shift: That constant for values, the mean over the columns.
    """

    loss: float = UNKNOWN
    moved: float = UNKNOWN
    has_bias: bool = False
    shift: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class HeldFacts(Facts):
    """A column of predictions that are exactly 0 where a loss asks for less.

    Attributes:
        column: Its number.
        share: Share of the rows that are at 0, and whose loss is lower below it.
        loss: Loss on some rows at the end of the run.
        below: The same if all predictions at 0 in that column were a little below.
    """

    column: int = 0
    share: float = UNKNOWN
    loss: float = UNKNOWN
    below: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class ConstraintFacts(Facts):
    """Where a few gradient steps from the final weights lead.

    Attributes:
        layer: Label of the first layer whose kernel is constrained.
        kind: Class name of its constraint.
        loss: Loss on some rows at the end of the run.
        held: Lowest loss on this path with all constraints.
        free: The same without them.
    """

    layer: str = ""
    kind: str = ""
    loss: float = UNKNOWN
    held: float = UNKNOWN
    free: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class ColumnFacts(Facts):
    """How a model did at the end of the run on one of several columns of values.

    Attributes:
        std: Standard deviation of the targets.
        skill: Skill of the predictions.
        reference: The better skill of simple predictors on unseen rows. NaN if not
            known, as for columns that the model predicts well.
    """

    std: float = UNKNOWN
    skill: float = UNKNOWN
    reference: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class RareFacts(Facts):
    """A rare class of which the model had few rows right at the end of the run.

    Attributes:
        label: Its number.
        rows: How many of its rows were tried, if none was right; else 0.
        ratio: How many times as many rows the most common class has.
        right: Share of its rows that are predicted correctly.
        rank: Share of pairs, of a row of this class and another row, in which the first
            has the higher score for the class: 1 if the scores separate the class.
    """

    label: int = 0
    rows: int = 0
    ratio: float = UNKNOWN
    right: float = 0.0
    rank: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class DenseFacts(Facts):
    """What simple predictors find in inputs each place of which has a target.

    Attributes:
        rows: Number of rows.
        places: How many of their places were compared.
        axes: Along how many axes places are counted: 1 for steps, 2 for pixels.
        found: Correlation of predictions and targets on rows that they were not fitted
            to, after the usual target of each place is taken off: 0 if inputs tell
            nothing. Of several columns the largest.
        error: Its standard error over the rows.
        restored_by: Another way of pairing inputs and targets by which clearly more is
            found; None if there is none, or none was tried.
        restored: The correlation by it.
    """

    rows: int = 0
    places: int = 0
    axes: int = 0
    found: float = UNKNOWN
    error: float = UNKNOWN
    restored_by: str | None = None
    restored: float = UNKNOWN


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class ProbeFacts(Facts):
    """Facts about the probe: the rows on which a model is evaluated during training.

    For a model with several outputs, `outputs` has the facts of each. The baseline is
    then that of the weighted sum of their losses, and there is no single skill.

    Attributes:
        rows: Number of rows; None if not known.
        looked: Number of rows in the last evaluation of the model, see the measure
            `"rows"` of the table `"probe"`; None if it always runs on all.
        baseline_loss: Loss of the best constant prediction; None if not known.
        baseline_failed: The error that prevented computing the baseline; None if there
            was none.
        scored_as: The task for scoring the predictions, a value of `analysis.TaskKind`.
        no_skill: Why the skill cannot be computed; empty if it can, None if not known.
        references: Skill of simple baseline predictors by name; None if not known.
        masked_reference: The better skill of these predictors if they are given the
            steps that the model's mask leaves, one after the other; None without a
            mask, or if it is not known.
        by_position: Skill of the mean target of each position, for targets that are
            images; None for others.
        dense: What simple predictors find where each place of an input has a target;
            None for others, or if it is not known.
        truth: Value of a custom loss, or of a custom `compute_loss` without a compiled
            loss, if the predictions are the targets themselves; None if the output
            cannot have these values, or the loss is Keras' own.
        outside: What a custom loss asks for that the activation of the output cannot
            give; None if nothing.
        beyond: Value of a custom loss of probabilities for targets that are not all
            from 0 to 1; None if they are, or for other outputs and losses.
        reads_targets: Whether a custom loss depends on its targets; None if not known,
            or if the loss is Keras' own.
        failed: Why the model could not be evaluated; None if it could.
        eager: Why the model ran without compilation, which takes longer; None if it was
            compiled.
        loss_weight: Factor of the loss in the sum over outputs; None for a single
            output.
        inference: Results at the end of the run with the moving statistics of batch
            normalization; None if the model has none, or it was not tested.
        rare: A rare class that is never predicted, found on additional rows because the
            probe has too few of that class. None if there is none, or it was not
            tested.
        columns: How the model did on each of several columns of values; None if it does
            well on those of a small scale, scales are alike, or it was not tested.
        response: How predictions reacted to changed inputs at the end of the run; None
            if it was not tested.
        categories: Columns that tell far more as categories; None if there are none,
            or not known.
        constraint: What constraints of weights keep the model from; None if it has
            none, if it does well, or if it was not measured.
        narrow: What is lost in a layer of few units; None if there is none, if the
            model does well, or if it was not measured.
        offset: What a constant at the output would save; None if the model has biases,
            or it is not known.
        paired: Value of a custom loss at the end of the run if predictions are shuffled
            among the rows; None if it was not tested, or is not known.
        twins: What a model of pairs gave at the end of the run for inputs that are the
            same; None for other models, or if it was not tested.
        explained: Share of the variance of the targets that the predictions explain at
            the end of the run, if a custom `train_step` was seen to subtract the
            outputs of all rows from the target of each (`RunFacts.short_side`). NaN if
            it is not known, as always for other runs.
        spread_kept: Deviation of these predictions as a share of that of the targets.
        flat_rows: Share of the rows whose custom loss does not change with a small
            change of the prediction at the end of the run, though it could be clearly
            lower. NaN if not known.
        held: Predictions of a custom loss at the end of the run that are exactly 0 and
            should be below; None if there are none, or it is not known.
        undefined: Rows whose loss is not finite whatever is predicted; None if there
            are none, or the run was finite, so that they were not looked for.
        added_at_start: Sum of the `add_loss` terms before training; None if there are
            none, or it is not known.
        added_at_end: The same at the end of the run.
        added_in_halves: Sum of these terms at the end for each half of the rows, both
            together: that for all rows if terms are sums over rows, and twice as much
            if they are means.
        activity_at_start: What the penalties of activations add to the loss before
            training; None if there are none, or it is not known.
        activity_at_end: The same at the end of the run.
        attention_at_start: How each softmax within the model dealt out its weights
            before training; None if it was not measured then.
        attention_at_end: The same at the end of the run.
        outputs: The same facts for each output, in the order of `ModelFacts.outputs`;
            None for a single output.

    Example:
    >>> from keras_dlbasic.records import ProbeFacts
    >>> probe = ProbeFacts(rows=256, baseline_loss=2.3, references={"linear": 0.8})
    >>> probe.references["linear"]
    0.8
    """

    rows: int | None = None
    looked: int | None = None
    baseline_loss: float | None = None
    baseline_failed: str | None = None
    scored_as: str | None = None
    no_skill: str | None = None
    references: Mapping[str, float] | None = None
    masked_reference: float | None = None
    by_position: float | None = None
    dense: DenseFacts | None = None
    truth: TruthFacts | None = None
    beyond: BeyondFacts | None = None
    outside: OutsideFacts | None = None
    reads_targets: bool | None = None
    failed: str | None = None
    eager: str | None = None
    loss_weight: float | None = None
    inference: InferenceFacts | None = None
    rare: RareFacts | None = None
    columns: tuple[ColumnFacts, ...] | None = None
    response: ResponseFacts | None = None
    categories: CategoryFacts | None = None
    narrow: NarrowFacts | None = None
    constraint: ConstraintFacts | None = None
    offset: OffsetFacts | None = None
    paired: PairedFacts | None = None
    twins: TwinFacts | None = None
    explained: float = UNKNOWN
    spread_kept: float = UNKNOWN
    flat_rows: float = UNKNOWN
    held: HeldFacts | None = None
    undefined: UndefinedFacts | None = None
    added_at_start: float | None = None
    added_at_end: float | None = None
    added_in_halves: float | None = None
    activity_at_start: float | None = None
    activity_at_end: float | None = None
    attention_at_start: tuple[AttentionFacts, ...] | None = None
    attention_at_end: tuple[AttentionFacts, ...] | None = None
    outputs: tuple[ProbeFacts, ...] | None = None
