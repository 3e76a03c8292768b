"""Whether the rows of a run come in order, and whether that shows in its loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records import BatchFacts

CHANCE = -6.0
"""Decimal logarithm of the probability from which batches are no random draws."""

SHARE = 0.8
"""Batches that hold more than this share of what random draws do are mixed enough."""

SEVERAL = 1.5
"""Number of classes in a batch of random rows, from which one class is odd."""


@dataclass(frozen=True)
class OrderSeen:
    """What batches tell of the order of rows.

    Attributes:
        text: It as text.
        share: Of what random draws would hold, classes or variance, batches hold so
            much.
        log10_chance: Decimal logarithm of the probability of it in random draws.
    """

    text: str
    share: float
    log10_chance: float
    one_class: bool = False
    """Whether each batch holds one class only, and the next one mostly another."""

    @property
    def is_in_order(self) -> bool:
        """Whether rows come in order."""
        return self.log10_chance < CHANCE and self.share < SHARE


def order_seen(run: Run) -> OrderSeen | None:
    """Return what the batches of a run tell of the order of rows; None if nothing."""
    data = run.facts.data
    batches = None if data is None else data.batches
    if batches is None:
        return None
    has_classes = not math.isnan(batches.class_chance)
    if has_classes and run.task is not TaskKind.VALUES:
        return _of_classes(batches)
    return None if math.isnan(batches.value_chance) else _of_values(batches)


def _of_classes(batches: BatchFacts) -> OrderSeen:
    seen, expected = batches.classes_per_batch, batches.expected_classes
    if seen == 1 and expected >= SEVERAL and _alternate(batches):
        return OrderSeen(
            f"each batch contains one class only, where random rows would contain "
            f"{expected:.2g} (`fit` shuffles whole batches, not the rows in them)",
            seen / expected,
            batches.class_chance,
            one_class=True,
        )
    return OrderSeen(
        f"a batch contains {seen:.2g} classes on average, where random rows would "
        f"contain {expected:.2g}",
        seen / expected,
        batches.class_chance,
    )


def _alternate(batches: BatchFacts) -> bool:
    """Return whether most batches are of another class than the one before.

    Of rows that are sorted as a whole few are. Here they were put together by class,
    and batches were shuffled.
    """
    pairs = list(pairwise(batches.classes or ()))
    return sum(one != other for one, other in pairs) > len(pairs) / 2


def _of_values(batches: BatchFacts) -> OrderSeen:
    seen, expected = batches.within, batches.expected_within
    return OrderSeen(
        f"the targets of a batch have {seen:.0%} of the overall variance, where random "
        f"rows would have {expected:.0%}",
        seen / expected,
        batches.value_chance,
    )


def shuffled_rows() -> RemedySuggestion:
    """Suggest to mix the rows."""
    return suggest.by_hand(
        "model.fit(x, y, shuffle=True) for arrays; "
        "dataset.shuffle(n_rows) before .batch(...); DataLoader(..., shuffle=True); "
        "for a generator, shuffle the data that it reads",
        "each batch is then a random sample of the rows",
    )
