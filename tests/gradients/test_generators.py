"""What our callbacks and reports run draws nothing from the generators of a fit."""

import random
import threading
from contextlib import contextmanager
from functools import partial
from random import uniform

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd
from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.may_draw import may_draw
from keras_dlbasic.ensembles.batch_statistics import recompute_statistics

L = keras.layers
BACKEND = keras.backend.backend()
RNG = np.random.default_rng(5)
X = RNG.normal(size=(48, 4)).astype("float32")
Y = (X[:, :1] * X[:, 1:2] > 0).astype("float32")


def torch_noise(x):
    """Noise of the backend's own generator, where it has one of the process."""
    if BACKEND != "torch":
        return keras.ops.zeros_like(x)
    import torch

    return torch.randn_like(x)


class Noise(L.Layer):
    """Draws in each call, in training or not: like the sampling of a VAE."""

    def call(self, x):
        drawn = random.gauss(0, 1) + float(np.random.normal())
        return x + 0.05 * (torch_noise(x) + drawn)


def noisy_model():
    keras.backend.clear_session()
    keras.utils.set_random_seed(4)
    layers = [
        L.Dense(6, "tanh", kernel_regularizer=keras.regularizers.L2(0.01)),
        Noise(),
        L.BatchNormalization(),
        L.Dropout(0.2),
        L.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, "binary_crossentropy", metrics=["mae"])
    return model


def states():
    """Return the states of all generators of the process."""
    kept = [random.getstate(), [str(part) for part in np.random.get_state()]]
    if BACKEND == "torch":
        import torch

        kept.append(torch.get_rng_state().tolist())
        if torch.cuda.is_available():
            kept.append([s.tolist() for s in torch.cuda.get_rng_state_all()])
    return kept


def fit(model, callbacks, epochs=2):
    history = model.fit(
        X[:32],
        Y[:32],
        validation_data=(X[32:], Y[32:]),
        batch_size=8,
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
    ).history
    history.pop("global_gradient_norm", None)
    history.pop("learning_rate", None)
    return history


GIVEN = X[:24], Y[:24]
CALLBACKS = {
    "monitor": lambda: kd.callbacks.GradientNormMonitor(every=2),
    "doctor": lambda: kd.callbacks.TrainingDoctor(*GIVEN, verbose=0),
    "doctor without data": lambda: kd.callbacks.TrainingDoctor(verbose=0),
    "activations": lambda: kd.callbacks.ActivationMonitor(X[:8], every=2),
    "curvature": lambda: kd.callbacks.CurvatureProbe(
        *GIVEN, every=1, max_products=3, rows=16
    ),
    "normalization": kd.callbacks.NormalizationMonitor,
    "penalty": kd.callbacks.PenaltyMonitor,
    "overfitting": lambda: kd.callbacks.OverfittingDetector(*GIVEN, verbose=0),
    "stopping": lambda: kd.callbacks.EarlyStoppingReport(patience=9),
}


def two_fits(*watched):
    """Return what two fits leave behind, each with the callback that is named."""
    model = noisy_model()
    logs = [fit(model, [CALLBACKS[name]()] if name else []) for name in watched]
    weights = [keras.ops.convert_to_numpy(v).tobytes() for v in model.variables]
    return {"weights": weights, "logs": logs, "generators": states()}


@pytest.fixture(scope="module")
def unwatched():
    return two_fits(None, None)


@pytest.mark.once
@pytest.mark.parametrize("name", list(CALLBACKS))
def test_callbacks_draw_nothing(name, unwatched):
    for watched in ((name, None), (None, name)):
        seen = two_fits(*watched)
        assert [key for key in unwatched if seen[key] != unwatched[key]] == [], watched


@pytest.mark.once
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.everywhere] * (name != "monitor"))
        for name in CALLBACKS
    ],
)
def test_callbacks_draw_nothing_in_two_fits(name, unwatched):
    seen = two_fits(name, name)
    assert [key for key in unwatched if seen[key] != unwatched[key]] == []


@pytest.mark.skipif(BACKEND == "torch", reason="traces nothing")
@pytest.mark.parametrize(
    "name", ["monitor", pytest.param("doctor", marks=pytest.mark.everywhere)]
)
def test_what_is_drawn_while_a_step_is_traced(name, unwatched):
    """It becomes a constant of the step, which is traced twice."""
    pairs = [(name, None)] + [(name, name)] * (BACKEND == "jax")
    for watched in pairs:
        seen = two_fits(*watched)
        assert [key for key in unwatched if seen[key] != unwatched[key]] == [], watched


