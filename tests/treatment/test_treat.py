"""Treatments of small models."""

import json
import math

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.records import TrialResult
from keras_dlbasic.treatment import trial
from keras_dlbasic.treatment.judging import (
    came_alive,
    falls_faster,
    is_gone,
    progress,
)
from keras_dlbasic.treatment.plan import Plan
from keras_dlbasic.treatment.trial import TreatmentTask, train

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("float32")


def softmax_over_one():
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(16, "relu"), L.Dense(1, "softmax")]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy")
    return model


@pytest.fixture(scope="module")
def treated(tmp_path_factory):
    directory = tmp_path_factory.mktemp("trials")
    keras.utils.set_random_seed(3)
    model = softmax_over_one()
    before = model.get_weights()
    fit, epochs = keras.Sequential.fit, []

    def counted(self, *args, **kwargs):
        history = fit(self, *args, **kwargs)
        epochs.append(len(history.epoch))
        return history

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Sequential, "fit", counted)
        result = kd.treat(model, X, Y, epochs=30, directory=directory, verbose=0)
    return model, before, result, directory, epochs


def test_the_cause_is_mended(treated):
    result = treated[2]
    assert result.first_diagnosis[0].name == "output_activation_mismatch"
    assert result.kept[0].remedy.startswith("fix_output(activation='sigmoid'")
    assert result.kept[0].score_after > result.kept[0].score_before + 0.5
    assert "output_activation_mismatch" not in result.diagnosis.names
    right = (result.model.predict(X, verbose=0)[:, 0] > 0.5) == (Y > 0.5)
    assert right.mean() > 0.9
    assert result.score > result.first_score
    assert "kd.remedies.fix_output(model, activation='sigmoid'" in result.code
    assert "output_activation_mismatch" in str(result)
    assert len(result.table()) == len(result.history)
    assert "drawn anew" not in result.kept[0].note


def test_the_users_model_is_not_touched(treated):
    model, before, result, *_ = treated
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.layers[-1].activation.__name__ == "softmax"
    assert result.model is not model


def test_the_budget_is_kept(treated):
    _, _, result, _, epochs = treated
    assert epochs[-1] == 30
    assert result.cost == pytest.approx(sum(epochs) / 30)
    assert result.cost <= 2.0


def test_a_small_budget_leaves_the_last_training_alone():
    result = kd.treat(softmax_over_one(), X, Y, epochs=30, budget=1.0, verbose=0)
    assert all(step.score_after is None for step in result.history)
    assert result.first_diagnosis[0].name == "output_activation_mismatch"
    assert result.cost <= 2.0


def test_a_model_that_is_not_compiled_is_refused():
    model = keras.Sequential([keras.Input((4,)), L.Dense(1)])
    with pytest.raises(ValueError, match="not compiled"):
        kd.treat(model, X, Y, epochs=3, verbose=0)


def test_what_is_finished_is_not_run_again(treated, monkeypatch):
    model, _, result, directory, _ = treated
    calls = []
    fit = keras.Sequential.fit
    monkeypatch.setattr(
        keras.Sequential,
        "fit",
        lambda self, *a, **k: calls.append(1) or fit(self, *a, **k),
    )
    again = kd.treat(model, X, Y, epochs=30, directory=directory, verbose=0)
    assert [step.remedy for step in again.history] == [
        step.remedy for step in result.history
    ]
    assert again.score == result.score
    whole = 1 + sum(step.remedy.startswith(("train", "stop")) for step in again.history)
    assert len(calls) <= whole + sum("find" in step.remedy for step in again.history)


def test_a_healthy_model_is_trained_as_it_is(capsys):
    def healthy():
        layers = [L.Dense(16, "relu"), L.Dense(1, "sigmoid")]
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
        return model

    held_out = RNG.normal(size=(128, 4)).astype("float32")
    answers = (held_out[:, 0] * held_out[:, 1] > 0).astype("float32")
    result = kd.treat(healthy, X, Y, epochs=20, validation_data=(held_out, answers))
    assert result.history == ()
    assert result.is_healthy
    assert result.score > 0.5
    assert "training for 20 epochs" in capsys.readouterr().out


def test_a_model_that_cannot_be_rebuilt_is_named():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    model = Own()
    model(X)
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="Sequential and Functional"):
        kd.treat(model, X, X, epochs=2)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 2, "seeds": 0}])
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        kd.treat(softmax_over_one, X, Y, **wrong)


@pytest.mark.parametrize("budget", [0.5, math.inf, math.nan, "2"])
def test_a_budget_is_a_finite_number(budget):
    with pytest.raises(
        ValueError, match="`budget` must be a finite number of at least"
    ):
        kd.treat(softmax_over_one, X, Y, epochs=2, budget=budget)


