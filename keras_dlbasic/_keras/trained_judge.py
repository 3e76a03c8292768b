"""Nested models that judge what others make, and are trained along with them."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.connections import inputs_of, operation_of
from keras_dlbasic._keras.graph import walk_layers


def trained_judge(model: Any, tensor: Any) -> str | None:
    """Return the label of the model that makes an output and is compiled by itself.

    In adversarial training the discriminator is a model within the model that trains
    the generator. It is compiled and trained by itself, and frozen here.

    Args:
        model: A built Functional or Sequential model.
        tensor: One of its outputs.

    Returns:
        None where no such model is the last that has weights, where it has nothing to
        train here, or where nothing before it is trained.
    """
    judge = operation_of(tensor)
    while not getattr(judge, "weights", ()):  # such as a reshape
        given = inputs_of(tensor)
        if len(given) != 1:
            return None
        tensor, judge = given[0], operation_of(given[0])
    if not isinstance(judge, keras.Model) or not getattr(judge, "compiled", False):
        return None
    own = {id(weight) for weight in judge.trainable_weights}
    others = [weight for weight in model.trainable_weights if id(weight) not in own]
    if not own or not others:
        return None
    return next((to for layer, to, _, _ in walk_layers(model) if layer is judge), None)
