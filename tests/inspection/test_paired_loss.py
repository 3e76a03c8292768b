"""What a loss that is not known says of a model, held against models that are known."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers as L
from keras import ops
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.areas import AREAS
from keras_dlbasic.diagnosis.outcome import outcome_of
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.inspection.paired_loss import paired_loss
from keras_dlbasic.records.probe_facts import PairedFacts

N = 160
RNG = np.random.default_rng(4)
X = RNG.normal(size=(N, 5)).astype("float32")
SLOPES = RNG.normal(size=(5, 1)).astype("float32")
VALUES = X @ SLOPES


def quantiles(t, p):
    return ops.mean(ops.maximum(0.9 * (t - p), -0.1 * (t - p)), axis=-1)


def among_the_batch(first, second):
    near = ops.matmul(first, ops.transpose(second))
    return -ops.mean(ops.diagonal(ops.log_softmax(near, axis=-1)))


def linear(slopes, loss=quantiles, kind=keras.Sequential):
    inputs = keras.Input((5,))
    output = L.Dense(1, use_bias=False)
    model = (
        kind([inputs, output])
        if kind is keras.Sequential
        else kind(inputs, output(inputs))
    )
    output.kernel.assign(slopes)
    model.compile("sgd", loss)
    return model


class Squares(keras.Model):
    """Subtracts outputs (n, 1) from targets as they come; counts its calls."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        if not hasattr(self, "calls"):
            self.calls = self.add_weight(initializer="zeros", trainable=False)
        self.calls.assign_add(1.0)
        return ops.mean(ops.square(y - y_pred))


class Views(keras.Model):
    """Compares two outputs with each other, and no targets."""

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        return among_the_batch(*y_pred)


def follows(facts, **changes):
    record = made_run(skill=np.nan, loss=np.full(12, 0.5))
    probe = replace(record.facts.probe, baseline_loss=None, paired=facts)
    record.note(probe=probe, **changes)
    return outcome_of(record).follows


def test_a_model_that_is_right():
    facts = paired_loss(linear(SLOPES), X, VALUES)
    assert facts.loss == pytest.approx(0, abs=1e-6)
    assert facts.dealt > 10 * facts.error > 0
    assert facts.by_row
    assert facts.reads_targets
    assert follows(facts) is True


@pytest.mark.parametrize("seed", range(5))
def test_a_model_that_is_about_something_else(seed):
    y = np.random.default_rng(seed).normal(size=(N, 1)).astype("float32")
    assert follows(paired_loss(linear(SLOPES), X, y)) is False


def test_rows_in_order_are_parted_at_random():
    order = np.argsort(VALUES[:, 0])
    assert follows(paired_loss(linear(SLOPES), X[order], VALUES[order])) is True


def test_a_loss_that_makes_a_table_of_all_with_all():
    model = linear(SLOPES, None, Squares)
    facts = paired_loss(model, X, VALUES[:, 0])
    assert facts.loss == pytest.approx(facts.dealt, rel=1e-6)
    assert facts.reads_targets
    assert not facts.by_row
    assert facts.makes_table
    assert follows(facts) is None
    assert follows(paired_loss(model, X, VALUES)) is True


def test_predictions_that_are_all_the_same_may_be_exchanged():
    class Right(Squares):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return ops.mean(ops.square(ops.expand_dims(y, -1) - y_pred))

    collapsed = paired_loss(linear(0 * SLOPES, None, Right), X, VALUES[:, 0])
    assert not collapsed.makes_table
    assert not paired_loss(linear(SLOPES, None, Right), X, VALUES[:, 0]).makes_table


def test_a_loss_of_whole_batches_makes_no_table():
    class Moments(Squares):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return ops.square(ops.mean(y) - ops.mean(y_pred) + 1.0)

    assert not paired_loss(linear(SLOPES, None, Moments), X, VALUES[:, 0]).makes_table


class Annealed:
    """A loss that counts its calls, or keeps a tensor."""

    def __init__(self, center=None):
        self.weight, self.center = 1.0, center

    def __call__(self, t, p):
        self.weight *= 0.9
        return self.weight * quantiles(t, p)


