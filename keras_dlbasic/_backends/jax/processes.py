"""The processes that train one model together, on JAX."""

from __future__ import annotations

from typing import Any

import jax
import keras

from keras_dlbasic._backends.processes import Processes


class _Board:
    """The key-value store of JAX' distributed runtime."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, key: str, text: str) -> None:
        self._client.key_value_set(key, text, allow_overwrite=True)

    def put_first(self, key: str, text: str) -> str:
        try:
            self._client.key_value_set(key, text)
        except Exception:  # of a class of XLA's, when there is one already
            stands = self.get(key, 1.0)
            if stands is None:
                raise
            return stands
        return text

    def get(self, key: str, seconds: float) -> str | None:
        try:
            found: str = self._client.blocking_key_value_get(key, int(1000 * seconds))
        except Exception:  # of a class of XLA's, when the time is over
            return None
        return found


def processes_of(model: Any) -> Processes:
    """Return them; a model is of several where a distribution of Keras is set."""
    if jax.process_count() == 1 or keras.distribution.distribution() is None:
        return Processes()
    # JAX has no public name for the store, on which Orbax and others rely, too
    state = getattr(jax._src.distributed, "global_state", None)
    client = getattr(state, "client", None)
    board = None if client is None else _Board(client)
    return Processes(jax.process_index(), jax.process_count(), board)


def is_in_parts(model: Any) -> bool:
    """Return whether no process has all weights of a model at hand."""
    return not all(_is_here(variable.value) for variable in model.variables)


def _is_here(value: Any) -> bool:
    is_whole = getattr(value, "is_fully_replicated", True)
    return bool(is_whole or value.is_fully_addressable)
