"""The range test on a model whose stability limit is known."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 4)).astype("float32") * np.float32([1, 1, 1, 3])
Y = (X @ np.float32([1, -1, 2, 0.5]))[:, None]


def linear():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(123.0), loss="mse")
    return model


@pytest.mark.parametrize(
    "source", ["model", pytest.param("function", marks=pytest.mark.once)]
)
def test_the_limit_of_stability(source):
    keras.utils.set_random_seed(0)
    model = linear()
    before = model.get_weights()
    given = model if source == "model" else linear
    result = kd.studies.LearningRateRangeTest(given, X, Y, low=1e-5).run()
    # gradient descent on squares is stable below 2 / the largest eigenvalue
    limit = 2 / np.linalg.eigvalsh(2 * X.T @ X / len(X))[-1]
    assert limit / 2 < result.diverged < 20 * limit
    assert limit / 100 < result.suggestion < limit
    assert len(result.loss) == 100
    np.testing.assert_allclose(
        result.learning_rate, np.geomspace(1e-5, 10, 100), rtol=1e-3
    )
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    ax = kd.plots.plot_learning_rate_range(result)
    lines = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_array_equal(lines["each batch"].get_ydata(), result.loss)
    assert f"suggested {result.suggestion:.2g}" in lines
    plt.close(ax.figure)


@pytest.mark.once
def test_noise_of_the_batches_is_taken_out():
    """Targets of mostly noise: batches differ by more than the rate does."""
    noisy = Y + RNG.normal(size=Y.shape).astype("float32") * 20
    keras.utils.set_random_seed(0)
    result = kd.studies.LearningRateRangeTest(
        linear(), X, noisy, low=1e-5, steps=40, batch_size=16
    ).run()
    early = result.loss[:12]  # rates below 1e-3 change next to nothing
    assert np.std(early) < 0.02 * early.mean()
    assert 1e-3 < result.suggestion < 0.2


def test_wrong_arguments():
    with pytest.raises(ValueError, match="low=1"):
        kd.studies.LearningRateRangeTest(linear, X, Y, low=1, high=0.1)
    with pytest.raises(TypeError, match="compiled"):
        kd.studies.LearningRateRangeTest(lambda: None, X, Y).run()


class Subclassed(keras.Model):
    """Cannot be copied: it has no `get_config`."""

    def __init__(self, units):
        super().__init__()
        self.drop, self.out = keras.layers.Dropout(0.1), keras.layers.Dense(units)

    def call(self, inputs):
        return self.out(self.drop(inputs))


@pytest.mark.once
def test_a_model_that_cannot_be_copied_is_put_back():
    keras.utils.set_random_seed(0)
    model = Subclassed(1)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    model.fit(X, Y, epochs=1, verbose=0)
    optimizer = model.optimizer

    def state():
        variables = [*model.variables, *model.optimizer.variables]
        return [keras.ops.convert_to_numpy(v) for v in variables]

    before = state()
    result = kd.studies.LearningRateRangeTest(model, X, Y, low=1e-5).run()
    assert 1e-4 < result.suggestion < 5
    assert model.optimizer is optimizer
    for one, other in zip(before, state(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.once("torch")
def test_a_model_without_weights_gets_them_first_and_keeps_them():
    model = Subclassed(1)
    model.compile(optimizer="adam", loss="mse")
    optimizer = model.optimizer
    kd.studies.LearningRateRangeTest(model, X, Y, steps=20).run()
    assert model.built
    assert model.optimizer is optimizer


class Above(keras.metrics.Metric):
    """Without `get_config`, so that Keras would make it anew with its default."""

    def __init__(self, least=0.5):
        super().__init__(name="above")
        self.least, self.share = least, self.add_variable((), "zeros", name="share")

    def update_state(self, y_true, y_pred, sample_weight=None):
        above = keras.ops.cast(y_pred > self.least, "float32")
        self.share.assign(keras.ops.mean(above))

    def result(self):
        return self.share


@pytest.mark.once("torch")
def test_metrics_stay_the_users_own():
    model = Subclassed(1)
    model.compile(optimizer="adam", loss="mse", metrics=[Above(-1e9)])
    first = model.evaluate(X, Y, verbose=0, return_dict=True)
    kd.studies.LearningRateRangeTest(model, X, Y, steps=20).run()
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["above"] == 1.0
    changed = kd.remedies.change_learning_rate(model, 0.1, in_place=True)
    assert changed.evaluate(X, Y, verbose=0, return_dict=True)["above"] == 1.0
    assert first["above"] == 1.0


@pytest.mark.once("torch")
def test_metrics_of_the_users_get_tensors():
    def distance(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred))

    model = linear()
    model.compile(optimizer="sgd", loss="mse", metrics=[distance])
    assert kd.studies.LearningRateRangeTest(model, X, Y, steps=20).run().suggestion
