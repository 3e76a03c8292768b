"""Advice for data that come in batches of their own, not in arrays."""

from __future__ import annotations

from dataclasses import replace

from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion

BY_HAND = {
    "train on the change since the last value, `y - x[:, -1, 0]`, and add it to that "
    "value to forecast": (
        "train on the change since the last value, the targets less the last step of "
        "the inputs, and add it to that value to forecast"
    ),
    "model.fit(x[:32], y[:32], batch_size=32, epochs=300)": (
        "x, y, *_ = next(iter(data)); model.fit(x, y, epochs=300)"
    ),
    "look at ten rows of `x` with their rows of `y`": (
        "look at ten rows of a batch with their targets"
    ),
    "train on shuffled labels, y[numpy.random.permutation(len(y))]": (
        "train on labels that are shuffled within each batch"
    ),
    "order = np.random.permutation(len(x)); x, y = x[order], y[order]": (
        "shuffle inputs and targets together where the data are made, before they are "
        "parted into batches"
    ),
    "compute model(x[:32]) layer by layer, then the loss": (
        "x, y, *_ = next(iter(data)); compute model(x) layer by layer, then the loss"
    ),
    "shift the input of the decoder by one step: start token, then y[:, :-1]": (
        "shift the input of the decoder by one step where the data are made: start "
        "token, then the targets without the last step"
    ),
}
"""What to do by hand with arrays, and with batches."""


def for_batches(
    suggestion: RemedySuggestion, form: str | None, steps: int | None = None
) -> RemedySuggestion:
    """Return a suggestion as it can be followed with the data of a run.

    Args:
        suggestion: A suggestion for arrays `x` and `y`.
        form: Of the data, as in `RunFacts.data_form`.
        steps: Number of steps of an epoch. Defaults to None: not known.

    Returns:
        The same one for arrays, or if the form is not known. The code of others takes
        `data`, the data set or generator that `fit` was given.
    """
    if form not in ("data_set", "generator"):
        return suggestion
    if suggestion.name is None:
        return replace(suggestion, code=BY_HAND.get(suggestion.code, suggestion.code))
    if suggestion.name == "scale_targets":  # takes all targets, in an array
        return replace(suggestion, name=None, kwargs={}, needs=None)
    if suggestion.name == "change_batch_size":
        size = suggestion.kwargs.get("batch_size")
        code = f"make batches of {size} rows where the data are made"
        return replace(suggestion, code=code, data_form=form)
    steps = steps if form == "generator" else None
    return replace(suggestion, data_form=form, steps_per_epoch=steps)
