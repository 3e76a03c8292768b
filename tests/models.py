"""Small models of every kind, with data; each is `(model, x, y, loss)`."""

import keras
import numpy as np

L = keras.layers
CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy


def _data(shape, n=24, classes=4):
    rng = np.random.default_rng(7)
    return (
        rng.normal(size=(n, *shape)).astype("float32"),
        rng.integers(0, classes, n).astype("int32"),
    )


def mlp():
    x, y = _data((6,))
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(8, "relu", kernel_regularizer=keras.regularizers.L2(0.01)),
            L.Dense(8, "tanh", use_bias=False),
            L.Dense(4),
        ]
    )
    return model, x, y, CROSSENTROPY(from_logits=True)


def cnn():
    x, y = _data((8, 8, 2))
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            L.Conv2D(5, 3, use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.SeparableConv2D(6, 3, activation="relu"),
            L.GlobalAveragePooling2D(),
            L.Dense(4),
        ]
    )
    return model, x, y, CROSSENTROPY(from_logits=True)


def embedding():
    """Rows of the table occur many times in a batch."""
    _, y = _data((1,))
    x = np.random.default_rng(3).integers(0, 5, size=(24, 7)).astype("int32")
    model = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            L.Embedding(9, 6),
            L.GlobalAveragePooling1D(),
            L.Dense(4),
        ]
    )
    return model, x, y, CROSSENTROPY(from_logits=True)


def lstm():
    x, y = _data((5, 3))
    model = keras.Sequential([keras.Input((5, 3)), L.LSTM(6), L.Dense(4)])
    return model, x, y, CROSSENTROPY(from_logits=True)


def gru():
    x, y = _data((5, 3))
    model = keras.Sequential(
        [keras.Input((5, 3)), L.Bidirectional(L.GRU(4)), L.Dense(4)]
    )
    return model, x, y, CROSSENTROPY(from_logits=True)


def attention():
    x, y = _data((5, 6))
    inputs = keras.Input((5, 6))
    hidden = L.Dense(8, name="embed")(inputs)
    attended = L.MultiHeadAttention(2, 4, name="attention")(hidden, hidden)
    hidden = L.LayerNormalization(name="norm")(L.Add()([hidden, attended]))
    outputs = L.Dense(4, name="head")(L.GlobalAveragePooling1D()(hidden))
    return keras.Model(inputs, outputs), x, y, CROSSENTROPY(from_logits=True)


def shared():
    """One layer used twice, and a model within the model."""
    x, y = _data((6,))
    inner_inputs = keras.Input((6,))
    inner = keras.Model(
        inner_inputs, L.Dense(6, "tanh", name="inner_dense")(inner_inputs), name="inner"
    )
    inputs = keras.Input((6,))
    twice = L.Dense(6, "relu", name="twice")
    outputs = L.Dense(4, name="head")(inner(twice(twice(inputs))))
    return keras.Model(inputs, outputs), x, y, CROSSENTROPY(from_logits=True)


def several_outputs():
    x, y = _data((6,))
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    hidden = L.Concatenate()([L.Dense(5, name="a")(left), L.Dense(5, name="b")(right)])
    model = keras.Model(
        [left, right],
        [L.Dense(4, name="kind")(hidden), L.Dense(1, name="size")(hidden)],
    )
    targets = [y, x[:, :1]]
    losses = [CROSSENTROPY(from_logits=True), keras.losses.MeanSquaredError()]
    return model, [x, x[::-1].copy()], targets, losses


@keras.saving.register_keras_serializable(package="tests")
class Block(L.Layer):
    """A user's layer with layers of its own."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = L.Dense(units, "relu", name="dense")
        self.scale = L.Dense(units, name="scale")

    def call(self, inputs):
        return self.scale(self.dense(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    """Built by its first batch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = Block(6, name="first")
        self.second = Block(6, name="second")
        self.head = L.Dense(4, name="head")

    def call(self, inputs):
        return self.head(self.second(self.first(inputs)))


def subclassed():
    x, y = _data((6,))
    return Subclassed(), x, y, CROSSENTROPY(from_logits=True)


def frozen():
    model, x, y, loss = mlp()
    model.layers[0].trainable = False
    return model, x, y, loss


ALL = {
    function.__name__: function
    for function in (
        mlp,
        cnn,
        embedding,
        lstm,
        gru,
        attention,
        shared,
        several_outputs,
        subclassed,
        frozen,
    )
}


def single():
    """One layer: for what hangs on no layer, since each weight takes time to trace."""
    x, y = _data((6,))
    model = keras.Sequential([keras.Input((6,)), L.Dense(4)])
    return model, x, y, CROSSENTROPY(from_logits=True)


def make(name, seed=0):
    keras.utils.set_random_seed(seed)
    return {**ALL, "single": single}[name]()
