"""Every public result is a line as `repr`, words for 80 columns, and HTML."""

import inspect

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._display import Displayed
from keras_dlbasic.analysis.activations.propagation import signal_trend
from keras_dlbasic.inspection.capacity_report import LayerCapacity

pytestmark = pytest.mark.once

ROOMS = (
    "analysis",
    "callbacks",
    "diagnosis",
    "ensembles",
    "gradients",
    "inspection",
    "landscape",
    "propagation",
    "records",
    "reports",
    "studies",
    "treatment",
)

NO_RESULTS = {
    *("Monitor", "ActivationMonitor", "CurvatureProbe", "EarlyStoppingReport"),
    *("GradientNormMonitor", "NormalizationMonitor", "OverfittingDetector"),
    *("PenaltyMonitor", "GradientTap", "TaskKind"),  # they measure, or are words
    *("Rule", "Run", "Skipped"),  # what rules are made of and get
    *("Ensemble", "SnapshotEnsemble", "WeightAverage", "Objective"),  # they compute
    *("BatchSizeStudy", "CapacityStudy", "OutlierStudy", "RemedyStudy"),  # they run
    *("SampleSizeStudy", "GradientNoiseScale", "LearningRateRangeTest"),
    *("TrialRunner",),
    *("EnsemblePrediction",),  # a tuple of two arrays
    "LayerTable",  # a table, which says what is in it
    # shown by tests of their own, on results of real trials
    *("BatchSizeResult", "CapacityResult", "OutlierResult", "SampleSizeResult"),
    *("RemedyResult", "TrainingDoctor"),
}
"""Public classes of these rooms that are not asked for displays here."""

LAYER = "encoder/block_3/self_attention/projection_of_the_values"
LONG = "What was measured is far from what was expected. " * 12


def remedy():
    return kd.diagnosis.RemedySuggestion(
        "add_dropout", LONG, "keras.layers.Dropout(0.3)", {"rate": 0.3, "seed": 123}
    )


def finding(name="overfitting"):
    return kd.diagnosis.Finding(
        name, "symptom", "critical", LONG, layer=LAYER, remedies=(remedy(),)
    )


def record():
    made = kd.records.TrainingRecord.from_history({"loss": [3.0, 2.0]})
    tables = ("activations", "curvature", "normalization", "penalties", "probe")
    made.tables |= {name: kd.records.LayerTable(["a"], ["mean"]) for name in tables}
    return made


def signal():
    return kd.analysis.LayerSignal(LAYER, "sigmoid", 3.0, *[0.123456789] * 6)


def trials():
    return (
        kd.treatment.TreatmentStep("add_dropout(rate=0.3)", "overfitting", LONG),
        kd.treatment.TreatmentStep("lsuv()", "plateau", "", 0.1, 0.2, True, LONG),
    )


def values(n):
    return np.linspace(0.123456789, 0.3, n)


