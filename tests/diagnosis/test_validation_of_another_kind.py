"""Validation rows that are not like training rows, and what only looks so."""

import keras
import numpy as np
import pytest
from made_batches import DRAWN, with_batches
from made_runs import edited_facts, found, made_run

import keras_dlbasic as kd
from keras_dlbasic.inspection.validation_facts import validation_facts

FALLING = 1.4 * np.exp(-np.arange(20) / 5) + 0.02
NEVER = np.linspace(1.5, 6.0, 20)
"""A validation loss that is never below that of a constant prediction, 1.386."""
TURNING = np.r_[np.linspace(1.3, 0.6, 8), np.linspace(0.7, 2.5, 12)]
FAILS = {"reference_skill": 0.9, "transfer_skill": 0.1, "transfer_error": 0.03}
HOLDS = {**FAILS, "transfer_skill": 0.8}


def without_validation(**changes):
    record = made_run(FALLING, end_loss=0.02, skill=1.0, **changes)
    with edited_facts(record) as facts:
        facts["data"]["validation"] = None
    return record


def shown(record):
    return [(f.name, f.severity) for f in kd.diagnose(record) if f.rank]


@pytest.mark.parametrize("val_loss", [NEVER, TURNING])
def test_predictors_that_fail_on_validation_rows(val_loss):
    large = {"n_trainable_weights": 10**6}
    record = made_run(FALLING, val_loss, validation=FAILS, **large)
    diagnosis = kd.diagnose(record)
    first, second = diagnosis[0], diagnosis[1]
    assert (first.name, first.severity) == ("unrepresentative_validation", "critical")
    assert second.name == "overfitting"
    assert "unrepresentative_validation" in second.explained_by
    assert "model_too_large" not in diagnosis.names


@pytest.mark.parametrize(
    "validation",
    [
        HOLDS,
        {**FAILS, "transfer_error": 0.2},  # may be chance
        {**FAILS, "reference_skill": 0.2, "transfer_skill": 0.0},  # nothing to carry
    ],
)
def test_overfitting_is_overfitting_where_predictors_hold(validation):
    names = [
        name for name, _ in shown(made_run(FALLING, TURNING, validation=validation))
    ]
    assert "overfitting" in names
    assert "unrepresentative_validation" not in names


def test_a_model_that_carries_over_what_predictors_miss():
    assert shown(made_run(FALLING, FALLING, validation=FAILS)) == []


def test_what_restores_them_is_told():
    restored = {**FAILS, "restored_by": "transposition"}
    found = kd.diagnose(made_run(FALLING, NEVER, validation=restored))[0]
    assert "height and width swapped" in found.message
    assert "height and width swapped" in found.remedies[0].code
    newer = {**FAILS, "restored_by": "of a later version"}
    plain = kd.diagnose(made_run(FALLING, NEVER, validation=newer))[0]
    assert plain.message in found.message


