"""Inputs of sequences that are the targets, and batches that predictions depend on."""

import numpy as np
import pytest
from made_runs import edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.inspection.next_step_of import same_step_of

SOURCE, TARGET = np.random.default_rng(0).integers(1, 9, (2, 40, 6))
SHIFTED = np.concatenate([np.zeros((40, 1), int), TARGET[:, :-1]], axis=1)


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({"source": SOURCE, "decoder": TARGET}, "decoder"),
        ({"source": SOURCE, "decoder": SHIFTED}, None),
        ({"source": TARGET, "decoder": SHIFTED}, None),  # an autoencoder
        ({"source": TARGET}, None),  # another one
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
    (finding,) = kd.diagnose(record).at_least("warning")
    assert finding.name == "target_leakage"
    assert "'decoder' is the target itself" in finding.message


@pytest.mark.parametrize(
    ("normalizes", "change", "severity"),
    [(True, 0.4, "warning"), (True, 0.001, None), (False, 0.4, None)],
)
def test_statistics_of_the_batch_in_prediction(normalizes, change, severity):
    record = made_run(second={"batch_normalizes": normalizes})
    with edited_facts(record) as facts:
        facts["probe"]["response"] = {"noise": 0.0, "other_rows": change}
    found = {f.name: f for f in kd.diagnose(record)}
    finding = found.get("rows_mixed")
    assert (finding and finding.severity) == severity
    if finding is not None:
        assert "`training=True`" in finding.message
