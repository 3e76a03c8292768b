"""Hooks of callbacks that never raise into training."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.processes import processes_of


def guarded(hook: Callable[..., Any]) -> Callable[..., None]:
    """Decorate a hook of a callback that watches, so that it never raises into `fit`.

    An error becomes a warning, one in a fit, and training goes on. In `on_train_begin`
    errors of the user's arguments (`ValueError`, `TypeError`) are raised as ever; after
    any other error there, or if it returns False, the callback does nothing in this
    fit.
    """
    if hook.__name__ == "on_train_begin":
        return _guarded_begin(hook)

    @wraps(hook)
    def safe(callback: Any, *args: Any, **kwargs: Any) -> None:
        if vars(callback).get("_is_off"):
            return
        try:  # no context, which would be made at each step
            hook(callback, *args, **kwargs)
        except Exception as error:
            if not guard_of(callback).catch(error):
                raise

    return safe


def _guarded_begin(hook: Callable[..., Any]) -> Callable[..., None]:
    @wraps(hook)
    def safe(callback: Any, *args: Any, **kwargs: Any) -> None:
        # `_is_off` stays set if the hook fails. All other hooks do nothing then, since
        # what they need was never made.
        callback._guard = Guard()
        callback._is_off = True
        with callback._guard.on_host(ValueError, TypeError):
            processes = processes_of(callback._model)
            callback._guard.is_silent = processes.is_silent
            callback._is_off = hook(callback, *args, **kwargs) is False

    return safe


def guard_of(callback: Any) -> Guard:
    """Return the guard of the fit that a callback watches.

    Callbacks that share a `FitWatch` share its guard, and so its one warning.
    """
    watch = vars(callback).get("_watch")
    own = vars(callback).get("_guard") if watch is None else watch.guard
    return own or Guard()  # its hooks are called by hand
