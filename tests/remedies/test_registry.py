"""What is known of remedies: checked as they are defined, read where they are used."""

import inspect

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import RemedySuggestion
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES, RemedyRegistry
from keras_dlbasic.remedies import remedy
from keras_dlbasic.remedies.rebuild import rebuild
from keras_dlbasic.treatment.plan import NotApplicableError, Plan

PACKAGE = {
    name: spec
    for name, spec in REMEDIES.items()
    if spec.function.__module__.startswith("keras_dlbasic.remedies.")
}


@pytest.fixture(autouse=True)
def _no_remedies_left_behind(monkeypatch):
    monkeypatch.setattr(REMEDIES, "_specs", dict(REMEDIES._specs))


def function_of(code):
    scope = {"__name__": "elsewhere"}
    exec(code, scope)
    return next(value for value in scope.values() if inspect.isfunction(value))


def shift_inputs(model, x, *, by=1.0, seed=None):
    """Do nothing but note what was given."""
    shift_inputs.given = (np.shape(x), by, seed)
    return rebuild(model)


def small_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model


def test_each_function_of_the_package_is_a_remedy_and_no_other():
    public = set(kd.remedies.__all__) - {"rebuild", "remedy"}
    assert set(PACKAGE) == public
    for name, spec in PACKAGE.items():
        assert getattr(kd.remedies, name) is spec.function


def test_one_of_ones_own_works_in_a_plan_and_as_printed():
    remedy(needs=("x",), repeatable=True)(shift_inputs)
    suggestion = RemedySuggestion("shift_inputs", "why not", kwargs={"by": 2.5})
    suggestion.check()
    assert suggestion.call == "model = kd.remedies.shift_inputs(model, x, by=2.5)"

    x, model = np.ones((4, 3), "float32"), small_model()
    plan = Plan(10, 4).with_remedy("shift_inputs", {"by": 2.5}, lambda: None)
    assert plan.apply(model, x, x[:, :1], seed=7).compiled
    assert shift_inputs.given == ((4, 3), 2.5, 7)
    exec(suggestion.call, {"kd": kd, "model": model, "x": x})
    assert shift_inputs.given == ((4, 3), 2.5, None)
    assert "kd.remedies.shift_inputs(model, x, by=2.5)" in plan.code()


def test_what_is_judged_by_the_user_is_not_put_into_a_plan():
    with pytest.raises(NotApplicableError, match="'prune_units' helps is for you"):
        Plan(10, 4).with_remedy("prune_units", {}, lambda: None)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"needs": "x"}, TypeError, r"tuple of names, such as \('x',\).*needs='x'"),
        ({"needs": ("z",)}, ValueError, r"some of \('x', 'y'\). Received: \['z'\]"),
        ({"keeps_weights": 1}, TypeError, "`keeps_weights` must be True or False"),
        ({"repeatable": "no"}, TypeError, "`repeatable` must be True or False"),
        ({"judged_by": "short_trail"}, ValueError, "Did you mean 'short_trial'"),
    ],
)
def test_arguments_are_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        remedy(**arguments)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def f(model): 'Do.'", r"\(model, x\).*needs=\('x',\). Received: f\(model\)"),
        ("def f(x, model): 'Do.'", r"must begin with the parameters \(model, x\)"),
        ("def f(model, *, x): 'Do.'", r"must begin with the parameters \(model, x\)"),
        ("def f(model, x, y): 'Do.'", r"takes \['y'\], which `needs` does not name"),
        ("def f(model, x, by): 'Do.'", r"\['by'\] of the remedy 'f' need defaults"),
        ("def f(model, x): pass", "'f' has no docstring"),
        ("def scale_inputs(model, x): 'Do.'", "remedy named 'scale_inputs'"),
        ("def rebuild(model, x): 'Do.'", "`keras_dlbasic.remedies.rebuild` is"),
    ],
)
def test_the_function_is_checked(code, message):
    with pytest.raises(ValueError, match=message):
        remedy(needs=("x",))(function_of(code))


def test_brackets_are_asked_for():
    with pytest.raises(TypeError, match=r"Write `@remedy\(\)`.*with brackets"):

        @remedy
        def forgotten(model):
            """Do nothing."""

    with pytest.raises(TypeError, match="for functions that have a name"):
        remedy()(lambda model: model)


def test_a_cell_can_be_run_again_but_a_name_belongs_to_one_module():
    for _ in range(2):
        remedy()(function_of("def again(model): 'Do.'"))
    other = function_of("def again(model): 'Do.'")
    other.__module__ = "another"
    with pytest.raises(
        ValueError, match="'again' exists already, in module 'elsewhere'"
    ):
        remedy()(other)


@pytest.mark.parametrize(
    ("suggestion", "message"),
    [
        (RemedySuggestion("scale_input", ""), "Did you mean 'scale_inputs'"),
        (RemedySuggestion("nonsense", ""), "There are: 'add_dropout', "),
        (RemedySuggestion("resize", "", kwargs={"width": 2}), "width.*resize.model"),
        (RemedySuggestion("change_batch_size", ""), "batch_size"),
        (RemedySuggestion("scale_inputs", "", needs=("y",)), r"needs \('x',\)"),
    ],
)
def test_a_suggestion_that_cannot_be_followed_is_refused(suggestion, message):
    with pytest.raises(ValueError, match=message):
        suggestion.check()


def test_by_hand_there_is_nothing_to_check():
    by_hand = RemedySuggestion(None, "clean the data")
    by_hand.check()
    assert by_hand.call == ""


def test_without_keras_the_same_code_is_printed(monkeypatch):
    saved = RemedySuggestion("scale_inputs", "they are large").to_dict()
    bare = RemedyRegistry()
    for module in ("remedy_suggestion", "remedy_registry"):
        monkeypatch.setattr(f"keras_dlbasic.diagnosis.{module}.REMEDIES", bare)
    again = RemedySuggestion.from_dict(saved)
    again.check()  # cannot be told
    assert again.call == "model = kd.remedies.scale_inputs(model, x)"
    old = {key: value for key, value in saved.items() if key != "needs"}
    assert RemedySuggestion.from_dict(old).name == "scale_inputs"


@pytest.mark.parametrize("name", PACKAGE)
def test_weights_are_kept_where_it_says_so(name):
    hidden = keras.layers.Dense(4, "sigmoid", kernel_regularizer="l2")
    last = keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), hidden])
    model.add(keras.layers.BatchNormalization())
    model.add(last)
    model.compile(optimizer="sgd", loss="mse")
    kwargs = {
        "change_learning_rate": {"factor": 0.1},
        "fix_output": {"loss": "mae"},
        "resize": {"width_factor": 1.0},
    }
    rng = np.random.default_rng(0)
    offered = {"x": rng.normal(size=(32, 6, 6, 1)).astype("float32"), "seed": 0}
    offered["y"] = rng.normal(size=(32, 3)).astype("float32")
    new = REMEDIES[name].apply(model, offered, kwargs.get(name, {}))
    kept = [w for layer in new.layers if layer.name == last.name for w in layer.weights]
    same = np.array_equal(
        keras.ops.convert_to_numpy(kept[0]), keras.ops.convert_to_numpy(last.kernel)
    )
    assert same == REMEDIES[name].keeps_weights
    assert new.compiled
    assert new.layers[-1] is not last
