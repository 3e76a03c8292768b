"""Kinds of input that users have for the same rows."""

import keras
import numpy as np
import pytest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")
NAMES = ["age", "height", "weight"]


class Batches(keras.utils.PyDataset):
    def __init__(self, x=X, y=Y, size=16):
        super().__init__()
        self.x, self.y, self.size = x, y, size

    def __len__(self):
        return len(self.x) // self.size

    def __getitem__(self, i):
        rows = slice(i * self.size, (i + 1) * self.size)
        return self.x[rows], self.y[rows]


def on_disk(folder):
    array = np.lib.format.open_memmap(
        folder / "x.npy", mode="w+", dtype="float32", shape=X.shape
    )
    array[:] = X
    return array, Y


def torch_of(make):
    def made(folder):
        return make(pytest.importorskip("torch"))

    return made


def tensorflow_of(make):
    def made(folder):
        return make(pytest.importorskip("tensorflow"))

    return made


def package(name, make):
    def made(folder):
        return make(pytest.importorskip(name))

    return made


def loader(torch):
    data = torch.utils.data
    rows = data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return data.DataLoader(rows, batch_size=16), None


def dataset(tf):
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(16), None


def arrow_table(pa):
    columns = {name: X[:, i] for i, name in enumerate(NAMES)}
    return pa.table(columns), pa.chunked_array([Y])


KINDS = {
    "NumPy": lambda folder: (X, Y),
    "float64 and booleans": lambda folder: (X.astype("float64"), Y > 0),
    "column of targets": lambda folder: (X, Y[:, None]),
    "lists": lambda folder: (X.tolist(), Y.tolist()),
    "list of rows": lambda folder: ([row.tolist() for row in X], list(Y)),
    "objects": lambda folder: (X.astype(object), Y.astype(object)),
    "backend's tensors": lambda folder: (
        keras.ops.convert_to_tensor(X),
        keras.ops.convert_to_tensor(Y),
    ),
    "Keras' variables": lambda folder: (keras.Variable(X).value, Y),
    "PyTorch's tensors": torch_of(lambda t: (t.tensor(X), t.tensor(Y))),
    "TensorFlow's tensors": tensorflow_of(lambda tf: (tf.constant(X), tf.constant(Y))),
    "JAX's arrays": package("jax.numpy", lambda jnp: (jnp.array(X), jnp.array(Y))),
    "pandas": package(
        "pandas", lambda pd: (pd.DataFrame(X, columns=NAMES), pd.Series(Y))
    ),
    "pandas, mixed numbers": package(
        "pandas",
        lambda pd: (pd.DataFrame(X, columns=NAMES).assign(age=X[:, 0] > 0), Y),
    ),
    "pandas, targets as a table": package(
        "pandas", lambda pd: (pd.DataFrame(X), pd.DataFrame({"y": Y}))
    ),
    "polars": package("polars", lambda pl: (pl.DataFrame(X), pl.Series("y", Y))),
    "Arrow": package("pyarrow", arrow_table),
    "sparse": package("scipy.sparse", lambda sparse: (sparse.csr_matrix(X), Y)),
    "memory map": on_disk,
    "PyDataset": lambda folder: (Batches(), None),
    "tf.data.Dataset": tensorflow_of(dataset),
    "DataLoader": torch_of(loader),
    "list of one input": lambda folder: ([X], Y),
    "tuple of one input": lambda folder: ((X,), (Y,)),
}
"""Each makes `(x, y)` of the same rows; its argument is a folder to write to."""

DATA_SETS = ("PyDataset", "tf.data.Dataset", "DataLoader")
"""Kinds that give batches of inputs and targets."""
