"""Generators that are trained against a discriminator."""

from __future__ import annotations

from keras_dlbasic.records import RunFacts

MIN_KERNELS = 2
"""A single frozen layer at the end is no discriminator."""


def has_frozen_judge(facts: RunFacts) -> bool:
    """Return whether frozen layers judge a generator that is to get one answer.

    In adversarial training the last layers with kernels, two at least of the
    discriminator, are frozen, and all targets are the same.

    Args:
        facts: What is known of the run.
    """
    layers = [layer for layer in facts.layers if layer.has_kernel]
    targets = facts.targets
    if len(layers) < MIN_KERNELS or not all(t.is_constant for t in targets):
        return False
    judges = layers[-MIN_KERNELS:]
    if any(layer.trainable for layer in judges):
        return False
    return bool(targets) and any(layer.trainable for layer in layers)


def trained_judge(facts: RunFacts) -> str | None:
    """Return the model that judges a generator and is trained along with it.

    It makes an output whose targets are all the same, and is compiled by itself, since
    it is trained elsewhere, on what is real and what is not.

    Args:
        facts: What is known of the run.

    Returns:
        The label of the nested model; None if there is none.
    """
    pairs = zip(facts.outputs, facts.targets, strict=False)
    return next((o.judge for o, t in pairs if o.judge and t.is_constant), None)


def has_judge(facts: RunFacts) -> bool:
    """Return whether a generator is judged, so that one answer is right for all rows.

    Args:
        facts: What is known of the run.
    """
    is_alike = all(target.is_constant for target in facts.targets)
    return has_frozen_judge(facts) or (is_alike and trained_judge(facts) is not None)