MADE = {
    "BatchSizeAdvice": lambda a: a.BatchSizeAdvice(
        128, 0.0123456, LONG, 0.7, (LONG, LONG)
    ),
    "ClipSuggestion": lambda a: a.ClipSuggestion(0.123456, 0.1, 10.0, 0.9, 0.3, 1024),
    "ClippingSummary": lambda a: a.ClippingSummary(f"{LAYER}/kernel", 0.4, 0.2, 0.01),
    "CriticalPoint": lambda a: a.CriticalPoint(
        "saddle", LONG, (LONG,), a.PointEvidence(*values(21))
    ),
    "DescentPaths": lambda a: a.descend("saddle"),
    "GradientEvent": lambda a: a.GradientEvent(
        "vanishing", LAYER, 3, 1e-9, 1e-3, f"{LAYER}_2"
    ),
    "HessianExtremes": lambda a: a.HessianExtremes(
        *values(4), *[values(99)] * 4, 1e-9, 40, False, False
    ),
    "HessianTrace": lambda a: a.HessianTrace(0.1234567, 0.01, values(99), 1234567),
    "Interval": lambda a: a.Interval(0.123456, 0.1, 0.2, 3),
    "LayerSignal": lambda a: signal(),
    "LearningRateRange": lambda a: a.judge_learning_rates(
        np.geomspace(1e-5, 1, 50), 1 - values(50)
    ),
    "LossLine": lambda a: a.LossLine(values(9), values(9)),
    "LossSurface": lambda a: a.LossSurface(
        values(9), values(9), np.outer(values(9), values(9)), ("a", "b")
    ),
    "NoiseScale": lambda a: a.NoiseScale(
        123.456, 12.3, np.inf, 1.23456, 0.0123, 0.95, "population", 1024
    ),
    "NoiseScaleCurve": lambda a: a.NoiseScaleCurve(
        np.arange(50), values(50), values(50), 32.0, source=LONG
    ),
    "OverfittingVerdict": lambda a: a.detect_overfitting(
        [1 / (i + 1) for i in range(30)], [1 + abs(i - 5) / 9 for i in range(30)]
    ),
    "PairedDifference": lambda a: a.PairedDifference(
        a.Interval(0.123456, 0.1, 0.2, 3), 0.01234567, 0.0001, 0.0002
    ),
    "PointEvidence": lambda a: a.PointEvidence(*values(21)),
    "LargestBatchSize": lambda a: a.largest_batch_size_of(
        [(32, True), (64, True), (128, False)], rows=1000, noise_scale=4e4
    ),
    "TriedBatchSize": lambda a: a.TriedBatchSize(
        128,
        False,
        2.0,
        "out of memory while trying to allocate 123456789 bytes for 12 tensors",
    ),
    "PowerLaw": lambda a: a.PowerLaw(
        1.23456, 0.5, 0.01, np.ones((99, 3)), np.geomspace(10, 1e5, 9)
    ),
    "PropagationReport": lambda a: a.PropagationReport(
        (signal(), signal()), signal_trend([1.0], 0.1), signal_trend([1.0], 0.1), "loss"
    ),
    "RemedyAdvice": lambda a: a.RemedyAdvice("augmentation", None, LONG),
    "Skill": lambda a: a.Skill(float("nan"), LONG),
    "StoppingReport": lambda a: a.StoppingReport(
        *(True, "patience", "val_loss", 10.0, 10.0, 30, 20, 0.5, 0.6, True, "end"),
        *(10, 3.5, 70, (3, 4), (5,), 0.4, False, LONG),
    ),
    "NonFiniteReport": lambda a: a.NonFiniteReport(
        7, 0, 2.5, tuple(f"{LAYER}/{i}" for i in range(40)), (), 3, {LAYER: 1.0}
    ),
    "Coverage": lambda a: a.Coverage(61, 12, 0, {"the loss": LONG, "the data": LONG}),
    "Diagnosis": lambda a: a.Diagnosis(
        [finding(rule.name) for rule in a.all_rules()],
        skipped={"plateau": LONG},
        outcome=LONG,
    ),
    "Finding": lambda a: finding(),
    "Fine": lambda a: a.Fine(LONG),
    "RemedySuggestion": lambda a: remedy(),
    "NonFiniteOrigin": lambda a: a.NonFiniteOrigin("weights", LAYER, 3, LAYER, 12),
    "CapacityReport": lambda a: a.CapacityReport(
        1234567, 0, 12, 100, (LayerCapacity(LAYER, "MultiHeadAttention", 123, 0.5),)
    ),
    "Treatment": lambda a: a.Treatment(
        None,
        kd.diagnosis.Diagnosis([finding()]),
        kd.diagnosis.Diagnosis([finding()]),
        trials(),
        "model.fit(x, y)",
        by_hand=(LONG,),
    ),
    "TreatmentStep": lambda a: trials()[1],
    "BatchFacts": lambda a: a.BatchFacts(),
    "DataFacts": lambda a: a.DataFacts(
        a.InputFacts(shape=(8,), mean=0.123456789), a.TargetFacts()
    ),
    "InputFacts": lambda a: a.InputFacts(shape=(8,), mean=0.123456789),
    "LayerFacts": lambda a: a.LayerFacts(LAYER, "Dense", kind="dense"),
    "ModelFacts": lambda a: a.ModelFacts(
        layers=tuple(a.LayerFacts(LAYER, "Dense") for _ in range(99))
    ),
    "OutputFacts": lambda a: a.OutputFacts(),
    "ProbeFacts": lambda a: a.ProbeFacts(),
    "RunFacts": lambda a: a.RunFacts(
        model_name="functional_12",
        optimizer={"class_name": "Adam", "config": {str(i): LONG for i in range(9)}},
    ),
    "TargetFacts": lambda a: a.TargetFacts(),
    "TrainingRecord": lambda a: record(),
    "TrialResult": lambda a: a.TrialResult(
        {"plan": LONG, "seed": 0}, values={"errors": values(999), "text": LONG}
    ),
    "ValidationFacts": lambda a: a.ValidationFacts(),
    "VariableInfo": lambda a: a.VariableInfo(
        f"{LAYER}/kernel", LAYER, "kernel", (3, 3, 64, 128), 12, True
    ),
    "WeightFacts": lambda a: a.WeightFacts(),
}


def classes():
    for room in ROOMS:
        module = getattr(kd, room)
        for name in module.__all__:
            kind = getattr(module, name)
            if inspect.isclass(kind) and name not in NO_RESULTS:
                yield pytest.param(module, name, id=name)


@pytest.mark.parametrize(("module", "name"), list(classes()))
def test_displays(module, name):
    result = MADE[name](module)
    assert type(result) is getattr(module, name)
    assert isinstance(result, Displayed)
    line, words = repr(result), str(result)
    assert len(line.splitlines()) <= 2
    assert len(line) <= 160
    assert "array(" not in line + words
    assert line.startswith(f"<{name}")
    assert max(map(len, words.splitlines())) <= 80
    assert '<div class="kd-cell">' in result._repr_html_()
