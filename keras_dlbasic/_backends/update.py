"""One call of an optimizer, as the tap sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from keras_dlbasic._backends.row_layout import UNKNOWN


@dataclass(frozen=True)
class Clipping:
    """How an optimizer clips, in Keras' order of precedence.

    Attributes:
        kind: `"clipnorm"`, `"global_clipnorm"`, `"clipvalue"` or None.
        limit: The threshold.
    """

    kind: str | None = None
    limit: float = 0.0

    @classmethod
    def of(cls, optimizer: Any) -> Clipping:
        """Read the clipping of a Keras optimizer."""
        for kind in ("clipnorm", "global_clipnorm", "clipvalue"):
            limit = getattr(optimizer, kind, None)
            if limit and limit > 0:
                return cls(kind, float(limit))
        return cls()


@dataclass(frozen=True)
class Group:
    """The variables that one of several optimizers updates, in a call of all of them.

    Attributes:
        places: Which of the variables of the call they are.
        clipping: How their optimizer clips.
        learning_rate: Its rate, as in `Update`.
    """

    places: list[int]
    clipping: Clipping
    learning_rate: Any = UNKNOWN


@dataclass
class Update:
    """One call of an optimizer: what went in and what came out.

    Attributes:
        variables: The Keras variables.
        gradients: Gradients as the optimizer got them; None where there is none.
        before: Weights before the update.
        after: Weights after the update.
        scale: Factor by which the loss was scaled, a number or scalar tensor.
        clipping: How the optimizer clips.
        learning_rate: Scalar tensor or number, `UNKNOWN` if it is not known.
        accumulated: Under gradient accumulation, what was accumulated before.
        accumulation_steps: Micro-steps per update.
        is_update: Whether this micro-step updated the weights, a scalar tensor.
        skips_non_finite: Whether an update with non-finite gradients is skipped.
        clipped: Gradients after clipping, without the scale, where they do not follow
            from `gradients`: replicas clip each its own.
        replica_square: Mean over the replicas of the squared norm of the gradient of a
            replica's own samples, scaled like `gradients`; None where there is one.
        reduced: What `measures.reduce_update` gives, where it cannot wait for the end
            of the step.
        groups: The optimizers that share the variables in a `MultiOptimizer`; empty for
            all others.
        places: Where in the order of all variables of the step each one belongs.
    """

    variables: list[Any]
    gradients: list[Any]
    before: list[Any]
    after: list[Any]
    scale: Any = 1.0
    clipping: Clipping = field(default_factory=Clipping)
    learning_rate: Any = UNKNOWN
    accumulated: list[Any] | None = None
    accumulation_steps: int = 1
    is_update: Any = True
    skips_non_finite: bool = False
    clipped: list[Any] | None = None
    replica_square: Any = None
    reduced: Any = None
    groups: list[Group] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = self.places or list(range(len(self.variables)))

    def parts(self, start: int = 0) -> list[Update]:
        """Return an update for each of several optimizers, or the update itself.

        The one with the most weights comes first: its rate is that of the step.

        Args:
            start: Number of variables in earlier updates of the step. Defaults to 0.
        """
        self.places = list(range(start, start + len(self.variables)))
        if not self.groups:
            return [self]
        parts = [self._part(group) for group in self.groups if group.places]
        return sorted(parts, key=lambda part: -part.n_weights)

    @property
    def n_weights(self) -> int:
        """Number of weights that are updated."""
        return sum(math.prod(variable.shape) for variable in self.variables)

    def _part(self, group: Group) -> Update:
        def own(values: list[Any] | None) -> Any:
            return None if values is None else [values[place] for place in group.places]

        return replace(
            self,
            variables=own(self.variables),
            gradients=own(self.gradients),
            before=own(self.before),
            after=own(self.after),
            clipped=own(self.clipped),
            clipping=group.clipping,
            learning_rate=group.learning_rate,
            groups=[],
            places=own(self.places),
        )


def final_updates(updates: list[Update]) -> list[Update]:
    """Leave out updates all of whose variables are updated again in the same step."""
    # From the end: the last update of a variable is the one that the weights have after
    # the step. An earlier one stays only if it has a variable that none has later.
    seen: set[int] = set()
    final = []
    for update in reversed(updates):
        own = {id(variable) for variable in update.variables}
        if own - seen:
            final.append(update)
        seen |= own
    return final[::-1]
