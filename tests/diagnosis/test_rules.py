"""Each rule on a record made by hand, where it has to speak and where not."""

import numpy as np
import pytest
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.analysis.landscape import critical_point
from keras_dlbasic.records import MEASURES, LayerTable

SOFTMAX_OF_ONE = {
    "outputs": [{"name": "out", "activation": "softmax", "units": 1, "rank": 2}]
}


def serious(record):
    return {finding.name for finding in kd.diagnose(record).at_least("warning")}


def with_network(record, **changes):
    with edited_facts(record) as facts:
        facts["network"].update(changes)
    return record


def test_a_healthy_run_is_silent():
    diagnosis = kd.diagnose(made_run())
    assert diagnosis.is_healthy
    assert len(diagnosis.checked_fine) > 20


def test_vanishing_gradients_count_only_where_nothing_is_learned():
    gradients = (1e-5, 1e-2, 1.0)
    stuck = kd.diagnose(made_run(gradients=gradients, **STUCK))
    found = next(f for f in stuck if f.name == "vanishing_gradients")
    assert (found.severity, found.layer) == ("critical", "first")
    assert found.value == pytest.approx(1e-5, rel=1e-3)
    assert found.threshold == 1e-3
    assert serious(made_run(gradients=gradients)) == set()


def test_small_gradients_of_all_layers_do_not_vanish():
    assert "vanishing_gradients" not in serious(made_run(gradients=(1e-9,) * 3))


def test_exploding_gradients():
    run = made_run(gradients=(1e5, 1e2, 1.0), **STUCK)
    assert "exploding_gradients" in serious(run)


def test_dead_units_and_what_kills_them():
    diagnosis = kd.diagnose(made_run(dead=1.0, ratio=0.5, **STUCK))
    dead = next(f for f in diagnosis if f.name == "dead_units")
    assert (dead.layer, dead.value, dead.severity) == ("second", 1.0, "critical")
    assert diagnosis[0].name == "learning_rate_too_high"
    assert dead in diagnosis.symptoms_of(diagnosis[0])
    assert serious(made_run(dead=1.0)) == set()  # it has learned none the less


def test_few_rows_tell_of_dead_units_if_there_are_no_others():
    few = {"probe": {"rows": 7, "baseline_loss": 1.4}}
    run = made_run(dead=1.0, facts=few, **STUCK)
    assert "needs 16" in kd.diagnose(run).skipped["dead_units"]
    with edited_facts(run) as facts:
        facts["data"]["n_rows"] = 7
    assert "dead_units" in serious(run)


def test_a_layer_that_passes_nothing_on_is_no_unknown_cause():
    assert "unknown_cause" in serious(made_run(dead=0.6, **STUCK))
    assert "unknown_cause" not in serious(made_run(dead=1.0, **STUCK))


def test_weights_that_were_too_large_before_any_step_come_before_the_rate():
    growing = np.geomspace(100.0, 1e4, 60)
    thrown = {**STUCK, "loss": np.linspace(40.0, 30.0, 20)}
    thrown |= {"rates": np.full(60, 0.05), "second": {"gain": 30.0}}
    run = made_run(ratio=2.0, weights=growing, **thrown)
    names = kd.diagnose(run).names
    first, second = "poor_initialization", "learning_rate_too_high"
    assert names.index(first) < names.index(second)


def test_units_that_are_dead_from_the_begin_are_the_weights_fault():
    diagnosis = kd.diagnose(made_run(dead=1.0, dead_before=1.0, **STUCK))
    assert diagnosis[0].name == "poor_initialization"


def test_saturated_units():
    assert "saturated_units" in serious(made_run(saturated=0.9, **STUCK))


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (np.r_[np.full(10, 1.3), np.full(10, np.nan)], "non_finite_values"),
        (np.linspace(1.4, 40, 20), "diverging_loss"),
        (1.0 + 0.6 * np.sin(np.arange(40) * 2.0), "oscillating_loss"),
    ],
)
def test_curves(loss, name):
    assert name in serious(made_run(loss=loss))


