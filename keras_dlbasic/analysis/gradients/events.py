"""Steps at which gradients vanish, explode, turn non-finite or are zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.gradients.flow import gradient_flow
from keras_dlbasic.records import TrainingRecord


@names_nearest
@dataclass(frozen=True, repr=False)
class GradientEvent(Displayed):
    """A problem in the gradients of a layer: the first step at which it was seen.

    Attributes:
        kind: `"vanishing"`, `"exploding"`, `"non_finite"` or `"zero"`.
        layer: Label of the layer; for `"zero"` (all gradients are zero) that of the
            last layer.
        step: First sampled step at which it was seen, 0-based.
        value: The measured value; for `"non_finite"` the number of such entries.
        threshold: The threshold for `value`.
        reference: Label of the layer it was compared with, or None.

    Example:
    >>> from keras_dlbasic.analysis import GradientEvent
    >>> print(GradientEvent("vanishing", "dense", 9, 2e-5, 1e-3, reference="dense_7"))
    Gradient is vanishing: layer 'dense', step 10: relative to its weights, it is
    2.0e-05 times that of layer 'dense_7' (threshold 1e-03).
    """

    kind: Literal["vanishing", "exploding", "non_finite", "zero"]
    layer: str
    step: int
    value: float
    threshold: float
    reference: str | None = None

    def __str__(self) -> str:
        return wrapped(self._text())

    def _text(self) -> str:
        when = f"layer '{self.layer}', step {self.step + 1}"
        if self.kind == "non_finite":
            entries = (
                "1 entry is" if self.value == 1 else f"{self.value:.0f} entries are"
            )
            return f"Gradient is not finite: {when}: {entries} NaN or infinite."
        if self.kind == "zero":
            return (
                "The gradients of all layers are exactly zero, first at step "
                f"{self.step + 1}: the loss does not change any weight."
            )
        if self.reference is not None:
            return (
                f"Gradient is {self.kind}: {when}: relative to its weights, it is "
                f"{self.value:.1e} times that of layer '{self.reference}' "
                f"(threshold {self.threshold:.0e})."
            )
        return (
            f"Gradient is {self.kind}: {when}: its norm is {self.value:.1e} times its "
            f"median so far (threshold {self.threshold:.0e})."
        )


@names_nearest
def gradient_events(
    record: TrainingRecord,
    *,
    ratio: float = 1e-3,
    jump: float = 1e3,
    least_steps: int = 5,
) -> list[GradientEvent]:
    """Find where gradients vanish, explode, turn non-finite or are zero everywhere.

    Layers with kernels are compared by their gradient relative to their weights, as
    `plots.plot_gradient_flow` draws it. A layer's gradient vanishes when it stays below
    `ratio` times the largest of the layers after it. It explodes when it stays above `1
    / ratio` times that of the last layer, or jumps to more than `jump` times its own
    median so far. Gradients that are exactly zero in all layers for `least_steps`
    sampled steps in a row, while the loss is not zero, are a separate event.

    In a network of sigmoid units each layer passes on at most a quarter of the
    gradient, so the default `ratio` is reached after about five layers. With
    normalization or residual connections, layers stay within a factor of about ten.

    Args:
        record: The record of a run.
        ratio: Ratio between layers. Defaults to `1e-3`.
        jump: Ratio to the median of the layer's sampled steps. Defaults to `1e3`.
        least_steps: Number of sampled steps in a row that must show it. The median is
            taken over these. Defaults to `5`.

    Returns:
        The first event of each kind and layer, by step.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> monitor = kd.callbacks.GradientNormMonitor(every=1)
    >>> x, y = np.ones((8, 4)), np.ones((8, 1))
    >>> history = model.fit(x, y, 1, epochs=1, verbose=0, callbacks=[monitor])
    >>> kd.analysis.gradient_events(monitor.record)  # none: the gradients are fine
    []
    """
    events = _non_finite_events(record) + _zero_events(record, least_steps)
    finite = (record.non_finite.sum(axis=1) == 0) & ~record.skipped
    # Biases begin at zero and gains at one, so that their gradients relative to them
    # say nothing of depth.
    with_kernels = {v.layer for v in record.variables if len(v.shape) > 1}
    layers = [layer for layer in record.layers if layer in with_kernels]
    if layers and finite.any():
        columns = [record.layers.index(layer) for layer in layers]
        steps = record.steps[finite]
        norms = record.by_layer("gradient_norm")[finite][:, columns]
        weights = record.by_layer("weight_norm")[finite][:, columns]
        flow = gradient_flow(norms, weights)
        events += _ratio_events(flow, steps, layers, ratio, least_steps)
        events += _jump_events(norms, steps, layers, jump, least_steps)
    # One event of a kind for each layer: those that come later follow from the first.
    first: dict[tuple[str, str], GradientEvent] = {}
    for event in sorted(events, key=lambda event: event.step):
        first.setdefault((event.kind, event.layer), event)
    return list(first.values())


def _non_finite_events(record: TrainingRecord) -> list[GradientEvent]:
    counts = record.by_layer("non_finite")
    counts[record.skipped] = 0
    events = []
    for column, layer in enumerate(record.layers):
        rows = np.flatnonzero(counts[:, column])
        if len(rows):
            step, count = int(record.steps[rows[0]]), float(counts[rows[0], column])
            events.append(GradientEvent("non_finite", layer, step, count, 0.0))
    return events


def _zero_events(record: TrainingRecord, least_steps: int) -> list[GradientEvent]:
    if not record.layers:
        return []
    zero = (record.gradient_norm == 0).all(axis=1) & (record.non_finite == 0).all(
        axis=1
    )
    # Where the loss itself is zero, there is nothing left to learn.
    row = _first_run(zero & (record.batch_loss != 0), least_steps)
    if row is None:
        return []
    return [GradientEvent("zero", record.layers[-1], int(record.steps[row]), 0.0, 0.0)]


def _ratio_events(
    flow: np.ndarray,
    steps: np.ndarray,
    layers: list[str],
    ratio: float,
    least_steps: int,
) -> list[GradientEvent]:
    """Compare layers with those behind them, at each step."""
    events = []
    for column in range(len(layers) - 1):
        behind = np.where(np.isnan(flow[:, column + 1 :]), 0.0, flow[:, column + 1 :])
        largest = behind.max(axis=1)
        reference = column + 1 + behind.argmax(axis=1)
        usable = largest > 0
        relative = np.where(usable, flow[:, column] / np.where(usable, largest, 1), 1)
        row = _first_run(relative < ratio, least_steps)
        if row is not None:
            events.append(
                GradientEvent(
                    "vanishing",
                    layers[column],
                    int(steps[row]),
                    float(relative[row]),
                    ratio,
                    layers[reference[row]],
                )
            )
        # A gradient vanishes against any layer behind. It explodes against the last
        # one, which is next to the loss: against the smallest, each layer in front of a
        # dead one would.
        last = flow[:, -1]
        usable = last > 0
        relative = np.where(usable, flow[:, column] / np.where(usable, last, 1), 1)
        row = _first_run(relative > 1 / ratio, least_steps)
        if row is not None:
            events.append(
                GradientEvent(
                    "exploding",
                    layers[column],
                    int(steps[row]),
                    float(relative[row]),
                    1 / ratio,
                    layers[-1],
                )
            )
    return events


def _jump_events(
    norms: np.ndarray,
    steps: np.ndarray,
    layers: list[str],
    jump: float,
    least_steps: int,
) -> list[GradientEvent]:
    """Compare each layer with its own past."""
    events = []
    for column, layer in enumerate(layers):
        for row in range(least_steps, len(norms)):
            # the median, since a mean would be carried up by the first jump
            median = float(np.median(norms[:row, column]))
            value = norms[row, column]
            if median > 0 and value > jump * median:
                event = GradientEvent(
                    "exploding", layer, int(steps[row]), float(value / median), jump
                )
                events.append(event)
                break
    return events


def _first_run(holds: np.ndarray, length: int) -> int | None:
    """Return where `holds` is first true `length` times in a row."""
    count = 0
    for row, value in enumerate(holds):
        count = count + 1 if value else 0
        if count == length:
            return row - length + 1
    return None
