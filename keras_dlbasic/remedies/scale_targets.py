"""The remedy that has a model predict targets of any size in units of its own."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.outputs import check_known
from keras_dlbasic._keras.rebuild import behind
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.standard_scale import mean_and_variance, scaling_layer

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
def scale_targets(model: Any, y: Any) -> Any:
    """Have a model predict in standard units and give out the targets' own.

    A layer behind the output multiplies by the standard deviation of `y` and adds its
    mean. The loss is weighted by one over the variance (standard deviation, for losses
    that are linear in the error), so that training is as on standardized targets, while
    `predict` and metrics stay in the targets' units.

    Args:
        model: A built and compiled Sequential or Functional model with one linear
            output and a regression loss.
        y: The training targets, `(samples,)` or `(samples, ..., outputs)`.

    Returns:
        A new model with the same weights in front of the scaling; its optimizer starts
        anew.

    Raises:
        ValueError: If the loss is not one for regression, there are several outputs, or
            the model cannot be rebuilt.

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
    loss = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", None)
    name = name or type(loss).__name__
    if len(model.outputs) != 1 or name not in _POWERS:
        raise ValueError(
            "Targets can be scaled for one output and a regression loss, such as "
            f"'mse'. Received: {len(model.outputs)} outputs and the loss {name!r}"
        )
    layer = scaling_layer(y, per="y", name="target_scaling", invert=True)
    # The loss is now counted in the targets' own units, and its gradients grow with
    # these. Weighted so, it is what it would be of targets of variance 1, and so are
    # the learning rates that suit.
    deviation = float(mean_and_variance(y, per="y")[1].mean()) ** 0.5
    weight = deviation ** -_POWERS[name]
    return behind(model, layer, {"loss_weights": weight})
