"""For each rule a record on which it fires, and one much like it on which it is silent.

Silent is not skipped: the rule has what it needs, and finds nothing.
"""

import itertools
import warnings
from dataclasses import replace

import numpy as np
import pytest
from made_batches import DRAWN, SORTED, weighed, with_batches
from made_runs import (
    FROZEN,
    NORMALIZED,
    ONE_ANSWER,
    STUCK,
    edited_facts,
    in_inference,
    judged,
    made_outputs,
    made_run,
)

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, Fine, Run, all_rules
from keras_dlbasic.diagnosis.contradictions import without_contradictions
from keras_dlbasic.records import MEASURES

EPOCHS = np.arange(40)
ADAM = {"class_name": "Adam", "learning_rate": 0.01, "epsilon": 1e-7}
SGD = {"class_name": "SGD", "learning_rate": 0.1}
COSINE = 5e-4 * (1 + np.cos(np.linspace(0, np.pi, 60)))
FALLING = np.exp(-EPOCHS / 8) + 0.01


def with_rising_validation(slope):
    return made_run(
        loss=FALLING,
        val_loss=0.4 + np.exp(-EPOCHS / 3) + slope * np.maximum(0, EPOCHS - 15),
    )


def with_offset(loss):
    """Facts of a model without biases, for which a constant lowers the loss."""
    known = {"rows": 256, "baseline_loss": float(np.log(4))}
    return {"probe": {**known, "offset": {"loss": loss, "moved": 0.18}}}


def with_output(record, **changes):
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(changes)
    return record


def lost_weights(layer=None):
    """A run whose first step has a layer without a finite weight, or has not."""
    record = made_run()
    if layer is not None:
        record._rows.measures[0, MEASURES.index("weight_norm"), layer] = np.nan
        record._rows.measures[0, MEASURES.index("non_finite")] = 16.0
    return record


def lost_at_first(*, loss=np.nan, gradients=16.0):
    """A run whose first step has a loss or gradients that are not finite."""
    losses = np.append(loss, np.full(59, np.nan))
    record = made_run(loss=np.full(20, np.nan), batch_loss=losses)
    record._rows.measures[0, MEASURES.index("non_finite")] = gradients
    return record


def lost_on_the_way(**before):
    """A run whose loss and gradients are lost at its fourth sampled step."""
    losses = np.r_[1.4, 1.3, 1.3, np.full(57, np.nan)]
    given = {"loss": np.full(20, np.nan), "batch_loss": losses, **before}
    record = made_run(**given)
    for row in range(3, 60):
        record._rows.measures[row, MEASURES.index("non_finite")] = 16.0
    return record


def of_values(**targets):
    """A regression: the loss takes values, the output is linear."""
    record = made_run(targets={"kind": "continuous", **targets}, facts={"loss": "mse"})
    return with_output(record, activation=None, units=1)


def with_metrics(record, metrics):
    with edited_facts(record) as facts:
        facts["metrics"] = metrics
    return record


def with_own_loss(**losses):
    """A run of a loss of the user's own, by what it gives for known answers."""
    record = made_run(facts={"loss": {"class_name": "overlap", "own": True}})
    with edited_facts(record) as facts:
        facts["probe"]["truth"] = {"moved": 0.5, **losses}
    return record


LARGE = {"baseline": 400.0, "first": 500.0, "end_loss": 20.0}
NOT_LEARNED = {"end_loss": 1.386, "skill": 0.0}


def by_heart(*, reference):
    """A run that knows its rows, of which nothing holds for validation rows."""
    record = made_run(loss=FALLING, val_loss=1.4 + 0.02 * EPOCHS)
    with edited_facts(record) as facts:
        facts["probe"].update(rows=256, references={"linear": reference})
    return record


def answering(record, **response):
    """A run that was tried on changed rows at its end, with what came of it."""
    with edited_facts(record) as facts:
        facts["probe"]["response"] = {"noise": 0.0, **response}
    return record


def without_score(**response):
    """A run whose loss is the user's own and has no targets to be scored by."""
    record = answering(made_run(skill=np.nan, end_loss=np.nan), **response)
    with edited_facts(record) as facts:
        facts["data"]["targets"] = []
    return record