def test_weights_lost_before_the_first_step_are_not_the_datas_fault():
    """As of a model that goes on after a training that ended in NaN."""
    record = made_run(loss=np.full(10, np.nan))
    record._rows.measures[0, MEASURES.index("weight_norm"), 1] = np.nan
    record._rows.measures[:, MEASURES.index("non_finite")] = 16.0
    diagnosis = kd.diagnose(record)
    assert diagnosis[0].name == "non_finite_weights"
    assert diagnosis[0].layer == "second"
    assert [remedy.name for remedy in diagnosis[0].remedies] == [None, "initialize"]
    values = next(f for f in diagnosis if f.name == "non_finite_values")
    assert "non_finite_weights" in values.explained_by


def test_a_loss_that_rises_to_infinity_is_said_in_words():
    batches = np.r_[1.4, 500.0, np.full(58, np.inf)]
    diagnosis = kd.diagnose(made_run(batch_loss=batches, **STUCK))
    assert diagnosis[0].name == "learning_rate_too_high"
    assert "inf" not in diagnosis[0].message


def test_what_is_skipped_for_values_that_are_not_finite_says_so():
    record = made_run(val_loss=np.full(20, np.nan), end_loss=np.nan, skill=np.nan)
    skipped = kd.diagnose(record).skipped
    assert skipped["overfitting"] == "`val_loss` is not finite in any epoch"
    assert skipped["plateau"].startswith("the predictions on the probe are not finite")


def test_classes_missing_from_validation_come_before_a_large_model():
    val = np.r_[np.linspace(1.3, 0.6, 8), np.linspace(0.7, 2.5, 12)]
    record = made_run(val_loss=val, validation={"missing_classes": [0, 1]})
    diagnosis = kd.diagnose(with_network(record, n_trainable_weights=10**6))
    causes = [(c.name, c.severity) for c in diagnosis.causes if c.rank]
    assert causes == [
        ("unrepresentative_validation", "critical"),
        ("model_too_large", "critical"),
    ]
    silent = kd.diagnose(made_run(validation={"missing_classes": [0, 1]}))
    assert silent[0].severity == "warning"  # where nothing comes of it


def test_overfitting_of_a_model_that_never_learned_says_so():
    loss, val = np.linspace(1.38, 0.5, 20), np.linspace(3.0, 9.0, 20)
    diagnosis = kd.diagnose(made_run(loss=loss, val_loss=val))
    found = next(f for f in diagnosis if f.name == "overfitting")
    assert "never better than that of a constant prediction" in found.message
    assert found.value is None
    assert "inf" not in str(diagnosis)


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (None, "the model was not run"),
        ({"failed": "ValueError: bad"}, "ValueError: bad"),
        (
            {"rows": 9, "baseline_loss": None},
            "a constant prediction could not be computed",
        ),
        ({"rows": 9, "baseline_loss": 0.0}, "the targets are all the same"),
    ],
)
def test_why_it_is_not_known_what_a_run_came_to(probe, words):
    record = made_run(end_loss=np.nan, skill=np.nan)
    with edited_facts(record) as facts:
        facts["probe"] = probe
    assert words in kd.diagnose(record).skipped["plateau"]


def test_weights_are_lost_only_where_that_is_seen():
    lost, non_finite = MEASURES.index("weight_norm"), MEASURES.index("non_finite")
    record = made_run()
    assert (
        "all weights were finite"
        in kd.diagnose(record).checked_fine["non_finite_weights"]
    )
    record._rows.measures[:, lost] = np.nan  # of a record that does not hold norms
    assert "non_finite_weights" in kd.diagnose(record).skipped
    with_network(record, layers=[])
    assert "non_finite_weights" in kd.diagnose(record).skipped
    record._rows.measures[0, non_finite] = 3.0
    assert kd.diagnose(record)[0].name == "non_finite_weights"
    with_network(record, layers=[{"label": "norm", "n_non_finite": 2}])
    found = kd.diagnose(record)[0].evidence["layers"]
    assert found == ["first", "second", "out", "norm"]


def test_noise_of_a_loss_near_zero_does_not_oscillate():
    noise = np.abs(np.random.default_rng(0).normal(size=40))
    assert serious(made_run(loss=0.01 * noise)) == set()


def test_learning_rate_too_low():
    diagnosis = kd.diagnose(made_run(ratio=1e-6, **STUCK))
    assert diagnosis[0].name == "learning_rate_too_low"
    assert {"plateau", "underfitting"} <= {s.name for s in diagnosis.symptoms}
    assert serious(made_run(ratio=1e-6)) == set()  # converged, or fine-tuned


