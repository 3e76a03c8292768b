"""Models that get their weights from the first rows that they see."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._trials.builder import builder_of

X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
Y = X[:, :1]
FEW = {"seeds": 2, "budget": {"updates": 2}, "verbose": 0}


class Net(keras.Model):
    """Has no input of its own, so that it is built by its first call."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(8, "relu")
        self.out = keras.layers.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))


class Named(Net):
    """Cannot be made again by its configuration."""

    def __init__(self, part):
        super().__init__()


def compiled(model):
    model.compile("sgd", "mse")
    return model


def sequential():
    return keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])


STUDIES = {
    "remedies": lambda model: kd.studies.RemedyStudy(
        model, X, Y, remedies=["early stopping"], **FEW
    ),
    "batch size": lambda model: kd.studies.BatchSizeStudy(
        model, X, Y, batch_sizes=[16], **FEW
    ),
}


@pytest.mark.once
@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("make", [Net, sequential])
def test_trials_build_copies_of_them(name, make):
    model = compiled(make())
    trials = STUDIES[name](model).run().trials
    assert {trial.status for trial in trials} == {"done"}
    assert not model.built


def test_a_class_that_takes_no_arguments_is_made_again():
    model = compiled(Net())
    model(X[:2])
    copy = builder_of(model, x=X)()
    assert copy is not model
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]
    assert copy.loss == "mse"
    assert not np.array_equal(copy.get_weights()[0], model.get_weights()[0])


@pytest.mark.once
def test_widths_of_what_can_be_rebuilt():
    capacity = kd.studies.CapacityStudy
    result = capacity(compiled(sequential()), X, Y, sizes=(1, 2), **FEW).run()
    assert result.parameters == {1: 49, 2: 97}
    with pytest.raises(ValueError, match=r"Or give a function `build_model\(size\)`"):
        capacity(compiled(Net()), X, Y, sizes=(1, 2), **FEW)


@pytest.mark.once
@pytest.mark.parametrize("given", ["model", "function"])
def test_members_of_an_ensemble(given):
    build = compiled(Net()) if given == "model" else lambda: compiled(Net())
    ensemble = kd.ensembles.fit_ensemble(build, 2, X, Y, verbose=0)
    first, second = (member.get_weights()[0] for member in ensemble.members)
    assert first.shape == (4, 8)
    assert not np.array_equal(first, second)


@pytest.mark.once
def test_the_learning_rate_range_of_a_function():
    test = kd.studies.LearningRateRangeTest(lambda: compiled(Net()), X, Y, verbose=0)
    assert len(test.run().loss)


@pytest.mark.once
@pytest.mark.parametrize("name", STUDIES)
def test_what_cannot_be_made_again_says_what_to_do(name):
    with pytest.raises(ValueError, match="cannot be copied.*Or give a function"):
        STUDIES[name](compiled(Named(object())))
