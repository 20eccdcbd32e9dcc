"""The task column that an estimator declares, also if it is wrapped."""

from typing import Any

from sklearn.pipeline import Pipeline

from skmtl.data import list_task_columns


def find_task_column(estimator: Any) -> str | int | list | None:
    """Find the task column that an estimator, or one inside it, declares.

    Searches for the parameter ``task_column`` in the estimator and in the estimators
    among its parameters: the steps of a Pipeline, the estimator of a search, the
    transformer of a TaskAware. For a fitted search, uses the ``best_estimator_``.

    Parameters
    ----------
    estimator : estimator instance
        Any estimator with scikit-learn's interface.

    Returns
    -------
    task_column : str, int, list or None
        Name or position of the column, or a list of them; None if no estimator sets
        ``task_column``.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.metrics import find_task_column
    >>> print(find_task_column(LinearRegression()))
    None
    """
    estimator = unwrap_search(estimator)
    declared = _list_declared(estimator)
    names = [column for column in declared if not has_position(column)]
    found = []
    for column in names or declared:
        if column not in found:
            found.append(column)
    if len(found) > 1:
        raise ValueError(
            "The estimator must declare one task column. Got "
            f"{sorted(found, key=str)} in {type(estimator).__name__}; name one with "
            "task_column=."
        )
    if found and not names and _is_behind_a_step(estimator):
        raise ValueError(
            "The task column must be identifiable in X itself. Got position "
            f"{found[0]} in a Pipeline whose first step may move the columns; name the "
            "column of X with task_column=."
        )
    return found[0] if found else None


def has_position(task_column: str | int | list[str | int]) -> bool:
    """Return whether a task column, or one of several, is given by position.

    Parameters
    ----------
    task_column : str, int or list of them
        Name or position of the column, or a list of them.

    Returns
    -------
    bool
        Whether at least one is a position.

    Examples
    --------
    >>> from skmtl.metrics import has_position
    >>> has_position(["school", "class"]), has_position(-1)
    (False, True)
    """
    named = list_task_columns(task_column)
    return not all(isinstance(name, str) for name in named)


def unwrap_search(estimator: Any) -> Any:
    """Return the best estimator of a fitted search, or the estimator itself."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    return estimator


def _list_declared(estimator):
    return [
        value
        for name, value in _read_parameters(estimator).items()
        if name.rpartition("__")[2] == "task_column" and value is not None
    ]


def _read_parameters(estimator):
    """Return the nested parameters of an estimator; none for other objects."""
    return estimator.get_params() if hasattr(estimator, "get_params") else {}


def _is_behind_a_step(estimator):
    """Return whether the first step of a Pipeline declares no task column."""
    parts = [estimator, *_read_parameters(estimator).values()]
    pipelines = [part for part in parts if isinstance(part, Pipeline)]
    return any(
        _list_declared(pipeline) and not _list_declared(pipeline.steps[0][1])
        for pipeline in pipelines
    )
