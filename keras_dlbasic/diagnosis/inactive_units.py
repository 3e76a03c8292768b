"""Hidden units that give the same for all data: dead or saturated."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.finding import Finding, Severity
from keras_dlbasic.diagnosis.fine import Fine
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.diagnosis.verdict import Verdict
from keras_dlbasic.records import LayerTable


def judge_inactive_units(
    run: Run,
    state: str,
    remedies: tuple[RemedySuggestion, ...],
    *,
    most: float,
    least_rows: int,
    nearly_all: float,
) -> Verdict:
    """Judge the share of a layer's units that are in a state.

    For rules: it gives their verdict.

    Args:
        run: The run.
        state: `"dead"` or `"saturated"`.
        remedies: What to suggest.
        most: Share of a hidden layer's units that counts.
        least_rows: Fewer rows in the probe than this cannot tell, unless there are no
            others.
        nearly_all: Share from which it is a warning where nothing else tells whether
            the run has learned.
    """
    table = run.table("activations")
    rows = run.probe_rows
    if rows is not None and rows < least_rows and not _has_all_rows(run, rows):
        return Skipped(f"the probe has {rows} rows; needs {least_rows}")
    shares = np.nan_to_num(table[f"{state}_units"])
    hidden = run.hidden(table.labels)
    if not hidden:
        return Skipped("no hidden layers are known")
    worst = max(hidden, key=lambda place: shares[-1, place])
    value = float(shares[-1, worst])
    if value < most:
        return Fine(f"at most {value:.0%} of a layer's units are {state}")
    layer, at_start = table.labels[worst], float(shares[0, worst])
    return Finding(
        severity=_severity(run, value, nearly_all),
        message=(
            f"{value:.0%} of the units of layer '{layer}' are {state} "
            f"({at_start:.0%} {_start_in_words(table)}), so they pass on no gradient."
        ),
        layer=layer,
        # The epoch is the first at which this many units were inactive. A look before
        # training, at epoch -1, is reported as the first epoch.
        epoch=max(0, int(table.epochs[np.argmax(shares[:, worst] >= most)])),
        value=value,
        threshold=most,
        unit="share of the units",
        # a layer that passes nothing on is enough to explain constant predictions
        confidence=0.98 if value == 1 else 0.95,
        evidence={"before_training": at_start},
        remedies=remedies,
    )


def _has_all_rows(run: Run, rows: int) -> bool:
    """Return whether the model is trained on no other rows than those of the probe."""
    data = run.facts.data
    return data is not None and data.n_rows is not None and data.n_rows <= rows


def _start_in_words(table: LayerTable) -> str:
    """Say when the table begins: a model may have no weights before its first step."""
    if table.epochs[0] < 0:
        return "before training"
    return f"after step {table.steps[0]}"


def _severity(run: Run, share: float, nearly_all: float) -> Severity:
    if run.live and share < 1:
        return "info"  # many a run begins so and recovers
    learned = run.outcome.learned
    if learned is False:
        return "critical"
    if learned is None and not run.outcome.is_known and share > nearly_all:
        return "warning"
    return "info"
