"""Errors of what watches, kept away from what is watched."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_log = logging.getLogger("keras_dlbasic")


class Guard:
    """Catches errors that this package raises while it watches a fit.

    The first error is reported in one warning. `KeyboardInterrupt` and the like pass,
    and so does all that is raised outside of the guard's contexts: the user's own step,
    optimizer and callbacks.

    Args:
        is_silent: Whether another process says what there is to say. Defaults to
            `False`.

    Attributes:
        has_ended: Whether an error within a step ended the measuring of steps.
    """

    def __init__(self, *, is_silent: bool = False) -> None:
        self.has_ended = False
        self.is_silent = is_silent
        self._message: str | None = None
        self._has_warned = False

    @contextmanager
    def in_step(self) -> Iterator[None]:
        """Catch errors while a step is traced or run; the first ends the measuring.

        The warning waits for `warn`, to be called after the step: where warnings are
        errors, one raised within a step of JAX would cost the model its weights.
        """
        try:
            yield
        # A row of a part of a step would look like a whole one. So none is made, now or
        # later in this fit, while the logs of the epochs go on being kept.
        except Exception as error:
            self.has_ended = True
            self._note(error)

    def on_host(self, *passing: type[Exception]) -> _OnHost:
        """Return a context that catches errors between steps and reports the first.

        Args:
            *passing: Errors that are not caught: those of the user's arguments.
        """
        return _OnHost(self, passing)

    def catch(self, error: Exception, *passing: type[Exception]) -> bool:
        """Report an error between steps, if it is the first; tell whether it ends here.

        For hooks that are called at each step, where a context would cost more.

        Args:
            error: What was raised.
            *passing: Errors to raise again, as in `on_host`.
        """
        # a warning is an error only where the user wants it to be
        if isinstance(error, (Warning, *passing)):
            return False
        self._note(error)
        self.warn()
        return True

    def warn(self) -> None:
        """Report what was caught, once in a fit."""
        if self._message is None or self._has_warned:
            return
        self._has_warned = True
        ending = (
            "No further step of this fit is measured."
            if self.has_ended
            else "What failed is missing from the record."
        )
        self.say(
            f"A part of this fit could not be measured: {self._message}. The training "
            f"itself is not affected and goes on. {ending} This is an error in "
            "keras_dlbasic: please report it."
        )

    def say(self, message: str) -> None:
        """Warn, in one of the processes that train together."""
        if not self.is_silent:
            warnings.warn(message, stacklevel=3)

    def _note(self, error: Exception) -> None:
        _log.debug("could not be measured", exc_info=error)
        if self._message is None:  # text only: an error keeps a whole step alive
            frame = traceback.extract_tb(error.__traceback__)[-1]
            self._message = (
                f"{type(error).__name__}: {error} (in `{frame.name}`, "
                f"{frame.filename}, line {frame.lineno})"
            )


class _OnHost:
    """A context of `Guard.on_host`.

    Callbacks enter some for each step, and a generator would take twice as long.
    """

    __slots__ = ("_guard", "_passing")

    def __init__(self, guard: Guard, passing: tuple[type[Exception], ...]) -> None:
        self._guard = guard
        self._passing = passing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        return isinstance(error, Exception) and self._guard.catch(error, *self._passing)
