"""Trials that spawned processes can import."""

import os
import random
import time

import keras
import numpy as np

from keras_dlbasic._trials.worker import DivergedError


def draw(settings, shared):
    """Return random numbers of all generators."""
    if shared:
        with open(shared, "a") as file:
            file.write(f"{settings['seed']}\n")
    return {
        "python": random.random(),
        "numpy": np.random.random(),
        "keras": keras.ops.convert_to_numpy(keras.random.normal((3,))),
        "initial": keras.layers.Dense(1).kernel_initializer.seed,
        "backend": keras.backend.backend(),
    }


def troubled(settings, shared):
    """Fail in every way."""
    how = settings["how"]
    if how == "raise":
        raise RuntimeError("out of luck\nsecond line")
    if how == "diverge":
        raise DivergedError("loss is nan at update 7", {"updates": 7})
    if how == "interrupt" and not os.path.exists(shared):
        raise KeyboardInterrupt
    if how == "sleep":
        time.sleep(600)
    if how == "die":
        os._exit(1)
    return {"how": how, "nan": float("nan")}


def total(settings, shared):
    """Return a sum and whether the data are still on disk."""
    return {
        "sum": float(np.sum(shared)),
        "mapped": bool(getattr(shared, "filename", 0)),
    }


def plus(settings, shared):
    """Return the sum of the seed and what is shared."""
    return {"y": settings["seed"] + shared}


def trained(settings, shared):
    """Train, and die at the first try where the settings say so."""
    marker = settings["marker"]
    if marker and not os.path.exists(marker):
        open(marker, "w").close()
        os._exit(1)
    x = np.random.default_rng(settings["seed"]).normal(size=(32, 4))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(shared)])
    model.compile("adam", "mse")
    model.fit(x, x[:, :shared], batch_size=8, epochs=2, verbose=0)
    return {"weights": np.concatenate([w.ravel() for w in model.get_weights()])}
