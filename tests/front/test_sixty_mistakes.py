"""Sixty more mistakes of newcomers, with arguments, models, files and results."""

from pathlib import Path

import keras
import numpy as np
import pytest
from front.inputs import X, Y

import keras_dlbasic as kd

L = keras.layers
C = kd.callbacks
CLASSES = np.arange(64) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
HISTORY = {"loss": [0.7, 0.6], "val_loss": [0.8, 0.9]}
PACKAGE = Path(kd.__file__).parent


def make(loss="binary_crossentropy", units=1, activation="sigmoid", inputs=(3,)):
    layers = [L.Flatten(), L.Dense(4, "tanh"), L.Dense(units, activation)]
    model = keras.Sequential([keras.Input(inputs), *layers], name="mine")
    if loss is not None:
        model.compile("sgd", loss)
    return model


def classifier(loss="sparse_categorical_crossentropy"):
    return make(loss, 3, "softmax")


def find(model, x=X, y=Y, **options):
    return kd.lr_find(model, x, y, plot=False, **options)


def study(kind="BatchSizeStudy", **options):
    return getattr(kd.studies, kind)(make, X, Y, verbose=0, **options)


def begin(callback, **params):
    callback.set_params({"epochs": 2, "steps": 4, "verbose": 0, **params})
    callback.set_model(make())
    callback.on_train_begin()


def frozen():
    model = make()
    model.trainable = False
    return model


def table(folder):
    (folder / "run.csv").write_text("epoch,loss\n0,1.0\n1,0.5\n")
    return folder / "run.csv"


DIAGNOSIS = kd.diagnose(kd.records.TrainingRecord.from_history(HISTORY))

