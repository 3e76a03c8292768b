"""What rules make of the order and the weights of rows in batches."""

from dataclasses import replace

import numpy as np
import pytest
from made_batches import DRAWN, SORTED, weighed, with_batches
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.inspection.batch_facts import batch_facts
from keras_dlbasic.inspection.weight_facts import weight_facts

SWINGING = {"loss": 1.0 + 0.6 * np.sin(np.arange(40) * 2.0)}


def of_values(**given):
    """A regression: the loss takes values, the output is linear."""
    targets = {"kind": "continuous"}
    record = made_run(targets=targets, facts={"loss": "mse"}, **given)
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=1)
    return record


def named(diagnosis, name):
    return next(finding for finding in diagnosis if finding.name == name)


def test_order_explains_a_loss_that_swings():
    diagnosis = kd.diagnose(with_batches(made_run(**SWINGING), SORTED))
    assert diagnosis[0].name == "rows_in_order"
    assert diagnosis[0].severity == "warning"
    symptom = named(diagnosis, "oscillating_loss")
    assert "rows_in_order" in symptom.explained_by
    assert [remedy.name for remedy in symptom.remedies] == [None]
    assert "shuffle=True" in str(symptom.remedies[0])


def test_rows_that_are_forgotten():
    losses = np.linspace(1.4, 0.3, 20)
    run = made_run(losses, end_loss=1.2, skill=0.4, reference=0.4)
    finding = kd.diagnose(with_batches(run, SORTED))[0]
    assert (finding.name, finding.severity) == ("rows_in_order", "warning")
    assert "a mixed sample" in finding.message


def test_a_loss_of_weighted_rows_is_not_that_of_the_probe():
    losses = np.linspace(0.14, 0.03, 20)
    run = made_run(losses, end_loss=0.3, skill=0.9, reference=0.85)
    weights = [np.full(32, 0.1) for _ in SORTED]
    diagnosis = kd.diagnose(with_batches(run, SORTED, weights))
    assert "rows_in_order" in diagnosis.checked_fine


def test_order_that_does_no_harm_is_no_finding():
    diagnosis = kd.diagnose(with_batches(made_run(), SORTED))
    assert diagnosis.is_healthy
    assert "rows are not shuffled" in diagnosis.checked_fine["rows_in_order"]


def test_batches_of_one_class_each_are_worth_a_note(rng):
    batches = [np.full(32, label) for label in rng.permutation(np.arange(24) % 4)]
    diagnosis = kd.diagnose(with_batches(made_run(), batches))
    assert diagnosis.is_healthy
    note = named(diagnosis, "rows_in_order")
    assert note.severity == "info"
    assert "each batch contains one class only" in note.message
    assert "`fit` shuffles whole batches" in note.message


def test_values_in_order(rng):
    values = np.cumsum(rng.normal(size=640)).reshape(20, 32)
    found = kd.diagnose(with_batches(of_values(**SWINGING), list(values)))
    assert "rows_in_order" in found.names
    mixed = list(rng.permutation(values.ravel()).reshape(20, 32))
    found = kd.diagnose(with_batches(of_values(**SWINGING), mixed))
    assert "rows_in_order" not in found.names


def test_counts_of_a_regression_in_no_order(rng):
    """Numbers of many values, of which a batch can hold a few only."""
    batches = list(rng.poisson(200, size=(16, 8)))
    assert batch_facts(batches).class_chance > -6
    fine = kd.diagnose(with_batches(of_values(), batches)).checked_fine
    assert "the rows are shuffled" in fine["rows_in_order"]


def test_the_class_without_weight_is_named():
    run = made_run(**STUCK)  # where it does harm; it may be on purpose
    diagnosis = kd.diagnose(with_batches(run, *weighed(1.0, 0.0, 2.0, 0.0)))
    finding = named(diagnosis, "zero_weights")
    assert finding.severity == "critical"
    assert "Classes 1, 3" in finding.message


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_weights_that_are_zero_at_random(rng, share):
    weights = [(rng.random(32) > share).astype(float) for _ in DRAWN]
    record = with_batches(made_run(), DRAWN, weights)
    assert "zero_weights" in kd.diagnose(record).checked_fine


def test_rows_left_out_on_purpose():
    """The class of these rows is a mark: the model has no output for it."""
    marked = [np.where(batch == 3, 255, batch) for batch in DRAWN]
    weights = [(batch < 255).astype(float) for batch in marked]
    record = with_batches(made_run(), marked, weights)
    assert "zero_weights" in kd.diagnose(record).checked_fine


def test_padding_has_no_weight():
    words = [np.where(np.arange(12) < 3, batch[:, None], 0) for batch in DRAWN]
    weights = [np.broadcast_to(np.arange(12) < 3, w.shape) * 1.0 for w in words]
    record = with_batches(made_run(), words, weights)
    assert "zero_weights" in kd.diagnose(record).checked_fine


def test_weights_that_are_all_zero():
    weights = [np.zeros(32) for _ in DRAWN]
    record = with_batches(made_run(), DRAWN, weights)
    finding = named(kd.diagnose(record), "zero_weights")
    assert finding.severity == "critical"


def test_class_weights_balance_rare_classes(rng):
    rare = [(rng.random(64) < 0.03).astype(int) for _ in range(16)]
    record = made_run(targets={"kind": "binary", "frequencies": [0.97, 0.03]})
    assert "imbalanced_classes" in kd.diagnose(record).names
    table = np.array([0.5, 16.0])
    with_batches(record, rare, [table[batch] for batch in rare])
    assert "of the loss" in kd.diagnose(record).checked_fine["imbalanced_classes"]


def test_a_probe_of_one_side_condemns_nothing():
    record = made_run(targets={"is_constant": True, "frequencies": [1.0]})
    reason = "all 64 rows that were read during `fit` have the same target"
    record.note(data=replace(record.facts.data, one_sided=reason))
    skipped = kd.diagnose(record).skipped
    for name in ("constant_targets", "imbalanced_classes", "constant_predictions"):
        assert skipped[name] == reason


def test_ids_need_no_scale():
    record = made_run(inputs={"rms": 4000.0, "is_integer": True, "is_ids": True})
    assert "embedding" in kd.diagnose(record).checked_fine["unscaled_inputs"]


def test_facts_of_batches_are_kept_in_files(tmp_path):
    record = with_batches(made_run(), *weighed(1.0, 0.0, 1.0, 1.0))
    record.save(tmp_path / "run.npz")
    loaded = kd.records.TrainingRecord.load(tmp_path / "run.npz")
    assert loaded.facts.data.batches == batch_facts(DRAWN)
    assert loaded.facts.data.weights == weight_facts(*weighed(1.0, 0.0, 1.0, 1.0))
    with edited_facts(loaded) as facts:
        del facts["data"]["batches"], facts["data"]["weights"]
    assert loaded.facts.data.batches is None


@pytest.mark.parametrize(
    ("by_class", "found"),
    [((1.7, 0.3), True), ((0.6, 3.6), False), ((1.0, 1.0), False)],
)
def test_weights_that_favor_the_commonest_class(by_class, found):
    targets = [np.arange(32) % 8 == 0 for _ in range(16)]
    targets = [batch.astype(int) for batch in targets]
    weights = [np.array(by_class)[batch] for batch in targets]
    diagnosis = kd.diagnose(with_batches(made_run(), targets, weights))
    said = [str(f) for f in diagnosis if f.name == "imbalanced_classes"]
    assert (
        any("larger for the rare class" in " ".join(text.split()) for text in said)
        is found
    )
