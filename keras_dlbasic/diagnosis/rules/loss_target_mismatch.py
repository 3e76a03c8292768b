"""A loss that does not suit the targets."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.classes_as_sizes import treats_classes_as_sizes
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.reasons import UNKNOWN_LOSS
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records import OutputFacts, TargetFacts

EXPLAINS = (*NOT_LEARNING, "non_finite_values", "diverging_loss", "vanishing_gradients")
ZERO_ONE = ("binary", "one_hot", "multi_label", "probabilities")
SPARSE = "sparse_categorical_crossentropy"
WHOLE = ("whole_numbers", "binary", "one_hot", "multi_label")


PREDICTED = 0.5
"""Skill from which zeros beside a single number are answers."""


@rule(
    kind="cause",
    explains=EXPLAINS,
    needs=("target",),
    decides="match",
    per_output=True,
)
def loss_target_mismatch(run: Run) -> Verdict:
    """Compare what the compiled loss expects with the targets."""
    loss, target = run.loss_kind, run.target
    if loss.family == "unknown":
        return Skipped(UNKNOWN_LOSS)
    kind = target.kind
    output = next(iter(run.facts.outputs), OutputFacts())
    if loss.axis_from_end(output.rank) not in (-1, None):
        return Skipped(f"the loss compares classes along axis {loss.axis}")
    if run.compares_class_numbers:
        text = (
            "The targets are class numbers and the output is a softmax, but "
            f"'{loss.name}' compares every output unit with the class number."
        )
        return _found(run, _Fault(text, (_other_loss(SPARSE),)))
    if treats_classes_as_sizes(run):
        return _as_sizes(run)
    pair = _Pair(loss, target, output.units, output.rank)
    padding = pair.padding
    if padding is not None:
        return Finding(
            severity="info",
            message=(
                f"Some targets are {padding}, which is not a valid class number, yet "
                "they count in the loss. If they mark padding, mask them; otherwise "
                "correct them."
            ),
            risk="critical",
            confidence=0.6,
            evidence={"padding": padding},
            remedies=(
                suggest.by_hand(
                    "give padding a sample weight of 0, or set `ignore_class` of the "
                    "loss",
                    "padding then does not count in the loss",
                ),
            ),
        )
    # A fault is certain: the loss cannot work with such targets. What follows works,
    # but worse than another loss would, and counts only where symptoms show it.
    if fault := pair.fault or _other_shape(loss, target, output):
        return _found(run, fault)
    if loss.family == "values" and target.one_entry and (found := _unfilled(run)):
        return found
    if loss.family == "values" and kind in ZERO_ONE:
        return _zero_one_as_values(loss, target)
    is_exclusive = kind == "one_hot" and target.n_columns > 2
    if loss.family == "zero_one" and is_exclusive and output.activation == "softmax":
        return _exclusive_classes(loss, target, planned=run.is_planned)
    return Fine(f"'{loss.name}' suits targets that are {kind}")


PAIRED = ("values", "zero_one")
"""Families of losses that compare each entry of the output with one of the targets."""


def _other_shape(
    loss: LossKind, target: TargetFacts, output: OutputFacts
) -> _Fault | None:
    """Find an output whose shape is not that of the targets."""
    if loss.family not in PAIRED or not output.shape or not target.shape:
        return None
    given, wanted = (_without_ones(shape) for shape in (output.shape, target.shape))
    if given == wanted:
        return None
    text = (
        f"The output shape {_named(output.shape)} does not match the target shape "
        f"{_named(target.shape)}: '{loss.name}' "
    )
    if loss.family == "values":
        text += (
            "broadcasts them, so that each prediction is compared with several "
            "targets, or each target with several predictions."
        )
    else:
        text += "cannot compare them entry by entry."
    if len(output.shape) > 2 and len(given) > len(wanted):
        advice = suggest.by_hand(
            "leave `return_sequences` of the last recurrent layer at False, or add a "
            "pooling or `Flatten` layer before the output",
            "each sample then has one prediction",
        )
    else:
        advice = suggest.by_hand(
            "give the output layer as many units as a sample has targets",
            "each prediction then has one target",
        )
    return _Fault(text, (advice,))


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes besides the samples, without those of length one at the end."""
    axes = list(shape[1:])
    while axes and axes[-1] == 1:
        axes.pop()
    return tuple(axes)


def _named(shape: tuple[int, ...]) -> str:
    return str(("n", *shape[1:])).replace("'", "")


