"""What a rule is, and where rules come from."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_dlbasic.diagnosis.finding import Finding, Kind, Severity
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion

if TYPE_CHECKING:
    from keras_dlbasic.diagnosis.run import Run


class Skipped(Exception):  # noqa: N818 - no error, a reason
    """Raised by a rule that lacks the data to judge; its text says which."""


@dataclass(frozen=True)
class Found:
    """What a rule found; the fields are those of `Finding`.

    Attributes:
        severity: How bad it is as such.
        message: What was found.
        risk: The severity that a cause takes, at most, if a symptom that it can bring
            about is found too. None: `severity`, whatever else is found.
        details: Further fields of `Finding`: layer, epoch, step, value, threshold,
            confidence, evidence.
        remedies: What to try, in this order.
        note: Whether a cause that explains nothing is worth a note. Defaults to
            `True`; else what was seen goes to the checks that passed.
    """

    severity: Severity
    message: str
    risk: Severity | None = None
    remedies: tuple[RemedySuggestion, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    note: bool = True


Judged = Found | str
"""What a rule gives: what it found, or in a few words what it found fine."""


@dataclass(frozen=True)
class Rule:
    """A function that judges a run.

    Attributes:
        name: Name of the problem that it finds, also that of its file.
        kind: `"cause"` or `"symptom"`.
        function: Given a `Run`, it returns a `Found`, or text on what is fine, or
            raises `Skipped`. Its thresholds are keyword arguments.
        explains: Names of the symptoms that this cause can bring about.
        live: Whether it can judge a run that goes on.
    """

    name: str
    kind: Kind
    function: Callable[..., Judged]
    explains: tuple[str, ...] = ()
    live: bool = True

    @property
    def is_own(self) -> bool:
        """Whether it is the package's."""
        return self.function.__module__.startswith("keras_dlbasic.")

    def __call__(self, run: Run, **thresholds: Any) -> Judged:
        """Judge a run."""
        return self.function(run, **thresholds)

    def finding(self, found: Found) -> Finding:
        """Return what was found as a `Finding`."""
        return Finding(
            self.name,
            self.kind,
            found.severity,
            found.message,
            remedies=found.remedies,
            explains=self.explains,
            **found.details,
        )


def rule(
    kind: Kind, *, explains: tuple[str, ...] = (), live: bool = True
) -> Callable[[Callable[..., Judged]], Rule]:
    """Make a function a rule; its name is that of the problem it finds."""

    def make(function: Callable[..., Judged]) -> Rule:
        return Rule(function.__name__, kind, function, explains, live)

    return make


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return the rules of `keras_dlbasic.diagnosis.rules`, by name."""
    package = import_module("keras_dlbasic.diagnosis.rules")
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        members = vars(import_module(f"{package.__name__}.{module.name}"))
        found.update({r.name: r for r in members.values() if isinstance(r, Rule)})
    return tuple(found[name] for name in sorted(found))
