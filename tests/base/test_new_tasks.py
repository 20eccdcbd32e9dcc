"""Unseen tasks are predicted as well as by a pooled model."""

from dataclasses import replace

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import log_loss, mean_squared_error

from skmtl.data import summarise
from skmtl.linear_model import (
    ClusteredRegressor,
    DirtyRegressor,
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedRegressor,
    JointFeatureClassifier,
    JointFeatureRegressor,
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MultiTaskRidge,
    MultiTaskRidgeCV,
    RobustRegressor,
)
from skmtl.problems.exact import unseen_model

REGRESSORS = [
    MultiTaskRidge(),
    MultiTaskRidgeCV(),
    MeanRegularizedRegressor(300.0),
    GraphRegularizedRegressor("complete"),
    JointFeatureRegressor(0.05),
    LowRankRegressor(0.1),
    ClusteredRegressor(2, 0.01, 0.1),
    DirtyRegressor(0.05, 0.03),
    RobustRegressor(0.05, 0.1),
    FusedRegressor(0.05, graph=[(k, k + 1) for k in range(30)]),
]
CLASSIFIERS = [
    GraphRegularizedClassifier("complete"),
    JointFeatureClassifier(0.02),
    LowRankClassifier(0.02),
]


@pytest.fixture
def unequal():
    """Return rows of one large task and many small ones, and rows of new ones."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(31), [1000] + [5] * 30)
    X = rng.normal(size=(1550, 6))
    W = rng.normal(size=6) + 0.1 * rng.normal(size=(43, 6))
    noise = rng.logistic(size=1550)

    every = np.append(task, 31 + np.arange(400) % 12)
    mean = (X * W[every]).sum(axis=1)
    y = mean + noise
    return X[:1150], y[:1150], task, X[1150:], mean[1150:], noise[1150:]


# Networks of thirty tasks take long.
@parametrize("model", REGRESSORS, REGRESSORS[:-1])
def test_regressors_predict_new_tasks_as_well_as_a_pooled_ridge(unequal, model):
    X, y, task, new, mean, _ = unequal
    pooled = mean_squared_error(mean, Ridge().fit(X, y).predict(new))
    model.fit(X, y, task=task)
    found = mean_squared_error(mean, model.predict(new, task=np.full(len(new), 99)))
    assert found < 1.1 * pooled


@parametrize("model", CLASSIFIERS, CLASSIFIERS[:2])
def test_classifiers_predict_new_tasks_as_well_as_a_pooled_one(unequal, model):
    X, y, task, new, mean, noise = unequal
    pooled = LogisticRegression().fit(X, y > 0).predict_proba(new)
    model.fit(X, y > 0, task=task)
    found = model.predict_proba(new, task=np.full(len(new), 99))
    truth = mean + noise > 0
    assert log_loss(truth, found) < 1.01 * log_loss(truth, pooled)


def test_independent_tasks_predict_new_tasks_by_a_pooled_ridge(unequal):
    X, y, task, *_ = unequal
    model = MultiTaskRidge(alpha=3.0).fit(X + 5, y, task=task)
    pooled = Ridge(3.0).fit(X + 5, y)
    assert_allclose(model.coef_shared_, pooled.coef_)
    assert model.intercept_shared_ == pytest.approx(pooled.intercept_)


def test_outputs_on_shared_rows_give_the_ridge_of_their_mean(unequal):
    X = unequal[0][:50]
    Y = X @ np.random.default_rng(1).normal(size=(6, 4))
    pooled = Ridge(0.25).fit(X, Y.mean(axis=1))
    for model in (MultiTaskRidge(), MultiTaskRidgeCV(alphas=[1.0])):
        assert_allclose(model.fit(X, Y).coef_shared_, pooled.coef_)
        assert model.intercept_shared_ == pytest.approx(pooled.intercept_)


@pytest.mark.full
def test_a_feature_that_is_constant_in_tasks_is_learnt_from_their_means(unequal):
    """Only the tasks together determine its coefficient."""
    X, y, task, *_ = unequal
    height = np.random.default_rng(2).normal(size=31)[task]
    X = np.column_stack([X, height])
    model = LowRankRegressor(0.01).fit(X, y + 5 * height, task=task)
    assert not model.coef_[:, -1].any()
    assert model.coef_shared_[-1] == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(
    "model", [*REGRESSORS[4:6], *REGRESSORS[8:], *CLASSIFIERS[1:]], ids=str
)
def test_a_single_task_is_the_shared_part(unequal, model):
    X, y, *_ = unequal
    y = y > 0 if hasattr(model, "predict_proba") else y
    model.fit(X[:300], y[:300], task=np.zeros(300, dtype=int))
    assert_allclose(model.coef_shared_, model.coef_[0], rtol=1e-3, atol=1e-3)


def test_features_that_no_task_uses_are_not_used_for_others(unequal):
    X, y, task, *_ = unequal
    X = np.column_stack([X, np.random.default_rng(3).normal(size=(len(X), 3))])
    for model, target in (
        (JointFeatureRegressor(2.0), y),
        (JointFeatureClassifier(0.4), y > 0),
    ):
        model.fit(X, target, task=task)
        assert 0 < len(model.support_) < 9
        assert_allclose(np.flatnonzero(model.coef_shared_), model.support_)


def test_free_intercepts_take_the_intercept_of_new_tasks_from_all_rows(unequal):
    """A plain mean would weigh a task of five rows like one of a thousand."""
    X, y, task, *_ = unequal
    counts = np.random.default_rng(4).poisson(np.exp(0.3 * y.clip(-5, 5)))
    found = MeanRegularizedPoissonRegressor(1e6, alpha_shared=0.0)
    found.fit(X, counts, task=task)
    pooled = PoissonRegressor(alpha=0.0, tol=1e-10).fit(X, counts)
    assert found.intercept_shared_ == pytest.approx(pooled.intercept_, abs=0.1)
    mean = found.predict(X, task=np.full(len(X), 99))
    assert mean.mean() == pytest.approx(counts.mean())
    binary = MeanRegularizedClassifier().fit(X, y > 0, task=task)
    share = binary.predict_proba(X, task=np.full(len(X), 99))[:, 1]
    assert share.mean() == pytest.approx((y > 0).mean(), rel=1e-3)


@pytest.mark.full
def test_a_sparse_design_is_a_dense_one_for_new_tasks(unequal):
    X, y, task, *_ = unequal
    thin = np.where(np.abs(X) > 0.5, X, 0.0)
    for model in CLASSIFIERS:
        dense = model.fit(thin, y > 0, task=task).coef_shared_
        found = model.fit(sparse.csr_array(thin), y > 0, task=task).coef_shared_
        assert_allclose(found, dense, rtol=1e-5, atol=1e-7)


def test_rows_and_moments_give_the_same_model():
    """Without matrices of the features, conjugate gradients compute it."""
    rng = np.random.default_rng(5)
    X, task = rng.normal(size=(60, 9)) + 3, np.arange(60) % 4
    moments = summarise(X, X @ rng.normal(size=9) + rng.normal(size=60), task)
    coef = rng.normal(size=(4, 9))

    def curve(rows):
        return np.matmul(moments.xx, rows[:, :, None])[:, :, 0]

    bare = replace(moments, xx=None)
    ridge = np.full(9, 0.5)
    dense = unseen_model(moments, coef, coef, curve, ridge)
    found = unseen_model(bare, coef, coef, curve, ridge)
    assert_allclose(found[0], dense[0], rtol=1e-7)
    assert found[1] == pytest.approx(dense[1])
