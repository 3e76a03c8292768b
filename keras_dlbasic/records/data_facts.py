"""What is known of the data of a fit."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic.records.json_facts import UNKNOWN, Facts


@dataclass(frozen=True, eq=False, repr=False)
class InputFacts(Facts):
    """What is known of an array of inputs. Numbers are NaN if they are not known.

    Attributes:
        name: What it is called.
        shape: Its shape, samples first.
        dtype: Name of its dtype; None if not known.
        is_integer: Whether it holds whole numbers, which may be codes.
        n_rows: Number of samples; None if not known.
        non_finite: Number of entries that are NaN or infinite, of those looked at.
        non_finite_rows: Number of samples with such entries, of those looked at.
        mean: Mean of all entries.
        std: Standard deviation of all entries.
        min: Smallest entry.
        max: Largest entry.
        rms: Root of the mean square of all entries.
        typical: Size below which nine in ten entries are.
        placeholder: A number such as -999 that seems to stand for missing values; None
            if there is none.
        placeholder_share: Share of the entries that are this number.
        offset: Median over features of `|mean| / std`.
        scale_ratio: Largest root mean square of a feature over the median one.
        n_features: Number of features; None if not known.
        constant_features: Number of features that are the same for all samples; None
            if not known.
        is_constant: Whether all samples are alike; None if not known.
        is_ids: Whether they are numbers of rows in an embedding, whose size means
            nothing.
        vocabulary: Number of rows of the embedding that takes them as they are; None if
            there is none, or it is not known.
        beyond_vocabulary: Number of samples with ids that have no row there.
        padding: Mean share of steps at the end of sequences that are padding.
        target_column: Place of a column that is the target, scaled or renamed; None if
            there is none, or it is not known.
        row_number: Place of a column that numbers the rows and tells their class; None
            if there is none, or it is not known.
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
    n_features: int | None = None
    constant_features: int | None = None
    is_constant: bool | None = None
    is_ids: bool = False
    vocabulary: int | None = None
    beyond_vocabulary: int = 0
    padding: float = UNKNOWN
    target_column: int | None = None
    row_number: int | None = None

    @property
    def has_numbers(self) -> bool:
        """Whether there are finite numbers, so that the moments are known."""
        return self.rms == self.rms


@dataclass(frozen=True, eq=False, repr=False)
class TargetFacts(Facts):
    """What is known of the targets of an output. Numbers are NaN if not known.

    Attributes:
        name: What they are called.
        shape: Their shape, samples first; None if not known.
        dtype: Name of their dtype; None if not known.
        n_rows: Number of samples; None if not known.
        non_finite: Number of entries that are NaN or infinite.
        kind: `"binary"` (0 and 1 only), `"one_hot"`, `"multi_label"` (several columns
            of 0 and 1), `"probabilities"` (rows that sum up to one), `"whole_numbers"`
            or `"continuous"`; None if not known.
        frequencies: Shares of the classes, or of the positives in each column; None if
            there are none.
        is_whole: Whether all are whole numbers; None if not known.
        distinct: The whole numbers that occur, if they are 1000 at most; else None.
        max_per_row: Most columns of 1 in a row of several labels; None if not known.
        mean: Mean of all entries.
        std: Root mean square of the standard deviations of the columns.
        rms: Root of the mean square of all entries.
        min: Smallest entry.
        max: Largest entry.
        n_columns: Number of columns of one answer.
        constant_columns: Number of columns that are the same in all rows; None if not
            known.
        is_constant: Whether all rows are alike.
        commonest: Share of the commonest row.
        row_sum_error: Mean distance of the sums of rows from 1; NaN with one column.
        next_step_of: Name of the input whose next step they are at each step; None if
            there is none.
        padded: Share of their entries where the input has padding and they are all the
            same; NaN if that is not known.
        share_axes: Axes of targets with three or more along which entries add up to 1
            everywhere, counted from the end; None if there are fewer, or not known.
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
    row_sum_error: float = UNKNOWN
    share_axes: tuple[int, ...] | None = None
    next_step_of: str | None = None
    padded: float = UNKNOWN

    @property
    def has_several_labels(self) -> bool:
        """Whether more than one column can be 1 in a row."""
        # older records do not tell: then columns that do not exclude each other count
        return self.kind == "multi_label" and self.max_per_row not in (0, 1)


@dataclass(frozen=True, eq=False, repr=False)
class ValidationFacts(Facts):
    """How validation data stand to training data. Numbers are NaN if not known.

    Attributes:
        n_rows: Number of validation rows; None if not known.
        overlap: Share of the validation rows that are training rows too; an estimate
            where rows were drawn.
        repeats: Share of the training rows that occur more than once in training; an
            estimate where rows were drawn.
        distinct_rows: Number of different training rows; None if not known.
        compared_rows: How many training rows were compared, drawn at random if they are
            not all; None if none were.
        compared_with: How many validation rows they were compared with.
        equal_rows: How many of these are the same as one of the training rows that were
            compared: what was really seen, and nothing estimated. None if not known.
        repeats_by_nature: Whether rows are so coarse (a few categories or whole
            numbers) that some are the same by chance; None if not known.
        blank: Share of the validation rows whose entries are all the same.
        near_copies: Share of the validation rows that are next to the same as a
            training row with the same answer, of those looked at.
        shared_pieces: Share of the validation windows that hold steps of a training
            window, of those looked at.
        non_finite: Number of input entries that are NaN or infinite.
        scale: Root mean square of the inputs over that in training.
        shift: Distance of the means in training standard deviations.
        missing_classes: Classes of training that validation lacks; None if not known.
        new_classes: Classes of validation that training lacks; None if not known.
        n_classes: Number of classes in training; None if not known.
        reference_skill: Skill of a simple predictor on training rows that it has not
            seen, see `analysis.skill`.
        transfer_skill: Skill of the same on validation rows.
        transfer_error: Standard error of their difference.
        restored_by: What makes both alike if it is undone in the validation rows, such
            as `"transposition"`, `"scaling"` or `"class numbers"`; None if nothing of
            what was tried, or nothing was.
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


