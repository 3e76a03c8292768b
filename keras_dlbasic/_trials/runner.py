"""Many trials: one after the other or on an executor, kept, resumed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras

from keras_dlbasic._trials.progress import TrialProgress
from keras_dlbasic._trials.store import (
    DirectoryStore,
    MemoryStore,
    TrialStore,
    settings_key,
)
from keras_dlbasic._trials.worker import (
    TrialFunction,
    attempt,
    attempt_packed,
    pack_trial,
)
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records import TrialResult


@names_nearest
class TrialRunner:
    """Runs the trials of a study.

    All trials with the same seed start from the same initial weights. An exception or a
    diverged loss is reported in the result of the trial; the other trials still run.
    Finished trials are saved and not run again: in `directory`, or else in memory.

    Args:
        function: `function(settings, shared)` runs one trial and returns its
            measurements by name: numbers, strings, arrays. It raises
            `DivergedError(message, values)` if the loss became non-finite.
        shared: Object that is passed to all trials: data, `build_model`, options.
        about: Description of the study, as strings and numbers. If `directory` has
            trials with another description, an error is raised.
        directory: Folder in which finished trials are saved. Defaults to None: they are
            kept in memory only.
        overwrite: Whether to delete the trials in `directory`. Defaults to `False`:
            they are not run again, as in KerasTuner.
        verbose: 0 or 1: whether to print the results of the trials.

    Example:
    >>> from keras_dlbasic.studies import TrialRunner
    >>> def square(settings, shared):
    ...     return {"y": settings["x"] ** 2 + shared}
    >>> runner = TrialRunner(square, 1, verbose=0)
    >>> [r.values["y"] for r in runner.run([{"x": x, "seed": 0} for x in (1, 2)])]
    [2, 5]
    """

    def __init__(
        self,
        function: TrialFunction,
        shared: Any = None,
        *,
        about: Mapping[str, Any] | None = None,
        directory: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> None:
        self._function, self._shared = function, shared
        self._verbose = verbose
        self._store: TrialStore = MemoryStore()
        if directory is not None:
            self._store = DirectoryStore(directory, about or {}, overwrite=overwrite)

    def run(
        self, trials: Iterable[Mapping[str, Any]], executor: Executor | None = None
    ) -> list[TrialResult]:
        """Run the trials that have not finished yet.

        Args:
            trials: The settings of each trial; `"seed"` must be among them.
            executor: Any `concurrent.futures.Executor`: `studies.process_pool()`,
                `studies.ray_executor(n)`, the executor of a Dask cluster
                (`client.get_executor()`) or of joblib (`loky.get_reusable_executor()`),
                ... A trial whose worker dies is tried once more; then its status is
                `"lost"`. Defaults to None: one after the other, in this process.

        Returns:
            One result per trial, in the order of `trials`.

        Raises:
            ValueError: If `executor` starts its processes by forking, or settings lack
                a seed.
            TypeError: If something cannot be pickled for the executor's processes.
        """
        wanted = [dict(settings) for settings in trials]
        for settings in wanted:
            if "seed" not in settings:
                raise ValueError(f"Settings must have a 'seed'. Received: {settings}")
        results: dict[str, TrialResult] = {}
        for settings in wanted:
            known = self._store.get(settings)
            if known is not None:
                results[settings_key(settings)] = known
        # Finished trials are known by their settings, not by their place, so that an
        # interrupted study goes on, and a longer one takes up what a shorter one had.
        waiting = [s for s in wanted if settings_key(s) not in results]
        with self._progress(len(wanted), results) as progress:
            for result in self._fresh(waiting, executor):
                # A lost trial says nothing of its settings: the process may have been
                # killed. It is not kept, so that the next run tries it again.
                if result.status != "lost":
                    self._store.add(result)
                results[settings_key(result.settings)] = result
                if progress is not None:
                    progress.add(result)
        return [results[settings_key(settings)] for settings in wanted]

    def _fresh(
        self, waiting: Sequence[Mapping[str, Any]], executor: Executor | None
    ) -> Iterator[TrialResult]:
        if executor is None:
            for settings in waiting:
                yield attempt(self._function, settings, self._shared)
        elif waiting:
            yield from self._on(executor, waiting)

    def _on(
        self, executor: Executor, waiting: Sequence[Mapping[str, Any]]
    ) -> Iterator[TrialResult]:
        _refuse_fork(executor)
        # Packed once and not by the executor for each trial: what is shared holds the
        # data set. Packing also finds out here, and not in a worker, what cannot
        # travel.
        packed = pack_trial(self._function, self._shared)
        with _environment("KERAS_BACKEND", keras.backend.backend()):
            futures: dict[Future[str], Mapping[str, Any]] = {}
            again: list[Mapping[str, Any]] = []
            try:
                for settings in waiting:
                    future = executor.submit(attempt_packed, packed, settings)
                    futures[future] = settings
                for future in as_completed(futures):
                    if not future.cancelled() and future.exception() is None:
                        yield _received(future, futures[future])
                    else:
                        again.append(futures[future])
                # A worker that died says nothing of its trial: another one may do it.
                # They come last, one at a time, lest one takes others with it again.
                for settings in again:
                    yield _second_try(executor, packed, settings)
            finally:
                for future in futures:
                    future.cancel()

    def _progress(
        self, n: int, finished: Mapping[str, TrialResult]
    ) -> AbstractContextManager[TrialProgress | None]:
        if not self._verbose or not n:
            return nullcontext()
        return TrialProgress(n, list(finished.values()))


def _second_try(
    executor: Executor, packed: bytes, settings: Mapping[str, Any]
) -> TrialResult:
    try:
        future = executor.submit(attempt_packed, packed, settings)
    except Exception as error:  # an executor may be broken for good
        future = Future()
        future.set_exception(error)
    try:
        return _received(future, settings)
    finally:
        future.cancel()


def _received(future: Future[str], settings: Mapping[str, Any]) -> TrialResult:
    try:
        return TrialResult.from_json(future.result())
    except Exception as error:
        return TrialResult(
            dict(settings),
            "lost",
            error=f"no result came back, twice ({type(error).__name__}: {error})",
            parallel=True,
        )


def _refuse_fork(executor: Executor) -> None:
    context = getattr(executor, "_mp_context", None)
    if context is not None and context.get_start_method() == "fork":
        raise ValueError(
            "`executor` forks its processes, and a forked copy of a process with a "
            f"running {keras.backend.backend()} may hang. Use "
            "`keras_dlbasic.studies.process_pool()`, or a ProcessPoolExecutor with "
            "mp_context=multiprocessing.get_context('spawn')."
        )


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable for the processes that start meanwhile."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
