"""The ensemble as a Keras model: its mean, its spread, one file."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

X = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")
Y = np.arange(10) % 3


def member(seed, activation="softmax", loss="sparse_categorical_crossentropy"):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, "relu"),
            keras.layers.Dropout(0.5, seed=seed),
            keras.layers.Dense(3, activation),
        ]
    )
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return model


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def outputs(models):
    """Return the members' outputs in float64, by hand."""
    found = []
    for model in models:
        w1, b1, w2, b2 = (
            np.asarray(w, np.float64)
            for w in model.get_weights()
            if w.dtype.kind == "f"
        )
        found.append(np.maximum(X @ w1 + b1, 0) @ w2 + b2)
    return np.array(found)


def test_mean_and_spread_of_probabilities():
    members = [member(seed) for seed in range(3)]
    ensemble = kd.ensembles.Ensemble(members)
    expected = softmax(outputs(members))
    np.testing.assert_allclose(
        ensemble.predict(X, verbose=0), expected.mean(axis=0), rtol=1e-5
    )
    for _ in range(2):
        mean, spread = ensemble.predict_spread(X, batch_size=4, verbose=0)
        np.testing.assert_allclose(mean, expected.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(spread, expected.std(axis=0, ddof=1), rtol=1e-4)


@pytest.mark.once
def test_logits_are_averaged_as_probabilities():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    members = [member(seed, None, loss) for seed in range(2)]
    ensemble = kd.ensembles.Ensemble(members)
    assert ensemble.logits == "softmax"
    expected = softmax(outputs(members)).mean(axis=0)
    found = softmax(np.asarray(ensemble.predict(X, verbose=0), np.float64))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    cross = -np.log(expected[np.arange(10), Y]).mean()
    assert ensemble.evaluate(X, Y, verbose=0)[0] == pytest.approx(cross, rel=1e-5)
    # of a number between 0 and 1 each
    binary = kd.ensembles.Ensemble(members, logits="sigmoid")
    z = outputs(members)
    p = (1 / (1 + np.exp(-z))).mean(axis=0)
    np.testing.assert_allclose(
        binary.predict(X, verbose=0), np.log(p / (1 - p)), rtol=1e-3, atol=1e-5
    )


@pytest.mark.once
def test_binary_loss_with_logits():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    assert kd.ensembles.Ensemble([member(0, None, loss)]).logits == "sigmoid"
    assert kd.ensembles.Ensemble([member(0, None, loss)], logits=None).logits is None


@pytest.mark.once
def test_compiled_like_its_members_and_trainable():
    ensemble = kd.ensembles.Ensemble([member(0), member(1)])
    assert set(ensemble.evaluate(X, Y, verbose=0, return_dict=True)) == {
        "loss",
        "accuracy",
    }
    before = ensemble.get_weights()
    ensemble.compile("sgd", ensemble.loss)
    ensemble.fit(X, Y, epochs=1, verbose=0)
    assert any((a != b).any() for a, b in zip(before, ensemble.get_weights()))  # noqa: B905


@pytest.mark.once
def test_one_file(tmp_path):
    members = [member(0), member(1)]
    members[1].name = members[0].name  # as models built in other processes are
    members[1].fit(X, Y, epochs=1, verbose=0)  # its optimizer has a state
    ensemble = kd.ensembles.Ensemble(members)
    expected = ensemble.predict_spread(X, verbose=0)
    ensemble.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert loaded.compiled
    assert type(loaded) is kd.ensembles.Ensemble
    found = loaded.predict_spread(X, verbose=0)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(found.spread, expected.spread, rtol=1e-5)
    scores = [m.evaluate(X, Y, verbose=0) for m in (loaded, ensemble)]
    np.testing.assert_allclose(*scores, rtol=1e-5)


@pytest.mark.once
def test_config_clone_and_half_precision():
    ensemble = kd.ensembles.Ensemble([member(0), member(1)])
    clone = keras.models.clone_model(ensemble)
    clone.set_weights(ensemble.get_weights())
    np.testing.assert_array_equal(
        clone.predict(X, verbose=0), ensemble.predict(X, verbose=0)
    )
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = kd.ensembles.Ensemble([member(0), member(1)])
    finally:
        keras.config.set_dtype_policy("float32")
    found = half.predict(X, verbose=0)
    assert str(found.dtype) == "float16"
    np.testing.assert_allclose(found, ensemble.predict(X, verbose=0), atol=5e-3)


@pytest.mark.once
def test_as_a_layer_with_several_inputs_and_outputs():
    def build(seed):
        keras.utils.set_random_seed(seed)
        inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((2,), name="b")}
        joined = keras.layers.Concatenate()([inputs["a"], inputs["b"]])
        outs = {"p": keras.layers.Dense(1)(joined), "q": keras.layers.Dense(2)(joined)}
        return keras.Model(inputs, outs)

    members = [build(0), build(1)]
    ensemble = kd.ensembles.Ensemble(members)
    x = {"a": X, "b": X[:, :2]}
    mean, spread = ensemble.predict_spread(x, verbose=0)
    each = [m.predict(x, verbose=0) for m in members]
    for name in ("p", "q"):
        expected = np.mean([e[name] for e in each], axis=0)
        np.testing.assert_allclose(mean[name], expected, rtol=1e-5)
        assert spread[name].shape == expected.shape
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((2,), name="b")}
    model = keras.Model(inputs, ensemble(inputs)["p"])
    np.testing.assert_allclose(model.predict(x, verbose=0), mean["p"], rtol=1e-5)


@pytest.mark.once
def test_what_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        kd.ensembles.Ensemble([])
    with pytest.raises(TypeError, match="Keras models"):
        kd.ensembles.Ensemble([lambda x: x])
    with pytest.raises(ValueError, match="not built"):
        kd.ensembles.Ensemble([keras.Sequential([keras.layers.Dense(1)])])
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="same shape"):
        kd.ensembles.Ensemble([member(0), other])
    with pytest.raises(ValueError, match="logits"):
        kd.ensembles.Ensemble([member(0)], logits="tanh")
