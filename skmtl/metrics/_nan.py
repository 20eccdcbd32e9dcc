"""Metrics over several outputs of which some values were not observed."""

from sklearn.metrics import make_scorer

from ._cells import read_cells
from ._predictions import score_predictions


def nan_r2_score(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """Score by the variance explained, output by output, where `y_true` is observed.

    Of each output, ``1 - sum (y - z)^2 / sum (y - mean(y))^2`` over the rows on which
    it is observed. An output with fewer than two distinct values has no variance: its
    score is NaN, and the average skips it. (:func:`sklearn.metrics.r2_score` gives 0 or
    1 there; elsewhere, and without NaN, the two are equal.)

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets, NaN where not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Average the outputs, or give the score of each.

    Returns
    -------
    score : float or ndarray of shape (n_tasks,)
        Variance explained; 1 is perfect.

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
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"
):
    """Average the squared error, output by output, where `y_true` is observed.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets, NaN where not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Average the outputs, or give the error of each. The average skips outputs that
        were never observed, whose error is NaN.

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
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"
):
    """Take the root of the mean squared error of each output, where it is observed.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets, NaN where not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Average the roots of the outputs, or give each. The average skips outputs that
        were never observed, whose error is NaN.

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
    y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"
):
    """Average the absolute error, output by output, where `y_true` is observed.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets, NaN where not observed.
    y_pred : array-like of the same shape
        Predictions.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row.
    multioutput : {"uniform_average", "raw_values"}, default="uniform_average"
        Average the outputs, or give the error of each. The average skips outputs that
        were never observed, whose error is NaN.

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
            "y_true must have an output with two distinct observed values. "
            f"Got {len(scores.tasks)} outputs, none of which has."
        )
    return scores.macro[metric]
