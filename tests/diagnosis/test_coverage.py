"""The headline says how much could be judged, and is the same wherever it is shown."""

import json

import numpy as np
import pytest
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.command_line import main
from keras_dlbasic.diagnosis import Coverage, Diagnosis, all_rules
from keras_dlbasic.diagnosis.areas import AREAS
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.reports.html import html_text
from keras_dlbasic.reports.terminal import diagnosis_text


def own_loss(**given):
    """A run under a loss of your own: nothing tells what predictions are worth."""
    record = made_run(end_loss=np.nan, skill=np.nan, **given)
    with edited_facts(record) as facts:
        facts.update(loss=None, probe={"rows": 256})
        facts["network"]["outputs"][0]["activation"] = None
    return record


def curves(loss=(0.7, 0.5, 0.4)):
    return TrainingRecord.from_history({"loss": list(loss)})


def test_a_run_that_was_judged():
    diagnosis = kd.diagnose(made_run())
    coverage = diagnosis.coverage
    assert coverage.is_complete
    assert coverage.missing == {}
    assert coverage.n_checks == len(all_rules())
    assert coverage.n_ran == len(all_rules()) - len(diagnosis.skipped)
    assert diagnosis.headline.startswith("Nothing wrong was found. ")
    assert diagnosis.is_judged
    assert diagnosis.is_healthy


def test_a_run_that_could_not_be_judged_is_not_called_healthy():
    diagnosis = kd.diagnose(own_loss())
    assert not diagnosis.at_least("warning")
    assert not diagnosis.is_judged
    assert not diagnosis.is_healthy
    assert "Nothing wrong" not in diagnosis.headline
    assert "could run; the model could not be judged because" in diagnosis.headline
    assert "the loss is not known" in diagnosis.headline
    assert AREAS["predictions"] in diagnosis.coverage.missing
    assert AREAS["updates"] not in diagnosis.coverage.missing


def test_curves_alone_are_judged_by_what_they_have():
    diagnosis = kd.diagnose(curves())
    assert diagnosis.coverage.curves_only
    assert not diagnosis.coverage.is_complete
    assert diagnosis.is_healthy
    assert "Nothing wrong was found" not in diagnosis.headline
    assert diagnosis.headline.startswith("Nothing wrong shows in the curves. ")


def test_nothing_at_all():
    for diagnosis in (kd.diagnose(TrainingRecord()), Diagnosis()):
        assert not diagnosis.is_judged
        assert not diagnosis.is_healthy
        assert diagnosis.headline.startswith("0 of")


def test_findings_and_what_could_not_be_judged_are_both_said():
    diagnosis = kd.diagnose(own_loss(loss=np.linspace(1, 50, 20)))
    assert diagnosis.headline.startswith(diagnosis[0].message)
    assert "could not be judged because" in diagnosis.headline
    complete = kd.diagnose(made_run(dead=1.0, ratio=0.5, **STUCK))
    assert "checks" not in complete.headline


def test_while_a_run_goes_on_what_comes_later_is_not_missing():
    diagnosis = kd.diagnose(made_run(), live=True)
    assert diagnosis.coverage.n_pending > 5
    assert diagnosis.is_judged
    assert diagnosis.headline.startswith("Nothing wrong so far. ")
    assert "follow at the end" in diagnosis.headline


def test_an_area_is_missing_if_none_of_its_checks_ran():
    decides = {"a": "loss", "b": "loss", "c": "data"}
    some = Coverage.of(decides, ["a", "c"], {"b": "no b"})
    assert some.is_judged
    none = Coverage.of(decides, ["c"], {"a": "no a\nTraceback", "b": "no b"})
    assert none.missing == {AREAS["loss"]: "no a"}
    assert none.text == (
        "1 of 3 checks could run; what the training loss does could not be judged "
        "because no a."
    )


def test_it_is_the_same_from_a_file_and_from_json(tmp_path):
    for record in (made_run(), own_loss(), curves(), made_run(**STUCK)):
        diagnosis = kd.diagnose(record)
        again = Diagnosis.from_dict(json.loads(diagnosis.to_json()))
        assert again == diagnosis
        assert again.headline == diagnosis.headline
        record.save(tmp_path / "run.npz")
        loaded = TrainingRecord.load(tmp_path / "run.npz")
        assert kd.diagnose(loaded).headline == diagnosis.headline


def test_json_of_earlier_versions_has_no_coverage():
    entry = kd.diagnose(made_run()).to_dict()
    del entry["coverage"], entry["headline"]
    assert Diagnosis.from_dict(entry).is_healthy


@pytest.mark.parametrize("make", [made_run, own_loss, curves])
def test_all_that_shows_it_shows_the_same(make, tmp_path, capsys):
    record = make()
    diagnosis = kd.diagnose(record)
    record.save(tmp_path / "run.npz")
    main(["diagnose", str(tmp_path / "run.npz")])
    shown = {
        "print": str(diagnosis),
        "terminal": diagnosis_text(diagnosis),
        "command": capsys.readouterr().out,
        "page": html_text(diagnosis).replace("&#39;", "'"),
        "json": diagnosis.to_dict()["headline"],
    }
    for where, text in shown.items():
        assert diagnosis.headline in " ".join(text.split()), where
    said = diagnosis.coverage.text.partition(" because")[0]
    assert said in repr(diagnosis)  # which is short
    assert diagnosis.coverage.text in diagnosis._repr_html_()


def test_what_was_found_is_shown_with_what_could_not_be_judged():
    diagnosis = kd.diagnose(own_loss(loss=np.linspace(1, 50, 20)))
    for text in (str(diagnosis), diagnosis_text(diagnosis), html_text(diagnosis)):
        assert diagnosis.coverage.text in " ".join(text.split())
