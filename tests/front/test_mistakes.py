"""Mistakes of newcomers: each works, or says what was given, expected and to do."""

import functools
from pathlib import Path

import keras
import numpy as np
import pytest
from front.inputs import Batches, X, Y

import keras_dlbasic as kd
from keras_dlbasic._data.read import read, read_validation

pytestmark = pytest.mark.once

L = keras.layers
Doctor = kd.callbacks.TrainingDoctor
WEIGHTED = X, Y, np.ones(len(X))
WORDS = np.where(Y == 1, "cat", "dog")
PACKAGE = Path(kd.__file__).parent


def make(inputs=(3,), compiled=True):
    layers = [L.Dense(4, "relu"), L.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input(inputs), *layers], name="mine")
    if compiled:
        model.compile("adam", "binary_crossentropy")
    return model


def measured():
    model = make()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def two_inputs():
    inputs = [keras.Input((3,), name=name) for name in ("a", "b")]
    model = keras.Model(inputs, L.Dense(1)(L.Add()(inputs)), name="two")
    model.compile("adam", "mse")
    return model


def build():
    return make()


def build_of(width):
    return make()


class Wrong(keras.Model):
    """A model that cannot be called on the rows."""

    def __init__(self):
        super().__init__(name="wrong")
        self.dense = L.Dense(2)

    def call(self, x):
        return self.dense(keras.ops.reshape(x, (-1, 7, 7)))


class Weighted(Batches):
    """Batches with weights of samples."""

    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        return x, y, np.ones(len(y))


def pandas():
    return pytest.importorskip("pandas")


def table():
    return pandas().DataFrame(X, columns=["age", "height", "weight"])


def masked():
    return np.ma.masked_greater(X, 1.0)


def endless():
    class Endless(Batches):
        @property
        def num_batches(self):
            return None

    return Endless()


def rows_one_by_one():
    torch = pytest.importorskip("torch")
    return torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))


