"""Map of the tasks by their coefficients."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ._drawing import (
    GREY,
    MOST_NAMES,
    ORANGE,
    blue,
    clip_to,
    count_beyond,
    is_many,
    label_points,
    open_axes,
    place_tasks,
    tidy,
    usual_range,
)
from ._linear_parts import read_linear_parts

_N_OUTLYING = 12  # of many tasks, those furthest from the centre are named


class TaskMapDisplay:
    """Map of tasks: the plane of the two main directions of their coefficients.

    The shared part is at the origin. Up to 30 tasks are all named where there is room;
    of more, those furthest from the origin.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    points : ndarray of shape (n_tasks, 2)
        Positions of the tasks.
    directions : ndarray of shape (2, n_features)
        Main directions, as unit vectors.
    shares : ndarray of shape (2,)
        Share of each direction in the squared distances from the shared part.

    Attributes
    ----------
    labels_ : list of matplotlib Annotation
        Names of tasks in the plot.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    CoefficientHeatmapDisplay : Shows all coefficients.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import TaskMapDisplay
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(n_tasks=5, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> TaskMapDisplay.from_estimator(model).points.shape
    (5, 2)
    """

    def __init__(
        self,
        *,
        tasks: NDArray[Any],
        points: NDArray[np.floating],
        directions: NDArray[np.floating],
        shares: NDArray[np.floating],
    ) -> None:
        self.tasks = tasks
        self.points = points
        self.directions = directions
        self.shares = shares

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        *,
        highlight: Sequence[Any] | None = None,
        label: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw the tasks of a fitted linear model.

        Parameters
        ----------
        model : estimator
            Fitted linear model of tasks, or a pipeline or search that ends in one.
        highlight : list of task labels, default=None
            Tasks to name first.
        label : object, default=None
            Class whose coefficients are drawn, with more than two; None means the last.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TaskMapDisplay
            The plot.
        """
        parts = read_linear_parts(model)
        k = parts.place_class(label)
        own = parts.coef[:, k] - parts.coef_shared[k]
        _, sizes, directions = np.linalg.svd(own, full_matrices=False)
        # A direction has no sign of its own: its largest entry is positive.
        largest = np.abs(directions).argmax(axis=1)
        directions = directions * np.sign(
            np.take_along_axis(directions, largest[:, None], 1)
        )
        missing = max(0, 2 - len(sizes))
        directions = np.pad(directions, [(0, missing), (0, 0)])[:2]
        squares = np.pad(sizes**2, (0, missing))
        return cls(
            tasks=parts.tasks,
            points=own @ directions.T,
            directions=directions,
            shares=squares[:2] / (squares.sum() or 1.0),
        ).plot(ax=ax, highlight=highlight)

    def plot(self, ax: Any = None, *, highlight: Sequence[Any] | None = None) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        highlight : list of task labels, default=None
            Tasks to name first.

        Returns
        -------
        display : TaskMapDisplay
            Itself, with `ax_`, `figure_` and `labels_`.
        """
        n_tasks = len(self.tasks)
        wanted = place_tasks(self.tasks, np.arange(n_tasks), highlight)
        ax = open_axes(ax, 6.0, 5.0)
        self.ax_, self.figure_ = ax, ax.figure
        (x, x_beyond), (y, y_beyond) = self._clip(ax)
        many, beyond = is_many(n_tasks), x_beyond | y_beyond
        style = {"color": blue(), "linewidth": 0, "rasterized": many, "zorder": 2}
        size, opacity = (
            (26, 0.9) if n_tasks <= 60 else (16, max(0.3, min(0.8, 300 / n_tasks)))
        )
        ax.scatter(x[~beyond], y[~beyond], size, alpha=opacity, **style)
        ax.scatter(x[beyond], y[beyond], 30, marker="D", clip_on=False, **style)
        ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
        ax.axvline(0, color=GREY, linewidth=0.6, zorder=0)
        ax.scatter(0, 0, 130, color=ORANGE, marker="+", linewidth=2.5, zorder=4)
        for k, set_label in enumerate((ax.set_xlabel, ax.set_ylabel)):
            set_label(f"direction {k + 1}: {self.shares[k]:.0%} of the differences")
        count_beyond(ax, int(beyond.sum()))
        ax.set_title("Tasks around the shared part (+)", loc="left", fontsize="medium")
        if beyond.any():
            ax.set_title("Tasks (+ shared part)", loc="left", fontsize="medium")
        tidy(ax)
        far = np.argsort(-np.hypot(x, y), kind="stable")
        far = far if n_tasks <= MOST_NAMES else far[:_N_OUTLYING]
        candidates = list(dict.fromkeys([*wanted, *far.tolist()]))
        x, y = np.append(x, 0.0), np.append(y, 0.0)  # names keep off the origin too
        self.labels_ = label_points(ax, x, y, self.tasks, candidates)
        return self

    def _clip(self, ax):
        """Set the limits, and return the positions within them."""
        found = []
        for values, limit in zip(
            self.points.T, (ax.set_xlim, ax.set_ylim), strict=True
        ):
            bounds = usual_range(np.append(values, 0.0))
            room = 0.08 * (bounds[1] - bounds[0])
            limit(bounds[0] - room, bounds[1] + room)
            found.append(clip_to(values, bounds))
        return found
