"""BackTranslation."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.augmentation.text_form import apply_to_texts

Translator = Callable[[list[str]], list[str]]


@names_nearest
class BackTranslation:
    """Rephrases texts by translating them to another language and back.

    Any translator works: pass two functions that take a list of texts and return a list
    of the same length. A text whose translation fails, is missing or is empty is kept
    unchanged. Such texts are counted, and a warning gives the numbers. If a batch fails
    or returns a different number of texts, its texts are translated one by one.

    Args:
        to_pivot: Translates a list of texts to another language.
        from_pivot: Translates them back.
        batch_size: Number of texts per call of a translator. Defaults to 32.
        verbose: 0 or 1: whether to show a progress bar. Defaults to 1; in `tf.data`
            there is none.

    Attributes:
        counts: Number of texts so far by outcome: `"changed"`, `"same"` (the
            translation is equal), `"failed"` (the translator raised), `"empty"`,
            `"missing"` (no text was returned). Texts of the last three kinds are kept
            unchanged.
        first_error: The first exception of a translator, as text; empty if none.

    Raises:
        TypeError: If a translator is not callable.
        ValueError: If `batch_size` is not positive.

    Reference:
        Sennrich, Haddow & Birch (2016), Improving neural machine translation models
        with monolingual data.

    Example:
    >>> import keras_dlbasic as kd
    >>> to_german = lambda texts: [t.replace("big", "gross") for t in texts]
    >>> to_english = lambda texts: [t.replace("gross", "large") for t in texts]
    >>> augment = kd.augmentation.BackTranslation(to_german, to_english, verbose=0)
    >>> augment(["a big dog", "a cat"])
    ['a large dog', 'a cat']
    >>> augment.extend(["a big dog", "a cat"], [1, 0])
    (['a big dog', 'a cat', 'a large dog'], [1, 0, 1])
    """

    def __init__(
        self,
        to_pivot: Translator,
        from_pivot: Translator,
        *,
        batch_size: int = 32,
        verbose: int = 1,
    ) -> None:
        for name, value in (("to_pivot", to_pivot), ("from_pivot", from_pivot)):
            if not callable(value):
                raise TypeError(
                    f"`{name}` must take a list of str and give one. Received: "
                    f"{name}={value!r} of type {type(value).__name__}"
                )
        if (
            isinstance(batch_size, bool)
            or not isinstance(batch_size, int)
            or batch_size < 1
        ):
            raise ValueError(
                f"`batch_size` must be a positive integer. Received: {batch_size!r}"
            )
        self.to_pivot, self.from_pivot = to_pivot, from_pivot
        self.batch_size = batch_size
        self.verbose = verbose
        self.counts: Counter[str] = Counter()
        self.first_error = ""
        # translators are seldom made for several threads, which `tf.data` calls from
        self._lock = threading.RLock()

    def __call__(self, texts: Any) -> Any:
        """Return the texts in other words, in the form they came in.

        Args:
            texts: A list or tuple of `str`, an array of them, or a string tensor of
                TensorFlow: `dataset.map(lambda text, y: (augment(text), y))`.
        """
        return apply_to_texts(
            lambda found: self._translated(found, self.verbose),
            lambda found: self._translated(found, 0),
            texts,
        )

    def extend(self, texts: Sequence[str], *columns: Any) -> tuple[Any, ...]:
        """Return the texts, followed by those that were rephrased.

        Args:
            texts: A list of texts.
            *columns: Data of each text, such as labels: lists or arrays.

        Returns:
            Texts and columns, each extended by the same rows, as lists or arrays like
            those given.
        """
        texts = list(texts)
        changed = self._translated(texts, self.verbose)
        new = [place for place, text in enumerate(changed) if text != texts[place]]
        return (
            [*texts, *(changed[place] for place in new)],
            *(_with_rows(column, new) for column in columns),
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: all but the lock."""
        return {k: v for k, v in vars(self).items() if k != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make a copy."""
        vars(self).update(state, _lock=threading.RLock())

    def _translated(self, texts: list[str], verbose: int) -> list[str]:
        progress = None
        if verbose and texts:
            progress = keras.utils.Progbar(len(texts), unit_name="text")
        counts: Counter[str] = Counter()
        results = []
        with self._lock:
            for begin in range(0, len(texts), self.batch_size):
                batch = texts[begin : begin + self.batch_size]
                pairs = zip(batch, self._there_and_back(batch), strict=True)
                for text, (found, outcome) in pairs:
                    results.append(found if found is not None else text)
                    same = outcome == "changed" and found == text
                    counts["same" if same else outcome] += 1
                if progress is not None:
                    progress.update(len(results))
            self.counts += counts
        self._say(counts, len(texts))
        return results

    def _there_and_back(self, batch: list[str]) -> list[tuple[str | None, str]]:
        """Return a text, or None, and what became of it, for each of a batch."""
        results: list[tuple[str | None, str]] = [(None, "same") for _ in batch]
        # there is nothing to translate in a blank text
        open_ = {place: text for place, text in enumerate(batch) if text.strip()}
        # A text that fails on the way there is not given to the way back.
        for translate in (self.to_pivot, self.from_pivot):
            found = self._step(translate, list(open_.values()))
            for place, result in zip(list(open_), found, strict=True):
                results[place] = result
                text, _ = result
                if text is None:
                    del open_[place]
                else:
                    open_[place] = text
        return results

    def _step(
        self, translate: Translator, texts: list[str]
    ) -> list[tuple[str | None, str]]:
        if not texts:
            return []
        whole = self._try(translate, texts)
        if isinstance(whole, list) and len(whole) == len(texts):
            return [_judged(text) for text in whole]
        if len(texts) == 1:
            return [(None, "failed" if whole is None else "missing")]
        # which of them failed, or which is which, only single ones can tell
        return [self._step(translate, [text])[0] for text in texts]

    def _try(self, translate: Translator, texts: list[str]) -> list[Any] | None:
        try:
            found: Any = translate(list(texts))
            return [] if found is None or isinstance(found, str) else list(found)
        except Exception as error:
            first = (str(error).strip().splitlines() or [""])[0]
            self.first_error = self.first_error or f"{type(error).__name__}: {first}"
            return None

    def _say(self, counts: Counter[str], n: int) -> None:
        troubles = {k: counts[k] for k in ("failed", "missing", "empty") if counts[k]}
        if not troubles:
            return
        words = {
            "failed": f"failed to translate (first: {self.first_error})",
            "missing": "got no translation",
            "empty": "came back empty",
        }
        what = ", ".join(f"{number} {words[name]}" for name, number in troubles.items())
        warnings.warn(
            f"{sum(troubles.values())} of {n} texts were kept unchanged: {what}",
            stacklevel=5,
        )


def _judged(text: Any) -> tuple[str | None, str]:
    if not isinstance(text, str):
        return None, "missing"
    return (text, "changed") if text.strip() else (None, "empty")


def _with_rows(column: Any, rows: list[int]) -> Any:
    if isinstance(column, list):
        return [*column, *(column[row] for row in rows)]
    array = np.asarray(column)
    return np.concatenate([array, array[np.array(rows, int)]])
