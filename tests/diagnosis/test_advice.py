"""What is suggested is not there already, and can be called as it says."""

import numpy as np
import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, RemedySuggestion, rule
from keras_dlbasic.diagnosis.advice import advice
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.spoiled_weights import weights_are_spoiled

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
    ("name", "kwargs", "stays"),
    [
        ("change_learning_rate", {"factor": 0.1}, False),
        ("clip_gradients", {}, False),
        ("change_optimizer", {"optimizer": "adam"}, True),
    ],
)
def test_several_optimizers_are_changed_by_hand(name, kwargs, stays):
    run = Run(made_run(facts={"optimizer": {"class_name": "MultiOptimizer"}}))
    (found,) = advice(run, [RemedySuggestion(name, "", "", kwargs)])
    assert found.name == (name if stays else None)


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


class TestNewWeights:
    """Where the run ruined its weights, a remedy starts from new ones."""

    def advised(self, *names, skill=0.0, **run):
        end_loss = 1.4 if skill < 0.5 else 0.2
        record = made_run(skill=skill, end_loss=end_loss, **run)
        given = [RemedySuggestion(name, "why") for name in names]
        return list(advice(Run(record), given))

    def test_after_units_have_died(self):
        slower, anew = self.advised(
            "change_learning_rate", "initialize", "train_longer", dead=0.9
        )
        assert slower.from_new_weights
        assert slower.call.splitlines() == [
            "model = kd.remedies.initialize(model, zero_biases=True)",
            "model = kd.remedies.change_learning_rate(model)",
        ]
        assert not anew.from_new_weights  # it draws them itself
        assert "from new weights" in str(slower)

    @pytest.mark.parametrize("run", [{}, {"dead": 0.9, "dead_before": 0.9}])
    def test_not_where_the_run_did_not_do_it(self, run):
        (slower,) = self.advised("change_learning_rate", **run)
        assert not slower.from_new_weights

    def test_not_where_the_run_learned(self):
        (slower,) = self.advised("change_learning_rate", skill=0.8, dead=0.9)
        assert not slower.from_new_weights

    def test_after_weights_became_infinite(self):
        weights = np.append(np.ones(59), np.inf)
        (slower,) = self.advised("change_learning_rate", weights=weights)
        assert slower.from_new_weights

    def test_it_is_kept_in_files(self):
        (slower,) = self.advised("change_learning_rate", dead=0.9)
        assert RemedySuggestion.from_dict(slower.to_dict()) == slower


def suited(name, **facts):
    return [
        s.title
        for s in advice(
            Run(made_run(facts=facts)), [RemedySuggestion(name, "why", "by hand so")]
        )
    ]


def test_images_are_augmented_where_there_are_images():
    images = {"inputs": [{"name": "x", "dtype": "float32", "shape": [9, 8, 8, 3]}]}
    columns = {"inputs": [{"name": "x", "dtype": "float32", "shape": [9, 8]}]}
    assert suited("augment_images", data=images) == ["augment images"]
    assert suited("augment_images", data=columns) == []


def test_what_needs_one_output_is_by_hand_where_there_are_two():
    outputs = [{"name": name, "activation": None} for name in ("a", "b")]
    assert suited("fix_output", network={"outputs": outputs}) == ["by hand so"]


def test_what_cannot_be_rebuilt_is_changed_in_place_or_by_hand():
    network = {"outputs": [], "why_not_rebuilt": "it has a `call` of yours"}
    assert suited("add_dropout", network=network) == ["by hand so"]
    record = made_run(facts={"network": network})
    (rate,) = advice(Run(record), [RemedySuggestion("find_learning_rate", "why")])
    assert rate.kwargs == {"in_place": True}
    assert "learning_rate=rate, in_place=True\n" in rate.call


@pytest.mark.parametrize(("last", "is_new"), [(6.0, True), (1.5, False)])
def test_weights_that_were_thrown_far_off_are_drawn_anew(last, is_new):
    sizes = np.linspace(1.0, last, 60)
    record = made_run(weights=sizes, end_loss=1.386, skill=0.0, loss=np.full(20, 1.4))
    assert weights_are_spoiled(Run(record)) == is_new
