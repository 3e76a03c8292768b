"""Records on both sides of what rules take for a fault."""

from dataclasses import replace

import numpy as np
import pytest
from made_batches import DRAWN, with_batches
from made_runs import STUCK, edited_facts, found, made_run, severity

import keras_dlbasic as kd
from keras_dlbasic.records.table_row import append_row

STEPS = np.arange(60)
RATE_TOO_LOW = "learning_rate_too_low"
INPUTS = "unscaled_inputs"


@pytest.mark.parametrize(
    ("ratio", "named"), [(5e-5, True), (2.5e-4, True), (7e-4, False)]
)
def test_steps_that_are_short_and_lead_nowhere(ratio, named):
    behind = {**STUCK, "loss": np.linspace(1.39, 1.385, 20)}
    record = made_run(ratio=ratio, **behind)
    assert (found(record, "learning_rate_too_low") is not None) == named
    assert found(made_run(ratio=ratio), "learning_rate_too_low") is None  # it learns


def short_steps(ratio, loss):
    return found(made_run(ratio=ratio, **{**STUCK, "loss": loss}), RATE_TOO_LOW)


def test_steps_that_are_short_for_the_length_of_the_run():
    falling = np.linspace(1.39, 1.30, 20)
    slow = short_steps(4.5e-4, falling)
    assert slow.severity != "info"
    assert slow.confidence < short_steps(5e-5, falling).confidence
    assert short_steps(4.5e-4, np.full(20, 1.39)) is None  # nothing moves: not the rate
    assert short_steps(1e-3, falling) is None


@pytest.mark.parametrize(
    ("rates", "named"),
    [
        (0.05 / (1 + 2.5 * STEPS), True),  # by batch where epochs were meant
        (0.05 / np.sqrt(1 + STEPS), False),
        (np.geomspace(5e-2, 5e-5, 60), False),
        (np.r_[np.linspace(5e-3, 5e-2, 6), np.full(54, 5e-2)], False),
        (0.05 * np.r_[np.ones(30), np.full(15, 0.1), np.full(15, 0.01)], False),
    ],
)
def test_a_rate_that_is_low_from_early_on(rates, named):
    slow = {**STUCK, "loss": np.linspace(1.6, 1.38, 20)}
    record = made_run(rates=rates, **slow)
    assert (found(record, "learning_rate_collapsed") is not None) == named


WARM_UP = {"class_name": "CosineDecay", "config": {"warmup_steps": 2000}}


@pytest.mark.parametrize(
    ("rates", "target", "named"),
    [
        (np.linspace(0, 1e-4, 60), 1e-3, True),
        (np.linspace(0, 6e-4, 60), 1e-3, False),  # it got far enough
        (np.geomspace(1e-6, 1e-4, 60), 1e-3, False),  # a range test
        (np.full(60, 1e-4), 1e-3, False),
        (np.r_[np.linspace(0, 1e-4, 50), np.linspace(1e-4, 5e-5, 10)], 1e-3, False),
        (np.r_[np.linspace(0, 1e-4, 55), np.linspace(1e-4, 9e-5, 5)], 1e-3, False),
        # down and up again, as at a restart
        (5e-5 * (1 + np.cos(np.linspace(0, 2 * np.pi, 60))), 1e-3, False),
    ],
)
def test_a_rate_that_still_climbs(rates, target, named):
    schedule = {**WARM_UP, "config": {**WARM_UP["config"], "warmup_target": target}}
    facts = {"optimizer": {"class_name": "Adam", "learning_rate": schedule}}
    record = made_run(rates=rates, facts=facts, **STUCK)
    finding = found(record, "learning_rate_not_warm")
    assert (finding is not None) == named
    assert not named or "of 0.001 at the end of its warm-up of 2000" in finding.message
    learned = {"loss": 1.4 * np.exp(-np.arange(20) / 5), "skill": 0.9, "end_loss": 0.2}
    learned = made_run(rates=rates, facts=facts, **learned)
    assert found(learned, "learning_rate_not_warm") is None


