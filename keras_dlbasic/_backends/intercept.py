"""Methods of a user's objects, replaced on the instance for the time of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any

import keras

from keras_dlbasic._backends.row_layout import UNKNOWN
from keras_dlbasic._backends.update import Clipping, Group, Update

_MISSING = object()


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute of an instance, and put back what was there.

    The instance's dictionary is used directly, since Keras tracks what is set on its
    objects.
    """
    attributes = vars(owner)
    old = attributes.get(name, _MISSING)
    attributes[name] = value
    try:
        yield
    finally:
        if old is _MISSING:
            attributes.pop(name, None)
        else:
            attributes[name] = old


@contextmanager
def wrapped_method(
    owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """Replace a bound method by `make(method)` in a context, for this thread.

    Replicas of a distributed step are threads that enter and leave in any order; each
    must meet its own replacement, and the last one must leave nothing behind.
    """
    thread = get_ident()
    attributes = vars(owner)
    # The first thread puts a dispatcher on the instance, which calls for each thread
    # the method that it registered. Nested replacements within one thread wrap each
    # other.
    with _lock:
        present = attributes.get(name)
        if not isinstance(present, _PerThread):
            present = _PerThread(getattr(owner, name), attributes.get(name, _MISSING))
            attributes[name] = present
        outer = present.methods.get(thread)
        # within the lock: the last other thread to leave would take `present` away
        present.methods[thread] = outer or present.original
    try:
        present.methods[thread] = make(present.methods[thread])
        yield
    finally:
        # Undo in reverse order: an outer replacement of this thread comes back. When no
        # thread has one left, the attribute becomes what it was before the first.
        with _lock:
            if outer is not None:
                present.methods[thread] = outer
            else:
                del present.methods[thread]
            if not present.methods:
                if present.attribute is _MISSING:
                    attributes.pop(name, None)
                else:
                    attributes[name] = present.attribute


_lock = Lock()


class _PerThread:
    """A method of an instance that some threads have replaced."""

    def __init__(self, original: Callable[..., Any], attribute: Any) -> None:
        self.original = original
        self.attribute = attribute  # what the instance itself had under the name
        self.methods: dict[int, Callable[..., Any]] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.methods.get(get_ident(), self.original)(*args, **kwargs)


def update_of(optimizer: Any, variables: list[Any], gradients: list[Any]) -> Update:
    """Describe an update that `optimizer` is about to make."""
    scale: Any = 1.0
    skips = False
    inner = optimizer
    # The gradients that arrive here are still multiplied by the loss scale of each
    # wrapper, and by the scale of the optimizer inside. What is measured must be
    # divided by the product.
    while isinstance(inner, keras.optimizers.LossScaleOptimizer):
        # as in `LossScaleOptimizer.scale_loss`
        own = inner.dynamic_scale if inner.built else inner.initial_scale
        scale = keras.ops.multiply(scale, own) if skips else own
        skips = True
        inner = inner.inner_optimizer
    if getattr(inner, "loss_scale_factor", None) is not None:
        scale = keras.ops.multiply(scale, inner.loss_scale_factor)
    steps = getattr(inner, "gradient_accumulation_steps", None)
    groups = _groups(inner, variables)
    return Update(
        variables=variables,
        gradients=gradients,
        before=[],
        after=[],
        scale=scale,
        clipping=Clipping.of(inner),
        learning_rate=UNKNOWN if groups else _learning_rate(inner),
        accumulated=_accumulators(inner, variables) if steps else None,
        accumulation_steps=steps or 1,
        skips_non_finite=skips,
        groups=groups,
    )


def _groups(optimizer: Any, variables: list[Any]) -> list[Group]:
    """Return which optimizer of a `MultiOptimizer` updates which variables.

    Raises:
        ValueError: If one of them accumulates gradients: each then has steps of its
            own.
    """
    kind = getattr(keras.optimizers, "MultiOptimizer", None)  # from Keras 3.15 on
    if kind is None or not isinstance(optimizer, kind):
        return []
    optimizer.build(variables)  # as its first update would; else it does nothing
    places: dict[int, list[int]] = {}
    for place, variable in enumerate(variables):
        number = optimizer._var_to_optimizer_idx[optimizer._var_key(variable)]
        places.setdefault(number, []).append(place)
    used = {number: optimizer.optimizers[number] for number in sorted(places)}
    if any(getattr(o, "gradient_accumulation_steps", None) for o in used.values()):
        raise ValueError(
            "An optimizer within `MultiOptimizer` accumulates gradients, which is not "
            "measured."
        )
    return [
        Group(places[number], Clipping.of(one), _learning_rate(one))
        for number, one in used.items()
    ]


def _learning_rate(optimizer: Any) -> Any:
    schedule = getattr(optimizer, "_learning_rate", None)
    if callable(schedule) and not isinstance(
        schedule,
        (keras.Variable, keras.optimizers.schedules.LearningRateSchedule),
    ):
        return UNKNOWN  # calling it once more could change what it returns next
    return keras.ops.convert_to_tensor(optimizer.learning_rate)


def _accumulators(optimizer: Any, variables: list[Any]) -> list[Any]:
    """Return what has been accumulated for each variable, as tensors."""
    if not optimizer.built:
        return [keras.ops.zeros(v.shape, "float32") for v in variables]
    return [
        keras.ops.convert_to_tensor(
            optimizer._accumulated_gradients[optimizer._get_variable_index(variable)]
        )
        for variable in variables
    ]
