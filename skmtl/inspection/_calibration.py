"""Calibration of predicted probabilities, over all rows and per task."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._drawing import GREY, ORANGE, blue, ink, is_many, open_axes, tidy
from ._gain_dots import write
from ._task_rows import give_task, read_labels

_N_BINS_OF_TASK, _MOST_CURVES = 5, 200


class CalibrationByTaskDisplay:
    """Plot observed frequencies against predicted probabilities, per task.

    The calibration of each task is a faint line, that of all rows a thick one. Bins
    have about as many rows each: 10 for all rows, and 5 per task.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    curve : ndarray of shape (n_bins, 2)
        Mean probability and frequency in each bin of all rows.
    task_curves : list of ndarray of shape (n_bins, 2)
        The same for each task.
    errors : ndarray of shape (n_tasks,)
        Calibration error of each task: the mean over its rows of the distance between
        frequency and mean probability in the row's bin.
    n_rows : ndarray of shape (n_tasks,)
        Number of rows of each task.
    label : object
        Class of the probabilities.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    ResidualsByTaskDisplay : For numbers and counts.

    Notes
    -----
    The error of a task of few rows is above zero also if its probabilities are exact,
    as the frequency in a bin of n rows varies by ``sqrt(p (1 - p) / n)``. Use rows that
    were not in the fit.

    Examples
    --------
    >>> from skmtl.inspection import CalibrationByTaskDisplay
    >>> display = CalibrationByTaskDisplay.from_predictions(
    ...     [0, 1, 0, 1], [0.2, 0.8, 0.5, 0.5], task=["a", "a", "b", "b"]
    ... )
    >>> display.errors.round(2)
    array([0.2, 0. ])
    """

    def __init__(
        self,
        *,
        tasks: NDArray[Any],
        curve: NDArray[np.floating],
        task_curves: list[NDArray[np.floating]],
        errors: NDArray[np.floating],
        n_rows: NDArray[np.integer],
        label: Any = None,
    ) -> None:
        self.tasks = tasks
        self.curve = curve
        self.task_curves = task_curves
        self.errors = errors
        self.n_rows = n_rows
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: ArrayLike,
        *,
        task: Any = None,
        label: Any = None,
        n_bins: int = 10,
        ax: Any = None,
    ) -> Self:
        """Predict rows, and draw the calibration.

        Parameters
        ----------
        model : estimator
            Fitted classifier.
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Rows, best those that were not in the fit.
        y : array-like of shape (n_rows,)
            Classes.
        task : array-like of shape (n_rows,), default=None
            Task of each row, if X has no task column.
        label : object, default=None
            Class whose probability is drawn; None means the last.
        n_bins : int, default=10
            Number of bins of all rows.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : CalibrationByTaskDisplay
            The plot.
        """
        classes = np.asarray(model.classes_)
        label = classes[-1] if label is None else label
        if label not in classes.tolist():
            raise ValueError(
                f"label must be a class of the model, got {label!r}. It has "
                f"{classes.tolist()}."
            )
        tasks, codes = read_labels(model, X, task)
        proba = model.predict_proba(X, **give_task(task))
        return cls.from_predictions(
            np.asarray(y) == label,
            proba[:, classes.tolist().index(label)],
            task=tasks[codes],
            label=label,
            n_bins=n_bins,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y: ArrayLike,
        proba: ArrayLike,
        *,
        task: ArrayLike,
        label: Any = None,
        n_bins: int = 10,
        ax: Any = None,
    ) -> Self:
        """Draw the calibration of given probabilities.

        Parameters
        ----------
        y : array-like of shape (n_rows,)
            Whether each row is of the class: 0 or 1.
        proba : array-like of shape (n_rows,)
            Predicted probabilities of the class.
        task : array-like of shape (n_rows,)
            Task of each row.
        label : object, default=None
            Class of the probabilities, for the axes.
        n_bins : int, default=10
            Number of bins of all rows.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : CalibrationByTaskDisplay
            The plot.
        """
        y, proba = np.asarray(y, dtype=float), np.asarray(proba, dtype=float)
        tasks, codes = np.unique(np.asarray(task), return_inverse=True)
        n_rows = np.bincount(codes, minlength=len(tasks))
        order = np.argsort(codes, kind="stable")
        groups = np.split(order, np.cumsum(n_rows)[:-1])
        found = [_bin(y[rows], proba[rows], _N_BINS_OF_TASK) for rows in groups]
        return cls(
            tasks=tasks,
            curve=_bin(y, proba, n_bins)[0],
            task_curves=[curve for curve, _ in found],
            errors=np.array([error for _, error in found]),
            n_rows=n_rows,
            label=label,
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the curves; of more than 200 tasks, those with the most rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : CalibrationByTaskDisplay
            Itself, with `ax_` and `figure_`.
        """
        ax = open_axes(ax, 7.4, 4.6)
        self.ax_, self.figure_ = ax, ax.figure
        drawn = np.argsort(-self.n_rows, kind="stable")[:_MOST_CURVES]
        opacity = max(0.2, min(0.7, 15 / len(drawn)))
        style = {"color": blue(), "alpha": opacity, "linewidth": 1}
        text = "each task" if len(drawn) == len(self.tasks) else "tasks of most rows"
        for k, t in enumerate(drawn):
            label = text if k == 0 else None
            ax.plot(
                *self.task_curves[t].T,
                label=label,
                **style,
                rasterized=is_many(5 * len(drawn)),
            )
        ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="exact", zorder=3)
        ax.plot(
            *self.curve.T,
            color=ORANGE,
            marker="o",
            linewidth=2.2,
            zorder=4,
            label="all rows",
        )
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        of = "" if self.label is None else f" of {write(self.label)}"
        ax.set_xlabel(f"predicted probability{of}")
        ax.set_ylabel("frequency")
        ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, title=None)
        worst = np.argsort(-self.errors, kind="stable")[:5]
        lines = [f"{write(self.tasks[t])}: {self.errors[t]:.2f}" for t in worst]
        heading = "calibration errors" if len(self.tasks) <= 5 else "largest errors"
        ax.text(
            1.05,
            0.0,
            "\n".join([heading, *lines]),
            transform=ax.transAxes,
            va="bottom",
            fontsize="small",
            color=ink(),
        )
        tidy(ax)
        return self


def _bin(y, proba, n_bins):
    """Return the mean probability and frequency of each bin, and the mean error."""
    order = np.argsort(proba, kind="stable")
    # Equal probabilities stay in one bin.
    edges = np.quantile(proba, np.linspace(0, 1, n_bins + 1)[1:-1])
    bins = np.searchsorted(edges, proba[order], side="left")
    counts = np.bincount(bins, minlength=n_bins)
    kept = counts > 0
    means = [
        np.bincount(bins, values[order], n_bins)[kept] / counts[kept]
        for values in (proba, y)
    ]
    error = np.abs(means[1] - means[0]) @ counts[kept] / len(y)
    return np.stack(means, axis=1), float(error)
