"""Advice that fits data in batches."""

import ast
import re
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import RemedySuggestion, Run, suggest
from keras_dlbasic.diagnosis.advice import advice
from keras_dlbasic.diagnosis.batch_advice import BY_HAND
from keras_dlbasic.diagnosis.rules.unknown_cause import CHECK_ROWS, ONE_BATCH, SHUFFLED

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X[:, 0]
WHY = "because"


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, place):
        rows = slice(16 * place, 16 * place + 16)
        return X[rows], Y[rows]


def generator():
    while True:
        yield X[:16], Y[:16]


def compiled():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


FORMS = {
    "arrays": lambda: (X, Y),
    "data_set": lambda: (Batches(), None),
    "generator": lambda: (generator(), None),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_doctor_knows_what_fit_was_given(form):
    x, y = FORMS[form]()
    doctor = kd.callbacks.TrainingDoctor(verbose=0)
    fit = {"steps_per_epoch": 2, "epochs": 1, "verbose": 0, "callbacks": [doctor]}
    fit["shuffle"] = False
    compiled().fit(x, y, **fit)
    assert doctor.record.facts.data_form == form


def advised(suggestion, form):
    record = made_run(facts={"data_form": form, "steps_per_epoch": 2})
    (found,) = advice(Run(record), [suggestion])
    assert RemedySuggestion.from_dict(found.to_dict()) == found
    assert RemedySuggestion.from_dict(found.to_dict()).call == found.call
    return found


@pytest.mark.parametrize("form", [None, "arrays"])
def test_of_arrays_it_stays(form):
    for suggestion in (suggest.range_test(WHY), suggest.batch_size(WHY, 8), ONE_BATCH):
        assert advised(suggestion, form).call == suggestion.call


@pytest.mark.parametrize("form", ["data_set", "generator"])
@pytest.mark.parametrize(
    "suggestion",
    [
        suggest.range_test(WHY),
        suggest.scaled_inputs(WHY),
        suggest.more_epochs(WHY, epochs=1),
        suggest.more_epochs(WHY),
        suggest.new_weights(WHY),
    ],
    ids=lambda suggestion: suggestion.name,
)
def test_printed_code_runs_with_what_was_given(form, suggestion):
    scope = {"kd": kd, "keras": keras, "model": compiled()}
    scope["data"] = FORMS[form]()[0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`shuffle=True` was passed")  # of Keras
        exec(advised(suggestion, form).call, scope)
    kept = {"kd": kd, "keras": keras, "data": scope["data"]}
    assert {**scope, **kept} == scope  # it overwrites nothing that was given
    assert isinstance(scope["model"], keras.Model)


def test_what_cannot_be_changed_from_outside_is_done_in_the_data():
    found = advised(suggest.batch_size(WHY, 8), "data_set")
    assert (found.name, found.call) == ("change_batch_size", "")
    assert found.title == "make batches of 8 rows where the data are made"
    by_hand = [advised(s, "generator") for s in (ONE_BATCH, CHECK_ROWS, SHUFFLED)]
    for one in (*by_hand, advised(suggest.scaled_targets(WHY), "data_set")):
        assert one.call == ""
    scope = {"model": compiled(), "data": Batches()}
    exec(by_hand[0].code.replace("300", "1, verbose=0"), scope)
    assert not any("y[" in one.code or "`y`" in one.code for one in by_hand)


def by_hand_codes():
    """Return what the sources suggest to do by hand, as far as it is a constant."""
    folder = Path(kd.diagnosis.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            if name == "by_hand" and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def test_rows_of_arrays_have_a_counterpart_in_batches():
    codes = set(by_hand_codes())
    assert len(codes) > 50
    indexed = {code for code in codes if re.search(r"\b[xy]\[", code)}
    assert indexed
    assert indexed <= set(BY_HAND)
    assert set(BY_HAND) <= codes  # none is out of date
    assert not any(re.search(r"\b[xy]\[", code) for code in BY_HAND.values())
