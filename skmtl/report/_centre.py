"""Coefficients of a partial pooling model and their path, for plots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from skmtl.linear_model import mean_regularized_path

_N_ALPHAS = 30


@dataclass(frozen=True, eq=False)
class CentreView:
    """Coefficients of tasks around their centre, and their path over alpha.

    Parameters
    ----------
    features : tuple of str
        Names of the features.
    tasks : ndarray of shape (n_tasks,)
        Labels of the tasks.
    n_rows : ndarray of shape (n_tasks,)
        Number of rows of each task.
    coef : ndarray of shape (n_tasks, n_features)
        Coefficients of the tasks.
    coef_shared : ndarray of shape (n_features,)
        Coefficients of the centre.
    alpha : float
        Strength of partial pooling, which shrinks tasks towards the centre.
    alphas : ndarray of shape (n_alphas,)
        Strengths of the path, ascending.
    path : ndarray of shape (n_alphas, n_tasks, n_features)
        Coefficients along the path.

    See Also
    --------
    view_centre : Computes it for a fitted pipeline.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.report import CentreView
    >>> W = np.array([[1.0, 2.0], [3.0, 2.0]])
    >>> tasks, n_rows = np.array(["t", "u"]), np.array([5, 8])
    >>> view = CentreView(
    ...     ("a", "b"), tasks, n_rows, W, W.mean(axis=0), 1.0, np.ones(1), W[None]
    ... )
    >>> view.spread
    array([1., 0.])
    """

    features: tuple[str, ...]
    tasks: NDArray
    n_rows: NDArray[np.integer]
    coef: NDArray[np.floating]
    coef_shared: NDArray[np.floating]
    alpha: float
    alphas: NDArray[np.floating]
    path: NDArray[np.floating]

    @property
    def spread(self) -> NDArray[np.floating]:
        """Root mean square distance of tasks from the centre, for each feature."""
        return np.sqrt(np.mean((self.coef - self.coef_shared) ** 2, axis=0))


def view_centre(pipeline: Pipeline, X: object, y: ArrayLike) -> CentreView:
    """Return the coefficients and path of a fitted pipeline with partial pooling.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted pipeline. Its last step is a MeanRegularizedRegressorCV; the other steps
        return a frame with the task column last.
    X : DataFrame of shape (n_rows, n_columns)
        Training rows.
    y : array-like of shape (n_rows,)
        Targets.

    Returns
    -------
    view : CentreView
        Coefficients and their path.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmtl.compose import make_task_pipeline
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> from skmtl.report import view_centre
    >>> X, y = make_related_tasks(n_tasks=5, as_frame=True, random_state=0)
    >>> model = make_task_pipeline(
    ...     StandardScaler(), MeanRegularizedRegressorCV(), task_column="task"
    ... )
    >>> view_centre(model.fit(X, y), X, y).path.shape
    (30, 5, 10)
    """
    model = pipeline[-1]
    rows = pipeline[:-1].transform(X)
    path = mean_regularized_path(
        rows,
        y,
        n_alphas=_N_ALPHAS,
        alpha_shared=model.alpha_shared_,
        alpha_intercept=model.alpha_intercept_,
        task_column=model.task_column,
    )
    labels = rows[model.task_column].value_counts()
    return CentreView(
        features=tuple(rows.columns.drop(model.task_column)),
        tasks=model.tasks_,
        n_rows=labels.reindex(model.tasks_).to_numpy(),
        coef=model.coef_,
        coef_shared=model.coef_shared_,
        alpha=float(np.mean(model.alpha_)),
        alphas=path.alphas,
        path=path.coef,
    )