@pytest.mark.parametrize(
    ("before", "after", "fall", "alive"),
    [
        (["constant_predictions"], [], 0.5, True),
        (["plateau"], ["overfitting"], 0.5, True),
        (["plateau"], [], 0.05, False),  # noise
        (["plateau"], ["plateau"], 0.5, False),
        (["plateau"], ["poor_initialization"], 0.5, False),  # what was to be fixed
        (["underfitting"], [], 0.5, False),  # it did learn
    ],
)
def test_a_model_that_comes_alive_is_kept_before_it_is_better(
    before, after, fall, alive
):
    """Zero weights answer a constant; random ones are worse before they are better."""

    def trial(names, score, fall):
        found = [Finding(name, "symptom", "critical", "...") for name in names]
        values = {"diagnosis": Diagnosis(found).to_json(), "score": score, "fall": fall}
        return TrialResult({"seed": 0}, "done", values)

    mended = Finding("poor_initialization", "cause", "critical", "...")
    assert came_alive(mended, trial(before, 0, 0), trial(after, -0.8, fall)) is alive


@pytest.mark.parametrize(
    ("name", "before", "after", "faster"),
    [
        ("too_few_updates", (2.0, 1.99), (2.0, 1.9), True),
        ("too_few_updates", (2.0, 1.99), (2.0, 1.98), False),  # next to nothing
        ("learning_rate_too_low", (2.0, 1.8), (2.0, 1.6), False),  # it went anyway
        ("plateau", (1.01, 1.0), (2.1, 1.1), False),  # it only began higher
        ("too_few_updates", (2.0, 1.99), (2.0, float("nan")), False),
        ("too_few_updates", (float("inf"), 1.99), (2.0, 1.0), False),
        ("overfitting", (2.0, 1.99), (2.0, 1.0), False),  # no lower training loss helps
    ],
)
def test_a_slow_run_that_becomes_much_faster(name, before, after, faster):
    finding = Finding(name, "cause", "critical", "...")
    old, new = (
        TrialResult({"seed": 0}, "done", {"first_loss": first, "last_loss": last})
        for first, last in (before, after)
    )
    assert falls_faster(finding, old, new) is faster


def test_what_is_left_of_the_budget_goes_to_what_shows_late():
    """A short trial does not tell that a net will learn wrong labels by heart."""
    rng = np.random.default_rng(1)
    x, held_out = rng.normal(size=(2, 64, 8)).astype("float32")
    answers = held_out[:, 0]
    y = x[:, 0] + rng.normal(size=64).astype("float32")

    def build():
        layers = [L.Dense(64, "relu"), L.Dense(64, "relu"), L.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *layers])
        model.compile(keras.optimizers.Adam(6e-3), "mse")
        return model

    result = kd.treat(
        build,
        x,
        y,
        epochs=40,
        batch_size=16,
        validation_data=(held_out, answers),
        budget=1.8,
        verbose=0,
    )
    last = result.history[-1]
    assert last.kept, result
    assert last.finding in ("overfitting", "model_too_large")
    assert last.score_after > last.score_before + 0.05
    assert result.score == last.score_after
    assert "of 40 epochs" in last.note
    assert result.cost <= 1.8


