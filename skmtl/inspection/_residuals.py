"""Residuals of each task."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._drawing import (
    GREY,
    ORANGE,
    blue,
    clip_to,
    count_beyond,
    height_of_rows,
    ink,
    is_many,
    name_rows,
    open_axes,
    pick_names,
    place_tasks,
    tidy,
    usual_range,
)
from ._task_rows import give_task, read_labels

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class ResidualsByTaskDisplay:
    """Plot the distribution of the residuals of each task.

    Tasks are ordered by the root mean square of their residuals, the worst on top. A
    thin line is from the 5 % to the 95 % quantile, a thick one between the quartiles, a
    dot is the median. Up to 30 tasks are all named; of more, the worst and the best.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    quantiles : ndarray of shape (n_tasks, 5)
        Quantiles of the residuals at 5, 25, 50, 75 and 95 %.
    root_mean_squares : ndarray of shape (n_tasks,)
        Root mean squares of the residuals.
    n_rows : ndarray of shape (n_tasks,)
        Number of rows of each task.
    kind : str, default="residual"
        What is drawn.

    Attributes
    ----------
    order_ : ndarray of shape (n_tasks,)
        Tasks from the best to the worst.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    CalibrationByTaskDisplay : For classes.

    Examples
    --------
    >>> from skmtl.inspection import ResidualsByTaskDisplay
    >>> display = ResidualsByTaskDisplay.from_predictions(
    ...     [1.0, 3.0, 2.0, 4.0], [2.0, 2.0, 2.0, 2.0], task=["a", "a", "b", "b"]
    ... )
    >>> display.root_mean_squares
    array([1.        , 1.41421356])
    """

    def __init__(
        self,
        *,
        tasks: NDArray[Any],
        quantiles: NDArray[np.floating],
        root_mean_squares: NDArray[np.floating],
        n_rows: NDArray[np.integer],
        kind: str = "residual",
    ) -> None:
        self.tasks = tasks
        self.quantiles = quantiles
        self.root_mean_squares = root_mean_squares
        self.n_rows = n_rows
        self.kind = kind

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: ArrayLike,
        *,
        task: Any = None,
        kind: str = "residual",
        highlight: Sequence[Any] | None = None,
        ax: Any = None,
    ) -> Self:
        """Predict rows, and draw the residuals.

        Parameters
        ----------
        model : estimator
            Fitted regressor.
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Rows, best those that were not in the fit.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets. In two dimensions, columns are tasks and NaN means not observed.
        task : array-like of shape (n_rows,), default=None
            Task of each row, if X has no task column.
        kind : {"residual", "pearson"}, default="residual"
            "residual": target minus prediction. "pearson", for counts: the same divided
            by the square root of the prediction.
        highlight : list of task labels, default=None
            Tasks to name in any case.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ResidualsByTaskDisplay
            The plot.
        """
        prediction = model.predict(X, **give_task(task))
        target = np.asarray(y, dtype=float)
        if target.ndim == 2:
            rows, columns = np.nonzero(~np.isnan(target))
            label = np.asarray(model.tasks_)[columns]
            target, prediction = target[rows, columns], prediction[rows, columns]
        else:
            tasks, codes = read_labels(model, X, task)
            label = tasks[codes]
        return cls.from_predictions(
            target, prediction, task=label, kind=kind, highlight=highlight, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        y: ArrayLike,
        prediction: ArrayLike,
        *,
        task: ArrayLike,
        kind: str = "residual",
        highlight: Sequence[Any] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the residuals of given predictions.

        Parameters
        ----------
        y : array-like of shape (n_rows,)
            Targets.
        prediction : array-like of shape (n_rows,)
            Predictions.
        task : array-like of shape (n_rows,)
            Task of each row.
        kind : {"residual", "pearson"}, default="residual"
            As in `from_estimator`.
        highlight : list of task labels, default=None
            Tasks to name in any case.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ResidualsByTaskDisplay
            The plot.
        """
        if kind not in ("residual", "pearson"):
            raise ValueError(f"kind must be 'residual' or 'pearson', got {kind!r}.")
        mean = np.asarray(prediction, dtype=float)
        residuals = np.asarray(y, dtype=float) - mean
        if kind == "pearson":
            residuals = residuals / np.sqrt(mean)
        tasks, codes = np.unique(np.asarray(task), return_inverse=True)
        n_rows = np.bincount(codes, minlength=len(tasks))
        order = np.argsort(codes, kind="stable")
        groups = np.split(residuals[order], np.cumsum(n_rows)[:-1])
        squares = np.bincount(codes, residuals**2, len(tasks))
        return cls(
            tasks=tasks,
            quantiles=np.array([np.quantile(each, _QUANTILES) for each in groups]),
            root_mean_squares=np.sqrt(squares / n_rows),
            n_rows=n_rows,
            kind=kind,
        ).plot(ax=ax, highlight=highlight)

    def plot(self, ax: Any = None, *, highlight: Sequence[Any] | None = None) -> Self:
        """Draw the distributions, the worst task on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        highlight : list of task labels, default=None
            Tasks to name in any case.

        Returns
        -------
        display : ResidualsByTaskDisplay
            Itself, with `ax_`, `figure_` and `order_`.
        """
        self.order_ = order = np.argsort(self.root_mean_squares, kind="stable")
        named = place_tasks(self.tasks, order, highlight)
        n = len(order)
        ax = open_axes(ax, 7.0, height_of_rows(n))
        self.ax_, self.figure_ = ax, ax.figure
        limits = usual_range(np.append(self.quantiles.ravel(), 0.0))
        drawn = np.clip(self.quantiles[order], *limits).T
        _, beyond = clip_to(self.quantiles[order], limits)
        many, y = is_many(n), np.arange(n)
        thin, thick, size = (1, 4, 22) if n <= 60 else (0.4, 0.9, 3)
        ax.hlines(
            y,
            drawn[0],
            drawn[4],
            color=GREY,
            linewidth=thin,
            rasterized=many,
            label="5 to 95 %",
        )
        ax.hlines(
            y,
            drawn[1],
            drawn[3],
            color=blue(),
            linewidth=thick,
            rasterized=many,
            label="quartiles",
        )
        ax.scatter(
            drawn[2],
            y,
            size,
            color=ORANGE,
            zorder=3,
            linewidth=0,
            rasterized=many,
            label="median",
        )
        ax.axvline(0, color=ink(), linewidth=0.8)
        name_rows(ax, self.tasks[order], pick_names(n, named), "root mean square")
        ax.set_xlim(*limits)
        word = "Pearson residual" if self.kind == "pearson" else self.kind
        ax.set_xlabel(word)
        n_cut = int(beyond.any(axis=1).sum())
        if n_cut:
            count_beyond(ax, n_cut)
        ax.legend(loc="upper left", bbox_to_anchor=(1.04, 1), frameon=False)
        tidy(ax, "left")
        return self
