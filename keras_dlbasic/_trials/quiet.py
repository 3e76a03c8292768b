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

    # A logger adds the same filter only once, and the first to remove it removes it for
    # all. So each context has its own, and the outer one stays when the inner one ends.
    def is_about_something_else(record: logging.LogRecord) -> bool:
        return "retracing" not in record.getMessage()

    log.addFilter(is_about_something_else)
    try:
        yield
    finally:
        log.removeFilter(is_about_something_else)
