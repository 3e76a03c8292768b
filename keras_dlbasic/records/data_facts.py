"""Facts about the data of a fit."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records.json_facts import UNKNOWN, Facts


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class InputFacts(Facts):
    """Facts about an array of inputs. Unknown numbers are NaN.

    Attributes:
        name: Its name.
        shape: Its shape, samples first.
        dtype: Name of its dtype; None if not known.
        is_integer: Whether its dtype is integer or bool; values may be categories.
        n_rows: Number of samples; None if not known.
        non_finite: Number of NaN or infinite entries among those read.
        non_finite_rows: Number of samples with such entries among those read.
        mean: Mean of all entries.
        std: Standard deviation of all entries.
        min: Smallest entry.
        max: Largest entry.
        rms: Root of the mean square of all entries.
        typical: The 90th percentile of the absolute entries.
        placeholder: A number such as -999 that seems to mark missing values; None if
            there is none.
        placeholder_share: Share of the entries that equal this number.
        offset: Median over features of `|mean| / std`.
        scale_ratio: Largest root mean square of a feature over the median one.
        odd_rows: How large a few rows are beside all others if there are none in
            between, which were then scaled otherwise; 1 if there are none.
        odd_rows_share: Their share.
        n_features: Number of features; None if not known.
        constant_features: Number of features with the same value in all samples; None
            if not known.
        is_constant: Whether all samples are equal; None if not known.
        is_ids: Whether they are ids (row numbers of an embedding), so that their scale
            has no meaning.
        vocabulary: Number of rows of the embedding that they are passed to; None if
            there is none, or it is not known.
        beyond_vocabulary: Number of samples with ids that are out of range for it.
        not_whole: Share of the entries that are no whole numbers, and which that
            embedding cuts.
        padding: Mean share of padding at the end of sequences.
        mask_value: The value of steps that the model masks; None if it masks none.
        masked_inside: Share of steps with a mask between the first and the last step
            without; NaN if the model makes no mask.
        target_column: Index of a column that equals the target, perhaps rescaled or
            recoded; None if there is none, or it is not known.
        row_number: Index of a column that numbers the rows and so reveals their class;
            None if there is none, or it is not known.
        wrapped: Share of neighboring pixels between which bytes begin again at 0, as
            after an overflow; NaN for inputs that are no pictures of bytes.
        wrapped_angle: Whether those bytes may be an angle, such as hue or phase.
        former_shape: Shape of a row before a reshape exchanged its axes, as far as its
            entries tell; None if there was none, or it is not known.

    Example:
    >>> from keras_dlbasic.records import InputFacts
    >>> InputFacts("x", (100, 4), "float32", n_rows=100, rms=250.0).rms  # not scaled
    250.0
    """

    name: str = ""
    shape: tuple[int, ...] = ()
    dtype: str | None = None
    is_integer: bool = False
    n_rows: int | None = None
    non_finite: int = 0
    non_finite_rows: int = 0
    mean: float = UNKNOWN
    std: float = UNKNOWN
    min: float = UNKNOWN
    max: float = UNKNOWN
    rms: float = UNKNOWN
    typical: float = UNKNOWN
    placeholder: float | None = None
    placeholder_share: float = 0.0
    offset: float = UNKNOWN
    scale_ratio: float = UNKNOWN
    odd_rows: float = UNKNOWN
    odd_rows_share: float = 0.0
    n_features: int | None = None
    constant_features: int | None = None
    is_constant: bool | None = None
    is_ids: bool = False
    vocabulary: int | None = None
    beyond_vocabulary: int = 0
    not_whole: float = 0.0
    padding: float = UNKNOWN
    mask_value: float | None = None
    masked_inside: float = UNKNOWN
    target_column: int | None = None
    row_number: int | None = None
    former_shape: tuple[int, ...] | None = None
    wrapped: float = UNKNOWN
    wrapped_angle: bool = False

    @property
    def has_numbers(self) -> bool:
        """Whether there are finite numbers, so that mean and deviation are known."""
        return self.rms == self.rms


@dataclass(frozen=True, eq=False, repr=False)
class WindowFacts(Facts):
    """What windows of a series tell of targets, alone and with the steps before.

    The rows are windows in the order of time. Linear predictors were fitted to the
    first rows and scored on the last ones.

    Attributes:
        steps: Number of steps of a window.
        earlier: Number of steps before it that the second predictor was given besides.
        alone: Skill of the predictor that is given the window.
        longer: Skill of the predictor that is given the earlier steps too.
        error: Standard error of the difference.
    """

    steps: int = 0
    earlier: int = 0
    alone: float = UNKNOWN
    longer: float = UNKNOWN
    error: float = UNKNOWN


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class OutOfStepFacts(Facts):
    """The order of targets in which simple predictors learn from the inputs.

    Attributes:
        order: What the targets of other rows are: `"the next row"`, `"the row before"`,
            `"the last row first"` or `"file names sorted as text"`.
        found: Skill with the own targets of rows, on unseen rows.
        restored: The same with targets in that order.
    """

    order: str = ""
    found: float = UNKNOWN
    restored: float = UNKNOWN


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class TargetFacts(Facts):
    """Facts about the targets of an output. Unknown numbers are NaN.

    Attributes:
        name: Their name.
        shape: Their shape, samples first; None if not known.
        dtype: Name of their dtype; None if not known.
        n_rows: Number of samples; None if not known.
        non_finite: Number of entries that are NaN or infinite.
        kind: `"binary"` (0 and 1 only), `"one_hot"`, `"multi_label"` (several columns
            of 0 and 1), `"probabilities"` (rows that sum up to one), `"whole_numbers"`
            or `"continuous"`; None if not known.
        frequencies: Share of each class, or of the positives in each column; None if
            there are no classes.
        is_whole: Whether all are whole numbers; None if not known.
        distinct: The whole numbers that occur, if there are at most 1000; else None.
        max_per_row: Maximum number of ones per row for multi-label targets; None if not
            known.
        mean: Mean of all entries.
        std: Root mean square of the standard deviations of the columns.
        rms: Root of the mean square of all entries.
        min: Smallest entry.
        max: Largest entry.
        n_columns: Number of columns.
        constant_columns: Number of columns with the same value in all rows; None if not
            known.
        is_constant: Whether all rows are equal.
        commonest: Share of the most common row.
        row_sum_error: Mean distance of the row sums from 1; NaN with one column.
        next_step_of: Name of the input sequence whose next step is the target at each
            step; None if there is none.
        same_step_of: Name of one of several input sequences that has the targets
            themselves at each step; None if there is none.
        copy_of: Name of the only input, a sequence of ids, if the targets are its own
            steps; None if they are not.
        one_entry: Whether each row of three or more columns has one number that is not
            zero, which are in all columns; None if not known.
        padded: Share of the entries that are at padding of the input and all equal; NaN
            if not known.
        share_axes: For targets with three or more axes: the axes along which entries
            always sum to 1, counted from the end. None if there are fewer axes, or if
            not known.
        window: What longer windows would tell of the targets; None if rows are no
            windows of a series in the order of time, or it is not known.
        last_value: Skill of the last value of a series in the input as a forecast of
            the targets; NaN if not known.
        far_share: Share of the values of the only column that are more than
            `target_facts.FAR` robust standard deviations from the median.
        far_part: Their share of the variance.
        out_of_step: In which other order of the targets simple predictors learn far
            more; None if in none, or not known.

    Example:
    >>> from keras_dlbasic.records import TargetFacts
    >>> target = TargetFacts("y", (8,), kind="binary", frequencies=(0.75, 0.25))
    >>> max(target.frequencies)  # accuracy of always predicting class 0
    0.75
    """

    name: str = ""
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    n_rows: int | None = None
    non_finite: int = 0
    kind: str | None = None
    frequencies: tuple[float, ...] | None = None
    is_whole: bool | None = None
    distinct: tuple[int, ...] | None = None
    max_per_row: int | None = None
    mean: float = UNKNOWN
    std: float = UNKNOWN
    rms: float = UNKNOWN
    min: float = UNKNOWN
    max: float = UNKNOWN
    n_columns: int = 1
    constant_columns: int | None = None
    is_constant: bool = False
    commonest: float = UNKNOWN
    far_share: float = 0.0
    far_part: float = 0.0
    row_sum_error: float = UNKNOWN
    share_axes: tuple[int, ...] | None = None
    next_step_of: str | None = None
    same_step_of: str | None = None
    padded: float = UNKNOWN
    copy_of: str | None = None
    one_entry: bool | None = None
    window: WindowFacts | None = None
    last_value: float = UNKNOWN
    out_of_step: OutOfStepFacts | None = None

    @property
    def has_several_labels(self) -> bool:
        """Whether a row can have more than one column of 1."""
        # older records do not tell: then columns that do not exclude each other count
        return self.kind == "multi_label" and self.max_per_row not in (0, 1)


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class ValidationFacts(Facts):
    """Comparison of validation data with training data. Unknown numbers are NaN.

    Attributes:
        n_rows: Number of validation rows; None if not known.
        overlap: Share of the validation rows that are also training rows; an estimate
            if only a sample of rows was compared.
        repeats: Share of the training rows that occur more than once in training; an
            estimate if only a sample of rows was compared.
        distinct_rows: Number of different training rows; None if not known.
        compared_rows: Number of training rows that were compared, a random sample if
            not all; None if none were.
        compared_with: Number of validation rows that they were compared with.
        equal_rows: Number of these that equal one of the compared training rows. This
            is counted, not estimated. None if not known.
        repeats_by_nature: Whether rows have so few possible values (a few categories or
            whole numbers) that some are equal by chance; None if not known.
        blank: Share of the validation rows whose entries are all equal.
        near_copies: Share of the compared validation rows that are nearly equal to a
            training row with the same target.
        shared_pieces: Share of the compared validation windows that share steps with a
            training window.
        non_finite: Number of NaN or infinite entries in the inputs.
        scale: Root mean square of the inputs divided by that in training.
        shift: Distance between the means in units of the training standard deviation.
        missing_classes: Training classes that are missing in validation; None if not
            known.
        new_classes: Validation classes that are missing in training; None if not known.
        n_classes: Number of classes in training; None if not known.
        reference_skill: Skill of a simple baseline predictor on training rows that it
            was not fitted to, see `analysis.skill`.
        transfer_skill: Skill of the same predictor on validation rows.
        transfer_error: Standard error of their difference.
        restored_by: The mistake in the validation data whose correction restores the
            skill, such as `"transposition"`, `"scaling"` or `"class numbers"`. None if
            no correction that was tried did, or none was tried.
        targets_outside: Share of the validation targets that are smaller or larger than
            all training targets; of several columns the median.

    Example:
    >>> from keras_dlbasic.records import ValidationFacts
    >>> ValidationFacts(n_rows=100, overlap=0.2).overlap  # a fifth are training rows
    0.2
    """

    n_rows: int | None = None
    overlap: float = UNKNOWN
    repeats: float = UNKNOWN
    distinct_rows: int | None = None
    compared_rows: int | None = None
    compared_with: int | None = None
    equal_rows: int | None = None
    repeats_by_nature: bool | None = None
    blank: float = UNKNOWN
    near_copies: float = UNKNOWN
    shared_pieces: float = UNKNOWN
    non_finite: int = 0
    scale: float = UNKNOWN
    shift: float = UNKNOWN
    missing_classes: tuple[int, ...] | None = None
    new_classes: tuple[int, ...] | None = None
    n_classes: int | None = None
    reference_skill: float = UNKNOWN
    transfer_skill: float = UNKNOWN
    transfer_error: float = UNKNOWN
    restored_by: str | None = None
    targets_outside: float = UNKNOWN


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class BatchFacts(Facts):
    """Facts about the batches of the first epoch, as far as they were read.

    The order of the rows is judged if there is one array of targets with one target per
    row. Unknown numbers are NaN.

    Attributes:
        n_batches: Number of batches read; None if not known.
        n_rows: Number of rows read from them; None if not known.
        classes: The classes in each batch, at most ten per batch; None if the targets
            are neither whole numbers nor one-hot rows.
        classes_per_batch: Mean number of different classes in a batch.
        expected_classes: Its expected value if the rows were shuffled.
        class_chance: Base-10 logarithm of an upper bound on the probability that
            shuffled rows give batches with as few classes.
        within: Share of the variance of the targets' ranks that lies within batches.
        expected_within: Its expected value if the rows were shuffled.
        value_chance: Base-10 logarithm of the probability that shuffled rows give
            batches whose targets are as similar.
        compared: Number of batches whose inputs were compared; None if not known.
        different: Number of these that differ from all earlier ones.

    Example:
    >>> from keras_dlbasic.records import BatchFacts
    >>> facts = BatchFacts(n_batches=10, compared=10, different=1)
    >>> facts.different / facts.compared  # the same batch ten times
    0.1
    """

    n_batches: int | None = None
    n_rows: int | None = None
    classes: tuple[tuple[int, ...], ...] | None = None
    classes_per_batch: float = UNKNOWN
    expected_classes: float = UNKNOWN
    class_chance: float = UNKNOWN
    within: float = UNKNOWN
    expected_within: float = UNKNOWN
    value_chance: float = UNKNOWN
    compared: int | None = None
    different: int | None = None


UNEVEN = 1.5
"""Weights that differ by this factor move the best constant prediction."""

LEFT_OUT = 0.05


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class WeightFacts(Facts):
    """Facts about the sample weights of the batches that were read.

    Keras converts class weights to sample weights, so they are included.

    Attributes:
        name: Name of the weights; that of the output if each output has its own.
        n_weights: Number of weights read; None if not known.
        per_row: Whether there is one weight for each row.
        zeros: Share of zero weights. NaN if not known.
        min: Smallest weight. NaN if not known.
        max: Largest weight. NaN if not known.
        by_class: Mean weight of the rows of each class, in the order of `classes`; None
            if there are no classes, or more than a thousand.
        counts: Number of rows read of each class.
        classes: The class numbers.
        padding: If each step of a sequence has a weight: the share of steps that are
            padding (zeros in the inputs). NaN if not known.
        on_padding: Share of the total weight that is on padding. NaN if not known.

    Example:
    >>> from keras_dlbasic.records import WeightFacts
    >>> WeightFacts(n_weights=4, zeros=0.5, min=0.0, max=2.0).zeros
    0.5
    """

    name: str = ""
    n_weights: int | None = None
    per_row: bool = True
    zeros: float = UNKNOWN
    min: float = UNKNOWN
    max: float = UNKNOWN
    by_class: tuple[float, ...] | None = None
    counts: tuple[int, ...] | None = None
    classes: tuple[int, ...] | None = None
    padding: float = UNKNOWN
    on_padding: float = UNKNOWN

    @property
    def is_uneven(self) -> bool:
        """Whether the weighted loss can differ a lot from the unweighted mean loss.

        Then a constant prediction that is best without weights is no baseline for the
        model.
        """
        if self.leaves_out:
            return True
        means = [mean for mean in self.by_class or () if mean > 0]
        low, high = (min(means), max(means)) if means else (self.min, self.max)
        return high > UNEVEN * low

    @property
    def leaves_out(self) -> bool:
        """Whether many weights are zero, as for padding."""
        return self.zeros > LEFT_OUT

    @property
    def weighted_shares(self) -> tuple[float, ...] | None:
        """Share of each class in the total weight; None if not known."""
        if not self.by_class or not self.counts:
            return None
        parts = [
            weight * count
            for weight, count in zip(self.by_class, self.counts, strict=True)
        ]
        total = sum(parts)
        return tuple(part / total for part in parts) if total > 0 else None


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class DataFacts(Facts):
    """Facts about the data of a fit.

    Attributes:
        source: `"given"` (passed by the user) or `"first batches"` (read during the
            first epoch); None if not known.
        inputs: The arrays of inputs.
        targets: The arrays of targets, one per output.
        n_rows: Number of training rows; None if not known.
        validation: Comparison of the validation data with the training data; None if
            not known.
        held_out: Number of rows, at the end of the given ones, that `fit` held out by
            `validation_split`. They only count as validation. None if there are none,
            or if that is not known.
        one_sided: Why the rows that were read may not be representative; None if there
            is no sign of that.
        batches: Facts about the batches; None if none was read.
        weights: Facts about sample weights, one per output that has some.

    Example:
    >>> from keras_dlbasic.records import DataFacts
    >>> data = DataFacts.from_dict({"n_rows": 60, "targets": [{"kind": "binary"}]})
    >>> data.targets[0].kind
    'binary'
    """

    source: str | None = None
    inputs: tuple[InputFacts, ...] = ()
    targets: tuple[TargetFacts, ...] = ()
    n_rows: int | None = None
    validation: ValidationFacts | None = None
    held_out: int | None = None
    one_sided: str | None = None
    batches: BatchFacts | None = None
    weights: tuple[WeightFacts, ...] = ()
