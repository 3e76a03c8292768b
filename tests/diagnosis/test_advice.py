"""What is suggested is not there already, and can be called as it says."""

import numpy as np
import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, RemedySuggestion, rule
from keras_dlbasic.diagnosis.advice import advice
from keras_dlbasic.diagnosis.run import Run

SOFTMAX = {"outputs": [{"name": "out", "activation": "softmax", "units": 1, "rank": 2}]}


def advised(name, kwargs, **facts):
    run = Run(made_run(facts=facts))
    return [s.kwargs for s in advice(run, [RemedySuggestion(name, "", "", kwargs)])]


SGD = {"class_name": "SGD", "learning_rate": 0.1}
SCALED = {
    "class_name": "LossScaleOptimizer",
    "inner_optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.1}},
}
LOGITS = {"class_name": "BinaryCrossentropy", "from_logits": True}


@pytest.mark.parametrize(
    ("name", "kwargs", "facts", "left"),
    [
        ("change_optimizer", {"optimizer": "adam"}, {}, []),
        ("change_optimizer", {"optimizer": "adam"}, {"optimizer": SCALED}, []),
        ("change_optimizer", {"optimizer": "adam"}, {"optimizer": SGD}, None),
        ("change_batch_size", {"batch_size": 32}, {"batch_size": 32}, []),
        ("change_batch_size", {"batch_size": 32}, {"batch_size": 4}, None),
        ("fix_output", {"activation": "softmax"}, {}, []),
        ("fix_output", {"loss": "mse"}, {"loss": "mean_squared_error"}, []),
        ("fix_output", {"loss": "mse"}, {"loss": "mae"}, None),
        ("fix_output", {"loss": "binary_crossentropy"}, {"loss": LOGITS}, None),
        (
            "fix_output",
            {"activation": "sigmoid", "loss": "bce"},
            {"loss": "binary_crossentropy"},
            [{"activation": "sigmoid"}],
        ),
        ("initialize", {}, {}, None),
    ],
)
def test_what_is_compiled_already_is_not_suggested(name, kwargs, facts, left):
    assert advised(name, kwargs, **facts) == ([kwargs] if left is None else left)


def test_diagnose_leaves_it_out():
    loss = 1.0 + 0.6 * np.sin(np.arange(40) * 2.0)
    for config, is_suggested in ((SGD, True), ({**SGD, "class_name": "Adam"}, False)):
        found = kd.diagnose(made_run(loss=loss, facts={"optimizer": config}))
        (swing,) = (f for f in found if f.name == "oscillating_loss")
        names = [remedy.name for remedy in swing.remedies]
        assert ("change_optimizer" in names) is is_suggested
        assert "change_batch_size" not in names  # it is 32


def test_a_misspelled_remedy_of_a_users_rule_is_named_with_the_nearest():
    @rule(kind="cause")
    def mine(run):
        """Always speak."""
        wrong = RemedySuggestion("scale_input", "a slip")
        return Finding(severity="warning", message="So.", remedies=(wrong,))

    with pytest.warns(UserWarning, match="Did you mean 'scale_inputs'"):
        diagnosis = kd.diagnose(made_run(**STUCK), rules=[mine])
    assert "Did you mean 'scale_inputs'" in diagnosis.skipped["mine"]