@dataclass(frozen=True, eq=False, repr=False)
class BatchFacts(Facts):
    """What the batches are like that passed in the first epoch, as far as read.

    Of order it tells where there is one array of targets with one answer a row. Numbers
    are NaN if they are not known.

    Attributes:
        n_batches: Number of batches that were read; None if not known.
        n_rows: Number of their rows that were read; None if not known.
        classes: The classes in each batch that was read, at most ten of each; None if
            the targets are no whole numbers and no one-hot rows.
        classes_per_batch: Mean number of different classes in a batch.
        expected_classes: The same if batches were drawn at random from all that were
            read.
        class_chance: Decimal logarithm of a bound on the probability that random draws
            give batches of so few classes.
        within: Share of the variance of the targets' ranks that lies within batches.
        expected_within: The same for random draws.
        value_chance: Decimal logarithm of the probability that random draws give
            batches whose targets are so much alike.
        compared: Number of batches of which inputs were kept; None if not known.
        different: Number of those that differ from all before.
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


@dataclass(frozen=True, eq=False, repr=False)
class WeightFacts(Facts):
    """What weights the rows have in the loss, in the batches that were read.

    Keras makes class weights sample weights, so they are seen here too.

    Attributes:
        name: What the weights are called; that of the output where each has its own.
        n_weights: Number of weights that were read; None if not known.
        per_row: Whether there is one weight for each row.
        zeros: Share of them that are zero. NaN if not known.
        min: Smallest weight. NaN if not known.
        max: Largest weight. NaN if not known.
        by_class: Mean weight of the rows of each class, in the order of `counts`; None
            if there are no classes, or more than a thousand.
        counts: Number of rows of each class that were read.
        classes: The number of each class.
        padding: Share of steps of sequences that are padding, zeros in the inputs,
            where each step has a weight. NaN if not known.
        on_padding: Share of all weight that is on them. NaN if not known.
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
        """Whether the loss of these rows is far from their unweighted mean loss.

        A constant prediction that is the best without weights is then no measure of a
        model that was trained with them.
        """
        if self.leaves_out:
            return True
        means = [mean for mean in self.by_class or () if mean > 0]
        low, high = (min(means), max(means)) if means else (self.min, self.max)
        return high > UNEVEN * low

    @property
    def leaves_out(self) -> bool:
        """Whether many rows do not count at all, such as padding."""
        return self.zeros > LEFT_OUT

    @property
    def weighted_shares(self) -> tuple[float, ...] | None:
        """Share of each class in the loss; None if not known."""
        if not self.by_class or not self.counts:
            return None
        parts = [
            weight * count
            for weight, count in zip(self.by_class, self.counts, strict=True)
        ]
        total = sum(parts)
        return tuple(part / total for part in parts) if total > 0 else None


@dataclass(frozen=True, eq=False, repr=False)
class DataFacts(Facts):
    """What is known of the data of a fit.

    Attributes:
        source: `"given"`, or `"first batches"` if they are those read as they passed;
            None if not known.
        inputs: The arrays of inputs.
        targets: The arrays of targets, one an output.
        n_rows: Number of training rows; None if not known.
        validation: How validation data compare; None if not known.
        held_out: Number of the rows given, the last ones, that `fit` held out by
            `validation_split`: they are in `validation` and nowhere else. None if it
            held out none, or that is not known.
        one_sided: Why the rows that were read may not stand for all of them; None if
            nothing speaks for that.
        batches: What the batches were like; None if none was read.
        weights: The weights of rows in the loss, one an output that has some.

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
