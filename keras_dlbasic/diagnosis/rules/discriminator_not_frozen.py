"""Generators whose discriminator is trained along with them."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.frozen_judge import trained_judge
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("network", "target"))
def discriminator_not_frozen(
    run: Run, *, moved: float = 1e-2, fallen: float = 0.1
) -> Verdict:
    """Look for a discriminator that is trained together with the generator.

    All targets of an output are the same, and the model that makes it is compiled by
    itself, as a discriminator that is trained on other data. Its weights must change
    in this fit.

    Args:
        run: The run.
        moved: Minimum length of its updates together, in units of the norm of its
            weights, for a finding.
        fallen: Share of the first loss below which the last one is critical: to change
            the answer is easier than to make what deserves it.
    """
    judge = trained_judge(run.facts)
    if judge is None:
        return Fine("no discriminator makes the output")
    if run.loss_kind.family == "unknown":
        probe = run.facts.probe
        if probe is None or not probe.reads_targets:
            return Skipped("the loss is your own and may not read the targets")
    path = _path(run, judge)
    if not path >= moved:
        return Fine(f"the weights of model '{judge}' hardly change here")
    losses = run.loss[np.isfinite(run.loss)]
    first = losses[0] if len(losses) else np.nan
    batches = run.record.batch_loss
    if len(batches) and np.isfinite(batches[0]):
        first = batches[0]
    is_lost = len(losses) > 0 and losses[-1] < fallen * first
    fell = f" The loss fell from {first:.3g} to {losses[-1]:.3g} by that."
    told = fell if is_lost else ""
    return Finding(
        severity="critical" if is_lost else "warning",
        message=(
            f"The discriminator '{judge}' is trained together with the generator "
            "before it. All targets are the same here, so it learns to give that "
            f"answer to any input.{told}"
        ),
        layer=judge,
        value=path,
        threshold=moved,
        unit="of the norm of its weights, all updates together",
        confidence=0.9,
        remedies=(
            suggest.by_hand(
                f"model.get_layer('{judge}').trainable = False before the whole model "
                "is trained, and True again before the discriminator is",
                "only the generator is trained through it then; Keras 3 reads "
                "`trainable` as it trains, so to compile before does not keep it",
            ),
        ),
    )


def _path(run: Run, judge: str) -> float:
    """Return the length of all updates of a nested model, at most, over its weights."""
    record = run.record
    if not len(record.steps):
        raise Skipped("no updates were recorded")
    own = [info.layer.startswith(f"{judge}/") for info in record.variables]
    if not any(own):
        return 0.0
    updates = np.nan_to_num(record.update_norm[:, own].astype(np.float64))
    weights = np.nan_to_num(record.weight_norm[:, own].astype(np.float64))
    sizes = np.sqrt((weights**2).sum(axis=1))
    ratios = np.sqrt((updates**2).sum(axis=1)) / np.where(sizes > 0, sizes, np.inf)
    gaps = np.diff(np.append(record.steps, max(record.trained_steps, 1)))
    return float((ratios * np.maximum(gaps, 1)).sum())
