"""The guard keeps what sharing gains, and loses little where it hurts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from scipy.stats import norm

from skmtl.compose import PooledTasks
from skmtl.linear_model import MeanRegularizedRegressor, MultiTaskRidge
from skmtl.model_selection import NegativeTransferGuard
from skmtl.model_selection._evidence import shrink_means

SHARED = MeanRegularizedRegressor(30.0)
OTHERS = {"independent": MultiTaskRidge(), "pooled": PooledTasks(), "random_state": 0}


def _make(unrelated, seed, n_rows=20):
    """Draw tasks around a centre, some of them unrelated, and many rows to test."""
    rng = np.random.default_rng(seed)
    n_tasks = len(unrelated)
    centre = rng.normal(size=5)
    W = np.where(
        np.array(unrelated)[:, None],
        2 * rng.normal(size=(n_tasks, 5)),
        centre + 0.3 * rng.normal(size=(n_tasks, 5)),
    )

    def draw(n):
        task = np.repeat(np.arange(n_tasks), n)
        X = rng.normal(size=(len(task), 5))
        return X, (X * W[task]).sum(axis=1) + rng.normal(size=len(task)), task

    return draw(n_rows), draw(100)


def _errors(unrelated, seeds):
    """Return mean errors of the guard, and of its three models, over draws."""
    guard = NegativeTransferGuard(SHARED, **OTHERS)
    found = []
    for seed in seeds:
        (X, y, task), (X_new, y_new, new) = _make(unrelated, seed)
        guard.fit(X, y, task=task)
        models = {"guard": guard, **guard.models_}
        found.append([])
        for model in models.values():
            error = model.predict(X_new, task=new) - y_new
            found[-1].append(np.sqrt(np.mean(error**2)))
    return dict(zip(models, np.mean(found, axis=0), strict=True))


def test_unrelated_tasks_lose_nothing():
    found = _errors([True] * 15, range(3))
    assert found["shared"] > 1.5 * found["independent"]
    assert found["guard"] < 1.02 * found["independent"]


def test_related_tasks_keep_what_they_gain():
    found = _errors([False] * 15, range(4))
    assert found["independent"] > 1.03 * found["shared"]
    assert found["guard"] < 1.01 * found["shared"]


def test_half_of_the_tasks_may_be_unrelated():
    found = _errors([True, False] * 8, range(3))
    assert found["shared"] > 1.5 * found["independent"]
    assert found["guard"] < 1.02 * found["independent"]


def test_the_prediction_is_the_weighted_mean():
    (X, y, task), _ = _make([True, False] * 3, 0)
    guard = NegativeTransferGuard(SHARED, **OTHERS).fit(X, y, task=task)
    parts = [model.predict(X, task=task) for model in guard.models_.values()]
    expected = np.einsum("rk,kr->r", guard.weights_[task], np.array(parts))
    assert_allclose(guard.predict(X, task=task), expected)
    assert_allclose(guard.weights_.sum(axis=1), 1)
    new = np.full(5, 77)
    unseen = guard.models_["shared"].predict(X[:5], task=new)
    assert_array_equal(guard.predict(X[:5], task=new), unseen)
    gain, spread = guard.gain_["independent"], guard.gain_std_["independent"]
    other = norm.cdf(guard.gain_["pooled"] / guard.gain_std_["pooled"])
    own = norm.cdf(gain / spread)
    odds = own / (1 - own), other / (1 - other)
    assert_allclose(guard.weights_[:, 1], odds[0] / (1 + sum(odds)), rtol=1e-6)


def test_means_are_shrunk_by_the_method_of_paule_and_mandel():
    rng = np.random.default_rng(0)
    sizes = np.array([3, 10, 20, 40, 5, 8, 30])
    codes = np.repeat(np.arange(7), sizes)
    values = rng.normal(size=7)[codes] + rng.normal(size=len(codes))
    found = shrink_means(values, codes, 8, np.ones(len(codes)))
    mean = np.bincount(codes, values) / sizes
    within = np.bincount(codes, (values - mean[codes]) ** 2)
    common = within.sum() / (sizes - 1).sum()
    error = (4 * common + within) / (4 + sizes - 1) / sizes

    def excess(between):
        centre = np.average(mean, weights=1 / (error + between))
        return np.sum((mean - centre) ** 2 / (error + between)) - 6

    between = brentq(excess, 0, 100)
    total = error + between
    centre = np.average(mean, weights=1 / total)
    assert_allclose(found.mean[:7], centre + between / total * (mean - centre))
    assert found.mean[7] == pytest.approx(centre)
    # The posterior variance of normal means, with an unknown common mean.
    uncertain = 1 / np.sum(1 / total)
    spread = between * error / total + (error / total) ** 2 * uncertain
    assert_allclose(found.standard_deviation[:7], np.sqrt(spread), rtol=1e-6)
    assert found.standard_deviation[7] == pytest.approx(np.sqrt(between + uncertain))


@pytest.mark.parametrize("weight", [1.0, 2.0, 0.1])
def test_single_values_do_not_tell_tasks_apart(weight):
    values = np.random.default_rng(0).normal(0.3, 1.0, size=12)
    found = shrink_means(values, np.arange(12), 12, np.full(12, weight))
    assert_allclose(found.mean, values.mean(), atol=1e-7)
    error = values.std(ddof=1) / np.sqrt(12)
    assert_allclose(found.standard_deviation, error, rtol=1e-5)


def test_tasks_of_one_row_have_the_same_uncertain_weights():
    X = np.random.default_rng(0).normal(size=(12, 2))
    y = X @ [1, -1] + 0.5 * np.random.default_rng(1).normal(size=12)
    guard = NegativeTransferGuard(SHARED, **OTHERS).fit(X, y, task=np.arange(12))
    assert_allclose(guard.weights_, guard.weights_[[0] * 12], atol=1e-6)
    assert guard.weights_.max() < 0.99
    assert (guard.gain_std_["pooled"] > 0).all()


def test_equal_losses_leave_the_weights_equal():
    (X, y, task), _ = _make([False] * 3, 0)
    same = {"independent": SHARED, "pooled": SHARED}
    guard = NegativeTransferGuard(SHARED, **same).fit(X, y, task=task)
    assert_allclose(guard.weights_, 1 / 3)


def test_classes_need_a_classifier():
    (X, y, task), _ = _make([False] * 3, 0)
    for guard in (NegativeTransferGuard(), NegativeTransferGuard(SHARED)):
        with pytest.raises(ValueError, match=r"estimator=MeanRegularizedClassifierCV"):
            guard.fit(X, np.where(y > 0, "high", "low"), task=task)