def test_before_training_it_is_a_warning(rng):
    kinds = np.random.default_rng(5).normal(size=(3, 16))
    y = rng.integers(0, 3, 500)
    x = (kinds[y] + rng.normal(size=(500, 16))).astype("float32")
    model = keras.Sequential(
        [keras.Input((16,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for order, expected in ((np.arange(16), []), (rng.permutation(16), ["warning"])):
        given = {"validation_data": (x[300:, order], y[300:])}
        found = kd.preflight(model, x[:300], y[:300], **given)
        named = [f for f in found if f.name == "unrepresentative_validation"]
        assert [f.severity for f in named] == expected


# -- validation data that are not known ------------------------------------------------


def test_a_validation_loss_that_was_never_good_is_no_proof_of_a_large_model():
    record = without_validation(val_loss=NEVER, n_trainable_weights=10**6)
    diagnosis = kd.diagnose(record)
    assert shown(record) == [("unrepresentative_validation", "warning")]
    assert "seem to differ from the training rows" in diagnosis[0].message
    assert "validation_data=" in diagnosis[0].remedies[0].code
    overfitting = next(f for f in diagnosis if f.name == "overfitting")
    assert "only the validation data can show" in overfitting.message
    assert "validation_data=" in overfitting.remedies[0].code


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": 0.1},  # nothing that predictors would carry over
        {"val_loss": TURNING},  # it had carried over
        {"facts": {"probe": {"rows": 40, "baseline_loss": 1.386}}},
    ],
)
def test_curves_that_do_not_tell(changes):
    record = without_validation(**{"val_loss": NEVER, **changes})
    diagnosis = kd.diagnose(record)
    assert "unrepresentative_validation" in diagnosis.skipped


def test_overfitting_of_known_rows_is_not_doubted():
    assert ("overfitting", "critical") in shown(without_validation(val_loss=TURNING))
    known = made_run(FALLING, NEVER, validation=HOLDS, end_loss=0.02, skill=1.0)
    assert ("overfitting", "critical") in shown(known)


@pytest.mark.parametrize(("momentum", "severity"), [(0.999, "info"), (0.9, "critical")])
def test_statistics_that_lag_look_like_overfitting(momentum, severity):
    second = {"batch_normalizes": True, "momentum": momentum}
    diagnosis = kd.diagnose(made_run(FALLING, TURNING, second=second, end_loss=0.02))
    found = next(f for f in diagnosis if f.name == "overfitting")
    assert found.severity == severity
    assert ("moving statistics" in found.message) == (severity == "info")


@pytest.mark.parametrize(
    ("updates", "advised"), [(320, [0.9]), (20, [0.5]), (3, [])], ids=str
)
def test_a_momentum_that_is_advised_adapts_in_time(updates, advised):
    second = {"batch_normalizes": True, "momentum": 0.999}
    record = made_run(FALLING, TURNING, second=second, end_loss=0.02)
    record.trained_steps = updates
    found = next(f for f in kd.diagnose(record) if f.name == "overfitting")
    assert "moving statistics" in found.message
    given = [r.kwargs["momentum"] for r in found.remedies if "momentum" in r.kwargs]
    assert given == advised


# -- what only looks memorized ---------------------------------------------------------


def test_a_validation_loss_that_still_falls_is_not_memorised():
    low = {"end_loss": 0.01, "skill": 1.0}
    standing = np.r_[np.linspace(1.3, 0.6, 10), np.full(10, 0.6)]
    assert ("overfitting", "warning") in shown(made_run(FALLING, standing, **low))
    falling = np.linspace(1.3, 0.6, 20)
    assert shown(made_run(FALLING, falling, **low)) == []


def test_mistakes_on_a_few_rows_are_no_proof():
    low = {"end_loss": 0.01, "skill": 1.0}
    standing = np.r_[np.linspace(1.3, 0.53, 10), np.full(10, 0.53)]  # 38 per cent
    few = made_run(FALLING, standing, validation={"n_rows": 50}, **low)
    assert shown(few) == []
    many = made_run(FALLING, standing, validation={"n_rows": 1000}, **low)
    assert shown(many) == [("overfitting", "warning")]


def test_many_weights_are_no_cause_of_a_mere_gap():
    low = {"end_loss": 0.01, "skill": 1.0, "n_trainable_weights": 10**6}
    standing = np.r_[np.linspace(1.3, 0.6, 10), np.full(10, 0.6)]
    assert shown(made_run(FALLING, standing, **low)) == [("overfitting", "warning")]


# -- batches that come again -----------------------------------------------------------


def test_repeated_batches_count_where_new_rows_are_worse_known():
    worse = 0.5 + 0.9 * np.exp(-np.arange(20) / 5)
    again = {"compared": 9, "different": 1}
    learned = {"end_loss": 0.02, "skill": 1.0}
    run = with_batches(made_run(FALLING, worse, **learned), DRAWN, **again)
    assert shown(run)[0] == ("repeated_batches", "warning")
    alike = with_batches(made_run(FALLING, FALLING, **learned), DRAWN, **again)
    assert shown(alike) == []
    few = with_batches(made_run(FALLING, worse), DRAWN, compared=3, different=1)
    assert "repeated_batches" in kd.diagnose(few).checked_fine


def test_predictors_know_repeated_rows_by_heart():
    record = without_validation(val_loss=NEVER)
    with_batches(record, DRAWN, compared=9, different=1)
    assert "unrepresentative_validation" in kd.diagnose(record).skipped


@pytest.mark.parametrize(
    ("share", "loss", "rows", "named"),
    [
        (0.5, "mse", 100, True),
        (0.49, "mse", 100, False),
        (0.9, "mse", 90, False),
        (0.9, "sparse_categorical_crossentropy", 100, False),
    ],
)
def test_targets_that_no_training_row_had(share, loss, rows, named):
    values = {"kind": "continuous"} if loss == "mse" else {}
    record = made_run(
        FALLING,
        validation={"targets_outside": share, "n_rows": rows},
        targets=values,
        facts={"loss": loss},
    )
    if loss == "mse":
        with edited_facts(record) as facts:
            facts["network"]["outputs"][0].update(activation=None, units=1)
    said = dict(shown(record)).get("unrepresentative_validation")
    assert said == ("warning" if named else None)


WINDOW = {"steps": 8, "earlier": 12, "alone": 0.9, "longer": 0.9, "error": 0.02}


@pytest.mark.parametrize(
    ("last", "window"), [(0.9, None), (np.nan, WINDOW), (np.nan, None), (0.2, None)]
)
def test_rows_of_a_series_are_not_to_be_shuffled(last, window):
    record = made_run(
        FALLING,
        validation={"targets_outside": 0.6, "n_rows": 100},
        targets={"kind": "continuous", "last_value": last, "window": window},
        facts={"loss": "mse"},
    )
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=1)
    finding = found(record, "unrepresentative_validation")
    advice = [remedy.code for remedy in finding.remedies]
    is_series = window is not None or last == 0.9
    assert any("shuffle" in code for code in advice) is not is_series
    assert any("predict the change" in code for code in advice)


def test_the_share_of_targets_beyond_those_of_training():
    y = np.arange(10.0)[:, None]
    other = np.array([-1.0, 3.0, 9.0, 9.5])[:, None]
    x = np.zeros((10, 2), "float32")
    facts = validation_facts(x, y, x[:4], other)
    assert facts.targets_outside == 0.5
    wide = np.hstack([other, other[:1].repeat(4, 0), other])
    facts = validation_facts(x, np.hstack([y, 0 * y, y]), x[:4], wide)
    assert facts.targets_outside == 0.5  # a column that never changed does not count
    facts = validation_facts(x, y.astype(str), x[:4], other.astype(str))
    assert np.isnan(facts.targets_outside)
