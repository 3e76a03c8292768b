"""Classes that are rare beside the others."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import (
    Finding,
    Fine,
    RemedySuggestion,
    Run,
    Skipped,
    Verdict,
    rule,
    suggest,
)
from keras_dlbasic.diagnosis.generalization import (
    is_paired_wrongly,
    knows_places_only,
    places_tell_nothing,
)
from keras_dlbasic.diagnosis.outcome import HALF
from keras_dlbasic.diagnosis.reasons import UNKNOWN_LOSS
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.diagnosis.target_deviation import target_deviation
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note
from keras_dlbasic.records import LayerTable

CONSTANT = 0.02
"""Share of the targets' deviation below which predictions are all alike."""

MORE_ROWS, MORE_WEIGHT = 3.0, 2.0
"""A class with this many times the rows, and each with this many times the weight."""

NOT_HALF = 0.4
"""Share of right answers below which a class is seldom recognized for a model whose
scores tell it apart."""

PADDED = 0.3
"""Share of the targets from which padding is the most common class."""

VERY_RARE, UNDER_WAY = 10.0, 0.05
"""A class that is less rare may be learned next, if the loss falls by this share of
that of a constant prediction over the last half of the epochs."""

FEW_ROWS = 5
"""Of fewer rows the mean weight tells little."""


@rule(
    kind="cause",
    explains=NOT_LEARNING,
    needs=("target",),
    per_output=True,
)
def imbalanced_classes(
    run: Run,
    *,
    share: float = 0.95,
    rarer: float = 4.0,
    updates: int = 20,
    recall: float = 0.3,
    apart: float = 0.9,
) -> Verdict:
    """Look for a class with nearly all rows, and for one that is never predicted.

    Classes of different size are harmless if all are predicted. So it is only a warning
    if the probe has at least 10 rows (or positions) of a rare class, and the trained
    model is wrong on all of them but not on other classes.

    Args:
        run: The run.
        share: Minimum share of the most common class for a finding.
        rarer: A class that is never predicted counts as rare if the most common class
            has at least this many times as many rows.
        updates: Minimum number of updates before predictions are judged.
        recall: A rare class is reported if the share of its rows that are predicted
            correctly is below this, and the run has not got far. If classes overlap,
            no model can reach more.
        apart: It is a warning in any run if a row of the class has a higher score for
            it than another row in at least this share of pairs: the model then tells
            the class apart, but its decisions are in favor of the common one.
    """
    target = run.target
    if run.task is TaskKind.UNKNOWN:
        return Skipped(UNKNOWN_LOSS)
    if run.task is TaskKind.VALUES:
        return Fine("the targets are values")
    if run.data.one_sided:
        return Skipped(run.data.one_sided)
    if target.padded >= PADDED:
        return Fine("many of the targets are padding: see `unmasked_padding`")
    is_trained = max(run.record.trained_steps, len(run.numbers)) >= updates
    if is_trained and not (run.live or run.is_planned):
        missed = _missed(run, rarer)
        if missed is not None:
            return missed
        seldom = _seldom_right(run, rarer, recall, apart)
        if seldom is not None:
            return seldom
    turned = _turned_weights(run)
    if turned is not None:
        return turned
    if not target.frequencies or target.kind == "multi_label":
        return Fine("the targets are not classes")
    value = max(target.frequencies)
    if target.is_constant:
        return Fine("there is only one class: see `constant_targets`")
    # Class weights may have balanced the loss already, although the rows are not.
    weighted = [w.weighted_shares for w in run.data.weights if w.per_row]
    if value > share and len(weighted) == 1 and weighted[0]:
        in_loss = max(weighted[0])
        if in_loss <= share:
            return Fine(
                f"the most common class makes up {value:.1%} of the rows, but after "
                f"weighting {in_loss:.0%} of the loss"
            )
    if value > share:
        return Finding(
            severity="info",
            message=(
                f"One class makes up {value:.1%} of the rows, so a model that always "
                "predicts it has a high accuracy."
            ),
            risk="warning",
            value=value,
            threshold=share,
            unit="share of the rows",
            confidence=0.5,
            remedies=(
                suggest.by_hand(
                    "model.fit(..., class_weight=...)",
                    "gives the rare classes more weight in the loss",
                ),
            ),
        )
    return Fine(f"the most common class makes up {value:.0%}")