# what was done (with a folder), and parts of what is said of it
MISTAKES = {
    # -- what goes where -----------------------------------------------------------
    "the model to the doctor": (
        lambda _: C.TrainingDoctor(make(), X, Y),
        ["at most 2 arguments by position", "gets it from `model.fit`"],
    ),
    "the model as rows": (
        lambda _: C.TrainingDoctor(make()),
        ["array of samples", "the model 'mine'", "gets the model from `model.fit`"],
    ),
    "the model last": (
        lambda _: kd.preflight(X, Y, make()),
        ["must be a Keras model", "array of shape (64, 3)", "comes first"],
    ),
    "the model last, treat": (
        lambda _: kd.treat(X, Y, make(), epochs=1),
        ["`model` must be a compiled model", "array of shape (64, 3)"],
    ),
    "no rows": (lambda _: kd.preflight(make()), ["missing", "'x'", "It takes: model"]),
    "no epochs": (lambda _: kd.treat(make(), X, Y), ["missing", "'epochs'"]),
    "x and y swapped": (
        lambda _: kd.preflight(make(), Y, X),
        ["(64,)", "(rows, 3)", "`y`, of shape (64, 3), would fit", "inputs first"],
    ),
    "one column only, targets too": (
        lambda _: kd.preflight(make(inputs=(1,)), X, Y[:, None]),
        ["keras.Input((3,))", "would fit: if both were swapped, give the inputs first"],
    ),
    "x and y swapped, doctor": (
        lambda _: begin(C.TrainingDoctor(Y, X)),
        ["`y`, of shape (64, 3), would fit"],
    ),
    "x and y swapped, range test": (
        lambda _: find(make(), Y, X),
        ["`y`, of shape (64, 3), would fit"],
    ),
    "x and y swapped, range test of a function": (
        lambda _: find(make, Y, X),
        ["`y`, of shape (64, 3), would fit"],
    ),
    "x and y swapped, images": (
        lambda _: kd.treat(make(inputs=(8, 8)), Y, np.zeros((64, 8, 8)), epochs=1),
        ["(rows, 8, 8)", "`y`, of shape (64, 8, 8), would fit"],
    ),
    "one column for three": (
        lambda _: kd.preflight(make(), X[:, 0], Y),
        ["(64,)", "(rows, 3)", "x[:, None]", "all their columns"],
    ),
    "the number of members left out": (
        lambda _: kd.ensembles.fit_ensemble(make(), X, Y),
        ["number of members", "array of shape (64, 3)", "(build_model, 3, x, y)"],
    ),
    "the other model left out": (
        lambda _: kd.landscape.loss_line(make(), X, Y),
        ["`other` must be a model", "loss_line(model, other, x, y)"],
    ),
    "one model for an ensemble": (
        lambda _: kd.ensembles.Ensemble(make()),
        ["several models", "'mine'", "Ensemble([model, another])"],
    ),
    "the path first": (
        lambda _: kd.reports.write_html(Path("a.html"), DIAGNOSIS),
        ["must be a `Diagnosis`", "a.html", "doctor.diagnosis"],
    ),
    # -- no model ------------------------------------------------------------------
    "the path of a model": (
        lambda _: kd.preflight("model.keras", X, Y),
        ["must be a Keras model", "'model.keras'", "load_model(path)"],
    ),
    "the class of a model": (
        lambda _: kd.remedies.add_dropout(keras.Sequential),
        ["must be a Keras model", "the class Sequential"],
    ),
    "layers for a model": (
        lambda _: kd.preflight([L.Dense(1)], X, Y),
        ["must be a Keras model", "keras.Sequential(layers)"],
    ),
    "a function for a model": (
        lambda _: kd.capacity_report(make),
        ["must be a Keras model", "model = build_model()"],
    ),
    "rows for a model": (
        lambda _: kd.remedies.insert_normalization(X),
        ["must be a Keras model", "array of shape (64, 3)"],
    ),
    "a model that is called": (
        lambda _: kd.studies.BatchSizeStudy(make()(X), X, Y),
        ["a compiled model, or a function", "shape (64, 1)"],
    ),
    "a list of models for a function": (
        lambda _: kd.ensembles.fit_ensemble([make(), make()], 2, X, Y),
        ["a compiled model, or a function", "a list"],
    ),
    "nothing is trainable": (
        lambda _: find(frozen()),
        ["no trainable weights", "layer.trainable = True"],
    ),
    # -- numbers -------------------------------------------------------------------
    "epochs as text": (
        lambda _: kd.treat(make(), X, Y, epochs="10"),
        ["`epochs` must be a whole number of at least 1", "epochs='10'"],
    ),
    "one epoch and a half": (
        lambda _: kd.treat(make(), X, Y, epochs=1.5),
        ["whole number", "epochs=1.5"],
    ),
    "negative epochs": (
        lambda _: kd.preflight(make(), X, Y, epochs=-1),
        ["whole number of at least 1, or None", "epochs=-1"],
    ),
    "no epochs of an ensemble": (
        lambda _: kd.ensembles.fit_ensemble(make(), 2, X, Y, epochs=0),
        ["`epochs` must be a whole number", "epochs=0"],
    ),
    "batches of no row": (
        lambda _: kd.preflight(make(), X, Y, batch_size=0),
        ["`batch_size` must be a whole number", "batch_size=0"],
    ),
    "batches of no row, range test": (
        lambda _: find(make(), batch_size=0),
        ["`batch_size` must be a whole number", "batch_size=0"],
    ),
    "a batch size as a float": (
        lambda _: kd.augmentation.AugmentedBatches(X, Y, max, batch_size=32.0),
        ["`batch_size` must be a whole number", "batch_size=32.0"],
    ),
    "batches of no row, augmentation": (
        lambda _: kd.augmentation.AugmentedBatches(X, Y, max, batch_size=0),
        ["`batch_size` must be a whole number", "batch_size=0"],
    ),
    "steps as text": (lambda _: find(make(), steps="all"), ["`steps`", "'all'"]),
    "the rates turned round": (
        lambda _: find(make(), low=1.0, high=0.1),
        ["0 < low < high", "low=1.0, high=0.1"],
    ),
    "seeds as text": (lambda _: study(seeds="3"), ["`seeds`", "seeds='3'"]),
    "a rate as text": (
        lambda _: kd.remedies.change_learning_rate(make(), "0.1"),
        ["a positive number", "learning_rate='0.1'"],
    ),
    "a share as text": (
        lambda _: kd.remedies.add_dropout(make(), "0.5"),
        ["from 0 to below 1", "rate='0.5'"],
    ),
    "a share in percent": (
        lambda _: kd.remedies.add_dropout(make(), 50),
        ["from 0 to below 1", "rate=50"],
    ),
    "patience as text": (
        lambda _: C.EarlyStoppingReport(patience="3"),
        ["a number of epochs", "patience='3'"],
    ),
    "a number of samples as text": (
        lambda _: kd.capacity_report(make(), "many"),
        ["`samples` must be a whole number", "'many'"],
    ),
    # -- one for several, and other words ------------------------------------------
    "one batch size": (
        lambda _: study(batch_sizes=32),
        ["several values, such as", "batch_sizes=32"],
    ),
    "one size": (
        lambda _: study("SampleSizeStudy", sizes=0.5),
        ["several values, such as", "sizes=0.5"],
    ),
    "one remedy": (
        lambda _: study("RemedyStudy", remedies="dropout"),
        ["several values, such as", "remedies='dropout'"],
    ),
    "one rule by name": (
        lambda _: kd.preflight(make(), X, Y, rules="overfitting"),
        ["`rules` must be functions", "'overfitting'"],
    ),
    "a flag in words": (
        lambda _: C.OverfittingDetector(stop="no"),
        ["`stop` must be True or False", "stop='no'"],
    ),
    "verbose as in fit": (
        lambda _: C.TrainingDoctor(verbose="auto"),
        ["`verbose` must be 0 or 1 (unlike `model.fit`", "verbose='auto'"],
    ),
    "a metric object": (
        lambda _: C.OverfittingDetector(metric=keras.metrics.AUC()),
        ["`metric` must be a name", "AUC"],
    ),
    "an optimizer misspelled": (
        lambda _: kd.remedies.change_optimizer(make(), "adamm"),
        ["no optimizer 'adamm'", "Did you mean 'adam'?"],
    ),
    "an activation misspelled": (
        lambda _: kd.remedies.swap_activations(make(), "rellu"),
        ["no activation 'rellu'", "Did you mean 'relu'?"],
    ),
    "the output's activation misspelled": (
        lambda _: kd.remedies.fix_output(make(), "softmaxx"),
        ["no activation 'softmaxx'", "Did you mean 'softmax'?"],
    ),
    "a pixel's largest value": (
        lambda _: kd.augmentation.ImageAugmentation(value_range=255),
        ["least and the largest", "(0, 255)", "Received: 255"],
    ),
    "a layer for a function of batches": (
        lambda _: kd.augmentation.AugmentedBatches(
            X, Y, kd.augmentation.ImageAugmentation()
        ),
        ["`augment(x, y)`", "ImageAugmentation", "Give its `batch`"],
    ),
    "the width of the scaling": (
        lambda _: kd.remedies.scale_inputs(make(), X[:, :2]),
        ["(64, 2)", "takes (rows, 3)"],
    ),
    # -- a result in the wrong place -----------------------------------------------
    "a history to diagnose": (
        lambda _: kd.diagnose(HISTORY),
        ["must be a `TrainingRecord`", "type dict", "from_history(history)"],
    ),
    "a callback to diagnose": (
        lambda _: kd.diagnose(C.TrainingDoctor(verbose=0)),
        ["must be a `TrainingRecord`", "Give its `record`"],
    ),
    "a path to diagnose": (
        lambda _: kd.diagnose("run.npz"),
        ["must be a `TrainingRecord`", "`kd.explain(path)`"],
    ),
    "a diagnosis to diagnose": (
        lambda _: kd.diagnose(DIAGNOSIS),
        ["This is a diagnosis already"],
    ),
    "a model to explain": (
        lambda _: kd.explain(make()),
        ["the `History` that `model.fit` returned", "name=mine", "call `fit` first"],
    ),
    "a list to explain": (
        lambda _: kd.explain([0.5, 0.4]),
        ["the `History` that `model.fit` returned", "[0.5, 0.4]"],
    ),
    "a history of weights": (
        lambda _: kd.plots.plot_weights(keras.callbacks.History()),
        ["a model, arrays of weights", "a History"],
    ),
    "a finding by name": (
        lambda _: DIAGNOSIS["overfitting"],
        ["`diagnosis[0]`", "'overfitting'"],
    ),
    "a report of a record": (
        lambda _: kd.reports.print_diagnosis(DIAGNOSIS.record),
        ["must be a `Diagnosis`", "kd.diagnose(record)"],
    ),
    # -- files ---------------------------------------------------------------------
    "no such file": (
        lambda to: kd.explain(table(to).parent / "rum.csv"),
        ["There is no file", "rum.csv'. Did you mean", "run.csv'?"],
    ),
    "a folder for a record": (
        lambda to: kd.records.TrainingRecord.load(to),
        ["is a folder", "Give a file in it"],
    ),
    "a folder to write a record to": (
        lambda to: kd.records.TrainingRecord().save(to),
        ["is a folder", "the name of a file in it"],
    ),
    "a folder to write a report to": (
        lambda to: DIAGNOSIS.to_html(to),
        ["is a folder", "the name of a file in it"],
    ),
    "a file for a folder": (
        lambda to: study(seeds=1, directory=table(to)),
        ["must be a folder", "run.csv"],
    ),
    "a table for a record": (
        lambda to: kd.records.TrainingRecord.load(table(to)),
        ["cannot be read as a record", "`TrainingRecord.from_csv` for tables"],
    ),
}


