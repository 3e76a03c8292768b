"""Gradients by each backend's own autodiff, independent of the package."""

import keras
import numpy as np

KERAS = tuple(map(int, keras.__version__.split(".")[:2]))
"""Major and minor version of Keras, also of a nightly build."""


def gradients(model, x, y, **weights):
    """Return NumPy gradients of the compiled loss at the model's present weights."""
    name = keras.backend.backend()
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[name](
        model, x, y, weights.get("sample_weight")
    )


def _loss(model, x, y, sample_weight):
    y_pred = model(x, training=True)
    return model.compute_loss(x, y, y_pred, sample_weight, training=True)


def _tensorflow(model, x, y, sample_weight):
    import tensorflow as tf

    x, y = _tensors((x, y))
    with tf.GradientTape() as tape:
        loss = _loss(model, x, y, sample_weight)
    found = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return [np.asarray(tf.convert_to_tensor(g)) for g in found]


def tensorflow_slices(model, x, y):
    """Return gradients as Keras gets them: (values, rows), repeated rows not summed.

    `rows` is None for dense gradients.
    """
    import tensorflow as tf

    x, y = tf.nest.map_structure(tf.convert_to_tensor, (x, y))
    with tf.GradientTape() as tape:
        loss = _loss(model, x, y, None)
    found = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return [
        (g.values.numpy(), g.indices.numpy())
        if isinstance(g, tf.IndexedSlices)
        else (g.numpy(), None)
        for g in found
    ]


def _jax(model, x, y, sample_weight):
    import jax

    def loss(values):
        scope = keras.StatelessScope(
            state_mapping=list(zip(model.trainable_variables, values, strict=True)),
            collect_losses=True,  # those of `add_loss` and of activities
        )
        with scope:
            return _loss(model, x, y, sample_weight)

    values = [v.value for v in model.trainable_variables]
    # one program rather than hundreds of operations, each compiled by itself
    return [np.asarray(g) for g in jax.jit(jax.grad(loss))(values)]


def _torch(model, x, y, sample_weight):
    import torch

    x, y = _tensors((x, y))
    model.zero_grad()
    loss = _loss(model, x, y, sample_weight)
    found = torch.autograd.grad(loss, [v.value for v in model.trainable_variables])
    return [keras.ops.convert_to_numpy(g) for g in found]


def _tensors(data):
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), data
    )


def norm(array):
    return float(np.sqrt(np.sum(np.asarray(array, np.float64) ** 2)))


def arrays(variables):
    return [np.array(keras.ops.convert_to_numpy(v.value)) for v in variables]
