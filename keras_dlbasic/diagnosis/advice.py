"""Which of the remedies that a rule suggests are worth saying, and in which form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from keras_dlbasic.diagnosis.batch_advice import for_batches
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.spoiled_weights import weights_are_spoiled

IN_PLACE = (
    "initialize",
    "change_learning_rate",
    "find_learning_rate",
    "clip_gradients",
    "change_optimizer",
)
"""Remedies that can change a model itself, where no changed copy can be made."""

REBUILDING = (
    "add_dropout",
    "add_penalty",
    "augment_images",
    "change_momentum",
    "fix_output",
    "insert_normalization",
    "remove_penalty",
    "resize",
    "scale_inputs",
    "scale_targets",
    "swap_activations",
)
"""Remedies that make a model anew with changed layers.

By name, since a saved record gets the same advice where there is no Keras, and so no
remedy to ask.
"""

ONE_RATE = ("change_learning_rate", "find_learning_rate", "clip_gradients")
"""Remedies that change what a `MultiOptimizer` has several of."""

ONE_OUTPUT = ("fix_output",)
"""Remedies that change the only output of a model."""


def advice(
    run: Run, suggestions: Iterable[RemedySuggestion]
) -> tuple[RemedySuggestion, ...]:
    """Return suggestions as they can be followed with the model of a run.

    What is there already is left out. Where a remedy cannot make a changed copy of the
    model, it changes the model itself, or the suggestion says what to do by hand. Where
    the run ruined the weights, a remedy starts from new ones.

    Args:
        run: The run that was judged.
        suggestions: What a rule suggests.

    Raises:
        ValueError: If a suggestion names no remedy, or arguments that it does not take.
    """
    return tuple(_advice(run, suggestions))


def _advice(
    run: Run, suggestions: Iterable[RemedySuggestion]
) -> Iterator[RemedySuggestion]:
    is_spoiled = weights_are_spoiled(run)
    for suggestion in suggestions:
        suggestion.check()
        new = _without_present(run, suggestion)
        if new is None or not _suits(run, new.name):
            continue
        new = _applicable(run, new)
        # more epochs bring neither dead units back nor weights that are not finite
        if is_spoiled and new.name == "train_longer":
            continue
        if is_spoiled and new.name in (*IN_PLACE, *REBUILDING):
            new = replace(new, from_new_weights=not _draws(new))
        yield for_batches(new, run.facts.data_form, run.facts.steps_per_epoch)


def _without_present(run: Run, suggestion: RemedySuggestion) -> RemedySuggestion | None:
    """Return a suggestion without what is there already; None if nothing is left."""
    present = _present(run, suggestion.name)
    left = {
        key: value
        for key, value in suggestion.kwargs.items()
        if key not in present or _plain(key, value) != present[key]
    }
    if not left and suggestion.kwargs:
        return None
    if suggestion.name == "fix_output":  # leaves alone what it is not told
        return replace(suggestion, kwargs=left)
    return suggestion


def _suits(run: Run, name: str | None) -> bool:
    """Return whether a remedy is for such inputs, as far as these are known."""
    if name != "augment_images" or not run.facts.inputs:
        return True
    shapes = [facts.shape for facts in run.facts.inputs]
    return len(shapes) == 1 and len(shapes[0]) in (0, 4)


def _applicable(run: Run, suggestion: RemedySuggestion) -> RemedySuggestion:
    """Return a suggestion in the form in which it does not fail on the run's model."""
    model = run.facts.model
    if suggestion.name is None or model is None:
        return suggestion
    is_several = run.facts.inner_optimizer_name == "MultiOptimizer"
    if is_several and suggestion.name in ONE_RATE:
        return _by_hand(suggestion)
    # Some remedies can change a model in place that cannot be rebuilt. The others
    # become advice to follow by hand.
    if model.why_not_rebuilt is not None:
        if suggestion.name in IN_PLACE:
            return replace(suggestion, kwargs={**suggestion.kwargs, "in_place": True})
        if suggestion.name in REBUILDING:
            return _by_hand(suggestion)
    if len(model.outputs) > 1 and suggestion.name in ONE_OUTPUT:
        return _by_hand(suggestion)
    if suggestion.name == "resize" and model.n_resizable == 0:
        return _by_hand(suggestion)
    if suggestion.name == "scale_targets" and run.loss_kind.family != "values":
        return _by_hand(suggestion)
    return suggestion


def _by_hand(suggestion: RemedySuggestion) -> RemedySuggestion:
    return replace(suggestion, name=None, kwargs={}, needs=None)


def _draws(suggestion: RemedySuggestion) -> bool:
    """Return whether a remedy draws all weights anew itself."""
    return suggestion.name == "initialize" or bool(suggestion.kwargs.get("initialize"))


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
