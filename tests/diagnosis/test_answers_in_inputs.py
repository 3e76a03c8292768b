"""Inputs of sequences that are the targets, and batches that predictions depend on."""

import numpy as np
import pytest
from made_runs import edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.inspection.next_step_of import next_step_of
from keras_dlbasic.inspection.same_step_of import same_step_of
from keras_dlbasic.inspection.target_column import target_column

SOURCE, TARGET = np.random.default_rng(0).integers(1, 9, (2, 40, 6))
SHIFTED = np.concatenate([np.zeros((40, 1), int), TARGET[:, :-1]], axis=1)


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({"source": SOURCE, "decoder": TARGET}, "decoder"),
        ({"source": SOURCE, "decoder": SHIFTED}, None),
        ({"source": TARGET, "decoder": SHIFTED}, None),  # an autoencoder
        ({"source": TARGET}, None),  # another one
        ({"ids": TARGET, "mask": (TARGET > 3).astype(int)}, None),  # another one
        ({"ids": TARGET, "places": np.tile(np.arange(6), (40, 1))}, None),
        ({"ratings": TARGET, "user": np.arange(40)[:, None]}, None),  # another one
        ({"source": SOURCE, "decoder": TARGET[:, :5]}, None),
    ],
)
def test_a_decoder_that_is_given_the_answer(inputs, name):
    assert same_step_of(TARGET, list(inputs.items())) == name
    assert same_step_of(TARGET[..., None] + 0.5, list(inputs.items())) is None


def test_it_is_a_warning_even_if_all_is_well():
    record = made_run()
    assert "target_leakage" not in kd.diagnose(record).names
    with edited_facts(record) as facts:
        facts["data"]["targets"][0]["same_step_of"] = "decoder"
        facts["network"]["outputs"][0]["rank"] = 3
    (finding,) = kd.diagnose(record).at_least("warning")
    assert finding.name == "target_leakage"
    assert "'decoder' is the target itself" in finding.message


@pytest.mark.parametrize(
    ("layer", "change", "severity"),
    [
        ("norm", 0.05, "warning"),
        ("norm", 0.001, None),
        (None, 0.1, "warning"),
        (None, 0.09, None),
    ],
)
def test_statistics_of_the_batch_in_prediction(layer, change, severity):
    record = made_run()
    with edited_facts(record) as facts:
        facts["probe"]["response"] = {
            "noise": 0.0,
            "other_rows": change,
            "normalizing": layer,
        }
    found = {f.name: f for f in kd.diagnose(record)}
    finding = found.get("rows_mixed")
    assert (finding and finding.severity) == severity
    if finding is not None:
        assert ("`training=True`" in finding.message) is (layer is not None)


def test_a_window_that_ends_with_its_target():
    windows = np.random.default_rng(0).normal(size=(200, 8, 2)).astype("float32")
    assert target_column(windows, windows[:, -1, 0]) == 14
    assert target_column(windows, windows[:, -1, 0] + windows[:, 0, 0]) is None
    assert target_column(windows, (windows[:, -1, 0] > 0).astype(int)) is None
    record = made_run()
    with edited_facts(record) as facts:
        facts["data"]["inputs"][0].update(shape=[200, 8, 2], target_column=14)
    (finding,) = kd.diagnose(record).at_least("warning")
    assert "Step 7 (of 0 to 7), feature 0" in finding.message


def test_steps_that_agree_in_part():
    rng = np.random.default_rng(1)
    words, source = rng.integers(1, 9, (40, 7)), rng.integers(1, 9, (40, 6))
    assert next_step_of(words[:, 1:], [("t", words[:, :-1])]) == "t"
    part = np.where(rng.random((40, 6)) < 0.8, words[:, 1:], 0)
    assert next_step_of(part, [("t", words[:, :-1])]) is None
    some = np.where(rng.random((40, 6)) < 0.8, source, 0)
    assert same_step_of(source, [("a", words[:, 1:]), ("b", some)]) is None
    flat = np.repeat(rng.integers(1, 9, (40, 1)), 6, 1)
    assert same_step_of(flat, [("a", source), ("b", flat)]) is None
    assert next_step_of(flat, [("b", flat)]) is None


def test_padding_says_nothing_of_the_next_step():
    rng = np.random.default_rng(1)
    given, other = rng.integers(1, 9, (2, 40, 7))
    given[:, 3:] = other[:, 3:] = 0
    assert next_step_of(other[:, 1:], [("t", given[:, :-1])]) is None


def test_an_answer_in_an_input_counts_where_each_step_is_predicted():
    record = made_run()
    with edited_facts(record) as facts:
        facts["data"]["targets"][0]["same_step_of"] = "decoder"
    assert "target_leakage" not in kd.diagnose(record).names
