"""Pipelines whose transformers leave the task column alone."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.metaestimators import available_if

from skmtl._compat import all_or_nothing
from skmtl.metrics import has_position

from ._task_aware import TaskAware


def _last_step_has(method):
    """Make a check that raises AttributeError if a Pipeline lacks the method."""

    def check(pipeline):
        getattr(super(TaskPipeline, pipeline), method)
        return True

    return check


class TaskPipeline(Pipeline):
    """Fit every step of a pipeline, or none.

    In scikit-learn's Pipeline, the transformers keep what they learn from data that the
    model then refuses, so the previously fitted model gets different features.
    """

    def fit(self, X, y=None, **params):
        """Fit the steps in sequence."""
        with self._all_or_nothing():
            return super().fit(X, y, **params)

    @available_if(_last_step_has("fit_transform"))
    def fit_transform(self, X, y=None, **params):
        """Fit the steps, and transform with all of them."""
        with self._all_or_nothing():
            return super().fit_transform(X, y, **params)

    @available_if(_last_step_has("fit_predict"))
    def fit_predict(self, X, y=None, **params):
        """Fit the steps, and predict with the last."""
        with self._all_or_nothing():
            return super().fit_predict(X, y, **params)

    def _all_or_nothing(self):
        steps = [step for _, step in self.steps if hasattr(step, "fit")]
        return all_or_nothing(self, *steps)


def make_task_pipeline(*steps, task_column, memory=None, verbose=False):
    """Make a pipeline in which only the steps that know tasks see the task column.

    Every transformer is wrapped in `TaskAware`. A step that has a parameter
    `task_column` is told it, unless it has been told before. Steps are cloned and named
    as by scikit-learn's `make_pipeline`.

    Parameters
    ----------
    *steps : estimators
        Transformers, then a model. "passthrough" and None do nothing.
    task_column : str, int or list of them
        Name or position of the column of X that holds the task, or name of a level of
        its pandas index; a list declares nested tasks. A position refers to X: after
        the first transformer the task columns are last.
    memory : str or object with the joblib.Memory interface, default=None
        Where fitted transformers are cached.
    verbose : bool, default=False
        Whether the time of each step is printed.

    Returns
    -------
    pipeline : Pipeline
        All its steps are fitted, or none: a fit that raises leaves them unchanged. The
        parameters of a wrapped transformer begin with its name and ``__transformer__``,
        as in ``standardscaler__transformer__with_mean``.

    See Also
    --------
    TaskAware : Transform every column but the one that holds the task.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmtl.compose import IndependentTasks, make_task_pipeline
    >>> X = np.array([[7, 1.0], [7, 3.0], [3, 1.0], [3, 3.0]])
    >>> y = [0.0, 2.0, 5.0, 3.0]
    >>> model = make_task_pipeline(StandardScaler(), IndependentTasks(), task_column=0)
    >>> model.named_steps["independenttasks"].task_column
    -1
    >>> model.fit(X, y).predict(X).round(2)
    array([0.33, 1.67, 4.67, 3.33])
    """
    named = make_pipeline(*steps).steps
    wrapped = []
    for place, (name, step) in enumerate(named):
        is_last = place == len(named) - 1
        step, moves = _tell(step, task_column, is_last)
        if moves:
            task_column = move_to_end(task_column)
        wrapped.append((name, step))
    return TaskPipeline(wrapped, memory=memory, verbose=verbose)


def move_to_end(task_column):
    """Return the position of the task column after a TaskAware transformer."""
    if not has_position(task_column):
        return task_column
    if isinstance(task_column, list):
        return list(range(-len(task_column), 0))
    return -1


def _tell(step, task_column, is_last):
    """Return a step that knows the task column, and whether it moves it to the end."""
    if step is None or isinstance(step, str):
        return step, False
    transforms = hasattr(step, "transform")
    parameters = step.get_params(deep=False)
    if "task_column" in parameters:
        known = parameters["task_column"]
        told = task_column if known is None else known
        return clone(step).set_params(task_column=told), transforms
    if transforms and not (is_last and hasattr(step, "predict")):
        return TaskAware(clone(step), task_column=task_column), True
    return clone(step), False
