"""Explain predictions of linear models: shared part and own part of each feature."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skmtl._contracts import Array

from ._drawing import ORANGE, blue, ink, open_axes, tidy
from ._gain_dots import write
from ._linear_parts import LinearParts, read_linear_parts

_MOST_BARS = 15
_OTHERS = "(other features)"


def explain(model: Any, X: Any, *, task: Any = None) -> Any:
    """Split the predictions of a linear model into what each feature adds.

    Parameters
    ----------
    model : estimator
        Fitted linear model of tasks with at most one grouping, or a pipeline or search
        that ends in one.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Rows, with the task column if there was one in `fit`.
    task : array-like of shape (n_rows,), int or str, default=None
        Label of each row, or one label for all rows, if `fit` was given labels.

    Returns
    -------
    frame : DataFrame of shape (n_rows, 2 * (n_features + 1))
        Columns are pairs of a part, "shared" or "own", and "(intercept)" or a feature.
        A feature adds its value times the shared coefficient, and times the difference
        of the task's coefficient from that. The sum of a row is the raw prediction: the
        prediction of numbers, the score of classes, the logarithm of the mean count per
        exposure. If the columns of `y` are tasks, there is a row per task, and with
        more than two classes one per class, as further levels of the index.

    See Also
    --------
    ExplanationDisplay : Draws one row.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import explain
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(2, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> frame = explain(model, X)
    >>> bool(abs(frame.sum(axis=1) - model.predict(X)).max() < 1e-12)
    True
    """
    import pandas as pd

    parts = read_linear_parts(model)
    if "groupings_" in vars(parts.model):
        raise ValueError(
            "explain needs a model of one task column, got the groupings "
            f"{list(parts.model.groupings_)}. Their own parts are coef_groupings_."
        )
    index = getattr(X, "index", range(np.shape(X)[0]))
    index = index if isinstance(index, pd.Index) else pd.RangeIndex(np.shape(X)[0])
    rows, codes = parts.model._read_queries(parts.transform(X), task)
    rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
    shared, own, levels = _multiply(parts, rows, codes)
    if codes is None:
        levels = {"task": parts.tasks.tolist(), **levels}
    values = np.concatenate([shared, own], axis=-1)
    names = ["(intercept)", *parts.features]
    columns = pd.MultiIndex.from_product([["shared", "own"], names])
    if levels:
        pairs = [index, *levels.values()]
        index = pd.MultiIndex.from_product(pairs, names=[index.name, *levels])
    return pd.DataFrame(values.reshape(-1, len(columns)), index, columns)


def _multiply(
    parts: LinearParts, rows: Array, codes: Array | None
) -> tuple[Array, Array, dict]:
    """Return shared and own parts, (n_rows[, n_tasks], n_outputs, 1 + n_features)."""
    shared = np.concatenate([parts.intercept_shared[:, None], parts.coef_shared], 1)
    values = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    if codes is None:
        models = np.concatenate([parts.intercept[..., None], parts.coef], axis=2)
        own = values[:, None, None] * (models - shared)
        of_all = np.broadcast_to(values[:, None, None] * shared, own.shape)
    else:
        coef, intercept = parts.model._lookup.models(parts.model, codes)
        shape = len(coef), *shared.shape
        models = np.reshape(
            np.concatenate(
                [
                    np.reshape(intercept, (*shape[:2], 1)),
                    np.reshape(coef, (*shape[:2], -1)),
                ],
                axis=2,
            ),
            shape,
        )
        own = values[:, None] * (models[codes] - shared)
        of_all = values[:, None] * shared
    levels = {} if parts.classes is None else {"class": parts.classes.tolist()}
    return of_all, own, levels


class ExplanationDisplay:
    """Bars of what the features add to one prediction: shared and own.

    Parameters
    ----------
    names : ndarray of shape (n_features + 1,)
        The intercept, and the features.
    shared : ndarray of shape (n_features + 1,)
        What each adds with the shared coefficients.
    own : ndarray of shape (n_features + 1,)
        What the difference of the task from the shared part adds.
    row : object
        Label of the row.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of `ax_`.

    See Also
    --------
    explain : Computes the parts.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import ExplanationDisplay
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(2, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> display = ExplanationDisplay.from_estimator(model, X, row=3)
    >>> display.shared.shape
    (3,)
    """

    def __init__(
        self,
        *,
        names: NDArray[Any],
        shared: NDArray[np.floating],
        own: NDArray[np.floating],
        row: Any = None,
    ) -> None:
        self.names = names
        self.shared = shared
        self.own = own
        self.row = row

    @classmethod
    def from_estimator(
        cls, model: Any, X: Any, *, row: int = 0, task: Any = None, ax: Any = None
    ) -> Self:
        """Explain one row, and draw it.

        Parameters
        ----------
        model : estimator
            Fitted linear model, as for `explain`.
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Rows.
        row : int, default=0
            Position in the result of `explain`; without classes, and with a task per
            row, that in X.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ExplanationDisplay
            The plot.
        """
        frame = explain(model, X, task=task)
        shared, own = frame["shared"].iloc[row], frame["own"].iloc[row]
        label = frame.index[row]
        names = shared.index.to_numpy()
        return cls(
            names=names, shared=shared.to_numpy(), own=own.to_numpy(), row=label
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the bars, the largest first.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ExplanationDisplay
            Itself, with `ax_` and `figure_`.
        """
        names, shared, own = self._gather()
        ax = open_axes(ax, 7.0, 1.5 + 0.38 * len(names))
        self.ax_, self.figure_ = ax, ax.figure
        places = np.arange(len(names))[::-1]
        ax.barh(places + 0.19, shared, 0.36, color=blue(), label="shared")
        ax.barh(places - 0.19, own, 0.36, color=ORANGE, label="own")
        ax.axvline(0, color=ink(), linewidth=0.8)
        ax.set_yticks(places, [write(name) for name in names])
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("part of the raw prediction")
        total = self.shared.sum() + self.own.sum()
        ax.set_title(f"Row {write(self.row)}: {total:.4g}", loc="left")
        ax.legend(loc="upper left", bbox_to_anchor=(1.04, 1), frameon=False)
        tidy(ax, "left")
        return self

    def _gather(self):
        """Return the largest parts, the intercept first, and the sum of the others."""
        size = np.abs(self.shared) + np.abs(self.own)
        order = [0, *(1 + np.argsort(-size[1:], kind="stable"))]
        kept, rest = order[:_MOST_BARS], order[_MOST_BARS:]
        names, shared, own = self.names[kept], self.shared[kept], self.own[kept]
        if rest:
            names = np.append(names, _OTHERS)
            shared = np.append(shared, self.shared[rest].sum())
            own = np.append(own, self.own[rest].sum())
        return names, shared, own
