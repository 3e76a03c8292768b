"""How good a trained program is at what it is for: the higher, the better."""

from __future__ import annotations

import numpy as np


def accuracy(x, y, threshold=0.5):
    """Return the share of new rows whose class is right, less that of the commonest.

    Scaled: 1 is perfect, 0 no better than always saying the commonest class.
    """

    def score(model, history):
        out = predicted(model, x)
        if out.shape[-1] == 1 and out.ndim > 1:
            answer = (out[..., 0] > threshold).astype(int)
        else:
            answer = out.argmax(-1)
        truth = np.asarray(y).reshape(answer.shape)
        best = np.bincount(truth.ravel().astype(int)).max() / truth.size
        return float(((answer == truth).mean() - best) / (1 - best))

    return score


def balanced(x, y, threshold=0.5):
    """Return how much better than chance the classes are distinguished, on average."""

    def score(model, history):
        out = predicted(model, x)
        answer = out.argmax(-1) if out.shape[-1] > 1 else out[..., 0] > threshold
        truth = np.asarray(y).reshape(answer.shape)
        recalls = [(answer[truth == k] == k).mean() for k in np.unique(truth)]
        chance = 1 / len(recalls)
        return float((np.mean(recalls) - chance) / (1 - chance))

    return score


def right(x, y):
    """Return the plain share of rows whose class is right."""

    def score(model, history):
        out = predicted(model, x)
        answer = out.argmax(-1) if out.shape[-1] > 1 else out[..., 0] > 0.5
        return float((answer == np.asarray(y).reshape(answer.shape)).mean())

    return score


def variance(x, y):
    """Return the share of the variance of new targets that is explained."""

    def score(model, history):
        out = predicted(model, x)
        return explained(out, np.asarray(y))

    return score


def overlap(x, masks):
    """Return intersection over union of masks."""

    def score(model, history):
        found, true = predicted(model, x) > 0.5, np.asarray(masks) > 0.5
        return float((found & true).sum() / max((found | true).sum(), 1))

    return score


def honesty(metric, truth):
    """Return minus the gap between what `fit` reported and an honest score."""

    def score(model, history):
        return -abs(history.history[metric][-1] - truth(model, history))

    return score


def explained(out, y):
    """Return the share of the variance explained; -1 for numbers that are not."""
    if not np.isfinite(out).all():
        return -1.0
    rest = ((out.reshape(y.shape) - y) ** 2).mean()
    return float(max(-1.0, 1 - rest / y.var(axis=0).mean()))


def predicted(model, x):
    """Return the first output for new rows."""
    out = model.predict(x, verbose=0)
    if isinstance(out, dict):
        out = next(iter(out.values()))
    return np.asarray(out[0] if isinstance(out, (list, tuple)) else out)
