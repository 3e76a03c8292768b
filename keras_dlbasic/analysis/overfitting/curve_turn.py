"""Whether a curve that should fall has turned up, beyond its own noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from keras_dlbasic.analysis.overfitting.unimodal import (
    UnimodalFit,
    falling_errors,
    fit_unimodal,
    lowest_levels,
)

FEWEST_POINTS = 5
FEWEST_AFTER = 3
"""A curve has to stay up for this many points: two bad epochs are no trend."""

_LOCAL_POINTS = 20
_WIDTHS = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256])
_RISES = np.array([[0.0], [0.5], [1.0], [2.0]])
_MAD = 0.6745  # median absolute deviation of the standard normal law

_FEW_AFTER = 5.0
_FEW_BEFORE = 0.5
"""By how much spans of few epochs count for less: they may share one deviation."""

_RECORD = 1.4
"""A rise has to exceed earlier ones that came back by this factor, or outlast them."""

_OUTLASTED = 1.5
"""A rise that lasts longer than earlier ones by this factor may be smaller."""

_FEW = 12
"""In curves of up to this many points one epoch is enough, but has to show more."""

_AGREEING = 2
_AGREEING_AFTER_BAD = 4
"""Epochs in a row that have to show a rise; more if the curve had bad epochs before."""

_DOUBT = 2.0
"""Standard errors by which the memory of the noise is taken to be underestimated."""

_SPAN = 4.0
"""Heights of the rise, above the lowest level, within which noise is looked at."""


@dataclass(frozen=True)
class CurveTurn:
    """A verdict on one curve, lower being better.

    Attributes:
        turned: Whether it has turned up.
        onset: Index of the point where it turns; None if it has not turned.
        lowest: Its fitted lowest level.
        last: Its fitted level at the end.
        rise: `last - lowest`, relative to the size of `lowest`.
        statistic: Height of the rise over the lowest level, in standard errors of the
            curve's own noise; the largest over all places where it might have begun.
        threshold: What the statistic has to exceed.
        noise: Standard deviation of the curve around its fit.
        confidence: One minus `alpha`, moved by how far the statistic is from the
            threshold along the tail of the normal law; not above it where two epochs
            disagree or an earlier rise as large came back.
    """

    turned: bool
    onset: int | None
    lowest: float
    last: float
    rise: float
    statistic: float
    threshold: float
    noise: float
    confidence: float


def find_turn(
    values: np.ndarray, *, min_rise: float = 0.01, alpha: float = 0.05
) -> CurveTurn:
    """Return whether a curve has turned up, as far as it goes.

    For each point, what comes after it is compared with the mean of what comes before,
    over spans of all lengths: a curve that falls is nowhere above such a mean. The
    largest contrast is divided by its standard error; noise comes from the curve
    itself, around a fit that falls and then rises (isotonic regression; Robertson,
    Wright & Dykstra, "Order restricted statistical inference", 1988). It counts for
    more where neighboring epochs deviate alike, and spans of few epochs count for
    less, since so few tell little about how long a deviation lasts. A rise no larger
    than 1.4 times an earlier one that came back has to last 1.5 times as long. In
    curves of more than 12 points two epochs in a row have to show it, and four if
    single epochs stood out before: bad epochs come in twos and threes. Among curves
    that fall, the flat one is most easily mistaken for turning, so the threshold is the
    one for flat curves, and high enough for looking after every epoch anew. The curve
    turns where one that falls and then rises as a power of time fits best.

    Args:
        values: The curve, finite.
        min_rise: Smallest relative rise that counts. Defaults to `0.01`.
        alpha: Bound on the chance that independent noise on a curve that is flat from
            the start is said to turn at any of its first 100 epochs, `min_rise` apart.
            Of 300 simulated curves, looked at again and again, none were by epoch 30,
            0.01 by epoch 100 and 0.03 by epoch 300 with the default of `0.05`, at any
            one look at most 0.01; with `0.15`, 0.003, 0.05 and 0.11, and 0.02. With a
            memory of 0.3 it was 0.08 by epoch 100 with `0.05`, of 0.5, 0.16.

    Returns:
        The verdict.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.overfitting.curve_turn import find_turn
    >>> t = np.arange(20)
    >>> find_turn(np.where(t < 10, 3.0 - 0.2 * t, 1.0 + 0.05 * (t - 10))).turned
    True
    """
    values = np.asarray(values, np.float64)
    turn = _turn_at_end(values, min_rise, alpha)
    # Noise that lasts for some epochs passes the threshold for one and falls back, and
    # bad epochs come in twos and threes; a rise stays. So several epochs have to agree.
    if turn.turned and not _is_seen_before(values, alpha):
        confidence = min(turn.confidence, 1 - alpha)
        return replace(turn, turned=False, onset=None, confidence=confidence)
    return turn


def _is_seen_before(values: np.ndarray, alpha: float) -> bool:
    """Return whether the epochs before the last one show the rise, too."""
    if len(values) <= _FEW:
        return True
    agreeing = _AGREEING_AFTER_BAD if _had_bad_epochs(values) else _AGREEING
    threshold = turn_threshold(len(values), alpha)
    for n in range(len(values) - 1, len(values) - agreeing, -1):
        height, noise, _ = _rise_at_end(values[:n])
        if height <= threshold * noise:
            return False
    return True


def _had_bad_epochs(values: np.ndarray) -> bool:
    """Return whether single epochs stand out above those around them.

    The first two cannot, the last three may be a rise.
    """
    smooth = without_outliers(values)
    start = _first_quiet(smooth, _first_local(smooth))
    excess = (values - smooth)[start + 2 : -3]
    return bool((excess > difference_noise(values)).any())


def _rise_at_end(values: np.ndarray) -> tuple[float, float, int]:
    """Return height and noise of the rise that the curve shows, and where it is local.

    The last two points are compared with the median of five: two bad epochs there are
    a majority of three. In short curves five are too many.
    """
    smooth = without_outliers(values, last=5 if len(values) > _FEW else 3)
    first = _first_local(smooth)
    local = smooth[first:]
    fit = fit_unimodal(local)
    scale = curve_scale(values, float(fit.turning.min()))
    return _height(local), _noise_around(smooth, first, fit, 1e-4 * scale), first


def _turn_at_end(values: np.ndarray, min_rise: float, alpha: float) -> CurveTurn:
    """Return what the curve shows by its last point alone."""
    if len(values) < FEWEST_POINTS:
        level = float(values[-1]) if len(values) else float("nan")
        return CurveTurn(False, None, level, level, 0.0, 0.0, np.inf, 0.0, 0.0)
    height, noise, first = _rise_at_end(values)
    statistic = height / noise
    smooth = without_outliers(values)
    local = smooth[first:]
    fit = fit_unimodal(local)
    lowest, last = float(fit.turning.min()), float(fit.turning[-1])
    scale = curve_scale(values, lowest)
    threshold = turn_threshold(len(values), alpha)
    rise = (last - lowest) / scale
    place, least = None, 0.0
    if statistic > threshold and rise >= min_rise:
        place = first + _onset(local, noise)
        lasted = _longest_that_came_back(smooth[: place + 1], height / _RECORD)
        if len(smooth) - 1 - place < _OUTLASTED * lasted:
            place, least = None, alpha
    # The statistic exceeds the threshold with a chance of at most alpha. From there on
    # the chance falls as the tail of a normal law does. Where an earlier rise as large
    # came back, that law is not the one of this noise.
    chance = alpha * float(np.exp((threshold**2 - statistic**2) / 2))
    chance = min(1.0, max(chance, least))
    return CurveTurn(
        place is not None,
        place,
        lowest,
        last,
        float(rise),
        statistic,
        threshold,
        float(noise),
        1.0 - chance,
    )


def _height(values: np.ndarray) -> float:
    """Return how far the curve is above an earlier level, in units of its noise.

    What comes after a point is compared with the mean of the last 1, 2, 3, 4, 6, ...
    points up to it. A falling curve is nowhere above such a mean, so the largest of
    these contrasts is taken; it is divided by the standard error that both sides have
    if the noise is one. After the point, the curve is taken to have risen at once or in
    a straight line.
    """
    n = len(values)
    after = np.arange(n - 1, FEWEST_AFTER - 1, -1.0)  # points after each one
    points = len(after)
    # A rise may be a step or a slope. Both are compared with the level before, which
    # is taken over windows of several widths, from each point on. Cumulative sums give
    # all of these at once.
    sums = np.cumsum(values[::-1])[::-1]
    sums = np.append(sums[1:], 0.0)
    weighted = np.cumsum(sums[::-1])[::-1]  # each point times its distance
    total = np.append(0.0, np.cumsum(values))
    best = -np.inf
    for contrast, weight, squares in (
        (sums, after, after),
        (weighted, after * (after + 1) / 2, after * (after + 1) * (2 * after + 1) / 6),
    ):
        for width in _WIDTHS[points >= _WIDTHS]:
            ends = np.arange(width, points + 1)
            level = (total[ends] - total[ends - width]) / width
            here = slice(width - 1, points)
            height = contrast[:points][here] - weight[here] * level
            error = np.sqrt(squares[here] + weight[here] ** 2 / width)
            # Noise that lasts for some epochs lifts a few neighbors together, and
            # lowers a few together. So the fewer there are, the less they count.
            error *= 1 + (_FEW_AFTER / after[here]) ** 2 + _FEW_BEFORE / width
            best = max(best, float((height / error).max()))
    return best


def _longest_that_came_back(values: np.ndarray, height: float) -> int:
    """Return for how many epochs a curve showed such a height before its lowest level.

    From when it rose to when the height no longer counts, 0 if it never showed it.
    """
    # Rises last for several epochs, so that of long curves every few will do.
    step = 1 + len(values) // 25
    longest = epochs = 0
    for n in range(FEWEST_POINTS, len(values) + 1, step):
        here = values[:n]
        since = here[int(np.argmin(here)) :]
        # The height outlives a rise: it is that of all that came after. So half of the
        # rise has to be there still.
        is_up = np.median(here[-3:]) > (since[0] + since.max()) / 2
        is_up = is_up and _height(here) > height
        # The height shows when the rise is some epochs old.
        epochs = (epochs or FEWEST_AFTER) + step if is_up else 0
        longest = max(longest, epochs)
    return longest


def turn_threshold(n: int, alpha: float) -> float:
    """Return what the statistic of a flat curve of `n` points exceeds by chance only.

    The constants are from simulated Gaussian noise, looked at after every epoch;
    `benchmarks/overfitting_null.py` draws them again. The longer a curve, the more
    chances noise has had. In the beginning the noise is estimated from few points, and
    one epoch is enough. `alpha` acts through the tail of the normal law.
    """
    plain = 3.3 + 80 / n**2 if n <= _FEW else 3.17 + 0.3 * max(np.log(n / 40), 0.0)
    return float(np.sqrt(max(plain**2 + 2 * np.log(0.05 / alpha), 1.0)))


def curve_scale(values: np.ndarray, lowest: float) -> float:
    """Return the size that a rise is relative to: that of the lowest level.

    Curves that reach or cross zero have none; theirs is the range they covered.
    """
    if lowest > 0 or values.max() < 0:
        return abs(lowest)
    return float(np.ptp(values)) or 1.0


def _onset(values: np.ndarray, noise: float) -> int:
    """Return the last point before the rise.

    Points will do for which a curve that falls and then rises fits as well as noise can
    tell; on a plateau these are many. Of them it is the one for which a rise as a power
    of the time since fits best, from a jump over a saturating and a straight rise to an
    accelerating one.
    """
    level, _ = lowest_levels(values)
    before = falling_errors(values)[1:]
    turning = before + falling_errors(values[::-1])[::-1][1:]
    as_good = 4 + 2 * np.log(len(values))  # what noise on a plateau gains elsewhere
    likely = np.flatnonzero(turning <= turning.min() + as_good * noise**2)
    best, place = np.inf, int(likely[0])
    for point in likely[likely < len(values) - FEWEST_AFTER]:
        above = values[point + 1 :] - level[point]
        since = np.arange(1.0, len(above) + 1)
        # What comes after may have jumped, or grow ever more slowly, evenly, or ever
        # faster. The place counts as the onset from which one of these explains the
        # rest best.
        shapes = since[None, :] ** _RISES
        explained = np.maximum(shapes @ above, 0) ** 2 / (shapes**2).sum(axis=1)
        error = before[point] + float(above @ above - explained.max())
        if error < best:
            best, place = error, int(point)
    return place


def without_outliers(values: np.ndarray, last: int = 3) -> np.ndarray:
    """Pull single points that stand out back to three deviations from the median.

    The median is that of five points around each, of the first three for the first two,
    and of the `last` ones for the last two. So a monotone curve stays as it is but for
    its first and last point, or, with `last=5`, its last two.
    """
    n = len(values)
    if n < FEWEST_POINTS:
        return values
    allowed = 3 * difference_noise(values)
    medians = values.copy()
    windows = np.lib.stride_tricks.sliding_window_view(values, 5)
    medians[2:-2] = np.median(windows, axis=1)
    # at the ends there are no five points around
    medians[:2], medians[-2:] = np.median(values[:3]), np.median(values[-last:])
    return np.clip(values, medians - allowed, medians + allowed)


def difference_noise(values: np.ndarray) -> float:
    """Return the deviation of independent noise on a smooth curve.

    From its second or third differences, whichever are less, the large ones cut to
    size: bends and outliers hardly matter.
    """
    # The differences of a smooth curve are next to nothing, so that what is left of
    # them is noise, made larger by the root of the summed squares of the coefficients
    # (1, -2, 1 and 1, -3, 3, -1). A curve that is too bent for the second is not for
    # the third.
    return min(
        _spread(np.diff(values, order) / norm)
        for order, norm in ((2, np.sqrt(6)), (3, np.sqrt(20)))
        if len(values) > order
    )


def _spread(changes: np.ndarray) -> float:
    changes = np.abs(changes)
    # jumps are no noise, and squares would make them count most
    changes = np.minimum(changes, 3 * np.median(changes) / _MAD)
    return float(np.sqrt(np.mean(changes**2)))


def _first_local(values: np.ndarray) -> int:
    """Return where the curve comes down to the levels that it holds after its lowest.

    What lies above, the early descent, says nothing about the noise down there.
    """
    top = values[int(np.argmin(values)) :].max()
    return min(int(np.argmax(values <= top)), max(0, len(values) - _LOCAL_POINTS))


def _first_quiet(values: np.ndarray, first: int) -> int:
    """Return from where on the curve tells about its noise, `first` at the latest."""
    lowest = float(values.min())
    top = float(values[int(np.argmin(values)) :].max())
    near = int(np.argmax(values <= lowest + _SPAN * (top - lowest)))
    return min(near, first)


def _noise_around(
    values: np.ndarray, first: int, fit: UnimodalFit, least: float
) -> float:
    """Return the noise of the local part, or of the curve before it where that is more.

    A curve whose noise wanders is at its lowest by chance, and the few points since
    cannot show how far it wanders. The plateau before does.
    """
    # A curve without any noise would make the least rise significant, so that some is
    # assumed.
    noise = _noise(values[first:], fit.turning, least)
    quiet = _first_quiet(values, first)
    if quiet < first:
        wide = values[quiet:]
        noise = max(noise, _noise(wide, fit_unimodal(wide).turning, least))
    return noise


def _noise(values: np.ndarray, fitted: np.ndarray, least: float) -> float:
    """Return the standard deviation that independent points would need to have."""
    residuals = values - fitted
    free = max(len(values) - len(np.unique(fitted)), 1)
    variance = max(
        residuals @ residuals / free, difference_noise(values) ** 2, least**2
    )
    return float(np.sqrt(variance * _inflation(residuals)))


def _inflation(residuals: np.ndarray) -> float:
    """Return by what the variance of a mean grows because epochs share their errors.

    For noise with a memory of one epoch, an AR(1) process.
    """
    n, squares = len(residuals), float(residuals @ residuals)
    if squares <= 0:
        return 1.0
    seen = float(residuals[1:] @ residuals[:-1] / squares)
    # The fit follows the noise, and the more so the longer a deviation lasts. So the
    # residuals show less memory, and less variance, than there is. The corrections are
    # from simulated noise of 8 to 150 epochs around a flat level. What is left of the
    # error is large for few points; it is taken to be in the bad direction.
    memory = (seen + 0.05 + 2 / n) / max(0.35, 1 - 13 / n) * n / (n + 5)
    memory = min(max(memory + _DOUBT / np.sqrt(n), 0.0), 0.9)
    shared = (1 + memory) / (1 - memory)
    return float(shared * (n + 7 * shared) / (n + 7))