def with_many_weights(n):
    """An overfitting run: only then it matters how many weights there are."""
    record = with_rising_validation(0.03)
    with edited_facts(record) as facts:
        facts["network"]["n_trainable_weights"] = n
    return record


def deep_net(activation, n):
    """A net with `n` more hidden layers in front of those of `made_run`."""
    record = made_run()
    layers = record.facts.layers
    deep = [
        replace(layers[0], label=f"deep{i}", activation=activation) for i in range(n)
    ]
    record.note(model=replace(record.facts.model, layers=(*deep, *layers)))
    return record


IDS = {"is_ids": True, "shape": [500, 40], "vocabulary": 90, "min": 0.0, "max": 92.0}


def with_reader(record):
    """A model whose recurrent layer reads what is masked by nothing."""
    record.note(model=replace(record.facts.model, padding_reader="lstm"))
    return record


def with_constraint(record, held):
    """A kernel whose constraint leaves the loss at a value, which could be 0.5."""
    known = {"layer": "first", "kind": "NonNeg", "loss": 1.4, "free": 0.5}
    with edited_facts(record) as facts:
        facts["network"]["layers"][0]["constraint"] = "NonNeg"
        facts["probe"]["constraint"] = {**known, "held": held}
    return record


def with_added(record, start, end):
    """A model that adds a term to its loss, which ends at another value."""
    known = replace(record.facts.probe, added_at_start=start, added_at_end=end)
    record.note(probe=known)
    return record


SWINGING = {"loss": 1.0 + 0.6 * np.sin(EPOCHS * 2.0)}


def with_masked(record, share):
    with edited_facts(record) as facts:
        facts["data"]["inputs"][0]["masked_inside"] = share
    return record


def with_attention(record, decided):
    known = {"entries": 12.0, "spread": 6.0, "decided": decided, "is_new": True}
    known["is_attention"] = True
    with edited_facts(record) as facts:
        facts["probe"]["attention_at_start"] = [known]
        facts["probe"]["attention_at_end"] = [{**known, "decided": 0.9}]
    return record


def with_unused(record):
    with edited_facts(record) as facts:
        facts["network"]["unused"] = ["relu"]
    return record


def both_hidden(**facts):
    return {"first": facts, "second": facts}


def of_windows(longer):
    """A forecast from single steps, and what more of them would tell."""
    window = {"steps": 1, "earlier": 12, "alone": 0.4, "longer": longer, "error": 0.02}
    targets = {"kind": "continuous", "window": window}
    record = made_run(targets=targets, facts={"loss": "mse"}, skill=0.4, reference=0.4)
    return with_output(record, activation=None, units=1)


def of_walk(skill):
    """A forecast of a series that changes slowly."""
    targets = {"kind": "continuous", "last_value": 0.95}
    record = made_run(targets=targets, facts={"loss": "mse"}, skill=skill)
    return with_output(record, activation=None, units=1)


def of_codes(skill, **given):
    """Columns of codes, which tell more as categories."""
    codes = {"columns": [0, 3], "as_numbers": 0.1, "as_categories": 0.8}
    probe = {"rows": 256, "baseline_loss": 1.386, "references": {"linear": 0.1}}
    facts = {"probe": {**probe, "categories": codes}}
    return made_run(facts=facts, skill=skill, **given)


