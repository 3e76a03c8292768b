"""Processes in which Keras can run."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import keras

from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
def process_pool(
    max_workers: int | None = None, *, idle_seconds: float | None = None
) -> Executor:
    """Return a pool of processes in which Keras can run, for `run(executor)`.

    Its processes start fresh: a forked copy of a process with a running backend may
    hang. They are used again from trial to trial and from study to study, until the
    pool is shut down. An exception within `with`, such as an interrupt, ends them at
    once. Functions of a script or a notebook are sent as their code (cloudpickle), so
    no `if __name__ == "__main__":` is needed.

    A process costs the seconds that importing the backend takes, its memory, and a
    copy of the data.

    Args:
        max_workers: How many processes. Defaults to None: one a processor.
        idle_seconds: After how many seconds without work processes end; they start
            anew when they are needed. Defaults to None: they stay.

    Returns:
        A `concurrent.futures.Executor`, of the package loky.

    Example:
    >>> import keras_dlbasic as kd
    >>> def square(settings, shared):
    ...     return {"y": settings["seed"] ** 2}
    >>> runner = kd.studies.TrialRunner(square, verbose=0)
    >>> finished = runner.run([{"seed": 3}])
    >>> with kd.studies.process_pool(2) as executor:  # only new trials need a process
    ...     runner.run([{"seed": 3}], executor)[0].values
    {'y': 9}
    """
    # not at the top: only who asks for processes needs loky
    from loky import ProcessPoolExecutor

    # After an error in the `with` block, such as an interrupt, nobody waits for the
    # trials that still run: their processes end at once.
    class Pool(ProcessPoolExecutor):
        def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
            self.shutdown(wait=True, kill_workers=kind is not None)

    return Pool(
        max_workers,
        timeout=idle_seconds,
        env={"KERAS_BACKEND": keras.backend.backend()},
        initializer=_start_backend,
    )


def _start_backend() -> None:
    # loky starts a process anew that grows by 300 MB after its first task
    keras.ops.zeros(())