def test_a_rate_that_is_measured_more_often_at_first():
    steps = np.arange(60) ** 3 // 100
    record = made_run(rates=1e-4 * steps / steps[-1], ratio=1e-4, **STUCK)
    record._rows._steps[:60] = steps
    assert found(record, "learning_rate_not_warm") is not None


@pytest.mark.parametrize(
    ("decay", "end_loss", "expected"),
    [
        (100.0, 1.2, "warning"),
        (100.0, 0.2, "info"),
        (0.1, 1.2, None),
        (None, 1.2, None),
    ],
)
def test_weight_decay_that_takes_all(decay, end_loss, expected):
    inner = {"class_name": "AdamW", "config": {"weight_decay": decay}}
    optimizer = {"class_name": "LossScaleOptimizer", "inner_optimizer": inner}
    record = made_run(end_loss=end_loss, facts={"optimizer": optimizer})
    assert severity(record, "regularization_too_strong") == expected


def of_chain(record, *, is_sequential=True):
    with edited_facts(record) as facts:
        facts["network"]["is_sequential"] = is_sequential
    few = {"regularization_too_strong": {"kept": 0.1}}
    named = [
        f.severity
        for f in kd.diagnose(record, thresholds=few)
        if f.name == "regularization_too_strong"
    ]
    return named[0] if named else None


@pytest.mark.parametrize(
    ("rate", "run", "expected"),
    [(0.7, STUCK, "warning"), (0.7, {}, "info"), (0.6, STUCK, None)],
)
def test_layers_of_dropout_one_behind_another(rate, run, expected):
    record = made_run(first={"dropout": rate}, second={"dropout": rate}, **run)
    assert of_chain(record) == expected


@pytest.mark.parametrize(
    ("run", "expected"),
    [(STUCK, "warning"), ({}, "info")],
)
def test_random_layers_that_are_frozen(run, expected):
    frozen = {"trainable": False, "n_weights": 20}
    record = made_run(first=frozen, second=frozen, **run)
    assert severity(record, "frozen_layers") == expected


@pytest.mark.parametrize(
    ("loss", "val_loss", "skill", "named"),
    [
        ([1.39, 1.37, 1.34], [1.38, 1.37, 1.33], 0.1, True),
        ([1.39, 1.37, 1.34], [1.38, 1.33, 1.34], 0.1, False),
        ([1.39, 1.37, 1.34], [1.38, 1.37, 1.33], 0.6, False),
        ([1.39, 1.39, 1.385], [1.38, 1.37, 1.36], 0.1, False),
        ([1.39, 1.37, 1.34], [np.nan] * 3, 0.1, False),
    ],
)
def test_stopped_before_it_had_begun(loss, val_loss, skill, named):
    record = made_run(
        np.array(loss), np.array(val_loss), skill=skill, facts={"epochs": 22}
    )
    assert (found(record, "stopped_too_early") is not None) == named


def later_looks(record, losses):
    """Add looks after epochs 10 and 15, before the last."""
    table = record.tables["probe"]
    for row, loss in zip((10, 15), losses, strict=True):
        said = {"model": {"loss": loss, "loss_error": 0.01, "skill": 0.0}}
        append_row(record.tables, "probe", table.measures, 320 + row, row, said)


@pytest.mark.parametrize(
    ("source", "losses", "last", "facts", "named"),
    [
        ("first batches", (9.0, 9.0), 0.001, {}, True),
        ("given", (9.0, 9.0), 0.001, {}, False),  # they need not be those of the fit
        ("first batches", (1.0, 1.0), 0.001, {}, False),
        ("first batches", (9.0, 9.0), 1.2, {}, False),
        ("first batches", (9.0, 1.0), 0.001, {}, False),  # once
        ("first batches", (9.0, 9.0), 0.001, {"own_loss": ("train_step",)}, False),
    ],
)
def test_later_epochs_hold_other_rows(source, losses, last, facts, named):
    loss = np.r_[1.4, 0.9, np.full(18, last)]
    record = made_run(loss, end_loss=1.4, skill=0.0, facts=facts)
    later_looks(record, losses)
    record = with_batches(record, DRAWN, compared=9, different=9)
    record.note(data=replace(record.facts.data, source=source))
    finding = found(record, "repeated_batches")
    assert (finding is not None) == named
    if named:
        assert finding.severity == "critical"
        assert "seem to contain other rows" in finding.message


