import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.studies.batch_size.full_batch import check_full_batch

N = 101


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 6)).astype("float32")
    y = rng.integers(0, 3, N)
    return x, y, rng.uniform(0.1, 3, N).astype("float32")


def build(optimizer, loss="sparse_categorical_crossentropy", penalty=0.01, **layer):
    keras.utils.set_random_seed(1)
    regularizer = keras.regularizers.L2(penalty) if penalty else None
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(
                8, activation="tanh", kernel_regularizer=regularizer, **layer
            ),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer=optimizer, loss=loss, weighted_metrics=["accuracy"])
    return model


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def reference_gradient(x, y, w, kernel_1, bias_1, kernel_2, bias_2, penalty):
    """Return the gradient of the weighted mean cross-entropy, in NumPy float64."""
    hidden = np.tanh(x @ kernel_1 + bias_1)
    logits = hidden @ kernel_2 + bias_2
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    delta = (p - np.eye(3)[y]) * w[:, None] / len(x)
    inner = delta @ kernel_2.T * (1 - hidden**2)
    parts = (
        x.T @ inner + 2 * penalty * kernel_1,
        inner.sum(axis=0),
        hidden.T @ delta,
        delta.sum(axis=0),
    )
    return np.concatenate([part.ravel() for part in parts])


@pytest.mark.parametrize("micro_batch", [7, pytest.param(32, marks=pytest.mark.once)])
def test_gradient_is_that_of_all_data(data, micro_batch):
    x, y, w = data
    dataset, optimizer = kd.studies.full_batch(
        x,
        y,
        keras.optimizers.SGD(1.0),
        sample_weight=w,
        micro_batch=micro_batch,
        model=build("sgd"),
    )
    model = build(optimizer)
    before = [v.astype(np.float64) for v in model.get_weights()]
    expected = reference_gradient(x.astype(np.float64), y, w, *before, 0.01)
    history = model.fit(dataset, epochs=1, verbose=0)
    got = np.concatenate([v.ravel() for v in before]) - weights(model)
    assert np.linalg.norm(got - expected) < 1e-5 * np.linalg.norm(expected)
    whole = build("sgd").evaluate(
        x, y, sample_weight=w, batch_size=N, verbose=0, return_dict=True
    )
    assert history.history["loss"][0] == pytest.approx(whole["loss"], rel=1e-5)
    assert history.history["accuracy"][0] == pytest.approx(whole["accuracy"])


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(0.02, clipnorm=0.5, weight_decay=0.01),
        pytest.param(
            lambda: keras.optimizers.SGD(
                keras.optimizers.schedules.ExponentialDecay(0.3, 1, 0.5), momentum=0.9
            ),
            marks=pytest.mark.once,
        ),
        pytest.param(lambda: "rmsprop", marks=pytest.mark.once),
    ],
)
def test_updates_are_those_of_one_batch(data, make):
    x, y, _ = data
    dataset, optimizer = kd.studies.full_batch(
        x, y, make(), micro_batch=16, model=build(make())
    )
    accumulated, plain = build(optimizer), build(make())
    plain.fit(x, y, batch_size=N, epochs=4, verbose=0)
    accumulated.fit(dataset, epochs=4, verbose=0)
    assert int(accumulated.optimizer.iterations) == 4
    np.testing.assert_allclose(weights(accumulated), weights(plain), atol=2e-5)


@pytest.mark.once
def test_losses_with_a_value_for_each_place():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(10, 5, 4)).astype("float32")
    y = rng.integers(0, 3, (10, 5))

    def sequence_model(optimizer):
        keras.utils.set_random_seed(1)
        layers = [keras.Input((5, 4)), keras.layers.Dense(3)]
        model = keras.Sequential(layers)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=optimizer, loss=loss)
        return model

    for target, loss_target in ((y, y), (np.eye(3, dtype="float32")[y], None)):
        dataset, optimizer = kd.studies.full_batch(
            x, target, "sgd", micro_batch=5, model=sequence_model("sgd")
        )
        models = sequence_model(optimizer), sequence_model("sgd")
        if loss_target is None:
            for model, opt in zip(models, (optimizer, "sgd"), strict=True):
                model.compile(optimizer=opt, loss="mse")
        models[0].fit(dataset, verbose=0)
        models[1].fit(x, target, batch_size=10, verbose=0)
        np.testing.assert_allclose(weights(models[0]), weights(models[1]), atol=1e-6)


