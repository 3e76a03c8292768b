"""Each public function and class that takes `x` takes each kind of input."""

import inspect

import keras
import numpy as np
import pytest
from front.inputs import DATA_SETS, KINDS

import keras_dlbasic as kd

pytestmark = pytest.mark.once

L = keras.layers


def make(units=4):
    layers = [
        L.Dense(units, "relu"),
        L.BatchNormalization(),
        kd.layers.Dropout(0.5),
        L.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile("sgd", "binary_crossentropy")
    return model


def begin(callback):
    callback.set_params({"epochs": 2, "steps": 4, "verbose": 0})
    callback.set_model(make())
    callback.on_train_begin()


def study(kind, **options):
    return lambda model, x, y: getattr(kd.studies, kind)(
        make, x, y, verbose=0, **options
    )


# what takes rows, or `(x, y)`, and reads them at once or as a fit begins
TAKERS = {
    "OverfittingDetector": lambda m, x, y: begin(
        kd.callbacks.OverfittingDetector(x, y)
    ),
    "ActivationMonitor": lambda m, x, y: begin(kd.callbacks.ActivationMonitor(x)),
    "CurvatureProbe": lambda m, x, y: begin(kd.callbacks.CurvatureProbe(x, y)),
    "GradientNoiseScale": lambda m, x, y: begin(
        kd.studies.GradientNoiseScale(x, y, small_batch=4, parts=2)
    ),
    "WeightAverage": lambda m, x, y: begin(kd.ensembles.WeightAverage(x=x)),
    "AugmentedBatches": lambda m, x, y: kd.augmentation.AugmentedBatches(
        x, y, lambda x, y: (x, y)
    ),
    "Objective": lambda m, x, y: kd.landscape.Objective(m, x, y, micro_batch=64),
    "LearningRateRangeTest": kd.studies.LearningRateRangeTest,
    "BatchSizeStudy": study("BatchSizeStudy"),
    "CapacityStudy": lambda m, x, y: kd.studies.CapacityStudy(
        make, x, y, sizes=[2], verbose=0
    ),
    "OutlierStudy": study("OutlierStudy"),
    "RemedyStudy": study("RemedyStudy", remedies=["L2"]),
    "SampleSizeStudy": study("SampleSizeStudy"),
    "capacity_report": lambda m, x, y: kd.capacity_report(m, x),
    "propagation_report": lambda m, x, y: kd.propagation_report(m, x),
    "localize_non_finite": lambda m, x, y: kd.gradients.localize_non_finite(m, x),
    "mc_predict": lambda m, x, y: kd.layers.mc_predict(m, x, 2),
    "recompute_statistics": lambda m, x, y: kd.ensembles.recompute_statistics(m, x),
    "lsuv": lambda m, x, y: kd.remedies.lsuv(m, x, max_iterations=1),
    "scale_inputs": lambda m, x, y: kd.remedies.scale_inputs(m, x),
    "full_batch": lambda m, x, y: kd.studies.full_batch(x, y, "sgd"),
}

ELSEWHERE = {
    "preflight": "test_inputs.py",
    "TrainingDoctor": "test_inputs.py",
    "treat": "the same reading as studies; trains",
    "largest_batch_size": "the same reading as studies; trains",
    "lr_find": "`LearningRateRangeTest`",
    "fit_ensemble": "the same reading as studies; trains",
    "classify_point": "`Objective`",
    "hessian_extremes": "`Objective`",
    "hessian_trace": "`Objective`",
    "loss_surface": "`Objective`",
    "loss_line": "`Objective`",
    "fit_line": "two plain columns of numbers",
    "resolve_batch_size": "says of data sets that a batch size does not count",
}

ROWS_ONLY = ("full_batch",)
"""Of these, data sets are not read: they make full batches by `rebatch`."""


def test_no_public_name_that_takes_x_is_left_out():
    found = set()
    for room in (getattr(kd, name) for name in kd.__all__ if name != "plots"):
        for name in getattr(room, "__all__", ()) if inspect.ismodule(room) else ():
            thing = getattr(room, name)
            if inspect.isroutine(thing) or inspect.isclass(thing):
                try:
                    takes = inspect.signature(thing).parameters
                except ValueError:
                    continue
                if "x" in takes:
                    found.add(name)
    assert found <= {*TAKERS, *ELSEWHERE}, found - {*TAKERS, *ELSEWHERE}
    assert {*ELSEWHERE} <= found, {*ELSEWHERE} - found  # names of what is gone


@pytest.mark.filterwarnings("ignore::UserWarning")  # of callbacks begun by hand
@pytest.mark.parametrize("taker", TAKERS)
def test_each_kind_is_taken(taker, tmp_path):
    model = make()
    taken = 0
    for kind, rows in KINDS.items():
        try:
            x, y = rows(tmp_path)
        except pytest.skip.Exception:
            continue
        if taker in ROWS_ONLY and kind in DATA_SETS:
            continue
        try:
            TAKERS[taker](model, x, y)
        except Exception as error:
            raise AssertionError(f"{taker} does not take {kind}: {error}") from error
        taken += 1
    assert taken > 15


STUDIES = {
    "BatchSizeStudy": {},
    "OutlierStudy": {},
    "RemedyStudy": {"remedies": ["L2"]},
    "SampleSizeStudy": {},
    "CapacityStudy": {"sizes": [2]},
}


@pytest.mark.parametrize("kind", STUDIES)
def test_each_study_takes_a_model_and_a_function(kind):
    x, y = KINDS["NumPy"](None)
    model = make()
    takes_size = kind == "CapacityStudy"
    for given in (model, (lambda size: make(size)) if takes_size else make):
        asked = getattr(kd.studies, kind)(given, x, y, verbose=0, **STUDIES[kind])
        made = asked._build_model(*[2] * takes_size)
        assert made is not model
        assert made.loss == "binary_crossentropy"
        if not takes_size:
            first, second = (one.get_weights()[0] for one in (made, model))
            assert not np.allclose(first, second)