@pytest.mark.parametrize(
    ("second", "is_sequential"),
    [
        ({}, False),  # `x + h` is no layer
        ({"label": "block/second"}, True),  # nor is it in a nested model
        ({"kind": "custom"}, True),
    ],
)
def test_what_may_go_around_dropout_is_kept(second, is_sequential):
    drops = {"dropout": 0.7}
    record = made_run(first=drops, second={**drops, **second}, **STUCK)
    assert of_chain(record, is_sequential=is_sequential) is None


@pytest.mark.parametrize(
    ("name", "rate", "first"),
    [
        ("Adam", 1e-3, "unscaled_inputs"),
        ("SGD", 0.01, "unscaled_inputs"),
        ("Adam", 0.1, "learning_rate_too_high"),
    ],
)
def test_a_usual_rate_is_too_high_for_inputs_that_are_not_scaled(name, rate, first):
    optimizer = {"class_name": name, "learning_rate": rate}
    record = made_run(
        ratio=0.5,
        weights=np.geomspace(1, 1e4, 60),
        batch_loss=np.geomspace(1, 100, 60),
        rates=np.full(60, rate),
        inputs={"rms": 50.0},
        facts={"optimizer": optimizer},
        **STUCK,
    )
    assert kd.diagnose(record)[0].name == first


@pytest.mark.parametrize(
    ("skill", "size", "expected"),
    [(0.88, 0.1, "info"), (0.4, 0.1, "warning"), (0.88, 0.5, "warning")],
)
def test_mild_swings_of_a_run_that_does_well(skill, size, expected):
    falling = 0.3 + np.exp(-np.arange(30) / 20)
    loss = falling + size * np.sin(np.arange(30) * 2.0)
    record = made_run(loss=loss, skill=skill)
    assert severity(record, "oscillating_loss") == expected


def test_a_loss_that_makes_steps_short_comes_before_the_rate():
    one_hot = {"kind": "one_hot", "n_columns": 4, "max": 1.0, "mean": 0.25}
    slow = {**STUCK, "loss": np.linspace(1.39, 1.385, 20)}
    record = made_run(
        ratio=5e-5, targets=one_hot, facts={"loss": "binary_crossentropy"}, **slow
    )
    names = kd.diagnose(record).names
    mismatch = names.index("loss_target_mismatch")
    assert mismatch < names.index("learning_rate_too_low")


@pytest.mark.parametrize(("size", "expected"), [(0.002, "critical"), (0.3, None)])
def test_inputs_that_are_next_to_nothing(size, expected):
    small = {"rms": size, "min": -4 * size, "max": 4 * size}
    assert severity(made_run(inputs=small, **STUCK), INPUTS) == expected
    assert severity(made_run(inputs=small), INPUTS) in (None, "info")
    sparse = {**small, "min": 0.0, "max": 1.0}  # one column of many is not zero
    assert severity(made_run(inputs=sparse, **STUCK), INPUTS) is None


@pytest.mark.parametrize(
    ("size", "most", "expected"),
    [(0.002, 1.0, "critical"), (0.5, 1.0, None), (0.008, 60.0, None)],
)
def test_inputs_that_are_rescaled_twice(size, most, expected):
    given = {"min": 0.0, "max": most}
    record = made_run(first={"scales": True, "kind": "scaling"}, inputs=given, **STUCK)
    table = record.tables["activations"]
    with edited_facts(record) as facts:
        facts["network"]["normalizes_inputs"] = True
    for measure, value in (("mean", 0.0), ("variance", size**2)):
        place = table.measures.index(measure)
        table._rows.measures[0, place, table.labels.index("first")] = value
    assert severity(record, INPUTS) == expected