@pytest.mark.once
def test_several_inputs_and_outputs(data):
    x, _, w = data

    def two_headed(optimizer):
        keras.utils.set_random_seed(1)
        a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
        both = keras.layers.Concatenate()([a, b])
        outputs = {
            "u": keras.layers.Dense(1, name="u")(both),
            "v": keras.layers.Dense(2, name="v")(both),
        }
        model = keras.Model({"a": a, "b": b}, outputs)
        model.compile(optimizer=optimizer, loss={"u": "mse", "v": "mae"})
        return model

    inputs = {"a": x[:, :3], "b": x[:, 3:]}
    targets = {"u": x[:, :1] * 2, "v": x[:, :2]}
    for sample_weight in (None, w, {"u": w, "v": w[::-1].copy()}):
        dataset, optimizer = kd.studies.full_batch(
            inputs,
            targets,
            "sgd",
            sample_weight=sample_weight,
            micro_batch=16,
            model=two_headed("sgd"),
        )
        micro, plain = two_headed(optimizer), two_headed("sgd")
        micro.fit(dataset, verbose=0)
        own = sample_weight if sample_weight is not None else None
        if isinstance(own, np.ndarray):
            own = {"u": w, "v": w}
        plain.fit(inputs, targets, batch_size=N, sample_weight=own, verbose=0)
        np.testing.assert_allclose(weights(micro), weights(plain), atol=1e-6)


@pytest.mark.once
def test_schedule_survives_saving(data, tmp_path):
    x, y, _ = data
    schedule = keras.optimizers.schedules.ExponentialDecay(0.3, 1, 0.5)
    dataset, optimizer = kd.studies.full_batch(
        x, y, keras.optimizers.SGD(schedule), micro_batch=16, model=build("sgd")
    )
    model = build(optimizer)
    model.fit(dataset, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.3 * 0.5**2)


def test_memory_does_not_grow_with_the_data(tmp_path):
    """Read rows of arrays on disk when they are needed, never the whole."""

    class Counting:
        def __init__(self, shape):
            self.shape, self.most = shape, 0

        def __getitem__(self, rows):
            self.most = max(self.most, rows.stop - rows.start)
            return np.zeros((rows.stop - rows.start, *self.shape[1:]), "float32")

        def __array__(self, *args, **kwargs):
            raise AssertionError("the whole array was read")

    x, y = Counting((5000, 4)), Counting((5000, 1))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    dataset, optimizer = kd.studies.full_batch(x, y, "sgd", micro_batch=64, model=model)
    model.compile(optimizer=optimizer, loss="mse")
    model.fit(dataset, verbose=0)
    assert x.most <= 64
    assert y.most <= 64


def test_the_given_optimizer_is_left_alone(data):
    given = keras.optimizers.Adam(0.01)
    _, copy = kd.studies.full_batch(
        data[0], data[1], given, micro_batch=16, model=build("sgd")
    )
    assert given.gradient_accumulation_steps is None
    assert copy.gradient_accumulation_steps == 7
    _, copy = kd.studies.full_batch(data[0], data[1], given, micro_batch=500)
    assert copy.gradient_accumulation_steps is None


@pytest.mark.once
@pytest.mark.parametrize(
    ("optimizer", "reason"),
    [
        (lambda: keras.optimizers.SGD(use_ema=True), "moving average"),
        (lambda: keras.optimizers.SGD(gradient_accumulation_steps=2), "already"),
        (lambda: keras.optimizers.SGD(lambda: 0.1), "plain function"),
        (
            lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),
            "LossScaleOptimizer",
        ),
    ],
)
def test_optimizers_that_cannot_be_exact_are_refused(data, optimizer, reason):
    with pytest.raises(ValueError, match=reason):
        kd.studies.full_batch(data[0], data[1], optimizer(), micro_batch=16)


