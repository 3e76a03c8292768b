"""B8, B9. Batch normalization lets deep networks learn; layer norm. needs no batch
================================================================================
"""

import keras
from gallery import digits, show, stack

import keras_dlbasic as kd

ARMS = {
    "none, batch 32": (None, 32),
    "batch norm., batch 32": (kd.layers.BatchNormalization, 32),
    "batch norm., batch 1": (kd.layers.BatchNormalization, 1),
    "layer norm., batch 1": (kd.layers.LayerNormalization, 1),
}


def measure(seed):
    x, y, test_x, test_y = digits(400, seed)
    found = {}
    for name, (between, batch_size) in ARMS.items():
        keras.utils.set_random_seed(seed)
        activation = "sigmoid" if batch_size > 1 else "relu"
        depth = 6 if batch_size > 1 else 3
        law = kd.initializers.XavierUniform
        model = stack(depth, 32, activation, law, between=between)
        epochs = 25 if batch_size > 1 else 1
        model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
        found[name] = float(model.evaluate(test_x, test_y, verbose=0)[1])
    return found


def holds(found):
    none, batch, batch_1, layer_1 = (found[name] for name in ARMS)
    return batch > none + 0.3 and layer_1 > batch_1 + 0.2


def draw(found, ax):
    ax.barh(list(ARMS), [found[name] for name in ARMS])
    ax.invert_yaxis()
    ax.set(title="Digits not seen before", xlabel="accuracy", xlim=(0, 1))


if __name__ == "__main__":
    show(measure, holds, draw)