def test_inputs_that_a_layer_should_scale():
    raw = {"rms": 240.0}
    layer = {"kind": "scaling", "scales": True, "not_adapted": True}
    finding = found(made_run(first=layer, inputs=raw, **STUCK), INPUTS)
    assert "Layer 'first' should scale them. It was not adapted" in finding.message
    assert "get_layer('first').adapt(x)" in finding.remedies[0].code
    finding = found(made_run(inputs=raw, **STUCK), INPUTS)
    assert "adapt" not in str(finding)
    record = made_run(first=layer, inputs=raw, **STUCK)
    with edited_facts(record) as facts:  # which of them is not known
        facts["data"]["inputs"] *= 2
    assert "adapt" not in str(found(record, INPUTS))


def test_a_metric_of_columns_for_classes():
    one_hot = {"kind": "one_hot", "n_columns": 12, "max": 1.0, "mean": 1 / 12}
    loss = {"loss": "categorical_crossentropy"}
    for metrics, expected in (
        (["binary_accuracy"], "warning"),
        (["binary_accuracy", "categorical_accuracy"], None),
        (["categorical_accuracy"], None),
    ):
        record = made_run(targets=one_hot, facts={**loss, "metrics": metrics})
        assert severity(record, "metric_mismatch") == expected


@pytest.mark.parametrize(("trainable", "expected"), [(False, None), (True, "critical")])
def test_the_frozen_judge_of_a_generator(trainable, expected):
    stuck = {**STUCK, "loss": np.linspace(1.39, 1.3, 20)}
    constant = {"is_constant": True, "frequencies": [1.0]}
    judge = {"out": {"trainable": trainable}, "second": {"trainable": trainable}}
    record = made_run(targets=constant, **judge, **stuck)
    assert severity(record, "constant_targets") == expected
    if not trainable:
        diagnosis = kd.diagnose(record)
        assert not diagnosis.at_least("warning")
        assert "adversarial training" in diagnosis.skipped["plateau"]
    # a single frozen layer is no discriminator
    record = made_run(targets=constant, out={"trainable": False}, **stuck)
    assert severity(record, "constant_targets") == "critical"


@pytest.mark.parametrize(
    ("ratio", "skill", "expected"),
    [(3.0, 0.3, "warning"), (3.0, 0.55, None), (0.5, 0.55, None)],
)
def test_steps_that_replace_the_weights(ratio, skill, expected):
    record = made_run(ratio=ratio, skill=skill, reference=0.5)
    assert severity(record, "learning_rate_too_high") == expected


@pytest.mark.parametrize(("ratio", "named"), [(0.21, True), (0.19, False)])
def test_steps_that_are_long_for_a_run_that_learns_nothing(ratio, named):
    record = made_run(ratio=ratio, **STUCK)
    assert (severity(record, "learning_rate_too_high") == "critical") is named
    learned = made_run(ratio=0.21, skill=0.6)
    assert severity(learned, "learning_rate_too_high") is None


@pytest.mark.parametrize(
    ("ratio", "end", "skill", "expected"),
    [
        (6.0, 40.0, 0.6, "warning"),
        (6.0, 40.0, 0.85, None),
        (3.0, 40.0, 0.6, None),
        (6.0, 8.0, 0.6, None),
    ],
)
def test_weights_that_were_replaced_and_have_grown(ratio, end, skill, expected):
    grown = np.linspace(4.0, 4.0 * end, 60)
    record = made_run(ratio=ratio, weights=grown, skill=skill, reference=0.5)
    assert severity(record, "learning_rate_too_high") == expected


@pytest.mark.parametrize(
    ("noise", "place", "expected"),
    [(1.6, "first", "critical"), (1.4, "first", None), (1.6, "second", None)],
)
def test_noise_larger_than_the_inputs(noise, place, expected):
    noisy = {place: {"kind": "noise", "noise": noise}}
    record = made_run(inputs={"std": 1.0}, **noisy, **STUCK)
    assert severity(record, "regularization_too_strong") == expected


@pytest.mark.parametrize(
    ("skill", "references", "expected"),
    [
        (0.79, {"linear": 0.7}, "warning"),
        (0.81, {"linear": 0.7}, "info"),
        (0.6, {"components": 0.6}, "info"),
    ],
)
def test_linear_models_that_nothing_simple_beats(skill, references, expected):
    linear = {k: {"activation": None} for k in ("first", "second")}
    record = made_run(skill=skill, reference=None, **linear)
    with edited_facts(record) as facts:
        facts["probe"]["references"] = references
    assert severity(record, "missing_nonlinearity") == expected


