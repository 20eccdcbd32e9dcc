"""Partial dependence of predictions on a feature, per task."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from skmtl.data import as_table

from ._drawing import (
    GREY,
    ORANGE,
    blue,
    count_beyond,
    is_many,
    open_axes,
    place_tasks,
    spread_out,
    tidy,
    usual_range,
)
from ._gain_dots import write
from ._importance import list_features
from ._task_rows import give_task, read_labels

_MOST_LINES, _MOST_NAMES, _LINES, _MOST_ROWS = 200, 12, 16, 20_000


class TaskPartialDependenceDisplay:
    """Plot the mean prediction of each task against one feature.

    Each task has a curve over its own rows; the thick one is the mean over tasks. Up to
    12 tasks are named at the right end; of more, those on request. Ticks at the bottom
    are deciles of the feature.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    grid : ndarray of shape (n_points,)
        Values of the feature.
    curves : ndarray of shape (n_tasks, n_points)
        Mean prediction of the rows of each task, with the feature at each value.
    name : str
        Name of the feature.
    deciles : ndarray of shape (9,)
        Deciles of the feature.
    ylabel : str, default="prediction"
        What is predicted.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    task_feature_importance : Measures how much a model needs each feature.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import TaskPartialDependenceDisplay
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(3, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> display = TaskPartialDependenceDisplay.from_estimator(model, X, "x1")
    >>> display.curves.shape
    (3, 20)
    """

    def __init__(
        self,
        *,
        tasks: NDArray[Any],
        grid: NDArray[np.floating],
        curves: NDArray[np.floating],
        name: str,
        deciles: NDArray[np.floating],
        ylabel: str = "prediction",
    ) -> None:
        self.tasks = tasks
        self.grid = grid
        self.curves = curves
        self.name = name
        self.deciles = deciles
        self.ylabel = ylabel

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        feature: str | int,
        *,
        task: Any = None,
        label: Any = None,
        n_points: int = 20,
        highlight: Sequence[Any] | None = None,
        ax: Any = None,
    ) -> Self:
        """Predict rows with the feature at several values, and draw the means.

        Parameters
        ----------
        model : estimator
            Fitted model of any kind.
        X : {ndarray, DataFrame} of shape (n_rows, n_columns)
            Rows, with the task column if there is one. Of more than 20,000, every n-th
            row of each task is used, at least one.
        feature : str or int
            Name of the column, or its position without the task column.
        task : array-like of shape (n_rows,), default=None
            Task of each row, if X has no task column.
        label : object, default=None
            Class whose probability is drawn; None means the last.
        n_points : int, default=20
            Number of values of the feature, from its 1 % to its 99 % quantile.
        highlight : list of task labels, default=None
            Tasks to name in any case.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TaskPartialDependenceDisplay
            The plot.
        """
        table = as_table(X)
        tasks, codes = read_labels(model, X, task)
        places, names = list_features(model, table, task)
        k = names.index(feature) if feature in names else feature
        if isinstance(k, str) or not -len(names) <= k < len(names):
            raise ValueError(
                f"feature must be a column of X, got {feature!r}. It has {names[:5]}..."
            )
        kept = _thin(codes)
        rows = table.iloc[kept] if hasattr(table, "iloc") else table[kept]
        options = give_task(None if task is None else tasks[codes[kept]])
        read = _reader_of(model, label)
        values = _column(table, places[k])
        low, high = np.quantile(values, [0.01, 0.99])
        grid = np.linspace(low, high, n_points)
        counts = np.bincount(codes[kept], minlength=len(tasks))
        curves = [
            np.bincount(codes[kept], read(_fix(rows, places[k], x), options)) / counts
            for x in grid
        ]
        return cls(
            tasks=tasks,
            grid=grid,
            curves=np.array(curves).T,
            name=names[k],
            deciles=np.quantile(values, np.linspace(0.1, 0.9, 9)),
            ylabel="probability" if is_classifier(model) else "prediction",
        ).plot(ax=ax, highlight=highlight)

    def plot(self, ax: Any = None, *, highlight: Sequence[Any] | None = None) -> Self:
        """Draw the curves; of more than 200 tasks, 200 from the lowest to the highest.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        highlight : list of task labels, default=None
            Tasks to name in any case.

        Returns
        -------
        display : TaskPartialDependenceDisplay
            Itself, with `ax_` and `figure_`.
        """
        ax = open_axes(ax, 6.8, 4.4)
        self.ax_, self.figure_ = ax, ax.figure
        n = len(self.tasks)
        named = place_tasks(self.tasks, np.arange(n), highlight)
        named = named or list(range(n if n <= _MOST_NAMES else 0))
        order = np.argsort(self.curves[:, -1], kind="stable")
        picked = order[np.linspace(0, n - 1, min(n, _MOST_LINES)).astype(int)]
        opacity = max(0.25, min(0.8, 20 / len(picked)))
        lines = self.curves[np.union1d(picked, list(named)).astype(int)]
        limits = usual_range(lines.ravel())
        for line in lines:
            ax.plot(
                self.grid,
                line,
                color=blue(),
                alpha=opacity,
                linewidth=1,
                rasterized=is_many(lines.size),
            )
        mean = self.curves.mean(axis=0)
        ax.plot(self.grid, mean, color=ORANGE, linewidth=2.4, label="mean of tasks")
        ax.set_xlim(self.grid[0], self.grid[-1])
        ax.set_ylim(min(limits[0], mean.min()), max(limits[1], mean.max()))
        bottom, top = ax.get_ylim()
        leaves = ((lines < bottom) | (lines > top)).any(axis=1)
        count_beyond(ax, int(leaves.sum()), "")
        self._name(ax, sorted(named, key=lambda t: self.curves[t, -1]))
        style = {"color": GREY, "linewidth": 1, "transform": ax.get_xaxis_transform()}
        ax.vlines(self.deciles, 0, 0.03, **style)
        ax.set_xlabel(write(self.name))
        ax.set_ylabel(self.ylabel)
        ax.legend(loc="best", frameon=False)
        tidy(ax)
        return self

    def _name(self, ax, named):
        """Name curves at their right end."""
        if not named:
            return
        low, high = ax.get_ylim()
        ends = np.clip([self.curves[t, -1] for t in named], low, high)
        at = spread_out(ends, (high - low) / _LINES, high)
        for t, end, y in zip(named, ends, at, strict=True):
            ax.annotate(
                write(self.tasks[t]),
                (1, end),
                xytext=(1.05, y),
                xycoords=ax.get_yaxis_transform(),
                textcoords=ax.get_yaxis_transform(),
                va="center",
                fontsize="small",
                arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6},
            )


def _thin(codes):
    """Return every n-th row of each task, if there are very many."""
    step = -(-len(codes) // _MOST_ROWS)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], codes[order], side="left")
    return np.sort(order[(np.arange(len(order)) - starts) % step == 0])


def _reader_of(model, label):
    """Return the function that predicts rows: numbers, or probabilities of a class."""
    if not is_classifier(model):
        return lambda rows, options: np.asarray(model.predict(rows, **options))
    classes = list(model.classes_)
    k = len(classes) - 1 if label is None else classes.index(label)
    return lambda rows, options: model.predict_proba(rows, **options)[:, k]


def _column(table, place):
    values = table.iloc[:, place] if hasattr(table, "iloc") else table[:, place]
    return np.asarray(values, dtype=float)


def _fix(table, place, value):
    """Return a copy of a table with one column constant."""
    if hasattr(table, "iloc"):
        return table.assign(**{table.columns[place]: value})
    moved = table.copy()
    moved[:, place] = value
    return moved
