"""Recognise the loss of each task from its targets."""

from numbers import Integral, Real
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.data import is_instance


def recognise_losses(
    losses: str, y: Any, labels: list[Any], values: list[Array]
) -> dict[Any, str]:
    """Return the name of the loss of each task, by label.

    Parameters
    ----------
    losses : {"auto"}
        What the user gave.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets in the user's container, which may declare categories.
    labels : list
        Labels of the tasks.
    values : list of ndarray
        Targets of each task.

    Returns
    -------
    dict
        The names.
    """
    if losses != "auto":
        raise ValueError(
            "losses must be 'auto' or a mapping from each label to the name of a loss, "
            f"got {losses!r}. Pass for example {{'a': 'squared', 'b': 'logistic'}}."
        )
    categories = _find_categories(y, len(labels))
    triples = zip(labels, values, categories, strict=True)
    return {label: _recognise(each, declared) for label, each, declared in triples}


def _recognise(values: Array, is_category: bool) -> str:
    """Return the name of the loss of a task."""
    distinct = set(values.tolist())
    if is_category or not all(map(_is_number, distinct)):
        return "logistic" if len(distinct) < 3 else "multinomial"
    return "logistic" if len(distinct) == 2 and _are_whole(distinct) else "squared"


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _are_whole(values: Any) -> bool:
    return all(isinstance(v, Integral) or float(v).is_integer() for v in values)


def _find_categories(y: Any, n_tasks: int) -> list[bool]:
    """Return whether the targets of each task are categories of pandas."""
    is_frame = is_instance(y, "pandas", "DataFrame")
    dtypes = y.dtypes if is_frame else [getattr(y, "dtype", None)]
    found = [str(dtype) == "category" for dtype in dtypes]
    return found if len(found) > 1 else found * n_tasks
