"""Attention that selects single entries before anything was learned."""

import pytest
from made_runs import STUCK, edited_facts, found, made_run

START = {
    "layer": "look",
    "entries": 12.0,
    "spread": 6.0,
    "decided": 0.4,
    "is_new": True,
    "is_attention": True,
}
PART = {"skill": 0.5, "reference": 0.3}


def attending(record, end=0.9, **start):
    with edited_facts(record) as facts:
        facts["probe"]["attention_at_start"] = [{**START, **start}]
        facts["probe"]["attention_at_end"] = [{**START, "decided": end}]
    return record


@pytest.mark.parametrize(
    ("run", "start", "end", "severity"),
    [
        (PART, {}, 0.9, "warning"),
        (STUCK, {}, 0.9, "critical"),
        ({}, {}, 0.9, "info"),  # it has learned all the same
        (PART, {}, 0.7, None),  # training has undone it
        (PART, {"decided": 0.29}, 0.9, None),
        (PART, {"spread": 3.9}, 0.9, None),
        (PART, {"is_new": False}, 0.9, None),  # pretrained
    ],
)
def test_saturated_from_the_start(run, start, end, severity):
    finding = found(attending(made_run(**run), end, **start), "attention_saturated")
    assert (finding and finding.severity) == severity
    if finding:
        assert finding.layer == "look"
        assert "40% of the cases" in finding.message


def test_without_a_look_before_training_nothing_is_said():
    assert found(made_run(**PART), "attention_saturated") is None


def test_a_gate_with_a_low_temperature_is_a_note_without_advice():
    record = attending(made_run(**STUCK), is_attention=False)
    finding = found(record, "attention_saturated")
    assert finding.severity == "info"
    assert finding.message.startswith("The softmax")
    assert not finding.remedies


def test_no_softmax_was_seen():
    record = made_run(**PART)
    with edited_facts(record) as facts:
        facts["probe"]["attention_at_start"] = []
    assert found(record, "attention_saturated") is None
