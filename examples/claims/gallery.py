"""What all claims share: data, and how one is shown."""

import sys
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import keras_dlbasic as kd

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def digits(train=None, seed=0):
    """Return handwritten digits, scaled: training and test images and labels."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = ((x[order] - 4.9) / 6.0).astype("float32"), y[order]
    n = 1200 if train is None else train
    return x[:n], y[:n], x[1200:], y[1200:]


def mislabelled(y, n, seed=0):
    """Return labels `n` of which are wrong: people mislabel, too."""
    y = y.copy()
    wrong = np.random.default_rng(seed).choice(len(y), n, replace=False)
    y[wrong] = (y[wrong] + 1) % 10
    return y


def stack(depth, width, activation, initializer, inputs=64, outputs=10, between=None):
    """Return a compiled stack of dense layers that classifies digits."""
    layers = [keras.Input((inputs,))]
    for _ in range(depth):
        layers.append(
            keras.layers.Dense(width, kernel_initializer=initializer())
            if between
            else keras.layers.Dense(width, activation, kernel_initializer=initializer())
        )
        if between:
            layers += [between(), keras.layers.Activation(activation)]
    model = keras.Sequential([*layers, keras.layers.Dense(outputs)])
    model.compile(keras.optimizers.Adam(3e-3), LOSS, metrics=["accuracy"])
    return model


def show(measure, holds, draw):
    """Measure a claim once, print whether it holds, and save its picture.

    The picture gets the name of the claim's file, and goes to the folder that is the
    first argument on the command line. If the claim does not hold, the script fails.
    """
    found = measure(seed=0)
    for name, value in found.items():
        if isinstance(value, (int, float, np.number)):
            print(f"{name}: {value:.4g}")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "claims-output")
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(measure.__code__.co_filename).stem
    picture(draw, found).savefig(folder / f"{name}.png", dpi=120)
    if not holds(found):
        sys.exit("the claim does NOT hold")
    print("the claim holds")


def picture(draw, found):
    """Return a figure of what was measured."""
    with kd.plots.style("light"):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        draw(found, figure.subplots())
    return figure
