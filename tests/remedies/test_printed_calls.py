"""Advice that rules give runs exactly as it is printed."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import RemedySuggestion, Run, suggest
from keras_dlbasic.diagnosis.advice import IN_PLACE, REBUILDING, advice
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.run_facts import loss_config
from keras_dlbasic.records import TrainingRecord

pytestmark = pytest.mark.once  # remedies as such are tested on all

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 6, 6, 1)).astype("float32")
Y = (X.mean(axis=(1, 2)) > 0).astype("float32")

WHY = "because"
SUGGESTIONS = {
    "lower_learning_rate": [suggest.lower_learning_rate(WHY)],
    "raise_learning_rate": [suggest.raise_learning_rate(WHY)],
    "learning_rate": [suggest.learning_rate(WHY, 0.01)],
    "range_test": [suggest.range_test(WHY)],
    "gradient_clipping": [suggest.gradient_clipping(WHY)],
    "optimizer": [suggest.optimizer(WHY)],
    "activations": [
        suggest.activations(WHY, "leaky_relu"),
        suggest.activations(WHY, linear_too=True),
        suggest.activations(WHY, initialize=True),
    ],
    "new_weights": [
        suggest.new_weights(WHY),
        suggest.new_weights(WHY, zero_biases=True),
    ],
    "normalization": [
        suggest.normalization(WHY),
        suggest.normalization(WHY, "layer"),
    ],
    "output": [
        suggest.output(WHY, "sigmoid", "binary_crossentropy"),
        suggest.output(WHY, "tanh", None),
        suggest.output(WHY, "linear", None),
        suggest.output(WHY, None, "mae"),
        suggest.output(WHY, "softmax", "sparse_categorical_crossentropy", units=2),
    ],
    "scaled_inputs": [suggest.scaled_inputs(WHY)],
    "scaled_targets": [suggest.scaled_targets(WHY)],
    "batch_size": [suggest.batch_size(WHY, 8)],
    "more_epochs": [
        suggest.more_epochs(WHY, epochs=1),
        suggest.more_epochs(WHY, 1.5),
    ],
    "early_stopping": [suggest.early_stopping(WHY)],
    "penalty": [suggest.penalty(WHY)],
    "momentum": [suggest.momentum(WHY, 0.9)],
    "no_penalty": [suggest.no_penalty(WHY)],
    "dropout": [suggest.dropout(WHY, 0.3)],
    "less_dropout": [suggest.less_dropout(WHY)],
    "augmentation": [suggest.augmentation(WHY)],
    "smaller_model": [suggest.smaller_model(WHY)],
    "larger_model": [suggest.larger_model(WHY)],
}
ALL = [suggestion for several in SUGGESTIONS.values() for suggestion in several]
ANY_MODEL = {"change_batch_size", "train_longer", "stop_early"}
"""Remedies that leave the model as it is."""


# models that suggestions leave or change as they do the others
ALIKE = pytest.mark.everywhere


def parts():
    hidden = L.Dense(6, "sigmoid", kernel_regularizer=kd.regularizers.L2(1e-3))
    return [L.Flatten(), hidden, L.Dropout(0.5), L.Dense(1)]


def sequential():
    return keras.Sequential([keras.Input(X.shape[1:]), *parts()])


def functional():
    inputs = outputs = keras.Input(X.shape[1:])
    for layer in parts():
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


class Subclassed(keras.Model):
    def __init__(self, width=6):  # without `get_config`, as most of them are
        super().__init__()
        self.flat, self.hidden, self.drop, self.out = parts()

    def call(self, inputs, training=None):
        hidden = self.drop(self.hidden(self.flat(inputs)), training=training)
        return self.out(hidden)


class OwnStep(keras.Model):
    def train_step(self, *args, **kwargs):
        return super().train_step(*args, **kwargs)


def own_step():
    base = functional()
    return OwnStep(base.input, base.output)


class OwnLayer(L.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = L.Dense(units, "relu")

    def build(self, shape):
        self.dense.build(shape)

    def call(self, inputs):
        return self.dense(inputs)


def own_layer():
    parts = [L.Flatten(), OwnLayer(4), L.Dense(1)]
    return keras.Sequential([keras.Input(X.shape[1:]), *parts])


def residual():
    inputs = keras.Input(X.shape[1:])
    hidden = L.Flatten()(inputs)
    inner = L.LayerNormalization()(L.Dense(12, "gelu")(hidden))
    hidden = hidden + L.Dense(36)(inner)
    return keras.Model(inputs, L.Dense(1)(hidden))


def linear():
    return keras.Sequential([keras.Input(X.shape[1:]), L.Flatten(), L.Dense(1)])


def size(y_true, y_pred):
    """A metric that Keras does not know by its name."""
    return keras.ops.mean(keras.ops.abs(y_true - y_pred))


def compiled(build):
    keras.utils.set_random_seed(0)
    model = build()
    model(X[:2])
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
    return model


def followed(suggestion, model):
    """Run the printed call where users have what it names; return their model."""
    scope = {"keras": keras, "kd": kd, "model": model, "x": X, "y": Y}
    exec(suggestion.call, scope)
    return scope["model"]


def test_there_is_an_example_of_each_suggestion():
    functions = dict(inspect.getmembers(suggest, inspect.isfunction))
    assert set(SUGGESTIONS) == set(functions) - {"by_hand", "check_rows"}
    assert not set(functions) & set(REMEDIES)  # they do something else


def test_rules_suggest_nothing_but_these():
    folder = Path(suggest.__file__).parent
    for path in (*(folder / "rules").glob("*.py"), folder / "inactive_units.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                assert "RemedySuggestion" not in ast.unparse(node.func), path


@pytest.mark.parametrize("suggestion", ALL, ids=lambda s: s.call)
def test_it_names_a_remedy_and_its_arguments(suggestion):
    suggestion.check()
    spec = REMEDIES[suggestion.name]
    assert suggestion.to_dict()["needs"] == [n for n in spec.needs if n in ("x", "y")]


@pytest.mark.parametrize("build", [sequential, pytest.param(functional, marks=ALIKE)])
@pytest.mark.parametrize("suggestion", ALL, ids=lambda s: s.call)
def test_it_runs_as_printed(suggestion, build):
    model = followed(suggestion, compiled(build))
    assert model.compiled
    history = model.fit(X, Y, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def suited(model, suggestion):
    """Return the suggestion as a diagnosis of a run of the model gives it."""
    record = TrainingRecord.from_history({"loss": [1.0, 0.9]})
    record.note(
        model=network_facts(model, X), data=data_facts(X, Y), loss=loss_config("mse")
    )
    found = list(advice(Run(record), [suggestion]))
    return found[0] if found else None


@pytest.mark.parametrize("suggestion", ALL, ids=lambda s: s.call)
def test_on_a_subclassed_model_it_runs_or_is_by_hand(suggestion):
    model = compiled(Subclassed)
    given = suited(model, suggestion)
    if given is None:  # it is so already
        assert suggestion.kwargs == {"activation": "linear"}
        return
    if given.name is None:
        assert suggestion.name in REBUILDING
        assert (given.call, given.title) == ("", suggestion.code)
        return
    assert given.name in {*IN_PLACE, *ANY_MODEL}
    assert followed(given, model) is model
    assert np.isfinite(model.fit(X, Y, epochs=1, verbose=0).history["loss"]).all()


@pytest.mark.parametrize(
    ("suggestion", "build"),
    [
        # a range test trains for long, and does not look at layers
        pytest.param(
            suggestion,
            build,
            marks=[ALIKE] * ("RangeTest" in suggestion.call),
            id=f"{suggestion.call}-{build.__name__}",
        )
        for suggestion in ALL
        for build in (own_step, own_layer, residual, linear)
    ],
)
def test_on_other_models_it_runs_or_is_by_hand(suggestion, build):
    model = compiled(build)
    model.compile(optimizer="sgd", loss="mse", metrics=[size])
    given = suited(model, suggestion)
    if given is not None and given.name is not None:
        model = followed(given, model)
        assert np.isfinite(model.fit(X, Y, epochs=1, verbose=0).history["loss"]).all()


def test_each_remedy_of_a_model_is_known_to_rebuild_or_to_work_in_place():
    """A saved record gets the same advice where there is no Keras to ask."""
    suggested = {s.name for s in ALL}
    for name in suggested:
        spec = REMEDIES[name]
        if spec.takes("in_place"):
            assert name in IN_PLACE
        elif spec.fit_call is None:
            assert name in REBUILDING
    assert {*IN_PLACE, *REBUILDING, *ANY_MODEL} == suggested


def test_without_keras_the_same_is_printed():
    code = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'keras' else find(n, *a)\n"
        "from keras_dlbasic.diagnosis import suggest\n"
        "print(suggest.scaled_inputs('').call, suggest.scaled_targets('').call)\n"
        "print('keras' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    calls = (suggest.scaled_inputs("").call, suggest.scaled_targets("").call)
    assert found.stdout.splitlines() == [" ".join(calls), "False"], found.stderr
    assert RemedySuggestion("scale_inputs", "").call == calls[0]


@pytest.mark.parametrize("in_place", [False, True])
def test_a_range_test_that_finds_no_rate_leaves_the_model(in_place, monkeypatch):
    class Nothing:
        suggestion = None

        def run(self):
            return self

    monkeypatch.setattr(kd.studies, "LearningRateRangeTest", lambda *args: Nothing())
    kwargs = {"in_place": True} if in_place else {}
    suggestion = RemedySuggestion("find_learning_rate", WHY, kwargs=kwargs)
    model = compiled(sequential)
    assert followed(suggestion, model) is model
