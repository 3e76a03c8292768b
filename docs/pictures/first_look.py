"""The picture of the README: one stack of layers, before and after two remedies.

KERAS_BACKEND=torch python docs/pictures/first_look.py
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.datasets import load_digits

import keras_dlbasic as kd

PLACE = Path(__file__).parents[1] / "_static" / "first_look.png"


def main():
    x, y = load_digits(return_X_y=True)
    x = x / 16
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, "sigmoid") for _ in range(8)]
    last = keras.layers.Dense(10, "softmax")
    model = keras.Sequential([keras.Input((64,)), *layers, last])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fixed = kd.remedies.swap_activations(model, "relu")
    fixed = kd.remedies.initialize(fixed, seed=0)
    runs = {"before": watched(model, x, y), "after": watched(fixed, x, y)}
    with kd.plots.style("light"):
        figure = Figure(figsize=(9.6, 3.6), layout="constrained")
        draw(figure, runs)
        figure.savefig(PLACE, dpi=110, pil_kwargs={"optimize": True})
    print(f"{PLACE.name}: {PLACE.stat().st_size / 1000:.0f} kB")


def watched(model, x, y):
    monitor = kd.callbacks.GradientNormMonitor()
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=20, verbose=0, callbacks=[monitor, doctor])
    return monitor.record, doctor.diagnosis


def draw(figure, runs):
    left, right = figure.subplots(1, 2)
    for name, (record, found) in runs.items():
        norms = record.by_layer("gradient_norm")[0]
        reported = found.at_least("warning")
        first = reported[0].name if reported else "no findings"
        left.semilogy(np.arange(1, len(norms) + 1), norms, "o-", label=name)
        epochs = record.epochs
        right.plot(epochs["epoch"] + 1, epochs["accuracy"], label=f"{name}: {first}")
    left.set(
        title="Gradient of each layer at the first step", xlabel="layer, input first"
    )
    left.set_ylabel("gradient norm (L2)")
    right.set(title="Accuracy, and the first finding", xlabel="epoch", ylim=(0, 1))
    right.set_ylabel("accuracy on digits")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.legend()
    right.legend(loc="center right")


if __name__ == "__main__":
    main()
