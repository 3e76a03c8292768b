"""Which steps of a fit are sampled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_dlbasic.gradients.sampling import (
    Every,
    epoch_plan,
    is_long_fit,
    reading_plan,
)

MOST_LISTED = 2**16
"""In longer epochs the steps to sample are not listed beforehand."""


class StepPlan:
    """Plans the sampled steps of each epoch, and counts the steps that begin.

    Args:
        params: The `params` of the fit, as Keras gives them to callbacks.

    Attributes:
        steps: Number of steps of the fit that have begun, up to the last one that the
            plan was informed of.
        due: The steps of this epoch that the plan must be informed of, if each is run
            by itself; None if that is all of them.
        is_read: Whether the batch of one of the steps that began last is to be read.
        must_read: Whether that is so, and it must be read for that reason alone.
        is_long: Whether the fit is long, by the number of steps that are planned: then
            each step whose batch is read is sampled as well, and fewer others are.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.steps = 0
        self.is_read = self.must_read = False
        self._reads = False
        self._is_to_read: Callable[[int], bool] = _never
        self._params = params
        self._every: list[Every] = []
        self._is_planned: Callable[[int], bool] = _never
        self.due: frozenset[int] | None = None
        self._epochs_begun = 0
        self._epoch_first_step = 0
        self._begun_step = 0
        self._steps_in_last_epoch: int | None = params.get("steps")

    def __str__(self) -> str:
        asked = [str(every) for every in self._every]
        length = "a long fit" if self.is_long else "a fit"
        return (
            f"at {asked} of {self.steps_per_epoch} in {length}, batches read: "
            f"{self._reads}"
        )

    @property
    def steps_per_epoch(self) -> int | None:
        """Number of steps of each epoch, None if Keras does not know it."""
        return self._params.get("steps")

    @property
    def is_long(self) -> bool:  # noqa: D102 - see the class
        return is_long_fit(self._params.get("epochs"), self.steps_per_epoch)

    def ask(self, every: Every) -> None:
        """Have steps sampled at `every`, besides those that were asked for before."""
        self._every.append(every)

    def ask_to_read(self) -> None:
        """Have batches of the first epoch read."""
        self._reads = True

    def epoch_begins(self) -> None:
        """Plan the steps of an epoch."""
        self._is_planned = self._is_to_read = _never
        self._epoch_first_step = self.steps
        # Where Keras does not know the length, the epoch before tells it. The first
        # epoch of such data is planned without a length.
        n_steps = self.steps_per_epoch or self._steps_in_last_epoch
        plans = [
            epoch_plan(
                every, self._epochs_begun, n_steps, self.steps, is_long=self.is_long
            )
            for every in self._every
        ]
        self._is_planned = (
            plans[0]
            if len(plans) == 1
            else lambda step: any(plan(step) for plan in plans)
        )
        if self._reads and not self._epochs_begun:
            self._is_to_read = reading_plan(n_steps, is_long=self.is_long)
        self._epochs_begun += 1
        self.due = None
        if self.steps_per_epoch is not None and self.steps_per_epoch <= MOST_LISTED:
            self.due = frozenset(
                step
                for step in range(self.steps_per_epoch)
                if self._is_planned(step) or self._is_to_read(step)
            )

    def steps_begin(self, step: int, count: int) -> bool:
        """Count steps that are run at once; tell whether one of them is planned.

        Args:
            step: Number of the first in its epoch.
            count: How many there are (`steps_per_execution`); the epoch may end before.
        """
        # Keras calls the hook once for `steps_per_execution` steps. They run in one
        # program, so that all of them are measured if one of them is planned.
        last = step + count - 1
        if self.steps_per_epoch is not None:
            last = min(last, self.steps_per_epoch - 1)
        self._begun_step = self._epoch_first_step + step
        self.steps = self._epoch_first_step + last + 1
        begun = range(step, last + 1)
        is_planned = any(map(self._is_planned, begun))
        self.is_read = any(map(self._is_to_read, begun))
        # the plain step is compiled at the second one, from the model's first state
        is_second = self._begun_step <= 1 < self.steps and self.steps_per_epoch != 1
        self.must_read = self.is_read and not is_planned and not is_second
        # a step that is read is measured anyhow
        if self.must_read and self.is_long and "auto" in self._every:
            self.must_read, is_planned = False, True
        return is_planned

    def step_failed(self) -> None:
        """Do not count the steps that began last."""
        self.steps = self._begun_step

    def epoch_ends(self, steps: int) -> None:
        """Keep the number of steps of the epoch, by which the next is planned."""
        # hooks that are called by hand may count no ends
        self.steps = max(self.steps, self._epoch_first_step + steps)
        self._steps_in_last_epoch = self.steps - self._epoch_first_step


def _never(step: int) -> bool:
    return False