def test_what_a_loss_counts_stays_as_it_is():
    loss = Annealed()
    assert paired_loss(linear(SLOPES, loss), X, VALUES) is not None
    assert loss.weight == 1.0
    kept = Annealed(ops.zeros(3))
    assert paired_loss(linear(SLOPES, kept), X, VALUES) is None
    assert kept.weight == 1.0


def test_the_state_stays_as_it_is():
    model = linear(SLOPES, None, Squares)
    model.compute_loss(y=ops.convert_to_tensor(VALUES), y_pred=model(X))
    assert float(ops.convert_to_numpy(model.calls)) == 1
    paired_loss(model, X, VALUES)
    assert float(ops.convert_to_numpy(model.calls)) == 1


def test_outputs_that_are_compared_with_each_other():
    inputs = keras.Input((5,))
    model = Views(inputs, [L.Identity()(inputs), L.Rescaling(3.0)(inputs)])
    model.compile("sgd")
    facts = paired_loss(model, X, None)
    assert not facts.reads_targets
    assert follows(facts) is True


@pytest.mark.parametrize(
    ("loss", "x", "y"),
    [
        (lambda t, p: ops.mean(p) * np.nan, X, VALUES),
        (lambda t, p: t.nothing, X, VALUES),
        (quantiles, X[:7], VALUES[:7]),
        (quantiles, X, VALUES[:-1]),
    ],
)
def test_what_cannot_be_told(loss, x, y):
    assert paired_loss(linear(SLOPES, loss), x, y) is None


NOTHING = PairedFacts(loss=0.5, dealt=0.501, error=0.002, by_row=True)


def test_little_evidence_is_none():
    assert follows(NOTHING) is False
    assert follows(replace(NOTHING, by_row=False)) is None
    assert follows(replace(NOTHING, dealt=0.5, error=1e-8)) is None
    assert follows(replace(NOTHING, dealt=0.506)) is None
    assert follows(replace(NOTHING, dealt=0.515)) is True


def test_statistics_of_a_normalization_may_lag_behind():
    record = made_run(second={"batch_normalizes": True}, skill=np.nan)
    probe = replace(record.facts.probe, baseline_loss=None, paired=NOTHING)
    record.note(probe=probe)
    assert outcome_of(record).follows is None


def test_a_step_of_ones_own_may_train_by_another_loss():
    assert follows(NOTHING, own_loss=("train_step",)) is None
    assert follows(replace(NOTHING, dealt=0.6), own_loss=("train_step",)) is True


def run_of(facts, **changes):
    record = made_run(skill=np.nan, loss=np.full(12, 0.5))
    loss = {"class_name": "mine", "own": True}
    probe = replace(record.facts.probe, baseline_loss=None, truth=None, paired=facts)
    record.note(probe=probe, loss=loss, **changes)
    return record


def named(record, name):
    return next(f for f in kd.diagnose(record) if f.name == name)


def test_nothing_learned_by_a_loss_of_ones_own_is_named():
    diagnosis = kd.diagnose(run_of(NOTHING))
    message = named(run_of(NOTHING), "plateau").message
    assert "same loss if its predictions are exchanged between samples" in message
    assert "exchanged between samples" in diagnosis.outcome


def test_a_model_with_a_loss_of_ones_own_is_judged():
    diagnosis = kd.diagnose(run_of(replace(NOTHING, dealt=0.9)))
    assert AREAS["predictions"] not in diagnosis.coverage.missing
    assert AREAS["predictions"] in kd.diagnose(run_of(None)).coverage.missing
    assert "disagreeing_loss" in diagnosis.checked_fine
    assert not {"plateau", "unknown_cause"} & set(diagnosis.names)
    assert Run(run_of(None)).outcome.learned is None


def test_a_loss_without_pairs_is_named_only_with_its_reason():
    blind = PairedFacts(loss=0.5, dealt=0.5, error=0.0, makes_table=True)
    record = run_of(blind)
    (target,), (output,) = record.facts.targets, record.facts.outputs
    assert "disagreeing_loss" in kd.diagnose(record).skipped
    table = {
        "data": replace(record.facts.data, targets=(replace(target, shape=(64,)),)),
        "model": replace(record.facts.model, outputs=(replace(output, shape=(64, 1)),)),
    }
    record.note(**table)
    finding = named(record, "disagreeing_loss")
    assert finding.severity == "critical"
    assert "(n,) and outputs of shape (n, 1) broadcast to (n, n)" in finding.message
