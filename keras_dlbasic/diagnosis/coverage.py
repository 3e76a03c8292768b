"""How much of a run could be judged, and what could not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.areas import AREAS

MAX_REASONS = 2
"""Number of reasons in the sentence; all of them are in `missing`."""


@names_nearest
@dataclass(frozen=True, repr=False)
class Coverage(Displayed):
    """How many checks there are, how many ran, and which decisive ones did not.

    A check is decisive if its rule is declared with `@rule(decides=...)`. There are
    five areas: predictions, training loss, gradients and updates, the match of loss,
    targets and output, and the data. If a decisive check did not run, a run without
    findings may still have failed.

    Attributes:
        n_checks: Number of checks.
        n_ran: Number of checks that ran.
        n_pending: Number of checks that only run when the training is over.
        missing: What could not be judged, with the reason.
        curves_only: Whether the record has only the curves of losses and metrics, as in
            a `CSVLogger` table. Then only checks of curves count as decisive.

    Example:
    >>> import keras_dlbasic as kd
    >>> record = kd.records.TrainingRecord.from_history({"loss": [0.7, 0.5, 0.4]})
    >>> coverage = kd.diagnose(record).coverage
    >>> coverage.is_judged, coverage.curves_only, coverage.n_ran < coverage.n_checks
    (True, True, True)
    """

    n_checks: int = 0
    n_ran: int = 0
    n_pending: int = 0
    missing: Mapping[str, str] = field(default_factory=dict, hash=False)
    curves_only: bool = False

    def __str__(self) -> str:
        return wrapped(self.text)

    @property
    def is_judged(self) -> bool:
        """Whether the decisive checks ran (for curves only: those of curves)."""
        return self.n_ran > 0 and (self.curves_only or not self.missing)

    @property
    def is_complete(self) -> bool:
        """Whether all decisive checks ran."""
        return self.is_judged and not self.curves_only

    @property
    def text(self) -> str:
        """How many checks ran, and what could not be judged and why, in a sentence."""
        ran = f"{self.n_ran} of {self.n_checks} checks"
        if self.curves_only:
            return f"Judged by the curves only: {ran} could run."
        if self.is_judged:
            later = f", {self.n_pending} follow at the end of the run"
            return f"{ran} ran{later if self.n_pending else ''}."
        if not self.missing:
            return f"{ran} could run; the model could not be judged."
        # the model is judged by its predictions; without them nothing else decides
        is_open = AREAS["predictions"] in self.missing or len(self.missing) > 2
        what = "the model" if is_open else " and ".join(self.missing)
        reasons = list(dict.fromkeys(self._reasons))[:MAX_REASONS]
        return (
            f"{ran} could run; {what} could not be judged because "
            f"{', and because '.join(reasons)}."
        )

    @property
    def _reasons(self) -> list[str]:
        # a curve that is too short is what a table of epochs lacks itself
        first = AREAS["loss"]
        return [self.missing[name] for name in sorted(self.missing, key=first.__ne__)]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dict."""
        return {
            "n_checks": self.n_checks,
            "n_ran": self.n_ran,
            "n_pending": self.n_pending,
            "missing": dict(self.missing),
            "curves_only": self.curves_only,
            "is_judged": self.is_judged,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        given = {name: value for name, value in entry.items() if name != "is_judged"}
        return cls(**given)

    @classmethod
    def of(
        cls,
        decides: Mapping[str, str],
        ran: Iterable[str],
        skipped: Mapping[str, str],
        *,
        pending: Iterable[str] = (),
        curves_only: bool = False,
        known: Mapping[str, str] | None = None,
    ) -> Self:
        """Count the checks, and find the areas that no decisive check could judge.

        Args:
            decides: Area of each decisive check (a key in `AREAS`), by name of the
                check.
            ran: Names of the checks that ran.
            skipped: Names of the others, with the reasons.
            pending: Names of the skipped checks that run when the training is over.
            curves_only: Whether the record has curves only.
            known: Areas (keys in `AREAS`) that cannot be judged whatever checks ran,
                with the reasons. Defaults to None: none.
        """
        ran, pending = set(ran), set(pending)
        missing: dict[str, str] = {}
        for area, words in AREAS.items():
            # One check that ran can tell, whichever it was: an area is open only where
            # none of its checks did. What waits for the end of the run is not missing
            # yet.
            checks = [name for name, decided in decides.items() if decided == area]
            open_now = [name for name in checks if name in skipped]
            if len(open_now) == len(checks) and not pending & set(open_now):
                for name in open_now[:1]:
                    missing[words] = skipped[name].partition("\n")[0]
            if area in (known or {}):
                missing[words] = (known or {})[area]
        return cls(
            n_checks=len(ran) + len(skipped),
            n_ran=len(ran),
            n_pending=len(pending),
            missing=missing,
            curves_only=curves_only and AREAS["loss"] not in missing,
        )
