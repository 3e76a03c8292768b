"""One table of Keras' layers, and all that asks it."""

import re

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.fans import kernel_fans, model_kernels
from keras_dlbasic._keras.following_activation import activations_after
from keras_dlbasic._keras.layer_kinds import LayerKind, class_kind, core_of, kind_of
from keras_dlbasic._keras.penalized import penalized_weights
from keras_dlbasic.ensembles.batch_statistics import batch_normalizations
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.propagation.probe import probe_layers, run_probe

L = keras.layers

ALL = {
    layer.__name__: layer
    for layer in vars(L).values()
    if isinstance(layer, type) and issubclass(layer, L.Layer) and layer is not L.Layer
}

NORMALIZATIONS = (
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
)
DROPOUTS = (
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
)
RECURRENT = {
    "lstm": lambda **how: L.LSTM(4, return_sequences=True, **how),
    "cells": lambda **how: L.RNN(
        [L.GRUCell(5), L.LSTMCell(4, **how)], return_sequences=True
    ),
    "bidirectional": lambda **how: L.Bidirectional(
        L.GRU(2, return_sequences=True, **how)
    ),
    "cell": lambda **how: L.RNN(L.SimpleRNNCell(4, **how), return_sequences=True),
}
WRAPPERS = {
    "time": lambda layer: L.TimeDistributed(layer),
    "spectral": lambda layer: L.SpectralNormalization(layer),
    "generic": lambda layer: Plain(layer),
    "nested": lambda layer: L.TimeDistributed(Plain(layer)),
}


@keras.saving.register_keras_serializable(package="tests")
class Plain(L.Wrapper):
    """A wrapper of a user's."""

    def call(self, inputs):
        return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


class OwnNormalization(L.RMSNormalization):
    """A subclass of a user's."""


class OwnLayer(L.Layer):
    """A layer of a user's."""


def made(name):
    n = 1 if name.startswith("GroupN") else None
    if name in DROPOUTS:
        return ALL[name](0.25)
    return ALL[name](groups=n) if n else ALL[name]()


def sequential(*layers, shape=(4, 3)):
    return keras.Sequential([keras.Input(shape), *layers])


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_layer_of_keras_has_a_row(name):
    assert class_kind(ALL[name]).kind != "custom", f"add {name} to `layer_kinds`"


@pytest.mark.parametrize("name", sorted(ALL))
def test_how_many_axes_of_places_a_layer_has(name):
    rank = re.search(r"(\d)D", name)
    assert class_kind(ALL[name]).places == (int(rank[1]) if rank else None)


def test_layers_of_ones_own():
    assert kind_of(OwnLayer()) == LayerKind("custom")
    assert kind_of(OwnNormalization()).kind == "normalization"
    assert kind_of(kd.layers.Dropout(0.5)).kind == "dropout"
    assert kind_of(kd.layers.GradientClipping(1.0)).passes == "units"
    assert kind_of(sequential(L.Dense(1))).kind == "model"


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=list(WRAPPERS))
def test_wrappers_are_what_they_wrap(wrap):
    dense = L.Dense(6, "relu")
    layer = wrap(dense)
    assert core_of(layer) is dense
    assert kind_of(layer).kind == "dense"
    assert activation_name(layer) == "relu"
    model = sequential(layer)
    assert kernel_fans(layer)[0].fan_in == 3
    assert [owner for owner, _ in model_kernels(model)] == [dense]


def test_how_layers_behave_in_training():
    """Where the table says so, and only there, training gives another output."""
    x = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    for name, layer in _layers_of_images().items():
        plain, *trained = [
            keras.ops.convert_to_numpy(layer(x, training=training))
            # a layer that acts at random may leave both rows alone, seldom ten times
            for training in (False, *[True] * 10)
        ]
        differ = any(
            plain.shape != other.shape or bool((plain != other).any())
            for other in trained
        )
        assert differ == kind_of(layer).in_training, name


