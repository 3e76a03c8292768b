"""The names that tools give to losses and metrics, as Keras names them."""

from __future__ import annotations

import re
from collections.abc import Iterable

TRAINING = ("train", "training", "trn", "tr")
VALIDATION = ("val", "valid", "validation", "eval", "evaluation", "dev")
TEST = ("test", "testing")
"""Words for the rows that a number is of; those of a test count as validation where
there is none."""

EPOCH = ("epoch", "epochs", "epoch/epoch", "trainer/epoch", "train/epoch")
STEP = ("step", "_step", "global_step", "trainer/global_step", "train/global_step")

_PREFIXES = r"^(metrics?|logs?|scalars?|epoch|metrics/epoch)[/.:]"
_WORD = re.compile(r"[\s/.:_\-]+")


def keras_names(names: Iterable[str]) -> dict[str, str]:
    """Return the name that Keras would give each column of a table.

    Known are the names of Keras, Lightning, MLflow, Hugging Face's `Trainer` and
    Weights & Biases, such as `"train_loss_epoch"`, `"eval_loss"`, `"val/acc"` and
    `"my run - loss"`.

    Args:
        names: The names of the columns.

    Returns:
        A dictionary from each name to the other one. A name that another column has
        already stays as it is.

    Example:
    >>> from keras_dlbasic.records.column_names import keras_names
    >>> keras_names(["epoch", "train_loss", "eval_loss"])
    {'epoch': 'epoch', 'train_loss': 'loss', 'eval_loss': 'val_loss'}
    """
    names = list(names)
    found = {name: _plain(name) for name in names}
    if not any(name.startswith("val_") for name in found.values()):
        found = {n: re.sub("^test_", "val_", name) for n, name in found.items()}
    taken: dict[str, str] = {}
    # exact names first: beside `loss`, a `train_loss` is another number; a mean over an
    # epoch before the number of a step
    for name in sorted(names, key=lambda n: (found[n] != n, n.endswith("_step"))):
        taken.setdefault(found[name], name)
    return {n: found[n] if taken[found[n]] == n else n for n in names}


def _plain(name: str) -> str:
    text = name.strip()
    if text.lower() in EPOCH:
        return "epoch"
    if text.lower() in STEP:
        return "step"
    text = text.rpartition(" - ")[2]  # of Weights & Biases: the name of the run
    text = re.sub(_PREFIXES, "", text, flags=re.IGNORECASE)
    words = [word for word in _WORD.split(text.lower()) if word]
    if words[-1:] in (["epoch"], ["step"]) and len(words) > 1:
        words = words[:-1]
    # The word for the rows may come first or last, as in `train_loss` and `loss/val`.
    for kind, prefix in ((TRAINING, ()), (VALIDATION, ("val",)), (TEST, ("test",))):
        for word in kind:
            if word in (words[:1] or [""]) or word in words[-1:]:
                rest = words[1:] if words[0] == word else words[:-1]
                if rest:
                    return "_".join([*prefix, *rest])
    return "loss" if words == ["loss"] else text
