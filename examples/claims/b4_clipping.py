"""B4. Clipping stabilizes a recurrent network whose gradients explode over time
=============================================================================
"""

import keras
import numpy as np
from gallery import show

import keras_dlbasic as kd


def measure(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(128, 30, 2)).astype("float32")
    y = x[:, -5:, 0].sum(axis=1)
    found = {}
    for name, clip in (("as it is", None), ("clipped at 1", 1.0)):
        keras.utils.set_random_seed(seed)
        law = keras.initializers.Identity(gain=1.1)  # 1.1 ** 30 is 17
        rnn = keras.layers.SimpleRNN(24, "relu", recurrent_initializer=law)
        model = keras.Sequential([keras.Input((30, 2)), rnn, keras.layers.Dense(1)])
        optimizer = keras.optimizers.SGD(0.05, global_clipnorm=clip)
        model.compile(optimizer=optimizer, loss="mse")
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        fit = {"batch_size": 32, "epochs": 30, "verbose": 0}
        history = model.fit(x, y, callbacks=[monitor], **fit).history["loss"]
        found[name] = np.array(history)
        found[f"{name}: largest norm"] = monitor.record.global_gradient_norm.max()
        found[f"{name}: last loss"] = history[-1]
    found["variance of the targets"] = float(y.var())
    return found


def holds(found):
    """Without clipping it blows up; with it, it learns."""
    last, constant = found["as it is: last loss"], found["variance of the targets"]
    blown = not np.isfinite(last) or last > 10 * constant
    return blown and found["clipped at 1: last loss"] < 0.5 * constant


def draw(found, ax):
    epochs = np.arange(1, 31)
    ax.semilogy(epochs, found["clipped at 1"], marker=".", label="clipped at 1")
    finite = np.isfinite(found["as it is"])
    label = "as it is"
    if not finite.all():
        label += f": not finite in epoch {int(np.argmin(finite)) + 1}"
    ax.semilogy(epochs[finite], found["as it is"][finite], marker="x", label=label)
    ax.axhline(
        found["variance of the targets"],
        ls=":",
        color="gray",
        label="constant prediction",
    )
    ax.set(title="A recurrent net over 30 steps of time", xlabel="epoch", ylabel="loss")
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
