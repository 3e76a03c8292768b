"""The loss of a model over a data set, as a function of its weights."""

from __future__ import annotations

import copy
import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.as_tensor import as_tensor
from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic._backends.out_of_memory import memory_error
from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._keras.connections import mask_of
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.landscape.rows import Batch, Rows

MICRO_BATCH = 256


class Products(Protocol):
    """What differs between backends; `rest` are the model's state and a micro-batch."""

    no_second_derivative: tuple[type[Exception], ...]

    def loss(self, weights: Sequence[Any], *rest: Any) -> Any:
        """Return the loss."""

    def gradient(self, weights: Sequence[Any], *rest: Any) -> Any:
        """Return the loss and its gradient, a list like `weights`."""

    def product(self, directions: Sequence[Any], weights: Any, *rest: Any) -> Any:
        """Return the product of the Hessian and `directions`, a list like them."""


@names_nearest
class Objective:
    """The loss of a model on a data set, with its gradient and Hessian-vector products.

    The loss is the compiled loss (`model.compute_loss`) with all penalties. It is a
    function of the trainable weights, flattened to one vector in the order of
    `model.trainable_variables`. The data are processed in micro-batches, so memory does
    not grow with the number of rows. Each micro-batch is computed in the precision of
    the model, and the sums over micro-batches in float64. The model is not changed.

    Args:
        model: A built and compiled Keras model.
        x: Inputs: an array or a structure of arrays, which may be on disk.
        y: Targets, likewise. Defaults to None.
        sample_weight: Weights of the samples. Defaults to None: ones.
        micro_batch: Number of rows in memory at once. Defaults to `256`.
        training: Whether layers run in training mode. Defaults to `False`, as in
            `model.evaluate`. With `True`, dropout uses the same mask for all
            micro-batches, and batch normalization uses the statistics of each
            micro-batch.

    Attributes:
        model: The model.
        size: Number of trainable weights.
        shapes: Shape of each trainable variable.
        names: Path of each trainable variable.
        rows: The data.
        epsilon: Machine epsilon of the precision of the model.

    Raises:
        ValueError: If the model is not built or not compiled, if it has no trainable
            weights, or if the loss is not a mean over rows and the rows do not fit into
            one micro-batch.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> objective = kd.landscape.Objective(model, np.ones((5, 1)), np.ones((5, 1)))
    >>> objective.product(np.array([1.0, 0.0]))  # of kernel and bias: mean of 2 x x^T
    array([2., 2.])
    """

    def __init__(
        self,
        model: Any,
        x: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        micro_batch: int = MICRO_BATCH,
        training: bool = False,
    ) -> None:
        _check_model(model)
        self.model = model
        self.rows = Rows.of(x, y, sample_weight, micro_batch, model)
        self.training = bool(training)
        self._variables = list(model.trainable_variables)
        self._state = list(model.non_trainable_variables)
        self.shapes = [tuple(int(n) for n in v.shape) for v in self._variables]
        self.names = [getattr(v, "path", v.name) for v in self._variables]
        self._ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])
        self.size = int(self._ends[-1])
        self.epsilon = _epsilon(model)
        self._takes_training = "training" in _parameters(model.compute_loss)
        self._products = _products(self._loss, draws=self.training)
        masked = self._build_loss()
        if self.rows.n > self.rows.micro_batch:
            _check_additive(model, masked, sample_weight is not None)
        self._lacks: str | None = None
        if self.training:
            self._check_fixed()

    # -- the function ------------------------------------------------------------

    def weights(self) -> np.ndarray:
        """Return the current weights, `[size]` in float64."""
        return self._joined([v.value for v in self._variables])

    def loss(self, at: np.ndarray | None = None) -> float:
        """Return the loss.

        Args:
            at: Weights at which to compute it. Defaults to None: those of the model.
        """
        weights, state = self._parts(at), self._values(self._state)
        with generators_kept(self.model), self._explained():
            return sum(
                share * float(_numpy(self._products.loss(weights, state, *batch)))
                for batch, share in self._batches()
            )

    def gradient(self, at: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient, `[size]` in float64.

        Args:
            at: Weights at which to compute it. Defaults to None: those of the model.
        """
        weights, state = self._parts(at), self._values(self._state)
        value, total = 0.0, np.zeros(self.size)
        with generators_kept(self.model), self._explained():
            for batch, share in self._batches():
                loss, gradient = self._products.gradient(weights, state, *batch)
                value += share * float(_numpy(loss))
                total += share * self._joined(gradient)
        return value, total

    def product(
        self, direction: np.ndarray, at: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the Hessian times `direction`, `[size]` in float64.

        If an operation of the model has no second derivative, the product is computed
        from central differences of the gradient, and a warning names the operation.

        Args:
            direction: `[size]`.
            at: Weights at which to compute it. Defaults to None: those of the model.
        """
        direction = np.asarray(direction, np.float64)
        length = float(np.linalg.norm(direction))
        if length == 0:
            return np.zeros(self.size)
        unit = direction / length  # so that no precision is lost in tiny numbers
        if self._lacks is None:
            try:
                with generators_kept(self.model):
                    return length * self._exact_product(unit, at)
            except self._products.no_second_derivative as error:
                self._lacks = _operation(error)
                warnings.warn(
                    "Hessian products are taken as differences of gradients, which is "
                    "less precise, since an operation of the model has no second "
                    f"derivative on {keras.backend.backend()}: {self._lacks}",
                    stacklevel=2,
                )
        return length * self._difference_product(unit, at)

    @property
    def is_exact(self) -> bool:
        """Whether products are second derivatives, not differences of gradients."""
        return self._lacks is None

    def split(self, vector: np.ndarray) -> list[np.ndarray]:
        """Split a vector `[size]` into arrays with the shapes of the variables."""
        parts = np.split(np.asarray(vector), self._ends[:-1])
        return [p.reshape(s) for p, s in zip(parts, self.shapes, strict=True)]

    def first_rows(self, most: int) -> Objective:
        """Return the same loss over the first rows."""
        if self.rows.n <= most:
            return self
        return self._over(self.rows.head(most))

    def mismatched(
        self, rng: np.random.Generator, most: int
    ) -> Iterator[Objective] | None:
        """Return losses over the first rows with shuffled targets.

        None if there are no targets.
        """
        own = self.first_rows(most)
        if own.rows.y is None or own.rows.n < 2:
            return None
        return (
            own._over(own.rows.with_targets_of(rng.permutation(own.rows.n)))
            for _ in iter(int, 1)
        )

    def _over(self, rows: Rows) -> Objective:
        """Return the same loss, compiled already, over other rows."""
        other = copy.copy(self)
        other.rows = rows
        return other

    # -- how ---------------------------------------------------------------------

    def _loss(self, weights: Any, state: Any, x: Any, y: Any, weight: Any) -> Any:
        """Return the loss on a micro-batch; pure."""
        mapping = [
            *zip(self._variables, weights, strict=True),
            *zip(self._state, state, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
            outputs = self.model(x, training=self.training)
            return self._computed(x, y, outputs, weight)

    def _computed(self, x: Any, y: Any, outputs: Any, weight: Any) -> Any:
        options = {"training": self.training} if self._takes_training else {}
        return self.model.compute_loss(
            x=x, y=y, y_pred=outputs, sample_weight=weight, **options
        )

    def _exact_product(self, unit: np.ndarray, at: np.ndarray | None) -> np.ndarray:
        weights, state = self._parts(at), self._values(self._state)
        directions = self._parts(unit)
        total = np.zeros(self.size)
        with self._explained():
            for batch, share in self._batches():
                parts = self._products.product(directions, weights, state, *batch)
                total += share * self._joined(parts)
        return total

    def _difference_product(
        self, unit: np.ndarray, at: np.ndarray | None
    ) -> np.ndarray:
        center = self.weights() if at is None else np.asarray(at, np.float64)
        # balances rounding, epsilon / step, against the third derivative, step^2
        step = self.epsilon ** (1 / 3) * max(1.0, float(np.linalg.norm(center)))
        ahead = self.gradient(center + step * unit)[1]
        behind = self.gradient(center - step * unit)[1]
        return (ahead - behind) / (2 * step)

    def _batches(self) -> Any:
        for batch, share in self.rows.batches():
            yield _tensors(batch), share

    def _parts(self, vector: np.ndarray | None) -> list[Any]:
        if vector is None:
            return self._values(self._variables)
        return [
            ops.convert_to_tensor(part, dtype=variable.dtype)
            for part, variable in zip(self.split(vector), self._variables, strict=True)
        ]

    @staticmethod
    def _values(variables: Sequence[Any]) -> list[Any]:
        # TensorFlow's would be variables. JAX' may be given away by `fit` later, but
        # are read before; it would compile the copying for each shape.
        if keras.backend.backend() == "jax":
            return [variable.value for variable in variables]
        return [ops.copy(variable.value) for variable in variables]

    @staticmethod
    def _joined(parts: Sequence[Any]) -> np.ndarray:
        return np.concatenate([_numpy(p).astype(np.float64).ravel() for p in parts])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of an error of the user's loss where to look."""
        try:
            yield
        except self._products.no_second_derivative:
            raise
        except Exception as error:  # of the user's loss
            if memory_error(error) is not None:
                raise
            shapes = [tuple(np.shape(y)) for y in keras.tree.flatten(self.rows.y)]
            raise ValueError(
                f"The loss of the model '{self.model.name}' cannot be computed on the "
                f"rows given ({type(error).__name__}: {_operation(error)}). Targets of "
                f"shape {', '.join(map(str, shapes)) or 'None'} must fit its loss and "
                "its outputs; `kd.preflight(model, x, y)` says what does not."
            ) from error

    # -- checks ------------------------------------------------------------------

    def _build_loss(self) -> bool:
        """Have the compiled loss built; return whether it sees masks.

        A stateless scope would refuse to build it.
        """
        model = self.model
        metrics = [v for metric in model.metrics for v in metric.variables]
        before = [_numpy(v.value).copy() for v in metrics]
        x, y, weight = _tensors(self.rows.cut(0, min(2, self.rows.n)))
        mapping = [(v, v.value) for v in (*self._variables, *self._state)]
        masks: list[Any] = []
        autodiff = backend_module("autodiff", "Losses can be built")

        def run() -> Any:
            with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
                outputs = model(x, training=False)
            masks[:] = [mask_of(output) for output in keras.tree.flatten(outputs)]
            return outputs

        outputs = run_apart(model, lambda: autodiff.shaped_like(run))

        def compute() -> Any:
            return self._computed(x, y, outputs, weight)

        try:
            with generators_kept(self.model), self._explained():
                if _is_built_without_variables(model):
                    autodiff.shaped_like(compute)
                else:
                    compute()
        finally:
            for variable, value in zip(metrics, before, strict=True):
                variable.assign(value)
        return any(mask is not None for mask in masks)

    def _check_fixed(self) -> None:
        """Refuse random draws that differ from call to call."""
        batch, _ = next(self._batches())
        weights, state = self._parts(None), self._values(self._state)
        with generators_kept(self.model):
            first, second = (
                float(_numpy(self._products.loss(weights, state, *batch))) for _ in "12"
            )
        if first != second and np.isfinite(first):
            raise ValueError(
                "With `training=True` the loss must be the same in each call, but a "
                f"layer draws new random numbers: it was {first:.6g}, then "
                f"{second:.6g}. Layers must use their own "
                "`keras.random.SeedGenerator`, as Keras' layers do; or use "
                "`training=False`."
            )


def _is_built_without_variables(model: Any) -> bool:
    """Return whether a loss need not be computed to be built.

    So it is with one loss of Keras' own, which makes no variables as it is built. JAX
    computes each operation of it by a function that it compiles.
    """
    is_kerass = isinstance(model.loss, str) or (
        isinstance(model.loss, keras.losses.Loss)
        and type(model.loss).__module__.startswith("keras.")
    )
    is_plain = type(model).compute_loss is keras.Model.compute_loss
    on_jax = keras.backend.backend() == "jax"
    return on_jax and is_kerass and is_plain and len(model.outputs or ()) == 1


def objective_of(model: Any, x: Any, y: Any, **options: Any) -> Objective:
    """Return `model` itself if it is an objective, else that of `model`, `x`, `y`."""
    if isinstance(model, Objective):
        if x is not None or y is not None:
            raise ValueError(
                "An `Objective` already has its data: do not pass `x` and `y`."
            )
        return model
    return Objective(model, x, y, **options)


def _tensors(batch: Batch) -> tuple[Any, Any, Any]:
    x, y, weight = keras.tree.map_structure(
        lambda leaf: None if leaf is None else as_tensor(leaf), batch
    )
    return x, y, weight


def _numpy(tensor: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor))


def _products(loss: Callable[..., Any], *, draws: bool) -> Products:
    """Return the derivatives; `draws` says that the loss may draw random numbers."""
    module = backend_module("curvature", "Curvature can be measured")
    return module.Products(loss, draws)


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model) or not model.built:
        state = "not built" if isinstance(model, keras.Model) else "no Keras model"
        raise ValueError(
            "`model` must be a Keras model that is built. Received: "
            f"{type(model).__name__}, {state}. Give it an `Input`, or call it on a "
            "batch first."
        )
    overrides = type(model).compute_loss is not keras.Model.compute_loss
    if not getattr(model, "compiled", False) or (model.loss is None and not overrides):
        raise ValueError(
            f"Model '{model.name}' has no loss. Call `model.compile(loss=..., ...)` "
            "first."
        )
    if not model.trainable_variables:
        raise ValueError(
            f"Model '{model.name}' has no trainable weights, so its loss has no "
            "landscape. Unfreeze layers by `layer.trainable = True`."
        )


def _check_additive(model: Any, masked: bool, weighted: bool) -> None:
    """Refuse losses of which the micro-batches' mean is not the whole."""
    reason = None
    for loss in keras.tree.flatten(model.loss):
        reduction = getattr(loss, "reduction", "sum_over_batch_size")
        is_mean = reduction in ("sum_over_batch_size", "mean")
        if not is_mean and (weighted or reduction != "mean_with_sample_weight"):
            reason = f"a loss has reduction={reduction!r}"
    for layer in all_layers(model):
        if getattr(layer, "activity_regularizer", None) is not None:
            reason = f"layer '{layer.name}' has an activity regularizer, a sum"
    if masked:
        reason = "the outputs are masked, so rows count differently"
    if reason is not None:
        raise ValueError(
            f"The loss of the data is not the mean over micro-batches here: {reason}. "
            "Use one micro-batch: set `micro_batch` to the number of rows."
        )


def _parameters(function: Any) -> Sequence[str]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


_EPSILONS = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float64": 2.0**-53}


def _epsilon(model: Any) -> float:
    """Return the rounding unit of the coarsest precision in which layers compute."""
    found = [2.0**-53 if keras.config.floatx() == "float64" else 2.0**-24]
    for layer in all_layers(model):
        name = getattr(layer, "compute_dtype", None)
        if layer.weights and name in ("float16", "bfloat16"):
            found.append(_EPSILONS[name])
    return max(found)


def _operation(error: Exception) -> str:
    """Return what an error says of the operation that it is about."""
    text = " ".join(str(error).split())
    found = re.search(r"(?:entry for:|derivative for|rule for|op:?) ?'?([\w:]+)", text)
    return f"{found[1]} ({type(error).__name__})" if found else text[:200]
