"""Base class of count models: fit, predict and score with exposures."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import kl_div
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import Array
from skmtl.data import read_numeric_target, read_sample_weight
from skmtl.losses import Poisson
from skmtl.targets import CountTarget, Target, read_exposure

from ._linear_model import LinearRegressor


class LinearCountRegressor(LinearRegressor):
    """Regressors of counts, with the Poisson loss and a log link."""

    __metadata_request__fit = {"exposure": True}
    __metadata_request__predict = {"exposure": True}
    __metadata_request__score = {"exposure": True}

    def _target(self) -> Target:
        return CountTarget()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> Self:
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Counts, 0 or more. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.
        exposure : array-like of shape (n_samples,), default=None
            Time, area or number of people that each row counts over, above 0. The
            model is fitted to the rate ``y / exposure`` with weight ``sample_weight *
            exposure``, which is equivalent to an offset of ``log(exposure)``.

        Returns
        -------
        self : object
            The fitted model.
        """
        return self._fit(X, y, sample_weight, task, exposure=exposure)

    def _predictions(self, X: Any, codes: Array | None) -> Array:
        mean: Array = Poisson().mean(super()._predictions(X, codes))
        return mean

    def predict(
        self,
        X: Any,
        task: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> Array:
        """Predict the mean count of each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row. Without it, predictions are rates: counts for an
            exposure of 1.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Means; a column per task if `fit` had a 2-d y. Rows of unseen tasks are
            predicted with the shared part.
        """
        rate, exposures = super().predict(X, task), read_exposure(exposure)
        if exposures is None:
            return rate
        check_consistent_length(rate, exposures)
        return (rate.T * exposures).T

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
    ) -> float:
        """Return the fraction of Poisson deviance explained by the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Counts; NaN in a 2-d y is left out.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row, as in `predict`.

        Returns
        -------
        float
            1 for exact predictions, 0 for one rate for all rows; with a 2-d y the mean
            over its columns.
        """
        check_is_fitted(self)
        mean, counts = self.predict(X, task, exposure), read_numeric_target(self, y)[0]
        ones, exposures = np.ones(len(mean)), read_exposure(exposure)
        exposures = ones if exposures is None else exposures
        weight = read_sample_weight(sample_weight, *counts.shape)
        weight = ones if weight is None else weight
        check_consistent_length(counts, mean, weight)
        if counts.shape != mean.shape:
            raise ValueError(
                f"y must have the shape of the predictions, {mean.shape}, got "
                f"{counts.shape}. Give y as in fit."
            )
        if (counts < 0).any():
            raise ValueError(
                f"y must hold counts, 0 or more, got {np.nanmin(counts):g}. Use a "
                "regressor for numbers below 0."
            )
        weight = np.broadcast_to(weight.T, counts.T.shape).T
        y, z, w = (each.reshape(len(mean), -1).T for each in (counts, mean, weight))
        columns = zip(y, z, w, strict=True)
        fractions = [_explained(*column, exposures) for column in columns]
        return float(np.nanmean(fractions))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


def _explained(y: Array, mean: Array, weight: Array, exposure: Array) -> float:
    """Return the fraction of deviance explained, NaN without rows of weight."""
    kept = ~np.isnan(y) & (weight > 0)
    y, mean, exposure, weight = y[kept], mean[kept], exposure[kept], weight[kept]
    if not len(y):
        return np.nan
    constant = exposure * ((weight @ y) / (weight @ exposure))
    residual, null = weight @ kl_div(y, mean), weight @ kl_div(y, constant)
    if null > 0:
        return float(1 - residual / null)
    return float(residual == 0)