@dataclass(frozen=True)
class _Fault:
    """What cannot be right, and what to do."""

    text: str
    remedies: tuple[RemedySuggestion, ...]


def _found(run: Run, fault: _Fault) -> Finding:
    return Finding(
        severity="critical",
        message=fault.text,
        confidence=0.98,
        evidence={"loss": run.loss_kind.name, "kind": run.target.kind},
        remedies=fault.remedies,
    )


def _other_loss(name: str) -> RemedySuggestion:
    return suggest.output("this loss fits the targets", None, name)


def _unfilled(run: Run) -> Finding | None:
    """Look for zeros in the columns of answers that are not known.

    Where the zeros are answers, it can be learned which column is not zero, but need
    not be: of claims by peril the expected amount is wanted. So this is a note.
    """
    outcome = run.outcome
    skills = (outcome.skill, outcome.reference)
    if outcome.skill is None or any(s is not None and s >= PREDICTED for s in skills):
        return None
    n = run.target.n_columns
    return Finding(
        severity="info",
        message=(
            f"Each row of the targets has one number in {n} columns and zeros in the "
            f"others, and which column it is was not predicted (skill "
            f"{outcome.skill:.2f}). If only this answer is known, as the value of the "
            f"action that was taken, '{run.loss_kind.name}' still trains all other "
            "columns to give 0. If the zeros are amounts, this is right."
        ),
        value=outcome.skill,
        threshold=PREDICTED,
        unit="skill",
        confidence=0.4,
        remedies=(
            suggest.by_hand(
                "mask = keras.ops.one_hot(action, n_actions); "
                "loss = ((y_true - y_pred) ** 2 * mask).sum(-1)",
                "only the known column counts in the loss",
            ),
        ),
    )


def _as_sizes(run: Run) -> Finding:
    """Report class numbers that a loss of values compares by size."""
    n = len(run.target.distinct or ())
    return Finding(
        severity="info" if run.is_planned else "warning",
        message=(
            f"The targets are the whole numbers 0 to {n - 1}, and an accuracy is "
            f"compiled, as for classes. But '{run.loss_kind.name}' treats them as "
            "sizes: for a sample that may be 1 or 5 it learns to predict 3, and an "
            "accuracy counts only values that are exactly equal."
        ),
        risk="warning",
        confidence=0.7,
        evidence={"classes": n},
        remedies=(
            suggest.output(
                f"a unit for each of the {n} classes", "softmax", SPARSE, units=n
            ),
            suggest.by_hand(
                'metrics=["mae"] instead of an accuracy',
                "if the numbers are sizes, such as grades or counts",
            ),
        ),
    )


def _renumbered(numbers: list[int]) -> RemedySuggestion:
    """Suggest how to count classes from 0.

    Args:
        numbers: The class numbers that occur, sorted.
    """
    first, last = numbers[0], numbers[-1]
    if last - first + 1 == len(numbers):
        sign = "-" if first > 0 else "+"
        code = f"y = y {sign} {abs(first)}"
        return suggest.by_hand(code, f"the classes are counted from {first}, not 0")
    code = "classes, y = np.unique(y, return_inverse=True)"
    return suggest.by_hand(code, "classes are then numbered from 0, without gaps")


def _exclusive_classes(
    loss: LossKind, target: TargetFacts, *, planned: bool
) -> Finding:
    columns = target.n_columns
    # Weak gradients make short steps. So where a run went wrong, the loss comes before
    # a rate that is too low; before the run it may do no harm.
    return Finding(
        severity="info",
        message=(
            f"The output is a softmax over {columns} classes, but '{loss.name}' treats "
            "each of them as a separate yes/no question. Most of these are 0, so the "
            "loss and the binary accuracy look good from the start, and the gradient "
            "of the correct class is weak."
        ),
        risk="critical",
        confidence=0.75 if planned else 0.87,
        evidence={"loss": loss.name, "kind": target.kind},
        remedies=(
            suggest.output(
                "compares the correct class with all others",
                None,
                "categorical_crossentropy",
            ),
        ),
    )


def _zero_one_as_values(loss: LossKind, target: TargetFacts) -> Finding:
    kind, columns = target.kind, target.n_columns
    absolute = loss.name == "mean_absolute_error"
    activation = "softmax" if kind == "one_hot" and columns > 1 else "sigmoid"
    why = (
        "the best constant prediction is the median, 0 or 1, where the output saturates"
        if absolute
        else "its gradient vanishes where the output is confident and wrong"
    )
    return Finding(
        severity="info",
        message=f"The targets are 0 and 1, but the loss is '{loss.name}': {why}.",
        risk="critical",
        confidence=0.8 if absolute else 0.5,
        evidence={"loss": loss.name, "kind": kind},
        remedies=(
            suggest.output(
                "cross-entropy has a gradient wherever the output is wrong",
                activation,
                "categorical_crossentropy"
                if activation == "softmax"
                else "binary_crossentropy",
            ),
        ),
    )


