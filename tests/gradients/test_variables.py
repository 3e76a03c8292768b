import keras
import models
import pytest

from keras_dlbasic.gradients import describe_variables


def described(name):
    model, x, *_ = models.make(name)
    if not model.built:
        model(x)
    return describe_variables(model, model.trainable_variables)


def test_layers_roles_and_depths_of_a_chain():
    found = described("mlp")
    assert [v.role for v in found] == ["kernel", "bias", "kernel", "kernel", "bias"]
    assert [v.depth for v in found] == [0, 0, 1, 2, 2]
    assert [v.shape for v in found] == [(6, 8), (8,), (8, 8), (8, 4), (4,)]


@pytest.mark.once
def test_parallel_branches_share_a_depth():
    depths = {v.layer: v.depth for v in described("several_outputs")}
    assert depths == {"a": 0, "b": 0, "kind": 1, "size": 1}


def test_a_nested_model_lies_where_it_is_called():
    depths = {v.layer: v.depth for v in described("shared")}
    assert depths == {"twice": 0, "inner/inner_dense": 1, "head": 2}


@pytest.mark.once
def test_layers_of_keras_are_one_layer():
    assert {v.layer for v in described("attention")} == {
        "embed",
        "attention",
        "norm",
        "head",
    }
    depths = {v.layer: v.depth for v in described("attention")}
    assert depths["embed"] < depths["attention"] < depths["norm"] < depths["head"]
    assert len({v.layer for v in described("gru")}) == 2


def test_layers_of_the_user_are_taken_apart():
    assert [v.layer for v in described("subclassed")][::2] == [
        "first/dense",
        "first/scale",
        "second/dense",
        "second/scale",
        "head",
    ]


def test_layers_of_the_same_name_stay_apart():
    class Twins(keras.Model):
        def __init__(self):
            super().__init__()
            self.one = keras.layers.Dense(2, name="twin")
            self.two = keras.layers.Dense(2, name="twin")

        def call(self, x):
            return self.two(self.one(x))

    model = Twins()
    model(keras.ops.ones((1, 3)))
    found = describe_variables(model, model.trainable_variables)
    assert [v.layer for v in found] == ["twin", "twin", "twin#2", "twin#2"]


@pytest.mark.once
def test_units_are_known_of_plain_biases_and_offsets_only():
    assert [v.has_units for v in described("mlp")] == [False, True, False, False, True]
    assert not any(v.has_units for v in described("lstm") if "lstm" in v.layer)
    assert any(v.has_units for v in described("cnn") if v.role == "beta")