def test_learning_rate_too_high_by_the_rise_of_the_loss():
    batches = np.r_[1.4, np.full(59, 500.0)]
    diagnosis = kd.diagnose(made_run(batch_loss=batches, **STUCK))
    assert diagnosis[0].name == "learning_rate_too_high"
    assert diagnosis[0].step == 5


def test_too_few_updates_and_too_large_batches():
    short = {"loss": np.array([1.41, 1.40, 1.39]), "end_loss": 1.385, "skill": 0.02}
    run = made_run(
        steps=6, ratio=2e-3, facts={"steps_per_epoch": 1, "batch_size": 500}, **short
    )
    names = serious(run)
    assert {"too_few_updates", "batch_size_too_large"} <= names


@pytest.mark.parametrize(
    ("steps", "first"), [(1, "change_batch_size"), (6, "train_longer")]
)
def test_few_updates_in_an_epoch_call_for_smaller_batches(steps, first):
    facts = {"steps_per_epoch": steps, "batch_size": 500, "epochs": 3}
    short = {"loss": np.array([1.41, 1.40, 1.39]), "end_loss": 1.385, "skill": 0.02}
    run = made_run(steps=6, ratio=2e-3, facts=facts, **short)
    few = next(f for f in kd.diagnose(run) if f.name == "too_few_updates")
    assert few.remedies[0].name == first


def test_overfitting_is_weighed_by_what_is_lost():
    t = np.arange(40)
    falling = np.exp(-t / 8) + 0.01
    harmless = 0.1 + np.exp(-t / 3) + 0.001 * np.maximum(0, t - 15)
    harmful = 0.4 + np.exp(-t / 3) + 0.03 * np.maximum(0, t - 15)
    assert serious(made_run(loss=falling, val_loss=harmless, end_loss=0.02)) == set()
    assert "overfitting" in serious(made_run(loss=falling, val_loss=harmful))


def test_memorised_rows_need_no_rising_loss():
    loss = np.exp(-np.arange(20) / 3)
    run = made_run(loss=loss, val_loss=0.7 + 0.5 * loss, end_loss=0.001, skill=1.0)
    assert "overfitting" in serious(run)


def test_a_run_that_was_stopped_early_is_not_blamed():
    t = np.arange(40)
    val = 0.4 + np.exp(-t / 3) + 0.03 * np.maximum(0, t - 15)
    run = made_run(loss=np.exp(-t / 8), val_loss=val, facts={"epochs": 200})
    assert serious(run) == set()


def test_underfitting_is_told_by_what_simple_predictors_reach():
    assert "underfitting" in serious(made_run(skill=0.5, reference=0.9, end_loss=0.7))
    assert serious(made_run(skill=0.3, reference=0.35, end_loss=1.2)) == set()


def test_constant_predictions():
    diagnosis = kd.diagnose(made_run(spread=1e-5, **STUCK))
    assert "constant_predictions" in diagnosis.names


def test_softmax_of_one_explains_the_flat_loss():
    run = with_network(made_run(**STUCK), **SOFTMAX_OF_ONE)
    diagnosis = kd.diagnose(run)
    assert diagnosis[0].name == "output_activation_mismatch"
    plateau = next(f for f in diagnosis if f.name == "plateau")
    assert plateau.explained_by[0] == "output_activation_mismatch"
    assert [f.kind for f in diagnosis] == sorted(f.kind for f in diagnosis)