# what was done, and what the message says: what was given, what was expected, the way
MISTAKES = {
    # -- rows ----------------------------------------------------------------------
    "lengths differ": (
        lambda: Doctor(X, Y[:50]),
        ["same number of rows", "64 in `x` and 50 in `y`", "first axis"],
    ),
    "lengths differ, preflight": (
        lambda: kd.preflight(make(), X, Y[:50]),
        ["same number of rows", "64 in `x` and 50 in `y`"],
    ),
    "lengths differ, treat": (
        lambda: kd.treat(make(), X, Y[:50], epochs=1),
        ["same number of rows", "64 in `x` and 50 in `y`"],
    ),
    "lengths differ, study": (
        lambda: kd.studies.BatchSizeStudy(build, X, Y[:50]),
        ["same number of rows", "64 in `x` and 50 in `y`"],
    ),
    "lengths differ, landscape": (
        lambda: kd.landscape.classify_point(make(), X, Y[:50]),
        ["same number of rows", "64 in `x` and 50 in `y`"],
    ),
    "lengths differ, detector": (
        lambda: kd.callbacks.OverfittingDetector(X, Y[:50]),
        ["same number of rows", "64 in `x` and 50 in `y`"],
    ),
    "lengths differ, augmentation": (
        lambda: kd.augmentation.AugmentedBatches(X, Y[:50], lambda x, y: (x, y)),
        ["same number of rows", "64 in `x` and 50 in `y`"],
    ),
    "no rows": (lambda: kd.preflight(make(), X[:0]), ["at least one sample", "0 rows"]),
    "nothing": (lambda: kd.preflight(make(), None), ["array of samples", "None"]),
    "an empty list": (lambda: Doctor([]), ["array of samples", "[]"]),
    "y without x": (lambda: Doctor(y=Y), ["`y` was given without `x`", "both"]),
    "no targets": (lambda: kd.treat(make(), X, epochs=1), ["`y` is missing"]),
    "no targets, study": (
        lambda: kd.studies.SampleSizeStudy(build, X),
        ["`y` is missing", "data set whose batches"],
    ),
    "rows of different lengths": (
        lambda: kd.preflight(make(), [[1.0, 2.0], [3.0]], [0, 1]),
        ["different lengths (1, 2)", "pad_sequences"],
    ),
    "objects of different lengths": (
        lambda: read(np.array([[1, 2], [3]], dtype=object)),
        ["different lengths (1, 2)", "pad_sequences"],
    ),
    # -- shapes --------------------------------------------------------------------
    "wrong width": (
        lambda: kd.preflight(make(), X[:, :2], Y),
        ["(64, 2)", "'mine' takes (rows, 3)", "keras.Input((2,))"],
    ),
    "wrong width, treat": (
        lambda: kd.treat(make(), X[:, :2], Y, epochs=1),
        ["(64, 2)", "'mine' takes (rows, 3)"],
    ),
    "wrong width, treat a function": (
        lambda: kd.treat(build, X[:, :2], Y, epochs=1),
        ["(64, 2)", "'mine' takes (rows, 3)"],
    ),
    "wrong width, study": (
        lambda: kd.studies.OutlierStudy(build, X[:, :2], Y),
        ["(45, 2)", "'mine' takes (rows, 3)"],
    ),
    "wrong width, range test": (
        lambda: kd.studies.LearningRateRangeTest(make(), X[:, :2], Y),
        ["(64, 2)", "'mine' takes (rows, 3)"],
    ),
    "wrong width, propagation": (
        lambda: kd.propagation_report(make(), X[:, :2]),
        ["(64, 2)", "'mine' takes (rows, 3)"],
    ),
    "wrong width, landscape": (
        lambda: kd.landscape.classify_point(make(), X[:, :2], Y),
        ["(64, 2)", "'mine' takes (rows, 3)"],
    ),
    "wrong width, doctor": (
        lambda: make().fit(X, Y, verbose=0, callbacks=[Doctor(X[:, :2], Y)]),
        ["(64, 2)", "'mine' takes (rows, 3)"],
    ),
    "wrong width, validation": (
        lambda: kd.preflight(make(), X, Y, validation_data=(X[:, :2], Y)),
        ["`validation_data[0]`", "(64, 2)", "(rows, 3)"],
    ),
    "a table for two inputs, study": (
        lambda: kd.studies.BatchSizeStudy(two_inputs, table(), Y),
        ["1 array,", "'two' has 2 inputs", "columns of a table: `{'a': x['a']"],
    ),
    "a table that lacks an input": (
        lambda: kd.preflight(two_inputs(), table().assign(a=1.0), Y),
        ["without a column for the input 'b'", "'height'", "Rename them"],
    ),
    "a table that lacks an input, study": (
        lambda: kd.studies.BatchSizeStudy(two_inputs(), table().assign(a=1.0), Y),
        ["without a column for the input 'b'", "'height'", "Rename them"],
    ),
    "a table that lacks an input, validation": (
        lambda: kd.preflight(
            two_inputs(), {"a": X, "b": X}, Y, validation_data=(table(), Y)
        ),
        ["`validation_data[0]` is a table without a column for the inputs 'a', 'b'"],
    ),
    "one row, no batch": (
        lambda: kd.preflight(make(), X[0], Y[:3]),
        ["(3,)", "(rows, 3)", "`x[None]`"],
    ),
    "images not flat": (
        lambda: kd.preflight(make((12,)), np.ones((5, 3, 4)), Y[:5]),
        ["(5, 3, 4)", "(rows, 12)", "`x.reshape(len(x), -1)`"],
    ),
    "channels first": (
        lambda: kd.preflight(make((8, 9, 3)), np.ones((5, 3, 8, 9)), Y[:5]),
        ["(5, 3, 8, 9)", "numpy.moveaxis(x, 1, -1)"],
    ),
    "x and y in one": (
        lambda: kd.preflight(make(), (X, Y)),
        ["2 arrays", "1 input", "`x, y`, not `(x, y)`"],
    ),
    "a list of rows as arrays": (
        lambda: kd.preflight(make(), list(X), Y),
        ["64 arrays", "1 input", "numpy.stack"],
    ),
    "one of two inputs": (
        lambda: kd.preflight(two_inputs(), X, Y),
        ["1 array,", "2 inputs", "`{'a': x['a'], 'b': x['b']}`"],
    ),
    "a dictionary for one input": (
        lambda: kd.preflight(make(), {"x": X}, Y),
        ["the key 'x'", "only input of the model 'mine'", "`x['x']`"],
    ),
    "a name of an input is wrong": (
        lambda: kd.preflight(two_inputs(), {"a": X, "c": X}, Y),
        ["no entry for the input 'b'", "['a', 'c']", "['a', 'b']"],
    ),
    # -- what is in the rows -------------------------------------------------------
    "strings as classes": (
        lambda: Doctor(X, WORDS),
        ["`y` holds text ('cat', 'dog', ...)", "numpy.unique(y, return_inverse=True)"],
    ),
    "strings as classes, preflight": (
        lambda: kd.preflight(make(), X, WORDS),
        ["`y` holds text", "numpy.unique"],
    ),
    "strings as classes, list": (
        lambda: kd.treat(make(), X, WORDS.tolist(), epochs=1),
        ["`y` holds text", "numpy.unique"],
    ),
    "strings as classes, series": (
        lambda: kd.preflight(make(), X, pandas().Series(WORDS)),
        ["`y` holds text", "numpy.unique"],
    ),
    "strings as classes, categories": (
        lambda: kd.preflight(make(), X, pandas().Series(WORDS, dtype="category")),
        ["`y` holds text", "numpy.unique"],
    ),
    "strings as inputs": (
        lambda: kd.preflight(make((1,)), WORDS, Y),
        ["`x` holds text", "takes numbers", "TextVectorization"],
    ),
    "a column of text": (
        lambda: kd.preflight(make(), table().assign(age="old"), Y),
        ["Column 'age' of `x` holds text ('old', ...)", "get_dummies"],
    ),
    "a column of text, doctor": (
        lambda: make().fit(
            X, Y, verbose=0, callbacks=[Doctor(table().assign(age="old"), Y)]
        ),
        ["Column 'age' of `x` holds text ('old', ...)", "get_dummies"],
    ),
    "a column of dates": (
        lambda: read(table().assign(age=pandas().Timestamp("2020"))),
        ["Column 'age'", "Datetime", "takes numbers"],
    ),
    "dates": (
        lambda: read(np.array(["2020-01-01"], "datetime64[D]")),
        ["dates or times", "numpy.timedelta64"],
    ),
    "words among numbers": (
        lambda: read(np.array([[1, "n/a"], [2, 3]], dtype=object)),
        ["str 'n/a' among numbers", "leave it out"],
    ),
    "NaN, propagation": (
        lambda: kd.propagation_report(make(), np.where(X > 1, np.nan, X)),
        ["must be finite", "NaN or infinite", "nan_to_num"],
    ),
    "a mask": (lambda: read(masked()), ["masked array", "x.filled(0)"]),
    # -- what is no data -----------------------------------------------------------
    "a generator": (
        lambda: kd.preflight(make(), (batch for batch in [(X, Y)])),
        ["iterator of type generator", "only once", "x, y = next(data)"],
    ),
    "a function": (lambda: read(build), ["function or class", "Call it first"]),
    "a path": (lambda: read("data.csv"), ["'data.csv'", "Load the file first"]),
    "a number": (lambda: read(np.float32(1)), ["array of samples", "single value"]),
    "an object": (lambda: Doctor(object()), ["array of samples", "type object"]),
    "y beside a data set": (
        lambda: kd.preflight(make(), Batches(), Y),
        ["data set of type Batches", "Leave `y` out"],
    ),
    "y beside a data set, doctor": (
        lambda: Doctor(Batches(), Y),
        ["data set of type Batches", "Leave `y` out"],
    ),
    "a data set without end": (
        lambda: kd.treat(make(), endless(), epochs=1),
        ["never ends", "data set with fewer batches"],
    ),
    "validation of other lengths": (
        lambda: kd.preflight(make(), X, Y, validation_data=(X, Y[:50])),
        [
            "`validation_data[0]` and `validation_data[1]` must have the same number",
            "64 in `validation_data[0]` and 50 in `validation_data[1]`",
        ],
    ),
    "validation of other lengths, doctor": (
        lambda: Doctor(X, Y, validation_data=(X, Y[:50])),
        ["64 in `validation_data[0]` and 50 in `validation_data[1]`"],
    ),
    "weights of the validation": (
        lambda: read_validation((X, Y, np.ones(9))),
        ["64 in `validation_data[1]` and 9 in `validation_data[2]`"],
    ),
    "strings as classes of the validation": (
        lambda: kd.preflight(make(), X, Y, validation_data=(X, WORDS)),
        ["`validation_data[1]` holds text", "numpy.searchsorted(classes, y)"],
    ),
    "strings in a data set for the validation": (
        lambda: kd.preflight(make(), X, Y, validation_data=Batches(X, WORDS)),
        ["`y of validation_data` holds text", "numpy.searchsorted(classes, y)"],
    ),
    "an object as targets of the validation": (
        lambda: kd.preflight(make(), X, Y, validation_data=(X, object())),
        ["`validation_data[1]` must be an array", "type object"],
    ),
    "targets beside a data set for the validation": (
        lambda: kd.preflight(make(), X, Y, validation_data=(Batches(), Y)),
        ["`validation_data[1]` was given beside a data set of type Batches"],
    ),
    "rows one by one as validation": (
        lambda: read_validation(rows_one_by_one()),
        ["`validation_data` must be `(x, y)`", "Batch it", "DataLoader"],
    ),
    "validation that is no pair": (
        lambda: read_validation(X),
        ["`validation_data` must be `(x, y)`", "ndarray"],
    ),
    "validation of one": (
        lambda: read_validation((X,)),
        ["`validation_data` must be `(x, y)`", "of length 1"],
    ),
    # -- names ---------------------------------------------------------------------
    "a metric is misspelled": (
        lambda: measured().fit(
            X,
            Y,
            verbose=0,
            callbacks=[kd.callbacks.OverfittingDetector(metric="acuracy")],
        ),
        ["'acuracy'", "Did you mean 'accuracy'?", "compiled with"],
    ),
    "a metric of the validation": (
        lambda: measured().fit(
            X,
            Y,
            verbose=0,
            callbacks=[kd.callbacks.OverfittingDetector(metric="val_accuracy")],
        ),
        ["'val_accuracy'", "Give 'accuracy' alone"],
    ),
    "an argument in capitals": (
        lambda: Doctor(X=X),
        ["TrainingDoctor() got an unexpected", "'X'. Did you mean 'x'?", "It takes: x"],
    ),
    "an argument cut short": (
        lambda: Doctor(X, Y, val_data=(X, Y)),
        ["'val_data'. Did you mean 'validation_data'?"],
    ),
    "an argument of treat": (
        lambda: kd.treat(make(), X, Y, epoch=2),
        ["treat() got an unexpected", "'epoch'. Did you mean 'epochs'?"],
    ),
    "an argument of a study": (
        lambda: kd.studies.BatchSizeStudy(build, X, Y, batch_size=8),
        ["BatchSizeStudy() got an unexpected", "Did you mean 'batch_sizes'?"],
    ),
    "a class in the place of a callback": (
        lambda: make().fit(X, Y, verbose=0, callbacks=[Doctor]),
        ["instances, not classes", "callbacks=[TrainingDoctor(x, y)]"],
    ),
    # -- models --------------------------------------------------------------------
    "not compiled, treat": (
        lambda: kd.treat(make(compiled=False), X, Y, epochs=1),
        ["'mine' is not compiled", "model.compile(optimizer, loss)"],
    ),
    "not compiled, study": (
        lambda: kd.studies.BatchSizeStudy(make(compiled=False), X, Y),
        ["'mine' is not compiled", "model.compile(optimizer, loss)"],
    ),
    "not compiled, range test": (
        lambda: kd.studies.LearningRateRangeTest(make(compiled=False), X, Y),
        ["'mine' is not compiled", "model.compile(optimizer, loss)"],
    ),
    "not compiled, ensemble": (
        lambda: kd.ensembles.fit_ensemble(make(compiled=False), 2, X, Y),
        ["'mine' is not compiled", "model.compile(optimizer, loss)"],
    ),
    "a function that needs arguments": (
        lambda: kd.treat(build_of, X, Y, epochs=1),
        ["called with no arguments", "`build_of(width)`", "lambda"],
    ),
    "a function that needs arguments, study": (
        lambda: kd.studies.BatchSizeStudy(build_of, X, Y),
        ["called with no arguments", "`build_of(width)`", "lambda"],
    ),
    "a function that takes no size": (
        lambda: kd.studies.CapacityStudy(build, X, Y, sizes=(2, 4)),
        ["called with the arguments 1", "`build()`"],
    ),
    "a builder without a return": (
        lambda: kd.studies.BatchSizeStudy(lambda: None, X, Y),
        ["return a compiled Keras model", "NoneType", "`return model`"],
    ),
    "a builder that does not compile": (
        lambda: kd.studies.BatchSizeStudy(lambda: make(compiled=False), X, Y),
        ["Sequential 'mine', not compiled", "`model.compile(optimizer, loss)` in it"],
    ),
    "a builder of one model for all": (
        lambda: kd.studies.BatchSizeStudy(functools.cache(make), X, Y, verbose=0).run(),
        ["return a new one", "the same Sequential 'mine'", "give the model itself"],
    ),
    "no model, treat": (
        lambda: kd.treat("mlp", X, Y, epochs=1),
        ["`model` must be a compiled model, or a function", "'mlp'"],
    ),
    "depths of a model": (
        lambda: kd.studies.CapacityStudy(make(), X, Y, sizes=(1, 2), by="depth"),
        ["only the widths", "by='depth'", "'mine'", "`build_model(size)`"],
    ),
    "weights of validation rows, study": (
        lambda: kd.studies.BatchSizeStudy(build, X, Y, validation_data=WEIGHTED),
        ["`validation_data` has sample weights", "Give `(x, y)`"],
    ),
    "weights of validation rows, treat": (
        lambda: kd.treat(make(), X, Y, epochs=1, validation_data=WEIGHTED),
        ["`validation_data` has sample weights", "Give `(x, y)`"],
    ),
    "weights in batches, noise scale": (
        lambda: kd.studies.GradientNoiseScale(Weighted(), small_batch=2),
        ["batches of `x` have sample weights", "batches of `(x, y)`"],
    ),
    "weights in batches, augmentation": (
        lambda: kd.augmentation.AugmentedBatches(Weighted(), None, max),
        ["batches of `x` have sample weights", "batches of `(x, y)`"],
    ),
    "weights of further rows": (
        lambda: kd.studies.RemedyStudy(build, X, Y, more_data=WEIGHTED),
        ["`more_data` has sample weights", "Give `(x, y)`"],
    ),
    "no model, preflight": (
        lambda: kd.preflight(build, X, Y),
        ["must be a Keras model", "function", "model = build_model()"],
    ),
    "a class for a model": (
        lambda: kd.studies.BatchSizeStudy("mlp", X, Y),
        ["compiled model, or a function", "'mlp'"],
    ),
    "a model that cannot take the rows": (
        lambda: kd.preflight(Wrong(), X, Y),
        ["'wrong' has no weights yet", "Check the shape of `x`"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_before_anything_is_trained(mistake):
    do, said = MISTAKES[mistake]
    with pytest.raises((ValueError, TypeError)) as caught:
        do()
    message = str(caught.value)
    for words in said:
        assert words in message, message
    # the error is ours: no traceback of Keras or of another package at its end
    assert PACKAGE in Path(caught.traceback[-1].path).parents
    assert len(message) < 500
