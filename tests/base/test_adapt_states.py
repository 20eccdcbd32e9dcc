"""Adapting to a new task keeps the fitted attributes, after every kind of fit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone

from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV

GIVEN = MeanRegularizedRegressor(5.0, alpha_shared=2.0, alpha_intercept=1.0)


def draw(n_features, n_rows=40, seed=0):
    rng = np.random.default_rng(seed)
    X, task = rng.normal(size=(n_rows, n_features)), np.arange(n_rows) % 4
    return X, X[:, 0] + task + 0.3 * rng.normal(size=n_rows), task


@pytest.mark.parametrize("method", ["loo", "gcv", "cv", "reml"])
def test_adapting_twice_keeps_the_chosen_strengths(method):
    X, y, task = draw(3)
    model = MeanRegularizedRegressorCV(method=method).fit(X, y, task=task)
    chosen = model.alpha_, model.alpha_shared_, model.alpha_intercept_
    model.adapt(X[:5], y[:5], task=8).adapt(X[5:9], y[5:9], task=9)
    assert (model.alpha_, model.alpha_shared_, model.alpha_intercept_) == chosen
    std = model.predict(X[:5], task=[8] * 5, return_std=True)[1]
    assert (std > 0).all()


@pytest.mark.parametrize("as_X", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("alpha_intercept", [0.0, 1.0, np.inf])
def test_a_task_is_adapted_to_a_wide_fit_as_to_one_from_moments(as_X, alpha_intercept):
    X, y, task = draw(70)
    model = clone(GIVEN).set_params(alpha_intercept=alpha_intercept)
    wide = clone(model).fit(as_X(X), y, task=task)
    batches = clone(model).partial_fit(X, y, task=task)
    assert not hasattr(wide, "moments_")
    for each in (wide, batches):
        each.adapt(X[:6], 2 * y[:6], task=9, sample_weight=np.arange(6))
    assert_allclose(wide.coef_, batches.coef_, atol=1e-9)
    assert_allclose(wide.intercept_, batches.intercept_, atol=1e-9)


def test_standard_deviations_without_factors_are_refused():
    X, y, task = draw(70)
    model = clone(GIVEN).fit(X, y, task=task).adapt(X[:6], y[:6], task=9)
    with pytest.raises(ValueError, match="return_std need moments of the rows"):
        model.predict(X, task=task, return_std=True)


def test_wide_rows_leave_a_feature_of_strength_zero_unpenalised():
    X, y, task = draw(70)
    alpha = np.append(0.0, np.ones(69))
    model = MeanRegularizedRegressor(alpha, alpha_shared=1.0).fit(X, y, task=task)
    residual, own = y - model.predict(X, task=task), model.coef_ - model.coef_shared_
    gradient = np.array([X[task == t].T @ residual[task == t] for t in range(4)])
    assert_allclose(gradient, alpha * own, atol=1e-9)
    assert_allclose(own.sum(axis=0)[1:], model.coef_shared_[1:], atol=1e-9)
