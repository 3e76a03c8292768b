"""Models of any kind are judged: several outputs, built late, with open axes."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.diagnosis import Run

L = keras.layers
ops = keras.ops
RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 6)).astype("float32")
VALUE = (X[:, :1] - X[:, 1:2]).astype("float32")
KIND = (X[:, 2] > 0).astype("int32")
SPARSE = "sparse_categorical_crossentropy"


def fitted(model, x, y, *, given=None, epochs=2, **options):
    doctor = kd.callbacks.TrainingDoctor(*(given or (x, y)), verbose=0)
    history = model.fit(
        x, y, epochs=epochs, verbose=0, callbacks=[doctor], batch_size=40, **options
    )
    return doctor, history.history


class TwoHeads(keras.Model):
    """Gives a dictionary, and has no weights before it is called."""

    def __init__(self, as_list=False):
        super().__init__()
        self.hidden = L.Dense(16, "relu", name="hidden")
        self.value_head = L.Dense(1, name="value_head")
        self.kind_head = L.Dense(2, "softmax", name="kind_head")
        self.as_list = as_list

    def call(self, x):
        h = self.hidden(x)
        value, kind = self.value_head(h), self.kind_head(h)
        return [value, kind] if self.as_list else {"value": value, "kind": kind}


def functional(as_list=False):
    x = keras.Input((6,))
    h = L.Dense(16, "relu", name="hidden")(x)
    value = L.Dense(1, name="value" if as_list else "value_head")(h)
    kind = L.Dense(2, "softmax", name="kind" if as_list else "kind_head")(h)
    return keras.Model(x, [value, kind] if as_list else {"value": value, "kind": kind})


@pytest.mark.parametrize(
    ("build", "loss", "y"),
    [
        (functional, {"value": "mse", "kind": SPARSE}, {"value": VALUE, "kind": KIND}),
        (TwoHeads, {"kind": SPARSE, "value": "mse"}, {"kind": KIND, "value": VALUE}),
        (lambda: functional(True), ["mse", SPARSE], [VALUE, KIND]),
        (
            lambda: functional(True),
            {"kind": SPARSE, "value": "mse"},
            {"kind": KIND, "value": VALUE},
        ),
    ],
    ids=["dictionary", "subclassed", "list", "list by name"],
)
@pytest.mark.once
def test_outputs_are_scored_by_their_own_loss_and_targets(build, loss, y):
    keras.utils.set_random_seed(0)
    model = build()
    model.compile(keras.optimizers.Adam(0.01), loss, loss_weights=None)
    doctor, logs = fitted(model, X, y)
    by_name = {run.output_name: run for run in Run(doctor.record).outputs_apart}
    value, kind = by_name["value"], by_name["kind"]
    # as Keras logs them, so that each has its curve
    np.testing.assert_allclose(value.loss, logs["value_loss"], rtol=1e-6)
    np.testing.assert_allclose(kind.loss, logs["kind_loss"], rtol=1e-6)
    outputs = model.predict(X, verbose=0)
    names = list(outputs) if isinstance(outputs, dict) else ["value", "kind"]
    predicted = dict(
        zip(
            names,
            keras.tree.flatten(
                list(outputs.values()) if isinstance(outputs, dict) else outputs
            ),
            strict=True,
        )
    )
    looked = evenly(len(X), doctor.record.facts.probe.looked)
    answers = predicted["value"][looked]
    expected = kd.analysis.skill(VALUE[looked], answers, "values").value
    assert value.outcome.skill == pytest.approx(expected, abs=1e-4)
    answers = predicted["kind"][looked]
    expected = kd.analysis.skill(KIND[looked], answers, "classes").value
    assert kind.outcome.skill == pytest.approx(expected, abs=1e-4)
    assert value.outcome.baseline == pytest.approx(VALUE.var(), rel=1e-4)
    assert value.target.kind == "continuous"
    assert kind.target.kind in ("binary", "whole_numbers")
    assert "missing_nonlinearity" not in doctor.diagnosis.names
    whole = Run(doctor.record).outcome
    assert whole.baseline == pytest.approx(
        value.outcome.baseline + kind.outcome.baseline
    )


@pytest.mark.once
def test_one_fault_in_one_output_of_a_model_built_late():
    keras.utils.set_random_seed(0)
    model = TwoHeads()
    model.compile("adam", {"value": "mse", "kind": SPARSE})
    doctor, _ = fitted(model, X, {"value": VALUE, "kind": 0 * KIND})
    found = [f for f in doctor.diagnosis if f.name == "constant_targets"]
    assert [(f.output, f.severity) for f in found] == [("kind", "critical")]


class Late(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = L.Dense(8, "tanh")
        self.drop = L.Dropout(0.3)
        self.b = L.Dense(1)

    def call(self, x, training=False):
        return self.b(self.drop(self.a(x), training=training))


def early():
    layers = [L.Dense(8, "tanh"), L.Dropout(0.3), L.Dense(1)]
    return keras.Sequential([keras.Input((6,)), *layers])


def late_sequential():
    return keras.Sequential([L.Dense(8, "tanh"), L.Dropout(0.3), L.Dense(1)])


IS_JAX = keras.backend.backend() == "jax"
"""There Keras gives a model its weights before the first step, as on PyTorch."""


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(Late, marks=[pytest.mark.once] * IS_JAX),
        pytest.param(late_sequential, marks=pytest.mark.once),
    ],
)
def test_a_model_built_in_its_first_step_is_judged_as_one_built_before(build):
    """And trains to the same bit as without the doctor."""
    weights, doctors = [], []
    for make, watched in ((build, False), (build, True), (early, True)):
        keras.utils.set_random_seed(3)
        model = make()
        model.compile(keras.optimizers.SGD(1e-7), "mse")
        doctor = kd.callbacks.TrainingDoctor(X, VALUE, verbose=0)
        model.fit(X, VALUE, epochs=3, verbose=0, callbacks=[doctor] * watched)
        weights.append(model.get_weights())
        doctors.append(doctor)
    for plain, seen in zip(*weights[:2], strict=True):
        np.testing.assert_array_equal(plain, seen)
    late, before = (doctor.diagnosis for doctor in doctors[1:])
    serious = [{f.name for f in found.at_least("warning")} for found in (late, before)]
    assert serious[0] == serious[1]
    assert "learning_rate_too_low" in serious[0]
    table = doctors[1].record.tables["probe"]
    assert (table.steps[0], table.epochs[0]) == (0, -1)
    assert doctors[1].record.facts.model.seen_after is None


@pytest.mark.once("tensorflow")
def test_what_is_first_seen_after_a_step_says_so():
    """Run eagerly, only TensorFlow's first step makes the weights."""
    keras.utils.set_random_seed(3)
    model = Late()
    model.compile(keras.optimizers.SGD(1e-7), "mse", run_eagerly=True)
    doctor, _ = fitted(model, X, VALUE)
    is_late = keras.backend.backend() == "tensorflow"
    assert (doctor.record.facts.model.seen_after == 1) == is_late
    assert ("poor_initialization" in doctor.diagnosis.skipped) == is_late
    assert "underfitting" in doctor.diagnosis.names
    assert doctor.record.tables["probe"].steps[0] == is_late


