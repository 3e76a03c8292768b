"""Which of the remedies that a rule suggests are worth saying."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.run import Run


def advice(
    run: Run, suggestions: Iterable[RemedySuggestion]
) -> tuple[RemedySuggestion, ...]:
    """Return suggestions without those that ask for what there is already.

    Args:
        run: The run that was judged.
        suggestions: What a rule suggests.

    Raises:
        ValueError: If a suggestion names no remedy, or arguments that it does not take.
    """
    found = []
    for suggestion in suggestions:
        suggestion.check()
        present = _present(run, suggestion.name)
        left = {
            key: value
            for key, value in suggestion.kwargs.items()
            if key not in present or _plain(key, value) != present[key]
        }
        if not left and suggestion.kwargs:
            continue
        if suggestion.name == "fix_output":  # leaves alone what it is not told
            suggestion = replace(suggestion, kwargs=left)
        found.append(suggestion)
    return tuple(found)


def _present(run: Run, remedy: str | None) -> dict[str, Any]:
    """Return what the arguments of a remedy are in the run, as far as known."""
    if remedy == "change_batch_size":
        return {"batch_size": run.facts.batch_size}
    if remedy == "change_optimizer":
        return {"optimizer": run.facts.inner_optimizer_name.lower()}
    if remedy != "fix_output":
        return {}
    loss, present = run.loss_kind, {}
    # a loss of the same name that takes logits is another one
    if loss.name != "custom" and not loss.from_logits:
        present["loss"] = loss.name
    outputs = run.facts.outputs
    if len(outputs) == 1:
        present["activation"] = outputs[0].activation or "linear"
    return present


def _plain(argument: str, value: Any) -> Any:
    """Return the value with a short name written out, such as that of a loss."""
    return LossKind.of(value).name if argument == "loss" else value
