"""What all studies have from their base class."""

import random

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.studies.base import Study

X = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
Y = X.sum(axis=1)


def build_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model


class RatesStudy(Study[list]):
    """A study of your own: what it asks, and nothing else."""

    def __init__(self, rates, *, validation_data=None, seeds=2, directory=None):
        super().__init__(
            build_model,
            X,
            Y,
            validation_data,
            seeds=seeds,
            directory=directory,
            overwrite=False,
            verbose=0,
        )
        self.rates = rates
        rows = [len(self._data.train[0]), len(self._data.held_out[0])]
        self._ask(rate_trial, rows, self._first_model(), {"of": "rates"})

    def _arms(self):
        return [{"rate": rate} for rate in self.rates]

    def _result(self, trials):
        return [(t.settings["rate"], t.settings["seed"], t.values) for t in trials]


def rate_trial(settings, rows):
    return {"rows": "{} and {}".format(*rows), "drawn": random.random()}


def test_each_arm_runs_from_each_seed():
    found = RatesStudy((0.1, 0.2)).run()
    assert [row[:2] for row in found] == [(0.1, 0), (0.1, 1), (0.2, 0), (0.2, 1)]
    assert found[0][2] == {"rows": "14 and 6", "drawn": random.Random(0).random()}


def test_validation_data_leave_all_rows_for_training():
    ((_, seed, values),) = RatesStudy((1,), validation_data=(X, Y), seeds=(7,)).run()
    assert (seed, values["rows"]) == (7, "20 and 20")


def test_what_a_study_is_about_is_checked(tmp_path):
    RatesStudy((0.1,), directory=tmp_path).run()
    assert len(RatesStudy((0.1, 0.2), directory=tmp_path).run()) == 4
    with pytest.raises(ValueError, match="rows"):
        RatesStudy((0.1,), validation_data=(X, Y), directory=tmp_path)


def test_seeds_are_needed():
    with pytest.raises(ValueError, match="at least one seed"):
        RatesStudy((0.1,), seeds=())


@pytest.mark.parametrize(
    "use",
    [
        lambda: kd.studies.BatchSizeStudy(build_model, X, Y, verbose=0),
        lambda: RatesStudy((0.1,)),
        lambda: kd.studies.LearningRateRangeTest(build_model, X, Y, steps=10).run(),
    ],
)
def test_generators_are_left_alone(use):
    keras.utils.set_random_seed(5)
    expected = random.random(), np.random.random()
    keras.utils.set_random_seed(5)
    use()
    assert (random.random(), np.random.random()) == expected
