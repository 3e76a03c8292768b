"""A loss that does not suit the targets."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.run import UNKNOWN_LOSS
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records import OutputFacts, TargetFacts

EXPLAINS = (*NOT_LEARNING, "non_finite_values", "diverging_loss", "vanishing_gradients")
ZERO_ONE = ("binary", "one_hot", "multi_label", "probabilities")
WHOLE = ("whole_numbers", "binary", "one_hot", "multi_label")


@rule(kind="cause", explains=EXPLAINS, needs=("target",), per_output=True)
def loss_target_mismatch(run: Run) -> Verdict:
    """Compare what the compiled loss expects with the targets."""
    loss, target = run.loss_kind, run.target
    if loss.family == "unknown":
        return Skipped(UNKNOWN_LOSS)
    kind = target.kind
    if run.compares_class_numbers:
        return _found(
            run,
            "The targets are class numbers and the output is a softmax, but "
            f"'{loss.name}' compares every column with the class number.",
            "sparse_categorical_crossentropy",
        )
    output = next(iter(run.facts.outputs), OutputFacts())
    pair = _Pair(loss, target, output.units, output.rank)
    padding = pair.padding
    if padding is not None:
        return Finding(
            severity="info",
            message=(
                f"Some targets are {padding}, which is no class. If that is padding, "
                "give these positions a sample weight of 0; else it is wrong."
            ),
            risk="critical",
            confidence=0.6,
            evidence={"padding": padding},
            remedies=(
                suggest.by_hand(
                    "set sample weights of 0, or `ignore_class` of the loss",
                    "padding then does not count",
                ),
            ),
        )
    wrong = pair.fault
    if wrong:
        is_sparse = kind == "whole_numbers" and loss.is_crossentropy
        proper = "sparse_categorical_crossentropy" if is_sparse else "mse"
        return _found(run, wrong, proper)
    if loss.family == "values" and kind in ZERO_ONE:
        return _zero_one_as_values(loss, target)
    return Fine(f"'{loss.name}' suits targets that are {kind}")


def _found(run: Run, text: str, proper: str) -> Finding:
    return Finding(
        severity="critical",
        message=text,
        confidence=0.98,
        evidence={"loss": run.loss_kind.name, "kind": run.target.kind},
        remedies=(suggest.output("a loss for such targets", None, proper),),
    )


def _zero_one_as_values(loss: LossKind, target: TargetFacts) -> Finding:
    kind, columns = target.kind, target.n_columns
    absolute = loss.name == "mean_absolute_error"
    activation = "softmax" if kind == "one_hot" and columns > 1 else "sigmoid"
    why = (
        "its best constant answer is the median, 0 or 1, where the output saturates"
        if absolute
        else "its gradient fades where the output is sure and wrong"
    )
    return Finding(
        severity="info",
        message=f"The targets are 0 and 1, but the loss is '{loss.name}': {why}.",
        risk="critical",
        confidence=0.8 if absolute else 0.5,
        evidence={"loss": loss.name, "kind": kind},
        remedies=(
            suggest.output(
                "the likelihood of classes has a gradient everywhere",
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
    def fault(self) -> str | None:
        """What cannot be right, in words; None if nothing is certain."""
        if self.loss.family == "class_numbers":
            return self._class_numbers()
        low, high = self.target.min, self.target.max
        if self.loss.family == "zero_one" and (low < 0 or high > 1):
            return (
                f"'{self.loss.name}' is for targets from 0 to 1, but these range from "
                f"{low:.4g} to {high:.4g}."
            )
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

    def _class_numbers(self) -> str | None:
        target, width = self.target, self.width
        is_share = target.kind in ("one_hot", "probabilities")
        if is_share and target.n_columns > 1 and not self._is_class_each:
            return "The loss is for class numbers, but the targets are one-hot."
        if self._is_whole is False:
            return "The loss is for class numbers, but the targets are not whole."
        if self._outside:
            return (
                f"There are class numbers from {min(self._outside)} to "
                f"{max(self._outside)} that none of the {width or ''} outputs stands "
                "for."
            ).replace("  ", " ")
        is_counted = target.distinct is None and self.loss.ignore_class is None
        if is_counted and width and target.max >= width:
            return (
                f"There are class numbers up to {target.max:.0f}, but only {width} "
                "outputs."
            )
        return None

    def _one_hot(self) -> str | None:
        target, width = self.target, self.width
        columns = target.n_columns
        if columns == 1 and width and width > 1:
            return "The loss is for one-hot targets, but these are class numbers."
        # rows of zeros have no loss: that is how padding is written
        if target.min < 0 or (columns > 1 and target.has_several_labels):
            return "The loss is for one class per row, but the rows do not add up to 1."
        if columns == 1 and width == 1:
            return (
                "Categorical cross-entropy over a single output is zero whatever the "
                "output."
            )
        return None
