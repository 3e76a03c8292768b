"""Losses, gradients or weights that are NaN or infinite."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest

REMEDIES = (
    suggest.by_hand(
        "check the data for NaN", "a single NaN in a batch spreads to every weight"
    ),
    suggest.lower_learning_rate("steps that are too long make values overflow"),
    suggest.gradient_clipping("a single huge gradient then cannot ruin the weights"),
)


@rule(kind="symptom", decides="loss")
def non_finite_values(run: Run) -> Verdict:
    """Look for values that are NaN or infinite: in gradients, losses, predictions."""
    found = _in_gradients(run) or _in_losses(run) or _in_predictions(run)
    if found is not None:
        return found
    if not len(run.record.steps) and not len(run.loss) and not len(run.val_loss):
        return Skipped("no losses and no gradients were recorded")
    return Fine("all losses and gradients are finite")


def _in_gradients(run: Run) -> Finding | None:
    record = run.record
    rows = np.flatnonzero((record.non_finite.sum(axis=1) > 0) & ~record.skipped)
    if not len(rows):
        return None
    row = int(rows[0])
    counts = record.by_layer("non_finite")[row]
    layers = [layer for layer, n in zip(record.layers, counts, strict=True) if n]
    step, epoch = int(record.steps[row]), int(record.step_epochs[row])
    return Finding(
        severity="critical",
        message=(
            f"At step {step + 1} (epoch {epoch + 1}) the gradients of {len(layers)} "
            f"layer{'s' * (len(layers) != 1)} are NaN or infinite, which destroys the "
            "weights."
        ),
        layer=layers[0] if layers else None,
        step=step,
        epoch=epoch,
        value=float(counts.sum()),
        threshold=0.0,
        unit="gradient entries",
        evidence={"layers": layers[:10]},
        remedies=REMEDIES,
    )


def _in_losses(run: Run) -> Finding | None:
    for name in ("loss", "val_loss"):
        curve = run.curve(name)
        wrong = np.isinf(curve)
        # NaN may also stand for an epoch that logged nothing. So it counts in the
        # training loss only, and only if the run ends with it.
        if name == "loss" and len(curve) and np.isnan(curve[-1]):
            wrong = wrong | np.isnan(curve)
        if wrong.any():
            epoch = int(run.numbers[int(np.argmax(wrong))])
            return Finding(
                severity="critical",
                message=f"'{name}' is NaN or infinite in epoch {epoch + 1}.",
                epoch=epoch,
                value=float(wrong.sum()),
                threshold=0.0,
                unit="epochs",
                remedies=REMEDIES,
            )
    return None


def _in_predictions(run: Run) -> Finding | None:
    table = run.record.tables.get("probe")
    if table is None or not len(table):
        return None
    shares = np.nan_to_num(table["non_finite"])[:, 0]
    if not shares.max() > 0:
        return None
    row = int(np.argmax(shares > 0))
    return Finding(
        severity="critical",
        message=f"{shares[row]:.0%} of the predictions are NaN or infinite.",
        epoch=int(table.epochs[row]),
        value=float(shares[row]),
        threshold=0.0,
        unit="share of the predictions",
        remedies=REMEDIES,
    )
