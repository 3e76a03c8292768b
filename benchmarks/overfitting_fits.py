"""Curves of real small Keras fits, with the truth taken from a second hold-out set.

Run it to fill a cache: python benchmarks/overfitting_fits.py cache.npz 150
"""

import sys
import time
from pathlib import Path

import numpy as np


def draw_setting(rng):
    """Return a random small experiment."""
    return {
        "data": str(rng.choice(["digits", "digits", "breast_cancer", "wine"])),
        "n_train": int(rng.choice([20, 40, 80, 200, 600])),
        "width": int(rng.choice([8, 32, 128])),
        "depth": int(rng.choice([1, 2])),
        "dropout": float(rng.choice([0.0, 0.0, 0.3, 0.5])),
        "decay": float(rng.choice([0.0, 0.0, 1e-2])),
        "label_noise": float(rng.choice([0.0, 0.0, 0.0, 0.15, 0.3])),
        "optimizer": str(rng.choice(["sgd", "momentum", "adam"])),
        "rate": float(10 ** rng.uniform(-0.5, 0.7)),
        "batch_size": int(rng.choice([8, 32])),
        "epochs": int(rng.choice([15, 30, 60, 100])),
        "seed": int(rng.integers(2**31)),
    }


def load(name):
    """Return standardized features and labels of one of scikit-learn's data sets."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    return x.astype("float32"), y


def run(setting):
    """Fit once; return loss, val_loss and the loss on the second hold-out set."""
    import keras
    from sklearn.model_selection import train_test_split

    keras.backend.clear_session()
    keras.utils.set_random_seed(setting["seed"])
    x, y = load(setting["data"])
    n_train = min(setting["n_train"], len(x) // 2)
    x_train, x_rest, y_train, y_rest = train_test_split(
        x, y, train_size=n_train, random_state=setting["seed"], stratify=y
    )
    x_val, x_test, y_val, y_test = train_test_split(
        x_rest, y_rest, test_size=0.5, random_state=0, stratify=y_rest
    )
    rng = np.random.default_rng(setting["seed"])
    wrong = rng.random(n_train) < setting["label_noise"]
    y_train = np.where(wrong, rng.integers(0, y.max() + 1, n_train), y_train)
    penalty = keras.regularizers.L2(setting["decay"]) if setting["decay"] else None
    hidden = []
    for _ in range(setting["depth"]):
        hidden.append(
            keras.layers.Dense(setting["width"], "relu", kernel_regularizer=penalty)
        )
        if setting["dropout"]:
            hidden.append(keras.layers.Dropout(setting["dropout"]))
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            *hidden,
            keras.layers.Dense(int(y.max()) + 1, "softmax"),
        ]
    )
    optimizers = keras.optimizers
    model.compile(
        {
            "sgd": lambda r: optimizers.SGD(0.05 * r),
            "momentum": lambda r: optimizers.SGD(0.02 * r, momentum=0.9),
            "adam": lambda r: optimizers.Adam(0.002 * r),
        }[setting["optimizer"]](setting["rate"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    test = []
    probe = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: test.append(
            model.evaluate(x_test, y_test, batch_size=1024, verbose=0)[0]
        )
    )
    logs = model.fit(
        x_train,
        y_train,
        validation_data=(x_val, y_val),
        validation_batch_size=1024,
        batch_size=setting["batch_size"],
        epochs=setting["epochs"],
        verbose=0,
        callbacks=[probe],
    ).history
    return {
        name: np.array(logs[name], "float64")
        for name in ("loss", "val_loss", "accuracy", "val_accuracy")
    } | {"test_loss": np.array(test, "float64")}


def main(path, n, seed=0, seconds=1e9):
    """Run `n` fits and write them to `path`."""
    rng = np.random.default_rng(int(seed))
    arrays, began = {}, time.monotonic()
    for number in range(int(n)):
        setting = draw_setting(rng)
        if time.monotonic() - began > float(seconds):
            break
        for name, values in run(setting).items():
            arrays[f"{number:03d}/{name}"] = values
        arrays[f"{number:03d}/setting"] = np.array(str(setting))
        if number % 10 == 9:
            np.savez_compressed(path, **arrays)
            print(number + 1, f"{time.monotonic() - began:.0f} s", flush=True)
    np.savez_compressed(Path(path), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
