"""Any record can be judged, and alike from wherever it comes."""

import json
import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.diagnose import FAILED
from keras_dlbasic.records import (
    MEASURES,
    DataFacts,
    LayerTable,
    TrainingRecord,
    VariableInfo,
)

numbers = st.floats(width=32) | st.sampled_from([np.nan, np.inf, 0.0, -1.0, 1e30])


@st.composite
def records(draw):
    """Draw records that are wrong or partial in any way."""
    n_variables = draw(st.integers(0, 3))
    record = TrainingRecord(
        [
            VariableInfo(f"{i}/kernel", f"layer{i}", "kernel", (2, 2)[: 1 + i % 2], i)
            for i in range(n_variables)
        ],
        draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "loss": st.sampled_from(["mse", None, {"a": "mse"}, ["mse"], 3]),
                    "batch_size": st.none() | st.integers(1, 9),
                    "epochs": st.none() | st.integers(0, 9),
                    "steps_per_epoch": st.none() | st.integers(1, 3),
                    "network": st.just(
                        {"layers": [], "outputs": [], "n_trainable_weights": 0}
                    )
                    | st.none(),
                    "data": st.just({"inputs": [], "targets": []}) | st.none(),
                    "probe": st.just({"rows": 3, "baseline_loss": 1.0}) | st.none(),
                },
            )
        ),
    )
    for step in range(draw(st.integers(0, 8))):
        values = draw(
            st.lists(
                numbers,
                min_size=len(MEASURES) * n_variables,
                max_size=len(MEASURES) * n_variables,
            )
        )
        record.append_step(
            step,
            {"epoch": 0, "batch_loss": draw(numbers), "skipped": 0},
            np.array(values).reshape(len(MEASURES), n_variables),
        )
    names = draw(
        st.lists(st.sampled_from(["loss", "val_loss", "lr", "auc"]), unique=True)
    )
    for epoch in range(draw(st.integers(0, 14))):
        record.append_epoch(epoch, {name: draw(numbers) for name in names})
    if draw(st.booleans()):
        table = record.tables["probe"] = LayerTable(
            ("model",),
            (
                "loss",
                "loss_error",
                "score",
                "penalty",
                "spread",
                "commonest",
                "non_finite",
            ),
        )
        table.append(1, 0, {m: [draw(numbers)] for m in table.measures})
    return record


@given(records())
def test_no_record_is_too_odd(record):
    diagnosis = kd.diagnose(record)
    kd.diagnose(record, live=True)
    json.loads(diagnosis.to_json())
    judged = {*diagnosis.names, *diagnosis.checked_fine, *diagnosis.skipped}
    assert judged == {rule.name for rule in kd.diagnosis.all_rules()}
    assert all(reason for reason in diagnosis.skipped.values())
    assert not any(reason.startswith(FAILED) for reason in diagnosis.skipped.values())