def small(*layers, loss="mse"):
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss=loss)
    return model


@pytest.mark.once
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: small(keras.layers.BatchNormalization()), "batch normalization"),
        (lambda: small(keras.layers.Dense(2, activity_regularizer="l2")), "activity"),
        (
            lambda: small(
                loss=keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
            ),
            "mean_with_sample_weight",
        ),
        (lambda: small(loss=keras.losses.MeanSquaredError(reduction="sum")), "'sum'"),
        (
            lambda: small(keras.layers.Embedding(5, 2, mask_zero=True)),
            "masks",
        ),
        (lambda: small(keras.layers.Dense(4, kernel_constraint="unit_norm")), "moves"),
    ],
)
def test_models_that_cannot_be_exact_are_refused(make, reason):
    with pytest.raises(ValueError, match=reason):
        kd.studies.full_batch(
            np.zeros((9, 4)), np.zeros((9, 1)), "sgd", micro_batch=3, model=make()
        )


@pytest.mark.once
def test_models_that_are_exact_pass():
    frozen = keras.layers.BatchNormalization(trainable=False)
    model = small(frozen, keras.layers.Dropout(0.5), keras.layers.LayerNormalization())
    check_full_batch(model)
    x, y = np.ones((9, 4)), np.zeros((9, 1))
    data, _ = kd.studies.full_batch(x, y, "sgd", micro_batch=3, model=model)
    assert len(data) == 3


@pytest.mark.once
def test_a_loss_scale_and_masking_are_refused():
    x, y = np.ones((9, 4), "float32"), np.ones((9, 1), "float32")
    scaled, masked = small(), small(keras.layers.Masking())
    wrapper = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    scaled.compile(optimizer=wrapper, loss="mse")
    for model, reason in ((scaled, "skips micro-steps"), (masked, "masks")):
        with pytest.raises(ValueError, match=reason):
            kd.studies.full_batch(x, y, "sgd", micro_batch=3, model=model)


def test_without_the_model_variables_are_looked_at():
    """When `fit` begins; a warning says what cannot be seen in them."""
    x, y = np.ones((9, 4), "float32"), np.ones((9, 1), "float32")
    reasons = {
        "batch normalization": small(keras.layers.BatchNormalization()),
        "moves the weights": small(
            keras.layers.Dense(4, kernel_constraint="unit_norm")
        ),
    }
    for reason, model in reasons.items():
        with pytest.warns(UserWarning, match="masks.*model=model"):
            dataset, optimizer = kd.studies.full_batch(x, y, "sgd", micro_batch=3)
        model.compile(optimizer=optimizer, loss="mse")
        with pytest.raises(ValueError, match=reason):
            model.fit(dataset, verbose=0)
        # all rows in one micro-batch: there is nothing to tell, and nothing to refuse
        whole, optimizer = kd.studies.full_batch(x, y, "sgd", micro_batch=9)
        model.compile(optimizer=optimizer, loss="mse")
        model.fit(whole, verbose=0)


@pytest.mark.once
def test_without_the_model_the_gradient_is_exact_too(data):
    x, y, _ = data
    with pytest.warns(UserWarning, match="model=model"):
        dataset, optimizer = kd.studies.full_batch(x, y, "sgd", micro_batch=16)
    accumulated, plain = build(optimizer), build("sgd")
    accumulated.fit(dataset, verbose=0)
    plain.fit(x, y, batch_size=N, verbose=0)
    np.testing.assert_allclose(weights(accumulated), weights(plain), atol=1e-6)


def test_mixed_precision_is_refused():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small()
        with pytest.raises(ValueError, match="auto_scale_loss=False"):
            check_full_batch(model)
        model.compile(optimizer="sgd", loss="mse", auto_scale_loss=False)
        check_full_batch(model)
    finally:
        keras.config.set_dtype_policy("float32")
