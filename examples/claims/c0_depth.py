"""C0. Hidden layers make the decision boundary nonlinear; too many can do worse
=============================================================================

Too simple in the texts: depth bends nothing without activations, and what many layers
do worse here is not overfitting. They err on the training data too, as their gradients
vanish (B1): with ReLU and He initialization a net of the same depth learns.
"""

import keras
import numpy as np
from gallery import show, stack
from sklearn.datasets import make_moons

import keras_dlbasic as kd

HE, XAVIER = kd.initializers.HeNormal, kd.initializers.XavierUniform
ARMS = {
    "no hidden layer": (0, None, XAVIER),
    "2 hidden, linear": (2, None, XAVIER),
    "2 hidden, tanh": (2, "tanh", XAVIER),
    "10 hidden, sigmoid": (10, "sigmoid", XAVIER),
    "10 hidden, ReLU": (10, "relu", HE),
}


def measure(seed):
    x, y = make_moons(400, noise=0.1, random_state=seed)
    found = {"data": (x, y), "models": {}}
    for name, (depth, activation, law) in ARMS.items():
        keras.utils.set_random_seed(seed)
        model = stack(depth, 32, activation, law, inputs=2, outputs=2)
        model.optimizer.learning_rate = 0.01
        model.fit(x[:200], y[:200], batch_size=40, epochs=30, verbose=0)
        found[name] = model.evaluate(x[200:], y[200:], verbose=0)[1]
        found[f"{name}, in training"] = model.evaluate(x[:200], y[:200], verbose=0)[1]
        found[f"{name}, bent"] = _bent(model, x)
        found["models"][name] = model
    return found


def _bent(model, x):
    """Return the share of points between two of one class that are of another."""
    answers, between = (
        model.predict(points, verbose=0).argmax(axis=1)
        for points in (x, (x + np.roll(x, 1, axis=0)) / 2)
    )
    alike = answers == np.roll(answers, 1)
    return float(np.mean(between[alike] != answers[alike]))


def holds(found):
    none, linear, bent, deep, relu = (found[name] for name in ARMS)
    return (
        bent > max(none, linear) + 0.03
        and found["no hidden layer, bent"] == found["2 hidden, linear, bent"] == 0
        and found["2 hidden, tanh, bent"] > 0
        and deep < none
        and found["10 hidden, sigmoid, in training"] < none
        and relu > deep + 0.3
    )


def draw(found, ax):
    figure = ax.figure
    ax.remove()
    models = {f"{name}: {found[name]:.0%}": m for name, m in found["models"].items()}
    axes = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
    axes[-1].remove()
    kd.plots.plot_decision_regions(models, *found["data"], ax=axes[:-1])
    for panel in axes[:-1]:
        panel.title.set_fontsize(9)


if __name__ == "__main__":
    show(measure, holds, draw)
