"""Metrics for 2-d targets, in which NaN means not observed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import make_scorer

from ._cells import read_cells
from ._predictions import score_predictions


def nan_r2_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str = "uniform_average",
) -> float | NDArray[np.float64]:
    """Compute the R2 of each output on its observed rows, and average over outputs.

    The score of an output is ``1 - sum (y - z)^2 / sum (y - mean(y))^2`` over the rows
    on which it is observed. It is NaN for an output with fewer than two distinct
    values, which has no variance; the average skips NaN.
    :func:`sklearn.metrics.r2_score` gives such an output 0 or 1. Without NaN in
    `y_true` both functions give other outputs the same score.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets; NaN means not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,) or (n_rows, n_tasks), default=None
        Weight of each row or cell, not negative. None means ones.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Return the average over outputs, or the score of each output.

    Returns
    -------
    score : float or ndarray of shape (n_tasks,)
        Share of the variance explained; 1 is perfect.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import nan_r2_score
    >>> y_true = np.array([[1.0, 5.0], [2.0, np.nan], [3.0, 7.0]])
    >>> y_pred = np.array([[1.0, 5.0], [2.0, 0.0], [4.0, 7.0]])
    >>> nan_r2_score(y_true, y_pred)
    0.75
    """
    return _score(y_true, y_pred, sample_weight, multioutput, "r2")


def nan_mean_squared_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str = "uniform_average",
) -> float | NDArray[np.float64]:
    """Compute the mean squared error of each output, and average over outputs.

    The error of an output is ``mean((y - z)^2)`` over the rows on which it is observed.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets; NaN means not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,) or (n_rows, n_tasks), default=None
        Weight of each row or cell, not negative. None means ones.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Return the average over outputs, or the error of each output. An output without
        observed rows has error NaN, which the average skips.

    Returns
    -------
    error : float or ndarray of shape (n_tasks,)
        Mean squared error; 0 is perfect.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import nan_mean_squared_error
    >>> y_true = np.array([[1.0, 5.0], [2.0, np.nan]])
    >>> y_pred = np.array([[1.0, 7.0], [4.0, 0.0]])
    >>> nan_mean_squared_error(y_true, y_pred, multioutput="raw_values")
    array([2., 4.])
    """
    return _score(y_true, y_pred, sample_weight, multioutput, "mse")


def nan_root_mean_squared_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str = "uniform_average",
) -> float | NDArray[np.float64]:
    """Compute the root mean squared error of each output, and average over outputs.

    The error of an output is ``sqrt(mean((y - z)^2))`` over the rows on which it is
    observed.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets; NaN means not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,) or (n_rows, n_tasks), default=None
        Weight of each row or cell, not negative. None means ones.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Return the average over outputs, or the error of each output. An output without
        observed rows has error NaN, which the average skips.

    Returns
    -------
    error : float or ndarray of shape (n_tasks,)
        Root mean squared error; 0 is perfect.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import nan_root_mean_squared_error
    >>> nan_root_mean_squared_error([[1.0, 5.0], [np.nan, 5.0]], [[4.0, 5.0]] * 2)
    1.5
    """
    return _score(y_true, y_pred, sample_weight, multioutput, "rmse")


def nan_mean_absolute_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str = "uniform_average",
) -> float | NDArray[np.float64]:
    """Compute the mean absolute error of each output, and average over outputs.

    The error of an output is ``mean(|y - z|)`` over the rows on which it is observed.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets; NaN means not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,) or (n_rows, n_tasks), default=None
        Weight of each row or cell, not negative. None means ones.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Return the average over outputs, or the error of each output. An output without
        observed rows has error NaN, which the average skips.

    Returns
    -------
    error : float or ndarray of shape (n_tasks,)
        Mean absolute error; 0 is perfect.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.metrics import nan_mean_absolute_error
    >>> nan_mean_absolute_error([[1.0, 5.0], [np.nan, 5.0]], [[4.0, 5.0]] * 2)
    1.5
    """
    return _score(y_true, y_pred, sample_weight, multioutput, "mae")


nan_r2_scorer = make_scorer(nan_r2_score)
nan_mse_scorer = make_scorer(nan_mean_squared_error, greater_is_better=False)
nan_rmse_scorer = make_scorer(nan_root_mean_squared_error, greater_is_better=False)
nan_mae_scorer = make_scorer(nan_mean_absolute_error, greater_is_better=False)


def _score(y_true, y_pred, sample_weight, multioutput, metric):
    if multioutput not in ("uniform_average", "raw_values"):
        raise ValueError(
            "multioutput must be 'uniform_average' or 'raw_values'. "
            f"Got {multioutput!r}."
        )
    cells = read_cells(y_true, y_pred, sample_weight)
    scores = score_predictions(**vars(cells))
    if multioutput == "raw_values":
        return scores.columns[metric]
    if not scores.covered[metric]:
        raise ValueError(
            "y_true must have an output with two distinct observed values. Got "
            f"{len(scores.tasks)} outputs without; use an error such as "
            "nan_mean_squared_error."
        )
    return scores.macro[metric]
