"""Correlations between tasks, or between the coefficients of features."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ._coefficient_heatmap import order_by_similarity
from ._drawing import (
    diverging,
    height_of_rows,
    name_rows,
    open_axes,
    pick_names,
)
from ._gain_dots import write
from ._linear_parts import read_linear_parts

_MOST_NUMBERS = 12  # up to this many rows, cells have their number
_DARK = 0.6  # on stronger colours, numbers have the colour of the background


class TaskCovarianceDisplay:
    """Coloured table of correlations between tasks, or between features.

    Parameters
    ----------
    names : ndarray of shape (n,)
        Names of the tasks, or of the features.
    correlations : ndarray of shape (n, n)
        Correlations; NaN where a variance is zero.
    of : {"tasks", "features"}
        What the rows are.

    Attributes
    ----------
    order_ : ndarray of shape (n,)
        Rows from the lowest to the highest, and columns from left to right.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    CoefficientHeatmapDisplay : Shows the coefficients.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import TaskCovarianceDisplay
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> X, y = make_related_tasks(n_tasks=5, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressorCV(task_column="task").fit(X, y)
    >>> TaskCovarianceDisplay.from_estimator(model).correlations.shape
    (5, 5)
    """

    def __init__(
        self, *, names: NDArray[Any], correlations: NDArray[np.floating], of: str
    ) -> None:
        self.names = names
        self.correlations = correlations
        self.of = of

    @classmethod
    def from_estimator(
        cls, model: Any, *, of: str = "tasks", label: Any = None, ax: Any = None
    ) -> Self:
        """Draw the correlations of a fitted linear model.

        Parameters
        ----------
        model : estimator
            Fitted linear model of tasks, or a pipeline or search that ends in one.
        of : {"tasks", "features"}, default="tasks"
            "tasks": cosines between the own parts of the tasks, that is between their
            differences from the shared coefficients. "features": correlations in
            `coef_covariance_`, with the intercept, or without this attribute those of
            the own parts over the tasks.
        label : object, default=None
            Class whose coefficients are drawn, with more than two; None means the last.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TaskCovarianceDisplay
            The plot.
        """
        if of not in ("tasks", "features"):
            raise ValueError(f"of must be 'tasks' or 'features', got {of!r}.")
        parts = read_linear_parts(model)
        k = parts.place_class(label)
        own = parts.coef[:, k] - parts.coef_shared[k]
        if of == "tasks":
            return cls(
                names=parts.tasks, correlations=correlate(own @ own.T), of=of
            ).plot(ax=ax)
        names = np.array([*parts.features, "(intercept)"], dtype=object)
        covariance = getattr(parts.model, "coef_covariance_", None)
        if covariance is None:
            levels = parts.intercept[:, [k]] - parts.intercept_shared[k]
            own = np.concatenate([own, levels], axis=1)
            covariance = own.T @ own / len(own)
        return cls(names=names, correlations=correlate(covariance), of=of).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TaskCovarianceDisplay
            Itself, with `ax_` and `figure_`.
        """
        n = len(self.names)
        _, self.order_ = order_by_similarity(np.nan_to_num(self.correlations))
        values = self.correlations[np.ix_(self.order_, self.order_)]
        side = max(height_of_rows(n), 3.4)
        ax = open_axes(ax, side + 1.6, side)
        self.ax_, self.figure_ = ax, ax.figure
        image = ax.imshow(
            values,
            cmap=diverging(),
            vmin=-1,
            vmax=1,
            origin="lower",
            interpolation="nearest" if n < 1000 else "auto",
        )
        self._name(ax, n)
        if n <= _MOST_NUMBERS:
            _write_numbers(ax, values)
        ax.figure.colorbar(image, ax=ax, label="correlation", shrink=0.8, aspect=25)
        return self

    def _name(self, ax, n):
        names = self.names[self.order_]
        name_rows(ax, names, pick_names(n), "similarity")
        ax.set_ylim(-0.5, n - 0.5)
        if len(pick_names(n)) == n:
            ax.set_xticks(np.arange(n), [write(each) for each in names], rotation=90)
        else:
            ax.set_xticks([])
            ax.set_ylabel(f"{n} {self.of}, by similarity")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)


def correlate(covariance: NDArray[Any]) -> NDArray[Any]:
    """Return the correlations of a covariance matrix, NaN where a variance is zero."""
    std = np.sqrt(np.diag(covariance))
    std = np.where(std > 0, std, np.nan)
    return np.clip(covariance / std[:, None] / std, -1, 1)


def _write_numbers(ax, values):
    import matplotlib as mpl

    paper, text = mpl.rcParams["axes.facecolor"], mpl.rcParams["text.color"]
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = paper if abs(value) > _DARK else text
            ax.text(
                j,
                i,
                f"{value:.1f}".replace("-0.0", "0.0"),
                ha="center",
                va="center",
                fontsize="small",
                color=colour,
            )
