"""The side of a study that runs one trial, in whatever process."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_dlbasic._trials.generator_guard import own_generators
from keras_dlbasic._trials.serialization import unpack
from keras_dlbasic._trials.threads import backend_threads, with_threads
from keras_dlbasic.records import TrialResult

_one_at_a_time = threading.RLock()
_unpacked: dict[bytes, Any] = {}

TrialFunction = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


class DivergedError(ArithmeticError):
    """Raised by a trial whose loss became non-finite.

    Args:
        message: When and how, in one line.
        values: What was measured until then.
    """

    def __init__(self, message: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.values = dict(values or {})


def attempt(
    function: TrialFunction,
    settings: Mapping[str, Any],
    shared: Any,
    *,
    parallel: bool = False,
) -> TrialResult:
    """Run a trial; what goes wrong in it becomes a row.

    All random generators start from `settings["seed"]`. Those of Python and NumPy are
    put back afterwards. In one process, trials run one at a time: what they seed
    belongs to the process.
    """
    seed = int(settings["seed"])
    with _one_at_a_time, own_generators(seed):
        keras.utils.set_random_seed(seed)
        status, values, error = "done", {}, ""
        try:
            values = dict(function(settings, shared))
        except DivergedError as diverged:
            status, values, error = "diverged", diverged.values, str(diverged)
        except Exception as failure:
            # the first line: Keras' messages are long, and a row is a line
            first = (str(failure).strip().splitlines() or [""])[0]
            status, error = "failed", f"{type(failure).__name__}: {first}"
        finally:
            gc.collect()
        result = TrialResult(
            dict(settings), status, values, error, parallel, backend_threads()
        )
        # the same form whether it comes from here, a file or another process
        return TrialResult.from_json(result.to_json())


def attempt_packed(packed: bytes, settings: Mapping[str, Any]) -> str:
    """Run a trial that came from another process; return its row as JSON."""
    with _one_at_a_time:
        if packed not in _unpacked:
            _unpacked.clear()
            _unpacked[packed] = unpack(packed)
        backend, threads, function, shared = _unpacked[packed]
    if keras.backend.backend() != backend:
        return TrialResult(
            dict(settings),
            "lost",
            error=f"the study runs on {backend}, this process on "
            f"{keras.backend.backend()}: set KERAS_BACKEND={backend} where its "
            "workers start",
            parallel=True,
        ).to_json()
    with with_threads(threads):
        return attempt(function, settings, shared, parallel=True).to_json()
