"""Generators that are trained against a frozen discriminator."""

from __future__ import annotations

from keras_dlbasic.records import RunFacts


def has_frozen_judge(facts: RunFacts) -> bool:
    """Return whether frozen layers judge a generator that is to get one answer.

    In adversarial training the last layers with kernels, the discriminator's, are
    frozen, and all targets are the same.

    Args:
        facts: What is known of the run.
    """
    layers = [layer for layer in facts.layers if layer.has_kernel]
    targets = facts.targets
    if not layers or layers[-1].trainable or not all(t.is_constant for t in targets):
        return False
    return bool(targets) and any(layer.trainable for layer in layers)
