"""Facts: types in memory, the same plain JSON in files as ever."""

import json
import math
import pickle
import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.diagnose import diagnose_plan
from keras_dlbasic.records import (
    DataFacts,
    LayerFacts,
    ModelFacts,
    OutputFacts,
    ProbeFacts,
    RunFacts,
    TargetFacts,
    TrainingRecord,
    ValidationFacts,
)

OLD = sorted((Path(__file__).parent / "old_facts").glob("*.json"))
"""What older versions wrote, and what they said of it."""


def old(path):
    entry = json.loads(path.read_text())
    return entry["facts"], entry["said"]


def missing(part, whole, at=""):
    """Return what is in `part` and is another or none in `whole`; null is nothing."""
    if isinstance(part, dict):
        return [
            lost
            for name, value in part.items()
            for lost in missing(value, whole.get(name), f"{at}/{name}")
            if value is not None
        ]
    if isinstance(part, list) and part and isinstance(part[0], dict):
        pairs = zip(part, whole, strict=True)
        return [lost for a, b in pairs for lost in missing(a, b, f"{at}[]")]
    return [] if part == whole else [(at, part, whole)]


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_old_facts_lose_nothing_and_mean_the_same(path):
    written, said = old(path)
    facts = RunFacts.from_dict(written)
    assert missing(written, facts.to_dict()) == []
    assert RunFacts.from_dict(json.loads(json.dumps(facts.to_dict()))) == facts
    diagnosis = diagnose_plan(TrainingRecord(facts=written))
    assert [finding.message for finding in diagnosis] == said["findings"]
    known = {*said["fine"], *said["skipped"]}  # checks that came later add theirs
    for now, then in (("checked_fine", "fine"), ("skipped", "skipped")):
        verdicts = getattr(diagnosis, now)
        assert {n: verdicts[n] for n in verdicts if n in known} == said[then]


def test_old_files_are_of_both_kinds():
    assert len(OLD) == 3
    facts = RunFacts.from_dict(old(OLD[0])[0])
    assert facts.layers[0].label
    assert facts.targets[0].kind == "whole_numbers"
    assert facts.signals.backward.kind
    assert facts.curvature.verdicts
    assert facts.extra == {"of_a_later_version": {"new": [1, 2]}}


def test_what_misses_is_not_known():
    facts = RunFacts.from_dict({})
    assert facts.is_empty
    assert facts.to_dict() == {}
    assert (facts.layers, facts.outputs, facts.targets) == ((), (), ())
    layer, target = LayerFacts("dense"), TargetFacts()
    assert not layer.has_kernel
    assert math.isnan(target.max)
    assert not target.max > 3
    assert target.kind is None


def test_what_is_not_known_is_not_written():
    assert ProbeFacts(rows=3).to_dict() == {"rows": 3}
    assert "gain" not in LayerFacts("dense").to_dict()
    assert "overlap" not in ValidationFacts(n_rows=2).to_dict()
    # that an output has no activation is known, and another thing than not to know it
    assert OutputFacts(activation=None).to_dict() == {"activation": None}
    assert OutputFacts.from_dict({"activation": None}).activation is None
    assert OutputFacts.from_dict({}).activation == "unknown"


def test_names_of_files_and_of_fields():
    facts = RunFacts.from_dict({"model": "net", "network": {"n_weights": 3}})
    assert (facts.model_name, facts.model.n_weights) == ("net", 3)
    assert facts["model"] == "net"
    assert facts["network"]["n_weights"] == 3
    assert "backend" not in facts
    assert facts.get("backend", "none") == "none"
    with pytest.raises(KeyError):
        facts["backend"]


def test_unknown_names_are_kept_at_every_depth():
    written = {
        "later": [1],
        "data": {"later": 2, "targets": [{"kind": "binary", "later": {"a": None}}]},
    }
    facts = RunFacts.from_dict(written)
    assert facts.data.targets[0].kind == "binary"
    assert missing(written, facts.to_dict()) == []
    assert facts.to_dict()["data"]["targets"][0]["later"] == {"a": None}


@pytest.mark.parametrize(
    "written",
    [
        {"epochs": "many"},
        {"epochs": True},
        {"batch_size": math.nan},
        {"network": 3},
        {"network": {"layers": [3]}},
        {"data": {"inputs": [{"shape": "wide"}]}},
        {"optimizer": 3, "versions": ["3"], "probe": {"references": {"a": "b"}}},
    ],
)
def test_another_form_than_expected_is_not_known(written):
    facts = RunFacts.from_dict(written)
    assert facts.epochs is facts.batch_size is facts.model is facts.data is None
    assert facts.optimizer is facts.versions is None
    assert facts.probe is None or facts.probe.references is None


def test_a_part_that_cannot_be_read_says_why():
    with pytest.raises(ValueError, match=r"ModelFacts\.layers: .*Received: 3"):
        ModelFacts.from_dict({"layers": [3]})


def test_whole_numbers_stay_whole():
    facts = DataFacts.from_dict({"n_rows": 3.0, "targets": [{"min": 0, "max": 2}]})
    assert type(facts.n_rows) is int
    assert type(facts.targets[0].max) is float


def test_facts_cannot_be_changed_but_added_to():
    record = TrainingRecord(facts={"epochs": 3})
    before = record.facts
    with pytest.raises(FrozenInstanceError):
        record.facts.epochs = 4
    record.note(batch_size=8)
    assert (record.facts.epochs, record.facts.batch_size) == (3, 8)
    assert before.batch_size is None
    assert pickle.loads(pickle.dumps(record.facts)) == record.facts


def test_a_file_gives_back_the_same_facts(tmp_path):
    facts = RunFacts.from_dict(old(OLD[0])[0])
    TrainingRecord(facts=facts).save(tmp_path / "run.npz")
    assert TrainingRecord.load(tmp_path / "run.npz").facts == facts
    with np.load(tmp_path / "run.npz") as file:
        assert json.loads(str(file["about"]))["facts"] == facts.to_dict()


def test_only_one_place_reads_facts_by_key():
    package = Path(kd.__file__).parent
    by_key = re.compile(r"facts(\[[\"']|\.get\()|\bfact\([\"']")
    docstring = re.compile(r'""".*?"""', re.DOTALL)
    found = [
        str(path)
        for path in package.rglob("*.py")
        if by_key.search(docstring.sub("", path.read_text("utf-8")))
    ]
    assert found == []


def test_optimizers_within_others():
    inner = {"class_name": "Adam", "config": {"learning_rate": 0.1}}
    outer = {"class_name": "LossScaleOptimizer", "inner_optimizer": inner}
    facts = RunFacts(optimizer=outer)
    assert facts.optimizer_name == "LossScaleOptimizer"
    assert facts.inner_optimizer_name == "Adam"
    assert RunFacts().inner_optimizer_name == RunFacts().optimizer_name == ""


@pytest.mark.parametrize(
    ("name", "kind", "looks_up", "known_kind"),
    [
        ("Embedding", "embedding", True, "embedding"),
        ("Words", "embedding", True, "embedding"),
        ("Embedding", None, True, "embedding"),
        ("PositionEmbedding", "custom", True, "custom"),
        ("LinearEmbedding", "dense", False, "dense"),
        ("PReLU", None, False, "activation"),
        ("Dense", None, False, None),
    ],
)
def test_kinds_come_before_names_of_classes(name, kind, looks_up, known_kind):
    layer = LayerFacts("layer", name, kind)
    assert layer.looks_up == looks_up
    assert layer.known_kind == known_kind
    assert not layer.takes_maximum
    assert LayerFacts("pooling", "GlobalMaxPooling1D", kind).takes_maximum
