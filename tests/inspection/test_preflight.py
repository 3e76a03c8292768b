"""What can be known before the first step."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

L = keras.layers


@pytest.fixture
def xy(rng):
    x = rng.normal(size=(300, 6)).astype("float32")
    return x, (x[:, 0] + x[:, 1] > 0).astype("float32")


def make(output="sigmoid", units=1, loss="binary_crossentropy", hidden="relu", **given):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(16, hidden, **given),
            L.Dense(16, hidden, **given),
            L.Dense(units, output),
        ]
    )
    model.compile(optimizer="adam", loss=loss)
    return model


def serious(diagnosis):
    return {f.name for f in diagnosis.at_least("warning")}


def test_a_good_plan_is_silent(xy):
    x, y = xy
    diagnosis = kd.preflight(
        make(), x[:200], y[:200], validation_data=(x[200:], y[200:]), epochs=20
    )
    assert serious(diagnosis) == set()
    assert len(diagnosis.checked_fine) > 10
    assert all(f.kind == "cause" for f in diagnosis)


@pytest.mark.parametrize(
    ("model", "change", "name"),
    [
        ({"output": "softmax"}, {}, "output_activation_mismatch"),
        ({"output": None}, {}, "output_activation_mismatch"),
        (
            {"loss": "mse", "output": "sigmoid"},
            {"y": lambda y: 50 * y},
            "output_activation_mismatch",
        ),
        (
            {"output": "sigmoid", "units": 3, "loss": "categorical_crossentropy"},
            {"y": lambda y: np.eye(3)[y.astype(int) + (y > 5)]},
            "output_activation_mismatch",
        ),
        (
            {"output": "softmax", "units": 2, "loss": "categorical_crossentropy"},
            {},
            "loss_target_mismatch",
        ),
        ({}, {"x": lambda x: 400 * x + 900}, "unscaled_inputs"),
        ({}, {"x": lambda x: 0 * x}, "constant_inputs"),
        ({}, {"x": lambda x: np.where(x > 2, np.nan, x)}, "non_finite_data"),
        ({}, {"y": lambda y: 0 * y}, "constant_targets"),
        ({"kernel_initializer": "zeros"}, {}, "poor_initialization"),
        (
            {
                "kernel_initializer": keras.initializers.RandomNormal(stddev=9),
                "hidden": "tanh",
            },
            {},
            "poor_initialization",
        ),
        ({}, {"epochs": 2, "batch_size": 300}, "too_few_updates"),
    ],
)
def test_faults(xy, model, change, name):
    x, y = (change.pop(k, lambda v: v)(v) for k, v in zip("xy", xy, strict=True))
    diagnosis = kd.preflight(make(**model), x, y, **change)
    assert name in serious(diagnosis)
    change.update()


def copied(layer):
    return type(layer).from_config(layer.get_config())


def test_weights_that_an_earlier_training_destroyed(xy):
    layers = [L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dense(1)]
    for place, lost in ((0, 0), (1, 2), (3, 1)):  # a kernel, a moving mean, a bias
        model = keras.Sequential([keras.Input((6,)), *map(copied, layers)])
        model.compile(loss="mse")
        weights = model.layers[place].get_weights()
        weights[lost][0] = np.nan
        model.layers[place].set_weights(weights)
        diagnosis = kd.preflight(model, *xy)
        assert diagnosis[0].name == "non_finite_weights"
        assert diagnosis[0].layer == model.layers[place].name


def test_validation(xy):
    x, y = xy
    diagnosis = kd.preflight(make(), x, y, validation_data=(x[:90], y[:90]))
    assert serious(diagnosis) == {"train_validation_overlap"}
    order = np.argsort(y)
    x, y = x[order], y[order]
    sort = kd.preflight(make(), x[:100], y[:100], validation_data=(x[200:], y[200:]))
    assert "unrepresentative_validation" in serious(sort)


def test_normalization_with_tiny_batches(xy):
    model = keras.Sequential(
        [keras.Input((6,)), L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dense(1)]
    )
    model.compile(loss="mse")
    assert "normalization_small_batch" in serious(
        kd.preflight(model, *xy, batch_size=2)
    )
    assert "normalization_small_batch" not in serious(kd.preflight(model, *xy))


def test_the_model_stays_as_it_is(xy):
    model = make()
    before = [np.array(w) for w in model.get_weights()]
    state = np.random.get_state()[1].copy()
    kd.preflight(model, *xy)
    assert all(
        np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)
    )
    assert np.array_equal(state, np.random.get_state()[1])
    assert vars(model).get("train_function") is None


def test_without_targets_or_compilation(xy):
    model = keras.Sequential([keras.Input((6,)), L.Dense(1)])
    diagnosis = kd.preflight(model, xy[0])
    assert "y=" in diagnosis.skipped["constant_targets"]


def test_what_cannot_be_judged(xy):
    with pytest.raises(ValueError, match="array of samples"):
        kd.preflight(make(), None)
    with pytest.raises(ValueError, match="same number of rows"):
        kd.preflight(make(), xy[0], xy[1][:5])