@pytest.mark.parametrize(("share", "named"), [(0.29, True), (0.3, False)])
def test_padding_is_no_common_class(share, named):
    rare = {"missed": 1, "missed_class": 2, "missed_rows": 12, "missed_ratio": 9.0}
    record = made_run(missed=rare, targets={"padded": share})
    assert (severity(record, "imbalanced_classes") == "warning") is named


@pytest.mark.parametrize(("rows", "named"), [(1e-4, True), (0.2, False)])
def test_the_order_of_steps_where_rows_are_mixed(rows, named):
    record = made_run(**STUCK)
    with edited_facts(record) as facts:
        facts["probe"]["response"] = {"noise": 0.0, "order": 0.0, "other_rows": rows}
    assert (severity(record, "order_is_lost") is not None) is named
    assert (severity(record, "rows_mixed") is None) is named


@pytest.mark.parametrize("mask", [None, 0.0])
def test_the_order_of_steps_behind_a_mask(mask):
    recurrent = {"second": {"kind": "recurrent", "is_recurrent": True}}
    record = made_run(inputs={"mask_value": mask}, **recurrent, **STUCK)
    with edited_facts(record) as facts:
        facts["probe"]["response"] = {"noise": 0.0, "order": 0.0, "other_rows": 0.0}
    assert (severity(record, "order_is_lost") is not None) is (mask is None)


@pytest.mark.parametrize(
    ("optimizer", "ratio", "reference", "named"),
    [
        ({"class_name": "SGD", "learning_rate": 0.01}, 1.9e-3, 0.9, True),
        ({"class_name": "SGD", "learning_rate": 0.01}, 2.1e-3, 0.9, False),
        ({"class_name": "SGD", "learning_rate": 0.01}, 1.9e-3, 0.29, False),
        ({"class_name": "SGD", "momentum": 0.9}, 1.9e-3, 0.9, False),
        ({"class_name": "Adam", "learning_rate": 0.01}, 1.9e-3, 0.9, False),
    ],
)
def test_plain_descent_at_its_default_rate(optimizer, ratio, reference, named):
    changes = {**STUCK, "skill": 0.4, "reference": reference}
    record = made_run(
        ratio=ratio, rates=np.full(60, 0.01), facts={"optimizer": optimizer}, **changes
    )
    assert (severity(record, "learning_rate_too_low") is not None) is named


def test_a_last_activation_that_is_a_layer_is_no_hidden_one():
    linear = {k: {"activation": None} for k in ("first", "second", "out")}
    record = made_run(skill=0.3, reference=0.3, **linear)
    with edited_facts(record) as facts:
        layers = facts["network"]["layers"]
        layers.append({"label": "end", "kind": "activation", "activation": "softmax"})
        facts["network"]["outputs"][0]["name"] = "end"
    assert severity(record, "missing_nonlinearity") == "warning"


@pytest.mark.parametrize(
    ("val", "named"),
    [
        (np.linspace(0.7, 0.6, 6), True),
        (np.linspace(0.7, 0.66, 6), False),  # it hardly falls
        (np.r_[np.linspace(0.7, 0.6, 5), 0.61], False),  # the best epoch is past
    ],
)
def test_a_validation_loss_that_did_not_end_the_run(val, named):
    loss = np.array([0.97, 0.78, 0.70, 0.66, 0.67, 0.62])  # of noise in its last half
    record = made_run(loss, val, skill=0.6, facts={"epochs": 30})
    assert (severity(record, "stopped_too_early") == "warning") is named


@pytest.mark.parametrize(
    ("val", "skill", "named"),
    [
        ([0.50, 0.41, 0.40, 0.41, 0.42], 0.8, False),
        ([0.50, 0.41, 0.40, 0.41, 0.42], 0.5, True),  # simple predictors are better
        ([0.50, 0.41, 0.40, 0.41, 0.405], 0.8, True),
        ([0.50, 0.41, 0.41, 0.40, 0.41], 0.8, True),  # once, which may be noise
    ],
)
def test_a_validation_loss_that_rises_ends_a_run(val, skill, named):
    loss = np.array([0.56, 0.38, 0.30, 0.27, 0.24])
    record = made_run(
        loss, np.array(val), skill=skill, reference=0.66, facts={"epochs": 16}
    )
    assert (severity(record, "stopped_too_early") == "warning") is named


