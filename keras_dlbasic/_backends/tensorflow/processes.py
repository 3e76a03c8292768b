"""The processes that train one model together, on TensorFlow."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._backends.processes import Processes


def processes_of(model: Any) -> Processes:
    """Return them, as the cluster of the model's strategy has them.

    There is no board for them: Keras trains no such models.
    """
    strategy = getattr(model, "distribute_strategy", None)
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None:
        return Processes()
    workers = resolver.cluster_spec().as_dict()
    tasks = [
        (kind, number)
        for kind in ("chief", "worker")
        for number in range(len(workers.get(kind, ())))
    ]
    own = resolver.task_type, resolver.task_id
    if len(tasks) < 2 or own not in tasks:
        return Processes()
    return Processes(tasks.index(own), len(tasks))


def is_in_parts(model: Any) -> bool:
    """Return whether no process has all weights of a model at hand: none is so."""
    return False
