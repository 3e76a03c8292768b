"""Remedies that rebuild a model: what they change, and what they leave alone."""

import keras
import models
import numpy as np
import pytest

import keras_dlbasic as kd

L = keras.layers
R = kd.remedies


def on_one_backend(*names):
    """Rebuilding is Keras' own on all backends: one model shows the rest."""
    return [pytest.param(name, marks=pytest.mark.once) for name in names]


KNOWN = on_one_backend(*(n for n in models.ALL if n not in ("subclassed", "mlp")))


def made(name):
    model, x, y, loss = models.make(name)
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss=loss)
    return model, x, y


def outputs(model, x):
    found = keras.tree.flatten(model.predict(x, verbose=0))
    return [np.asarray(part) for part in found]


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def dense(*layers, shape=(6,)):
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(optimizer="sgd", loss="mse")
    return model


@pytest.mark.parametrize("name", ["mlp", *KNOWN])
def test_what_changes_training_only_keeps_the_outputs(name):
    model, x, y = made(name)
    before = outputs(model, x)
    old = R.change_learning_rate(model, factor=0.5)
    new = R.clip_gradients(R.add_penalty(R.add_dropout(old, 0.2, seed=1), 1e-3), 2.0)
    for one, other in zip(before, outputs(new, x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert float(new.optimizer.learning_rate) == pytest.approx(0.05)
    assert new.optimizer.momentum == 0.9
    assert new.optimizer.global_clipnorm == 2.0
    new.fit(x, y, verbose=0)
    for one, other in zip(before, outputs(model, x), strict=True):
        np.testing.assert_array_equal(one, other)  # the user's model is as it was
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)


@pytest.mark.once
@pytest.mark.parametrize(
    "name", ["cnn", *on_one_backend("mlp", "attention", "shared", "gru")]
)
def test_structural_remedies_give_models_that_train(name, tmp_path):
    model, x, y = made(name)
    new = R.swap_activations(model, "gelu")
    new = R.insert_normalization(new, "layer")
    if name != "shared":  # a layer that takes its own outputs
        new = R.resize(new, 1.5)
    new = R.scale_inputs(new, x)
    assert np.isfinite(new.fit(x, y, verbose=0).history["loss"]).all()
    new.save(tmp_path / "new.keras")
    again = keras.models.load_model(tmp_path / "new.keras")
    for one, other in zip(outputs(new, x), outputs(again, x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.once
def test_swapped_activations_with_weights_that_suit_them():
    model, x, _ = made("mlp")
    both = R.initialize(R.swap_activations(model, "elu"), seed=3)
    new = R.swap_activations(model, "elu", initialize=True, seed=3)
    for one, other in zip(outputs(new, x), outputs(both, x), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.once
def test_frozen_layers_stay_frozen_and_names_stay():
    model, _, _ = made("frozen")
    new = R.swap_activations(model, "elu")
    assert [layer.trainable for layer in new.layers] == [False, True, True]
    assert [v.path.split("/")[-2:] for v in new.variables] == [
        v.path.split("/")[-2:] for v in model.variables
    ]


@pytest.mark.once
class TestSwapActivations:
    def test_hidden_ones_only(self):
        model = dense(
            L.Dense(4, "sigmoid"), L.Dense(4), L.ReLU(), L.Dense(3, "sigmoid")
        )
        new = R.swap_activations(model, "elu")
        names = [getattr(layer, "activation", None).__name__ for layer in new.layers]
        assert names == ["elu", "linear", "elu", "sigmoid"]

    def test_linear_too(self):
        model = dense(L.Dense(4), L.Dense(4), L.BatchNormalization(), L.Dense(3))
        new = R.swap_activations(model, "relu", linear_too=True)
        assert new.layers[0].activation.__name__ == "relu"
        assert new.layers[1].activation.__name__ == "linear"  # normalized behind
        assert new.layers[3].activation.__name__ == "linear"  # the output

    def test_gates_and_softmax_are_left_alone(self):
        inputs = keras.Input((6,))
        gate = L.Dense(6, "sigmoid", name="gate")(inputs)
        weights = L.Dense(6, "softmax", name="weights")(inputs)
        mixed = L.Multiply()([inputs, gate]) + weights
        model = keras.Model(inputs, L.Dense(1)(mixed))
        new = R.swap_activations(model, "relu")
        assert new.get_layer("gate").activation.__name__ == "sigmoid"
        assert new.get_layer("weights").activation.__name__ == "softmax"

    def test_an_unknown_one(self):
        with pytest.raises(ValueError, match="nonsense"):
            R.swap_activations(dense(L.Dense(1)), "nonsense")


@pytest.mark.once
class TestInsertNormalization:
    def test_before_the_activation(self):
        model = dense(L.Dense(4, "tanh"), L.Dense(4), L.ReLU(), L.Dense(1))
        assert kinds(R.insert_normalization(model)) == [
            *("Dense", "BatchNormalization", "Activation"),
            *("Dense", "BatchNormalization", "ReLU"),
            "Dense",
        ]

    def test_once_is_enough(self):
        once = R.insert_normalization(dense(L.Dense(4, "tanh"), L.Dense(1)))
        assert kinds(R.insert_normalization(once)) == kinds(once)

    def test_within_a_nested_model(self):
        model, x, _ = made("shared")
        new = R.insert_normalization(model)
        inner = kinds(new.get_layer("inner"))
        assert inner == ["InputLayer", "Dense", "BatchNormalization", "Activation"]
        twice = [layer for layer in new.layers if layer.name.startswith("twice")]
        assert len(twice) == 3  # one of each, shared like the layer
        assert outputs(new, x)[0].shape == (24, 4)

    def test_an_unknown_kind(self):
        with pytest.raises(ValueError, match=r"'batch', 'layer'.*'group'"):
            R.insert_normalization(dense(L.Dense(1)), "group")


@pytest.mark.once
class TestScaling:
    def test_inputs(self):
        rng = np.random.default_rng(0)
        x = (rng.normal(size=(50, 6)) * 200 + 1e3).astype("float32")
        x[:, 2], x[3, 1] = 7.0, np.nan
        model = dense(L.Dense(3))
        new = R.scale_inputs(model, x)
        clean = np.delete(x, 3, axis=0).astype(np.float64)
        mean, std = np.nanmean(x.astype(np.float64), 0), np.nanstd(x.astype("f8"), 0)
        std[2] = 1.0  # does not vary
        np.testing.assert_allclose(
            outputs(new, clean.astype("float32"))[0],
            outputs(model, ((clean - mean) / std).astype("float32"))[0],
            rtol=1e-4,
            atol=1e-4,
        )

    def test_several_inputs(self):
        model, x, y = made("several_outputs")
        wide = [100 * part + 5 for part in x]
        new = R.scale_inputs(model, wide)
        scaled = [(p - p.mean(0)) / p.std(0) for p in wide]
        for one, other in zip(outputs(new, wide), outputs(model, scaled), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
        named = R.scale_inputs(model, dict(zip(["left", "right"], wide, strict=True)))
        for one, other in zip(outputs(new, wide), outputs(named, wide), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)
        new.fit(wide, y, verbose=0)

    def test_tokens_are_refused(self):
        model, x, _ = made("embedding")
        with pytest.raises(ValueError, match="integers"):
            R.scale_inputs(model, x)

    @pytest.mark.parametrize("x", [np.full((4, 6), np.nan), np.array([["a"] * 6])])
    def test_useless_data_are_refused(self, x):
        with pytest.raises(ValueError, match="number"):
            R.scale_inputs(dense(L.Dense(1)), x)

    @pytest.mark.parametrize(("loss", "shape"), [("mse", (40, 1)), ("mae", (40,))])
    def test_targets_train_like_standardised_ones(self, loss, shape):
        rng = np.random.default_rng(1)
        x = rng.normal(size=(40, 6)).astype("float32")
        y = (1e4 + 3e3 * rng.normal(size=shape)).astype("float32")
        keras.utils.set_random_seed(0)
        model = dense(L.Dense(5, "tanh"), L.Dense(1))
        model.compile(optimizer=keras.optimizers.SGD(0.05), loss=loss)
        new = R.scale_targets(model, y)
        fit = {"batch_size": 10, "shuffle": False, "epochs": 2, "verbose": 0}
        standard = (y - y.mean()) / y.std()
        model.fit(x, standard, **fit)
        new.fit(x, y, **fit)
        np.testing.assert_allclose(
            outputs(new, x)[0],
            outputs(model, x)[0] * y.std() + y.mean(),
            rtol=1e-4,
        )

    @pytest.mark.parametrize("by_name", [False, True])
    def test_each_output_of_values_is_scaled(self, by_name):
        rng = np.random.default_rng(1)
        x = rng.normal(size=(40, 6)).astype("float32")
        price = (1e4 + 3e3 * x[:, :1]).astype("float32")
        kind = (x[:, :1] > 0).astype("float32")
        inputs = keras.Input((6,))
        hidden = L.Dense(5, "tanh")(inputs)
        outputs = [
            L.Dense(1, name="price")(hidden),
            L.Dense(1, "sigmoid", name="kind")(hidden),
        ]
        model = keras.Model(inputs, outputs)
        losses, y = ["mse", "binary_crossentropy"], [price, kind]
        if by_name:
            losses = dict(zip(("price", "kind"), losses, strict=True))
            y = {"kind": kind, "price": price}
        model.compile("adam", losses)
        new = R.scale_targets(model, y)
        assert new.output_names == ["price", "kind"]
        before, after = model.predict(x, verbose=0), new.predict(x, verbose=0)
        np.testing.assert_allclose(
            after[0], before[0] * price.std() + price.mean(), rtol=1e-3
        )
        np.testing.assert_allclose(after[1], before[1], rtol=1e-5)
        logs = new.evaluate(x, y, verbose=0, return_dict=True)
        assert logs["loss"] < 10  # the loss of prices counts as of variance 1
        new.fit(x, y, epochs=1, verbose=0)

    def test_targets_of_classes_are_refused(self):
        model, _, y = made("mlp")
        with pytest.raises(ValueError, match="SparseCategoricalCrossentropy"):
            R.scale_targets(model, y)


@pytest.mark.once
class TestFixOutput:
    def test_units_activation_and_loss(self):
        model = dense(L.Dense(5, "relu"), L.Dense(1), L.Activation("softmax"))
        new = R.fix_output(model, "softmax", "categorical_crossentropy", units=3)
        x = np.random.default_rng(0).normal(size=(8, 6)).astype("float32")
        found = outputs(new, x)[0]
        assert found.shape == (8, 3)
        np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
        assert found.std(axis=1).min() > 0  # one softmax, on the inputs themselves
        assert new.loss == "categorical_crossentropy"
        kept = np.array(keras.ops.convert_to_numpy(new.layers[0].kernel))
        old = np.array(keras.ops.convert_to_numpy(model.layers[0].kernel))
        np.testing.assert_array_equal(kept, old)

    def test_the_loss_alone(self):
        model = dense(L.Dense(1, "sigmoid"))
        new = R.fix_output(model, loss="binary_crossentropy")
        assert new.layers[0].activation.__name__ == "sigmoid"
        assert new.loss == "binary_crossentropy"

    def test_several_outputs_are_refused(self):
        model, _, _ = made("several_outputs")
        with pytest.raises(ValueError, match="2 outputs"):
            R.fix_output(model, "relu")


@pytest.mark.once
class TestResize:
    @pytest.mark.parametrize(("factor", "units"), [(2, 16), (0.5, 4), (0.01, 1)])
    def test_width(self, factor, units):
        model, x, _ = made("mlp")
        new = R.resize(model, factor)
        assert [layer.units for layer in new.layers] == [units, units, 4]
        assert outputs(new, x)[0].shape == (24, 4)

    def test_recurrent_and_embedding(self):
        model, x, _ = made("gru")
        assert R.resize(model, 2).layers[0].forward_layer.units == 8
        model, x, _ = made("embedding")
        assert R.resize(model, 2).layers[0].output_dim == 12

    def test_what_is_added_to_the_input_keeps_its_width(self):
        inputs = keras.Input((6,))
        inner = L.Dense(9, "relu")(inputs)
        summed = L.Add()([inputs, L.Dense(6, "relu")(inner)])
        new = R.resize(keras.Model(inputs, L.Dense(1)(summed)), 2)
        units = [layer.units for layer in new.layers if hasattr(layer, "units")]
        assert units == [18, 6, 1]

    def test_what_is_added_to_each_other_changes_together(self):
        inputs = keras.Input((6,))
        summed = L.Dense(4)(inputs) + L.Dense(4)(inputs)
        new = R.resize(keras.Model(inputs, L.Dense(1)(summed)), 2)
        units = [layer.units for layer in new.layers if hasattr(layer, "units")]
        assert units == [8, 8, 1]

    def test_what_is_reshaped_keeps_its_width(self):
        after = (L.Conv2D(3, 2), L.Flatten(), L.Dense(1))
        new = R.resize(dense(L.Dense(16), L.Reshape((4, 4, 1)), *after), 2)
        assert (new.layers[0].units, new.layers[2].filters) == (16, 6)

    def test_a_model_without_a_layer_to_resize_is_refused(self):
        inputs = keras.Input((6,))
        summed = L.Add()([inputs, L.Dense(6, "relu")(inputs)])
        with pytest.raises(ValueError, match="no hidden layer that can be resized"):
            R.resize(keras.Model(inputs, L.Dense(1)(summed)), 2)


@pytest.mark.once
class TestPenalties:
    def test_removed(self):
        model = dense(
            L.Dense(4, "relu", kernel_regularizer="l2"), L.Dropout(0.5), L.Dense(1)
        )
        model.compile(optimizer=keras.optimizers.AdamW(weight_decay=0.1), loss="mse")
        new = R.remove_penalty(model)
        assert new.layers[0].kernel_regularizer is None
        assert new.layers[1].rate == 0.25
        assert not new.optimizer.weight_decay
        assert new.losses == []

    def test_added_where_there_is_none(self):
        model = dense(L.Dense(4, kernel_regularizer="l1"), L.Dense(1))
        new = R.add_penalty(model, 0.5)
        first, second = (layer.kernel_regularizer for layer in new.layers)
        assert isinstance(first, keras.regularizers.L1)
        assert second.get_config()["l2"] == 0.5

    def test_dropout_is_not_doubled(self):
        model = dense(L.Dense(4, "relu"), L.Dropout(0.2), L.Dense(1))
        new = R.add_dropout(model, 0.4)
        assert kinds(new) == ["Dense", "Dropout", "Dense"]
        assert new.layers[1].rate == 0.4


@pytest.mark.once
class TestOptimizers:
    def test_a_schedule_is_scaled(self):
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
            [2, 4], [1.0, 0.5, 0.25]
        )
        model = dense(L.Dense(1))
        model.compile(optimizer=keras.optimizers.SGD(schedule), loss="mse")
        new = R.change_learning_rate(model, factor=0.1)
        assert new.optimizer._learning_rate.values == pytest.approx([0.1, 0.05, 0.025])

    def test_clipping_takes_the_place_of_other_clipping(self):
        model = dense(L.Dense(1))
        model.compile(optimizer=keras.optimizers.SGD(clipvalue=0.5), loss="mse")
        new = R.clip_gradients(model, clipnorm=3.0)
        assert (new.optimizer.clipnorm, new.optimizer.clipvalue) == (3.0, None)

    def test_within_loss_scaling(self):
        inner = keras.optimizers.Adam(0.01)
        model = dense(L.Dense(1))
        model.compile(optimizer=keras.optimizers.LossScaleOptimizer(inner), loss="mse")
        new = R.clip_gradients(R.change_learning_rate(model, 0.5), 2.0)
        assert isinstance(new.optimizer, keras.optimizers.LossScaleOptimizer)
        assert float(new.optimizer.inner_optimizer.learning_rate) == 0.5
        assert new.optimizer.inner_optimizer.global_clipnorm == 2.0

    def test_weight_decay_within_loss_scaling(self):
        inner = keras.optimizers.AdamW(0.01, weight_decay=0.1)
        model = dense(L.Dense(1))
        model.compile(optimizer=keras.optimizers.LossScaleOptimizer(inner), loss="mse")
        new = R.remove_penalty(model)
        assert isinstance(new.optimizer, keras.optimizers.LossScaleOptimizer)
        assert new.optimizer.inner_optimizer.weight_decay == 0.0

    def test_another_momentum(self):
        model = dense(L.Dense(4), L.BatchNormalization(), L.Dense(1))
        model.layers[1].moving_mean.assign([1.0, 2.0, 3.0, 4.0])
        new = R.change_momentum(model, 0.5)
        assert new.layers[1].momentum == 0.5
        assert new.compiled
        for old, own in zip(model.weights, new.weights, strict=True):
            np.testing.assert_array_equal(
                *map(keras.ops.convert_to_numpy, (old, own)), strict=True
            )

    @pytest.mark.parametrize("momentum", [1.0, "0.9", True, float("nan")])
    def test_a_momentum_that_is_no_number_below_one(self, momentum):
        with pytest.raises(ValueError, match="`momentum` must be .* below 1. Received"):
            R.change_momentum(dense(L.BatchNormalization()), momentum)

    def test_another_optimizer(self):
        new = R.change_optimizer(dense(L.Dense(1)), "adam", learning_rate=0.25)
        assert isinstance(new.optimizer, keras.optimizers.Adam)
        assert float(new.optimizer.learning_rate) == 0.25

    def test_wrong_arguments(self):
        model = dense(L.Dense(1))
        with pytest.raises(ValueError, match="either `learning_rate` or `factor`"):
            R.change_learning_rate(model)
        with pytest.raises(ValueError, match="Give one of"):
            R.clip_gradients(model, 1.0, clipnorm=2.0)
        with pytest.raises(ValueError, match="Give one of"):
            R.clip_gradients(model, -1.0)
        plain = keras.Sequential([keras.Input((2,)), L.Dense(1)])
        with pytest.raises(ValueError, match="not compiled"):
            R.change_optimizer(plain)


@pytest.mark.once
def test_images_are_augmented_in_training_only():
    model, x, y = made("cnn")
    new = R.augment_images(model, 0.3, flip="horizontal")
    np.testing.assert_allclose(outputs(new, x)[0], outputs(model, x)[0], rtol=1e-5)
    moved = keras.ops.convert_to_numpy(new.layers[0](x, training=True))
    assert np.abs(moved - x).max() > 0.1
    new.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="images"):
        R.augment_images(made("mlp")[0])


@pytest.mark.once
def test_models_whose_connections_are_not_known_are_refused():
    model, x, _ = made("subclassed")
    model(x)
    with pytest.raises(ValueError, match="Sequential and Functional"):
        R.add_dropout(model)

    class Own(keras.Sequential):
        def train_step(self, *args):
            return super().train_step(*args)

    own = Own([keras.Input((2,)), L.Dense(1)])
    with pytest.raises(ValueError, match="train_step"):
        R.add_dropout(own)


@pytest.mark.once
def test_compile_arguments_of_the_users_own():
    def size(y, p):
        return keras.ops.mean(keras.ops.abs(p))

    model = dense(L.Dense(4, "relu"), L.Dense(1))
    square = lambda y, p: keras.ops.mean((y - p) ** 2)  # noqa: E731
    model.compile(optimizer="sgd", loss=square, metrics=["mae"], jit_compile=False)
    new = R.add_dropout(model)
    assert new.loss is square
    assert new.jit_compile is False
    scores = new.evaluate(
        np.zeros((64, 6)), np.ones((64, 1)), verbose=0, return_dict=True
    )
    assert sorted(scores) == ["loss", "mae"]

    class Unregistered(keras.metrics.MeanAbsoluteError):
        def __init__(self, factor):
            super().__init__("unregistered")

    model.compile(optimizer="sgd", loss="mse", metrics=[size, Unregistered(2)])
    copy = R.initialize(R.add_dropout(model))
    logs = copy.fit(np.zeros((64, 6)), np.ones((64, 1)), verbose=0).history
    assert sorted(logs) == ["loss", "size", "unregistered"]


def test_weights_that_a_training_destroyed_are_not_handed_on():
    model = dense(L.Dense(4, "relu", name="lost"), L.Dense(1, name="kept"))
    kept = model.get_layer("kept").get_weights()
    model.get_layer("lost").bias.assign(np.full(4, np.nan, "float32"))
    with pytest.warns(UserWarning, match="not finite, in the layers .'lost'."):
        new = R.change_learning_rate(model, factor=0.1)
    for value in new.get_layer("lost").get_weights():
        assert np.isfinite(value).all()
    np.testing.assert_array_equal(new.get_layer("kept").get_weights()[0], kept[0])


def test_dropout_of_a_seed_drops_other_units_in_each_layer():
    layers = [L.Dense(64, "relu"), L.Dense(64, "relu"), L.Dense(1)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    masks = []
    for seed in (1, 1, 2):
        new = R.add_dropout(model, 0.5, seed=seed)
        ones = np.ones((1, 64), "float32")
        drops = [layer for layer in new.layers if isinstance(layer, L.Dropout)]
        both = [keras.ops.convert_to_numpy(d(ones, training=True)) for d in drops]
        assert not np.array_equal(*both)
        masks.append(np.stack(both))
    np.testing.assert_array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])