@pytest.mark.parametrize(("activation", "named"), [("relu", True), (None, False)])
def test_logits_that_cannot_be_negative(activation, named):
    loss = {"class_name": "SparseCategoricalCrossentropy", "from_logits": True}
    for changes, expected in ((STUCK, "critical"), ({"skill": 0.9}, "info")):
        record = made_run(facts={"loss": loss}, **changes)
        with edited_facts(record) as facts:
            facts["network"]["outputs"][0]["activation"] = activation
        finding = found(record, "output_activation_mismatch")
        assert (finding and finding.severity) == (expected if named else None)


@pytest.mark.parametrize(("spread", "named"), [(0.019, True), (0.021, False)])
def test_outputs_of_a_custom_loss_that_have_collapsed(spread, named):
    own = {"class_name": "triplets", "own": True}
    record = made_run(skill=np.nan, end_loss=np.nan, facts={"loss": own})
    with edited_facts(record) as facts:
        facts["probe"].update(baseline_loss=None, response={"spread": spread})
    assert (severity(record, "collapsed_embeddings") == "warning") is named
    with edited_facts(record) as facts:
        facts["loss"] = "mse"
    assert severity(record, "collapsed_embeddings") is None


@pytest.mark.parametrize(
    ("most", "expected"), [(3, "warning"), (1, None), (None, None)]
)
def test_a_metric_of_one_class_for_several_labels(most, expected):
    labels = {"kind": "multi_label", "n_columns": 4, "max_per_row": most}
    facts = {"loss": "binary_crossentropy", "metrics": ["categorical_accuracy"]}
    record = made_run(targets=labels, facts=facts)
    assert severity(record, "metric_mismatch") == expected


@pytest.mark.parametrize(
    ("skill", "references", "expected"),
    [
        (0.1, {"linear": 0.8, "neighbours": 0.5}, None),
        (0.1, {"components": 0.8}, None),
        (0.5, {"linear": 0.8}, "warning"),  # it is not that far behind
        (0.1, {"linear": 0.6, "neighbours": 0.8}, "warning"),  # the data are curved
        (0.05, {"linear": 0.2}, "warning"),
    ],
)
def test_linear_layers_do_not_keep_a_model_behind_a_line(skill, references, expected):
    linear = {"activation": None}
    record = made_run(first=linear, second=linear, skill=skill, end_loss=1.3)
    with edited_facts(record) as facts:
        facts["probe"]["references"] = references
    assert severity(record, "missing_nonlinearity") == expected


@pytest.mark.parametrize(("shape", "named"), [([64, 8, 8, 1], False), ([64], True)])
def test_outputs_with_the_shape_of_their_targets_are_no_embeddings(shape, named):
    record = made_run(skill=np.nan, end_loss=np.nan)
    with edited_facts(record) as facts:
        facts["loss"] = {"class_name": "own", "own": True}
        facts["probe"] = {"rows": 64, "response": {"noise": 0.0, "spread": 0.001}}
        facts["data"]["targets"][0]["shape"] = shape
        facts["network"]["outputs"][0]["shape"] = [64, 8, 8, 1]
    assert (severity(record, "collapsed_embeddings") is not None) == named


@pytest.mark.parametrize(
    ("kind", "expected"), [("merging", None), ("dense", "critical")]
)
def test_a_difference_has_no_units_to_initialize(kind, expected):
    layer = {"kind": kind}
    record = made_run(first=layer, second=layer, dead_before=1.0, **STUCK)
    assert severity(record, "poor_initialization") == expected


@pytest.mark.parametrize(("skill", "expected"), [(0.9, "info"), (0.5, "critical")])
def test_units_that_begin_alike_and_a_model_that_does_well(skill, expected):
    record = made_run(first={"units_alike": True}, skill=skill)
    assert severity(record, "poor_initialization") == expected
