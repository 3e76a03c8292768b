"""A metric that measures something else than the output is named."""

import keras
import numpy as np
import pytest
from made_runs import edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, Run
from keras_dlbasic.diagnosis.rules.metric_mismatch import metric_mismatch

LOGITS = {"class_name": "BinaryCrossentropy", "from_logits": True}


def severity(metrics, between=0.1, loss=LOGITS, activation=None):
    record = made_run(
        targets={"kind": "binary", "max": 1.0},
        facts={"loss": loss, "metrics": metrics},
        missed={"undecided": between},
    )
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=activation, units=1)
    verdict = metric_mismatch(Run(record))
    return verdict.severity if isinstance(verdict, Finding) else None


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"metrics": ["accuracy"]}, "warning"),
        ({"metrics": "acc"}, "warning"),
        ({"metrics": ["accuracy"], "between": 0.001}, "info"),
        ({"metrics": [{"class_name": "BinaryAccuracy", "threshold": 0.5}]}, "warning"),
        ({"metrics": [{"class_name": "BinaryAccuracy", "threshold": 0.0}]}, None),
        ({"metrics": [{"class_name": "BinaryAccuracy", "own": True}]}, None),
        ({"metrics": ["accuracy"], "loss": "bce", "activation": "sigmoid"}, None),
        ({"metrics": None}, None),
    ],
)
def test_accuracy_of_logits(case, said):
    assert severity(**case) == said


def test_metrics_of_a_fit():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3)).astype("float32")
    y = {"age": x[:, :1] + 0.1, "kind": (x[:, 1:2] > 0).astype("float32")}
    inputs = keras.Input((3,))
    outputs = {
        "age": keras.layers.Dense(1, name="age")(inputs),
        "kind": keras.layers.Dense(1, "sigmoid", name="kind")(inputs),
    }
    model = keras.Model(inputs, outputs)
    metrics = {"age": ["accuracy"], "kind": [keras.metrics.BinaryAccuracy()]}
    model.compile("adam", {"age": "mse", "kind": "bce"}, metrics=metrics)
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=1, verbose=0, callbacks=[doctor])
    found = [f for f in doctor.diagnosis if f.name == "metric_mismatch"]
    assert [finding.output for finding in found] == ["age"]
    assert doctor.record.facts.metrics["kind"][0]["class_name"] == "BinaryAccuracy"


def of_overlap(values, falling=0.2, **metric):
    record = made_run(loss=np.linspace(0.6, falling, len(values)))
    for epoch, value in enumerate(values):
        record.append_epoch(epoch, {"overlap": float(value)})
    config = {"class_name": "MeanIoU", "name": "overlap", **metric}
    with edited_facts(record) as facts:
        facts["metrics"] = [config]
    return metric_mismatch(Run(record))


def test_a_metric_of_overlap_that_does_not_move():
    found = of_overlap(np.full(6, 0.387))
    assert isinstance(found, Finding)
    assert "'overlap' is 0.387 in every epoch" in found.message


@pytest.mark.parametrize(
    "run",
    [
        lambda: of_overlap(np.linspace(0.38, 0.41, 6)),
        lambda: of_overlap(np.full(6, 0.387), falling=0.55),  # nothing was learned
        lambda: of_overlap(np.full(2, 0.387)),  # too short to tell
        lambda: of_overlap(np.zeros(6)),  # no prediction is on the right side yet
        lambda: of_overlap(np.ones(6)),  # all are right
        lambda: of_overlap(np.full(6, 0.387), class_name="Mean"),
        # these turn probabilities into class numbers
        lambda: of_overlap(np.full(6, 0.387), class_name="BinaryIoU"),
        lambda: of_overlap(np.full(6, 0.387), class_name="OneHotIoU"),
        lambda: of_overlap(np.full(6, 0.387), class_name="OneHotMeanIoU"),
        lambda: of_overlap(np.full(6, 0.387), class_name="F1Score"),
        lambda: of_overlap(np.full(6, 0.387), own=True),
    ],
)
def test_metrics_that_may_stay(run):
    assert not isinstance(run(), Finding)
