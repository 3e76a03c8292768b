"""What is drawn while a training step is traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_dlbasic._backends.generators import (
    generators_kept,
    set_shared_state,
    shared_state,
)


class TracedDraws:
    """Has the plain and the watched step of a fit draw the same while they are traced.

    What Python code of the user's draws there, from `random` or `numpy.random`, becomes
    a constant of the compiled step. Without a monitor it is drawn once. So whichever
    step is traced second draws from where the first one began, and leaves the
    generators as they are.
    """

    def __init__(self) -> None:
        self._starts: dict[Any, Any] = {}
        self._traced: dict[Any, set[bool]] = {}
        self._open: list[Any] = []  # what is traced for the first time

    def is_new(self, is_tapped: bool, spec: Any) -> bool:
        """Return whether a step is still to be traced.

        Args:
            is_tapped: Whether it is the watched step.
            spec: What the batch looks like, as far as a step is traced for that.
        """
        return is_tapped not in self._traced.get(spec, ())

    @contextmanager
    def tracing(self, is_tapped: bool, spec: Any) -> Iterator[None]:
        """Return a context for the tracing of a step; arguments as for `is_new`."""
        # The step that is traced first draws as it would without a monitor, and the
        # state before is noted. The second starts from the same state, and what it
        # draws is undone.
        traced = self._traced.setdefault(spec, set())
        traced.add(is_tapped)
        if len(traced) > 1:
            with generators_kept():
                set_shared_state(self._starts[spec])
                yield
            return
        self._starts[spec] = shared_state()
        self._open = [spec]
        try:
            yield
        finally:
            self._open = []

    def note_trace(self) -> None:
        """Note that the watched step begins to be traced.

        TensorFlow traces a step that makes variables once more, and uses that.
        """
        for spec in self._open:
            self._starts[spec] = shared_state()
