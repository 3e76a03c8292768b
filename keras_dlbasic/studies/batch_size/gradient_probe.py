"""Gradients of chosen batches at chosen weights, beside the training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.optimizer import place_of
from keras_dlbasic._trials.stored_batches import take


@keras.saving.register_keras_serializable(package="keras_dlbasic")
class GradientCollector(keras.optimizers.Optimizer):
    """An optimizer that keeps the gradient and leaves the weights alone."""

    def __init__(self, learning_rate: float = 0.0, **kwargs: Any) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)

    def build(self, variables: Any) -> None:
        """Make room for the gradients."""
        if self.built:
            return
        super().build(variables)
        self.gradients = [
            self.add_variable_from_reference(variable, name="gradient")
            for variable in variables
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keep a gradient."""
        place = self.gradients[place_of(self, variable)]
        gradient = keras.ops.convert_to_tensor(gradient)
        self.assign(place, keras.ops.cast(gradient, place.dtype))


class GradientProbe:
    """Takes gradients with a model of its own.

    Args:
        model: A compiled model with the architecture and loss of the one that is
            trained. The probe takes it over: its optimizer is replaced.
    """

    def __init__(self, model: Any) -> None:
        self._collector = GradientCollector()
        model.optimizer = self._collector
        self._model = model

    def gradient(self, weights: list[np.ndarray], x: Any, y: Any) -> tuple[Any, float]:
        """Return the gradient as one vector, and the loss, of a batch at `weights`."""
        self._model.set_weights(weights)
        # Keras returns the mean loss since the last reset
        self._model.reset_metrics()
        logs = self._model.train_on_batch(x, y, return_dict=True)
        parts = [keras.ops.convert_to_numpy(v) for v in self._collector.gradients]
        vector = np.concatenate([np.asarray(p, np.float64).ravel() for p in parts])
        return vector, float(logs["loss"])

    def gradient_of_rows(
        self,
        weights: list[np.ndarray],
        data: tuple[Any, Any],
        rows: np.ndarray,
        *,
        at_once: int,
    ) -> tuple[Any, float]:
        """Return gradient and loss of rows, the mean of pieces of up to `at_once`."""
        rows = np.sort(rows)
        pieces = np.array_split(rows, -(-len(rows) // at_once))
        gradient: Any = 0.0
        loss = 0.0
        for piece in pieces:
            own, own_loss = self.gradient(weights, *take(data, piece))
            share = len(piece) / len(rows)
            gradient, loss = gradient + share * own, loss + share * own_loss
        return gradient, loss

    def noise_and_signal(
        self,
        weights: list[np.ndarray],
        data: tuple[Any, Any],
        rows: np.ndarray,
        *,
        parts: int,
        data_size: int | None,
    ) -> tuple[float, float]:
        """Return unbiased estimates of what makes the gradient noise scale.

        Args:
            weights: Where.
            data: Inputs and targets.
            rows: Which samples, drawn without replacement; cut into equal parts.
            parts: Number of small batches, at least 2.
            data_size: See `analysis.gradient_noise_scale`.

        Returns:
            Trace of the covariance of single-sample gradients, and squared norm of the
            mean gradient.
        """
        from keras_dlbasic.analysis import gradient_noise_scale

        # The parts have no row in common. Their gradients are those of small batches,
        # and their mean is that of the big batch, without another backward pass.
        small = len(rows) // parts
        total: Any = 0.0
        norms = []
        for part in range(parts):
            chosen = np.sort(rows[part * small : (part + 1) * small])
            vector, _ = self.gradient(weights, *take(data, chosen))
            norms.append(_norm(vector))
            total = total + vector
        scale = gradient_noise_scale(
            [norms],
            [_norm(total) / parts],
            small_batch=small,
            big_batch=small * parts,
            data_size=data_size,
        )
        return scale.noise, scale.signal


def _norm(vector: np.ndarray) -> float:
    # `np.linalg.norm` depends on the number of threads
    return float(np.sqrt(np.sum(np.square(vector))))
