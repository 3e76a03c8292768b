"""Numbers whose random state is in TensorFlow's kernels, drawn in a watched fit."""

import warnings
from functools import cache

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow's operations", allow_module_level=True)

import tensorflow as tf

from keras_dlbasic._backends.tensorflow.tap import Tap

L = keras.layers
Monitor = kd.callbacks.GradientNormMonitor
RNG = np.random.default_rng(8)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = np.tanh(X.sum(axis=1, keepdims=True)).astype("float32")


def in_branch(x):
    return tf.cond(
        tf.reduce_mean(x) > 1e9,
        lambda: x,
        lambda: x + 0.1 * tf.random.normal(tf.shape(x)),
    )


def in_loop(x):
    def body(i, x):
        return i + 1, x * tf.random.uniform(tf.shape(x), 0.9, 1.1)

    # in parallel TensorFlow draws in any order, watched or not
    return tf.while_loop(lambda i, x: i < 2, body, [0, x], parallel_iterations=1)[1]


@tf.function(autograph=False)
def in_function(x):
    return in_branch(x)


DRAWS = {
    "normal": lambda x: x + 0.1 * tf.random.normal(tf.shape(x)),
    "op seed": lambda x: x + 0.1 * tf.random.normal(tf.shape(x), seed=3),
    "dropout": lambda x: tf.nn.dropout(x, 0.2),
    "cond": in_branch,
    "while": in_loop,
    "function": in_function,
}


