"""Plot of one coefficient, or the intercept, of each task."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from skmtl.linear_model import find_deviations

from ._drawing import (
    GREY,
    ORANGE,
    blue,
    clip_to,
    count_beyond,
    height_of_rows,
    is_many,
    name_rows,
    open_axes,
    pick_names,
    place_tasks,
    tidy,
    usual_range,
)
from ._gain_dots import write
from ._linear_parts import read_linear_parts


class TaskCoefficientsDisplay:
    """Plot one coefficient, or the intercept, of each task in order.

    A line marks the shared value. Up to 30 tasks are all named; of more, the lowest and
    the highest. Outliers are drawn as triangles at the edge, and counted.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    values : ndarray of shape (n_tasks,)
        Coefficient of each task.
    intervals : ndarray of shape (n_tasks, 2) or None
        Ends of the interval of each coefficient.
    shared : float
        Coefficient of the shared part.
    name : str
        Name of the coefficient.
    coverage : float, default=0.9
        Posterior probability of the intervals.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    coef_frame : Table of the coefficients.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import TaskCoefficientsDisplay
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> X, y = make_related_tasks(n_tasks=5, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressorCV(task_column="task").fit(X, y)
    >>> display = TaskCoefficientsDisplay.from_estimator(model, "x1")
    >>> display.intervals.shape
    (5, 2)
    """

    def __init__(
        self,
        *,
        tasks: NDArray[Any],
        values: NDArray[np.floating],
        intervals: NDArray[np.floating] | None,
        shared: float,
        name: str,
        coverage: float = 0.9,
    ) -> None:
        self.tasks = tasks
        self.values = values
        self.intervals = intervals
        self.shared = shared
        self.name = name
        self.coverage = coverage

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        feature: str | int | None = None,
        *,
        label: Any = None,
        coverage: float = 0.9,
        highlight: Sequence[Any] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the coefficients of a fitted linear model.

        Parameters
        ----------
        model : estimator
            Fitted linear model of tasks, or a pipeline or search that ends in one.
        feature : str or int, default=None
            Name or position of the feature; None means the intercept.
        label : object, default=None
            Class whose coefficients are drawn, with more than two; None means the last.
        coverage : float, default=0.9
            Probability of the intervals, which are those of a normal distribution
            around the estimate, given the strengths. Regressors near a centre that
            keep `moments_` have them, and models near a centre of two classes or of
            counts.
        highlight : list of task labels, default=None
            Tasks to name in any case.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TaskCoefficientsDisplay
            The plot.
        """
        parts = read_linear_parts(model)
        k = parts.place_class(label)
        if feature is None:
            place, name = None, "intercept"
            values, shared = parts.intercept[:, k], parts.intercept_shared[k]
        else:
            place = parts.place_feature(feature)
            name = parts.features[place]
            values, shared = parts.coef[:, k, place], parts.coef_shared[k, place]
        std = find_deviations(parts.model, place)
        intervals = None
        if std is not None:
            half = norm.ppf((1 + coverage) / 2) * std
            intervals = np.stack([values - half, values + half], axis=1)
        return cls(
            tasks=parts.tasks,
            values=values,
            intervals=intervals,
            shared=float(shared),
            name=name,
            coverage=coverage,
        ).plot(ax=ax, highlight=highlight)

    def plot(self, ax: Any = None, *, highlight: Sequence[Any] | None = None) -> Self:
        """Draw the coefficients in order.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        highlight : list of task labels, default=None
            Tasks to name in any case.

        Returns
        -------
        display : TaskCoefficientsDisplay
            Itself, with `ax_` and `figure_`.
        """
        order = np.argsort(self.values, kind="stable")
        named = place_tasks(self.tasks, order, highlight)
        ax = open_axes(ax, 7.0, height_of_rows(len(order)))
        self.ax_, self.figure_ = ax, ax.figure
        limits = usual_range(np.append(self.values, self.shared))
        if self.intervals is not None:
            ends = usual_range(self.intervals.ravel())
            limits = min(limits[0], ends[0]), max(limits[1], ends[1])
        self._draw(ax, order, limits)
        chosen = pick_names(len(order), named)
        name_rows(ax, self.tasks[order], chosen, write(self.name))
        ax.set_xlim(*limits)
        ax.set_xlabel(
            f"coefficient of {write(self.name)}"
            if self.name != "intercept"
            else "intercept"
        )
        ax.legend(loc="upper left", bbox_to_anchor=(1.04, 1), frameon=False)
        tidy(ax, "left")
        return self

    def _draw(self, ax, order, limits):
        places, n = np.arange(len(order)), len(order)
        x, beyond = clip_to(self.values[order], limits)
        many = is_many(n)
        if self.intervals is not None:
            low, high = np.clip(self.intervals[order], *limits).T
            text = f"{self.coverage:.0%} interval"
            style = {"color": GREY, "linewidth": 1 if n < 200 else 0.4, "zorder": 1}
            ax.hlines(places, low, high, label=text, rasterized=many, **style)
        size = 24 if n <= 60 else 6
        style = {"color": blue(), "zorder": 3, "linewidth": 0, "rasterized": many}
        ax.scatter(x[~beyond], places[~beyond], size, label="task", **style)
        left = beyond & (x == limits[0])
        for mask, marker in ((left, "<"), (beyond & ~left, ">")):
            ax.scatter(x[mask], places[mask], 30, marker=marker, clip_on=False, **style)
        count_beyond(ax, int(beyond.sum()))
        ax.axvline(self.shared, color=ORANGE, linestyle="--", zorder=2, label="shared")
