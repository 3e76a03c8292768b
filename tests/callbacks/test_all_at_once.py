"""All callbacks in one fit change nothing, not by a bit.

Each by itself is tested in its own file, on one backend.
"""

import random

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd

L, R = keras.layers, keras.regularizers
RNG = np.random.default_rng(2)
X = RNG.normal(size=(48, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("float32")


def all_callbacks():
    given = X[:24], Y[:24]
    return [
        kd.callbacks.GradientNormMonitor(every=2),
        kd.callbacks.TrainingDoctor(*given, verbose=0),
        kd.callbacks.OverfittingDetector(*given, verbose=0),
        kd.callbacks.ActivationMonitor(X[:8], every=2),
        kd.callbacks.PenaltyMonitor(),
        kd.callbacks.NormalizationMonitor(),
        kd.callbacks.CurvatureProbe(*given, every=1, max_products=4, rows=16),
        kd.callbacks.EarlyStoppingReport(patience=9),
    ]


def run(callbacks):
    """Return everything a fit leaves behind."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    layers = [
        L.Dense(8, "tanh", kernel_regularizer=R.L2(0.01)),
        L.BatchNormalization(),
        L.Dropout(0.2),
        L.GaussianNoise(0.01),
        L.Dense(1, "sigmoid", kernel_regularizer=R.L1(0.01)),
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    optimizer = keras.optimizers.SGD(0.02, momentum=0.9, clipnorm=0.5)
    model.compile(optimizer, "binary_crossentropy", metrics=["mae"])
    fit = {"batch_size": 8, "epochs": 3, "verbose": 0, "callbacks": callbacks}
    history = model.fit(X[:24], Y[:24], validation_data=(X[24:], Y[24:]), **fit).history
    history.pop("global_gradient_norm", None)
    variables = [*model.variables, *model.optimizer.variables]
    return {
        "variables": [array.tobytes() for array in reference.arrays(variables)],
        "history": history,
        "attributes": sorted(vars(model)),
        "random": random.getstate(),
        "numpy": [str(part) for part in np.random.get_state()],
        "keras": keras.ops.convert_to_numpy(keras.random.normal((3,))).tolist(),
    }


@pytest.mark.optimized
def test_nothing_changes():
    plain = run([])
    callbacks = all_callbacks()
    assert {type(c).__name__ for c in callbacks} == {
        name for name in kd.callbacks.__all__ if name != "NonFiniteReport"
    }
    seen = run(callbacks)
    assert [key for key in plain if seen[key] != plain[key]] == []
    monitor, _, _, activations, _, _, probe, _ = callbacks
    assert len(monitor.record.steps) >= 5  # the doctor looks at more
    assert len(probe.points) == 3
    assert len(activations.record.tables["activations"].steps)
