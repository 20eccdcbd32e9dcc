"""Pipelines in which transformers leave the task column unchanged."""

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import all_or_nothing
from skmtl.data import list_task_columns, map_task_columns
from skmtl.metrics import has_position

from ._task_aware import TaskAware


def _last_step_has(method):
    """Make a check that raises AttributeError if a Pipeline lacks the method."""

    def check(pipeline):
        getattr(super(TaskPipeline, pipeline), method)
        return True

    return check


def _last_step_itself_has(method):
    """Make a check for a method that scikit-learn's Pipeline does not have."""

    def check(pipeline):
        getattr(pipeline.steps[-1][1], method)
        return True

    return check


class TaskPipeline(Pipeline):
    """Pipeline with intervals, in which a failed fit leaves all steps unchanged.

    If the model raises in scikit-learn's Pipeline, the transformers stay fitted to the
    new data, and a previously fitted model gets other features than in its fit.
    """

    def fit(self, X: Any, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the steps in sequence."""
        with self._all_or_nothing():
            return super().fit(X, y, **params)

    @available_if(_last_step_has("fit_transform"))
    def fit_transform(self, X: Any, y: ArrayLike | None = None, **params: Any) -> Any:
        """Fit the steps in sequence, and transform X."""
        with self._all_or_nothing():
            return super().fit_transform(X, y, **params)

    @available_if(_last_step_has("fit_predict"))
    def fit_predict(self, X: Any, y: ArrayLike | None = None, **params: Any) -> Any:
        """Fit the steps in sequence, and predict X."""
        with self._all_or_nothing():
            return super().fit_predict(X, y, **params)

    @available_if(_last_step_itself_has("predict_interval"))
    def predict_interval(
        self, X: Any, coverage: float = 0.9, task: Any = None, exposure: Any = None
    ) -> Any:
        """Transform X, and predict an interval for each row with the last step.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column.
        coverage : float, default=0.9
            Share of targets within their intervals, above 0 and below 1.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if X has no task column.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row, for counts; None means ones.

        Returns
        -------
        ndarray of shape (n_samples, ..., 2)
            Lower and upper ends.
        """
        given = _given(task=task, exposure=exposure)
        return self._last().predict_interval(self._transform(X), coverage, **given)

    @available_if(_last_step_itself_has("predict_mean_interval"))
    def predict_mean_interval(
        self, X: Any, coverage: float = 0.9, task: Any = None, exposure: Any = None
    ) -> Any:
        """Transform X, and predict an interval for the mean of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column.
        coverage : float, default=0.9
            Share of means within their intervals, above 0 and below 1.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if X has no task column.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row, for counts; None means ones.

        Returns
        -------
        ndarray of shape (n_samples, ..., 2)
            Lower and upper ends.
        """
        given = _given(task=task, exposure=exposure)
        return self._last().predict_mean_interval(self._transform(X), coverage, **given)

    def _last(self):
        return self.steps[-1][1]

    def _transform(self, X):
        """Apply all steps but the last."""
        check_is_fitted(self)
        for _, step in self.steps[:-1]:
            if step is not None and step != "passthrough":
                X = step.transform(X)
        return X

    def _all_or_nothing(self):
        steps = [step for _, step in self.steps if hasattr(step, "fit")]
        return all_or_nothing(self, *steps)


def _given(**arguments):
    """Return the arguments that are not None: not every model has all of them."""
    return {name: each for name, each in arguments.items() if each is not None}


def make_task_pipeline(
    *steps: Any,
    task_column: str | int | list[str | int],
    memory: Any = None,
    verbose: bool = False,
) -> TaskPipeline:
    """Make a pipeline whose ordinary transformers do not change the task column.

    A transformer without a parameter `task_column` is wrapped in `TaskAware`. If a step
    has this parameter, or a model inside a search or an ensemble, and it is None, it is
    set to `task_column`. Steps are cloned, and named as by scikit-learn's
    `make_pipeline`.

    Parameters
    ----------
    *steps : estimators
        Transformers, then a model. "passthrough" and None do nothing.
    task_column : str, int or list of them
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. A position refers to X;
        after the first transformer, the task columns are the last ones.
    memory : str or object with the joblib.Memory interface, default=None
        Cache for fitted transformers; None for no cache.
    verbose : bool, default=False
        Print the time of each step.

    Returns
    -------
    pipeline : Pipeline
        Unfitted pipeline. A fit that raises leaves all steps unchanged. It has
        `predict_interval` and `predict_mean_interval` if its last step has. Parameters
        of a wrapped transformer begin with its name and ``__transformer__``, as in
        ``standardscaler__transformer__with_mean``.

    See Also
    --------
    TaskAware : Transform every column except the task column.

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
    for position, (name, step) in enumerate(named):
        is_last = position == len(named) - 1
        step, moves_column = _set_task_column(step, task_column, is_last)
        if moves_column:
            task_column = move_to_end(task_column)
        wrapped.append((name, step))
    return TaskPipeline(wrapped, memory=memory, verbose=verbose)


def move_to_end(task_column: Any) -> Any:
    """Return the task column, name or position, in the output of a TaskAware."""
    if not has_position(task_column):
        return task_column
    named = list_task_columns(task_column)
    places = {name: k - len(named) for k, name in enumerate(named)}
    return map_task_columns(task_column, places.__getitem__)


def _set_task_column(step, task_column, is_last):
    """Return a clone with the task column set, and whether it moves it to the end."""
    if step is None or isinstance(step, str):
        return step, False
    transforms = hasattr(step, "transform")
    parameters = step.get_params(deep=False)
    if "task_column" in parameters:
        own = parameters["task_column"]
        column = task_column if own is None else own
        return clone(step).set_params(task_column=column), transforms
    if transforms and not (is_last and hasattr(step, "predict")):
        return TaskAware(clone(step), task_column=task_column), True
    return _set_inner_column(clone(step), task_column), False


def _set_inner_column(model, task_column):
    """Set the task column of the models that a search or an ensemble holds."""
    names = [name for name in model.get_params() if name.endswith("__task_column")]
    if hasattr(model, "predict") and not names:
        name = type(model).__name__
        raise ValueError(
            "The last step must have a parameter task_column, got "
            f"{name}, which would use the task as a feature. Use PooledTasks({name}()) "
            f"for one model of all tasks, or IndependentTasks({name}()) for one each."
        )
    parameters = model.get_params()
    unset = [name for name in names if parameters[name] is None]
    return model.set_params(**dict.fromkeys(unset, task_column))
