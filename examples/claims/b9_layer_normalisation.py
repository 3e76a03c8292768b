"""B9. Layer normalization does not depend on the other samples of the batch
=========================================================================

The same formula as batch normalization, over the features of a sample. Too simple in
the texts: the two are not the same with other axes. A sample's own size is lost, and
training and inference do not differ.
"""

import keras
import numpy as np
from gallery import digits, show, stack

import keras_dlbasic as kd

NORMS = {
    "batch": kd.layers.BatchNormalization,
    "layer": kd.layers.LayerNormalization,
}


def measure(seed):
    x, y, test_x, test_y = digits(400, seed)
    found = {}
    for name in ("no", "layer"):
        keras.utils.set_random_seed(seed)
        law, norm = kd.initializers.XavierUniform, NORMS.get(name)
        model = stack(6, 32, "sigmoid", law, between=norm)
        model.fit(x, y, epochs=15, verbose=0)
        found[f"accuracy, {name} norm."] = model.evaluate(test_x, test_y, verbose=0)[1]
    for name, norm in NORMS.items():
        layer = norm()
        batches = [np.concatenate([x[:1], x[k : k + 7]]) for k in (1, 8)]
        first, second = (layer(batch, training=True) for batch in batches)
        rows = [keras.ops.convert_to_numpy(rows)[0] for rows in (first, second)]
        found[f"{name} norm."] = rows
        found[f"shift by neighbors, {name} norm."] = np.abs(rows[0] - rows[1]).max()
    return found


def holds(found):
    return (
        found["accuracy, layer norm."] > found["accuracy, no norm."] + 0.3
        and found["shift by neighbors, layer norm."] < 1e-4
        and found["shift by neighbors, batch norm."] > 0.5
    )


def draw(found, ax):
    for name, label in (
        ("batch norm.", "batch normalization: other neighbors, other values"),
        ("layer norm.", "layer normalization: the same values"),
    ):
        ax.scatter(*found[name], label=label, s=18, alpha=0.8)
    low, high = ax.get_xlim()
    ax.plot([low, high], [low, high], color="0.5", lw=0.8, ls="--", zorder=0)
    ax.set_title("Layer normalization does not look at the other rows of a batch")
    ax.set_xlabel("a digit's 64 normalized features, among seven other digits")
    ax.set_ylabel("the same, among seven others")
    ax.legend(loc="lower right")


if __name__ == "__main__":
    show(measure, holds, draw)
