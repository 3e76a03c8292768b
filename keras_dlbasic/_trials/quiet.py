"""Trials without a warning that is only about the trials themselves."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_retracing_warnings() -> Iterator[None]:
    """Keep TensorFlow from warning that functions are traced again and again.

    Each trial has a model of its own, so each is traced once more, and that cannot be
    changed. Other warnings pass.
    """
    # TensorFlow need not be imported to have its logger
    log = logging.getLogger("tensorflow")
    log.addFilter(_is_about_something_else)
    try:
        yield
    finally:
        log.removeFilter(_is_about_something_else)


def _is_about_something_else(record: logging.LogRecord) -> bool:
    return "retracing" not in record.getMessage()
