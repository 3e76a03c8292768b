"""A metric that does not measure what the output gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.classes_as_sizes import treats_classes_as_sizes
from keras_dlbasic.diagnosis.metric_names import ACCURACIES, metric_names

HALVES = ("accuracy", "acc", "binary_accuracy")
"""Metrics that take an output above 0.5 as positive, unless given a threshold."""


@rule(kind="cause", live=False, per_output=True)
def metric_mismatch(run: Run, *, share: float = 0.02) -> Verdict:
    """Compare the compiled metrics with the targets and the output.

    Accuracy counts exact equality, which does not work for continuous values. Binary
    accuracy uses a threshold of 0.5, but for logits it should be 0; this matters for
    the predictions in between. It compares each column separately, and most columns of
    one-hot classes are 0; categorical accuracy reads one label of several. A metric of
    overlap that is constant while the loss falls does not fit the output.

    Args:
        run: The run.
        share: Minimum share of predictions between 0 and 0.5 for a warning.
    """
    if run.facts.metrics is None:
        return Skipped("no metrics were compiled, or they are not known")
    if stuck := _stuck(run):
        return stuck
    names = dict(metric_names(run.facts.metrics))
    known = [name for name in names if name in ACCURACIES]
    if not known:
        return Fine("no accuracy was compiled")
    if run.task is TaskKind.UNKNOWN:
        return Skipped("what the predictions mean could not be determined")
    if run.task is TaskKind.VALUES and run.target.kind == "continuous":
        return _of_values(known[0])
    if treats_classes_as_sizes(run):
        return Fine("the loss, not the metric, is wrong for class numbers")
    target = run.target
    is_one_hot = target.kind == "one_hot" and target.n_columns > 2
    if is_one_hot and known == ["binary_accuracy"]:
        return _of_columns(run, target.n_columns)
    has_several = target.kind == "multi_label" and (target.max_per_row or 0) > 1
    if has_several and known == ["categorical_accuracy"]:
        return _of_labels(run)
    cut = [name for name in known if name in HALVES and names[name] in (None, 0.5)]
    is_logit = run.loss_kind.from_logits and run.loss_kind.family == "zero_one"
    if not cut or not is_logit or run.output.activation not in (None, "linear"):
        return Fine(f"{', '.join(known)} fits the output")
    return _of_logits(run, cut[0], share)


OVERLAPS = ("IoU", "MeanIoU")
"""Metrics that compare class numbers: of probabilities they take the whole part."""


def _stuck(run: Run, *, epochs: int = 3, fallen: float = 0.3) -> Finding | None:
    """Find a metric of overlap that stays where it is while the loss falls."""
    loss = run.loss[np.isfinite(run.loss)]
    if len(loss) < epochs or not loss[-1] < (1 - fallen) * loss[0]:
        return None
    for config in _configs(run.facts.metrics):
        values = run.record.epochs.get(str(config.get("name")))
        if config.get("class_name") not in OVERLAPS or values is None:
            continue
        if not np.isfinite(values).all() or np.ptp(values) > 1e-6:
            continue
        if not 1e-6 < values[0] < 1 - 1e-6:  # nothing is found yet, or all is right
            continue
        name = config["name"]
        return Finding(
            severity="warning",
            message=(
                f"'{name}' is {values[0]:.3g} in every epoch, although the loss falls "
                f"from {loss[0]:.3g} to {loss[-1]:.3g}. {config['class_name']} "
                "compares class numbers, so it does not fit outputs that are "
                "probabilities."
            ),
            value=float(values[0]),
            confidence=0.9,
            evidence={"metric": name},
            remedies=(
                suggest.by_hand(
                    "keras.metrics.BinaryIoU(threshold=0.5), or OneHotMeanIoU for "
                    "columns of classes",
                    "they turn probabilities into class numbers first",
                ),
                suggest.by_hand(
                    'EarlyStopping(monitor="val_loss")',
                    "a constant metric makes `EarlyStopping` stop too early",
                ),
            ),
        )
    return None


def _configs(metrics: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the configurations of Keras' own metrics."""
    if isinstance(metrics, Mapping) and "class_name" in metrics:
        if not metrics.get("own"):
            yield metrics
    elif isinstance(metrics, Mapping):
        yield from _configs(list(metrics.values()))
    elif isinstance(metrics, (list, tuple)):
        for part in metrics:
            yield from _configs(part)


def _of_values(name: str) -> Finding:
    return Finding(
        severity="warning",
        message=(
            f"'{name}' counts predictions that equal the target exactly, but the "
            "targets are continuous values, so it says nothing about the model."
        ),
        confidence=0.9,
        evidence={"metric": name},
        remedies=(
            suggest.by_hand(
                'metrics=["mae", "r2_score"]', "they measure the error of values"
            ),
        ),
    )


def _of_columns(run: Run, columns: int) -> Finding:
    logged = run.record.epochs.get("binary_accuracy", np.zeros(0))
    logged = logged[np.isfinite(logged)]
    now = f" It is {logged[-1]:.0%} now." if len(logged) else ""
    return Finding(
        severity="info" if run.is_planned else "warning",
        message=(
            f"'binary_accuracy' compares each of the {columns} one-hot columns "
            "separately, and most of them are 0: predicting no class at all gets "
            f"{1 - 1 / columns:.0%}.{now} So it says little about how many rows are "
            "classified correctly."
        ),
        value=float(logged[-1]) if len(logged) else None,
        confidence=0.9,
        evidence={"metric": "binary_accuracy", "columns": columns},
        remedies=(
            suggest.by_hand(
                'metrics=["categorical_accuracy"]',
                "counts the rows whose class is predicted correctly",
            ),
        ),
    )


def _of_labels(run: Run) -> Finding:
    return Finding(
        severity="info" if run.is_planned else "warning",
        message=(
            "'categorical_accuracy' only compares the position of the largest output "
            "with that of the largest target, but a row has several labels, of which "
            "it takes the first. So it does not say how many labels are right."
        ),
        confidence=0.9,
        evidence={"metric": "categorical_accuracy"},
        remedies=(
            suggest.by_hand(
                'metrics=["binary_accuracy", keras.metrics.F1Score("macro", 0.5)]',
                "they compare each label by itself",
            ),
        ),
    )


def _of_logits(run: Run, name: str, share: float) -> Finding:
    table = run.record.tables.get("probe")
    is_told = table is not None and len(table) and "undecided" in table.measures
    between = float(table["undecided"][-1, 0]) if table is not None and is_told else 0.0
    return Finding(
        severity="warning" if between >= share else "info",
        message=(
            f"'{name}' counts outputs above 0.5 as positive, but the output gives "
            f"logits, which are positive above 0. {between:.1%} of the predictions are "
            "between 0 and 0.5 and are counted as negative."
        ),
        value=between,
        threshold=share,
        unit="share of the predictions",
        confidence=0.9,
        evidence={"metric": name},
        remedies=(
            suggest.by_hand(
                "metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)]",
                "logits above 0 are probabilities above 0.5",
            ),
        ),
    )
