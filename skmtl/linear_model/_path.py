"""Coefficients of tasks at many strengths, from independent to equal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._linalg import calculation
from skmtl.data import read_rows
from skmtl.selection import Candidates, read_grid, suggest_alphas

from ._mean import MeanRegularizedRegressor


@dataclass(frozen=True, repr=False)
class CoefficientPath:
    """Models of tasks at several strengths.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths, increasing.
    tasks : ndarray of shape (n_tasks,)
        Labels.
    coef : ndarray of shape (n_alphas, n_tasks, n_features)
        Coefficients.
    intercept : ndarray of shape (n_alphas, n_tasks)
        Intercepts.
    coef_shared : ndarray of shape (n_alphas, n_features)
        Coefficients of the centre.
    intercept_shared : ndarray of shape (n_alphas,)
        Intercepts of the centre.

    Examples
    --------
    >>> from skmtl.linear_model import mean_regularized_path
    >>> X, y = [[0, 1.0], [0, 2.0], [1, 1.0], [1, 2.0]], [1.0, 2.0, 2.0, 4.0]
    >>> path = mean_regularized_path(X, y, alphas=[0.5, 5.0], task_column=0)
    >>> path.coef[:, :, 0]
    array([[1.25      , 1.75      ],
           [1.45454545, 1.54545455]])
    >>> path
    CoefficientPath(2 alphas from 0.5 to 5, 2 tasks, 1 features)
    """

    alphas: np.ndarray
    tasks: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    coef_shared: np.ndarray
    intercept_shared: np.ndarray

    def __repr__(self) -> str:
        n_alphas, n_tasks, n_features = self.coef.shape
        return (
            f"CoefficientPath({n_alphas} alphas from {self.alphas[0]:.3g} to "
            f"{self.alphas[-1]:.3g}, {n_tasks} tasks, {n_features} features)"
        )


def mean_regularized_path(
    X: Any,
    y: Any,
    *,
    alphas: ArrayLike | None = None,
    n_alphas: int = 30,
    alpha_shared: float = 0.0,
    alpha_intercept: float = 0.0,
    fit_intercept: bool = True,
    sample_weight: Any = None,
    task: Any = None,
    task_column: str | int | list[Any] | None = None,
    task_weight: str | Mapping[Any, float] | None = None,
) -> CoefficientPath:
    """Compute mean-regularised models at many strengths, factored once.

    At each alpha, the coefficients are those of :class:`MeanRegularizedRegressor`.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
        Features, with the task column if `task_column` names one.
    y : array-like of shape (n_samples,) or (n_samples, n_tasks)
        Target. If 2-d, columns are tasks and NaN means not observed.
    alphas : array-like of shape (n_alphas,), default=None
        Strengths of the penalty on distances from the centre, positive. None for
        `n_alphas` of them, 1e-3 to 1e4 times the mean curvature of a task's loss.
    n_alphas : int, default=30
        Number of strengths if `alphas` is None.
    alpha_shared : float, default=0.0
        Strength of the ridge penalty on the centre's coefficients.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
        Weight of each row, or of each cell of a 2-d y.
    task : array-like of shape (n_samples,), default=None
        Label of the task of each row, if X holds no task column.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss.

    Returns
    -------
    CoefficientPath
        The models, in the order of increasing alpha.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.linear_model import mean_regularized_path
    >>> X, y = make_related_tasks(n_tasks=3, random_state=0)
    >>> path = mean_regularized_path(X, y, alphas=[1e-2, 1e6], task_column=-1)
    >>> path.coef.std(axis=1).max(axis=1).round(3)
    array([0.664, 0.   ])
    """
    reader = MeanRegularizedRegressor(task_column=task_column)
    data = read_rows(
        reader, X, y, task=task, sample_weight=sample_weight, task_weight=task_weight
    )
    with calculation(data.X.shape[1]):
        moments = data.moments()
        if alphas is None:
            grid = suggest_alphas(moments, n_alphas)
        else:
            grid = read_grid(alphas, "alphas")
        intercepts = np.array([alpha_intercept if fit_intercept else 0.0])
        shared = np.array([alpha_shared])
        candidates = Candidates(grid, shared, intercepts, fit_intercept)
        fits = candidates.factor(moments).fits(candidates.triples())
        models = [fit.unpack() for fit in fits]
    return CoefficientPath(
        grid,
        data.tasks,
        np.stack([model.coef for model in models]),
        np.stack([model.intercept for model in models]),
        np.stack([model.coef_shared for model in models]),
        np.array([model.intercept_shared for model in models]),
    )
