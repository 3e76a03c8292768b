"""The side of a study that runs one trial, in whatever process."""

from __future__ import annotations

import gc
import pickle
import threading
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_dlbasic._trials.lone_worker import LoneWorker
from keras_dlbasic._trials.seeded import seeded
from keras_dlbasic._trials.seeded_model import SharedModelError
from keras_dlbasic._trials.serialization import pack
from keras_dlbasic._trials.surroundings import Surroundings
from keras_dlbasic._trials.threads import backend_threads
from keras_dlbasic.records import TrialResult

_one_at_a_time = threading.RLock()
_unpacked: dict[bytes, Any] = {}
_lone_worker = LoneWorker()

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
    """Run a trial; what goes wrong in it becomes a row, but for a shared model.

    All random generators start from `settings["seed"]` and are put back afterwards. In
    one process, trials run one at a time: what they seed belongs to the process.
    """
    with _one_at_a_time, seeded(settings["seed"]):
        status, values, error = "done", {}, ""
        try:
            values = dict(function(settings, shared))
        except DivergedError as diverged:
            status, values, error = "diverged", diverged.values, str(diverged)
        except SharedModelError:
            raise  # no other trial can do better, and none has trained yet
        except Exception as failure:
            # the first line: Keras' messages are long, and a row is a line
            first = (str(failure).strip().splitlines() or [""])[0]
            status, error = "failed", f"{type(failure).__name__}: {first}"
        finally:
            # Models refer to themselves in cycles, so their memory would wait for
            # Python to look.
            gc.collect()
        result = TrialResult(
            dict(settings), status, values, error, parallel, backend_threads()
        )
        # the same form whether it comes from here, a file or another process
        return TrialResult.from_json(result.to_json())


def pack_trial(function: TrialFunction, shared: Any) -> bytes:
    """Return what `attempt_packed` needs besides the settings of a trial.

    Raises:
        TypeError: If something in it cannot travel.
    """
    return pack((Surroundings.here(), function, shared))


def attempt_packed(packed: bytes, settings: Mapping[str, Any]) -> str:
    """Run a trial that came from elsewhere; return its row as JSON.

    Other threads of this process, such as the event loop of a Dask worker, draw from
    the generators that a trial is seeded by. So beside them it gets a process.
    """
    with _one_at_a_time:
        if _lone_worker.is_needed():
            return _lone_worker.run(attempt_here, packed, settings)
        return attempt_here(packed, settings)


def attempt_here(packed: bytes, settings: Mapping[str, Any]) -> str:
    """Do the same in this process."""
    # All trials of a study bring the same bytes. They hold the data set, so each
    # process unpacks them once.
    if packed not in _unpacked:
        _unpacked.clear()
        try:
            _unpacked[packed] = pickle.loads(packed)
        except (ImportError, AttributeError) as error:
            # functions of modules travel by name
            return _lost(
                settings,
                "the worker cannot import what the trial needs "
                f"({type(error).__name__}: {error}). Make the module importable there: "
                'PYTHONPATH, Ray `runtime_env={"working_dir": "."}`, Dask '
                "`client.upload_file`",
            )
    surroundings, function, shared = _unpacked[packed]
    if keras.backend.backend() != surroundings.backend:
        return _lost(
            settings,
            f"the study runs on {surroundings.backend}, this process on "
            f"{keras.backend.backend()}: set KERAS_BACKEND={surroundings.backend} "
            "where its workers start",
        )
    with surroundings.brought_here():
        return attempt(function, settings, shared, parallel=True).to_json()


def _lost(settings: Mapping[str, Any], error: str) -> str:
    return TrialResult(dict(settings), "lost", error=error, parallel=True).to_json()