class Draw(L.Layer):
    def __init__(self, kind, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind

    def call(self, x):
        return DRAWS[self.kind](x)


def make(kind, **compile_args):
    keras.backend.clear_session()
    keras.utils.set_random_seed(6)
    layers = [L.Dense(5, "tanh"), *([Draw(kind)] if kind else []), L.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse", **compile_args)
    return model


def fit(model, callback=None, epochs=2, **given):
    callbacks = [] if callback is None else [callback]
    given = {"batch_size": 8, "validation_data": (X[:8], Y[:8]), **given}
    fitted = model.fit(X, Y, epochs=epochs, verbose=0, callbacks=callbacks, **given)
    history = fitted.history
    history.pop("global_gradient_norm", None)
    return history


def left_by(kind, *callbacks, compile_args=None, **given):
    """Return what fits with these callbacks (or None) leave behind."""
    model = make(kind, **(compile_args or {}))
    logs = [fit(model, callback, **given) for callback in callbacks]
    return {
        "weights": [a.tobytes() for a in reference.arrays(model.variables)],
        "logs": logs,
        "eager draws": tf.random.normal((3,)).numpy().tolist(),
        "eager draws with a seed": tf.random.normal((3,), seed=3).numpy().tolist(),
    }


@cache
def unwatched(kind, fits=1, options=()):
    return left_by(kind, *(None,) * fits, **{k: dict([v]) for k, v in options})


def assert_same(seen, plain):
    assert [key for key in plain if seen[key] != plain[key]] == []


def given(name):
    return {
        "monitor": lambda: Monitor(every=2),
        "doctor": lambda: kd.callbacks.TrainingDoctor(X[:16], Y[:16], verbose=0),
        "gathering": lambda: kd.callbacks.TrainingDoctor(verbose=0),
        "activations": lambda: kd.callbacks.ActivationMonitor(X[:8], every=2),
        "curvature": lambda: kd.callbacks.CurvatureProbe(
            X[:16], Y[:16], every=1, max_products=3
        ),
        "overfitting": lambda: kd.callbacks.OverfittingDetector(
            tf.data.Dataset.from_tensor_slices((X[:16], Y[:16])).batch(8), verbose=0
        ),
    }[name]()


@pytest.mark.parametrize(
    "kind",
    # each compiles two steps: the others run in `make test-everywhere`
    [
        k if n < 1 else pytest.param(k, marks=pytest.mark.once)
        for n, k in enumerate(DRAWS)
    ],
)
def test_one_fit(kind):
    monitor = Monitor(every=2)
    with warnings.catch_warnings(action="error", category=UserWarning):
        assert_same(left_by(kind, monitor), unwatched(kind))
    # rows are only of the steps asked for, though all are watched
    assert monitor.record.steps.tolist() == list(range(0, 10, 2))


@pytest.mark.once
def test_a_loss_that_draws():
    def loss(y, predicted):
        return tf.square(y + 0.1 * tf.random.normal(tf.shape(y)) - predicted)

    results = []
    for callback in (None, Monitor(every=2)):
        model = make(None)
        model.compile("sgd", loss)
        results.append(fit(model, callback))
    assert results[0] == results[1]


@pytest.mark.once
@pytest.mark.parametrize("every", ["auto", 5])
def test_every(every):
    assert_same(left_by("normal", Monitor(every=every)), unwatched("normal"))


@pytest.mark.parametrize(
    "option",
    [
        ("steps_per_execution", 3),
        pytest.param(("run_eagerly", True), marks=pytest.mark.once),
    ],
)
def test_ways_to_train(option):
    plain = unwatched("normal", options=(("compile_args", option),))
    seen = left_by("normal", Monitor(every=5), compile_args=dict([option]))
    assert_same(seen, plain)


LOOKING = ["doctor", "gathering", "activations", "curvature", "overfitting"]


@pytest.mark.once
@pytest.mark.parametrize("name", LOOKING)
def test_looks_draw_nothing(name):
    assert_same(left_by("normal", given(name)), unwatched("normal"))


@pytest.mark.once
@pytest.mark.parametrize("kind", ["normal", "op seed"])
def test_looks_at_a_model_that_runs_eagerly(kind):
    """Its steps draw from what eager looks would draw from."""
    option = ("run_eagerly", True)
    plain = unwatched(kind, options=(("compile_args", option),))
    seen = left_by(kind, given("doctor"), compile_args=dict([option]))
    assert_same(seen, plain)


@pytest.mark.once
def test_reports_draw_nothing():
    drawn = []
    for look in (False, True):
        model = make("op seed")
        if look:
            kd.preflight(model, X, Y)
            kd.propagation_report(model, X, Y)
            kd.landscape.classify_point(model, X, Y, max_products=3)
        drawn.append([tf.random.normal((2,), seed=s).numpy() for s in (None, 3)])
    np.testing.assert_array_equal(drawn[0], drawn[1])


@pytest.mark.once
def test_fits_that_are_all_watched_are_one_stream():
    watched = [given(name) for name in ("monitor", "gathering")]
    assert_same(left_by("normal", *watched), unwatched("normal", fits=2))


def test_a_fit_after_an_unwatched_one_is_refused():
    """The plain step goes on where it is; no other step could."""
    monitor = Monitor(every=1)
    with pytest.warns(UserWarning, match="not watched") as said:
        seen = left_by("cond", None, monitor)
    assert_same(seen, unwatched("cond", fits=2))
    (message,) = [str(w.message) for w in said if "not watched" in str(w.message)]
    assert "RandomStandardNormal" in message
    assert "keras.random.SeedGenerator" in message
    assert "model.compile" in message
    assert not len(monitor.record.steps)


@pytest.mark.once
def test_compile_begins_a_new_stream():
    results = []
    for callback in (None, Monitor(every=2)):
        model = make("normal")
        fit(model)
        model.compile("sgd", "mse")
        with warnings.catch_warnings(action="error", category=UserWarning):
            fit(model, callback)
        results.append([a.tobytes() for a in reference.arrays(model.variables)])
    assert results[0] == results[1]


@pytest.mark.once
@pytest.mark.parametrize("seeded", [True, False])
def test_other_models_have_their_plain_steps(seeded, monkeypatch):
    """Without draws, or where each run draws otherwise, two steps may be traced."""
    calls = []
    monkeypatch.setattr(Tap, "step_ended", lambda self, logs: calls.append(logs))
    model = make(None if seeded else "normal")
    if not seeded:
        tf.random.set_seed(None)
        model = keras.models.clone_model(model)
        model.compile("sgd", "mse")
    fit(model, Monitor(every=5))
    assert len(calls) == 2
