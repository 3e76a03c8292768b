"""What only looks like a cause: each is silent, beside a record that has the fault."""

from dataclasses import replace

import numpy as np
import pytest
from made_batches import DRAWN, with_batches
from made_runs import STUCK, edited_facts, found, in_inference, made_outputs, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Run
from keras_dlbasic.records import MEASURES, WeightFacts

# -- rows that are in training, too ----------------------------------------------------


@pytest.mark.parametrize(("seen", "named"), [(1, False), (2, False), (40, True)])
def test_one_pair_among_drawn_rows_is_chance(seen, named):
    """A pair found where a fiftieth of the training rows was drawn stands for many."""
    estimate = {"n_rows": 1000, "compared_with": 400, "compared_rows": 1000}
    share = min(1.0, 50 * seen / 400)
    facts = {**estimate, "overlap": share, "repeats": 0.0, "equal_rows": seen}
    finding = found(made_run(validation=facts), "train_validation_overlap")
    assert (finding is not None) == named


@pytest.mark.parametrize(("n_rows", "named"), [(2, False), (200, True)])
def test_one_near_copy_among_two_rows_is_chance(n_rows, named):
    facts = {"n_rows": n_rows, "overlap": 0.0, "repeats": 0.0, "near_copies": 0.5}
    finding = found(made_run(validation=facts), "train_validation_overlap")
    assert (finding is not None) == named


# -- several outputs -------------------------------------------------------------------


def with_weights(record, *weights):
    record.note(data=replace(record.facts.data, weights=weights))
    return record


LEFT_OUT = {"zeros": 0.5, "min": 0.0, "max": 1.0}
EVEN = {"zeros": 0.0, "min": 1.0, "max": 1.0}


@pytest.mark.parametrize("names", [("age", "kind"), ("0", "1"), ("age_layer", "kind")])
def test_weights_belong_to_their_output(names):
    """Weights may be given by name or in a list."""
    pairs = zip(names, (EVEN, LEFT_OUT), strict=True)
    facts = [WeightFacts(name=name, **known) for name, known in pairs]
    run = Run(with_weights(made_outputs(), *facts))
    age, kind = run.for_output("age"), run.for_output("kind")
    assert [w.zeros for w in age.data.weights] == [0.0]
    assert [w.zeros for w in kind.data.weights] == [0.5]
    assert age.outcome.loss_saved is not None
    assert not kind.outcome.is_known


def test_one_array_of_weights_is_for_all_outputs():
    run = Run(with_weights(made_outputs(), WeightFacts(name="0", **LEFT_OUT)))
    assert all(one.data.weights for one in run.outputs_apart)


def test_weights_in_a_list_with_gaps():
    run = Run(with_weights(made_outputs(), WeightFacts(name="1", **LEFT_OUT)))
    assert not run.for_output("age").data.weights
    assert run.for_output("kind").data.weights


@pytest.mark.parametrize(("label", "named"), [(255, False), (3, True)])
def test_classes_are_those_of_the_output(label, named):
    """Rows of a class that the output does not have are left out on purpose."""
    known = WeightFacts(
        name="kind",
        zeros=0.25,
        classes=(0, 1, 2, label),
        counts=(99, 99, 99, 99),
        by_class=(1.0, 1.0, 1.0, 0.0),
    )
    record = with_batches(made_outputs(), DRAWN)
    finding = found(with_weights(record, known), "zero_weights")
    assert (finding is not None) == named


def test_few_labels_among_many_rows_are_no_fault():
    """As in graphs, where all nodes are rows and few of them have a label."""
    known = WeightFacts(zeros=0.995, min=0.0, max=1.0)
    record = with_weights(with_batches(made_run(), DRAWN), known)
    assert found(record, "zero_weights").severity == "info"
    none = with_weights(record, WeightFacts(zeros=1.0, min=0.0, max=0.0))
    assert found(none, "zero_weights").severity == "critical"


def test_metrics_of_another_output_say_nothing():
    """Names of outputs may be the beginning of others."""
    record = made_outputs()
    with edited_facts(record) as facts:
        facts["network"]["outputs"][1]["label"] = "age_kind"
        facts["loss"] = {"age": "mse", "age_kind": "mse"}
    logs = {"val_age_mae": 0.1, "val_age_kind_accuracy": 0.9, "age_kind_loss": 0.5}
    record.append_epoch(19, logs)
    epochs = Run(record).for_output("age").record.epochs
    assert "val_mae" in epochs
    assert not [name for name in epochs if "kind_accuracy" in name]
    other = Run(record).for_output("age_kind").record.epochs
    assert other["val_accuracy"][-1] == 0.9


