"""Targets that are compared with the outputs of all rows, read from a traced step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.row_pairs import short_side

SUBTRACTING = {"SquaredDifference", "Sub"}
SAME = {"Cast", "Identity", "StopGradient"}
READS = {"ReadVariableOp", "ResourceGather"}


@contextmanager
def row_pairs_seen(
    targets: list[Any], sink: Callable[[str], None], guard: Guard
) -> Iterator[None]:
    """Tell which side lacks an axis where the outputs of all rows meet each target.

    A step that runs eagerly leaves no graph to read.

    Args:
        targets: Targets of the batch.
        sink: Called with `"targets"` or `"outputs"`.
        guard: Catches errors of the watching; those of the step pass.
    """
    yield
    with guard.in_step():
        if not tf.executing_eagerly():
            known = {id(target) for target in targets}
            for operation in tf.compat.v1.get_default_graph().get_operations():
                side = _side(operation, known)
                if side is not None:
                    sink(side)


def _side(operation: Any, known: set[int]) -> str | None:
    if operation.type not in SUBTRACTING:
        return None
    one, other = operation.inputs
    for target, output in ((one, other), (other, one)):
        if id(_source(target)) in known and _reads_weights(output):
            return short_side(_shape(target), _shape(output))
    return None


def _shape(tensor: Any) -> tuple[int | None, ...]:
    return () if tensor.shape.rank is None else tuple(tensor.shape)


def _source(tensor: Any) -> Any:
    """Return the tensor of which one has the entries."""
    while tensor.op.type in SAME:
        tensor = tensor.op.inputs[0]
    return tensor


def _reads_weights(tensor: Any) -> bool:
    """Return whether a tensor is computed from variables."""
    waiting, seen = [tensor.op], set()
    while waiting:
        operation = waiting.pop()
        if operation.type in READS:
            return True
        if operation.name not in seen:
            seen.add(operation.name)
            waiting.extend(part.op for part in operation.inputs)
    return False