@pytest.mark.once
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_in_words_of_the_user(mistake, tmp_path):
    do, said = MISTAKES[mistake]
    with pytest.raises((ValueError, TypeError, OSError)) as caught:
        do(tmp_path)
    message = str(caught.value)
    for words in said:
        assert words in message, message
    assert PACKAGE in Path(caught.traceback[-1].path).parents
    assert len(message) < 800


# backends say this in words of their own, or not at all
LOSSES = {
    "labels from 1": (classifier, X, CLASSES + 1, ["class number 3", "y = y - 1"]),
    "one-hot labels": (classifier, X, ONE_HOT, ["class numbers, but", "one-hot"]),
    "class numbers for one-hot": (
        lambda: classifier("categorical_crossentropy"),
        X,
        CLASSES,
        ["one-hot targets, but the targets are class numbers", "'sparse_categorical"],
    ),
    "NaN in x": (
        make,
        np.where(X > 1, np.nan, X),
        Y,
        ["NaN or infinity", "in the inp"],
    ),
}


@pytest.mark.parametrize("mistake", LOSSES)
def test_a_loss_that_cannot_be_computed_is_explained(mistake):
    model, x, y, said = LOSSES[mistake]
    with pytest.raises(
        ValueError, match="The loss of the model 'mine' cannot"
    ) as caught:
        find(model(), x, y)
    for words in [*said, "What to do:"]:
        assert words in str(caught.value), caught.value


@pytest.mark.once
def test_the_loss_of_a_landscape_is_explained():
    for y in (CLASSES + 1, ONE_HOT):
        with pytest.raises(
            ValueError, match=r"loss of the model 'mine' cannot.*kd\.pre"
        ):
            kd.landscape.hessian_extremes(classifier(), X, y)


@pytest.mark.once
def test_no_learning_rate_is_said():
    model = make("mse", activation=None)
    model.layers[-1].set_weights([np.zeros((4, 1)), np.zeros(1)])
    with pytest.warns(UserWarning, match="`lr_find` found no learning rate.*its noise"):
        assert find(model, X, np.zeros(64), steps=10, high=1e-3) is None


@pytest.mark.once
def test_a_report_takes_the_doctor_too(capsys):
    doctor = C.TrainingDoctor(verbose=0)
    with pytest.raises(ValueError, match="not fitted yet"):
        kd.reports.print_diagnosis(doctor)
    doctor._diagnosis = DIAGNOSIS
    kd.reports.print_diagnosis(doctor)
    assert "Diagnosis" in capsys.readouterr().out