# -- numbers of epochs -----------------------------------------------------------------


def test_an_epoch_is_no_place_in_a_list():
    """A fit that goes on from `initial_epoch`, with a rate that falls to nothing."""
    schedule = {"class_name": "ExponentialDecay", "config": {"decay_steps": 1}}
    record = made_run(
        loss=np.r_[1.3, 0.9, 0.8, 0.78, np.full(16, 0.77)],
        end_loss=0.75,
        reference=0.3,
        rates=np.geomspace(5e-3, 1e-12, 60),
        facts={"optimizer": {"class_name": "Adam", "learning_rate": schedule}},
    )
    record.trained_steps = 300
    rows = record._epochs._rows
    record._epochs._rows = {epoch + 30: row for epoch, row in rows.items()}
    record._rows.scalars[:, 0] += 30
    assert found(record, "learning_rate_collapsed").severity == "warning"


# -- normalization ---------------------------------------------------------------------

TRAINED = {"batch_normalizes": True, "momentum": 0.999}
FROZEN = {"batch_normalizes": True, "trainable": False}


def test_frozen_normalization_does_not_lag():
    frozen = in_inference(made_run(second=FROZEN), loss=1.2, skill=0.2, drift=9.0)
    assert found(frozen, "normalization_lag") is None
    both = made_run(first=TRAINED, second=FROZEN)
    in_inference(both, loss=1.2, skill=0.2, drift=9.0)  # of "second"
    finding = found(both, "normalization_lag")
    assert finding.layer == "first"
    assert finding.evidence["drifts"] == {}


# -- terms of the loss -----------------------------------------------------------------


def with_added(record, start, end, baseline=1.386):
    known = replace(
        record.facts.probe,
        added_at_start=start,
        added_at_end=end,
        baseline_loss=baseline,
    )
    record.note(probe=known)
    return record


@pytest.mark.parametrize(
    ("run", "added", "named"),
    [
        ({"spread": 1e-5}, (0.5, 1e-6), True),
        ({"spread": 0.4}, (0.5, 1e-6), False),  # the output differs
        ({"spread": 1e-5}, (0.03, 1e-6), False),  # small by design
        ({"spread": 1e-5}, (0.5, 0.2), False),
    ],
)
def test_a_term_that_outweighs_the_others(run, added, named):
    record = with_added(made_run(**run, **STUCK), *added)
    assert (found(record, "loss_terms_out_of_balance") is not None) == named


def test_without_a_baseline_terms_cannot_be_weighed():
    record = with_added(made_run(spread=1e-5, **STUCK), 0.5, 1e-6, baseline=None)
    assert "loss_terms_out_of_balance" in kd.diagnose(record).skipped


@pytest.mark.parametrize(
    ("end", "references", "named"),
    [
        (0.006, None, False),
        (0.004, None, True),
        (0.006, {"linear": 0.5}, True),
        (0.004, {"linear": 0.1}, False),
    ],
)
def test_a_term_beside_a_custom_loss_must_be_gone(end, references, named):
    record = with_added(made_run(spread=1e-5, **STUCK), 0.5, end)
    record.note(probe=replace(record.facts.probe, references=references))
    assert (found(record, "loss_terms_out_of_balance") is not None) == named


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, True),
        ({"halves": 48.0}, False),  # a mean: it is as large for each half
        ({"skill": 0.9}, False),  # it does no harm
        ({"end": 0.4, "halves": 0.4}, False),  # small by design
        ({"size": 1}, False),
        ({"reduction": "sum"}, False),  # the loss is a sum too
    ],
)
def test_a_term_that_is_summed_over_rows(changes, named):
    given = {"skill": 0.4, "end": 24.0, "halves": 24.0, "size": 32, **changes}
    loss = {"class_name": "SparseCategoricalCrossentropy"}
    if "reduction" in given:
        loss["reduction"] = given["reduction"]
    facts = {"loss": loss, "batch_size": given["size"]}
    record = with_added(made_run(skill=given["skill"], facts=facts), 9.0, given["end"])
    known = replace(record.facts.probe, added_in_halves=given["halves"])
    record.note(probe=known)
    assert (found(record, "loss_terms_out_of_balance") is not None) is named


# -- targets without a loss ------------------------------------------------------------


def test_targets_of_a_model_that_is_not_compiled():
    record = made_run(targets={"is_constant": True}, facts={"loss": None})
    assert "no loss was compiled" in kd.diagnose(record).skipped["constant_targets"]


# -- autoencoders ----------------------------------------------------------------------


