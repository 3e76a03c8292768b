"""Remedies that change how a model is trained, not the model.

Each is a function of the plan of a training (`treatment.Plan`) and stands here with all
that is known of it: what it changes, the code that is printed for it and how it is
judged. The printed code is needed where there is no Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keras_dlbasic.diagnosis.remedy_spec import JudgedBy, RemedySpec

Change = Callable[..., Any]


def _fit_remedy(
    code: Callable[..., str],
    *,
    needs: tuple[str, ...] = (),
    repeatable: bool = False,
    judged_by: JudgedBy = "short_trial",
) -> Callable[[Change], RemedySpec]:
    def make(function: Change) -> RemedySpec:
        return RemedySpec(
            function.__name__,
            function,
            needs,
            repeatable=repeatable,
            judged_by=judged_by,
            fit_call=code,
        )

    return make


def _longer(factor: float = 3.0, epochs: int | None = None) -> str:
    if epochs is not None:
        return f"model.fit(x, y, epochs={epochs})"
    return (
        "epochs = 10  # put in here how many you trained for\n"
        f"model.fit(x, y, epochs=round({factor:g} * epochs))"
    )


def _found_rate(in_place: bool = False) -> str:
    where = ", in_place=True" if in_place else ""
    return (
        "rate = kd.studies.LearningRateRangeTest(model, x, y).run().suggestion\n"
        "if rate is not None:  # None: no rate lowered the loss\n"
        "    model = kd.remedies.change_learning_rate(\n"
        f"        model, learning_rate=rate{where}\n"
        "    )"
    )


@_fit_remedy(
    _found_rate,
    needs=("find_rate",),
    repeatable=True,
)
def find_learning_rate(
    plan: Any, find_rate: Callable[[], float | None], *, in_place: bool = False
) -> Any:
    """Take the learning rate that a range test suggests.

    Args:
        plan: The plan.
        find_rate: Runs a range test.
        in_place: Whether the model is compiled itself, as one that cannot be rebuilt.

    Raises:
        ValueError: If no rate makes the loss fall.
    """
    rate = find_rate()
    if rate is None:
        raise ValueError("the range test found no rate that makes the loss fall")
    where = {"in_place": True} if in_place else {}
    return plan.with_step("change_learning_rate", {"learning_rate": rate, **where})


@_fit_remedy(lambda batch_size: f"model.fit(x, y, batch_size={batch_size})")
def change_batch_size(plan: Any, *, batch_size: int) -> Any:
    """Train with other batches."""
    return replace(plan, batch_size=int(batch_size))


@_fit_remedy(_longer, judged_by="whole_training")
def train_longer(plan: Any, *, factor: float = 3.0, epochs: int | None = None) -> Any:
    """Train for `factor` times the epochs of the plan.

    Args:
        plan: The plan.
        factor: Defaults to 3.
        epochs: What that comes to in the run that was judged, to be printed.
    """
    return replace(plan, epochs=round(plan.epochs * factor))


@_fit_remedy(
    lambda: (
        "stopping = keras.callbacks.EarlyStopping(patience=10, "
        "restore_best_weights=True)\n# and model.fit(..., callbacks=[stopping])"
    ),
    judged_by="whole_training",
)
def stop_early(plan: Any) -> Any:
    """Stop when the validation loss no longer falls, and keep the best weights."""
    return replace(plan, early_stopping=True)


FIT_REMEDIES = (find_learning_rate, change_batch_size, train_longer, stop_early)
