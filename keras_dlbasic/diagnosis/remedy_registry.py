"""The remedies that are known, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keras_dlbasic._nearest import nearest
from keras_dlbasic.diagnosis.fit_remedies import FIT_REMEDIES
from keras_dlbasic.diagnosis.remedy_spec import RemedySpec


class RemedyRegistry(Mapping[str, RemedySpec]):
    """All remedies by name.

    Those of the fit are here from the start. Those that change a model come with
    `keras_dlbasic.remedies`, which `import keras_dlbasic` imports where there is Keras;
    the user's own come as they are defined. Without Keras a suggestion is printed, but
    it is not known whether there is such a remedy.
    """

    def __init__(self, specs: Iterable[RemedySpec] = ()) -> None:
        self._specs = {spec.name: spec for spec in specs}

    def __getitem__(self, name: str) -> RemedySpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def add(self, spec: RemedySpec) -> None:
        """Add a remedy; a function that is defined again takes the place of its former.

        Raises:
            ValueError: If the name is that of another remedy.
        """
        former = self._specs.get(spec.name)
        # the same place in the same module: a notebook's cell that is run again
        if former is not None and _origin(former) != _origin(spec):
            raise ValueError(
                f"A remedy named {spec.name!r} exists already, in module "
                f"'{_origin(former)[0]}'. Give yours another name."
            )
        self._specs[spec.name] = spec

    def check(
        self, name: str | None, needs: tuple[str, ...] | None, kwargs: Mapping[str, Any]
    ) -> None:
        """Check that what is suggested can be called.

        Args:
            name: Name of a remedy; None, for what only the user can do, is right.
            needs: The data that the suggestion says it takes; None: as the remedy says.
            kwargs: Keyword arguments.

        Raises:
            ValueError: If there is no such remedy, or it takes other arguments.
        """
        if name is None or not self._knows_those_of_the_model:
            return
        if name not in self._specs:
            raise ValueError(self.unknown(name))
        spec = self._specs[name]
        if needs is not None and needs != spec.needs:
            raise ValueError(
                f"The remedy {name!r} needs {spec.needs}. The suggestion says "
                f"needs={needs!r}; leave `needs` out."
            )
        spec.check_arguments(kwargs)

    def unknown(self, name: str) -> str:
        """Return the message for a name that is not known, with the nearest that is."""
        return (
            f"There is no remedy named {name!r}. {nearest(name, self._specs)} "
            "One of your own is known once its function is defined with "
            "`@keras_dlbasic.remedies.remedy(...)`."
        )

    @property
    def _knows_those_of_the_model(self) -> bool:
        return any(spec.fit_call is None for spec in self._specs.values())


def _origin(spec: RemedySpec) -> tuple[str, str]:
    return spec.function.__module__, spec.function.__qualname__


REMEDIES = RemedyRegistry(FIT_REMEDIES)
"""The only one."""
