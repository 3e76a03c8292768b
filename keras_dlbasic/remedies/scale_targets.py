"""The remedy that has a model predict targets of any size in units of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from keras_dlbasic._keras.connections import calls_of, operation_of
from keras_dlbasic._keras.following_activation import consumers_of
from keras_dlbasic._keras.output_labels import loss_weights
from keras_dlbasic._keras.outputs import check_known
from keras_dlbasic._keras.rebuild import Chain, behind, rebuild, with_config
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.standard_scale import mean_and_variance, scaling_layer

SCALING = "target_scaling"

_POWERS = {
    "mse": 2,
    "mean_squared_error": 2,
    "MeanSquaredError": 2,
    "mae": 1,
    "mean_absolute_error": 1,
    "MeanAbsoluteError": 1,
    "huber": 1,
    "Huber": 1,
    "log_cosh": 1,
    "logcosh": 1,
    "LogCosh": 1,
}
"""The power of the targets' unit in which a loss is counted."""


@remedy(needs=("y",))
@names_nearest
def scale_targets(model: Any, y: Any) -> Any:
    """Scale the outputs in the model, so that it trains as on standardized targets.

    A layer after the output multiplies by the standard deviation of `y` and adds its
    mean. With several outputs, all that have a regression loss are scaled; they keep
    their names. The loss is divided by the variance of `y` (by the standard deviation
    for losses that are linear in the error). So training is the same as on standardized
    targets, while `predict` and metrics use the units of the targets.

    Args:
        model: A built and compiled Sequential or Functional model. At least one output
            is linear and has a regression loss.
        y: The training targets, `(samples,)` or `(samples, ..., outputs)`; for several
            outputs a list, or a dictionary by output name.

    Returns:
        A new model with the same weights and the scaling, and a new optimizer state.

    Raises:
        ValueError: If the model already scales its output, no output has a regression
            loss, an output to be scaled is also the input of another layer, or the
            model cannot be rebuilt.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> y = np.array([1000.0, 2000.0, 3000.0])
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> new = kd.remedies.scale_targets(model, y)
    >>> round(float(new.predict(np.zeros((1, 4)), verbose=0)[0, 0]))
    2000
    """
    check_known(model)
    if len(model.outputs) > 1:
        return _scale_several(model, y)
    power = _power(model.loss)
    if power is None:
        raise ValueError(_refusal([model.loss]))
    if any(layer.name == SCALING for layer in model.layers):
        raise ValueError(
            f"The model has the layer '{SCALING}' of an earlier `scale_targets` "
            "already: its output is in the units of the targets. Nothing is left to "
            "scale."
        )
    layer = scaling_layer(y, per="y", name=SCALING, invert=True)
    return behind(model, layer, {"loss_weights": _weight(y, power)})


def _scale_several(model: Any, y: Any) -> Any:
    """Scale each output that has a regression loss."""
    names = [str(name) for name in model.output_names]
    losses, targets = _by_output(model.loss, names), _by_output(y, names)
    weights = {
        name: 1.0 if weight is None else float(weight)
        for name, weight in _by_output(loss_weights(model), names).items()
    }
    consumers = consumers_of(model)
    chains: dict[int, Chain] = {}
    for name, tensor in zip(names, model.outputs, strict=True):
        power, layer = _power(losses[name]), operation_of(tensor)
        if power is None or targets[name] is None:
            continue
        is_plain = isinstance(layer, keras.layers.Layer) and len(calls_of(layer)) == 1
        if consumers.get(id(layer)) or not is_plain or isinstance(layer, keras.Model):
            raise ValueError(
                f"The output '{name}' is not a separate layer, or is also the input "
                "of other layers, which would get other units. Scale the targets by "
                f"hand: y[{name!r}] = ..."
            )
        # the layer that scales takes over the name, by which targets are found
        scaling = scaling_layer(targets[name], per="y", name=layer.name, invert=True)
        body = with_config(layer, name=f"{layer.name}_unscaled")
        chains[id(layer)] = Chain(body, (scaling,))
        weights[name] *= _weight(targets[name], power)
    if not chains:
        raise ValueError(_refusal(list(losses.values())))
    by_name = isinstance(model.loss, Mapping)
    changes = {"loss_weights": weights if by_name else list(weights.values())}
    edit = lambda layer: chains.get(id(layer))  # noqa: E731
    return rebuild(model, edit, compile_changes=changes)


def _by_output(given: Any, names: list[str]) -> dict[str, Any]:
    """Return what is given for each output, None where nothing is."""
    if isinstance(given, Mapping):
        return {name: given.get(name) for name in names}
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(
                f"Expected one entry for each of the outputs {names}. Received: "
                f"{len(given)}"
            )
        return dict(zip(names, given, strict=True))
    return dict.fromkeys(names, given)


def _power(loss: Any) -> int | None:
    return _POWERS.get(_name(loss))


def _name(loss: Any) -> str:
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", None)
    return name or type(loss).__name__


def _refusal(losses: list[Any]) -> str:
    named = ", ".join(repr(_name(loss)) for loss in losses)
    return (
        "Targets can be scaled for a regression loss, such as 'mse'. Received: "
        f"{len(losses)} output{'s' * (len(losses) > 1)} and the loss {named}"
    )


def _weight(y: Any, power: int) -> float:
    """Return the weight of a loss that is counted in the targets' own units.

    Its gradients grow with these. Weighted so, it is what it would be of targets of
    variance 1, and so are the learning rates that suit.
    """
    deviation = float(mean_and_variance(y, per="y")[1].mean()) ** 0.5
    return deviation**-power
