import copy
import random

import keras
import numpy as np
import pytest

import keras_dlbasic as kd


def data(n=400):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)).astype("float32")
    y = x @ [[1.0], [-2.0], [0.5]] + rng.normal(size=(n, 1))
    return x, y.astype("float32")


def linear_model(optimizer="sgd"):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((3,)), keras.layers.Dense(1, use_bias=False)]
    model = keras.Sequential(layers)
    model.compile(optimizer=optimizer, loss="mse")
    return model


def exact(x, y, weights):
    """Return trace and squared mean of single-sample gradients, in float64."""
    x, y, w = (a.astype(np.float64) for a in (x, y, weights))
    each = 2 * x * (x @ w - y)
    mean = each.mean(axis=0)
    return np.sum((each - mean) ** 2) / (len(x) - 1), mean @ mean


@pytest.mark.once
def test_extra_batches():
    """Partition the whole data set: the signal is then exact."""
    x, y = data()
    model = linear_model(keras.optimizers.SGD(0.0))
    trace, squared = exact(x, y, model.get_weights()[0])
    scale = kd.studies.GradientNoiseScale(x, y, every=1, small_batch=20, parts=20)
    model.fit(x, y, batch_size=40, epochs=2, verbose=0, callbacks=[scale])
    curve = scale.curve
    assert curve.steps.tolist() == list(range(20))
    assert curve.estimand == "data"
    np.testing.assert_allclose(curve.signal, squared, rtol=1e-4)
    assert curve.overall().noise == pytest.approx(trace, rel=0.15)


def test_micro_steps_cost_no_gradient():
    x, y = data()
    optimizer = keras.optimizers.SGD(0.0, gradient_accumulation_steps=8)
    model = linear_model(optimizer)
    trace, _ = exact(x, y, model.get_weights()[0])
    scale = kd.studies.GradientNoiseScale(every=1, small_batch=5)
    model.fit(x, y, batch_size=5, epochs=3, verbose=0, callbacks=[scale])
    curve = scale.curve
    assert (curve.source, curve.batch_size) == ("micro-steps", 40.0)
    assert len(curve.steps) == 30
    assert curve.overall().noise == pytest.approx(trace, rel=0.3)


def test_training_and_generators_are_left_alone():
    x, y = data(80)

    def train(callbacks):
        model = linear_model()
        # drawn from a variable, on PyTorch from its generator
        layers = [keras.Input((3,)), keras.layers.Dropout(0.5), *model.layers]
        model = keras.Sequential(layers)
        model.compile(optimizer="adam", loss="mse")
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
        state = random.random(), np.random.random()
        return model.get_weights(), state

    plain = train([])
    scale = kd.studies.GradientNoiseScale(x, y, every=3, small_batch=4, parts=4)
    scale = copy.deepcopy(scale)
    watched = train([scale])
    for one, other in zip(plain[0], watched[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert plain[1] == watched[1]
    again = copy.deepcopy(scale)  # warnings are errors
    np.testing.assert_array_equal(again.curve.noise, scale.curve.noise)


@pytest.mark.once
def test_micro_steps_that_cannot_be_seen():
    model = linear_model(keras.optimizers.SGD(0.1, gradient_accumulation_steps=4))
    model.steps_per_execution = 2  # as compiled; refused on PyTorch before 3.16
    scale = kd.studies.GradientNoiseScale()
    scale.set_params({"epochs": 1, "steps": 4})
    scale.set_model(model)
    with pytest.raises(ValueError, match="steps_per_execution=2.*Use"):
        scale.on_train_begin()


@pytest.mark.once
def test_models_without_a_copy_that_trains():
    x, y = data(40)
    scale = kd.studies.GradientNoiseScale(x, y, small_batch=4, parts=4)
    frozen = linear_model()
    frozen.trainable = False
    frozen.compile(optimizer="sgd", loss="mse")
    with pytest.raises(ValueError, match="0 of them trainable.*leave the callback out"):
        frozen.fit(x, y, verbose=0, callbacks=[scale])
    stateful = keras.Sequential(
        [
            keras.Input(batch_shape=(8, 3, 1)),
            keras.layers.GRU(2, stateful=True),
            keras.layers.Dense(1),
        ]
    )
    stateful.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    scale = kd.studies.GradientNoiseScale(x[..., None], y, small_batch=4, parts=4)
    with pytest.raises(ValueError, match="extra batches of 4 samples.*small_batch"):
        stateful.fit(x[..., None], y, batch_size=8, verbose=0, callbacks=[scale])


def test_errors():
    x, y = data(40)
    with pytest.raises(ValueError, match="at least small_batch"):
        kd.studies.GradientNoiseScale(x, y)
    with pytest.raises(ValueError, match="`every`"):
        kd.studies.GradientNoiseScale(every=0)
    with pytest.raises(ValueError, match="gradient_accumulation_steps >= 3"):
        linear_model().fit(x, y, verbose=0, callbacks=[kd.studies.GradientNoiseScale()])


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="counts a micro-step more where data of unknown length end",
)
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_micro_steps_of_data_of_unknown_length():
    """Ten batches an epoch; at rate 0 what is measured comes back every epoch."""
    import tensorflow as tf

    x, y = data(80)
    whole = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    unknown = whole.filter(lambda x, y: True)
    assert int(unknown.cardinality()) == tf.data.UNKNOWN_CARDINALITY
    optimizer = keras.optimizers.SGD(0.0, gradient_accumulation_steps=4)
    scale = kd.studies.GradientNoiseScale(every=1, small_batch=8)
    model = linear_model(optimizer)
    model.fit(unknown, epochs=4, shuffle=False, verbose=0, callbacks=[scale])
    weights = model.get_weights()[0]
    norms = [
        np.linalg.norm((2 * x[s] * (x[s] @ weights - y[s])).mean(axis=0))
        for s in (slice(8 * i, 8 * i + 8) for i in range(10))
    ]
    # of the first three of four micro-steps, wherever in the epoch
    possible = set()
    for first in range(10):
        three = [(first + i) % 10 for i in range(3)]
        rows = np.concatenate([np.arange(8 * i, 8 * i + 8) for i in three])
        big = np.linalg.norm((2 * x[rows] * (x[rows] @ weights - y[rows])).mean(axis=0))
        found = kd.analysis.gradient_noise_scale(
            [[norms[i] for i in three]], [big], small_batch=8, big_batch=24
        )
        possible.add(round(found.noise, 3))
    assert len(scale.curve.noise) >= 6
    for noise in scale.curve.noise:
        assert min(abs(noise - one) / one for one in possible) < 1e-3