def lost(place):
    model = keras.Sequential([keras.Input((4,)), L.Dense(16, "relu"), L.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    weights = model.layers[place].get_weights()
    weights[0][0] = np.nan
    model.layers[place].set_weights(weights)
    return model


@pytest.mark.filterwarnings("ignore:Weights of .* layers")
def test_lost_weights_are_drawn_anew_and_nothing_else_takes_the_credit():
    result = kd.treat(lambda: lost(0), X, Y, epochs=10, verbose=0)
    assert result.first_diagnosis[0].name == "non_finite_weights"
    assert result.history[0].remedy == "initialize()"
    assert result.history[0].kept
    assert "with new weights" in result.history[0].note
    assert not any(s.finding == "non_finite_values" for s in result.history)
    assert any("build the model anew" in words for words in result.by_hand)


def test_what_only_the_user_can_mend_is_left_to_the_user():
    def build():
        model = keras.Sequential([keras.Input((4,)), L.Dense(16, "relu"), L.Dense(1)])
        model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
        return model

    x = np.where(X > 2, np.nan, X)
    result = kd.treat(build, x, Y, epochs=10, verbose=0)
    assert result.first_diagnosis[0].name == "non_finite_data"
    assert result.history == ()
    assert len(result.by_hand) == 1


@pytest.mark.everywhere
def test_a_cause_that_is_gone_at_no_loss_needs_one_seed():
    def build():
        model = keras.Sequential(
            [keras.Input((4,)), *(L.Dense(8, "sigmoid") for _ in range(6)), L.Dense(1)]
        )
        model.compile(optimizer=keras.optimizers.SGD(1e-3), loss="mse")
        return model

    x = 500 * X[:96] + 900
    result = kd.treat(build, x, Y[:96], epochs=10, budget=3, verbose=0)
    tried = [s for s in result.history if s.finding == "unscaled_inputs"]
    assert any(s.kept for s in tried)
    assert all(abs(s.score_after - s.score_before) <= 0.01 for s in tried)
    assert not any("seeds" in s.note for s in tried)


@pytest.mark.everywhere
def test_of_two_remedies_whose_cause_is_gone_the_better_one_is_kept():
    def build():
        layers = [L.Dense(8, "sigmoid") for _ in range(7)]
        model = keras.Sequential([keras.Input((4,)), *layers, L.Dense(1)])
        model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mse")
        return model

    result = kd.treat(build, X[:64], Y[:64], epochs=20, budget=3, verbose=0)
    tried = [s for s in result.history if s.finding == "saturating_activations"]
    assert [s.kept for s in tried].count(True) == 1
    (kept,) = (s for s in tried if s.kept)
    assert any("brings more" in s.note for s in tried if not s.kept)
    assert "brings more" not in kept.note


def scripted(first_loss, last_loss, names):
    findings = [Finding(name, "symptom", "warning", "It is so.") for name in names]
    diagnosis = json.dumps(Diagnosis(findings).to_dict())
    values = {"first_loss": first_loss, "last_loss": last_loss, "score": 0.0}
    return TrialResult({}, values={**values, "diagnosis": diagnosis})


def test_a_cause_mended_lets_the_loss_fall():
    """In original units, as with targets that the model scales."""
    stuck = scripted(1e6, 9.99e5, ["plateau"])
    cause = Finding(
        "unscaled_targets", "cause", "warning", "They are.", explains=("plateau",)
    )
    new = scripted(9e5, 5e5, [])
    assert falls_faster(cause, stuck, new)
    assert progress(stuck, new) == pytest.approx(0.499, abs=1e-6)
    assert not falls_faster(cause, scripted(1e6, 9.99e5, []), new)
    other = Finding("model_too_large", "cause", "warning", "It is.")
    assert not falls_faster(other, stuck, new)


def test_a_finding_that_was_not_looked_for_is_not_gone():
    finding = Finding("plateau", "symptom", "critical", "It is stuck.")
    assert is_gone(finding, Diagnosis(checked_fine={"plateau": "it falls"}))
    assert not is_gone(finding, Diagnosis(skipped={"plateau": "no data"}))
    assert not is_gone(finding, Diagnosis([finding]))


def test_a_loss_of_ones_own_has_no_skill_but_is_treated(rng):
    """The gains are nothing then; what is found with a remedy decides."""

    def absolute(y_true, y_pred):
        return keras.ops.abs(y_true - y_pred)

    x = rng.normal(size=(64, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", absolute)
    result = kd.treat(model, x, x[:, :1], epochs=4, verbose=0)
    assert np.isnan(result.score)
    assert "not known" in str(result)


def test_a_remedy_that_changes_the_loss_is_judged_by_the_same_task(rng):
    x = rng.normal(size=(40, 3)).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    layers = [keras.Input((3,)), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    task = TreatmentTask(model, (x, y), None, (kd.analysis.TaskKind.VALUES,))
    plan = Plan(1, 40)
    other = plan.with_remedy(
        "fix_output", {"loss": "binary_crossentropy"}, lambda: None
    )
    for each in (plan, other):
        trained, values = train(each, task, 0, 1)
        p = trained.predict(x, verbose=0)
        expected = kd.analysis.skill(y, p, "values").value
        assert values["score"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.once
def test_an_interrupt_ends_with_the_running_step(monkeypatch, tmp_path, capsys):
    steps = []

    class Interrupted(trial.TrainingDoctor):
        def on_train_batch_begin(self, batch, logs=None):
            super().on_train_batch_begin(batch, logs)
            steps.append(batch)
            if len(steps) == 60:
                raise KeyboardInterrupt

    monkeypatch.setattr(trial, "TrainingDoctor", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        kd.treat(softmax_over_one(), X, Y, epochs=16, directory=tmp_path)
    assert len(steps) == 60  # no other one is run
    # what is finished is kept: the trials on disk, and the code of what helped
    assert len(list((tmp_path / "trials").iterdir())) == 2
    said = capsys.readouterr().out.partition("treat: interrupted; ")[2]
    assert said.startswith("kept so far: fix_output(activation='sigmoid')\n")
    assert "\nmodel = kd.remedies.fix_output(model, activation='sigmoid')\n" in said
