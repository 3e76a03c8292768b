"""What a rule is."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from keras_dlbasic._nearest import nearest
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.areas import AREAS
from keras_dlbasic.diagnosis.finding import KINDS, Finding, Kind
from keras_dlbasic.diagnosis.fine import Fine
from keras_dlbasic.diagnosis.needs import NEEDS
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.diagnosis.verdict import Verdict


@names_nearest
@dataclass(frozen=True)
class Rule:
    """A function that judges a run; `@rule` makes one.

    Attributes:
        name: Name of the problem that it finds; its function and file have the same
            name.
        kind: `"cause"` or `"symptom"`.
        function: Given a `Run`, it returns a `Finding`, `Fine` or `Skipped`. Its
            thresholds are keyword-only arguments with defaults.
        explains: Names of the symptoms that this cause can cause.
        explained_by: Names of the causes that can cause this symptom.
        needs: What the record must contain; otherwise the rule is skipped.
        live: Whether it can judge a run that is still going on.
        per_output: Whether it judges each of several outputs separately.
        decides: The area that cannot be judged without this check, a key of
            `areas.AREAS`; empty for checks that are not decisive.
        last: Whether it runs after all other rules and uses their results
            (`run.verdicts`).

    Raises:
        TypeError: If the function has no `run` as its first argument, or thresholds
            that are not keyword-only with defaults; or names are not in a tuple.
        ValueError: If the kind or a need is not known, `explains` is given for a
            symptom or `explained_by` for a cause, or the function has no docstring.

    Example:
    >>> import keras_dlbasic as kd
    >>> rules = {rule.name: rule for rule in kd.diagnosis.all_rules()}
    >>> rules["vanishing_gradients"].kind
    'symptom'
    """

    name: str
    kind: Kind
    function: Callable[..., Verdict]
    explains: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    live: bool = True
    decides: str = ""
    last: bool = False
    per_output: bool = False

    def __post_init__(self) -> None:
        self._check_function()
        if self.kind not in KINDS:
            raise ValueError(
                f"`kind` of rule {self.name!r} must be 'cause' or 'symptom'. Received: "
                f"{self.kind!r}. {nearest(self.kind, KINDS)}"
            )
        for part in ("explains", "explained_by", "needs"):
            self._check_names(part)
        unknown = [need for need in self.needs if need not in NEEDS]
        if unknown:
            raise ValueError(
                f"`needs` of rule {self.name!r} names {unknown[0]!r}, which no record "
                f"has. {nearest(unknown[0], NEEDS)}"
            )
        if self.decides and self.decides not in AREAS:
            raise ValueError(
                f"`decides` of rule {self.name!r} must be one of {list(AREAS)}. "
                f"Received: {self.decides!r}. {nearest(self.decides, AREAS)}"
            )
        wrong = {"cause": "explained_by", "symptom": "explains"}[self.kind]
        if getattr(self, wrong):
            raise ValueError(
                f"`{wrong}` of rule {self.name!r} must be empty, as it is a "
                f"{self.kind}: a cause explains symptoms, a symptom is explained by "
                f"causes. Received: {getattr(self, wrong)!r}"
            )

    @property
    def is_own(self) -> bool:
        """Whether the rule belongs to this package."""
        return self.function.__module__.startswith("keras_dlbasic.")

    @property
    def thresholds(self) -> dict[str, Any]:
        """The thresholds with their defaults."""
        _, *others = inspect.signature(self.function).parameters.values()
        return {parameter.name: parameter.default for parameter in others}

    def __call__(self, run: Run, **thresholds: Any) -> Verdict:
        """Judge a run.

        Args:
            run: The run.
            **thresholds: Other thresholds than the defaults.

        Returns:
            A `Finding` with the name and the kind of the rule; `Fine`; or `Skipped`,
            also if the record lacks what the rule needs.

        Raises:
            TypeError: If the function returns something else.
        """
        # Ask for what the rule needs before any of its own code runs: a part that is
        # missing skips the rule, with the reason that this part gives.
        try:
            for need in self.needs:
                NEEDS[need].ask(run)
            verdict = self.function(run, **thresholds)
        except Skipped as raised:
            return Skipped(raised.reason)  # without the frames it went through
        return self._checked(verdict)

    def _checked(self, verdict: Any) -> Verdict:
        if isinstance(verdict, Finding):
            given = [name for name in _FILLED_IN if getattr(verdict, name)]
            if given:
                raise TypeError(
                    f"Rule {self.name!r} must leave {given} of its finding to "
                    f"`@rule(...)` and the name of its function{self._place}."
                )
            return replace(
                verdict, name=self.name, kind=self.kind, explains=self.explains
            )
        if isinstance(verdict, (Fine, Skipped)):
            return verdict
        if isinstance(verdict, str) and verdict:
            warnings.warn(
                f"Rule {self.name!r} returns a string, which is deprecated. Return "
                "`Fine(...)`.",
                DeprecationWarning,
                stacklevel=3,
            )
            return Fine(verdict)
        missing = " Is a `return` missing?" if verdict is None else ""
        raise TypeError(
            f"Rule {self.name!r} must return `Finding(...)`, `Fine(...)` or "
            f"`Skipped(...)`. Received: {verdict!r} of type "
            f"{type(verdict).__name__}{self._place}.{missing}"
        )

    @property
    def _place(self) -> str:
        """Where the rule is defined, as it is in no traceback of what it returned."""
        code = self.function.__code__
        return f", from {code.co_filename}, line {code.co_firstlineno}"

    def _check_function(self) -> None:
        if not inspect.isfunction(self.function):
            raise TypeError(
                f"`@rule(...)` must be above a function. Received: {self.function!r} "
                f"of type {type(self.function).__name__}"
            )
        parameters = list(inspect.signature(self.function).parameters.values())
        takes_run = [p.name for p in parameters[:1] if p.kind in _BY_PLACE] == ["run"]
        if not takes_run or not all(
            p.kind is p.KEYWORD_ONLY and p.default is not p.empty
            for p in parameters[1:]
        ):
            raise TypeError(
                f"Rule {self.name!r} must take `run` first, and its thresholds as "
                f"keyword-only arguments with defaults, as in `def {self.name}(run, *, "
                f"most=0.5)`. Received: {self.name}{inspect.signature(self.function)}"
            )
        if not (self.function.__doc__ or "").strip():
            raise ValueError(
                f"Rule {self.name!r} needs a docstring: what it looks for, and where "
                "its thresholds come from."
            )

    def _check_names(self, part: str) -> None:
        names = getattr(self, part)
        if not isinstance(names, tuple) or not all(isinstance(n, str) for n in names):
            raise TypeError(
                f"`{part}` of rule {self.name!r} must be a tuple of names, as in "
                f"`{part}=('plateau',)`. Received: {names!r}"
            )


_FILLED_IN = ("name", "kind", "explains", "explained_by")

_BY_PLACE = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


@names_nearest
def rule(
    kind: Kind,
    *,
    explains: tuple[str, ...] = (),
    explained_by: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    live: bool = True,
    decides: str = "",
    last: bool = False,
    per_output: bool = False,
) -> Callable[[Callable[..., Verdict]], Rule]:
    """Turn a function into a rule; its name is that of the problem it finds.

    The arguments are checked when the function is defined, and the names of other rules
    when `diagnose` loads all rules.

    Args:
        kind: `"cause"` (what is wrong) or `"symptom"` (what can be seen of it).
        explains: For a cause, names of the symptoms that it can cause.
            Defaults to none.
        explained_by: For a symptom, names of the causes that can cause it. This has the
            same effect as `explains` of the causes. Defaults to none.
        needs: What the record must contain; otherwise the rule is skipped, with the
            reason. The names are those of `keras_dlbasic.diagnosis.NEEDS`. Defaults to
            none.
        live: Whether it can judge a run that is still going on. Defaults to `True`.
        per_output: Whether the outputs of a model with several outputs are judged
            separately (`Run.outputs_apart`), each with its own finding. Defaults to
            `False`: the model is judged once.
        decides: The area of a run that this check judges: `"predictions"`, `"loss"`,
            `"updates"`, `"match"` or `"data"`. If it is skipped, a run without findings
            is not called healthy. Defaults to `""`: the check is not decisive. See
            `Coverage`.
        last: Whether the rule runs after all other rules and uses their results
            (`run.verdicts`). Defaults to `False`.

    Returns:
        A decorator that turns a function into a `Rule`.

    Raises:
        TypeError: If it is used without parentheses, or the function has no `run` as
            its first argument, or thresholds that are not keyword-only with defaults.
        ValueError: If the kind, a need or what it decides is not known, or the function
            has no docstring.

    Example:
    >>> from keras_dlbasic.diagnosis import Finding, Fine, rule
    >>> @rule(kind="cause", explains=("slow_convergence",), needs=("batch_size",))
    ... def odd_batch_size(run, *, multiple=8):
    ...     '''Look for batch sizes that hardware does not like.'''
    ...     if run.batch_size % multiple:
    ...         message = f"Batches have {run.batch_size} rows."
    ...         return Finding(severity="info", message=message, threshold=multiple)
    ...     return Fine(f"batches of {run.batch_size} rows")
    >>> odd_batch_size.name, odd_batch_size.thresholds
    ('odd_batch_size', {'multiple': 8})
    """
    if callable(kind):
        raise TypeError(
            "`@rule` needs brackets and a kind: write `@rule(kind='cause')` or "
            "`@rule(kind='symptom')` above the function."
        )

    def make(function: Callable[..., Verdict]) -> Rule:
        name = getattr(function, "__name__", repr(function))
        parts = (explains, explained_by, needs, live, decides, last, per_output)
        return Rule(name, kind, function, *parts)

    return make
