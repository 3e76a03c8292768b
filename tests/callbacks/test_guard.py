"""Errors of this package never reach the user's training.

A failure is injected into each function of the package that runs in a watched fit: they
are found by watching one, so that a new one cannot be left out.
"""

import importlib
import inspect
import os
import pkgutil
import sys
import threading
import warnings
from contextlib import contextmanager
from functools import cache
from types import FunctionType

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd
from keras_dlbasic.gradients.backend_tap import BackendTap
from keras_dlbasic.gradients.measures import Kernels

C = kd.callbacks
BACKEND = keras.backend.backend()
SGD = keras.optimizers.SGD
X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X[:, :1] + 1

TRIES_ALL = BACKEND == "torch" or bool(os.environ.get("EVERYWHERE"))
SPARSE = 1 if TRIES_ALL else 20
"""Where each fit is compiled, `make test` tries one function in twenty."""

FAR = 1 if TRIES_ALL else 3
"""Of what neither watches nor touches a step, it tries one in three there."""

VALIDATION = (X[:4], Y[:4]) if TRIES_ALL else None
"""It would be compiled for each of them, too."""

OPTIMIZERS = {
    "clipvalue": lambda: SGD(0.1, clipvalue=0.5),
    "clipnorm": lambda: SGD(0.1, clipnorm=0.5, gradient_accumulation_steps=2),
    "own code": lambda: SGD(0.1),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(SGD(0.1)),
    "late": lambda: SGD(0.1),
}
WATCHERS = {
    "monitor": lambda: [C.GradientNormMonitor(every=1)],
    "now and then": lambda: [C.GradientNormMonitor(every=2)],
    "batch": lambda: [C.ActivationMonitor()],
    "doctor": lambda: [C.TrainingDoctor(X, Y)],
    "doctor without data": lambda: [C.TrainingDoctor()],
    "others": lambda: [
        C.GradientNormMonitor(every=1, verbose=1, stop_on_non_finite=True),
        C.ActivationMonitor(X, every=2, verbose=1),
        C.NormalizationMonitor(),
        C.PenaltyMonitor(verbose=1),
        C.OverfittingDetector(X, Y),
        C.EarlyStoppingReport(patience=9, verbose=1),
    ],
    "curvature": lambda: [C.CurvatureProbe(X, Y, every=2, max_products=2, rows=8)],
}
WAYS = {
    "monitor": ("clipvalue", "monitor"),
    "accumulation": ("clipnorm", "monitor"),
    "loss scaling": ("scaled", "monitor"),
    "batch": ("clipvalue", "batch"),
    "own code": ("own code", "now and then"),
    "doctor": ("clipvalue", "doctor"),
    "doctor without data": ("clipvalue", "doctor without data"),
    "others": ("clipvalue", "others"),
    "curvature": ("clipvalue", "curvature"),
    "late": ("late", "doctor"),
}
"""Ways to train: an optimizer, and who watches. What runs in several is tried in the
first of them, and the slowest come last."""

STEP = ("monitor", "accumulation", "own code", "late", "batch", "loss scaling")
"""Of these, those that differ between backends; the first have most in them."""

SKELETON = {
    "Guard": "the guard itself",
    "_OnHost": "the guard itself",
    "guard_of": "the guard itself",
    "TappedStep._measured": "runs the user's step within the guard",
    "TappedStep.guard": "returns the guard",
    "GradientTap._run": "runs the user's step beside the guard",
    "GradientTap._tracing": "runs the user's step beside the guard",
    "_PerThread.__call__": "calls the user's method",
    "GradientTap._put_back": "puts the user's train function back after all errors",
    "set_model": "looks whether a train function is there",
    "has_train_function": "looks whether a train function is there",
    "on_": "a hook; what it calls is guarded",
    "SafeUnlessOverridden": "is asked by Keras when `fit` begins",
    "EarlyStoppingReport": "stops as `EarlyStopping` does; its report is guarded",
    "StepCount": "counts",
    "stopped": "counts",
    "generalization_loss": "decides when to stop",
}
"""What is not injected into, by name or its beginning, and why."""

COMPILED_LOOKS = ("look", "by_unit", "unit_moments", "run_once")
"""Modules of what runs a model compiled; where it fails, the model is run layer by layer,
so that nothing is missing and nothing need be said."""


class Own(keras.layers.Layer):
    """Code of a user's that may draw, for all that can be told by reading it."""

    def call(self, x):
        return x + np.random.normal() if self.name == "noise" else 2 * x