@dataclass(frozen=True)
class _Pair:
    """A loss and the targets that it is given.

    Attributes:
        loss: What the loss expects.
        target: What is known of the targets.
        width: Number of the output's columns; None if not known.
        rank: Number of the output's axes; None if not known.
    """

    loss: LossKind
    target: TargetFacts
    width: int | None
    rank: int | None

    @property
    def fault(self) -> _Fault | None:
        """What cannot be right; None if nothing is certain."""
        if self.loss.family == "class_numbers":
            return self._class_numbers()
        if self.loss.family == "zero_one":
            return self._zero_one()
        if self.loss.family == "values":
            return self._values()
        return self._one_hot() if self.loss.family == "one_hot" else None

    @property
    def padding(self) -> int | None:
        """The only number that is no class, where it may well be padding."""
        outside = self._outside
        is_known = self.loss.family in ("class_numbers", "zero_one")
        if not is_known or len(outside) != 1 or not self._has_positions:
            return None
        # A number next to the classes is one counted from 1, a mask of 0 and 255 is
        # not scaled; padding lies apart from at least two proper classes.
        lies_apart = outside[0] < 0 or outside[0] > (self._most or 0)
        has_classes = len(self.target.distinct or ()) > 2
        return outside[0] if lies_apart and has_classes else None

    @property
    def _has_positions(self) -> bool:
        """Whether a sample has several answers, as those of its words or pixels."""
        shape = self.target.shape or (0,)
        if self.rank is not None:
            return self.rank > 2
        is_sparse = self.loss.family == "class_numbers"
        return len(shape) > 2 or (is_sparse and len(shape) == 2 and shape[1] > 1)

    @property
    def _is_class_each(self) -> bool | None:
        """Whether each entry of the targets is one answer; None if not known.

        The output then has one axis more than the targets, for the classes.
        """
        if self.target.n_columns == 1:
            return True
        shape = self.target.shape
        if self.rank is None or shape is None:
            return None
        return self.rank == len(shape) + 1

    @property
    def _is_whole(self) -> bool | None:
        """Whether all targets are whole numbers; None if not known."""
        target = self.target
        if target.is_whole is not None:
            return target.is_whole
        integers = (target.dtype or "").startswith(("int", "uint", "bool"))
        if integers or target.kind in WHOLE:
            return True
        # older records call numbers continuous that are negative, large, or have axes
        is_plain = target.min >= 0 and target.max < 1000
        return False if is_plain and target.n_columns == 1 else None

    @property
    def _outside(self) -> list[int]:
        """Numbers among the targets that are no classes, as far as they are known."""
        most = self._most
        return [
            value
            for value in self.target.distinct or ()
            if value != self.loss.ignore_class
            and (value < 0 or (most is not None and value >= most))
        ]

    @property
    def _most(self) -> int | None:
        """The number of classes; None if not known."""
        return self.width if self.loss.family == "class_numbers" else 2

    def _class_numbers(self) -> _Fault | None:
        target, width, name = self.target, self.width, self.loss.name
        is_share = target.kind in ("one_hot", "probabilities")
        if is_share and target.n_columns > 1 and not self._is_class_each:
            text = f"'{name}' expects class numbers, but the targets are one-hot."
            return _Fault(text, (_other_loss("categorical_crossentropy"),))
        if self._is_whole is False:
            text = f"'{name}' expects class numbers, but the targets are not integers."
            return _Fault(text, (_other_loss("mse"),))
        if self._outside:
            low, high = min(self._outside), max(self._outside)
            these = f"number {low}" if low == high else f"numbers from {low} to {high}"
            units = f"the {width} output units are" if width else "the output units are"
            text = (
                f"Some targets are class {these}, but {units} for the classes "
                f"{f'0 to {width - 1}' if width else 'from 0 on'}."
            )
            return _Fault(text, self._in_range(list(target.distinct or ())))
        is_counted = target.distinct is None and self.loss.ignore_class is None
        if is_counted and width and target.max >= width:
            text = (
                f"The targets are class numbers up to {target.max:.0f}, but the output "
                f"has only {width} units, for the classes 0 to {width - 1}."
            )
            return _Fault(text, (self._more_units(int(target.max) + 1),))
        return None

    def _in_range(self, numbers: list[int]) -> tuple[RemedySuggestion, ...]:
        """Suggest how class numbers and outputs come to fit together."""
        numbers = sorted(n for n in numbers if n != self.loss.ignore_class)
        found = []
        # Numbers with an offset or gaps can be renumbered. If they are mostly dense, as
        # many outputs as the largest number asks for will do as well.
        if numbers[0] != 0 or numbers[-1] - numbers[0] + 1 != len(numbers):
            found.append(_renumbered(numbers))
        is_dense = numbers[-1] < 2 * len(numbers)
        if numbers[0] >= 0 and (is_dense or len(numbers) > (self.width or 0)):
            found.append(self._more_units(numbers[-1] + 1))
        return tuple(found)

    def _more_units(self, units: int) -> RemedySuggestion:
        reason = "one unit for each class number, counted from 0"
        return suggest.output(reason, None, None, units=units)

    def _zero_one(self) -> _Fault | None:
        target = self.target
        low, high = target.min, target.max
        if not (low < 0 or high > 1):
            return None
        text = (
            f"'{self.loss.name}' expects targets from 0 to 1, but they range from "
            f"{low:.4g} to {high:.4g}."
        )
        return _Fault(text, self._from_zero_to_one(list(target.distinct or ())))

    def _values(self) -> _Fault | None:
        """Look for targets that a loss of ratios or logarithms cannot take."""
        name, low = self.loss.name, self.target.min
        if name == "mean_absolute_percentage_error" and low == 0:
            text = (
                f"'{name}' divides by the target, but some targets are 0. Errors there "
                "are multiplied by ten million and outweigh all others."
            )
            return _Fault(text, (_other_loss("mae"),))
        if name in ("mean_squared_logarithmic_error", "poisson") and low < 0:
            text = (
                f"'{name}' expects targets of 0 and above, but the smallest is "
                f"{low:.4g}."
            )
            return _Fault(text, (_other_loss("mse"),))
        return None

    def _from_zero_to_one(self, numbers: list[int]) -> tuple[RemedySuggestion, ...]:
        """Suggest what fits targets that a binary loss does not take."""
        if not self._is_whole or self.target.n_columns > 1:
            return (_other_loss("mse"),)
        # Two numbers are the two classes. Large numbers in an image are a mask that was
        # not scaled. A few whole numbers may be classes or values, which only the user
        # knows.
        if len(numbers) == 2:
            code = f"y = (y == {numbers[1]}).astype('float32')"
            return (suggest.by_hand(code, "the two classes are then 0 and 1"),)
        is_image = len(self.target.shape or ()) > 2 and numbers and numbers[-1] > 100
        if is_image:
            return (suggest.by_hand(f"y = y / {numbers[-1]}", "scales it to [0, 1]"),)
        if not numbers or numbers[0] < 0 or numbers[-1] >= 2 * len(numbers):
            return (_other_loss("mse"),)
        units = numbers[-1] + 1
        reason = f"if the {len(numbers)} numbers are classes"
        classes = suggest.output(reason, "softmax", SPARSE, units=units)
        values = suggest.output("if the numbers are values", "linear", "mse")
        return classes, values

    def _one_hot(self) -> _Fault | None:
        target, width = self.target, self.width
        columns = target.n_columns
        if columns == 1 and width and width > 1:
            text = (
                f"'{self.loss.name}' expects one-hot targets, but the targets are "
                "class numbers."
            )
            return _Fault(text, (_other_loss(SPARSE),))
        # rows of zeros have no loss: that is how padding is written
        if target.min < 0 or (columns > 1 and target.has_several_labels):
            text = (
                f"'{self.loss.name}' expects one class per row, but the rows of the "
                "targets do not sum to 1."
            )
            proper = "binary_crossentropy" if target.has_several_labels else "mse"
            activation = "sigmoid" if target.has_several_labels else "linear"
            reason = "this loss fits the targets"
            return _Fault(text, (suggest.output(reason, activation, proper),))
        if columns == 1 and width == 1:
            text = (
                f"'{self.loss.name}' of a single output unit is always 0, so there is "
                "no gradient."
            )
            remedy = suggest.output(
                "one probability for two classes", "sigmoid", "binary_crossentropy"
            )
            return _Fault(text, (remedy,))
        return None
