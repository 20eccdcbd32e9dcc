"""The task column that an estimator declares, however deep it is wrapped."""

from sklearn.pipeline import Pipeline


def find_task_column(estimator):
    """Find the column of X that an estimator, or one inside it, takes for the task.

    The parameter ``task_column`` is looked for in the estimator and in all those that
    its parameters hold: the steps of a Pipeline, the estimator of a search, the
    transformer of a TaskAware. A fitted search stands for its ``best_estimator_``.

    Parameters
    ----------
    estimator : estimator instance
        Any estimator of scikit-learn's kind.

    Returns
    -------
    task_column : str, int, list or None
        Name or position of the column, or a list of them; None if no ``task_column`` is
        set anywhere.

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
            f"{sorted(found, key=str)} in {type(estimator).__name__}; say which one "
            "with task_column=."
        )
    if found and not names and _is_behind_a_step(estimator):
        raise ValueError(
            "The task column must be identifiable in X itself. Got position "
            f"{found[0]} in a Pipeline whose first step may move the columns; say with "
            "task_column= where it is in X."
        )
    return found[0] if found else None


def has_position(task_column):
    """Return whether a task column, or one of several, is declared by position.

    Parameters
    ----------
    task_column : str, int or list of them
        Name or position of the column, or a list of them.

    Returns
    -------
    bool
        Whether a position is among them.

    Examples
    --------
    >>> from skmtl.metrics import has_position
    >>> has_position(["school", "class"]), has_position(-1)
    (False, True)
    """
    named = task_column if isinstance(task_column, list) else [task_column]
    return not all(isinstance(name, str) for name in named)


def unwrap_search(estimator):
    """Return what a fitted search has chosen, else the estimator itself."""
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
    """Return the parameters at all depths, none for what is not an estimator."""
    return estimator.get_params() if hasattr(estimator, "get_params") else {}


def _is_behind_a_step(estimator):
    """Tell whether a Pipeline begins with a step that knows of no task column."""
    parts = [estimator, *_read_parameters(estimator).values()]
    pipelines = [part for part in parts if isinstance(part, Pipeline)]
    return any(
        _list_declared(pipeline) and not _list_declared(pipeline.steps[0][1])
        for pipeline in pipelines
    )
