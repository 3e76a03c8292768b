"""A sample of the training data, evaluated in the middle of a fit."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._data.given_rows import GivenRows
from keras_dlbasic._data.kinds import is_data_set
from keras_dlbasic._data.read import Data
from keras_dlbasic.analysis.evenly import evenly

BATCH = 256


class TrainingSample:
    """Evaluates a model on a fixed sample and leaves no trace in it.

    Args:
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set that can be read again and again and gives batches with targets.
        y: Targets, in the same forms; None with a data set.
        rows: Largest number of rows, taken evenly from arrays.

    Raises:
        ValueError: If they are none of these or do not fit each other.
    """

    def __init__(self, x: Any, y: Any, rows: int) -> None:
        self.x, self.y = x, y
        self.n_rows: int | None = None
        self._given: GivenRows | None = None
        if is_data_set(x) and y is None:
            return
        self._rows = rows
        self._given = GivenRows(x, y, self._chosen)

    def fit_to(self, model: Any) -> None:
        """Take the rows as a model takes them.

        Raises:
            ValueError: If they do not fit it.
        """
        if self._given is None:
            return
        self.x, self.y = self._given.of(model)
        if self.y is None and getattr(model, "loss", None) is not None:
            raise ValueError(
                "`y` is missing: give targets for the rows of `x`, as the model "
                f"'{model.name}' has a loss."
            )

    def _chosen(self, found: Data) -> tuple[Any, Any]:
        n = found.n_rows
        self.n_rows = min(self._rows, n)
        if self.n_rows > BATCH:
            self.n_rows -= self.n_rows % BATCH  # batches of one shape compile once
        chosen = evenly(n, self.n_rows)
        x, y = keras.tree.map_structure(
            lambda leaf: None if leaf is None else np.asarray(leaf)[chosen],
            (found.x, found.y),
        )
        return x, y

    def evaluate(self, model: Any) -> dict[str, float]:
        """Return loss and metrics in inference mode, as validation measures them."""
        # seeds that layers draw from in inference, states, metrics
        variables = [*model.non_trainable_variables, *model.metrics_variables]
        before = [keras.ops.copy(variable) for variable in variables]
        try:
            # arrays draw nothing, a data set may
            code = () if self.n_rows is None else (model,)
            with generators_kept(*code):
                logs = self._measure(model)
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
        return {name: float(value) for name, value in logs.items() if _is_number(value)}

    def _measure(self, model: Any) -> dict[str, Any]:
        """Evaluate, on TensorFlow by a test function of our own.

        What `tf.random` draws there is drawn from a state of that function. The one
        that the fit validates with must not have drawn more.
        """
        plain = vars(model).get("test_function")
        if keras.backend.backend() != "tensorflow" or plain is None:
            return self._evaluate(model)
        own = getattr(plain, "keras_dlbasic_own", None)
        with replaced(model, "test_function", own):
            logs = self._evaluate(model)
            plain.keras_dlbasic_own = vars(model)["test_function"]
        return logs

    def _evaluate(self, model: Any) -> dict[str, Any]:
        if self.n_rows is None:
            return model.evaluate(x=self.x, verbose=0, return_dict=True)
        # not `evaluate`, whose data loader draws from PyTorch's random generator
        model.reset_metrics()
        logs: dict[str, Any] = {}
        # Keras 3.15 resets metrics in each `test_on_batch`: only the last would count
        with replaced(model, "reset_metrics", lambda: None):
            for begin in range(0, self.n_rows, BATCH):
                x, y = keras.tree.map_structure(
                    lambda leaf, begin=begin: (
                        None if leaf is None else leaf[begin : begin + BATCH]
                    ),
                    (self.x, self.y),
                )
                # tensors, as in a fit: a metric of the user's may subtract them as they
                # are, which PyTorch refuses for arrays
                y = keras.tree.map_structure(_tensor, y)
                logs = model.test_on_batch(x, y, return_dict=True)
        return logs


def _tensor(leaf: Any) -> Any:
    return None if leaf is None else keras.ops.convert_to_tensor(leaf)


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0
