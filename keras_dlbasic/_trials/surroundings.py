"""What of a process, besides the trial, its numbers depend on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from keras_dlbasic._trials.threads import backend_threads, with_threads

SETTINGS = ("floatx", "dtype_policy", "epsilon", "image_data_format")
"""Settings of `keras.config`, in this order: a new `floatx` changes the policy."""


@dataclass(frozen=True)
class Surroundings:
    """Backend, threads and settings of Keras.

    Attributes:
        backend: Name of the backend.
        threads: Between how many threads it splits an operation.
        config: Settings of `keras.config`, by name.
    """

    backend: str
    threads: int
    config: dict[str, Any]

    @classmethod
    def here(cls) -> Surroundings:
        """Return those of this process."""
        return cls(keras.backend.backend(), backend_threads(), _config())

    @contextmanager
    def brought_here(self) -> Iterator[None]:
        """Have threads and settings in this process meanwhile; the backend stays."""
        before = _config()
        with with_threads(self.threads):
            _configure(self.config)
            try:
                yield
            finally:
                _configure(before)


def _config() -> dict[str, Any]:
    found = {name: getattr(keras.config, name)() for name in SETTINGS}
    policy = keras.dtype_policies.serialize(found["dtype_policy"])
    return {**found, "dtype_policy": policy}


def _configure(config: dict[str, Any]) -> None:
    # Setting `floatx` sets the policy as well, so the policy is compared after it.
    for name, value in config.items():
        if value == _config()[name]:
            continue
        if name == "dtype_policy":
            value = keras.dtype_policies.deserialize(value)
        getattr(keras.config, f"set_{name}")(value)
