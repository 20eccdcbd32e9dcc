"""Plot of the coefficients of tasks against the strength of the penalty."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skmtl.linear_model import CoefficientPath, mean_regularized_path

from ._drawing import GREY, ORANGE, blue, is_many, tidy, usual_range
from ._gain_dots import write
from ._linear_parts import find_model, read_linear_parts

_MOST_PANELS, _MOST_LINES, _MOST_COLUMNS = 6, 60, 3


class ShrinkagePathDisplay:
    """Plot the coefficients of tasks against alpha, a panel per feature.

    The panels are the features that differ most between tasks. Of more than 60 tasks,
    every n-th in the order of their coefficients is drawn. A dashed line marks the
    alpha of the model, the thick orange one is the shared coefficient.

    Parameters
    ----------
    path : CoefficientPath
        Coefficients of tasks at several strengths.
    features : ndarray of shape (n_features,)
        Names.
    alpha : float, default=None
        Strength of the model, if there is one.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Panels.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        Figure of the panels.

    See Also
    --------
    skmtl.linear_model.mean_regularized_path : Computes the path.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import ShrinkagePathDisplay
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> X, y = make_related_tasks(5, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressorCV(task_column="task").fit(X, y)
    >>> display = ShrinkagePathDisplay.from_estimator(model, X, y)
    >>> len(display.axes_)
    2
    """

    def __init__(
        self,
        *,
        path: CoefficientPath,
        features: NDArray[Any],
        alpha: float | None = None,
    ) -> None:
        self.path = path
        self.features = features
        self.alpha = alpha

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: Any,
        *,
        task: Any = None,
        features: Sequence[str | int] | None = None,
    ) -> Self:
        """Compute the path of a fitted regressor near a centre, and draw it.

        Parameters
        ----------
        model : estimator
            Fitted `MeanRegularizedRegressor` or `MeanRegularizedRegressorCV`, or a
            pipeline or search that ends in one.
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Rows of the fit.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets.
        task : array-like of shape (n_rows,), default=None
            Task of each row, if X has no task column.
        features : list of str or int, default=None
            Features to draw; None means those that differ most.

        Returns
        -------
        display : ShrinkagePathDisplay
            The plot.
        """
        parts = read_linear_parts(model)
        inner, _ = find_model(model)
        learnt = {**inner.get_params(deep=False), **vars(inner)}
        if "alpha_intercept" not in learnt and "alphas_intercept" not in learnt:
            raise TypeError(
                "The model must be a MeanRegularizedRegressor or "
                f"MeanRegularizedRegressorCV, got {type(inner).__name__}."
            )
        strengths: dict[str, Any] = {
            name: learnt.get(f"{name}_", learnt.get(name))
            for name in ("alpha_shared", "alpha_intercept")
        }
        path = mean_regularized_path(
            parts.transform(X),
            y,
            task=task,
            task_column=inner.task_column,
            task_weight=inner.task_weight,
            fit_intercept=inner.fit_intercept,
            **strengths,
        )
        alpha = np.asarray(learnt.get("alpha_", learnt.get("alpha")), dtype=float)
        single = float(alpha) if alpha.ndim == 0 else None
        display = cls(path=path, features=np.array(parts.features), alpha=single)
        if features is None:
            return display.plot()
        return display.plot(features=[parts.place_feature(each) for each in features])

    def plot(self, ax: Any = None, *, features: Sequence[int] | None = None) -> Self:
        """Draw a panel per feature.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw the first of the features, alone; None makes a figure.
        features : list of int, default=None
            Positions of features to draw; None means those that differ most.

        Returns
        -------
        display : ShrinkagePathDisplay
            Itself, with `ax_`, `axes_` and `figure_`.
        """
        chosen = self._choose() if features is None else list(features)
        axes = self._open(ax, len(chosen))
        self.axes_, self.ax_, self.figure_ = axes, axes[0], axes[0].figure
        for panel, j in zip(axes, chosen, strict=False):
            self._draw(panel, j)
        axes[0].set_ylabel("coefficient")
        for panel in axes[-_MOST_COLUMNS:]:
            panel.set_xlabel("alpha")
            panel.tick_params(labelbottom=True)
        axes[0].legend(fontsize="small", frameon=False)
        return self

    def _choose(self):
        spread = self.path.coef.std(axis=1).mean(axis=0)
        return np.argsort(-spread, kind="stable")[:_MOST_PANELS]

    def _open(self, ax, n_panels):
        import matplotlib.pyplot as plt

        if ax is not None:
            return np.array([ax])
        n_columns = min(n_panels, _MOST_COLUMNS)
        n_rows = -(-n_panels // n_columns)
        _, axes = plt.subplots(
            n_rows,
            n_columns,
            figsize=(max(2.6 * n_columns, 4.5), 0.4 + 2.4 * n_rows),
            sharex=True,
            squeeze=False,
            layout="constrained",
        )
        for k in range(n_panels, axes.size):
            axes.flat[k].set_visible(False)
        return axes.ravel()[:n_panels]

    def _draw(self, ax, j):
        path = self.path
        order = np.argsort(path.coef[0, :, j], kind="stable")
        picked = np.linspace(0, len(order) - 1, min(_MOST_LINES, len(order)))
        lines = path.coef[:, order[picked.astype(int)], j]
        opacity = max(0.35, min(0.9, 12 / len(picked)))
        ax.plot(
            path.alphas,
            lines,
            color=blue(),
            alpha=opacity,
            linewidth=0.9,
            rasterized=is_many(lines.size),
            label=["tasks"] + ["_"] * (lines.shape[1] - 1),
        )
        shared = path.coef_shared[:, j]
        ax.plot(path.alphas, shared, color=ORANGE, linewidth=2, label="shared")
        if self.alpha is not None:
            mark = np.clip(self.alpha, path.alphas[0], path.alphas[-1])
            ax.axvline(mark, color=GREY, linestyle="--", linewidth=1, label="model")
        ax.axhline(0, color=GREY, linewidth=0.6)
        low, high = usual_range(np.append(lines.ravel(), [*shared, 0.0]))
        ax.set_ylim(low, high)
        n_cut = int(((lines < low) | (lines > high)).any(axis=0).sum())
        if n_cut:
            style = {"ha": "right", "fontsize": "small", "color": GREY}
            text = f"{n_cut} beyond the axis"
            ax.text(0.98, 0.02, text, transform=ax.transAxes, **style)
        ax.set_xscale("log")
        ax.set_title(write(self.features[j]), loc="left")
        tidy(ax)
