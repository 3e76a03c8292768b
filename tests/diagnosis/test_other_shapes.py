"""Outputs of another shape than the targets, which losses stretch without a word."""

import keras
import numpy as np
import pytest
from keras import layers as L

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Run
from keras_dlbasic.diagnosis.rules.unscaled_targets import unscaled_targets
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.facts import RunFacts
from keras_dlbasic.records.model_facts import LayerFacts, ModelFacts

RNG = np.random.default_rng(3)
SERIES = RNG.normal(size=(48, 6, 1)).astype("float32")
VALUE = SERIES.mean(axis=(1, 2))


def named(layers, x, y, loss):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    model.compile("sgd", loss)
    found = kd.preflight(model, x, y)
    return [f for f in found if f.name == "loss_target_mismatch"]


@pytest.mark.once
@pytest.mark.parametrize("y", [VALUE, VALUE[:, None]])
def test_one_answer_a_step_for_one_target_a_row(y):
    (finding,) = named([L.GRU(3, return_sequences=True), L.Dense(1)], SERIES, y, "mse")
    assert finding.severity == "critical"
    assert "(n, 6, 1)" in finding.message
    assert "return_sequences" in finding.remedies[0].code


@pytest.mark.once
def test_yes_or_no_a_step_for_one_of_a_row():
    layers = [L.GRU(3, return_sequences=True), L.Dense(1, "sigmoid")]
    y = (VALUE > 0).astype("float32")
    (finding,) = named(layers, SERIES, y, "binary_crossentropy")
    assert finding.severity == "critical"
    assert "entry by entry" in finding.message


@pytest.mark.once
def test_several_answers_for_one_target():
    (finding,) = named([L.Flatten(), L.Dense(3)], SERIES, VALUE[:, None], "mae")
    assert "as many units" in finding.remedies[0].code


@pytest.mark.once
@pytest.mark.parametrize(
    ("layers", "y", "loss"),
    [
        ([L.GRU(3), L.Dense(1)], VALUE, "mse"),
        ([L.GRU(3, return_sequences=True), L.Dense(1)], SERIES, "mse"),
        ([L.GRU(3, return_sequences=True), L.Dense(1)], SERIES[..., 0], "mse"),
        (
            [L.GRU(3, return_sequences=True), L.Dense(1, "sigmoid")],
            SERIES > 0,
            "binary_crossentropy",
        ),
        ([L.Flatten(), L.Dense(4)], RNG.normal(size=(48, 4)), "mse"),
    ],
)
def test_shapes_that_go_together(layers, y, loss):
    assert named(layers, SERIES, y, loss) == []


@pytest.mark.once
def test_targets_are_scaled_once():
    x, y = RNG.normal(size=(48, 4)).astype("float32"), 500 + 40 * RNG.normal(size=48)
    model = keras.Sequential([keras.Input((4,)), L.Dense(1)])
    model.compile("sgd", "mse")
    scaled = kd.remedies.scale_targets(model, y)
    assert "unscaled_targets" in kd.preflight(model, x, y).names
    assert "unscaled_targets" not in kd.preflight(scaled, x, y).names
    with pytest.raises(ValueError, match="Nothing is left to scale"):
        kd.remedies.scale_targets(scaled, y)


@pytest.mark.once
def test_scaled_inputs_are_no_scaled_outputs():
    """Layers that scale count only behind the last kernel."""
    scaling = LayerFacts("scaling", scales=True)
    kernel = LayerFacts("dense", gain=1.0)
    targets = [{"kind": "continuous", "rms": 500.0, "std": 100.0, "mean": 490.0}]
    for layers, is_found in (
        ((scaling, kernel), True),
        ((kernel, scaling, kernel), True),
        ((kernel, scaling), False),
    ):
        facts = RunFacts.from_dict({"loss": "mse", "data": {"targets": targets}})
        record = TrainingRecord(facts=facts)
        record.note(model=ModelFacts(layers=layers))
        assert hasattr(unscaled_targets(Run(record)), "severity") == is_found


@pytest.mark.once
def test_losses_of_few_rows_are_never_below_zero():
    """What is gained on the rows of a look says what is gained on all, at best."""
    from keras_dlbasic.analysis.scoring import TaskKind
    from keras_dlbasic.diagnosis.loss_kind import LossKind
    from keras_dlbasic.inspection.output_probe import OutputProbe

    y = np.r_[np.zeros(24), np.full(8, 10.0)][:, None]
    probe = OutputProbe(y, "mse", LossKind.of("mse"), TaskKind.VALUES)
    probe.facts([np.arange(32.0)[:, None]], (32, 1))
    looked = np.arange(20, 32)
    said = probe.judge(y[looked].astype("float32"), looked)
    assert said["loss"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.once
@pytest.mark.parametrize("way", ["as it is", "adapted", "given"])
def test_a_normalization_that_was_not_adapted_scales_nothing(way):
    x = np.random.default_rng(0).normal(300.0, 50.0, (64, 3)).astype("float32")
    given = {"mean": 300.0, "variance": 2500.0} if way == "given" else {}
    scaling = keras.layers.Normalization(**given)
    if way == "adapted":
        scaling.adapt(x)
    model = keras.Sequential([keras.Input((3,)), scaling, keras.layers.Dense(1)])
    facts = network_facts(model)
    assert facts.layers[0].not_adapted is (way == "as it is")
    assert facts.normalizes_inputs is (way != "as it is")
