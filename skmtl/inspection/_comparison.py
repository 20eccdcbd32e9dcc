"""The result of a comparison of models, task by task."""

from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np

from skmtl.metrics import draw_html, draw_text

from ._comparison_table import describe, tabulate, write_lines
from ._display import TaskComparisonDisplay
from ._fold_errors import divide
from ._metrics import find_metric
from ._paired_tests import adjust_holm, estimate_standard_error
from ._recommendation import judge, recommend

_ROUNDING = 1e-9  # smaller relative differences of errors count as zero


@dataclass(frozen=True, repr=False, eq=False)
class TaskComparison:
    """Hold how models with and without sharing predict rows held out, task by task.

    An *error* is a mean of losses, smaller is better. The *gain* of a model is the
    baseline's error minus its own, the *relative gain* ``1 - error / baseline's
    error``; both are positive where sharing helps.

    Parameters
    ----------
    models : tuple of str
        Names of the models.
    baseline : str
        Name of the one without sharing.
    metric : str
        What an error is, as in :func:`compare_tasks`.
    tasks : ndarray of shape (n_tasks,)
        Labels of the tasks.
    n_rows : ndarray of shape (n_tasks,)
        Number of rows of each task that were held out, those of weight 0 left out.
    fold_errors : ndarray of shape (n_models, n_folds)
        Error in each fold, every task counting the same: the mean over tasks of the
        tasks' mean losses. With "rmse", the root of that mean.
    fold_row_errors : ndarray of shape (n_models, n_folds)
        The same, every row counting the same.
    fit_times : ndarray of shape (n_models, n_folds)
        Seconds that each fit took.
    test_ratio : float
        Rows held out per row trained on, mean over the folds.
    predictions : ndarray of shape (n_models, n_rows) or (n_models, n_rows, n_tasks)
        Predictions of held-out rows; their mean for rows held out more than once, NaN
        for those never held out. Of classes with a last axis of length n_classes: the
        probabilities, or for "error" 1 for the class predicted and 0 for the others.
    task_errors : ndarray of shape (n_models, n_tasks)
        Error over the held-out rows of each task.
    task_increases : ndarray of shape (n_models, n_tasks)
        Mean over the rows of each task of the model's loss minus the baseline's.
        Losses are squared for "rmse" too.
    task_standard_errors : ndarray of shape (n_models, n_tasks)
        Standard errors of `task_increases`.
    p_values : ndarray of shape (n_models, n_tasks)
        One-sided p-values of `task_increases` being above 0, for each task alone. NaN
        for a task of one row.
    classes : ndarray of shape (n_classes,) or None, default=None
        Sorted classes, None for other targets.

    See Also
    --------
    compare_tasks : Computes it.

    Notes
    -----
    **Over folds.** The standard error of a mean over ``J`` folds of values with
    variance ``s^2`` is ``sqrt((1 / J + n_test / n_train) s^2)`` [1]_. The usual
    ``sqrt(s^2 / J)`` is too small, since the folds are trained on much the same rows.
    It was derived for random splits, and is itself an estimate from few folds: take a
    difference of one standard error for no difference, of three for a clear one.

    **Over the rows of a task.** Whether sharing hurts a task is asked by a one-sided
    paired t-test of the losses of its held-out rows. For squared losses the difference
    of a row is ``(z - z_0) (z + z_0 - 2 y)``: linear in the target, so no heavier in
    its tails than the noise, and the t-test keeps its level with few rows better than
    Wilcoxon's, which in addition asks about medians. It takes rows for independent,
    hence is about the models as fitted, on new rows of the same tasks: it does not know
    that other training rows would have given other models, nor of rows that belong
    together, as repeated measurements do. In simulations of models that are equally
    good, a level of 5 % gave 5 to 7 % with 25 rows or more in a task, with normal
    noise, and up to 14 % with ten. Log losses are worse: where the baseline is too sure
    of its classes, its rare and large losses are easily missed, and models equally good
    were called hurtful in 10 to 16 % of tasks of 25 rows, and in up to 25 % of ten.
    With Brier scores, which are bounded, it was 9 to 10 % and up to 17 %.

    **Over tasks.** p-values are adjusted by Holm's method [2]_, so that with
    probability ``1 - level`` no task is called hurt that is not, whatever the
    dependence between tasks. Tasks that are not called hurt may be hurt all the same:
    few rows show large effects only. Nothing is adjusted for the number of models; the
    error of the best of many is a little too good.

    References
    ----------
    .. [1] Nadeau, C., Bengio, Y. (2003). Inference for the generalization error.
       Machine Learning, 52, 239-281. :doi:`10.1023/A:1024068626366`
    .. [2] Holm, S. (1979). A simple sequentially rejective multiple test procedure.
       Scandinavian Journal of Statistics, 6(2), 65-70.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import compare_tasks
    >>> X, y = make_related_tasks(n_tasks=10, n_samples=15, random_state=0)
    >>> comparison = compare_tasks(None, X, y, task_column=-1, random_state=0)
    >>> comparison.models
    ('independent', 'pooled', 'pooled + task intercepts', 'mean-regularised')
    >>> comparison.fold_errors.shape, comparison.task_errors.shape
    ((4, 5), (4, 10))
    >>> print(comparison.recommendation[:22])
    Use 'mean-regularised'
    """

    models: tuple
    baseline: str
    metric: str
    tasks: np.ndarray
    n_rows: np.ndarray
    fold_errors: np.ndarray
    fold_row_errors: np.ndarray
    fit_times: np.ndarray
    test_ratio: float
    predictions: np.ndarray
    task_errors: np.ndarray
    task_increases: np.ndarray
    task_standard_errors: np.ndarray
    p_values: np.ndarray
    classes: np.ndarray | None = None

    @property
    def metric_label(self):
        """What an error is called."""
        return find_metric(self.metric).label

    @property
    def errors(self):
        """Error of each model, mean over folds, of shape (n_models,)."""
        return self.fold_errors.mean(axis=1)

    @property
    def row_errors(self):
        """The same, every row counting the same."""
        return self.fold_row_errors.mean(axis=1)

    @property
    def differences(self):
        """Error of each model minus the baseline's, of shape (n_models,)."""
        return self.errors - self.errors[self.find(self.baseline)]

    @property
    def standard_errors(self):
        """Standard errors of `differences`, corrected for overlapping training sets."""
        paired = self.fold_errors - self.fold_errors[self.find(self.baseline)]
        return estimate_standard_error(paired, self.test_ratio)

    @property
    def relative_gains(self):
        """Relative gain of each model over the baseline, of shape (n_models,)."""
        return divide(-self.differences, self.errors[self.find(self.baseline)])

    @property
    def relative_standard_errors(self):
        """Standard errors of `relative_gains`, the baseline's error held fixed.

        A gain is above its own exactly if the difference is: the verdict and the
        numbers beside it then agree.
        """
        return divide(self.standard_errors, self.errors[self.find(self.baseline)])

    @property
    def task_gains(self):
        """Gain of each model in each task, of shape (n_models, n_tasks)."""
        return self.task_errors[self.find(self.baseline)] - self.task_errors

    @property
    def task_relative_gains(self):
        """Relative gain in each task; NaN where the baseline has no error."""
        return divide(self.task_gains, self.task_errors[self.find(self.baseline)])

    @property
    def task_relative_standard_errors(self):
        """Standard errors of `task_relative_gains`, the baseline's error held fixed."""
        base = self.task_errors[self.find(self.baseline)]
        slope = 2 * self.task_errors * base if self.metric == "rmse" else base
        return divide(self.task_standard_errors, slope)

    @cached_property
    def adjusted_p_values(self):
        """Adjusted `p_values`: over the tasks of each model, by Holm's method."""
        return np.array([adjust_holm(row) for row in self.p_values])

    @property
    def best(self):
        """Name of the model with the smallest error."""
        return self.models[int(np.argmin(self.errors))]

    @property
    def best_sharing(self):
        """Name of the model with the smallest error, the baseline left out."""
        others = [name for name in self.models if name != self.baseline]
        return min(others, key=lambda name: self.errors[self.find(name)])

    @property
    def near_best(self):
        """Names of the models within one standard error of the best, simplest first.

        The standard error is that of the paired difference over folds. The baseline
        counts as the simplest; the others keep the order in which they were given.
        """
        best = self.find(self.best)
        doubts = estimate_standard_error(
            self.fold_errors - self.fold_errors[best], self.test_ratio
        )
        rounding = _ROUNDING * abs(self.errors[best])
        near = self.errors - self.errors[best] <= np.nan_to_num(doubts) + rounding
        order = sorted(self.models, key=lambda name: name != self.baseline)
        return tuple(name for name in order if near[self.find(name)])

    @property
    def recommended(self):
        """Name of the model to use: the simplest within one standard error of the best.

        It is the first of `near_best` with an error not above the baseline's.
        """
        limit = self.errors[self.find(self.baseline)]
        near = self.near_best
        return next(
            name
            for name in near
            if self.errors[self.find(name)] <= limit or name == self.best
        )

    @property
    def verdict(self):
        """Whether sharing helps, in a few words.

        "No clear difference" if the best model that shares and the baseline are within
        one standard error of each other; "seems to" up to two.
        """
        return judge(self)[1]

    @property
    def recommendation(self):
        """The recommended model and the evidence for it, in one sentence.

        It states `recommended`, `verdict` and, if there are several, `near_best`.
        """
        return recommend(self)

    def find(self, model):
        """Return the position of a model.

        Parameters
        ----------
        model : str
            Its name.

        Returns
        -------
        position : int
            Row of the model in the arrays.
        """
        if model not in self.models:
            raise ValueError(
                f"model must be one of {list(self.models)}. Got {model!r}."
            )
        return self.models.index(model)

    def hurt(self, model=None, *, level=0.05):
        """Return the tasks that are predicted worse with sharing than without.

        Parameters
        ----------
        model : str, default=None
            Name of the model with sharing; None means `best_sharing`.
        level : float, default=0.05
            Largest adjusted p-value.

        Returns
        -------
        tasks : ndarray of shape (n_hurt,)
            Labels, the surest first.
        """
        place = self.find(model or self.best_sharing)
        found = np.flatnonzero(self.adjusted_p_values[place] <= level)
        order = np.argsort(self.p_values[place, found], kind="stable")
        return self.tasks[found[order]]

    def to_frame(self):
        """Return a pandas DataFrame, one row per model.

        Returns
        -------
        frame : DataFrame of shape (n_models, 9)
            Errors over tasks and over rows, differences and relative gains with their
            standard errors, number of tasks helped (gain above 0) and hurt (by the
            test), seconds per fit.
        """
        import pandas as pd

        return pd.DataFrame(tabulate(self), index=pd.Index(self.models, name="model"))

    def tasks_frame(self, model=None):
        """Return a pandas DataFrame, one row per task.

        Parameters
        ----------
        model : str, default=None
            Name of the model with sharing; None means `best_sharing`.

        Returns
        -------
        frame : DataFrame of shape (n_tasks, 8)
            Rows, errors of the baseline and of the model, gain, relative gain, p-values
            and whether sharing hurts the task.
        """
        import pandas as pd

        place = self.find(model or self.best_sharing)
        columns = {
            "n_rows": self.n_rows,
            "baseline_error": self.task_errors[self.find(self.baseline)],
            "error": self.task_errors[place],
            "gain": self.task_gains[place],
            "relative_gain": self.task_relative_gains[place],
            "p_value": self.p_values[place],
            "adjusted_p_value": self.adjusted_p_values[place],
            "hurt": np.isin(self.tasks, self.hurt(model)),
        }
        return pd.DataFrame(columns, index=pd.Index(self.tasks, name="task"))

    def plot(self, ax=None, *, model=None):
        """Draw the gain of each task.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        model : str, default=None
            Name of the model with sharing; None means `best_sharing`.

        Returns
        -------
        display : TaskComparisonDisplay
            The picture, with `ax_` and `figure_`.
        """
        return TaskComparisonDisplay.from_comparison(self, model=model, ax=ax)

    def __repr__(self):
        table = draw_text(describe(self), *write_lines(self))
        return f"{table}\n{self.recommendation}"

    def _repr_html_(self):
        table = draw_html(describe(self), *write_lines(self))
        return f"<div>{table}<p>{escape(self.recommendation)}</p></div>"