def _layers_of_images():
    names = [*NORMALIZATIONS, "AutoContrast", "Identity", "PReLU"]
    layers = {name: made(name) for name in names}
    for name in ("Dropout", "AlphaDropout", "GaussianDropout", "SpatialDropout2D"):
        layers[name] = ALL[name](0.5, seed=1)
    return {
        **layers,
        "GaussianNoise": L.GaussianNoise(1.0, seed=1),
        "Solarization": L.Solarization(0.5, seed=1),
        "RandomInvert": L.RandomInvert(1.0, seed=1),
        "CenterCrop": L.CenterCrop(4, 4),
        "Resizing": L.Resizing(4, 4),
        "MaxPooling2D": L.MaxPooling2D(),
    }


@pytest.mark.parametrize("name", NORMALIZATIONS)
class TestNormalizations:
    def test_facts(self, name):
        model = sequential(L.Dense(4), made(name), L.Activation("tanh"))
        dense, norm, _ = network_facts(model).layers
        assert norm.normalizes
        assert dense.next_activation == "tanh"

    def test_none_is_put_before_another(self, name):
        model = sequential(L.Dense(4), made(name), L.ReLU(), L.Dense(1))
        new = kd.remedies.insert_normalization(model)
        assert len(new.layers) == len(model.layers)

    def test_initial_weights_suit_the_activation_behind(self, name):
        dense = L.Dense(64)
        model = sequential(dense, made(name), L.ReLU(), shape=(4, 400))
        assert activations_after(model)[id(dense)] == "relu"

    def test_only_batches_have_averages(self, name):
        model = sequential(made(name), L.TimeDistributed(made(name)))
        has_averages = name == "BatchNormalization"
        assert len(batch_normalizations(model)) == (2 if has_averages else 0)
        facts = network_facts(model).layers
        assert [f.batch_normalizes for f in facts] == [has_averages] * 2


@pytest.mark.parametrize("name", DROPOUTS)
class TestDropouts:
    def model(self, name):
        rank = int(name[-2]) if name.endswith("D") else 1
        shape = (4,) * rank + (3,)
        layers = L.Dense(4), made(name), L.ReLU(), L.Flatten(), L.Dense(1)
        return sequential(*layers, shape=shape)

    def test_rates_are_raised_and_lowered(self, name):
        more = kd.remedies.add_dropout(self.model(name), 0.5)
        less = kd.remedies.remove_penalty(self.model(name))
        assert type(more.layers[1]) is type(less.layers[1]) is ALL[name]
        assert more.layers[1].rate == 0.5
        assert less.layers[1].rate == 0.125

    def test_it_is_seen_through(self, name):
        model = self.model(name)
        assert activations_after(model)[id(model.layers[0])] == "relu"
        assert name not in [type(p.layer).__name__ for p in probe_layers(model)]
        assert network_facts(model).layers[1].dropout == 0.25

    def test_units_go_through(self, name):
        model = self.model(name)
        kernel = np.ones((3, 4), "float32")
        kernel[:, 1] = 0
        model.layers[0].kernel.assign(kernel)
        assert kd.remedies.prune_units(model).layers[0].units == 3


