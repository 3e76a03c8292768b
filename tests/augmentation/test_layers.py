"""The layers that augment: off at inference, in models, saved, in half precision."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

A = kd.augmentation
IMAGES = np.random.default_rng(0).uniform(size=(6, 8, 8, 1)).astype("float32")
TOKENS = np.array([[5, 6, 7, 8, 9, 0, 0], [4, 3, 2, 9, 8, 7, 6]] * 3)
Y = np.arange(6) % 2


def array(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def layers():
    return [
        A.ImageAugmentation(0.2, seed=1),
        A.ImageAugmentation(0.3, A.image_augmentation.KINDS, flip="horizontal", seed=2),
        A.ImageNoise(0.1, seed=3),
    ]


def build_model(dtype=None, kinds=A.image_augmentation.KINDS):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            A.ImageAugmentation(0.2, kinds, seed=1, dtype=dtype),
            A.ImageNoise(0.1, seed=3, dtype=dtype),
            keras.layers.Flatten(),
            keras.layers.Dense(2, "softmax", dtype=dtype),
        ]
    )
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return model


def build_text_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            A.TokenNoise(0.3, seed=1),
            keras.layers.Embedding(10, 3, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2, "softmax"),
        ]
    )
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    "place", [*(pytest.param(p, marks=pytest.mark.once) for p in (0, 1)), 2]
)
def test_on_in_training_and_off_at_inference(place):
    layer = layers()[place]
    np.testing.assert_array_equal(array(layer(IMAGES)), IMAGES)
    one, other = (array(layer(IMAGES, training=True)) for _ in range(2))
    assert one.shape == IMAGES.shape
    assert np.abs(one - IMAGES).max() > 0.01
    assert np.abs(one - other).max() > 0.01
    again = layers()[place]
    np.testing.assert_allclose(array(again(IMAGES, training=True)), one, atol=1e-6)


def build_image_model():
    return build_model(kinds=A.image_augmentation.KINDS)


@pytest.mark.parametrize(
    "build", [pytest.param(build_image_model, marks=pytest.mark.once), build_text_model]
)
def test_in_a_model_trained_saved_and_loaded(build, tmp_path):
    model = build()
    x = TOKENS if build is build_text_model else IMAGES
    before = model.get_weights()
    model.fit(x, Y, epochs=1, verbose=0)
    assert any((a != b).any() for a, b in zip(before, model.get_weights()))  # noqa: B905
    expected = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    # a call without a word about training is inference too
    np.testing.assert_allclose(array(model(x)), expected, rtol=1e-5)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-6)
    clone = keras.models.clone_model(model)
    assert clone.get_config() == model.get_config()
    for layer in model.layers:
        config = layer.get_config()
        assert type(layer).from_config(config).get_config() == config


@pytest.mark.skipif("keras.backend.backend() != 'jax'")
def test_compiled_on_jax_like_uncompiled():
    """Keras itself runs models with such layers uncompiled on JAX."""
    import jax

    model = build_model()
    assert model.jit_compile
    layer = model.layers[0]
    state = [variable.value for variable in layer.non_trainable_variables]

    def changed(state, images):
        return layer.stateless_call([], state, images, training=True)

    plain, after = changed(state, IMAGES)
    compiled, after_compiled = jax.jit(changed)(state, IMAGES)
    np.testing.assert_allclose(plain, compiled, atol=1e-5)
    assert np.abs(array(plain) - IMAGES).max() > 0.05
    for one, other in zip(after, after_compiled, strict=True):
        np.testing.assert_array_equal(one, other)


def test_half_precision():
    model = build_model("mixed_float16")
    y = model(IMAGES, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert np.isfinite(array(y)).all()


@pytest.mark.once
def test_noise_has_the_deviation_it_says():
    noise = A.ImageNoise(0.25, seed=0)
    found = array(noise(np.full((20, 20, 20, 1), 2.0), training=True)) - 2
    assert found.std() == pytest.approx(0.25, rel=0.05)
    assert abs(found.mean()) < 0.02
    only = A.ImageAugmentation(0.5, ("noise",), value_range=(0, 4), seed=0)
    found = array(only(np.full((20, 20, 20, 1), 2.0), training=True)) - 2
    assert found.std() == pytest.approx(1.0, rel=0.05)


@pytest.mark.once
def test_strength_zero_and_no_kinds_change_nothing():
    for layer in (A.ImageAugmentation(0.0), A.ImageAugmentation(0.5, ())):
        np.testing.assert_array_equal(array(layer(IMAGES, training=True)), IMAGES)
    erased = A.ImageAugmentation(0.5, ("erasing",), value_range=(0, 2), seed=1)
    found = array(erased(np.zeros((40, 8, 8, 1), "float32"), training=True))
    assert set(np.unique(found)) == {0.0, 1.0}
    share = (found.reshape(40, -1) > 0).any(axis=1).mean()
    assert 0.2 < share < 0.8


@pytest.mark.once
@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixing_mixes_labels_by_the_same_share(mix):
    augmentation = A.ImageAugmentation(0.4, (), mix=mix, seed=0)
    # each image has the value of its class, so its mean tells the share
    y = np.eye(2, dtype="float32")[np.arange(40) % 2]
    x = np.ones((40, 8, 8, 1), "float32") * y[:, 1][:, None, None, None]
    images, labels = (array(part) for part in augmentation.batch(x, y))
    assert np.abs(labels - y).max() > 0.1
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), labels[:, 1], atol=1e-5)
    np.testing.assert_array_equal(array(augmentation(x)), x)
    with pytest.raises(ValueError, match="data pipeline"):
        augmentation(x, training=True)
    with pytest.raises(ValueError, match="one-hot"):
        augmentation.batch(x, np.arange(40))


@pytest.mark.parametrize("strength", [pytest.param(0.05, marks=pytest.mark.once), 0.5])
def test_labels_of_cutmix_are_the_area_that_was_pasted(strength):
    """Each image has one value of its own, so that its pixels tell where they are from."""
    n = 64
    x = np.ones((n, 9, 7, 2), "float32") * np.arange(n)[:, None, None, None]
    augmentation = A.ImageAugmentation(strength, (), mix="cutmix", seed=3)
    images, labels = (
        array(part) for part in augmentation.batch(x, np.eye(n, dtype="float32"))
    )
    expected = np.stack([(images == k).mean(axis=(1, 2, 3)) for k in range(n)], axis=1)
    assert ((expected > 0) & (expected < 1)).any()
    np.testing.assert_allclose(labels, expected, atol=1e-6)


@pytest.mark.once
@pytest.mark.parametrize("kinds", [("noise",), ("contrast",), ("noise", "contrast")])
def test_pixels_stay_in_their_range(kinds, rng):
    layer = A.ImageAugmentation(0.6, kinds, value_range=(0, 255), seed=1)
    images = rng.choice([0.0, 30.0, 200.0, 255.0], (8, 6, 6, 3)).astype("float32")
    found = array(layer(images, training=True))
    assert (found.min(), found.max()) == (0, 255)
    assert np.abs(found - images).max() > 5


@pytest.mark.once
def test_clipping_does_not_cut_images_of_another_range(rng):
    images = rng.standard_normal((4, 6, 6, 1)).astype("float32")
    noisy = array(A.ImageNoise(0.1, seed=0)(images, training=True))
    layer = A.ImageNoise(0.1, seed=0, value_range=(0, 1))
    found = array(layer(images, training=True))
    low, high = (f(images, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
    expected = np.clip(noisy, np.minimum(low, 0), np.maximum(high, 1))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.once
def test_mixed_batches_train_a_model():
    augmentation = A.ImageAugmentation(mix="mixup", seed=0)
    y = np.eye(2, dtype="float32")[Y]
    data = A.AugmentedBatches(IMAGES, y, augmentation.batch, batch_size=4)
    model = build_model()
    model.compile("sgd", "categorical_crossentropy")
    assert np.isfinite(model.fit(data, epochs=1, verbose=0).history["loss"]).all()
    rows = np.concatenate([data[0][1], data[1][1]])
    assert rows.shape == (6, 2)


@pytest.mark.skipif("keras.backend.backend() == 'jax'", reason="slow to compile")
def test_tokens():
    layer = A.TokenNoise(0.3, seed=0)
    np.testing.assert_array_equal(array(layer(TOKENS)), TOKENS)
    many = np.tile(np.arange(2, 12), (3000, 1))
    many[:, 8:] = 0
    found = array(layer(many, training=True))
    assert (found[:, 8:] == 0).all()
    dropped = (found[:, :8] == 1).mean()
    assert dropped == pytest.approx(0.3, abs=0.015)
    # what is not dropped moves by one place at most
    places = np.arange(8)
    for row in found[:300, :8]:
        words = row[row != 1]
        assert len(set(words)) == len(words)
        assert (np.abs(words - 2 - places[row != 1]) <= 1).all()
    moved = (found[:, :8] != many[:, :8]) & (found[:, :8] != 1)
    assert 0.05 < moved.mean() < 0.6


@pytest.mark.skipif("keras.backend.backend() != 'tensorflow'")
def test_in_tf_data():
    import tensorflow as tf

    augmentation = A.ImageAugmentation(0.2, mix="mixup", seed=0)
    y = np.eye(2, dtype="float32")[Y]
    data = tf.data.Dataset.from_tensor_slices((IMAGES, y)).batch(3)
    batches = list(data.map(augmentation.batch))
    assert [tuple(x.shape) for x, _ in batches] == [(3, 8, 8, 1)] * 2
    plain = A.ImageAugmentation(0.2)
    plain = data.map(lambda x, y: (plain.batch(x), y))
    assert next(iter(plain))[0].shape == (3, 8, 8, 1)


@pytest.mark.once
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: A.ImageAugmentation(1.5), "strength=1.5"),
        (lambda: A.ImageAugmentation(kinds=("blur",)), "`kinds`"),
        (lambda: A.ImageAugmentation(kinds="shift"), "`kinds`"),
        (lambda: A.ImageAugmentation(flip="left"), "`flip`"),
        (lambda: A.ImageAugmentation(mix="both"), "`mix`"),
        (lambda: A.ImageAugmentation(value_range=(1, 0)), "`value_range`"),
        (lambda: A.ImageNoise(-1), "`stddev`"),
        (lambda: A.ImageNoise(1, value_range=(1, 0)), "`value_range`"),
        (lambda: A.ImageNoise("a"), "`stddev`"),
        (lambda: A.TokenNoise(2), "strength=2"),
        (lambda: A.AugmentedBatches(IMAGES, Y[:2], max), "same number"),
    ],
)
def test_bad_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()
