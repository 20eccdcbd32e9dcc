"""Out-of-fold predictions, from folds within tasks."""

import warnings
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed

from ._encodings import deal_folds

_N_FOLDS = 5

Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def read_folds(cv: Any, X: Any, y: Any, codes: Any, strata: Any = None) -> Splits:
    """Return the training and test rows of folds that test each row once.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        The folds; an int or None deals the rows of each task to folds in turn, in a
        fixed random order.
    X, y : container, ndarray
        Rows, for a splitter.
    codes : ndarray of shape (n_rows,)
        Task of each row.
    strata : ndarray of shape (n_rows,), default=None
        Class of each row, to spread the rows of a class over the folds.

    Returns
    -------
    list of (ndarray, ndarray)
        Positions of training and test rows.
    """
    if cv is None or isinstance(cv, Integral):
        n_folds = min(_N_FOLDS, len(y)) if cv is None else int(cv)
        if not 2 <= n_folds <= len(y):
            raise ValueError(
                "cv must be at least 2 and at most the number of rows, got "
                f"cv={n_folds} with n_samples={len(y)}."
            )
        fold = deal_folds(codes, n_folds, strata)
        return [
            (np.flatnonzero(fold != k), np.flatnonzero(fold == k))
            for k in range(n_folds)
        ]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The groups parameter is ignored")
        splits = list(check_cv(cv).split(X, y, codes))
    n_tests = np.zeros(len(y), dtype=int)
    for _, test in splits:
        np.add.at(n_tests, np.arange(len(y))[test], 1)
    if not (n_tests == 1).all():
        raise ValueError(
            "cv must test each row once, got rows that are tested "
            f"{n_tests.min()} to {n_tests.max()} times. Use an int, or TaskKFold."
        )
    return splits


def predict_out_of_fold(
    fit_predict: Callable[..., Any], splits: Splits, n_jobs: int | None
) -> NDArray[Any]:
    """Predict every row by a fit to the training rows of its fold.

    Parameters
    ----------
    fit_predict : callable
        Function of the positions of training and test rows; returns predictions.
    splits : list of (ndarray, ndarray)
        Positions of training and test rows.
    n_jobs : int or None
        Number of folds in parallel.

    Returns
    -------
    ndarray of shape (n_rows, ...)
        Predictions.
    """
    parts = Parallel(n_jobs=n_jobs)(
        delayed(fit_predict)(train, test) for train, test in splits
    )
    order = np.argsort(np.concatenate([test for _, test in splits]), kind="stable")
    predictions: NDArray[Any] = np.concatenate(parts)[order]
    return predictions
