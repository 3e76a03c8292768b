"""When overfitting begins, and why training stops: digits with few samples.

A network with far more weights than samples reads scikit-learn's digits, 8x8 pixels,
after seeing only 120 of them, some with wrong labels. First it is trained for all
epochs with `OverfittingDetector`, then again with `EarlyStoppingReport`.
Run it with: python examples/overfitting_digits.py [folder for the pictures]
"""

import sys
from pathlib import Path

import keras
import matplotlib as mpl
import numpy as np
from rich.console import Console
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_dlbasic as kd

mpl.use("Agg")
import matplotlib.pyplot as plt


def load(n_train=120, wrong=0.15):
    """Return few training images, some mislabeled, and many for validation."""
    digits = load_digits()
    x_train, x_val, y_train, y_val = train_test_split(
        digits.data / 16.0,
        digits.target,
        train_size=n_train,
        test_size=600,
        random_state=0,
        stratify=digits.target,
    )
    rng = np.random.default_rng(0)
    mislabelled = rng.random(n_train) < wrong
    y_train = np.where(mislabelled, rng.integers(0, 10, n_train), y_train)
    return x_train, y_train, x_val, y_val


def train(data, callbacks, *, epochs=40):
    """Train a network that is far too large for its data."""
    keras.utils.set_random_seed(0)
    x_train, y_train, x_val, y_val = data
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.002),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_val, y_val),
        batch_size=16,
        validation_batch_size=len(x_val),
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
    )
    return model, history


def main(folder="demo-output"):
    """Train twice, print what was found, and save the pictures."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = load()
    console = Console()

    console.rule("All epochs, watched by OverfittingDetector")
    detector = kd.callbacks.OverfittingDetector(data[0], data[1], metric="accuracy")
    train(data, [detector])  # it says what it sees, when it sees it and at the end

    console.rule("Stopped by EarlyStoppingReport")
    stopping = kd.callbacks.EarlyStoppingReport(
        "val_loss", patience=5, restore_best_weights=True
    )
    model, history = train(data, [stopping])
    console.print(str(stopping.report))
    loss, accuracy = model.evaluate(data[2], data[3], verbose=0)
    console.print(
        f"Validation after restoring: loss {loss:.3f}, accuracy {accuracy:.3f}; after "
        f"all epochs it was {detector.record.epochs['val_loss'][-1]:.3f} and "
        f"{detector.record.epochs['val_accuracy'][-1]:.3f}."
    )

    with kd.plots.style("light"):
        for name, source, marks in (
            ("overfitting", detector.record, {"verdict": detector.verdict}),
            ("early_stopping", history, {"report": stopping.report}),
        ):
            axes = kd.plots.plot_history(source, **marks)
            axes[0].figure.savefig(folder / f"plot_history_{name}.png")
            plt.close(axes[0].figure)
    detector.record.save(folder / "overfitting.npz")
    console.print(f"Pictures and the record are in {folder.resolve()}")
    return detector, stopping


if __name__ == "__main__":
    main(*sys.argv[1:2])