@pytest.mark.parametrize(
    ("loss", "activation", "units", "targets", "severity"),
    [
        ("mse", "sigmoid", 1, {"kind": "continuous", "min": 3, "max": 103}, "critical"),
        ("mse", "linear", 1, {"kind": "continuous", "min": 3, "max": 103}, None),
        ("mse", "relu", 1, {"kind": "continuous", "min": -2, "max": 2}, "critical"),
        ("binary_crossentropy", "linear", 1, {"kind": "binary", "max": 1}, "critical"),
        ("binary_crossentropy", "sigmoid", 1, {"kind": "binary", "max": 1}, None),
        (
            "categorical_crossentropy",
            "softmax",
            5,
            {"kind": "multi_label", "max": 1},
            "critical",
        ),
        (
            {"class_name": "SparseCategoricalCrossentropy", "from_logits": True},
            "softmax",
            4,
            {},
            "warning",
        ),
        (
            {"class_name": "SparseCategoricalCrossentropy", "from_logits": True},
            None,
            4,
            {},
            None,
        ),
        (
            "categorical_crossentropy",
            "sigmoid",
            3,
            {"kind": "one_hot", "max": 1},
            "info",
        ),
    ],
)
def test_output_activations(loss, activation, units, targets, severity):
    output = {"name": "out", "activation": activation, "units": units, "rank": 2}
    run = with_network(
        made_run(targets=targets, facts={"loss": loss}), outputs=[output]
    )
    found = [
        f.severity for f in kd.diagnose(run) if f.name == "output_activation_mismatch"
    ]
    assert found == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("loss", "targets", "wrong"),
    [
        ("binary_crossentropy", {"kind": "continuous", "min": -3.0}, True),
        ("sparse_categorical_crossentropy", {"max": 7.0}, True),
        ("sparse_categorical_crossentropy", {}, False),
        ("categorical_crossentropy", {"n_columns": 1}, True),
        ("mse", {"kind": "continuous"}, False),
    ],
)
def test_losses(loss, targets, wrong):
    run = made_run(targets=targets, facts={"loss": loss})
    assert ("loss_target_mismatch" in serious(run)) == wrong


def test_risks_count_only_where_they_explain_harm():
    scaled = {"inputs": {"rms": 120.0}}
    assert serious(made_run(**scaled)) == set()
    diagnosis = kd.diagnose(made_run(**scaled, **STUCK))
    assert diagnosis[0].name == "unscaled_inputs"
    assert diagnosis[0].severity == "critical"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"targets": {"is_constant": True}}, "constant_targets"),
        ({"inputs": {"is_constant": True}}, "constant_inputs"),
        ({"validation": {"overlap": 0.4, "repeats": 0.0}}, "train_validation_overlap"),
        ({"validation": {"new_classes": [3]}}, "unrepresentative_validation"),
        ({"n_trainable_weights": 0}, "nothing_to_train"),
        ({"first": {"units_alike": True}, "skill": 0.75}, "poor_initialization"),
    ],
)
def test_certain_causes(changes, name):
    assert serious(made_run(**changes)) == {name}


def test_values_that_are_not_finite_and_do_no_harm():
    part = {"targets": {"non_finite": 3}}
    lost = np.r_[1.0, np.full(19, np.nan)]
    assert kd.diagnose(made_run(loss=lost, **part))[0].name == "non_finite_data"
    ignored = kd.diagnose(made_run(**part))  # by a custom loss, say
    (finding,) = (f for f in ignored if f.name == "non_finite_data")
    assert finding.severity == "info"
    assert "seem to be ignored" in finding.message


def test_coarse_data_repeat_by_themselves():
    seen = {"overlap": 0.4, "repeats": 0.4}
    assert serious(made_run(validation=seen)) == set()  # an older record
    coarse = {**seen, "repeats_by_nature": True}
    assert serious(made_run(validation=coarse)) == set()
    continuous = {**seen, "repeats_by_nature": False}
    assert serious(made_run(validation=continuous)) == {"train_validation_overlap"}
    assert serious(made_run(validation={**continuous, "blank": 0.38})) == set()


@pytest.mark.parametrize(("overlap", "named"), [(0.53, False), (0.7, True)])
def test_rows_that_repeat_by_themselves_differ_by_chance(overlap, named):
    """Of 1,296 rows that there are, 900 for training."""
    facts = {"overlap": overlap, "repeats": 0.47, "repeats_by_nature": True}
    sizes = {"n_rows": 300, "compared_with": 300, "compared_rows": 900}
    run = made_run(validation={**facts, **sizes})
    assert ("train_validation_overlap" in serious(run)) is named