@pytest.mark.parametrize("make", RECURRENT.values(), ids=list(RECURRENT))
class TestRecurrentLayers:
    def model(self, make):
        return sequential(make(), make(), L.GlobalMaxPooling1D(), L.Dense(1))

    def test_facts(self, make):
        first = network_facts(self.model(make)).layers[0]
        assert first.is_recurrent
        assert first.fan_in == 3
        assert first.gain > 0

    def test_dropout_behind_each(self, make):
        new = kd.remedies.add_dropout(self.model(make))
        kinds = [kind_of(layer).kind for layer in new.layers]
        assert kinds[:4] == ["recurrent", "dropout"] * 2

    def test_width(self, make):
        model = self.model(make)
        new = kd.remedies.resize(model, 2.0)
        assert [la.output.shape[-1] for la in new.layers] == [8, 8, 8, 1]

    def test_penalties_go(self, make):
        model = sequential(make(kernel_regularizer="l2"), L.Dense(1))
        assert len(penalized_weights(model)) > 0
        assert not penalized_weights(kd.remedies.remove_penalty(model))

    def test_it_is_never_the_output_s_dense(self, make):
        model = sequential(make(), L.GlobalMaxPooling1D())
        assert len(kd.remedies.add_dropout(model).layers) == 2


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=list(WRAPPERS))
class TestRemediesOfWrappedLayers:
    def model(self, wrap):
        return sequential(wrap(L.Dense(4, "tanh")), wrap(L.Dense(2)))

    def test_activations(self, wrap):
        new = kd.remedies.swap_activations(self.model(wrap), "elu")
        assert [activation_name(layer) for layer in new.layers] == ["elu", None]
        assert type(new.layers[0]) is type(self.model(wrap).layers[0])

    def test_width_and_dropout(self, wrap):
        new = kd.remedies.resize(self.model(wrap), 2.0)
        assert [core_of(layer).units for layer in new.layers] == [8, 2]
        new = kd.remedies.add_dropout(self.model(wrap))
        assert [kind_of(layer).kind for layer in new.layers] == [
            "dense",
            "dropout",
            "dense",
        ]

    def test_penalties(self, wrap):
        new = kd.remedies.add_penalty(self.model(wrap))
        assert all(core_of(la).kernel_regularizer is not None for la in new.layers)
        bare = kd.remedies.remove_penalty(new)
        assert all(core_of(la).kernel_regularizer is None for la in bare.layers)

    def test_normalization_goes_before_the_activation(self, wrap):
        new = kd.remedies.insert_normalization(self.model(wrap))
        assert [activation_name(layer) for layer in new.layers[::2]] == [None, "tanh"]

    def test_another_output(self, wrap):
        new = kd.remedies.fix_output(self.model(wrap), "sigmoid", units=3)
        assert core_of(new.layers[-1]).units == 3
        assert activation_name(new.layers[-1]) == "sigmoid"

    def test_probes(self, wrap):
        model, x = self.model(wrap), np.ones((5, 4, 3), "float32")
        probes = run_probe(model, x)
        cores = [core_of(layer) for layer in model.layers]
        assert [p.layer for p in probes] == cores
        assert probes[0].activation == "tanh"
        z = keras.ops.convert_to_numpy(probes[0].preactivations[-1])
        y = keras.ops.convert_to_numpy(probes[0].outputs[-1])
        np.testing.assert_allclose(np.tanh(z), y, rtol=1e-5)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average", "GlobalMax", "GlobalAverage"])
def test_units_go_through_pooling_of_all_ranks(kind, rank):
    size = () if kind.startswith("Global") else (2,)
    pooling = ALL[f"{kind}Pooling{rank}D"](*size)
    conv = ALL[f"Conv{rank}D"](3, 1, activation="relu")
    layers = conv, pooling, L.Flatten(), L.Dense(2)
    model = sequential(*layers, shape=(4,) * rank + (2,))
    kernel = keras.ops.convert_to_numpy(conv.kernel).copy()
    kernel[..., 0] = 0
    conv.kernel.assign(kernel)
    x = np.random.default_rng(0).normal(size=(5, *(4,) * rank, 2)).astype("float32")
    new = kd.remedies.prune_units(model)
    assert new.layers[0].filters == 2
    outputs = [keras.ops.convert_to_numpy(m(x)) for m in (model, new)]
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-6)


def test_attention_and_einsum_layers():
    inputs = keras.Input((4, 6))
    hidden = L.EinsumDense("abc,cd->abd", (None, 8), activation="relu")(inputs)
    for name in ("MultiHeadAttention", "GroupedQueryAttention"):
        arguments = (2, 4) if name.startswith("M") else (4, 2, 2)
        hidden = ALL[name](*arguments)(hidden, hidden)
    hidden = L.Attention()([hidden, L.AdditiveAttention()([hidden, hidden])])
    model = keras.Model(inputs, L.Dense(1)(hidden))
    kinds = [f.kind for f in network_facts(model).layers[1:]]
    assert kinds == ["dense", *["attention"] * 4, "dense"]
    for remedy in ("add_dropout", "insert_normalization", "swap_activations", "lsuv"):
        x = (np.ones((3, 4, 6)),) if remedy == "lsuv" else ()
        if remedy != "lsuv":
            new = getattr(kd.remedies, remedy)(model, *x)
            assert [kind_of(la).kind for la in new.layers].count("attention") == 4


def test_operations_are_activations_too():
    inputs = keras.Input((3,))
    dense = L.Dense(4)
    outputs = L.Dense(1)(keras.ops.relu(dense(inputs)))
    model = keras.Model(inputs, outputs)
    assert activations_after(model)[id(dense)] is keras.activations.relu