@pytest.mark.parametrize(
    ("facts", "unknown"),
    [
        ({"network": {"layers": [3], "outputs": 7}}, "missing_nonlinearity"),
        ({"network": "a net", "data": [1, 2]}, "constant_inputs"),
        ({"probe": 5, "optimizer": 3, "signals": {"layers": None}}, "underfitting"),
        (
            {"data": {"inputs": [None], "targets": 3, "validation": 1}},
            "constant_inputs",
        ),
    ],
)
def test_facts_made_by_hand_that_cannot_be_read_are_not_known(facts, unknown):
    record = made_run(loss=np.r_[np.full(10, 1.3), np.full(10, np.nan)])
    with edited_facts(record) as known:
        known.update(facts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diagnosis = kd.diagnose(record)
        kd.diagnose(record, live=True)
    assert "non_finite_values" in diagnosis.names
    assert re.search("not known|not run|could not", diagnosis.skipped[unknown])
    assert str(diagnosis)


def test_a_record_made_by_hand_costs_the_checks_that_it_breaks():
    record = made_run(**STUCK)
    table = record.tables["curvature"] = LayerTable(("model",), ("mine",))
    table.append(0, 0, {"mine": [1.0]})
    record.note(data=DataFacts(inputs=(None,)))
    with pytest.warns(UserWarning, match="was skipped: the record is not as"):
        diagnosis = kd.diagnose(record)
    broken = {n for n, why in diagnosis.skipped.items() if why.startswith(FAILED)}
    assert {"plateau", "constant_inputs"} <= broken
    assert "underfitting" in diagnosis.names
    assert str(diagnosis)
    kd.diagnose(record, live=True)


def test_a_threshold_is_a_number_where_its_default_is_one():
    with pytest.raises(TypeError, match=r"\['most'\].* must be a number.*'0.9'"):
        kd.diagnose(made_run(), thresholds={"dead_units": {"most": "0.9"}})


def test_thresholds_are_those_of_the_rule():
    with pytest.raises(ValueError, match=r"dead_units.*most.*Received: \['least'\]"):
        kd.diagnose(TrainingRecord(), thresholds={"dead_units": {"least": 1}})


def test_an_empty_record_is_skipped_all_through():
    diagnosis = kd.diagnose(TrainingRecord())
    assert len(diagnosis) == 0
    assert "no losses and no gradients" in diagnosis.skipped["non_finite_values"]


def test_saved_records_give_the_same_verdict(tmp_path):
    for record in (made_run(), made_run(dead=1.0, ratio=0.5, **STUCK)):
        record.save(tmp_path / "run.npz")
        again = TrainingRecord.load(tmp_path / "run.npz")
        assert kd.diagnose(again) == kd.diagnose(record)


def test_a_table_of_another_framework(tmp_path):
    t = np.arange(40)
    rows = [
        f"{i},{a:.5f},{b:.5f}"
        for i, a, b in zip(
            t,
            np.exp(-t / 8),
            0.4 + np.exp(-t / 3) + 0.03 * np.maximum(0, t - 15),
            strict=True,
        )
    ]
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss\n" + "\n".join(rows))
    diagnosis = kd.diagnose(TrainingRecord.from_csv(path))
    assert diagnosis[0].name == "overfitting"
    assert "x=" in diagnosis.skipped["plateau"]


def test_one_epoch():
    diagnosis = kd.diagnose(TrainingRecord.from_history({"loss": [0.3]}))
    assert not diagnosis
    assert not diagnosis.is_judged  # it is no curve
    assert "11 epochs" in diagnosis.skipped["oscillating_loss"]


def test_a_loss_that_never_changes_needs_no_targets():
    record = TrainingRecord.from_history({"loss": [0.667] * 9, "accuracy": [0.5] * 9})
    assert kd.diagnose(record).names == ("plateau",)


def test_a_flat_loss_may_have_converged():
    losses = 0.2 + 0.001 * np.random.default_rng(0).normal(size=30)
    assert kd.diagnose(TrainingRecord.from_history({"loss": list(losses)})).is_healthy


def test_while_a_run_goes_on_its_end_is_not_judged():
    diagnosis = kd.diagnose(made_run(**STUCK), live=True)
    assert diagnosis.is_healthy
    assert "over" in diagnosis.skipped["plateau"]


def test_only_records():
    with pytest.raises(TypeError, match="from_history"):
        kd.diagnose({"loss": [1.0]})


def test_the_sequence():
    diagnosis = kd.diagnose(made_run(dead=1.0, ratio=0.5, **STUCK))
    assert diagnosis.worst == "critical"
    assert not diagnosis.is_healthy
    assert diagnosis[0] in diagnosis.causes
    assert set(diagnosis.causes) | set(diagnosis.symptoms) == set(diagnosis)
    assert "learning_rate_too_high" in repr(diagnosis)
    assert "so CRITICAL dead_units" in str(diagnosis)
    with pytest.raises(ValueError, match="severity"):
        diagnosis.at_least("bad")