def build(optimizer):
    keras.utils.set_random_seed(0)
    penalty = keras.regularizers.L2(0.01)
    layers = [
        keras.layers.Dense(2, "relu", kernel_regularizer=penalty),
        Own() if optimizer == "own code" else keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
    # one without an input gets its weights in the first step
    inputs = [] if optimizer == "late" else [keras.Input((3,))]
    model = keras.Sequential([*inputs, *layers])
    model.compile(optimizer=OPTIMIZERS[optimizer](), loss="mse")
    return model


def train(model, callbacks):
    """Return what a fit leaves behind, but for what is measured."""
    history = model.fit(
        X,
        Y,
        batch_size=4,
        epochs=2,
        verbose=0,
        validation_data=VALIDATION,
        callbacks=callbacks,
    ).history
    history.pop("global_gradient_norm", None)
    variables = [*model.variables, *model.optimizer.variables]
    return history, [array.tobytes() for array in reference.arrays(variables)]


@cache
def plain(optimizer):
    return train(build(optimizer), [])


@cache
def functions():
    """Return the functions of the package by their code, with module and name."""
    other = {"tensorflow", "jax", "torch"} - {BACKEND}
    found = {}
    for info in pkgutil.walk_packages(kd.__path__, "keras_dlbasic."):
        is_other = any(f"._backends.{name}" in info.name for name in other)
        if is_other or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for holder in (module, *filter(inspect.isclass, vars(module).values())):
            if holder is not module and holder.__module__ != info.name:
                continue
            prefix = "" if holder is module else f"{holder.__name__}."
            for name, value in vars(holder).items():
                function = _function(value)
                if function is not None and function.__module__ == info.name:
                    found.setdefault(function.__code__, (function, prefix + name))
    return found


def _function(value):
    value = getattr(value, "fget", value)  # of a property
    value = inspect.unwrap(getattr(value, "__func__", value))
    return value if isinstance(value, FunctionType) else None


def is_skeleton(name):
    return any(part.startswith(tuple(SKELETON)) for part in (name, name.split(".")[-1]))


@cache
def entries(way):
    """Return the functions that run in a watched fit, by name.

    Of what is further away from the step only those that another part of the package
    calls. Constructors of dataclasses, which only keep what they are given, and methods
    that call `super()`, which are hooks, are left out.
    """
    optimizer, watchers = WAYS[way]
    model, callbacks = build(optimizer), WATCHERS[watchers]()
    # by identity: the hash of a code object is made anew, of all its constants
    known, called = {id(code): f for code, f in functions().items()}, set()

    def profile(frame, event, arg):
        if event == "call" and id(frame.f_code) in known:
            part = part_of(frame.f_globals["__name__"])
            caller = part_of(frame.f_back.f_globals.get("__name__", ""))
            if part in WHOLE or part != caller:
                called.add(id(frame.f_code))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        train(model, callbacks)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    chosen = [known[code] for code in called]
    return {
        f"{function.__module__}.{name}": function
        for function, name in sorted(chosen, key=lambda pair: pair[1])
        if not is_skeleton(name)
        and function.__code__.co_filename != "<string>"
        and not function.__code__.co_freevars
    }


def part_of(module):
    """Return the part of the package that a module belongs to."""
    return [*module.split("."), ""][1] if module.startswith("keras_dlbasic") else ""


def fails(*args, **kwargs):
    raise RuntimeError("injected")


@contextmanager
def failing(function):
    """Have a function fail wherever it was imported to."""
    code, function.__code__ = function.__code__, fails.__code__
    try:
        yield
    finally:
        function.__code__ = code


def complaints(way, name, function):
    """Return what is wrong with a fit in which a function of ours fails."""
    optimizer, watchers = WAYS[way]
    model, callbacks = build(optimizer), WATCHERS[watchers]()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            with failing(function):
                left = train(model, callbacks)
        except Exception as error:
            return [f"{name}: raised {error!r}"]
    found = []
    if left != plain(optimizer):
        found.append(f"{name}: another training")
    ours = [str(w.message) for w in said if "could not be measured" in str(w.message)]
    # those of one fit share a guard, but for those that watch without the tap; what
    # cannot be judged is said in the diagnosis
    least, most = (1, 1) if way in STEP else (0, len(callbacks))
    if function.__module__.endswith(COMPILED_LOOKS):
        least = 0
    if not least <= len(ours) <= most:
        found.append(f"{name}: {len(ours)} warnings")
    if any("RuntimeError: injected" not in text for text in ours):
        found.append(f"{name}: {ours}")
    return found


PARTS = [info.name for info in pkgutil.iter_modules(kd.__path__) if info.ispkg]
ON_DEVICE = {"gradients", "_backends"}
"""What depends on the backend."""

WHOLE = {*ON_DEVICE, "callbacks"}
"""Parts of which each function is tried."""

CHOSEN = [
    pytest.param(
        way,
        part,
        # a fit is compiled for each function that is to fail
        marks=[pytest.mark.once] * (part not in ON_DEVICE or way != "monitor"),
    )
    for way in WAYS
    for part in PARTS
]


@pytest.mark.parametrize(("way", "part"), CHOSEN)
def test_failures_never_reach_the_user(way, part, capsys):
    """In each function of a part of the package, one after the other."""
    found = []
    tried = [
        (name, function)
        for name, function in entries(way).items()
        if part_of(name) == part and name not in seen_before(way)
    ]
    for name, function in tried[:: SPARSE if part in WHOLE else FAR]:
        found += complaints(way, name, function)
    capsys.readouterr()
    assert not found, "\n".join(found)


@cache
def seen_before(way):
    """Return the names of what runs in an earlier way, too."""
    earlier = list(WAYS)[: list(WAYS).index(way)]
    return {name for other in earlier for name in entries(other)}


def test_nothing_is_left_out():
    """All that a backend must have is among what is tried."""
    missing = {"update_of", "measure_row", "reduce_update", "number", "read", "of"}
    missing |= {"row_to_numpy", "append_step", "_first_rows", "_listen", "arm"}
    for protocol in (Kernels, BackendTap):
        methods = [n for n, v in vars(protocol).items() if inspect.isfunction(v)]
        missing |= {n for n in methods if n[0] != "_"}
    # PyTorch traces nothing, and on JAX models have weights before the first step
    missing -= {"torch": {"args_traced_in"}, "jax": {"trace"}}.get(BACKEND, set())
    if BACKEND != "tensorflow":  # Keras gives a model its weights before the first step
        missing.discard("trace")
    for way in STEP:  # each is compiled, so only as many as it takes
        if missing:
            missing -= {name.split(".")[-1] for name in entries(way)}
    assert not missing


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["step", "optimizer"])
def test_errors_of_the_user_pass(place, error):
    """Unchanged, with nothing said and nothing left on the model."""

    class Step(keras.Sequential):
        def train_step(self, *args):
            if place == "step":
                raise error("the user's")
            return super().train_step(*args)

    class Optimizer(SGD):
        def apply(self, *args, **kwargs):
            if place == "optimizer":
                raise error("the user's")
            return super().apply(*args, **kwargs)

    model = Step([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=Optimizer(0.1), loss="mse")
    with pytest.raises(error, match="the user's"):
        model.fit(X, Y, verbose=0, callbacks=[C.GradientNormMonitor(every=1)])
    assert not hasattr(vars(model)["train_function"], "keras_dlbasic_plain")
    assert "train_step" not in vars(model)
    assert "apply" not in vars(model.optimizer)


def test_interrupts_while_measuring_pass(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    kernels = (
        importlib.import_module("keras_dlbasic.gradients.backend_tap")
        .backend_tap()
        .kernels
    )
    monkeypatch.setattr(type(kernels), "dense", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(build("clipvalue"), [C.GradientNormMonitor(every=1)])


def test_measuring_ends_with_the_fit_in_which_it_failed():
    (of_rows,) = [f for f, name in functions().values() if name == "reduce_update"]
    model, monitor = build("clipvalue"), C.GradientNormMonitor(every=1)
    with failing(of_rows), pytest.warns(UserWarning, match="injected") as said:
        train(model, [monitor])
    assert sum("No further step" in str(w.message) for w in said) == 1
    assert len(monitor.record.steps) == 0
    assert len(monitor.record.epochs["loss"]) == 2
    train(model, [monitor])
    assert len(monitor.record.steps) == 6


@pytest.mark.once
def test_what_was_measured_before_a_failure_stays():
    (read,) = [f for f, name in functions().values() if name == "RowLayout.read"]
    model, monitor = build("clipvalue"), C.GradientNormMonitor(every=1)

    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                read.__code__ = fails.__code__

    code = read.__code__
    try:
        with pytest.warns(UserWarning, match="missing from the record"):
            train(model, [monitor, Break()])
    finally:
        read.__code__ = code
    assert monitor.record.steps.tolist() == [0, 1, 2]
    assert monitor.record.trained_steps == 6
