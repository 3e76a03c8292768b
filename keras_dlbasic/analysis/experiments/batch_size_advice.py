"""Which batch size to take, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.comparison import mean_interval
from keras_dlbasic.analysis.experiments.study_table import bounds_of
from keras_dlbasic.analysis.gradients.noise_scale import NoiseScale

SMALL_FOR_NORMALIZATION = 16
"""Below it the error of batch normalization grows (Wu & He 2018, Group Normalization,
figure 1: from 32 down to 16 samples by half a percent, below by more and more)."""

RESAMPLES = 2000

FEW_SEEDS = 3
"""With fewer, the share of resampled seeds says nothing."""


@names_nearest
@dataclass(frozen=True, repr=False)
class BatchSizeAdvice(Displayed):
    """A recommendation.

    Attributes:
        batch_size: The recommended batch size; None if no trial finished.
        learning_rate: The initial learning rate of its trials.
        reason: Why it is recommended.
        confidence: Share of resampled sets of seeds in which this batch size comes
            first; NaN with fewer than two seeds.
        warnings: Limits of the recommendation, as text.
        ties: Batch sizes whose results do not differ from it by more than the noise.
        seeds: Number of seeds.

    Example:
    >>> import keras_dlbasic as kd
    >>> print(kd.analysis.BatchSizeAdvice(32, 0.001, "It is fastest.", 0.9, seeds=5))
    Recommended: batch_size=32 with learning rate 0.001 (first in 90% of resampled
    seeds). It is fastest.
    """

    batch_size: int | None
    learning_rate: float
    reason: str
    confidence: float
    warnings: tuple[str, ...] = ()
    ties: tuple[int, ...] = ()
    seeds: int = 0

    def __str__(self) -> str:
        if self.batch_size is None:
            return wrapped(f"No recommendation: {self.reason}")
        lines = [
            f"Recommended: batch_size={self.batch_size} with learning rate "
            f"{self.learning_rate:.3g} ({self._how_sure()}). {self.reason}"
        ]
        lines += [f"  Note: {text}" for text in self.warnings]
        return wrapped("\n".join(lines))

    def _how_sure(self) -> str:
        if np.isnan(self.confidence):
            return "one seed gives no confidence"
        # Drawing a few seeds again may give the same winner each time although their
        # intervals overlap. Then the intervals count.
        if self.ties:
            return "not clearly the best"
        if self.seeds < FEW_SEEDS:
            return f"{self.seeds} seeds give no confidence"
        return f"first in {self.confidence:.0%} of resampled seeds"


def advise(
    table: Mapping[str, np.ndarray],
    *,
    rows: int,
    times_comparable: bool,
    noise_scale: NoiseScale,
    about: Mapping[str, Any],
) -> BatchSizeAdvice:
    """Choose the batch size that reaches the target loss first.

    Batch sizes of which a trial failed or diverged are left out; so are those whose
    final validation loss (training loss, where there are no validation data) is
    worse than the best one's with intervals that do not overlap.

    Args:
        table: Columns of `BatchSizeResult.table`.
        rows: Samples in the data set.
        times_comparable: Whether seconds may be compared; else samples are.
        noise_scale: The gradient noise scale.
        about: Facts of the study.

    Returns:
        A `BatchSizeAdvice`.
    """
    sizes = [int(b) for b in np.unique(table["batch_size"])]
    sound = [
        b for b in sizes if np.all(table["status"][table["batch_size"] == b] == "done")
    ]
    if not sound:
        return BatchSizeAdvice(
            None, float("nan"), "no batch size trained without failure", float("nan")
        )
    # First come those that end as well as the best: to reach the target soon is no
    # merit of an arm that ends with a worse loss.
    score, kept = _good_enough(table, sound)
    cost_name = "seconds_to_target" if times_comparable else "samples_to_target"
    costs = {b: _of(table, cost_name, b) for b in kept}
    shares = _shares(costs)
    best = min(kept, key=lambda b: (-shares[b], b))
    own = costs[best][np.isfinite(costs[best])]
    what = cost_name.replace("_", " ")
    reason = (
        f"It reaches the target loss with the fewest {what.split()[0]} "
        f"({mean_interval(own, log=True).mean:.3g} on average)"
        if len(own)
        else f"No batch size reached the target loss; it has the lowest {score}"
    )
    if not len(own):
        best = min(kept, key=lambda b: float(np.mean(_of(table, score, b))))
    ties = _ties(costs, best) if len(own) else []
    if ties:
        reason += f"; not distinguishable from batch size {', '.join(map(str, ties))}"
    left_out = [b for b in sizes if b not in sound]
    if left_out:
        reason += (
            f"; batch size {', '.join(map(str, left_out))} left out: a trial failed or "
            "diverged, so its learning rate may be too high"
        )
    worse = [b for b in sound if b not in kept]
    if worse:
        reason += f"; batch size {', '.join(map(str, worse))} left out: worse {score}"
    seeds = len(np.unique(table["seed"]))
    return BatchSizeAdvice(
        best,
        float(np.mean(_of(table, "learning_rate", best))),
        reason + ".",
        shares[best] if seeds > 1 else float("nan"),
        tuple(_warnings(best, rows, noise_scale, about, times_comparable)),
        tuple(ties),
        seeds,
    )


def _of(table: Mapping[str, np.ndarray], name: str, batch_size: int) -> np.ndarray:
    return np.asarray(table[name][table["batch_size"] == batch_size], np.float64)


def _good_enough(
    table: Mapping[str, np.ndarray], sound: list[int]
) -> tuple[str, list[int]]:
    score = "val_loss" if np.isfinite(table["val_loss"]).any() else "train_loss"
    values = {b: _of(table, score, b) for b in sound}
    bounds = bounds_of(score, np.concatenate(list(values.values())))
    found = {b: mean_interval(values[b], bounds=bounds) for b in sound}
    best = min(sound, key=lambda b: found[b].mean)
    kept = [b for b in sound if b == best or found[b].overlaps(found[best])]
    return score, kept


def _shares(costs: Mapping[int, np.ndarray]) -> dict[int, float]:
    """Return how often each arm is the cheapest when seeds are drawn again."""
    arms = list(costs)
    n = min(len(costs[b]) for b in arms)
    matrix = np.array([costs[b][:n] for b in arms])
    matrix = np.where(np.isfinite(matrix), matrix, np.inf)
    # The same draws for all arms, since these share their seeds. An arm that did not
    # reach the target from a seed has infinite cost there, and loses wherever that seed
    # is drawn.
    draws = np.random.default_rng(0).integers(0, n, (RESAMPLES, n))
    with np.errstate(invalid="ignore"):
        means = np.log(np.maximum(matrix, 1e-300))[:, draws].mean(axis=2)
    reached = np.isfinite(means).any(axis=0)
    winners = np.argmin(means, axis=0)
    return {b: float(np.mean((winners == i) & reached)) for i, b in enumerate(arms)}


def _ties(costs: Mapping[int, np.ndarray], best: int) -> list[int]:
    own = mean_interval(costs[best], log=True)
    others = {b: mean_interval(v, log=True) for b, v in costs.items() if b != best}
    return [
        b for b, interval in others.items() if interval.n and own.overlaps(interval)
    ]


def _warnings(
    batch_size: int,
    rows: int,
    noise_scale: NoiseScale,
    about: Mapping[str, Any],
    times_comparable: bool,
) -> list[str]:
    normalised = bool(about.get("batch_normalization"))
    rest = rows % batch_size
    texts = []
    if normalised and batch_size < SMALL_FOR_NORMALIZATION:
        texts.append(
            f"batch normalization estimates mean and variance from {batch_size} "
            f"samples; below {SMALL_FOR_NORMALIZATION} they are too noisy. Use a "
            "larger batch, or layer or group normalization."
        )
    if rest and rest <= batch_size / 2 and rows > batch_size:
        text = (
            f"the last batch of an epoch has {rest} of {batch_size} samples, and each "
            f"of them {batch_size / rest:.1f} times the weight of another"
        )
        if normalised and rest < SMALL_FOR_NORMALIZATION:
            text += "; batch normalization then has few samples"
        texts.append(
            f"{text}. Choose a batch size that divides {rows}, or drop the rest."
        )
    if np.isfinite(noise_scale.high) and batch_size > noise_scale.high > 0:
        texts.append(
            f"beyond the critical batch size of about {noise_scale.value:.3g} samples "
            f"({noise_scale.low:.3g} to {noise_scale.high:.3g}): it needs "
            f"{noise_scale.steps_factor(batch_size):.2f} of the fewest possible "
            f"steps, but {noise_scale.samples_factor(batch_size):.1f} times the "
            "samples. (For Adam and similar optimizers this is an order of magnitude "
            "only.)"
        )
    if not times_comparable:
        texts.append("trials ran in parallel, so samples were compared, not seconds.")
    return texts