PAIRS = {
    "attention_saturated": (
        lambda: with_attention(made_run(**STUCK), 0.31),
        lambda: with_attention(made_run(**STUCK), 0.29),
    ),
    "batch_size_too_large": (
        lambda: made_run(facts={"steps_per_epoch": 1, "batch_size": 500}, **STUCK),
        lambda: made_run(facts={"steps_per_epoch": 1, "batch_size": 60}),
    ),
    "batch_size_too_small": (
        lambda: made_run(facts={"batch_size": 2}, **STUCK),
        lambda: made_run(facts={"batch_size": 8}),
    ),
    "clipping_too_tight": (
        lambda: made_run(clip_factor=1e-3, facts={"optimizer": SGD}, **STUCK),
        lambda: made_run(clip_factor=1e-3, **STUCK),  # Adam scales it anew
    ),
    "constant_inputs": (
        lambda: made_run(inputs={"is_constant": True}),
        lambda: made_run(inputs={"is_constant": False, "constant_features": 3}),
    ),
    "constant_predictions": (
        lambda: made_run(spread=1e-5, **STUCK),
        lambda: made_run(spread=0.1, **STUCK),
    ),
    "constant_targets": (
        lambda: made_run(targets={"is_constant": True}),
        lambda: made_run(targets={"commonest": 0.99}),
    ),
    "dead_units": (
        lambda: made_run(dead=0.6, **STUCK),
        lambda: made_run(dead=0.4, **STUCK),
    ),
    "disagreeing_loss": (
        lambda: with_own_loss(truth=1.0, constant=0.1, shuffled=0.3),
        lambda: with_own_loss(truth=0.0, constant=0.7, shuffled=0.8),
    ),
    "discriminator_not_frozen": (
        lambda: judged(made_run(targets=ONE_ANSWER, ratio=1e-2)),
        lambda: judged(made_run(targets=ONE_ANSWER, ratio=1e-6)),
    ),
    "diverging_loss": (
        lambda: made_run(loss=np.linspace(1.4, 40, 20)),
        lambda: made_run(loss=np.linspace(1.4, 1.9, 20)),
    ),
    "epsilon_too_small": (
        lambda: made_run(facts={"optimizer": ADAM}, **both_hidden(dtype="float16")),
        lambda: made_run(facts={"optimizer": ADAM}, **both_hidden(dtype="float32")),
    ),
    "exploding_activations": (
        lambda: made_run(**both_hidden(activation="exponential")),
        lambda: made_run(first={"activation": "exponential"}),
    ),
    "exploding_gradients": (
        lambda: made_run(gradients=(1e5, 1e2, 1.0), **STUCK),
        lambda: made_run(gradients=(1e2, 1e1, 1.0), **STUCK),
    ),
    "foreign_statistics": (
        lambda: in_inference(made_run(second=FROZEN, **STUCK), drift=40.0),
        lambda: in_inference(made_run(second=FROZEN, **STUCK), drift=1.0),
    ),
    "frozen_layers": (
        lambda: made_run(**both_hidden(trainable=False, n_weights=20), **STUCK),
        lambda: made_run(
            first={"trainable": False, "n_weights": 0}, second={"n_weights": 9}, **STUCK
        ),
    ),
    "imbalanced_classes": (
        lambda: made_run(targets={"frequencies": [0.97, 0.03]}),
        lambda: made_run(targets={"frequencies": [0.9, 0.1]}),
    ),
    "inputs_scrambled": (
        lambda: made_run(inputs={"former_shape": [8, 40]}, **STUCK),
        lambda: made_run(inputs={"former_shape": None}, **STUCK),
    ),
    "inputs_wrapped": (
        lambda: made_run(inputs={"wrapped": 0.1}, **STUCK),
        lambda: made_run(inputs={"wrapped": 0.0}, **STUCK),
    ),
    "learning_rate_collapsed": (
        lambda: made_run(
            rates=np.geomspace(1e-3, 1e-13, 60),
            **{**STUCK, "loss": np.linspace(1.6, 1.38, 20)},
        ),
        lambda: made_run(rates=COSINE, **STUCK),
    ),
    "learning_rate_not_warm": (
        lambda: made_run(rates=np.linspace(0, 1e-4, 60), ratio=1e-4, **STUCK),
        lambda: made_run(rates=np.linspace(0, 1e-4, 60), ratio=2e-3, **STUCK),
    ),
    "learning_rate_too_high": (
        lambda: made_run(ratio=0.5, **STUCK),
        lambda: made_run(ratio=0.1, **STUCK),
    ),
    "learning_rate_too_low": (
        lambda: made_run(ratio=1e-6, **STUCK),
        lambda: made_run(ratio=1e-3, **STUCK),
    ),
    "loss_target_mismatch": (
        lambda: made_run(targets={"max": 7.0}),
        lambda: made_run(targets={"max": 3.0}),
    ),
    "loss_terms_out_of_balance": (
        lambda: with_added(made_run(spread=1e-5, **STUCK), 0.5, 1e-6),
        lambda: with_added(made_run(**STUCK), 0.5, 1e-6),  # the output differs
    ),
    "masked_data": (
        lambda: with_masked(made_run(**STUCK), 0.1),
        lambda: with_masked(made_run(**STUCK), 0.09),
    ),
    "metric_mismatch": (
        lambda: with_metrics(of_values(), ["mae", "accuracy"]),
        lambda: with_metrics(of_values(), ["mae", "r2_score"]),
    ),
    "codes_as_numbers": (lambda: of_codes(0.55), lambda: of_codes(0.65)),
    "collapsed_embeddings": (
        lambda: without_score(spread=0.004),
        lambda: without_score(spread=0.4),
    ),
    "gradients_pile_up": (
        lambda: made_run(facts={"kept_gradient": 0.11}),
        lambda: made_run(facts={"kept_gradient": 0.09}),
    ),
    "constraint_too_tight": (
        lambda: with_constraint(made_run(**STUCK), 1.3),
        lambda: with_constraint(made_run(**STUCK), 0.6),
    ),
    "missing_bias": (
        lambda: made_run(facts=with_offset(0.9)),
        lambda: made_run(facts=with_offset(0.19)),
    ),
    "misplaced_dropout": (
        lambda: made_run(out={"dropout": 0.3}),
        lambda: made_run(second={"dropout": 0.3}),
    ),
    "missing_nonlinearity": (
        lambda: made_run(**both_hidden(activation=None)),
        lambda: made_run(first={"activation": None}),
    ),
    "model_too_large": (
        lambda: with_many_weights(10**6),
        lambda: with_many_weights(400),
    ),
    "model_too_small": (
        lambda: made_run(n_trainable_weights=12, **STUCK),
        lambda: made_run(n_trainable_weights=48),
    ),
    "no_better_than_last_value": (lambda: of_walk(0.945), lambda: of_walk(0.96)),
    "non_finite_data": (
        lambda: made_run(loss=np.full(20, np.nan), inputs={"non_finite": 3}),
        lambda: made_run(inputs={"non_finite": 0}),
    ),
    "non_finite_operation": (
        lambda: lost_on_the_way(),
        lambda: lost_on_the_way(ratio=0.2),
    ),
    "non_finite_start": (
        lambda: lost_at_first(),
        lambda: lost_at_first(loss=2.3, gradients=0.0),
    ),
    "non_finite_values": (
        lambda: made_run(loss=np.r_[np.full(10, 1.3), np.full(10, np.nan)]),
        lambda: made_run(loss=np.r_[np.full(10, 1.3), np.full(10, 1e30)]),
    ),
    "non_finite_weights": (lambda: lost_weights(1), lambda: lost_weights()),
    "normalization_lag": (
        lambda: in_inference(made_run(second=NORMALIZED), loss=1.1, skill=0.3),
        lambda: in_inference(made_run(second=NORMALIZED), loss=0.25, skill=0.88),
    ),
    "normalization_small_batch": (
        lambda: made_run(second={"batch_normalizes": True}, facts={"batch_size": 4}),
        lambda: made_run(second={"batch_normalizes": True}, facts={"batch_size": 8}),
    ),
    "nothing_to_train": (
        lambda: made_run(n_trainable_weights=0),
        lambda: made_run(n_trainable_weights=1),
    ),
    "oscillating_loss": (
        lambda: made_run(loss=1.0 + 0.6 * np.sin(EPOCHS * 2.0)),
        lambda: made_run(loss=1.0 + 0.01 * np.sin(EPOCHS * 2.0)),
    ),
    "output_activation_mismatch": (
        lambda: with_output(made_run(), units=1),
        lambda: with_output(made_run(), units=4),
    ),
    "overfitting": (
        lambda: with_rising_validation(0.03),
        lambda: with_rising_validation(0.0),
    ),
    "plateau": (
        lambda: made_run(**STUCK),
        lambda: made_run(loss=STUCK["loss"]),  # it had learned before, and still has
    ),
    "poor_initialization": (
        lambda: made_run(first={"gain": 20.0}),
        lambda: made_run(first={"gain": 2.0}),
    ),
    "regularization_too_strong": (
        lambda: made_run(second={"dropout": 0.95}),
        lambda: made_run(second={"dropout": 0.5}),
    ),
    "repeated_batches": (
        lambda: with_batches(made_run(), DRAWN, compared=9, different=1),
        lambda: with_batches(made_run(), DRAWN, compared=9, different=8),
    ),
    "rows_in_order": (
        lambda: with_batches(made_run(**SWINGING), SORTED),
        lambda: with_batches(made_run(**SWINGING), DRAWN),
    ),
    "saturated_units": (
        lambda: made_run(saturated=0.9, **STUCK),
        lambda: made_run(saturated=0.1, **STUCK),
    ),
    "saturating_activations": (
        lambda: deep_net("sigmoid", 4),
        lambda: deep_net("sigmoid", 3),
    ),
    "slow_convergence": (
        lambda: made_run(loss=np.linspace(1.38, 1.3, 20), end_loss=1.38, skill=0.0),
        lambda: made_run(loss=np.linspace(1.38, 0.3, 20), end_loss=0.3, skill=0.9),
    ),
    "stopped_too_early": (
        lambda: made_run(loss=np.linspace(1.4, 0.5, 9), facts={"epochs": 100}),
        lambda: made_run(loss=np.linspace(1.4, 0.5, 9), facts={"epochs": 9}),
    ),
    "order_is_lost": (
        lambda: answering(made_run(**STUCK), order=1e-7),
        lambda: answering(made_run(**STUCK), order=0.3),
    ),
    "random_at_inference": (
        lambda: answering(made_run(), noise=0.4, dropping="first"),
        lambda: answering(made_run(), noise=0.4),  # drawn on purpose, as in a VAE
    ),
    "rows_mixed": (
        lambda: answering(made_run(**STUCK), other_rows=0.3),
        lambda: answering(made_run(**STUCK), other_rows=1e-6),
    ),
    "target_leakage": (
        lambda: made_run(inputs={"target_column": 0}),
        lambda: made_run(inputs={"target_column": None}),
    ),
    "token_ids_out_of_range": (
        lambda: made_run(inputs={**IDS, "beyond_vocabulary": 3}),
        lambda: made_run(inputs=IDS),
    ),
    "too_few_updates": (
        lambda: made_run(**{**STUCK, "steps": 6, "loss": np.array([1.41, 1.40, 1.39])}),
        lambda: made_run(),
    ),
    "train_validation_overlap": (
        lambda: made_run(validation={"overlap": 0.4, "repeats": 0.0}),
        lambda: made_run(validation={"overlap": 0.4, "repeats": 0.4}),
    ),
    "unbalanced_outputs": (
        lambda: made_outputs(age=LARGE, kind=NOT_LEARNED),
        lambda: made_outputs(age=LARGE),
    ),
    "underfitting": (
        lambda: made_run(skill=0.5, reference=0.9, end_loss=0.7),
        lambda: made_run(skill=0.3, reference=0.35, end_loss=1.2),
    ),
    "unknown_cause": (
        lambda: made_run(**STUCK),
        lambda: made_run(),
    ),
    "unmasked_padding": (
        lambda: with_reader(made_run(inputs={**IDS, "padding": 0.8}, **STUCK)),
        lambda: with_reader(made_run(inputs={**IDS, "padding": 0.2}, **STUCK)),
    ),
    "unrepresentative_validation": (
        lambda: made_run(validation={"new_classes": [3]}),
        lambda: made_run(validation={"scale": 1.1, "shift": 0.1}),
    ),
    "unrelated_targets": (
        lambda: by_heart(reference=0.0),
        lambda: by_heart(reference=0.4),
    ),
    "unscaled_inputs": (
        lambda: made_run(inputs={"rms": 120.0}),
        lambda: made_run(inputs={"rms": 3.0}),
    ),
    "unscaled_targets": (
        lambda: of_values(rms=500.0, max=900.0),
        lambda: of_values(rms=5.0, max=9.0),
    ),
    "unused_layers": (
        lambda: with_unused(made_run(**STUCK)),
        lambda: made_run(**STUCK),
    ),
    "vanishing_gradients": (
        lambda: made_run(gradients=(1e-5, 1e-2, 1.0), **STUCK),
        lambda: made_run(gradients=(1e-9, 1e-9, 1e-9), **STUCK),
    ),
    "window_too_short": (
        lambda: of_windows(longer=0.95),
        lambda: of_windows(longer=0.45),
    ),
    "wrong_axis": (
        lambda: made_run(second={"kind": "pooling", "misreads": "first"}, **STUCK),
        lambda: made_run(second={"kind": "pooling"}, **STUCK),
    ),
    "zero_gradients": (
        lambda: made_run(gradients=(0.0, 0.0, 0.0), **STUCK),
        lambda: made_run(gradients=(0.0, 0.0, 1e-20), **STUCK),
    ),
    "zero_weights": (
        lambda: with_batches(made_run(), *weighed(1.0, 0.0, 1.0, 1.0)),
        lambda: with_batches(made_run(), *weighed(1.0, 0.01, 1.0, 1.0)),
    ),
}
"""By the name of the rule: what makes the record that it fires on, and the other."""

