"""Warn if no task was declared, which is rarely intended."""

import warnings
from contextlib import contextmanager
from contextvars import ContextVar

_IS_MEANT = ContextVar("one task is meant", default=False)


@contextmanager
def one_task_is_meant():
    """Suppress the warning while fitting rows of one task, or pooled rows."""
    token = _IS_MEANT.set(True)
    try:
        yield
    finally:
        _IS_MEANT.reset(token)


def warn_of_one_task(estimator):
    """Warn that all rows are one task, unless a wrapper suppresses it."""
    if not _IS_MEANT.get():
        warnings.warn(
            "All rows are taken as one task, as y is 1-d and "
            f"{type(estimator).__name__} was given no task. Declare tasks with "
            "task_column=, with task= in fit, or as the columns of a 2-d y; for a "
            "single task, use task=0 in fit.",
            stacklevel=4,
        )
