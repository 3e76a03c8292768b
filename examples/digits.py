"""Why a deep sigmoid network does not learn, seen in its gradients.

Two networks of seven layers learn to read scikit-learn's digits, 1,797 real images of
8x8 pixels: one of sigmoid units, one of ReLU units with He's initialization.
Run it with `make demo`, or: python examples/digits.py [folder for the pictures]
"""

import sys
from pathlib import Path

import keras
import matplotlib as mpl
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_dlbasic as kd

mpl.use("Agg")
import matplotlib.pyplot as plt


def build_model(activation, initializer):
    """Return a compiled network of seven layers."""
    hidden = [
        keras.layers.Dense(
            48,
            activation=activation,
            kernel_initializer=initializer,
            name=f"hidden_{i}",
        )
        for i in range(1, 7)
    ]
    model = keras.Sequential(
        [
            keras.Input((64,)),
            *hidden,
            keras.layers.Dense(10, activation="softmax", name="output"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9, clipnorm=1.0),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def train(activation, initializer, data, *, epochs=12):
    """Train with the doctor, which prints its diagnosis, and return it."""
    keras.utils.set_random_seed(0)
    x_train, x_test, y_train, y_test = data
    doctor = kd.callbacks.TrainingDoctor(
        x_train, y_train, validation_data=(x_test, y_test)
    )
    build_model(activation, initializer).fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=32,
        validation_batch_size=len(x_test),
        epochs=epochs,
        verbose=0,
        callbacks=[doctor],
    )
    return doctor


def main(folder="demo-output"):
    """Train both, print what was seen, and save the pictures."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    data = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.25, random_state=0
    )
    console = Console()
    runs = {}
    for name, activation, initializer in (
        ("sigmoid", "sigmoid", "glorot_uniform"),
        ("relu", "relu", "he_normal"),
    ):
        console.rule(f"7 layers of {name} units")
        doctor = train(activation, initializer, data)
        runs[name] = doctor.record
        if not doctor.diagnosis.is_healthy:
            title = f"7 layers of {name} units"
            doctor.report_html(folder / f"{name}.html", title=title)

    table = Table(title="Median gradient norm by layer")
    table.add_column("layer")
    for name in runs:
        table.add_column(name, justify="right")
    norms = {name: run.by_layer("gradient_norm") for name, run in runs.items()}
    for column, layer in enumerate(runs["relu"].layers):
        middle = len(norms["relu"]) // 2
        cells = (f"{sorted(norms[name][:, column])[middle]:.1e}" for name in runs)
        table.add_row(layer, *cells)
    console.print(table)
    for name, run in runs.items():
        accuracy = run.epochs["val_accuracy"][-1]
        console.print(f"{name}: validation accuracy {accuracy:.3f} — {run!r}")

    with kd.plots.style("light"):
        # the reports have more of them
        for plot in (kd.plots.plot_gradient_norm, kd.plots.plot_gradient_flow):
            for name, run in runs.items():
                ax = plot(run)
                ax.set_title(f"{ax.get_title(loc='left')} ({name})", loc="left")
                ax.figure.savefig(folder / f"{plot.__name__}_{name}.png")
                plt.close(ax.figure)
    for name, run in runs.items():
        run.save(folder / f"{name}.npz")
    console.print(f"Pictures, records and a report are in {folder.resolve()}")
    return runs


if __name__ == "__main__":
    main(*sys.argv[1:2])