@pytest.mark.once
def test_an_open_axis_is_judged_as_a_fixed_one():
    states = RNG.integers(0, 4, (200, 5))
    x = np.eye(4, dtype="float32")[states]
    verdicts = []
    for length in (5, None):
        keras.utils.set_random_seed(0)
        layers = [L.SimpleRNN(8, return_sequences=True), L.Dense(4, "softmax")]
        model = keras.Sequential([keras.Input((length, 4)), *layers])
        model.compile(keras.optimizers.SGD(1e-7), SPARSE)
        doctor, _ = fitted(model, x, states, epochs=6)
        verdicts.append(doctor.diagnosis.to_dict()["findings"])
        assert doctor.record.facts.targets[0].n_columns == 1
    assert verdicts[0] == verdicts[1]
    assert "plateau" in {finding["name"] for finding in verdicts[0]}


class OwnLoss(keras.Model):
    """Pulls rows towards their neighbors: nothing to score predictions by."""

    def __init__(self):
        super().__init__()
        self.a = L.Dense(4)

    def call(self, x):
        return self.a(x)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return ops.mean((y_pred[1:] - y_pred[:-1]) ** 2)


@pytest.mark.once
def test_a_loss_of_the_models_own_gives_no_score_and_says_why():
    model = OwnLoss()
    model.compile(keras.optimizers.SGD(0.01))
    doctor, logs = fitted(model, X, KIND, epochs=6)
    assert doctor.diagnosis.at_least("warning") == ()
    for name in ("underfitting", "plateau", "slow_convergence"):
        text = doctor.diagnosis.skipped[name]
        assert "`compute_loss`" in text
        assert "`y=`" not in text
    assert "skill" not in doctor.diagnosis.outcome
    assert len(logs["loss"]) == len(Run(doctor.record).loss)


