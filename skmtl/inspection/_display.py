"""Plot of the gain of each task."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skmtl.model_selection import find_metric

from ._gain_dots import (
    draw_dots,
    draw_nothing,
    explain_dots,
    name_tasks,
    sort_dots,
    write,
)


class TaskComparisonDisplay:
    """Plot the gain of each task, and mark the tasks that sharing hurts.

    Tasks are sorted by gain. Up to 30 tasks are all named; if there are more, only
    those that sharing hurts. Whiskers are one standard error to each side. A task that
    the baseline predicts without error has no relative gain, and is left out.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels of the tasks.
    gains : ndarray of shape (n_tasks,)
        Relative gain of each task. Those below -1 are drawn at the edge, with their
        value.
    doubts : ndarray of shape (n_tasks,)
        Standard errors of the gains, drawn as whiskers.
    n_rows : ndarray of shape (n_tasks,)
        Number of rows of each task, drawn as areas.
    hurt : ndarray of shape (n_tasks,), dtype bool
        Whether sharing significantly hurts the task.
    model : str
        Name of the model with sharing.
    baseline : str
        Name of the model without sharing.
    metric : str
        Metric of the errors.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    TaskComparison.plot : Draws it.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import TaskComparisonDisplay, compare_tasks
    >>> X, y = make_related_tasks(n_tasks=4, n_samples=15, random_state=0)
    >>> comparison = compare_tasks(None, X, y, task_column=-1, random_state=0)
    >>> display = TaskComparisonDisplay.from_comparison(comparison)
    >>> display.ax_.get_title(loc="left")
    'Gain of mean-regularised over independent'
    """

    def __init__(
        self,
        *,
        tasks: NDArray,
        gains: NDArray[np.floating],
        doubts: NDArray[np.floating],
        n_rows: NDArray[np.integer],
        hurt: NDArray[np.bool_],
        model: str,
        baseline: str,
        metric: str,
    ) -> None:
        self.tasks = tasks
        self.gains = gains
        self.doubts = doubts
        self.n_rows = n_rows
        self.hurt = hurt
        self.model = model
        self.baseline = baseline
        self.metric = metric

    @classmethod
    def from_comparison(
        cls,
        comparison: Any,
        *,
        model: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw a comparison.

        Parameters
        ----------
        comparison : TaskComparison
            Result of `compare_tasks`.
        model : str, default=None
            Name of the model with sharing; None means the best one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TaskComparisonDisplay
            The plot.
        """
        model = model or comparison.best_sharing
        place = comparison.find(model)
        return cls(
            tasks=comparison.tasks,
            gains=comparison.task_relative_gains[place],
            doubts=comparison.task_relative_standard_errors[place],
            n_rows=comparison.n_rows,
            hurt=np.isin(comparison.tasks, comparison.hurt(model)),
            model=model,
            baseline=comparison.baseline,
            metric=comparison.metric,
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the gains, sorted.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TaskComparisonDisplay
            Itself, with `ax_` and `figure_`.
        """
        import matplotlib.pyplot as plt
        from matplotlib.ticker import PercentFormatter

        dots = sort_dots(self.tasks, self.gains, self.doubts, self.n_rows, self.hurt)
        if ax is None:
            _, ax = plt.subplots(figsize=(7.5, dots.height), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        if not len(dots.tasks):
            draw_nothing(ax)
            return self
        draw_dots(ax, dots)
        name_tasks(ax, dots)
        explain_dots(ax, dots)
        ax.xaxis.set_major_formatter(PercentFormatter(1))
        label = find_metric(self.metric).label
        ax.set_xlabel(f"reduction of the {label} by sharing, relative to no sharing")
        ax.set_title(
            f"Gain of {write(self.model)} over {write(self.baseline)}", loc="left"
        )
        ax.spines[["top", "right", "left"]].set_visible(False)
        return self
