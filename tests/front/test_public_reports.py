"""What people reported of Keras and of packages around it, rebuilt as small as it gets.

- keras-team/keras#7247: a callback fails with more than three inputs, and with
  `validation_data` as a list
- keras-team/keras#10171: a callback fails where the model makes its own loss and the
  validation has no targets
- tensorflow/tensorflow#36594: a data frame with `pandas.NA`, or with numbers as text
- surmenok/keras_lr_finder#33: a range test for batches of one row of any length
- JonnoFTW/keras_find_lr_on_plateau#1: the rows in the place of their number
"""

import keras
import numpy as np
import pytest
from front.inputs import X, Y

import keras_dlbasic as kd

pytestmark = pytest.mark.once

L = keras.layers
C = kd.callbacks


def make(loss="mse"):
    model = keras.Sequential([keras.Input((3,)), L.Dense(1, "sigmoid")])
    model.compile("sgd", loss)
    return model


def test_four_inputs_and_validation_data_as_a_list():
    inputs = [keras.Input((3,), name=f"input_{i}") for i in range(4)]
    model = keras.Model(inputs, L.Dense(2)(L.Add()(inputs)))
    model.compile("sgd", "mse")
    x = [np.roll(X, i, axis=0) for i in range(4)]
    pair = [x, X[:, :2]]
    doctor = C.TrainingDoctor(*pair, validation_data=pair, verbose=0)
    watchers = [C.OverfittingDetector(*pair, verbose=0), C.ActivationMonitor(x)]
    model.fit(*pair, validation_data=pair, verbose=0, callbacks=[doctor, *watchers])
    assert doctor.diagnosis.is_judged
    assert watchers[0].loss_source == "evaluated"
    assert np.isfinite(watchers[0].record.epochs["evaluated_loss"]).all()
    assert len(watchers[1].record.tables["activations"]) == 1
    assert kd.preflight(model, *pair, validation_data=pair).coverage.is_judged


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(3)

    def call(self, x):
        again = self.dense(x)
        self.add_loss(keras.ops.mean((again - x) ** 2))
        return again


def test_a_model_that_makes_its_own_loss_and_has_no_targets():
    model = Autoencoder()
    model.compile("sgd")
    assert kd.lr_find(model, X, plot=False, steps=20) > 0
    detector = C.OverfittingDetector(X, verbose=0)
    doctor = C.TrainingDoctor(X, validation_data=(X, None), verbose=0)
    watchers = [detector, doctor, C.CurvatureProbe(X, None)]
    model.fit(X, validation_data=(X, None), verbose=0, callbacks=watchers)
    assert np.isfinite(detector.record.epochs["evaluated_loss"]).all()
    with pytest.raises(ValueError, match="`y` is missing.*has a loss"):
        make().fit(X, Y, verbose=0, callbacks=[C.OverfittingDetector(X)])


def test_missing_values_of_pandas_are_missing_numbers():
    pandas = pytest.importorskip("pandas")
    numbers = pandas.DataFrame(X, columns=list("abc"))
    for table in (numbers.convert_dtypes(), numbers.astype(object)):
        table.iloc[3, 1] = pandas.NA
        for x in (table, table.to_numpy(object)):
            found = kd.preflight(make(), x, Y)
            assert found[0].name == "non_finite_data"
            assert "1 in the inputs" in found[0].message
    text = numbers.astype("string")
    text.iloc[3, 1] = pandas.NA
    with pytest.raises(
        ValueError, match=r"Column 'a' of `x` holds numbers as text.*to_n"
    ):
        kd.preflight(make(), text, Y)


class Sentences(keras.utils.PyDataset):
    """Batches of one row, each of another length."""

    def __len__(self):
        return 6

    def __getitem__(self, i):
        steps = np.random.default_rng(i).normal(size=(1, 20 + i, 5)).astype("float32")
        return steps, steps[..., :1]


def test_batches_of_one_row_of_any_length():
    layers = [L.Conv1D(4, 3, padding="causal"), L.Dense(1)]
    model = keras.Sequential([keras.Input((None, 5)), *layers])
    model.compile("sgd", "mse")
    assert kd.lr_find(model, Sentences(), plot=False, steps=20) > 0
    assert kd.preflight(model, Sentences()).is_judged
    with pytest.raises(ValueError, match="differ in shape.*pad them"):
        kd.treat(model, Sentences(), epochs=1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kd.lr_find(make(), X, Y, steps=X),
        lambda: kd.lr_find(make(), X, Y, batch_size=X),
        lambda: kd.treat(make(), X, Y, epochs=X),
        lambda: kd.studies.BatchSizeStudy(make(), X, Y, batch_sizes=[X]),
    ],
)
def test_the_rows_in_the_place_of_their_number(call):
    with pytest.raises(ValueError, match="whole number .*=an array of shape"):
        call()