@pytest.mark.parametrize(
    ("name", "share", "words"),
    [
        ("near_copies", 0.5, "near-copies"),
        ("near_copies", 0.1, None),
        ("shared_pieces", 0.9, "overlap with"),
        ("shared_pieces", 0.2, None),
    ],
)
def test_rows_that_are_nearly_in_training(name, share, words):
    run = made_run(validation={"overlap": 0.0, "repeats": 0.0, name: share})
    found = [f for f in kd.diagnose(run) if f.name == "train_validation_overlap"]
    assert [words in f.message for f in found] == ([True] if words else [])


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"first": {"gain": 20.0}}, "poor_initialization"),
        (
            {k: {"activation": "sigmoid", "gain": 1.0} for k in ("first", "second")}
            | {"facts": {}},
            None,
        ),
        (
            {k: {"activation": "exponential"} for k in ("first", "second")},
            "exploding_activations",
        ),
        (
            {k: {"activation": None} for k in ("first", "second")},
            "missing_nonlinearity",
        ),
        ({"second": {"dropout": 0.95}}, "regularization_too_strong"),
        (
            {"second": {"batch_normalizes": True}, "facts": {"batch_size": 2}},
            "normalization_small_batch",
        ),
    ],
)
def test_risks_named_first_where_nothing_is_learned(changes, name):
    names = [f.name for f in kd.diagnose(made_run(**changes, **STUCK)).causes]
    assert (names[0] == name) if name else "saturating_activations" not in names


def test_penalties_that_shrink_the_weights():
    run = made_run(
        first={"penalty": "L2"}, weights=np.geomspace(1, 1e-3, 60), penalty=3.0, **STUCK
    )
    assert kd.diagnose(run)[0].name == "regularization_too_strong"


@pytest.mark.parametrize(
    ("epochs", "size"), [(3, 8), (10, 16), (40, 32)], ids=["short", "middle", "long"]
)
def test_smaller_batches_where_there_would_be_few_updates(epochs, size):
    facts = {"steps_per_epoch": 1, "batch_size": 500, "epochs": epochs}
    stuck = {**STUCK, "loss": np.ones(epochs)}
    found = kd.diagnose(made_run(steps=epochs, facts=facts, **stuck))
    remedies = {
        r.kwargs["batch_size"]
        for finding in found
        for r in finding.remedies
        if r.name == "change_batch_size"
    }
    assert remedies == {size}


@pytest.mark.parametrize("size", [4, 8])
def test_no_larger_batches_are_advised_for_more_updates(size):
    facts = {"steps_per_epoch": 16, "batch_size": size, "epochs": 1}
    stuck = {**STUCK, "loss": np.ones(1)}
    found = kd.diagnose(made_run(steps=1, facts=facts, **stuck))
    few = next(finding for finding in found if finding.name == "too_few_updates")
    assert "change_batch_size" not in [remedy.name for remedy in few.remedies]


def test_oscillation_of_tiny_batches():
    loss = 1.0 + 0.6 * np.sin(np.arange(40) * 2.0)
    diagnosis = kd.diagnose(made_run(loss=loss, facts={"batch_size": 1}))
    assert diagnosis[0].name == "batch_size_too_small"


def test_thresholds_can_be_set():
    run = made_run(dead=0.6, **STUCK)
    assert "dead_units" in serious(run)
    strict = kd.diagnose(run, thresholds={"dead_units": {"most": 0.7}})
    assert "dead_units" in strict.checked_fine
    with pytest.raises(ValueError, match="names no rule"):
        kd.diagnose(run, thresholds={"unknown": {}})


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("minimum", "local minimum"),
        ("saddle", "saddle point"),
        ("plateau", "dead or saturated"),
        ("degenerate", "start at zero"),
        ("not_stationary", "gradient is not zero"),
    ],
)
def test_a_plateau_says_what_it_lies_on(verdict, words):
    names = (*critical_point.MEASURES, "verdict")
    run = made_run(**STUCK)
    table = run.tables["curvature"] = LayerTable(("model",), names)
    row = {name: [0.5] for name in names}
    table.append(99, 9, {**row, "verdict": [critical_point.VERDICTS.index(verdict)]})
    plateau = next(f for f in kd.diagnose(run) if f.name == "plateau")
    assert words in plateau.message
    assert plateau.evidence["point"] == verdict


def test_records_that_call_the_skill_a_score_are_judged_alike():
    for options in ({}, {"skill": 0.5, "reference": 0.9, "end_loss": 0.7}, STUCK):
        record = made_run(**options)
        table = record.tables["probe"]
        names = [{"skill": "score"}.get(m, m) for m in table.measures]
        older = LayerTable(("model",), (*names, "score_error"))
        for row, (step, epoch) in enumerate(
            zip(table.steps, table.epochs, strict=True)
        ):
            values = {
                n: table[m][row] for n, m in zip(names, table.measures, strict=True)
            }
            older.append(int(step), int(epoch), {**values, "score_error": [np.nan]})
        expected = kd.diagnose(record)
        record.tables["probe"] = older
        assert kd.diagnose(record) == expected


