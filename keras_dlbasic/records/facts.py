"""What is known of a run besides its measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records.data_facts import (
    DataFacts,
    InputFacts,
    TargetFacts,
    ValidationFacts,
)
from keras_dlbasic.records.json_facts import UNKNOWN, Facts
from keras_dlbasic.records.model_facts import LayerFacts, ModelFacts, OutputFacts
from keras_dlbasic.records.probe_facts import ProbeFacts


@dataclass(frozen=True, eq=False, repr=False)
class TrendFacts(Facts):
    """How a signal changes from layer to layer.

    Attributes:
        kind: Kind of the law.
        factor: Factor a layer.
        change: Factor over all layers.
    """

    kind: str | None = None
    factor: float = UNKNOWN
    change: float = UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class SignalFacts(Facts):
    """How signals go through a model before training.

    Attributes:
        forward: The trend of the activations; None if not known.
        backward: The trend of the gradients; None if not known.
        verdicts: By layer, where the verdict is not `"ok"`.
    """

    forward: TrendFacts | None = None
    backward: TrendFacts | None = None
    verdicts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class StartFacts(Facts):
    """The loss and its gradient on a few rows, before training.

    Attributes:
        loss_is_finite: Whether the loss is neither NaN nor infinite.
        layers: Labels of the layers whose gradient is not finite.
    """

    loss_is_finite: bool = True
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class CurvatureFacts(Facts):
    """How the curvature of the loss was measured.

    Attributes:
        rows: On how many rows; None if not known.
        verdicts: What the numbers in the table mean.
        failed: Why it could not be measured; None if it could.
    """

    rows: int | None = None
    verdicts: tuple[str, ...] = ()
    failed: str | None = None


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class RunFacts(Facts):
    """Facts about a run besides its measurements.

    Unknown facts are None. `facts["backend"]` works as well. In files they are JSON
    with the same names, except that `model` is stored as `"network"` and `model_name`
    as `"model"`.

    Attributes:
        backend: `"tensorflow"`, `"jax"` or `"torch"`.
        model_name: Name of the model.
        epochs: Number of planned epochs.
        steps_per_epoch: Number of steps per epoch.
        batch_size: Number of rows in the largest batch.
        steps_per_execution: Number of steps per call of the compiled function.
        jit_compile: Whether the step is compiled by XLA.
        run_eagerly: Whether the step runs without compilation.
        dtype_policy: Name of the dtype policy of the model.
        optimizer: Configuration of the optimizer, with `"class_name"`.
        evaluated_weights: Which weights validation, `evaluate` and a saved model use,
            if the optimizer keeps a second set (such as EMA); None if it does not.
        loss: Name or configuration of the loss, or a list or dictionary of several.
            `diagnosis.loss_kind.LossKind` parses it. None: the model was compiled
            without a loss.
        own_loss: Names of the custom methods in which the model computes a loss; empty
            if there are none, None if not known.
        short_side: What lacks its last axis, `"targets"` or `"outputs"`, if a custom
            `train_step` was seen to subtract the outputs of all rows from the target of
            each: arrays of shapes `(n,)` and `(n, 1)` broadcast to `(n, n)`. None
            if that was not seen, as always on JAX.
        kept_gradient: How large the gradients of earlier batches are that the updates
            of a custom `train_step` take again, relative to the gradient of the batch:
            the median over the first steps. None if they take none, as always on
            TensorFlow and JAX.
        loss_weights: Weights of the losses of several outputs, a list or dictionary;
            None if all are 1.
        metrics: Names or configurations of the metrics, as passed to `compile`: a list,
            or for several outputs a list or dictionary of lists; None if there are
            none.
        given: Which data the user passed: `"x"`, `"y"`, `"validation_data"` and, for
            validation data in batches, `"validation_set"`. None if there was no such
            option (and in old records).
        data_form: Form of the training data of `fit`: `"arrays"`, `"data_set"` (a
            `PyDataset`, `tf.data.Dataset` or `DataLoader`) or `"generator"`; None if
            not known.
        replicas: Number of replicas that share a batch.
        versions: Versions of packages, by name.
        model: The model.
        data: The data.
        probe: The rows on which the model is evaluated.
        signals: Signal propagation through the model.
        start: The loss and its gradient before training, if they were evaluated.
        curvature: How the curvature of the loss was measured.
        penalties: Weight penalties as text, by the label of the weight.

    Example:
    >>> from keras_dlbasic.records import RunFacts
    >>> facts = RunFacts.from_dict({"batch_size": 32, "network": {"n_weights": 9}})
    >>> facts.batch_size, facts.model.n_weights
    (32, 9)
    """

    backend: str | None = None
    model_name: str | None = field(default=None, metadata={"key": "model"})
    epochs: int | None = None
    steps_per_epoch: int | None = None
    batch_size: int | None = None
    steps_per_execution: int | None = None
    jit_compile: bool | None = None
    run_eagerly: bool | None = None
    dtype_policy: str | None = None
    optimizer: Mapping[str, Any] | None = None
    evaluated_weights: str | None = None
    loss: Any = None
    own_loss: tuple[str, ...] | None = None
    short_side: str | None = None
    kept_gradient: float | None = None
    loss_weights: Any = None
    metrics: Any = None
    given: tuple[str, ...] | None = None
    data_form: str | None = None
    replicas: int | None = None
    versions: Mapping[str, str] | None = None
    model: ModelFacts | None = field(default=None, metadata={"key": "network"})
    data: DataFacts | None = None
    probe: ProbeFacts | None = None
    signals: SignalFacts | None = None
    start: StartFacts | None = None
    curvature: CurvatureFacts | None = None
    penalties: Mapping[str, str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether all facts are unknown."""
        return not self.to_dict()

    @property
    def layers(self) -> tuple[LayerFacts, ...]:
        """The layers of the model, from input to output; empty if not known."""
        return self.model.layers if self.model else ()

    @property
    def outputs(self) -> tuple[OutputFacts, ...]:
        """The outputs of the model; empty if not known."""
        return self.model.outputs if self.model else ()

    @property
    def inputs(self) -> tuple[InputFacts, ...]:
        """The arrays of inputs; empty if not known."""
        return self.data.inputs if self.data else ()

    @property
    def targets(self) -> tuple[TargetFacts, ...]:
        """The arrays of targets, one per output; empty if not known."""
        return self.data.targets if self.data else ()

    @property
    def validation(self) -> ValidationFacts | None:
        """The validation data; None if not known."""
        return self.data.validation if self.data else None

    @property
    def optimizer_name(self) -> str:
        """Class of the (outermost) optimizer; empty if not known."""
        return str((self.optimizer or {}).get("class_name", ""))

    @property
    def inner_optimizer(self) -> Mapping[str, Any]:
        """Configuration of the optimizer, without a `LossScaleOptimizer` around it.

        It has `"class_name"`, as `optimizer` has; empty if not known.
        """
        config: Any = self.optimizer or {}
        while "inner_optimizer" in config:  # mixed precision
            inner = config["inner_optimizer"]
            config = {**inner, **inner.get("config", {})}
        return config

    @property
    def inner_optimizer_name(self) -> str:
        """Class of the optimizer, without a `LossScaleOptimizer` around it."""
        return str(self.inner_optimizer.get("class_name", ""))