def _turned_weights(run: Run) -> Finding | None:
    """Look for class weights that make the rare classes count even less.

    Weights that are the numbers of rows, and not their inverse, do so.
    """
    for weights in run.data.weights:
        counts, means = weights.counts, weights.by_class
        if not counts or not means or not weights.classes or not weights.per_row:
            continue
        common, rare = (int(pick(counts)) for pick in (np.argmax, np.argmin))
        more, value = counts[common] / counts[rare], 0.0
        if means[rare] > 0:
            value = means[common] / means[rare]
        if more < MORE_ROWS or value < MORE_WEIGHT or counts[rare] < FEW_ROWS:
            continue
        return Finding(
            severity="warning",
            message=(
                f"Class {weights.classes[common]} has {more:.3g} times as many rows as "
                f"class {weights.classes[rare]}, and each of them has {value:.3g} "
                "times the weight. The weights should be larger for the rare class."
            ),
            value=value,
            threshold=MORE_WEIGHT,
            unit="times the weight",
            confidence=0.8,
            evidence={"rows": list(counts)[:100], "weights": list(means)[:100]},
            remedies=(
                suggest.by_hand(
                    "class_weight={c: len(y) / (n_classes * count[c]) for c in count}",
                    "every class then has the same total weight",
                ),
            ),
        )
    return None


def _is_under_way(run: Run) -> bool:
    """Return whether little is learned yet, and the loss falls fast."""
    skill = run.outcome.skill
    if skill is None or skill >= HALF:
        return False
    try:
        return run.descent.falls and run.descent.drop > UNDER_WAY
    except Skipped:
        return False


def _seldom_right(
    run: Run, rarer: float, recall: float, apart: float
) -> Finding | None:
    """Look for a rare class that the model seldom recognizes."""
    table = run.record.tables.get("probe")
    if table is None or not len(table) or "rare_right" not in table.measures:
        return None
    names = ("rare_right", "rare_class", "rare_ratio", "rare_rank")
    right, number, ratio, rank = (
        float(table[name][-1, 0]) if name in table.measures else np.nan
        for name in names
    )
    rare = None if run.facts.probe is None else run.facts.probe.rare
    if rare is not None and rare.right:  # of more of its rows than a look has seen
        right, number, ratio, rank = rare.right, rare.label, rare.ratio, rare.rank
    # one that is weighted up already lacks something else
    is_apart = rank >= apart
    most = max(recall, NOT_HALF) if is_apart else recall
    if not right < most or not ratio >= rarer or run.data.weights:
        return None
    if _ignores_inputs(run, table):
        return None
    return Finding(
        severity="warning" if is_apart else "info",
        message=(
            f"Class {number:.0f} is seldom recognized: {right:.0%} of its rows (or "
            "positions) in the probe are predicted correctly. The class is rare: the "
            f"most common one has {ratio:.3g} times as many."
            + (
                f" The model does tell it apart (in {rank:.0%} of pairs, its score for "
                "the class is higher for a row of the class than for another row). If "
                "the class matters, use class weights or a lower threshold; the "
                "probabilities may be right as they are."
                if is_apart
                else ""
            )
        ),
        risk="warning",
        value=right,
        threshold=most,
        unit="share of right answers",
        confidence=0.6,
        evidence={"class": number, "ratio": ratio},
        remedies=(_more_weight(number, ratio),),
        note=worth_a_note(run),
    )


def _ignores_inputs(run: Run, table: LayerTable) -> bool:
    """Return whether predictions are the same for all rows, or nothing tells them.

    Then they miss rare classes too, whatever the reason.
    """
    if run.outcome.knows_positions_only:
        return True
    if is_paired_wrongly(run) or (knows_places_only(run) and places_tell_nothing(run)):
        return True
    spread = float(table["spread"][-1, 0])
    is_constant = spread < CONSTANT * target_deviation(run)
    return run.outcome.learned is False and is_constant


def _more_weight(number: float, ratio: float) -> RemedySuggestion:
    return suggest.by_hand(
        f"model.fit(..., class_weight={{..., {number:.0f}: {ratio:.2g}}})",
        "makes the rare class count as much; for pixels or words, use `sample_weight` "
        "instead",
    )


def _missed(run: Run, rarer: float) -> Finding | None:
    """Look for a rare class of which the model has no row right at the end."""
    table = run.record.tables.get("probe")
    if table is None or not len(table) or "missed" not in table.measures:
        return None
    names = ("missed", "missed_class", "missed_rows", "missed_ratio")
    count, number, rows, ratio = (float(table[name][-1, 0]) for name in names)
    probe = run.facts.probe
    rare = None if probe is None else probe.rare
    if not count > 0 and rare is not None and not rare.right:
        count, number, rows, ratio = 1.0, rare.label, rare.rows, rare.ratio
    if not count > 0 or ratio < rarer:
        return None
    if _ignores_inputs(run, table) or (ratio < VERY_RARE and _is_under_way(run)):
        return None
    others = f" The same holds for {count - 1:g} other classes." if count > 1 else ""
    return Finding(
        severity="warning",
        message=(
            f"Class {number:.0f} is never predicted correctly: the model is wrong on "
            f"all {rows:.0f} of its rows (or positions) in the probe. The class is "
            f"rare: the most common one has {ratio:.3g} times as many.{others}"
        ),
        value=ratio,
        threshold=rarer,
        unit="times as many rows",
        confidence=0.8,
        evidence={"class": number, "rows": rows, "missed": count},
        remedies=(_more_weight(number, ratio),),
    )
