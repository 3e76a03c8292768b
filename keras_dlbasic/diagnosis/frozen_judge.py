"""Generators that are trained against a frozen discriminator."""

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