RULES = {rule.name: rule for rule in all_rules()}


def test_every_rule_has_a_pair():
    assert sorted(PAIRS) == sorted(RULES)


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_a_rule_fires(name):
    fires, _ = PAIRS[name]
    record = fires()
    finding = RULES[name](Run(record))
    assert isinstance(finding, Finding)
    assert finding.name == name
    assert finding.message.endswith((".", "?"))
    diagnosis = kd.diagnose(record)
    assert name in diagnosis.names


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_a_rule_is_silent(name):
    _, silent = PAIRS[name]
    record = silent()
    assert isinstance(RULES[name](Run(record)), Fine)
    assert name in kd.diagnose(record).checked_fine


ALTERNATIVE = "an alternative to the advice of"
LESS_FIT = ("add_dropout", "add_penalty")
BATCH_SIZE = made_run().facts.batch_size


def wishes(findings):
    """What the advice that stands asks for, as pairs of what and more or less."""
    for finding in findings:
        for advice in finding.remedies:
            if ALTERNATIVE in advice.reason:
                continue
            factor = advice.kwargs.get("factor", advice.kwargs.get("width_factor"))
            if advice.name in ("change_learning_rate", "resize") and factor:
                yield advice.name.replace("resize", "fit"), factor > 1
            elif advice.name in (*LESS_FIT, "remove_penalty"):
                yield "fit", advice.name == "remove_penalty"
            elif advice.name in ("train_longer", "stop_early"):
                yield "epochs", advice.name == "train_longer"
            elif advice.name == "clip_gradients":  # the record has no clipping
                yield "clipping", True
            elif advice.name == "change_batch_size":
                size = advice.kwargs["batch_size"]
                if size != BATCH_SIZE:
                    yield "batch size", size > BATCH_SIZE


