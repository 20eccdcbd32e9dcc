"""Tasks never seen are predicted alike wherever the features have their zero."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from sklearn.linear_model import RidgeCV

from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
)

PULLED = {"alpha_shared": 1.0, "alpha_intercept": 0.1}


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    task, X = np.arange(90) % 5, rng.normal(size=(90, 4))
    mean = 2 * X[:, 0] - X[:, 1] + 0.5 * task + 0.3 * X[:, 2] * (task - 2)
    new = rng.normal(size=(400, 4))
    return X, mean + 0.4 * rng.normal(size=90), task, new


@pytest.mark.parametrize("offset", [50.0, 1e4])
@parametrize("method", ["loo", "gcv", "cv", "reml"], short=["gcv", "reml"])
def test_a_new_task_is_predicted_as_well_far_from_zero(rows, method, offset):
    X, y, task, new = rows
    mean = 2 * new[:, 0] - new[:, 1] + 1
    pooled = RidgeCV(np.logspace(-3, 4, 20)).fit(X, y).predict(new)
    model = MeanRegularizedRegressorCV(method=method).fit(X + offset, y, task=task)
    found = model.predict(new + offset, task=np.full(400, 9))
    assert ((found - mean) ** 2).mean() < ((pooled - mean) ** 2).mean()


def test_the_shared_model_leaves_no_mean_residual(rows):
    X, y, task, _ = rows
    model = MeanRegularizedRegressor(**PULLED).fit(X + 50, y, task=task)
    residual = y - (X + 50) @ model.coef_shared_ - model.intercept_shared_
    assert residual.mean() == pytest.approx(0, abs=1e-9)


def test_a_centre_that_nothing_pulls_has_the_mean_of_the_intercepts(rows):
    X, y, task, _ = rows
    model = MeanRegularizedRegressor(alpha_intercept=0.1).fit(X + 1, y, task=task)
    assert_allclose(model.intercept_shared_, model.intercept_.mean())


def test_classes_and_counts_of_a_new_task_have_the_overall_mean(rows):
    X, y, task, _ = rows
    label = np.full(90, 9)
    classes = MeanRegularizedClassifier(**PULLED).fit(X + 50, y > 1, task=task)
    shares = classes.predict_proba(X + 50, task=label)[:, 1]
    assert shares.mean() == pytest.approx((y > 1).mean(), abs=1e-5)
    counts = np.round(np.exp(y / 4))
    model = MeanRegularizedPoissonRegressor(**PULLED).fit(X + 50, counts, task=task)
    found = model.predict(X + 50, task=label)
    assert found.mean() == pytest.approx(counts.mean(), abs=1e-4)
