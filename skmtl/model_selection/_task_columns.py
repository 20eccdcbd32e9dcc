"""Tell models which column of X holds the tasks."""

from collections.abc import Iterable, Sequence

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from skmtl.compose import make_task_pipeline, move_to_end
from skmtl.metrics import find_task_column

_INNER = ("estimator", "regressor")  # parameters of meta-estimators


def find_common_column(
    estimators: Iterable[BaseEstimator],
) -> str | int | Sequence[str | int] | None:
    """Return the task column that the models declare, or None."""
    found = []
    for column in map(find_task_column, estimators):
        if column is not None and column not in found:
            found.append(column)
    if len(found) > 1:
        raise ValueError(
            f"The models must declare one task column. Got {sorted(found, key=str)}; "
            "name one with task_column=."
        )
    return found[0] if found else None


def set_task_column(
    estimator: BaseEstimator, task_column: str | int | Sequence[str | int] | None
) -> BaseEstimator:
    """Return a clone with the task column set, if it has such a parameter."""
    estimator = clone(estimator)
    if task_column is None or _declares_column(estimator):
        return estimator
    parameters = estimator.get_params(deep=False)
    if "task_column" in parameters:
        return estimator.set_params(task_column=task_column)
    if isinstance(estimator, Pipeline):
        return _set_pipeline_column(estimator, task_column)
    for name in set(_INNER) & set(parameters):
        inner = set_task_column(parameters[name], task_column)
        estimator.set_params(**{name: inner})
    return estimator


def _declares_column(estimator):
    return any(
        name.rpartition("__")[2] == "task_column" and value is not None
        for name, value in estimator.get_params().items()
    )


def _set_pipeline_column(pipeline, task_column):
    """Set the task column of the last step, and exclude it from the transformers."""
    names, steps = zip(*pipeline.steps, strict=True)
    if not any(key.endswith("task_column") for key in steps[-1].get_params()):
        return pipeline
    changed = [
        step for _, step in make_task_pipeline(*steps, task_column=task_column).steps
    ]
    moved = move_to_end(task_column) if len(steps) > 1 else task_column
    changed[-1] = set_task_column(changed[-1], moved)
    named = list(zip(names, changed, strict=True))
    return Pipeline(named, memory=pipeline.memory, verbose=pipeline.verbose)
