"""Where rules come from, and which symptom goes with which cause."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

from keras_dlbasic._arguments import shown
from keras_dlbasic._nearest import nearest
from keras_dlbasic.diagnosis.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return the rules of `keras_dlbasic.diagnosis.rules`, by name.

    Raises:
        TypeError: If a file there has no rule with the name of the file.
        ValueError: If a rule names an unknown cause or symptom.

    Example:
    >>> from keras_dlbasic.diagnosis import all_rules
    >>> [rule.name for rule in all_rules()][:2]
    ['attention_saturated', 'batch_size_too_large']
    """
    # A rule has the name of its module, so that a new rule is a new file and no list.
    package = import_module("keras_dlbasic.diagnosis.rules")
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        full = f"{package.__name__}.{module.name}"
        rule = getattr(import_module(full), module.name, None)
        if not isinstance(rule, Rule):
            raise TypeError(
                f"{full} must have a function `{module.name}` with `@rule(...)` above "
                f"it. Received: {rule!r}"
            )
        found.append(rule)
    rules = tuple(sorted(found, key=lambda rule: rule.name))
    check_names(rules, rules)
    return rules


def check_names(rules: Iterable[Rule], known: Iterable[Rule]) -> None:
    """Check that what rules say of each other can be.

    Args:
        rules: The rules to check.
        known: The rules that they may name.

    Raises:
        ValueError: If `explains` names no symptom, or `explained_by` no cause.
    """
    kinds = {rule.name: rule.kind for rule in known}
    for rule in rules:
        for part, kind in (("explains", "symptom"), ("explained_by", "cause")):
            for name in getattr(rule, part):
                if kinds.get(name) == kind:
                    continue
                fault = f"is a {kinds[name]}" if name in kinds else "is not a rule"
                names = [other for other, is_a in kinds.items() if is_a == kind]
                raise ValueError(
                    f"`{part}` of rule {rule.name!r} must name {kind}s, but {name!r} "
                    f"{fault}. {nearest(name, names)} A rule of yours must be among "
                    "the `rules` as well."
                )


def checked_rules(rules: Iterable[Any]) -> tuple[Rule, ...]:
    """Check rules that the user has put together, also against the package's.

    Args:
        rules: What was given as `rules=`.

    Raises:
        TypeError: If one of them is not a rule.
        ValueError: If two have the same name, or one names a symptom or a cause that
            there is none of.
    """
    is_one = isinstance(rules, (str, Rule)) or not isinstance(rules, Iterable)
    rules = (rules,) if is_one else tuple(rules)
    for rule in rules:
        if not isinstance(rule, Rule):
            raise TypeError(
                "`rules` must be functions with `@rule(...)` above them, as in "
                f"`rules=[*all_rules(), mine]`. Received: {shown(rule)} of type "
                f"{type(rule).__name__}"
            )
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Two of the `rules` are called {twice[0]!r}. Leave one of them out, or "
            "rename its function."
        )
    own = [rule for rule in all_rules() if rule.name not in names]
    check_names(rules, [*own, *rules])
    return rules


def symptoms_by_cause(rules: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    """Return by the name of each cause the symptoms that it can cause.

    A pair may be named by the cause, in `explains`, or by the symptom, in
    `explained_by`: both count.

    Args:
        rules: The rules that are applied.
    """
    rules = tuple(rules)
    pairs = {rule.name: [*rule.explains] for rule in rules if rule.kind == "cause"}
    for rule in rules:
        for cause in rule.explained_by:
            if rule.name not in pairs.setdefault(cause, []):
                pairs[cause].append(rule.name)
    return {cause: tuple(symptoms) for cause, symptoms in pairs.items()}
