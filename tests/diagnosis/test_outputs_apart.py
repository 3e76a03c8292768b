"""Of a model with several outputs, each is judged by itself.

A fault of one output is named as it would be with this output alone; the other, which
is healthy, is not blamed.
"""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from made_runs import edited_facts, made_outputs, made_run

import keras_dlbasic as kd
from keras_dlbasic.analysis import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, RemedySuggestion, Run, rule
from keras_dlbasic.diagnosis.per_output import _for_output
from keras_dlbasic.records import ProbeFacts, RunFacts, TrainingRecord

L = keras.layers
EPOCHS = np.arange(20)
LARGE = {"baseline": 400.0, "first": 500.0, "end_loss": 20.0}


def serious(record):
    return {(f.name, f.output) for f in kd.diagnose(record).at_least("warning")}


def of_data(diagnosis, name):
    return next(finding for finding in diagnosis if finding.name == name)


def test_two_healthy_outputs_are_silent():
    diagnosis = kd.diagnose(made_outputs())
    assert diagnosis.names == ()
    fine = diagnosis.checked_fine
    assert fine["underfitting"] == "skill 0.90, simple predictors 0.80"  # of both
    assert "output 'age': 'mean_squared_error'" in fine["loss_target_mismatch"]
    assert "output 'kind': 'sparse" in fine["loss_target_mismatch"]
    assert "Output 'age'" in diagnosis.outcome
    assert "Output 'kind'" in diagnosis.outcome


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("output_activation_mismatch", {"kind": {"units": 1}}),
        ("output_activation_mismatch", {"age": {"activation": "sigmoid"}}),
        ("output_activation_mismatch", {"kind": {"activation": None}}),
        ("loss_target_mismatch", {"kind": {"target": {"max": 7.0}}}),
        ("unscaled_targets", {"age": {"target": {"rms": 900.0, "kind": "continuous"}}}),
        ("constant_targets", {"age": {"target": {"is_constant": True}}}),
        ("imbalanced_classes", {"kind": {"target": {"frequencies": [0.99, 0.01]}}}),
        ("constant_predictions", {"age": {"spread": 1e-5}}),
        ("underfitting", {"kind": {"skill": 0.2}}),
        ("plateau", {"kind": {"curve": np.full(20, 1.386)}}),
        ("overfitting", {"age": {"val_curve": 0.2 + 0.05 * np.abs(EPOCHS - 6)}}),
    ],
)
def test_a_fault_of_one_output_is_named_there(name, changes):
    output = next(iter(changes))
    lost = {"end_loss": 1.386 if output == "kind" else 1.0, "skill": 0.0}
    changes = {output: {**lost, **changes[output]}}
    if name in ("underfitting", "overfitting"):
        changes[output]["end_loss"] = 0.7
    if name == "overfitting":
        changes[output]["skill"] = 0.9
        curve = changes[output]["val_curve"]
        healthy = {"val_curve": 0.3 + np.exp(-EPOCHS / 4)}
        changes["kind"] = healthy
        assert len(curve) == 20
    diagnosis = kd.diagnose(made_outputs(**changes))
    found = [finding for finding in diagnosis if finding.name == name]
    assert [finding.output for finding in found] == [output]
    assert found[0].message.startswith(f"Output '{output}': ")
    assert {finding.output for finding in diagnosis.at_least("warning")} <= {output}


def test_each_output_can_have_the_same_fault():
    lost = {"end_loss": 1.386, "skill": 0.0}
    record = made_outputs(age={**lost, "first": 1.4}, kind=lost)
    found = [f for f in kd.diagnose(record) if f.name == "underfitting"]
    assert [finding.output for finding in found] == ["age", "kind"]


def test_a_cause_of_one_output_explains_nothing_of_the_other():
    lost = {"end_loss": 1.386, "skill": 0.0}
    record = made_outputs(
        age={**lost, "first": 1.4, "target": {"is_constant": True}}, kind=lost
    )
    diagnosis = kd.diagnose(record)
    cause = of_data(diagnosis, "constant_targets")
    explained = diagnosis.symptoms_of(cause)
    assert {symptom.output for symptom in explained} == {"age"}
    of_kind = [f for f in diagnosis if f.kind == "symptom" and f.output == "kind"]
    assert of_kind
    assert all("constant_targets" not in f.explained_by for f in of_kind)


def test_a_check_that_is_fine_here_and_impossible_there_says_both():
    record = made_outputs()
    with edited_facts(record) as facts:
        facts["data"]["targets"][1].update(kind=None)
    text = kd.diagnose(record).checked_fine["constant_targets"]
    assert text.startswith("output 'age': the most common target")
    assert "output 'kind': not judged (" in text


