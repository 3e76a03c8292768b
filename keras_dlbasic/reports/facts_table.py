"""The facts of a run as text, for the table at the end of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

LONGEST = 200
"""Values of facts are cut after this many characters."""

MAX_NAMED = 12
"""Number of layers, inputs or the like that have a row each."""


def facts_table(
    facts: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield names and values, one for each fact; what is empty is left out.

    Args:
        facts: Facts by name, nested, as `RunFacts.to_dict` gives them.
        prefix: What the names begin with.

    Example:
    >>> from keras_dlbasic.reports.facts_table import facts_table
    >>> list(facts_table({"loss": "mse", "layers": [{"label": "out", "units": 3}]}))
    [('loss', 'mse'), ("layers 'out'", 'units 3')]
    """
    for key, value in facts.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from facts_table(value, f"{name}: ")
        elif _is_of_mappings(value):
            yield from _items(name, value)
        elif words := value_words(value):
            yield name, words


def value_words(value: Any) -> str:
    """Return a value as text: no brackets, no quotes; empty for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return "-" if np.isnan(value) else f"{float(value):.4g}"
    if isinstance(value, Mapping):
        parts = ((str(key), value_words(part)) for key, part in value.items())
        text = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in parts if v)
    elif isinstance(value, (list, tuple)):
        inner = [value_words(part) for part in value]
        nested = any(isinstance(part, (list, tuple)) for part in value)
        text = (" | " if nested else ", ").join(filter(None, inner))
    else:
        text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _is_of_mappings(value: Any) -> bool:
    is_list = isinstance(value, (list, tuple)) and len(value) > 0
    return is_list and all(isinstance(part, Mapping) for part in value)


def _items(name: str, items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for place, item in enumerate(items[:MAX_NAMED], start=1):
        rest = dict(item)
        label = rest.pop("label", None) or rest.pop("name", None)
        called = repr(label) if isinstance(label, str) and label else str(place)
        # what is not so says nothing of a layer or an input
        kept = {key: part for key, part in rest.items() if part is not False}
        yield f"{name} {called}", value_words(kept)
    if len(items) > MAX_NAMED:
        yield name, f"and {len(items) - MAX_NAMED} more"
