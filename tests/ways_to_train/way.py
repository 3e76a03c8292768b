"""What a way to train is, and what comes out of it with and without a monitor."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import models
import numpy as np
import reference

import keras_dlbasic as kd

BACKEND = keras.backend.backend()
WORKS = "works"
Monitor = kd.callbacks.GradientNormMonitor
SGD = keras.optimizers.SGD


@dataclass
class Trained:
    """What is left of one or several fits.

    Attributes:
        model: The model, or several.
        norms: By step of the record, the gradient norms that are right.
        record: The record, if not that of the monitor.
    """

    model: object
    norms: dict[int, list[float]] = field(default_factory=dict)
    record: object = None


@dataclass(frozen=True)
class Way:
    """A way to train.

    Attributes:
        title: What it is, for readers.
        train: Trains with a monitor, or with None.
        expected: By backend: `WORKS`; `"refused: ..."` with words of our warning;
            `"Keras refuses: ..."` with words of Keras' error; no entry: not applicable.
            What a later Keras does follows as `"; from Keras 3.16: ..."`.
        devices: Whether it needs two devices, so a process of its own.
        processes: Whether it needs two processes: `gradients/test_two_processes.py`
            trains it, and not `train`.
        runs: `"always"`: in the tests of each backend; `"once"`: in those of one;
            `"everywhere"`: in `make test-everywhere`; of those on two devices a
            backend's name, too: on that one.
    """

    title: str
    train: Callable[[object], Trained]
    expected: dict[str, str]
    devices: bool = False
    processes: bool = False
    runs: str = "everywhere"


def outcome(way):
    """Train without and with a monitor; return what came out, as text.

    Raises:
        AssertionError: If a number is wrong or anything but the record differs.
    """
    results = []
    for monitor in (None, Monitor(every=1)):
        if not way.devices:  # replicas lose their ways of communication
            keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                results.append(way.train(monitor))
            except Exception as error:
                results.append(error)
    plain, watched = results
    refused = [str(w.message) for w in said if "not watched" in str(w.message)]
    if isinstance(plain, Exception):
        assert type(plain) is type(watched), f"{plain!r} became {watched!r}"
        return f"Keras refuses: {plain} {' '.join(refused)}"
    if isinstance(watched, Exception):
        raise watched
    assert _left(plain) == _left(watched), "watching changed what was trained"
    if refused:
        assert len(refused) == 1
        return f"refused: {refused[0]}"
    record = watched.record or monitor.record
    assert len(record.steps), "nothing was measured and nothing said"
    for step, norms in watched.norms.items():
        row = record.steps.tolist().index(step)
        scale = np.linalg.norm(norms)
        np.testing.assert_allclose(
            record.gradient_norm[row], norms, rtol=1e-5, atol=1e-6 * scale
        )
    return WORKS


def says(found, expected):
    """Tell whether an outcome is the expected one, with the words in it."""
    expected, _, later = expected.partition("; from Keras ")
    first, _, since = later.partition(": ")
    if first and tuple(map(int, first.split("."))) <= reference.KERAS:
        expected = since
    verdict, _, words = expected.partition(": ")
    return found.startswith(verdict) and words in found


def _left(trained):
    several = trained.model if isinstance(trained.model, list) else [trained.model]
    return [
        array.tobytes()
        for model in several
        for array in reference.arrays([*model.variables, *model.optimizer.variables])
    ]


def norms_at(make, x, y, step, batch_size=8):
    """Return gradient norms by autodiff at a step of an unshuffled epoch."""
    twin = make()
    if step:
        n = step * batch_size
        first = {"batch_size": batch_size, "verbose": 0, "shuffle": False}
        twin.fit(x[:n], y[:n], **first)
    rows = slice(step * batch_size, (step + 1) * batch_size)
    if not twin.built:
        twin(x[rows])
    found = reference.gradients(twin, x[rows], y[rows])
    return [reference.norm(gradient) for gradient in found]


def maker(name, optimizer, prepare=None, **compile_args):
    """Return a function that makes a model of `models`, ready for `fit`."""

    def make():
        model, _, _, loss = models.make(name)
        if prepare is not None:
            model = prepare(model) or model
        model.compile(optimizer=optimizer(), loss=loss, **compile_args)
        return model

    return make


def momentum():
    return SGD(0.1, momentum=0.9)


def fitted(
    monitor,
    *,
    name="mlp",
    optimizer=momentum,
    steps=(0,),
    fit=None,
    **made,
):
    """Train a model of `models` for two epochs; norms are those of autodiff."""
    _, x, y, _ = models.make(name)
    make = maker(name, optimizer, **made)
    watched = monitor is not None
    norms = {step: norms_at(make, x, y, step) for step in steps if watched}
    model = make()
    callbacks = [monitor] if watched else []
    given = {"epochs": 2, "shuffle": False, "callbacks": callbacks, **(fit or {})}
    model.fit(x, y, batch_size=8, verbose=0, **given)
    return Trained(model, norms)


BACKENDS = ("tensorflow", "jax", "torch")
EVERYWHERE = dict.fromkeys(BACKENDS, WORKS)
TENSORFLOW, JAX, TORCH = ({name: WORKS} for name in BACKENDS)

ALL: list[Way] = []
"""The compatibility matrix, in the order in which the guide shows it."""


def way(title, expected, **more):
    """Add a function that trains to the matrix; see `Way`."""

    def add(train):
        ALL.append(Way(title, train, expected, **more))
        return train

    return add
