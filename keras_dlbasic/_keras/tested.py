"""Which versions of Keras this package was tested with."""

from __future__ import annotations

import keras

from keras_dlbasic._backends.keras_version import keras_version

OLDEST, NEWEST = (3, 14), (3, 16)
"""The tests ran with these and with all between, the newest as a nightly build. The one
place that says so: `setup.cfg` and `docs/guide/versions.md` follow it."""

_said: list[str] = []


def untested_keras() -> str | None:
    """Return a line on a Keras that is newer than those tested, once in a process."""
    version = keras.__version__
    # what is no number, as in a version of somebody's own, is not called untested
    if _said or (keras_version() or OLDEST) <= NEWEST:
        return None
    _said.append(version)
    return (
        f"Keras {version} is newer than what this keras_dlbasic was tested with "
        f"({'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}): what cannot "
        "be measured is left out of the record; training is not affected."
    )