def autoencoder(skill=0.7, **changes):
    """A model that gives its inputs back, compared with principal components."""
    record = made_run(skill=skill, end_loss=0.4, **changes)
    with edited_facts(record) as facts:
        facts["probe"]["references"] = {"components": 0.89}
    return record


def test_a_code_that_holds_less_than_its_units_on_purpose():
    assert found(autoencoder(), "underfitting").severity == "warning"
    quantized = autoencoder(second={"kind": "custom", "class_name": "Codebook"})
    assert found(quantized, "underfitting") is None
    for start, end in ((0.0, 0.02), (None, 0.02), (0.1, 0.02)):
        pulled = with_added(autoencoder(), start, end)
        assert found(pulled, "underfitting").severity == "info"
    failed = autoencoder(skill=0.0, second={"kind": "custom"})
    with edited_facts(failed) as facts:
        facts["probe"]["baseline_loss"] = 0.4
    assert found(failed, "underfitting").severity == "critical"


# -- no gradient -----------------------------------------------------------------------


def without_gradient(*layers, value=0.0, **run):
    """A run in which nothing of the loss reaches some layers."""
    record = made_run(**{**STUCK, **run})
    for measure in ("gradient_norm", "max_abs_gradient"):
        for layer in layers:
            record._rows.measures[:, MEASURES.index(measure), layer] = value
    return record


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_no_gradient_reaches_the_first_layers(value):
    record = without_gradient(0, 1, value=value)
    first = kd.diagnose(record)[0]
    assert (first.name, first.severity) == ("zero_gradients", "critical")
    assert "No gradient reaches layers 'first', 'second'" in first.message
    assert "stop_gradient" in first.remedies[0].code


def test_no_gradient_reaches_a_layer_amid_others():
    first = kd.diagnose(without_gradient(1))[0]
    assert (first.name, first.severity) == ("zero_gradients", "critical")
    assert "No gradient reaches layer 'second'" in first.message


def test_a_layer_without_a_gradient_where_the_run_learns_is_no_note():
    learned = {"loss": np.linspace(1.4, 0.2, 20), "end_loss": 0.2, "skill": 0.9}
    diagnosis = kd.diagnose(without_gradient(0, **learned))
    assert not diagnosis.at_least("warning")


@pytest.mark.parametrize(
    "record",
    [
        lambda: without_gradient(2),  # an output without a loss
        lambda: without_gradient(0, dead=1.0, dead_before=1.0),
        lambda: without_gradient(0, gradients=(0.0, 1e-9, 1.0)),  # they fade
        lambda: without_gradient(0, facts={"own_loss": ["train_step"]}),
        lambda: without_gradient(
            0, second={"trainable": False, "gain": 0.0, "kernel_rms": 0.0}
        ),
    ],
)
def test_layers_without_a_gradient_for_another_reason(record):
    assert found(record(), "zero_gradients") is None


def test_a_layer_that_gets_a_gradient_at_one_step():
    record = without_gradient(0)
    record._rows.measures[7, MEASURES.index("gradient_norm"), 0] = 0.1
    assert found(record, "zero_gradients") is None


# -- frozen zeros ----------------------------------------------------------------------

ZEROS = {"trainable": False, "gain": 0.0, "kernel_rms": 0.0, "n_weights": 20}


def of_zeros(spread=0.0, **first):
    """An embedding of zeros in front of layers whose kernels get no gradient."""
    record = made_run(first={**ZEROS, **first}, spread=spread, ratio=0.0, **STUCK)
    record._rows.measures[:, MEASURES.index("gradient_norm")] = 0.0
    bias = replace(record.variables[2], path="out/bias", role="bias", shape=(4,))
    record.variables = (*record.variables[:2], bias)
    record._rows.measures[:, MEASURES.index("gradient_norm"), 2] = 1.0
    return record


def test_frozen_zeros_are_the_cause():
    diagnosis = kd.diagnose(of_zeros())
    assert "learning_rate_too_low" not in diagnosis.names
    assert (diagnosis[0].name, diagnosis[0].layer) == ("frozen_layers", "first")
    assert diagnosis[0].severity == "critical"
    assert "all zero and frozen" in diagnosis[0].message


@pytest.mark.parametrize(
    "record",
    [
        lambda: of_zeros(spread=0.1),  # another path leads around it
        lambda: of_zeros(trainable=True),
        lambda: of_zeros(kernel_rms=0.1, gain=0.2, n_weights=1),
    ],
)
def test_zeros_that_are_not(record):
    finding = found(record(), "frozen_layers")
    assert finding is None or "all zero" not in finding.message
