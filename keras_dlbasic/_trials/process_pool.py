"""Processes in which Keras can run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from itertools import takewhile
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole
from keras_dlbasic._trials.slot_executor import SlotExecutor
from keras_dlbasic._wrong_arguments import names_nearest

PINNING = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""What makes a process see one accelerator only, of NVIDIA and of AMD."""


@names_nearest
def process_pool(
    max_workers: int | None = None,
    *,
    idle_seconds: float | None = None,
    devices: int | Sequence[int | str] | None = None,
) -> Executor:
    """Return a pool of processes in which Keras can run, for `run(executor)`.

    The processes are not forked, because a forked process with a running backend may
    hang. They are reused for all trials and studies until the pool is shut down. An
    exception within `with`, such as an interrupt, ends them at once. If a process dies,
    it is replaced, and its trial is tried once more. Functions of a script or a
    notebook are pickled by value (cloudpickle), so no `if __name__ == "__main__":` is
    needed. Each process needs time and memory to import the backend, and memory for a
    copy of the data.

    Args:
        max_workers: Number of processes. Defaults to None: one per processor, or one
            for each of `devices`.
        idle_seconds: Processes end after this many seconds without work, and are
            restarted when needed. Defaults to None: they do not end.
        devices: The accelerators, one for each process: a list of their numbers, such
            as `[0, 1, 2, 3]`, or a number `n` for the first `n`. A process sees only
            its own accelerator (`CUDA_VISIBLE_DEVICES`) on all backends; for `"cpu"` in
            the list it sees none. The main process should not use these accelerators,
            because TensorFlow and JAX reserve all memory of the devices they see.
            Defaults to None: each process sees the same devices as this one.

    Returns:
        A `concurrent.futures.Executor`.

    Raises:
        ValueError: If `devices` is invalid, if there are fewer devices than
            `max_workers`, or if a device is not visible to this process
            (`CUDA_VISIBLE_DEVICES`, `HIP_VISIBLE_DEVICES`).

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
    own = {"KERAS_BACKEND": keras.backend.backend()}
    if devices is None:
        number = _processors() if max_workers is None else _workers(max_workers)
        environments = [own] * number
    else:
        named = _devices(devices)
        if max_workers is not None and _workers(max_workers) > len(named):
            raise ValueError(
                "Each process is given a device of its own. Received: max_workers="
                f"{max_workers!r}, devices={devices!r}"
            )
        environments = [{**own, **_pinned(one)} for one in named[:max_workers]]
    return SlotExecutor([_Process(each, idle_seconds) for each in environments])


class _Process:
    """The place of one process, of the package loky."""

    def __init__(self, environment: dict[str, str], idle_seconds: float | None) -> None:
        self._environment, self._idle = environment, idle_seconds
        self._pool: Any = None

    def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if self._pool is None:
            self._pool = self._started()
        try:
            return self._pool.submit(function, *args).result()
        except BrokenExecutor:
            self.close(kill=True)
            raise

    def _started(self) -> Executor:
        # not at the top: only who asks for processes needs loky
        from loky import ProcessPoolExecutor

        return ProcessPoolExecutor(
            1,
            timeout=self._idle,
            env=self._environment,
            initializer=_start_backend,
        )

    def close(self, *, kill: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=kill)


def _start_backend() -> None:
    # loky starts a process anew that grows by 300 MB after its first task
    keras.ops.zeros(())


def _processors() -> int:
    from loky import cpu_count

    return int(cpu_count())


def _workers(number: Any) -> int:
    check_whole("max_workers", number)
    return int(number)


def _devices(given: Any) -> list[int | str]:
    if isinstance(given, str):
        found: list[Any] = [given]
    elif isinstance(given, Iterable):
        found = list(given)
    else:
        check_whole("devices", given)
        found = list(range(int(given)))
    if not found or not all(_is_device(one) for one in found):
        raise ValueError(
            "`devices` must be a number of devices, or their numbers, or 'cpu'. "
            f"Received: devices={given!r}"
        )
    return [one if isinstance(one, str) else int(one) for one in found]


def _is_device(one: Any) -> bool:
    if isinstance(one, str):
        return one == "cpu" or one.startswith(("GPU-", "MIG-"))
    is_whole = isinstance(one, (int, np.integer)) and not isinstance(one, bool)
    return bool(is_whole and one >= 0)


def _pinned(device: int | str) -> dict[str, str]:
    """Return the environment in which a process sees one device only."""
    if device == "cpu":
        return {**dict.fromkeys(PINNING, "-1"), "JAX_PLATFORMS": "cpu"}
    if isinstance(device, str):
        return {PINNING[0]: device}
    return {variable: _visible(variable, device) for variable in PINNING}


def _visible(variable: str, device: int) -> str:
    """Return what the device is called, whose number counts what this process sees."""
    seen = os.environ.get(variable)
    if seen is None:
        return str(device)
    # what comes after -1 or an empty name is not visible
    names = [name.strip() for name in seen.split(",")]
    names = list(takewhile(lambda name: name not in ("", "-1"), names))
    if device >= len(names):
        raise ValueError(
            "`devices` must be visible to this process, and are counted from 0 among "
            f"those that are. Received: device {device}, where {variable}={seen!r} "
            f"shows {len(names)}"
        )
    return names[device]
