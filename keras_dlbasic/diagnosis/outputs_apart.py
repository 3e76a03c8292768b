"""The record of a model with several outputs, as it is for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dlbasic.records import (
    DataFacts,
    OutputFacts,
    ProbeFacts,
    RunFacts,
    TargetFacts,
    TrainingRecord,
    WeightFacts,
)


class OutputRecord(TrainingRecord):
    """A record as it would be if a model had one of its outputs only.

    Steps, layers and inputs are those of the whole model, since all outputs share them.
    Targets, loss, curves and the probe are those of the output. What was measured of
    the losses of batches is about their sum, and so not known here.

    Args:
        record: The whole record, of a model with several outputs.
        index: Number of the output.

    Attributes:
        whole: The whole record.
        name: What the output is called: by its label, else its layer, else its number.
        is_trained: Whether there is a loss for it, as far as is known.
        loss_weight: What its loss is multiplied by in the sum.

    Example:
    >>> from keras_dlbasic.diagnosis.outputs_apart import OutputRecord
    >>> from keras_dlbasic.records import TrainingRecord
    >>> record = TrainingRecord.from_history({"loss": [5.0], "age_loss": [4.0]})
    >>> outputs = [{"label": "age"}, {"label": "kind"}]
    >>> record.facts = type(record.facts).from_dict(
    ...     {"network": {"outputs": outputs}, "loss": ["mse", "mse"]}
    ... )
    >>> OutputRecord(record, 0).epochs["loss"]
    array([4.])
    """

    def __init__(self, record: TrainingRecord, index: int) -> None:
        # A view of the whole record: it shares the arrays, and replaces only what is
        # different for a single output.
        vars(self).update(vars(record))
        self.whole = record
        facts = record.facts
        outputs = facts.outputs
        self._names = [
            output.known_as or f"output_{place}" for place, output in enumerate(outputs)
        ]
        self.name = self._names[index]
        losses = [of_output(facts.loss, i, outputs) for i in range(len(outputs))]
        self.is_trained = facts.loss is None or losses[index] is not None
        weight = of_output(facts.loss_weights, index, outputs)
        self.loss_weight = 1.0 if weight is None else float(weight)
        self._is_alone = sum(loss is not None for loss in losses) == 1
        self.facts = _facts_of(facts, index, losses[index])
        self.tables = dict(record.tables)
        if "probe" in record.tables:
            table = record.tables["probe"]
            # behind the column of the whole model; older records have only that
            is_told = len(table.labels) == len(outputs) + 1
            column = table.column(index + 1 if is_told else 0, "model")
            self.tables["probe"] = column

    @property
    def epochs(self) -> dict[str, np.ndarray]:
        """Logs of the epochs, by the names that they have with a single output."""
        logs = super().epochs
        if self._is_alone and f"{self.name}_loss" not in logs:
            return logs  # Keras logs it as the sum
        kept = {k: v for k, v in logs.items() if k not in ("loss", "val_loss")}
        for name in logs:
            before = "val_" if name.startswith("val_") else ""
            bare = name.removeprefix(before)
            owner = self._owner(bare)
            # A metric of another output says nothing of this one.
            if owner is not None:
                kept.pop(name, None)
            if owner == self.name:
                kept[before + bare.removeprefix(f"{owner}_")] = logs[name]
        return kept

    def _owner(self, log: str) -> str | None:
        """Return the output whose name a log begins with: of several, the longest."""
        owners = [name for name in self._names if log.startswith(f"{name}_")]
        return max(owners, key=len, default=None)

    @property
    def batch_loss(self) -> np.ndarray:
        """Losses of sampled batches, `[n]`: NaN, where only their sum was measured."""
        losses = super().batch_loss
        return losses if self._is_alone else np.full_like(losses, np.nan)


def of_output(given: Any, index: int, outputs: Sequence[OutputFacts]) -> Any:
    """Return what a loss, a weight or targets given for several outputs are for one.

    Args:
        given: A single one, which is for all, or a list or dictionary.
        index: Number of the output.
        outputs: The outputs, whose names are the keys of a dictionary.

    Returns:
        The part; None if there is none for the output.
    """
    if is_single(given):
        return given
    if isinstance(given, Mapping):
        for name in (outputs[index].label, outputs[index].name):
            if name in given:
                return given[name]
    elif len(given) == len(outputs):
        return given[index]
    # What is given may be nested deeper than the names. Then the order of its leaves is
    # that of the outputs, as Keras flattens both.
    leaves = list(_leaves(given))
    return leaves[index] if len(leaves) == len(outputs) > 1 and _nests(given) else None


def is_single(given: Any) -> bool:
    """Return whether something is for all outputs: no list, no dictionary by name."""
    is_config = isinstance(given, Mapping) and "class_name" in given
    return is_config or not isinstance(given, (Mapping, list, tuple))


def _nests(given: Any) -> bool:
    parts = given.values() if isinstance(given, Mapping) else given
    return any(not is_single(part) for part in parts)


def _leaves(given: Any) -> Iterator[Any]:
    """Yield the parts in the order of `keras.tree.flatten`."""
    if is_single(given):
        yield given
        return
    parts = given
    if isinstance(given, Mapping):
        parts = [given[key] for key in sorted(given)]
    for part in parts:
        yield from _leaves(part)


def _facts_of(facts: RunFacts, index: int, loss: Any) -> RunFacts:
    outputs, probe = facts.outputs, facts.probe
    assert facts.model is not None
    if probe is not None and len(probe.outputs or ()) == len(outputs):
        assert probe.outputs is not None
        looked, failed = probe.looked, probe.failed
        probe = replace(probe.outputs[index], looked=looked, failed=failed)
    elif probe is not None:  # looked at before outputs were distinguished
        probe = ProbeFacts(rows=probe.rows, looked=probe.looked, failed=probe.failed)
    data = facts.data
    if data is not None:
        target = _target_of(data, index, outputs)
        weights = _weights_of(data, index, outputs)
        targets = () if target is None else (target,)
        data = replace(data, targets=targets, weights=weights)
    return replace(
        facts,
        loss=loss,
        loss_weights=None,
        metrics=of_output(facts.metrics, index, outputs),
        model=replace(facts.model, outputs=(outputs[index],)),
        data=data,
        probe=probe,
    )


def _target_of(
    data: DataFacts, index: int, outputs: Sequence[OutputFacts]
) -> TargetFacts | None:
    return _named(data.targets, index, outputs)


def _weights_of(
    data: DataFacts, index: int, outputs: Sequence[OutputFacts]
) -> tuple[WeightFacts, ...]:
    """Return the sample weights of an output; a single array is for all of them."""
    own = _named(data.weights, index, outputs)
    if own is None:  # a list may have None for some of the outputs
        own = next((one for one in data.weights if one.name == str(index)), None)
    if own is not None:
        return (own,)
    is_for_all = len(data.weights) == 1 and data.weights[0].name == "0"
    return data.weights if is_for_all else ()


def _named(
    facts: Sequence[Any], index: int, outputs: Sequence[OutputFacts]
) -> Any | None:
    """Return what has the name of an output, or its number if all are listed."""
    by_name = {one.name: one for one in facts}
    for name in (outputs[index].label, outputs[index].name):
        if name in by_name:
            return by_name[name]
    # those of a list are called by their numbers
    is_listed = set(by_name) == {str(i) for i in range(len(outputs))}
    return by_name[str(index)] if is_listed else None
