"""The registry of programs: what each rebuilds, and what a diagnosis should say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

BACKENDS = ("torch", "jax", "tensorflow")
"""The backends in the order in which the programs are dealt to them."""

HALVES = (
    "tune",
    "look",
    "fresh",
    "unseen",
    "held",
    "blind",
    "sealed",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twentyfirst",
    "practice",
)
"""The parts of the programs: one to tune rules on, the others looked at once."""

HEALTHY = "healthy"

FUTURE_NAMES = {
    "gradients_through_targets": "a target that the model makes itself is trained too",
    "ids_cut_to_integers": "an embedding cuts numbers that are no ids to integers",
    "misaligned_embedding": "pretrained vectors stand in the rows of other words",
    "own_features_hidden": "nodes of a graph hear their neighbors, not themselves",
    "rows_off_scale": "a few rows are on another scale than all others",
    "state_carried_over": "a recurrent layer goes on from the state of other rows",
    "targets_missing_as_zeros": "what was not observed counts as a target of zero",
    "targets_not_augmented_alike": "inputs and targets are moved by different draws",
    "wrong_network_trained": "steps are made on another network than the one to keep",
}
"""Names that are accepted though no rule has them yet, and what they would say."""


@dataclass
class Fit:
    """A compiled model with its data, ready for `fit`, as a user has it.

    Attributes:
        model: The compiled model.
        x: Arrays, or what yields batches: then `y` is None.
        y: Arrays.
        score: Given the trained model and the history, how good the program is at what
            it is for: the higher, the better. Honest: on data that are new to it.
        options: Further arguments of `fit`.
    """

    model: Any
    x: Any
    y: Any
    score: Callable[[Any, Any], float]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """A small program that rebuilds a reported problem, or a healthy one.

    Attributes:
        name: Name of the function.
        build: Given whether to repair it, the `Fit`.
        kind: Kind of fault, or `HEALTHY`.
        family: Kind of model and data.
        half: One of `HALVES`.
        address: Where the problem was reported; empty for healthy programs.
        symptom: What the report complains of.
        cause: What was wrong.
        truth: Names of findings, any of which is right.
        also: Names of findings that are true but not the cause.
        backends: The backends it can run on.
        margin: By how much the score of the repaired program must be higher.
    """

    name: str
    build: Callable[[bool], Fit]
    kind: str
    family: str
    half: str
    address: str = ""
    symptom: str = ""
    cause: str = ""
    truth: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    backends: tuple[str, ...] = BACKENDS
    margin: float = 0.1

    @property
    def is_healthy(self) -> bool:
        return self.kind == HEALTHY


PROGRAMS: dict[str, Program] = {}


def program(**about: Any) -> Callable[[Callable[[bool], Fit]], Callable[[bool], Fit]]:
    """Register a program with a fault; it takes whether to repair it."""

    def register(build: Callable[[bool], Fit]) -> Callable[[bool], Fit]:
        _add(Program(name=build.__name__, build=build, **about))
        return build

    return register


def healthy(**about: Any) -> Callable[[Callable[[], Fit]], Callable[[], Fit]]:
    """Register a program without a fault."""

    def register(build: Callable[[], Fit]) -> Callable[[], Fit]:
        _add(
            Program(name=build.__name__, build=lambda _: build(), kind=HEALTHY, **about)
        )
        return build

    return register


def backend_of(name: str) -> str:
    """Return the backend that a program runs on by default: dealt out in turn."""
    entry = PROGRAMS[name]
    same = [
        p.name
        for p in PROGRAMS.values()
        if (p.half, p.is_healthy) == (entry.half, entry.is_healthy)
    ]
    return entry.backends[same.index(name) % len(entry.backends)]


def _add(entry: Program) -> None:
    if entry.name in PROGRAMS:
        raise ValueError(f"There are two programs called {entry.name!r}.")
    PROGRAMS[entry.name] = entry