def test_an_output_without_a_loss_is_not_judged():
    record = made_outputs(kind={"loss": None, "units": 1})
    diagnosis = kd.diagnose(record)
    assert diagnosis.is_healthy
    text = diagnosis.checked_fine["output_activation_mismatch"]
    assert "output 'kind': not judged (it has no loss" in text
    # and its loss is the only one that Keras logs, as the sum
    alone = Run(made_outputs(kind={"loss": None}, logs_each=False)).for_output("age")
    np.testing.assert_array_equal(alone.loss, made_run().epochs["loss"])


def test_the_sum_is_judged_where_no_output_is_logged():
    stuck = {"loss": np.full(20, 2.386)}
    record = made_outputs(
        age={"end_loss": 1.0, "skill": 0.0},
        kind={"end_loss": 1.386, "skill": 0.0},
        logs_each=False,
        **stuck,
    )
    found = of_data(kd.diagnose(record), "plateau")
    assert found.output is None


def test_a_run_looked_at_for_one_output():
    run = Run(made_outputs(loss_weights={"age": 0.5, "kind": 2.0}))
    age, kind = run.outputs_apart
    assert (age.output_name, kind.output_name) == ("age", "kind")
    assert (age.task, kind.task) == (TaskKind.VALUES, TaskKind.CLASSES)
    assert (age.loss_weight, kind.loss_weight) == (0.5, 2.0)
    assert age.target.kind == "continuous"
    assert kind.loss_kind.name == "sparse_categorical_crossentropy"
    np.testing.assert_allclose(age.probed("loss"), [1.2, 0.1], rtol=1e-6)
    assert kind.descent.first == pytest.approx(1.4)
    assert np.isnan(age.record.batch_loss).all()
    assert run.record.facts.model.outputs == run.facts.model.outputs
    assert len(run.facts.outputs) == 2
    with pytest.raises(KeyError, match="'age', 'kind'"):
        run.for_output("ages")
    assert Run(made_run()).outputs_apart == ()


@pytest.mark.parametrize(
    ("loss", "kinds"),
    [
        (["mse", "binary_crossentropy"], ("mean_squared_error", "binary_crossentropy")),
        ("mse", ("mean_squared_error", "mean_squared_error")),
        ({"kind": "mse"}, ("custom", "mean_squared_error")),
        ({"age_layer": "mse", "kind": None}, ("mean_squared_error", "custom")),
        ({"class_name": "MeanSquaredError"}, ("mean_squared_error",) * 2),
    ],
)
def test_losses_in_all_forms(loss, kinds):
    record = made_outputs()
    with edited_facts(record) as facts:
        facts["loss"] = loss
    apart = Run(record).outputs_apart
    assert tuple(run.loss_kind.name for run in apart) == kinds
    assert [run.is_trained for run in apart] == [name != "custom" for name in kinds]


def test_targets_in_a_list_go_by_their_place():
    record = made_outputs()
    with edited_facts(record) as facts:
        for number, target in enumerate(facts["data"]["targets"]):
            target["name"] = str(number)
    assert [run.target.kind for run in Run(record).outputs_apart] == [
        "continuous",
        "whole_numbers",
    ]


def test_a_rule_of_ones_own_for_each_output():
    @rule(kind="symptom", per_output=True, needs=("target",))
    def wide_targets(run, *, most=3.0):
        """Look for targets that reach far."""
        if run.target.max - run.target.min > most:
            return Finding(severity="warning", message="They reach far.")
        return Fine("near")

    rules = [wide_targets]
    assert wide_targets.per_output
    found = kd.diagnose(made_outputs(), rules=rules)
    assert [(f.output, f.message) for f in found] == [
        ("age", "Output 'age': They reach far.")
    ]
    single = kd.diagnose(made_run(), rules=rules)
    assert single.checked_fine == {"wide_targets": "near"}


def test_findings_keep_their_output_in_files():
    diagnosis = kd.diagnose(made_outputs(age={"activation": "sigmoid"}))
    again = type(diagnosis).from_dict(diagnosis.to_dict())
    assert again == diagnosis
    assert again[0].output == "age"


def test_a_record_of_several_outputs_is_saved_and_judged_alike(tmp_path):
    record = made_outputs(age=LARGE, kind={"end_loss": 1.386, "skill": 0.0})
    path = tmp_path / "run.npz"
    record.save(path)
    assert kd.diagnose(TrainingRecord.load(path)) == kd.diagnose(record)


def test_records_from_before_outputs_were_told_apart():
    """There the probe had one column, without losses, and flat facts."""
    older = made_run()
    with edited_facts(older) as facts:
        facts["network"]["outputs"] *= 2
        facts["loss"] = ["mse", "mse"]
        facts["probe"] = {"rows": 256}
    diagnosis = kd.diagnose(older)
    assert "underfitting" in diagnosis.skipped
    flat = ProbeFacts.from_dict({"rows": 9, "baseline_loss": 2.0})
    assert (flat.baseline_loss, flat.outputs) == (2.0, None)


