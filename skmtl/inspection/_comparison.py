"""The result of comparing models, task by task."""

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmtl.metrics import draw_html, draw_text
from skmtl.model_selection import divide, find_metric

from ._comparison_table import (
    describe,
    tabulate,
    tabulate_tasks,
    write_json,
    write_lines,
)
from ._display import TaskComparisonDisplay
from ._paired_tests import adjust_holm, estimate_standard_error
from ._recommendation import judge, recommend

_ROUNDING = 1e-9  # relative differences of errors below this count as zero


@dataclass(frozen=True, repr=False, eq=False)
class TaskComparison:
    """Errors of models with and without sharing on held-out rows, task by task.

    An *error* is a mean of losses; smaller is better. The *gain* of a model is the
    baseline's error minus its own, the *relative gain* ``1 - error / baseline's
    error``; both are positive where sharing helps.

    Parameters
    ----------
    models : tuple of str
        Names of the models.
    baseline : str
        Name of the one without sharing.
    metric : str
        Metric of the errors, as in :func:`compare_tasks`.
    tasks : ndarray of shape (n_tasks,)
        Labels of the tasks.
    n_rows : ndarray of shape (n_tasks,)
        Number of held-out rows of each task, without rows of weight 0.
    fold_errors : ndarray of shape (n_models, n_folds)
        Error in each fold, every task counting the same: the mean over tasks of each
        task's mean loss. With "rmse", the root of that mean.
    fold_row_errors : ndarray of shape (n_models, n_folds)
        The same, every row counting the same.
    fit_times : ndarray of shape (n_models, n_folds)
        Seconds per fit.
    test_ratio : float
        Number of held-out rows per training row, mean over folds.
    predictions : ndarray of shape (n_models, n_rows) or (n_models, n_rows, n_tasks)
        Predictions of held-out rows, averaged if a row is held out more than once; NaN
        if never. For classes, a last axis of length n_classes holds probabilities, or
        for "error" 1 for the predicted class and 0 for the others.
    task_errors : ndarray of shape (n_models, n_tasks)
        Error over the held-out rows of each task.
    task_increases : ndarray of shape (n_models, n_tasks)
        Mean over the rows of each task of the model's loss minus the baseline's.
        For "rmse", losses are squared.
    task_standard_errors : ndarray of shape (n_models, n_tasks)
        Standard errors of `task_increases`.
    p_values : ndarray of shape (n_models, n_tasks)
        One-sided p-values for `task_increases` above 0, unadjusted. NaN for a task of
        one row.
    classes : ndarray of shape (n_classes,) or None, default=None
        Sorted classes; None for other targets.
    differs_by_sharing : tuple of bool or None, default=None
        Whether the gain of each model is due to sharing. It is not if the baseline
        shares too, or if one is a network, a tree, a curve or a kernel model and the
        other is not. None means that all are.
    targets : ndarray of shape (n_targets,) or None, default=None
        Observed targets; for classes, their positions in `classes`.
    codes : ndarray of shape (n_targets,), dtype intp, or None, default=None
        Position of the task of each target in `tasks`.
    cells : ndarray of shape (n_targets,), dtype intp, or None, default=None
        Position of each target in the predictions of a model, flat but for classes.
    fold_new_task_errors : ndarray of shape (n_models, n_folds) or None, default=None
        Error in each fold of whole tasks, of models that never saw these tasks; None if
        it was not asked for.

    See Also
    --------
    compare_tasks : Computes it.

    Notes
    -----
    **Over folds.** The standard error of a mean over ``J`` folds of values with
    variance ``s^2`` is ``sqrt((1 / J + n_test / n_train) s^2)`` [1]_. The usual
    ``sqrt(s^2 / J)`` is too small, since the training sets overlap. The formula was
    derived for random splits, and is itself estimated from few folds: read a difference
    of one standard error as none, of three as clear.

    **Over the rows of a task.** A one-sided paired t-test of the losses of its held-out
    rows tests whether sharing hurts a task. For squared losses the difference of a row
    is ``(z - z_0) (z + z_0 - 2 y)``: linear in the target, so its tails are no heavier
    than those of the noise, and with few rows the t-test has a more accurate false
    positive rate than Wilcoxon's test, which is about medians. The test treats rows as
    independent and models as fixed: it ignores that other training rows give other
    models, and that rows may be dependent, as repeated measurements are. In simulations
    of equally good models with normal noise, a significance level of 5 % gave 5 to 7 %
    false positives with 25 rows or more per task, and up to 14 % with ten. Log losses
    are worse: if the baseline is overconfident, its rare large losses are easily
    missed; false positives were 10 to 16 % with 25 rows and up to 25 % with ten.
    Brier scores, which are bounded, gave 9 to 10 % and up to 17 %.

    **Over tasks.** p-values are adjusted by Holm's method [2]_, so that with
    probability ``1 - level`` there is no false positive among the tasks, whatever their
    dependence. Tasks that are not reported as hurt may still be: few rows show only
    large effects. Nothing is adjusted for the number of models, so the error of the
    best of many is slightly optimistic.

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

    models: tuple[str, ...]
    baseline: str
    metric: str
    tasks: NDArray
    n_rows: NDArray[np.integer]
    fold_errors: NDArray[np.floating]
    fold_row_errors: NDArray[np.floating]
    fit_times: NDArray[np.floating]
    test_ratio: float
    predictions: NDArray[np.floating]
    task_errors: NDArray[np.floating]
    task_increases: NDArray[np.floating]
    task_standard_errors: NDArray[np.floating]
    p_values: NDArray[np.floating]
    classes: NDArray | None = None
    differs_by_sharing: tuple[bool, ...] | None = None
    targets: NDArray | None = None
    codes: NDArray[np.intp] | None = None
    cells: NDArray[np.intp] | None = None
    fold_new_task_errors: NDArray[np.floating] | None = None

    @property
    def metric_label(self) -> str:
        """Name of the metric, as shown in tables."""
        return find_metric(self.metric).label

    @property
    def errors(self) -> NDArray[np.floating]:
        """Error of each model, mean over folds, of shape (n_models,)."""
        return self.fold_errors.mean(axis=1)

    @property
    def row_errors(self) -> NDArray[np.floating]:
        """Error of each model, every row counting the same, of shape (n_models,)."""
        return self.fold_row_errors.mean(axis=1)

    @property
    def new_task_errors(self) -> NDArray[np.floating] | None:
        """Error of each model for tasks never seen, of shape (n_models,), or None."""
        if self.fold_new_task_errors is None:
            return None
        return self.fold_new_task_errors.mean(axis=1)

    @property
    def differences(self) -> NDArray[np.floating]:
        """Error of each model minus the baseline's, of shape (n_models,)."""
        return self.errors - self.errors[self.find(self.baseline)]

    @property
    def standard_errors(self) -> NDArray[np.floating]:
        """Standard errors of `differences`, corrected for overlapping training sets."""
        paired = self.fold_errors - self.fold_errors[self.find(self.baseline)]
        return estimate_standard_error(paired, self.test_ratio)

    @property
    def relative_gains(self) -> NDArray[np.floating]:
        """Relative gain of each model over the baseline, of shape (n_models,)."""
        return divide(-self.differences, self.errors[self.find(self.baseline)])

    @property
    def relative_standard_errors(self) -> NDArray[np.floating]:
        """Standard errors of `relative_gains`, the baseline's error held fixed.

        A relative gain exceeds its standard error exactly if the difference does, so
        the verdict agrees with the numbers beside it.
        """
        return divide(self.standard_errors, self.errors[self.find(self.baseline)])

    @property
    def task_gains(self) -> NDArray[np.floating]:
        """Gain of each model in each task, of shape (n_models, n_tasks)."""
        return self.task_errors[self.find(self.baseline)] - self.task_errors

    @property
    def task_relative_gains(self) -> NDArray[np.floating]:
        """Relative gain in each task; NaN if the baseline's error is 0."""
        return divide(self.task_gains, self.task_errors[self.find(self.baseline)])

    @property
    def task_relative_standard_errors(self) -> NDArray[np.floating]:
        """Standard errors of `task_relative_gains`, the baseline's error held fixed."""
        base = self.task_errors[self.find(self.baseline)]
        slope = 2 * self.task_errors * base if self.metric == "rmse" else base
        return divide(self.task_standard_errors, slope)

    @cached_property
    def adjusted_p_values(self) -> NDArray[np.floating]:
        """`p_values` adjusted over the tasks of each model by Holm's method."""
        return np.array([adjust_holm(row) for row in self.p_values])

    @property
    def best(self) -> str:
        """Name of the model with the smallest error."""
        return self.models[int(np.argmin(self.errors))]

    @property
    def best_sharing(self) -> str:
        """Name of the model with the smallest error, without the baseline."""
        others = [name for name in self.models if name != self.baseline]
        return min(others, key=lambda name: self.errors[self.find(name)])

    @property
    def near_best(self) -> tuple[str, ...]:
        """Names of the models within one standard error of the best, simplest first.

        The standard error is that of the paired difference over folds. The baseline
        counts as the simplest; the others stay in the order given.
        """
        best = self.find(self.best)
        standard_errors = estimate_standard_error(
            self.fold_errors - self.fold_errors[best], self.test_ratio
        )
        rounding = _ROUNDING * abs(self.errors[best])
        margin = np.nan_to_num(standard_errors) + rounding
        near = self.errors - self.errors[best] <= margin
        order = sorted(self.models, key=lambda name: name != self.baseline)
        return tuple(name for name in order if near[self.find(name)])

    @property
    def recommended(self) -> str:
        """Name of the model to use: the simplest within one standard error of the best.

        It is the first of `near_best` with an error at most the baseline's.
        """
        limit = self.errors[self.find(self.baseline)]
        near = self.near_best
        return next(
            name
            for name in near
            if self.errors[self.find(name)] <= limit or name == self.best
        )

    @property
    def verdict(self) -> str:
        """Whether sharing helps, or the recommended model if that is another question.

        "No clear difference" if the errors of the best model with sharing and of the
        baseline differ by at most one standard error; "seems to" up to two.
        """
        return judge(self)[1]

    @property
    def recommendation(self) -> str:
        """The recommended model and the evidence for it, in one sentence.

        It states `recommended`, `verdict` and, if there are several, `near_best`.
        """
        return recommend(self)

    def find(self, model: str) -> int:
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

    def predict_targets(self, model: str | None = None) -> NDArray[np.floating]:
        """Return the held-out predictions of the observed targets.

        Parameters
        ----------
        model : str, default=None
            Name of the model; None means `recommended`.

        Returns
        -------
        predictions : ndarray of shape (n_targets,) or (n_targets, n_classes)
            Prediction of each of `targets`, NaN if its row was never held out.
        """
        found = self.predictions[self.find(model or self.recommended)]
        classes = () if self.classes is None else (len(self.classes),)
        answers: NDArray[np.floating] = found.reshape(-1, *classes)[self.cells]
        return answers

    def hurt(self, model: str | None = None, *, level: float = 0.05) -> NDArray:
        """Return the tasks that a model predicts significantly worse than the baseline.

        Parameters
        ----------
        model : str, default=None
            Name of the model with sharing; None means `best_sharing`.
        level : float, default=0.05
            Largest adjusted p-value.

        Returns
        -------
        tasks : ndarray of shape (n_hurt,)
            Labels, in order of their p-values.
        """
        place = self.find(model or self.best_sharing)
        found = np.flatnonzero(self.adjusted_p_values[place] <= level)
        order = np.argsort(self.p_values[place, found], kind="stable")
        return self.tasks[found[order]]

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, one row per model.

        Returns
        -------
        frame : DataFrame of shape (n_models, 9 or 10)
            Errors over tasks, over rows and, if asked for, of new tasks; differences
            and relative gains with their standard errors, number of tasks helped (gain
            above 0) and hurt (by the test), seconds per fit.
        """
        import pandas as pd

        return pd.DataFrame(tabulate(self), index=pd.Index(self.models, name="model"))

    def tasks_frame(self, model: str | None = None) -> Any:
        """Return a pandas DataFrame, one row per task.

        Parameters
        ----------
        model : str, default=None
            Name of the model with sharing; None means `best_sharing`.

        Returns
        -------
        frame : DataFrame of shape (n_tasks, 8)
            Rows, errors of the baseline and of the model, gain, relative gain, p-values
            and whether sharing hurts the task. Tasks are in the order of their
            p-values: those with the most evidence of harm come first, those with the
            most evidence of a gain last, and those without a test after them.
        """
        import pandas as pd

        columns = tabulate_tasks(self, model)
        return pd.DataFrame(columns).set_index("task")

    def to_json(self) -> str:
        """Return the comparison as JSON: the models, the tasks and the recommendation.

        Returns
        -------
        text : str
            An object with `metric`, `baseline`, `recommended`, `verdict`,
            `recommendation`, `models` and `tasks`. The last two hold an object for each
            model and for each task of `best_sharing`, with the columns of `to_frame`
            and `tasks_frame`; numbers that are not known are null.
        """
        return write_json(self)

    def plot(
        self, ax: Any = None, *, model: str | None = None
    ) -> TaskComparisonDisplay:
        """Draw the gain of each task.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        model : str, default=None
            Name of the model with sharing; None means `best_sharing`.

        Returns
        -------
        display : TaskComparisonDisplay
            The plot, with `ax_` and `figure_`.
        """
        return TaskComparisonDisplay.from_comparison(self, model=model, ax=ax)

    def __repr__(self) -> str:
        table = draw_text(describe(self), *write_lines(self))
        return f"{table}\n{self.recommendation}"

    def _repr_html_(self) -> str:
        table = draw_html(describe(self), *write_lines(self))
        return f"<div>{table}<p>{escape(self.recommendation)}</p></div>"
