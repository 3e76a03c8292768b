"""Which remedies are still to be tried."""

from __future__ import annotations

from collections.abc import Iterator

from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.records.json_text import json_text


class Untried:
    """Keeps account of what was tried, and of what only the user can do."""

    def __init__(self) -> None:
        self._tried: set[str] = set()
        self._by_hand: dict[str, None] = {}

    @property
    def by_hand(self) -> tuple[str, ...]:
        """Suggestions without a remedy that were come across, as text."""
        return tuple(self._by_hand)

    def remedies_of(
        self, finding: Finding, *, in_short_trial: bool = False
    ) -> Iterator[RemedySuggestion]:
        """Yield the remedies of a finding that were not tried when it comes to them.

        Args:
            finding: The finding.
            in_short_trial: Whether to leave out those that only a whole training can
                show to help. Defaults to `False`.
        """
        for remedy in finding.remedies:
            if remedy.name is None:
                self._by_hand[f"{remedy.title}: {remedy.reason}"] = None
                continue
            spec = REMEDIES.get(remedy.name)
            late = spec is not None and spec.judged_by == "whole_training"
            # asked again for each remedy: what is done with one may try another
            if _key(remedy) not in self._tried and not (in_short_trial and late):
                yield remedy

    def add(self, remedy: RemedySuggestion) -> None:
        """Count a remedy, with these arguments, as tried."""
        self._tried.add(_key(remedy))

    def was_kept(self, remedy: RemedySuggestion) -> None:
        """Let a remedy be tried once more if that can take its effect further."""
        spec = REMEDIES.get(remedy.name or "")
        if spec is not None and spec.repeatable:
            self._tried.discard(_key(remedy))


def _key(remedy: RemedySuggestion) -> str:
    call = [remedy.name, remedy.kwargs]
    return json_text(call, keep_non_finite=True, sort_keys=True)
