"""The remedies of a `RemedyStudy`: what each does to the model or its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dlbasic import remedies
from keras_dlbasic._arguments import as_list
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import KERNELS, class_kind
from keras_dlbasic._keras.rebuild import rebuild
from keras_dlbasic._trials.batch_sizes import count_rows, flatten
from keras_dlbasic.augmentation.augmented_batches import AugmentedBatches
from keras_dlbasic.augmentation.image_augmentation import ImageAugmentation
from keras_dlbasic.augmentation.text_noise import TextNoise
from keras_dlbasic.augmentation.token_noise import TokenNoise

UNTREATED = "untreated"
MEMBERS = 5

FAMILIES = (
    "more data",
    "augmentation",
    "smaller",
    "L1",
    "L2",
    "dropout",
    "batch normalization",
    "early stopping",
    "ensemble",
)

PRIOR_SHARES = (0.01, 0.1)
"""Strengths of L1 and L2, as shares of what a prior like the initial weights means.

With n samples, the most probable weights under a normal prior of the variance of the
initial weights have `1 / (n * variance)` for the factor of half the sum of squares, and
under a Laplace prior `sqrt(2 / variance) / n` for that of the absolute values. Networks
do best with weaker priors than that (Wenzel et al. 2020, How good is the Bayes
posterior in deep neural networks really?)."""

STRENGTHS: dict[str, tuple[float, ...]] = {
    "smaller": (0.5,),
    "dropout": (0.2, 0.5),
    "ensemble": (MEMBERS,),
}

AUGMENTATIONS: dict[str, tuple[float, ...]] = {
    "images": (0.05, 0.1),
    "tokens": (0.1, 0.3),
    "texts": (0.1, 0.3),
    "counts": (0.3,),
    "features": (0.3,),
}
"""Strengths by kind of input. For texts, 0.1 is from Wei & Zou (2019), 0.3 from Iyyer
and others (2015), Deep unordered composition rivals syntactic methods."""


@dataclass(frozen=True)
class Arm:
    """One remedy with its strength.

    Attributes:
        family: One of `FAMILIES`, `"untreated"` or the name of a user's own.
        strength: How strong, None where there is nothing to choose.
    """

    family: str
    strength: float | None = None

    @property
    def name(self) -> str:
        """What the arm is called in tables and pictures."""
        if self.strength is None:
            return self.family
        if self.family == "ensemble":
            return f"ensemble of {int(self.strength)}"
        if self.family == "smaller":
            return f"{self.strength:g} x the width"
        return f"{self.family} {float(f'{self.strength:.2g}'):g}"


def arms_of(
    wanted: Iterable[str] | None,
    strengths: Mapping[str, Any],
    *,
    model: Any,
    x: Any,
    has_more_data: bool,
    has_augmentation: bool,
    own: Iterable[str],
) -> list[Arm]:
    """Return the arms of a study, the untreated model first.

    Raises:
        ValueError: If a remedy is unknown, or more data are wanted and there are none.
    """
    like = '["dropout", "L2"]'
    families = list(FAMILIES if wanted is None else as_list("remedies", wanted, like))
    if wanted is None and not has_more_data:
        families.remove("more data")
    unknown = sorted({*families, *strengths} - set(FAMILIES))
    if unknown:
        raise ValueError(f"Remedies must be some of {FAMILIES}. Received: {unknown}")
    if "more data" in families and not has_more_data:
        raise ValueError("The remedy 'more data' needs `more_data=(x, y)`.")
    arms = [Arm(UNTREATED)]
    for family in families:
        values = strengths.get(family)
        if family == "augmentation" and has_augmentation:
            values = ()  # it has its own
        elif values is None:
            values = _default_strengths(family, model, x)
        elif isinstance(values, (int, float)):
            values = (values,)
        arms += [Arm(family, float(v)) for v in values] if values else [Arm(family)]
    return [*arms, *(Arm(name) for name in own)]


def treated(model: Any, arm: Arm, seed: int) -> Any:
    """Return the model with a remedy that changes it; itself for the others.

    Raises:
        ValueError: If it would change nothing, or the model cannot be changed.
    """
    changes: dict[str, Callable[[Any, float], Any]] = {
        "smaller": lambda m, s: remedies.resize(m, s),
        "L1": lambda m, s: remedies.add_penalty(m, 0.0, l1=s),
        "L2": lambda m, s: remedies.add_penalty(m, s),
        "dropout": lambda m, s: remedies.add_dropout(m, s, seed=seed),
        "batch normalization": lambda m, s: remedies.insert_normalization(m),
    }
    if arm.family not in changes:
        return model
    new = changes[arm.family](model, arm.strength or 0.0)
    # A remedy that finds nothing to change would be compared as if it were one.
    if _description(new) == _description(model):
        raise ValueError("it would change nothing in this model")
    return new


def augmented(
    model: Any, data: tuple[Any, Any], arm: Arm, seed: int, batch: int, own: Any
) -> tuple[Any, Any]:
    """Return model and data such that training sees changed inputs.

    Args:
        model: A compiled model.
        data: Inputs and targets.
        arm: The arm.
        seed: Fixes what is drawn.
        batch: Batch size.
        own: The user's augmentation: a layer, a function of a batch `(x, y)`, or None.
    """
    strength = arm.strength or 0.0
    if isinstance(own, keras.layers.Layer):
        layer = type(own).from_config({**own.get_config(), **_seeded(own, seed)})
        return rebuild(model, first=[[layer]]), data
    if own is not None:
        return model, AugmentedBatches(*data, own, batch_size=batch, seed=seed)
    kind = input_kind(model, data[0])
    if kind == "images":
        x = np.asarray(data[0])
        layer = ImageAugmentation(
            strength, value_range=(float(x.min()), float(x.max())), seed=seed
        )
        return rebuild(model, first=[[layer]]), data
    if kind == "tokens":
        return rebuild(model, first=[[TokenNoise(strength, seed=seed)]]), data
    rng = np.random.default_rng(seed)
    if kind == "texts":
        change: Any = TextNoise(strength, seed=seed)
    elif kind == "counts":
        change = lambda x: x * (rng.random(x.shape) >= strength)  # noqa: E731
    else:
        spread = strength * keras.tree.map_structure(_spread, data[0])
        change = lambda x: x + spread * rng.normal(size=x.shape)  # noqa: E731

    def augment(x: Any, y: Any) -> tuple[Any, Any]:
        return np.asarray(change(x), x.dtype), y

    return model, AugmentedBatches(*data, augment, batch_size=batch, seed=seed)


def input_kind(model: Any, x: Any) -> str:
    """Return what the inputs are: see `AUGMENTATIONS`.

    Raises:
        ValueError: If there are several inputs.
    """
    leaves = flatten(x)
    if len(leaves) != 1:
        raise ValueError(
            f"a model with {len(leaves)} inputs needs your own `augmentation=`"
        )
    (leaf,) = leaves
    if leaf.dtype.kind in "USO":
        return "texts"
    if leaf.ndim == 4:
        return "images"
    layers = [la for la in all_layers(model) if la is not model]
    embeds = any(class_kind(type(la)).kind == "embedding" for la in layers)
    if embeds and leaf.ndim == 2:
        return "tokens"
    # Numbers that are never negative and mostly zero count something, such as words.
    # Any others are features, to which noise can be added.
    few = np.asarray(leaf[:256])
    return "counts" if few.min() >= 0 and (few == 0).mean() > 0.5 else "features"


def _default_strengths(family: str, model: Any, x: Any) -> tuple[float, ...]:
    if family in ("L1", "L2"):
        return _penalties(family, model, count_rows(x))
    if family == "augmentation":
        try:
            return AUGMENTATIONS[input_kind(model, x)]
        except ValueError:
            return ()
    return STRENGTHS.get(family, ())


def _penalties(family: str, model: Any, rows: int) -> tuple[float, ...]:
    total, n = 0.0, 0
    for layer in all_layers(model):
        if class_kind(type(layer)).kind in KERNELS and layer.built:
            kernel = np.asarray(keras.ops.convert_to_numpy(layer.weights[0].value))
            total += float((kernel.astype(np.float64) ** 2).sum())
            n += kernel.size
    variance = total / n if n and total else 0.05
    full = 1 / (rows * variance) if family == "L2" else np.sqrt(2 / variance) / rows
    # one figure, so that the factor can be written down
    return tuple(float(f"{share * full:.0e}") for share in PRIOR_SHARES)


def _spread(leaf: Any) -> np.ndarray:
    return np.asarray(leaf, np.float64).std(axis=0)


def _seeded(layer: Any, seed: int) -> dict[str, Any]:
    return {"seed": seed} if "seed" in layer.get_config() else {}


def _description(model: Any) -> list[str]:
    found = []
    for layer in all_layers(model):
        config = layer.get_config() if not isinstance(layer, keras.Model) else {}
        config = {k: v for k, v in config.items() if k not in ("name", "seed")}
        found.append(f"{type(layer).__name__} {config}")
    return found
