"""Coloured table of the coefficients of tasks."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.sparse.linalg import svds
from scipy.spatial.distance import pdist

from ._drawing import (
    GREY,
    diverging,
    height_of_rows,
    name_rows,
    open_axes,
    pick_names,
)
from ._gain_dots import write
from ._linear_parts import read_linear_parts

_MOST_ORDERED = 400  # the optimal order of more leaves takes too long
_SHARE_INSIDE = 0.98  # of the cells; others have the strongest colours
_REACH = 3.0  # times the upper quartile: the largest size that sets the scale
_MOST_TREE, _MOST_FEATURES = 150, 40  # branches, and names of features, that fit


class CoefficientHeatmapDisplay:
    """Coloured table of coefficients, tasks by features, similar ones side by side.

    Colours are centred at zero, or at the shared part; a few outliers do not set their
    scale. Up to 150 tasks have a tree of their similarity.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    features : ndarray of shape (n_features,)
        Names.
    values : ndarray of shape (n_tasks, n_features)
        Coefficients, or their differences from the shared ones.
    name : str, default="coefficient"
        What the colours mean.

    Attributes
    ----------
    order_ : ndarray of shape (n_tasks,)
        Tasks from the lowest row to the highest.
    feature_order_ : ndarray of shape (n_features,)
        Features from left to right.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    TaskMapDisplay : Shows the similarity of tasks in a plane.

    Notes
    -----
    Tasks are clustered by average distance of their coefficients, and the leaves are
    ordered so that the sum of distances of neighbours is minimal. More than 400 tasks
    are ordered along the main direction of their coefficients.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import CoefficientHeatmapDisplay
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(4, n_features=3, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> CoefficientHeatmapDisplay.from_estimator(model).values.shape
    (4, 3)
    """

    def __init__(
        self,
        *,
        tasks: NDArray[Any],
        features: NDArray[Any],
        values: NDArray[np.floating],
        name: str = "coefficient",
    ) -> None:
        self.tasks = tasks
        self.features = features
        self.values = values
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        *,
        around_shared: bool = False,
        label: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw the coefficients of a fitted linear model.

        Parameters
        ----------
        model : estimator
            Fitted linear model of tasks, or a pipeline or search that ends in one.
        around_shared : bool, default=False
            Whether to draw differences from the shared part.
        label : object, default=None
            Class whose coefficients are drawn, with more than two; None means the last.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : CoefficientHeatmapDisplay
            The plot.
        """
        parts = read_linear_parts(model)
        k = parts.place_class(label)
        values = parts.coef[:, k]
        if around_shared:
            values = values - parts.coef_shared[k]
        name = "difference from the shared coefficient"
        return cls(
            tasks=parts.tasks,
            features=np.array(parts.features),
            values=values,
            name=name if around_shared else "coefficient",
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : CoefficientHeatmapDisplay
            Itself, with `ax_` and `figure_`.
        """
        n_tasks, n_features = self.values.shape
        tree, self.order_ = order_by_similarity(self.values)
        _, self.feature_order_ = order_by_similarity(self.values.T)
        width = 3.6 + 0.32 * min(n_features, _MOST_FEATURES)
        ax = open_axes(ax, width, height_of_rows(n_tasks) + 0.4)
        self.ax_, self.figure_ = ax, ax.figure
        bound = _choose_bound(np.abs(self.values))
        image = ax.imshow(
            self.values[self.order_][:, self.feature_order_],
            cmap=diverging(),
            vmin=-bound,
            vmax=bound,
            aspect="auto",
            interpolation="nearest",
            origin="lower",
        )
        self._name(ax)
        beyond = np.abs(self.values).max(initial=0) > bound
        ax.figure.colorbar(
            image,
            ax=ax,
            label=self.name,
            extend="both" if beyond else "neither",
            shrink=0.9,
            aspect=25,
        )
        if tree is not None and 2 < n_tasks <= _MOST_TREE:
            _draw_tree(ax, tree, n_tasks)
        return self

    def _name(self, ax):
        n_tasks, n_features = self.values.shape
        name_rows(ax, self.tasks[self.order_], pick_names(n_tasks), "similarity")
        ax.set_ylim(-0.5, n_tasks - 0.5)
        if n_features <= _MOST_FEATURES:
            names = [write(each) for each in self.features[self.feature_order_]]
            steep = max(map(len, names)) > 3 and n_features > 3
            ax.set_xticks(np.arange(n_features), names, rotation=90 * steep)
        else:
            ax.set_xticks([])
            ax.set_xlabel(f"{n_features} features, by similarity")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)


def _choose_bound(sizes):
    """Return the size of the strongest colour, which outliers do not set."""
    typical, large = np.quantile(sizes, [0.75, _SHARE_INSIDE])
    large = min(large, _REACH * typical) if typical > 0 else large
    return large or sizes.max() or 1.0


def order_by_similarity(values: NDArray[Any]) -> tuple[Any, NDArray[Any]]:
    """Return the tree of similar rows, None for many, and their order."""
    n_rows = len(values)
    if n_rows <= 2:
        return None, np.arange(n_rows)
    if n_rows <= _MOST_ORDERED:
        distances = pdist(values)
        tree = optimal_leaf_ordering(linkage(distances, "average"), distances)
        return tree, leaves_list(tree)
    centred = values - values.mean(axis=0)
    if min(centred.shape) == 1:
        return None, np.argsort(values[:, 0], kind="stable")
    along = svds(centred, k=1, v0=np.ones(min(centred.shape)))[0][:, 0]
    # A direction has no sign of its own.
    along = along * np.sign(along[np.abs(along).argmax()])
    return None, np.argsort(along, kind="stable")


def _draw_tree(ax, tree, n_tasks):
    """Draw the tree of similarity at the right of the table."""
    from scipy.cluster.hierarchy import dendrogram

    inset = ax.inset_axes((1.0, 0.0, 0.22, 1.0))
    drawn = dendrogram(tree, no_plot=True)
    for across, along in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        # The leaves of scipy stand at 5, 15, 25 and so on.
        inset.plot(along, (np.array(across) - 5) / 10, color=GREY, linewidth=0.8)
    inset.set_ylim(-0.5, n_tasks - 0.5)
    inset.set_xlim(left=0)
    inset.set_axis_off()
