import numpy as np
import pytest

from keras_dlbasic.analysis import GradientEvent, gradient_events
from keras_dlbasic.callbacks.non_finite import first_non_finite
from keras_dlbasic.records import MEASURES, TrainingRecord, VariableInfo


def record_of(norms, *, non_finite=None, skipped=()):
    """Return a record of kernels with the given gradient norms `[n, n_layers]`."""
    norms = np.asarray(norms, float)
    n_layers = norms.shape[1]
    variables = [
        VariableInfo(f"d{i}/kernel", f"d{i}", "kernel", (2, 2), i)
        for i in range(n_layers)
    ]
    record = TrainingRecord(variables)
    for step, row in enumerate(norms):
        measures = np.ones((len(MEASURES), n_layers))
        measures[0] = row
        measures[MEASURES.index("non_finite")] = ~np.isfinite(row)
        scalars = {"epoch": 0, "skipped": step in skipped, "batch_loss": 1.0}
        record.append_step(step, scalars, measures)
    return record


def test_alike_layers_are_fine():
    rng = np.random.default_rng(0)
    for _ in range(50):
        decay = np.exp(-np.linspace(0, 8, 60))[:, None]  # convergence is no fault
        norms = decay * np.exp(rng.normal(0, 1, size=(60, 6)))
        assert gradient_events(record_of(norms)) == []


def test_a_gradient_that_vanishes_layer_by_layer():
    norms = np.tile(np.logspace(-4.5, 0, 6), (20, 1))
    events = gradient_events(record_of(norms))
    assert [(e.kind, e.layer, e.step) for e in events] == [
        ("vanishing", "d0", 0),
        ("vanishing", "d1", 0),
    ]
    assert events[0].value == pytest.approx(10**-4.5)
    assert events[0].reference == "d5"
    assert "layer 'd0', step 1" in str(events[0])


def test_a_single_odd_step_does_not_count():
    norms = np.ones((30, 3))
    norms[7, 0] = 1e-9
    assert gradient_events(record_of(norms)) == []


def test_gradients_that_are_all_zero_are_an_event():
    norms = np.ones((12, 3))
    norms[4:] = 0.0
    (event,) = gradient_events(record_of(norms))
    assert (event.kind, event.step) == ("zero", 4)
    norms[4:, 1] = 1e-30  # one layer still moves
    assert "zero" not in {e.kind for e in gradient_events(record_of(norms))}


def test_events_in_words():
    entries = {1: "1 entry is NaN", 3: "3 entries are NaN"}
    for count, said in entries.items():
        event = GradientEvent("non_finite", "d0", 4, float(count), 0.0)
        assert str(event) == (
            f"Gradient is not finite: layer 'd0', step 5: {said} or infinite."
        )
    # Momentum and weight decay may still move weights.
    zero = str(GradientEvent("zero", "d1", 2, 0.0, 0.0))
    words = " ".join(zero.split())
    assert "first at step 3: the loss does not change any weight" in words


def test_a_gradient_that_explodes_in_time():
    norms = np.ones((30, 2))
    norms[20:] = 1e5
    events = gradient_events(record_of(norms))
    assert [(e.kind, e.step) for e in events] == [("exploding", 20)] * 2
    assert events[0].reference is None


def test_a_gradient_that_grows_towards_the_input():
    norms = np.tile(10.0 ** np.arange(6, 0, -1), (20, 1))
    kinds = {(e.kind, e.layer) for e in gradient_events(record_of(norms))}
    assert ("exploding", "d0") in kinds
    assert ("exploding", "d5") not in kinds


def test_what_is_not_finite():
    norms = np.ones((10, 2))
    norms[4:] = np.nan
    events = gradient_events(record_of(norms))
    assert [(e.kind, e.layer, e.step) for e in events] == [
        ("non_finite", "d0", 4),
        ("non_finite", "d1", 4),
    ]


def test_steps_that_loss_scaling_skipped_do_not_count():
    norms = np.ones((10, 2))
    norms[4] = np.inf
    assert gradient_events(record_of(norms, skipped={4})) == []


def test_an_empty_record():
    assert gradient_events(TrainingRecord()) == []


def test_gradients_that_are_exactly_zero_everywhere():
    norms = np.ones((30, 3))
    norms[12:] = 0.0
    (event,) = [e for e in gradient_events(record_of(norms)) if e.kind == "zero"]
    assert (event.layer, event.step) == ("d2", 12)
    assert "exactly zero, first at step 13" in str(event)
    assert gradient_events(record_of(np.zeros((4, 3)))) == []  # too few steps
    norms[12:, 1] = 1e-30
    assert "zero" not in {e.kind for e in gradient_events(record_of(norms))}


def test_zero_gradients_of_a_zero_loss_are_no_event():
    record = record_of(np.ones((1, 2)))
    for step in range(1, 20):
        measures = np.zeros((len(MEASURES), 2))
        record.append_step(step, {"epoch": 0, "batch_loss": 0.0}, measures)
    assert gradient_events(record) == []


def test_the_first_step_that_is_not_finite_without_stopping():
    norms = np.ones((10, 2))
    norms[4] = np.inf  # skipped by loss scaling
    norms[6:, 1] = np.nan
    record = record_of(norms, skipped={4})
    report = first_non_finite(record)
    assert (report.step, report.stopped) == (6, False)
    assert report.gradients == ("d1/kernel",)
    assert report.weights_before == ()
    assert report.last_finite_step == 5
    assert report.last_finite_norms == {"d0/kernel": 1.0, "d1/kernel": 1.0}
    assert str(report).startswith("First seen at step 7 (epoch 1): the gradients")
    assert first_non_finite(record, since=8).step == 8
    assert first_non_finite(record_of(np.ones((3, 2)))) is None
    assert first_non_finite(TrainingRecord()) is None
