"""Plans: what is added to them, and the code they give."""

import keras
import numpy as np
import pytest

from keras_dlbasic.treatment.plan import NotApplicableError, Plan
from keras_dlbasic.treatment.trial import plan_from_json, plan_to_json


def never():
    raise AssertionError("no range test was asked for")


PLAN = Plan(epochs=40, batch_size=32)


def test_remedies_for_the_model_and_for_the_fit():
    plan = PLAN.with_remedy("swap_activations", {"activation": "elu"}, never)
    plan = plan.with_remedy("change_batch_size", {"batch_size": 8}, never)
    plan = plan.with_remedy("train_longer", {"factor": 2.5}, never)
    plan = plan.with_remedy("stop_early", {}, never)
    assert plan == Plan(100, 8, (("swap_activations", {"activation": "elu"}),), True)
    assert plan.patience == 10
    assert Plan(20, 8).patience == 5
    assert plan_from_json(plan_to_json(plan)) == plan


def test_text_of_a_plan_holds_no_objects():
    plan = PLAN.with_step("swap_activations", {"activation": never})
    with pytest.raises(TypeError, match="Arguments of remedies must be"):
        plan_to_json(plan)


def test_a_range_test_becomes_a_rate():
    plan = PLAN.with_remedy("find_learning_rate", {}, lambda: 0.0125)
    assert plan.steps == (("change_learning_rate", {"learning_rate": 0.0125}),)
    with pytest.raises(NotApplicableError, match="no rate"):
        PLAN.with_remedy("find_learning_rate", {}, lambda: None)


@pytest.mark.parametrize(
    ("epochs", "left", "expected"),
    [
        (60, 80.0, 60),
        (60, 59.9, 59),
        (60, 30.0, 30),
        (60, 29.9, 0),
        (3, 1.9, 0),
        (3, 2.0, 2),
        (1, 0.9, 0),
        (1, -1.0, 0),
    ],
)
def test_a_second_training_is_at_least_half_as_long(epochs, left, expected):
    assert Plan(epochs, 8).epochs_within(left) == expected


@pytest.mark.parametrize(
    ("name", "kwargs"), [("nonsense", {}), ("change_batch_size", {"batch_size": 32})]
)
def test_what_changes_nothing_is_refused(name, kwargs):
    with pytest.raises(NotApplicableError, match="nonsense|already"):
        PLAN.with_remedy(name, kwargs, never)


def test_the_code_does_the_same():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(24, 3)) * 50).astype("float32")
    y = (rng.normal(size=(24, 1)) * 900).astype("float32")
    layers = [keras.layers.Dense(4, "sigmoid"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(optimizer="sgd", loss="mse")
    steps = (
        ("scale_inputs", {}),
        ("scale_targets", {}),
        ("swap_activations", {"activation": "relu"}),
        ("initialize", {"seed": 3}),
        ("change_learning_rate", {"learning_rate": 0.0123}),
    )
    plan = Plan(2, 8, steps, early_stopping=True)
    scope = {"model": model, "x": x, "y": y, "validation_data": (x, y)}
    keras.utils.set_random_seed(1)
    exec(plan.code(), scope)
    assert "EarlyStopping(patience=5" in plan.code()
    alone = plan.code(build=True, validation=False)
    assert "validation_data" not in alone
    assert "callbacks" not in alone
    exec(alone, {**scope, "build": lambda: model})
    treated = plan.apply(model, x, y, seed=0)
    keras.utils.set_random_seed(1)
    treated.fit(x, y, batch_size=8, epochs=2, validation_data=(x, y), verbose=0)
    for one, other in zip(
        treated.get_weights(), scope["model"].get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
