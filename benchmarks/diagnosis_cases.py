"""Published runs with known faults, from a file of facts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import keras
import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

import keras_dlbasic as kd

MOST_STEPS = 10_000
"""Longer runs are cut short, but not below 30 epochs."""

EXPECTED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # causes, symptoms: what the published fix or label says, in our words
    "so-31556268-faulty": (
        ("loss_target_mismatch", "learning_rate_too_low", "too_few_updates"),
        ("plateau", "underfitting", "slow_convergence", "constant_predictions"),
    ),
    "so-34311586-faulty": (
        ("output_activation_mismatch",),
        ("plateau", "constant_predictions"),
    ),
    "so-48934338-faulty": (
        ("learning_rate_too_high", "unscaled_targets"),
        (
            "dead_units",
            "constant_predictions",
            "non_finite_values",
            "diverging_loss",
            "plateau",
            "exploding_gradients",
        ),
    ),
    "so-39525358-faulty": (
        ("unscaled_inputs",),
        (
            "plateau",
            "constant_predictions",
            "underfitting",
            "slow_convergence",
            "dead_units",
        ),
    ),
    "so-48221692-faulty": (
        ("output_activation_mismatch",),
        ("plateau", "constant_predictions", "saturated_units"),
    ),
    "so-51930566-faulty": (
        ("output_activation_mismatch", "unscaled_inputs"),
        ("underfitting", "slow_convergence"),
    ),
    "at-demo-gradient-vanish": (
        ("saturating_activations", "vanishing_gradients"),
        ("vanishing_gradients",),
    ),
    "at-demo-oscillating-loss": (
        ("batch_size_too_small", "learning_rate_too_high"),
        ("oscillating_loss",),
    ),
    "at-blob-0b6f114d": (
        ("exploding_activations", "exploding_gradients"),
        (
            "exploding_gradients",
            "non_finite_values",
            "vanishing_gradients",
            "diverging_loss",
            "plateau",
        ),
    ),
    "at-blob-384108d9": (
        ("poor_initialization", "dead_units"),
        ("dead_units", "plateau"),
    ),
    "at-circle-5ab0aeda": (
        ("saturating_activations", "vanishing_gradients"),
        ("vanishing_gradients",),
    ),
}


def data_of(case: dict, seed: int):
    """Return training and validation data of a case; None for no validation."""
    rng = np.random.default_rng(7)
    name = case["id"]
    if "31556268" in name:
        x = np.array([[1, 1], [1, 0], [0, 0], [0, 1]], "float32")
        return x, np.array([[0], [1], [0], [1]], "float32"), None
    if "34311586" in name:
        x = np.array([[1, 1], [0, 0], [1, 0], [0, 1], [1, 1], [0, 0]], "float32")
        return x, np.array([[0], [0], [1], [1], [0], [0]], "float32"), None
    if "48934338" in name:
        x = np.arange(0, 5, 0.1).astype("float32")[:, None]
        y = 5 * x**2 + np.random.default_rng(seed).normal(size=x.shape) ** 3
        return x, y.astype("float32"), None
    if "39525358" in name:
        rows = (
            [[65, 66, 67]] * 10
            + [[68, 69, 70]] * 7
            + [[65, 66, 70]] * 2
            + [[68, 69, 67]]
        )
        y = [0] * 10 + [1] * 7 + [0] * 2 + [1]
        x, _, y, _ = train_test_split(
            np.array(rows, "float32"), np.array(y), test_size=0.33, random_state=7
        )
        if "fixed" in name:
            x = (x - x.mean(axis=0)) / x.std(axis=0)
        return x, y, None
    if "48221692" in name:
        x = np.linspace(-10, 10, 201).astype("float32")[:, None]
        chosen = rng.permutation(201)[:150]
        return x[chosen], (x[:, 0] ** 2 + 3)[chosen], None
    if "51930566" in name:
        iris = datasets.load_iris()
        x, y = iris.data.astype("float32"), np.eye(3)[iris.target]
        if "fixed" in name:
            x = (x - x.mean(axis=0)) / x.std(axis=0)
        x, vx, y, vy = train_test_split(x, y, test_size=0.5, random_state=2)
        return x, y, (vx, vy)
    if case["data"]["y_shape"][-1] == 3:
        x, y = datasets.make_blobs(
            n_samples=1000, centers=3, n_features=2, cluster_std=2, random_state=2
        )
        y = np.eye(3)[y]
    else:
        x, y = datasets.make_circles(n_samples=1000, noise=0.1, random_state=1)
    x = x.astype("float32")
    return x[:700], y[:700], (x[700:], y[700:])


def build_case(case: dict, seed: int):
    """Build and compile the model of a case."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential()
    for kind, config in case["model"]:
        config = dict(config)
        for key in ("kernel_initializer", "bias_initializer"):
            given = config.get(key)
            if isinstance(given, dict):
                given = dict(given)
                law = getattr(keras.initializers, given.pop("class"))
                config[key] = law(**given)
        if kind == "Input":
            model.add(keras.Input(tuple(config["shape"])))
        else:
            model.add(getattr(keras.layers, kind)(**config))
    given = {k: v for k, v in case["optimizer"].items() if k not in ("class", "decay")}
    optimizer = getattr(keras.optimizers, case["optimizer"]["class"])(**given)
    model.compile(optimizer=optimizer, loss=case["loss"], metrics=["accuracy"])
    return model


def record_case(folder: Path, case: dict, seed: int) -> Path:
    """Train a case, unless its record is there; return where the record is."""
    path = folder / f"{case['id']}--{seed}.npz"
    if path.exists():
        return path
    x, y, validation = data_of(case, seed)
    model = build_case(case, seed)
    doctor = kd.callbacks.TrainingDoctor(x, y, validation_data=validation, verbose=0)
    begin = time.time()
    steps = -(-len(x) // case["batch_size"])
    epochs = min(case["epochs"], max(30, MOST_STEPS // steps))
    model.fit(
        x,
        y,
        batch_size=case["batch_size"],
        epochs=epochs,
        verbose=0,
        validation_data=validation,
        callbacks=[doctor],
    )
    doctor.record.save(path)
    about = {
        "case": case["id"],
        "role": case["role"],
        "seed": seed,
        "seconds": time.time() - begin,
    }
    path.with_suffix(".json").write_text(json.dumps(about))
    return path


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("cases", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    cases = json.loads(given.cases.read_text())["cases"]
    for seed in range(given.seeds):
        for case in sorted(
            cases, key=lambda c: c["epochs"] * c["data"]["n_train"] / c["batch_size"]
        ):
            begin = time.time()
            record_case(given.folder, case, seed)
            print(case["id"], seed, f"{time.time() - begin:.1f} s", flush=True)