# -- sizes of losses -------------------------------------------------------------------

LOST = {"end_loss": 1.386, "skill": 0.0}


def test_a_small_loss_beside_a_large_one():
    record = made_outputs(age=LARGE, kind=LOST)
    diagnosis = kd.diagnose(record)
    found = of_data(diagnosis, "unbalanced_outputs")
    assert (found.output, found.severity) == ("kind", "critical")
    assert found.value == pytest.approx(500 / 1.4)
    weights = "loss_weights={'age': 0.0028, 'kind': 1.0}"
    assert "scale the targets" in found.remedies[0].code
    assert weights in found.remedies[1].code
    assert "underfitting" in {f.name for f in diagnosis.symptoms_of(found)}


@pytest.mark.parametrize(
    "changes",
    [
        {"age": LARGE},  # the small one is learned all the same
        {"kind": LOST},  # of one size
        {"age": LARGE, "kind": LOST, "loss_weights": {"age": 0.01, "kind": 1.0}},
        {"age": {**LARGE, "end_loss": 400.0, "skill": 0.0}, "kind": LOST},  # neither
        {"age": LARGE, "kind": {**LOST, "reference": 0.0}},  # nothing to be learned
        {"age": {**LARGE, "end_loss": 1e-3}, "kind": LOST},  # smaller at the end
    ],
)
def test_what_explains_an_output_that_is_not_learned_otherwise(changes):
    diagnosis = kd.diagnose(made_outputs(**changes))
    assert "unbalanced_outputs" not in diagnosis.names
    assert "unbalanced_outputs" in diagnosis.checked_fine


@pytest.mark.parametrize(
    ("loss", "code"),
    [
        (["mse", "mse"], "loss_weights=[0.0028, 1.0]"),
        ("mse", "loss=['mse', 'mse'], loss_weights=[0.0028, 1.0]"),
        (
            {"kind": "mse", "age": "mse"},
            "loss_weights={'kind': 1.0, 'age': 0.0028}",
        ),
    ],
)
def test_weights_are_advised_in_the_form_that_keras_takes(loss, code):
    record = made_outputs(age=LARGE, kind=LOST)
    with edited_facts(record) as facts:
        facts["loss"] = loss
    found = of_data(kd.diagnose(record), "unbalanced_outputs")
    assert found.remedies[1].code == f"model.compile(..., {code})"


def test_classes_of_validation_are_those_of_the_first_target():
    """Whole numbers of an output of values are no classes, whatever the other has."""
    record = made_outputs(
        age={"target": {"kind": "whole_numbers"}}, validation={"new_classes": [7]}
    )
    with edited_facts(record) as facts:  # outputs go by name, targets as given
        facts["network"]["outputs"].reverse()
        facts["probe"]["outputs"].reverse()
    assert "unrepresentative_validation" not in kd.diagnose(record).names
    with edited_facts(record) as facts:
        facts["data"]["targets"].reverse()
    assert "unrepresentative_validation" in kd.diagnose(record).names


@pytest.mark.parametrize(
    ("target", "part"), [("price", "y['price']"), ("1", "y[1]")], ids=["dict", "list"]
)
def test_code_on_targets_is_for_the_part_of_an_output(target, part):
    facts = RunFacts.from_dict({"data": {"targets": [{"name": target}]}})
    apart = SimpleNamespace(facts=facts, output_name="price")
    by_hand = RemedySuggestion(None, "", "y = (y - y.mean(axis=0)) / y.std(axis=0)")
    code = _for_output(apart, by_hand).code
    assert code == f"{part} = ({part} - {part}.mean(axis=0)) / {part}.std(axis=0)"
    kept = _for_output(apart, RemedySuggestion("scale_targets", "", by_hand.code))
    assert kept.call == "model = kd.remedies.scale_targets(model, y)"
    fixed = _for_output(apart, RemedySuggestion("fix_output", "", "by hand"))
    assert (fixed.name, fixed.code) == (None, "for output 'price': by hand")


@pytest.mark.parametrize(
    ("skill", "reference", "named"),
    [(0.2, 0.9, True), (0.4, 0.9, False), (0.05, 0.25, False)],
)
def test_an_output_that_is_far_behind_simple_predictors(skill, reference, named):
    learned = {"end_loss": 1.1, "skill": skill, "reference": reference}
    diagnosis = kd.diagnose(made_outputs(age=LARGE, kind=learned))
    assert ("unbalanced_outputs" in diagnosis.names) == named