TRAITS = {
    "too_few_updates": {"steps": 6},
    "batch_size_too_small": {"facts": {"batch_size": 2}},
    "batch_size_too_large": {"facts": {"steps_per_epoch": 1, "batch_size": 500}},
    "model_too_small": {"n_trainable_weights": 12},
    "learning_rate_too_low": {"ratio": 1e-6},
    "learning_rate_too_high": {"ratio": 0.5},
}
"""What makes a run with a trait that may or may not do harm."""


@pytest.mark.parametrize("name", TRAITS)
def test_a_trait_with_which_a_run_has_learned_is_not_noted(name):
    learned = kd.diagnose(made_run(**TRAITS[name]))
    assert name in learned.checked_fine
    unclear = kd.diagnose(made_run(end_loss=1.33, skill=0.1, **TRAITS[name]))
    assert name in unclear.names


def test_losing_next_to_nothing_again_is_not_noted():
    val = np.r_[np.linspace(1.3, 0.1, 20), np.linspace(0.1, 0.12, 20)]
    loss = np.geomspace(1.4, 0.01, 40)
    fine = kd.diagnose(made_run(loss=loss, val_loss=val)).checked_fine
    assert fine["overfitting"].startswith("1.")


def test_ids_are_not_asked_for_where_no_layer_takes_them():
    assert "token_ids_out_of_range" in kd.diagnose(made_run()).checked_fine
    record = made_run(first={"kind": "embedding"})
    assert "token_ids_out_of_range" in kd.diagnose(record).skipped


@pytest.mark.parametrize(
    ("reads", "found"), [(True, True), (False, False), (None, False)]
)
def test_same_targets_count_where_the_loss_reads_them(reads, found):
    record = made_run(
        facts={"loss": {"class_name": "margin", "own": True}},
        targets={"is_constant": True},
    )
    with edited_facts(record) as facts:
        facts["probe"]["reads_targets"] = reads
    diagnosis = kd.diagnose(record)
    assert ("constant_targets" in diagnosis.names) is found
    assert ("constant_targets" in diagnosis.skipped) is (reads is None)


def test_a_likelihood_near_zero_is_no_scale():
    noise = 0.03 * np.sin(np.arange(30) * 2.0)
    falling = 1.5 * np.exp(-np.arange(30) / 3) - 0.3 + noise
    record = made_run(loss=falling, facts={"probe": {"baseline_loss": 0.02}})
    assert "oscillating_loss" not in kd.diagnose(record).names
    swinging = falling + 0.4 * np.sin(np.arange(30) * 2.0)
    record = made_run(loss=swinging, facts={"probe": {"baseline_loss": 0.02}})
    assert "oscillating_loss" in kd.diagnose(record).names


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        (np.geomspace(1e-3, 5.0, 60), True),
        (np.full(60, 1e-3), False),
        (np.geomspace(5.0, 1e-3, 60), False),
    ],
)
def test_a_rate_that_climbs_until_what_was_learned_is_lost(rates, found):
    loss = np.r_[np.linspace(1.4, 0.6, 12), np.linspace(1.5, 4.0, 8)]
    record = made_run(loss=loss, end_loss=4.0, skill=0.0, rates=rates)
    diagnosis = kd.diagnose(record)
    assert ("learning_rate_too_high" in diagnosis.names) is found
    falling = made_run(loss=np.linspace(1.4, 0.6, 20), rates=rates)
    assert "learning_rate_too_high" not in kd.diagnose(falling).names


@pytest.mark.parametrize("loss", ["poisson", "mse"])
def test_only_of_a_loss_that_ends_at_zero_a_share_remains(loss):
    curve = 1.4 * np.exp(-np.arange(30) / 3)
    record = made_run(
        loss=curve + 1e-3, val_loss=curve + 0.9, end_loss=1e-3, facts={"loss": loss}
    )
    memorized = "overfitting" in kd.diagnose(record).names
    assert memorized is (loss == "mse")


def test_a_number_for_missing_values_is_named():
    stuck = {**STUCK, "inputs": {"rms": 180.0, "placeholder": -999.0}}
    (found,) = (
        f for f in kd.diagnose(made_run(**stuck)) if f.name == "unscaled_inputs"
    )
    assert found.severity == "critical"
    assert "-999" in found.message
    assert "missing_values=-999" in found.remedies[0].code
