"""Workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import cloudpickle
import keras

from keras_dlbasic._trials.slot_executor import SlotExecutor
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
def ray_executor(
    max_workers: int, *, num_cpus: float = 1, num_gpus: float = 0, **options: Any
) -> Executor:
    """Return an executor whose workers are actors of a Ray cluster.

    Ray gives each actor the requested resources; it sees no other accelerators. If an
    actor dies, it is replaced, and its trial is tried once more.

    Connect first with `ray.init(address="auto")`; without a cluster Ray starts one on
    this machine. This package and the backend must be installed on the nodes. Shutting
    down the executor ends the actors; the connection stays open.

    Args:
        max_workers: Number of actors.
        num_cpus: Number of processors of each actor. Defaults to 1.
        num_gpus: Number of accelerators of each actor. Defaults to 0.
        **options: Further options of an actor, such as `resources` or `runtime_env`.

    Returns:
        A `concurrent.futures.Executor`.

    Raises:
        ImportError: If Ray is not installed.
        ValueError: If `max_workers` is not at least 1.

    Example, with a `study` and Ray installed:
    >>> import keras_dlbasic as kd
    >>> executor = kd.studies.ray_executor(4, num_gpus=1)  # doctest: +SKIP
    >>> result = study.run(executor)  # doctest: +SKIP
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError(
            "`ray_executor` needs Ray. Install it: pip install 'keras_dlbasic[ray]'"
        ) from error
    if isinstance(max_workers, bool) or not max_workers >= 1:
        raise ValueError(
            f"`max_workers` must be at least 1. Received: max_workers={max_workers!r}"
        )
    if not ray.is_initialized():
        ray.init()
    environment = dict(options.pop("runtime_env", {}))
    backend = {"KERAS_BACKEND": keras.backend.backend()}
    environment["env_vars"] = {**backend, **environment.get("env_vars", {})}
    asked = {
        "num_cpus": num_cpus,
        "num_gpus": num_gpus,
        "runtime_env": environment,
        **options,
    }
    return SlotExecutor([_Actor(ray, asked) for _ in range(max_workers)])


class _Worker:
    """What runs in an actor: calls, as cloudpickle packs them."""

    def run(self, packed: bytes) -> Any:
        function, args = cloudpickle.loads(packed)
        return function(*args)


class _Actor:
    """The place of one actor."""

    def __init__(self, ray: Any, asked: dict[str, Any]) -> None:
        self._ray, self._asked = ray, asked
        self._actor: Any = None

    def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if self._actor is None:
            self._actor = self._ray.remote(_Worker).options(**self._asked).remote()
        call = self._actor.run.remote(cloudpickle.dumps((function, args)))
        try:
            return self._ray.get(call)
        except self._ray.exceptions.RayActorError:
            self._actor = None
            raise

    def close(self, *, kill: bool) -> None:
        actor, self._actor = self._actor, None
        if actor is not None:
            self._ray.kill(actor)