@pytest.mark.skipif(BACKEND == "torch", reason="traces nothing")
@pytest.mark.parametrize(
    ("draws", "watchers"),
    [
        pytest.param(
            True,
            ["monitor"],
            marks=pytest.mark.once("tensorflow")
            if reference.KERAS < (3, 16)
            else pytest.mark.skipif(
                BACKEND == "tensorflow",
                reason="data are read in another thread as a step is traced",
            ),
        ),
        pytest.param(
            False, ["monitor", "activations"], marks=pytest.mark.once("tensorflow")
        ),
        pytest.param(
            True,
            ["monitor", "activations"],
            marks=pytest.mark.skipif(
                BACKEND == "tensorflow",
                reason="reads data in another thread; docs/guide/watching.md",
            ),
        ),
    ],
)
def test_the_data_may_draw_while_a_step_is_traced(draws, watchers):
    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            chosen = np.random.permutation(32)[: 8 - index // 4]  # the last is short
            return X[chosen] + np.random.normal(size=(len(chosen), 1)), Y[chosen]

    results = []
    for callbacks in ([], [CALLBACKS[name]() for name in watchers]):
        model = noisy_model() if draws else quiet_model()
        history = model.fit(Data(), epochs=3, verbose=0, callbacks=callbacks).history
        history.pop("global_gradient_norm", None)
        results.append((history, states()))
    assert results[0] == results[1]


LOOKS = {
    "preflight": lambda model: kd.preflight(model, *GIVEN),
    "propagation": lambda model: kd.propagation_report(model, X),
    "propagation of the loss": lambda model: kd.propagation_report(model, X, Y),
    "non-finite": lambda model: kd.gradients.localize_non_finite(model, X),
    "curvature": lambda model: kd.landscape.classify_point(model, X, Y, max_products=3),
    "surface": lambda model: kd.landscape.loss_surface(model, X, Y, resolution=3),
    "statistics": lambda model: recompute_statistics(model, X),
}


@pytest.mark.once
@pytest.mark.parametrize("name", list(LOOKS))
def test_looks_draw_nothing(name):
    model = noisy_model()
    before = states()
    LOOKS[name](model)
    assert states() == before


@pytest.mark.once
def test_weight_average_draws_nothing():
    drawn = []
    for x in (None, X):  # no batch normalization, no statistics to be computed anew
        model = noisy_model()
        if x is None:
            model.layers[2].trainable = False
        averaging = kd.ensembles.WeightAverage(start=1, x=x)
        fit(model, [averaging])
        drawn.append(states())
    assert drawn[0] == drawn[1]


def quiet_model():
    keras.utils.set_random_seed(4)
    layers = [L.Dense(5, "relu"), Quiet(), L.Dropout(0.2), L.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile("sgd", "mse")
    return model


class Quiet(L.Layer):
    """Code of a user's that draws from no generator of the process."""

    def call(self, x):
        return scaled(x)


def scaled(x):
    return keras.ops.tanh(x) * np.float32(0.5)


def drawing_function(x):
    return x * np.random.normal()


class Inherited(Quiet):
    pass


class Helped(Quiet):
    def call(self, x):
        return drawing_function(x)


class Imported(Quiet):
    def call(self, x):
        return x * uniform(0, 1)


class Held(Quiet):
    draw = staticmethod(np.random.rand)

    def call(self, x):
        return x * self.draw()


class Within(Quiet):
    def call(self, x):
        return keras.tree.map_structure(lambda leaf: leaf * np.random.rand(), x)


def drawing_loss(y, predicted):
    return keras.ops.mean(keras.ops.square(y - predicted), -1) * random.random()


@pytest.mark.parametrize("layer", [Helped, Imported, Held, Within])
def test_code_that_may_draw(layer):
    model = keras.Sequential([keras.Input((4,)), layer()])
    assert may_draw(model)


def test_code_that_cannot_draw():
    assert not may_draw(quiet_model())
    assert not may_draw(keras.Sequential([keras.Input((4,)), Inherited()]))
    assert not may_draw("mse", keras.losses.MeanSquaredError(), scaled)


@pytest.mark.parametrize(
    "function",
    [
        drawing_loss,
        partial(drawing_function, 3),
        random.gauss,
        np.random.permutation,
        lambda x: Helped()(x),
    ],
)
def test_functions_that_may_draw(function):
    assert may_draw(function)


def test_what_a_model_holds_may_draw():
    model = quiet_model()
    for given in ({"loss": drawing_loss}, {"loss": "mse", "metrics": [drawing_loss]}):
        model.compile("sgd", **given)
        assert may_draw(model)
    x = keras.Input((4,))
    assert may_draw(keras.Model(x, L.Lambda(drawing_function, (4,))(x)))
    assert may_draw(keras.Model(x, L.Dense(2, activation=drawing_function)(x)))


@contextmanager
def drawing_in_another_thread():
    """Have another thread draw within the context; yields what it drew."""
    drawn = []
    begins = threading.Event()

    def read():
        begins.wait(20)
        drawn.extend([random.random(), np.random.random()])

    reader = threading.Thread(target=read)
    reader.start()

    def draw():
        begins.set()
        reader.join(20)

    yield draw, drawn
    draw()


def test_what_other_threads_draw_stays_drawn():
    """As in those in which TensorFlow reads a data set."""
    model = quiet_model()
    keras.utils.set_random_seed(3)
    expected = [random.random(), np.random.random()]
    after = states()[:2]
    keras.utils.set_random_seed(3)
    with drawing_in_another_thread() as (draw, drawn), generators_kept(model):
        draw()
    assert drawn == expected
    assert states()[:2] == after


@pytest.mark.parametrize("code", [(), (drawing_function,)])
def test_draws_are_taken_back(code):
    held, held_numpy = random.uniform, np.random.permutation
    before = states()
    with generators_kept(*code):
        random.seed(3)
        np.random.seed(3)
        random.shuffle([1, 2, 3])
        first = held(0, 1), np.random.rand()
        with generators_kept(*code):
            held(0, 1), held_numpy(4)
        assert (held(0, 1), np.random.rand()) != first
    assert states() == before


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's generators")
def test_accelerators_are_not_started():
    import torch

    if torch.cuda.is_available():
        pytest.skip("started by this process already")
    with generators_kept():
        torch.randn(3)
    assert not torch.cuda.is_initialized()