@pytest.fixture(scope="module")
def fired():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: fires() for name, (fires, _) in PAIRS.items()}
        return {
            name: replace(RULES[name](Run(record)), severity="warning")
            for name, record in found.items()
        }


@pytest.mark.once
def test_no_two_rules_advise_opposite_things(fired):
    run, n_settled = Run(made_run()), 0
    for first, second in itertools.combinations(fired.values(), 2):
        settled = without_contradictions([first, second], run)
        asked = set(wishes(settled))
        assert len(asked) == len(dict(asked)), (first.name, second.name)
        before = set(wishes([first, second]))
        n_settled += len(before) > len(dict(before))
        for old, new in zip((first, second), settled, strict=True):
            assert len(old.remedies) == len(new.remedies)  # none is lost
    assert n_settled > 20  # pairs that would contradict each other


@pytest.mark.once
@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        ("oscillating_loss", "learning_rate_too_low", "learning_rate_too_low"),
        ("learning_rate_too_high", "too_few_updates", "learning_rate_too_high"),
        ("overfitting", "underfitting", "overfitting"),
        ("underfitting", "overfitting", "underfitting"),
        ("overfitting", "regularization_too_strong", "regularization_too_strong"),
    ],
)
def test_whose_advice_stands(first, second, stands, fired):
    pair = [fired[first], fired[second]]
    settled = without_contradictions(pair, Run(made_run()))
    for finding in settled:
        later = [ALTERNATIVE in advice.reason for advice in finding.remedies]
        assert any(later) is (finding.name != stands)
        assert later == sorted(later)  # what stands comes first
    worse = replace(pair[1], severity="critical")
    settled = without_contradictions([worse, pair[0]], Run(made_run()))
    assert all(ALTERNATIVE not in advice.reason for advice in settled[0].remedies)