class NoCall(keras.Model):
    """As two networks that are trained against each other: each is called by itself."""

    def __init__(self):
        super().__init__()
        self.a = keras.Sequential([keras.Input((6,)), L.Dense(1)])
        self.built = True

    def train_step(self, *args):
        return {"loss": 0.0}


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:Gradients are not watched")
def test_a_model_without_call_is_not_asked_for_what_was_given(tmp_path):
    model = NoCall()
    model.compile("sgd")
    doctor, _ = fitted(model, X, KIND)
    reason = doctor.diagnosis.skipped["dead_units"]
    assert "could not be run" in reason
    assert "`call()`" in reason
    assert reason.isprintable()
    doctor.record.save(tmp_path / "run.npz")
    again = kd.diagnose(kd.records.TrainingRecord.load(tmp_path / "run.npz"))
    assert again == doctor.diagnosis
    assert not any("x=" in text for text in doctor.diagnosis.skipped.values())


@pytest.mark.once
def test_weights_of_losses_as_advised():
    """A large loss beside a small one: found, and the advice runs as printed."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,))
    h = L.Dense(4, "tanh")(x)
    heads = {"value": L.Dense(1, name="value")(h), "kind": L.Dense(1, "sigmoid")(h)}
    model = keras.Model(x, heads)
    losses = {"value": "mse", "kind": "binary_crossentropy"}
    model.compile(keras.optimizers.SGD(1e-3 / 8), loss=losses)
    y = {"value": 100 * VALUE, "kind": KIND[:, None].astype("float32")}
    # with fewer rows, looks have too few to show that nothing was learned
    x, y = keras.tree.map_structure(lambda a: np.concatenate([a] * 8), (X, y))
    doctor, _ = fitted(model, x, y, epochs=12)
    found = [f for f in doctor.diagnosis if f.name == "unbalanced_outputs"]
    assert [f.output for f in found] == ["kind"]
    (code,) = [r.code for r in found[0].remedies if "loss_weights" in r.code]
    code = code.removeprefix("model.compile(..., ")
    weights = eval(f"dict({code.removesuffix(')')})")["loss_weights"]  # as printed
    model.compile("adam", loss=losses, loss_weights=weights)
    assert np.isfinite(model.evaluate(x, y, verbose=0, return_dict=True)["loss"])
    shares = [found[0].evidence["start"][name] * weights[name] for name in weights]
    assert max(shares) / min(shares) == pytest.approx(1, rel=0.1)


@pytest.mark.once
def test_preflight_judges_each_output():
    keras.utils.set_random_seed(0)
    model = functional()
    model.compile("adam", {"value": "mse", "kind": SPARSE})
    healthy = kd.preflight(model, X, {"kind": KIND, "value": VALUE}, epochs=50)
    assert healthy.is_healthy
    found = kd.preflight(model, X, {"kind": KIND, "value": 1e4 * VALUE}, epochs=50)
    assert [(f.name, f.output) for f in found.at_least("warning")] == [
        ("unscaled_targets", "value")
    ]


@pytest.mark.once
def test_targets_of_a_subclassed_model_with_axes_are_one_class_each():
    class Pixels(keras.Model):
        def __init__(self):
            super().__init__()
            self.a = L.Conv2D(4, 3, padding="same", activation="relu")
            self.b = L.Conv2D(3, 1, activation="softmax")

        def call(self, x):
            return self.b(self.a(x))

    images = RNG.normal(size=(120, 5, 5, 1)).astype("float32")
    masks = np.digitize(images[..., 0], [-0.5, 0.5])
    model = Pixels()
    model(images[:1])
    model.compile("adam", SPARSE)
    diagnosis = kd.preflight(model, images, masks)
    target = diagnosis.record.facts.targets[0]
    assert (target.n_columns, target.kind) == (1, "whole_numbers")
    assert "suits" in diagnosis.checked_fine["loss_target_mismatch"]
