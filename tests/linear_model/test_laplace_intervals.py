"""Intervals of probabilities and counts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import nbinom, norm, poisson

from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    _laplace_intervals,
)
from skmtl.problems.newton import estimate_variances

N_TASKS, N_FEATURES = 6, 2
STRENGTHS = {"alpha": 2.0, "alpha_shared": 0.5, "alpha_intercept": 3.0}


def draw(n_tasks=N_TASKS, n_rows=25, seed=0):
    """Return X, log-odds or logs of means, and tasks."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.normal(size=(len(task), N_FEATURES)) + 0.5
    coef = [0.8, -0.5] + 0.5 * rng.normal(size=(n_tasks, N_FEATURES))
    return X, (X * coef[task]).sum(axis=1) + 0.5 * rng.normal(size=n_tasks)[task], task


@pytest.fixture(scope="module")
def classes():
    X, z, task = draw()
    y = np.random.default_rng(1).random(len(z)) < expit(z)
    return X, y.astype(int), task


@pytest.fixture(scope="module")
def classifier(classes):
    X, y, task = classes
    return MeanRegularizedClassifier(**STRENGTHS, tol=1e-10).fit(X, y, task=task)


def dense_covariances(model, X, task):
    """Return covariances of the parameters of each task, by one dense matrix."""
    size = N_FEATURES + 1
    probability = model.predict_proba(X, task=task)[:, 1]
    Z = np.column_stack([X, np.ones(len(X))])
    own = np.diag([model.alpha] * N_FEATURES + [model.alpha_intercept])
    centre = np.diag([model.alpha_shared] * N_FEATURES + [0.0])
    total = np.zeros((N_TASKS + 1, size, N_TASKS + 1, size))
    total[-1, :, -1] = N_TASKS * own + centre
    for t in range(N_TASKS):
        some = Z[task == t] * np.sqrt(probability * (1 - probability))[task == t, None]
        total[t, :, t] = some.T @ some + own
        total[t, :, -1] = total[-1, :, t] = -own
    inverse = np.linalg.inv(total.reshape(2 * ((N_TASKS + 1) * size,)))
    blocks = inverse.reshape(total.shape)
    return Z, np.stack([blocks[t, :, t] for t in range(N_TASKS)])


def test_intervals_of_seen_tasks_are_those_of_the_dense_hessian(classes, classifier):
    X, _, task = classes
    Z, covariances = dense_covariances(classifier, X, task)
    std = np.sqrt(np.einsum("ij,ijk,ik->i", Z, covariances[task], Z))
    log_odds = classifier.decision_function(X, task=task)
    half = norm.ppf(0.9) * std
    expected = expit(np.stack([log_odds - half, log_odds + half], axis=1))
    found = classifier.predict_interval(X, 0.8, task=task)
    assert found.shape == (len(X), 2, 2)
    assert_allclose(found[:, 1], expected, rtol=1e-6)
    assert_allclose(found[:, 0], 1 - expected[:, ::-1], rtol=1e-6)


def test_large_log_odds_are_not_rounded(classes, classifier):
    """Probabilities above ``1 - 1e-16`` are 1, whose log-odds are infinite."""
    X, _, task = classes
    X = 20 * X
    log_odds = classifier.decision_function(X, task=task)
    assert 40 < abs(log_odds).max() < 300
    Z, _ = dense_covariances(classifier, X, task)
    _, covariances = dense_covariances(classifier, X / 20, task)
    half = norm.ppf(0.95) * np.sqrt(np.einsum("ij,ijk,ik->i", Z, covariances[task], Z))
    found = classifier.predict_interval(X, task=task)
    expected = expit(np.stack([log_odds - half, log_odds + half], axis=1))
    assert_allclose(found[:, 1], expected, rtol=1e-4)
    expected = expit(np.stack([-log_odds - half, half - log_odds], axis=1))
    assert_allclose(found[:, 0], expected, rtol=1e-4)


def test_the_only_class_of_a_task_is_certain(classes):
    X, y, task = classes
    y = np.where(task == 0, 1, np.where(task == 1, 0, y))
    model = MeanRegularizedClassifier(**STRENGTHS, class_scope="task")
    found = model.fit(X, y, task=task).predict_interval(X, task=task)
    assert_array_equal(found[task == 0], np.tile([[0, 0], [1, 1]], (25, 1, 1)))
    assert_array_equal(found[task == 1], np.tile([[1, 1], [0, 0]], (25, 1, 1)))
    assert_allclose(found[:, 0], 1 - found[:, 1, ::-1], atol=1e-15)


def test_the_two_likely_classes_of_three_agree_at_large_scores():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(90, 2)), np.repeat(np.arange(3), 30)
    model = MeanRegularizedClassifier(**STRENGTHS).fit(X, np.arange(90) % 3, task=task)
    X *= 1000
    scores = model.decision_function(X, task=task)
    order = scores.argsort(axis=1)
    gaps = np.diff(np.sort(scores, axis=1), axis=1)
    clear = (gaps > 40).all(axis=1)
    assert clear.sum() > 10
    found = model.predict_interval(X, task=task)
    second, first = (found[np.arange(90), order[:, k]][clear] for k in (1, 2))
    assert_allclose(first, 1 - second[:, ::-1], atol=1e-12)


def test_exactly_known_draws_have_the_unbiased_variance():
    gaps = np.random.default_rng(0).normal(size=(50, 3)) * [2.0, 2.0, 0.5]
    hessians = np.tile(1e4 * np.eye(3), (50, 1, 1))
    groups = np.array([False, False, True])
    found, means = estimate_variances(hessians, 1e4 * gaps, np.ones(3), groups)
    of_features = (gaps[:, :2] ** 2).sum() / 98
    expected = np.array([of_features, of_features, gaps[:, 2].var(ddof=1)])
    assert_allclose(found, expected * 51 / 50, rtol=1e-3)
    assert_allclose(means, [0, 0, gaps[:, 2].mean()], rtol=1e-3)


def test_variances_and_means_maximise_the_likelihood_of_uncertain_draws():
    """Each draw is known up to a normal error; the penalty is on small variances."""
    rng = np.random.default_rng(0)
    known, unsure = rng.normal(1.0, 1.5, size=20), rng.uniform(0.5, 2.0, size=20)
    hessians, groups = (1 / unsure)[:, None, None], np.array([True])
    right = (known / unsure)[:, None]
    variance, mean = estimate_variances(hessians, right, np.ones(1), groups)

    def loss(at):
        spread = np.sqrt(np.exp(at[1]) + unsure)
        return -norm.logpdf(known, at[0], spread).sum() - at[1] / 2

    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8})
    assert_allclose(mean, best.x[0], atol=1e-4)
    assert_allclose(variance, np.exp(best.x[1]) * 21 / 20, rtol=1e-4)


def test_rows_that_say_little_of_variances_do_not_set_them_to_zero():
    hessians, groups = np.full((5, 1, 1), 0.1), np.array([True])
    variance, _ = estimate_variances(hessians, np.zeros((5, 1)), np.ones(1), groups)
    assert variance > 1.0


def test_unseen_tasks_have_an_interval_around_the_median_of_tasks():
    """The shared intercept is the log of the mean, above the mean of the logs."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(60), 30)
    levels = rng.normal(size=60)
    y = rng.poisson(np.exp(2 + levels[task]))
    X = rng.normal(size=(len(y), 1))
    model = MeanRegularizedPoissonRegressor(100.0, alpha_intercept=1.0)
    model.fit(X, y, task=task)
    ends = np.log(model.predict_mean_interval(X[:1] * 0, task=99)[0])
    assert_allclose(ends.mean(), 2 + levels.mean(), atol=0.1)
    assert model.intercept_shared_ > 2 + levels.mean() + 0.3
    half = norm.ppf(0.95) * levels.std()
    assert_allclose(np.diff(ends) / 2, half, rtol=0.1)


def test_log_odds_of_a_class_vary_by_their_slopes():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(90, 2)), np.repeat(np.arange(3), 30)
    model = MeanRegularizedClassifier(**STRENGTHS).fit(X, np.arange(90) % 3, task=task)
    row, step = np.array([[0.3, -0.2]]), 1e-5
    covariance = model._posterior().covariances(row, np.array([1]))[0]
    ends = model.predict_interval(row, task=[1])[0]
    basis = _laplace_intervals.contrasts(3)
    scores = model.decision_function(row, task=[1])[0]

    def log_odds(move):
        odds = np.exp(scores + basis @ move)
        return logit(odds / odds.sum())

    slopes = [(log_odds(step * e) - log_odds(-step * e)) / 2 / step for e in np.eye(2)]
    std = np.sqrt(np.einsum("jk,jl,lk->k", slopes, covariance, slopes))
    half = np.diff(logit(ends))[:, 0] / 2
    assert_allclose(half, norm.ppf(0.95) * std, rtol=1e-5)


def test_intervals_of_columns_are_those_of_rows(classes):
    X, y, _ = classes
    X, Y = X[:50], y.reshape(3, 50).T
    wide = MeanRegularizedClassifier(**STRENGTHS).fit(X, Y)
    tall = MeanRegularizedClassifier(**STRENGTHS)
    tall.fit(np.tile(X, (3, 1)), Y.T.ravel(), task=np.repeat(np.arange(3), 50))
    for column, found in enumerate(wide.predict_interval(X[:4])):
        expected = tall.predict_interval(X[:4], task=[column] * 4)
        assert_allclose(found, expected, rtol=1e-4)


def test_a_single_task_does_not_tell_of_others(classes):
    X, y, task = classes
    model = MeanRegularizedClassifier(**STRENGTHS).fit(X, y, task=task * 0)
    assert_allclose(model.predict_interval(X[:1], task=[9]), [[[0, 1], [0, 1]]])
    counts = MeanRegularizedPoissonRegressor(**STRENGTHS).fit(X, y, task=task * 0)
    assert_allclose(counts.predict_interval(X[:1], task=[9]), [[0, np.inf]])
    assert_allclose(counts.predict_mean_interval(X[:1], task=[9]), [[0, np.inf]])


def test_too_many_hessians_are_not_kept(classes, monkeypatch):
    X, y, task = classes
    monkeypatch.setattr(_laplace_intervals, "_N_KEPT", 10)
    model = MeanRegularizedClassifier(**STRENGTHS).fit(X, y, task=task)
    with pytest.raises(ValueError, match="Intervals need the Hessians of all tasks"):
        model.predict_interval(X, task=task)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_quantiles_of_counts_are_those_of_scipy(level):
    mean, zero = np.array([0.2, 3.0, 50.0, 1e4]), np.zeros(4)
    found = _laplace_intervals.find_counts(mean, zero, 0.0, level)
    assert_allclose(found, poisson(mean).ppf(level))
    found = _laplace_intervals.find_counts(mean, zero, 0.25, level)
    assert_allclose(found, nbinom(4, 4 / (4 + mean)).ppf(level))


def test_counts_of_an_uncertain_mean_are_those_of_draws():
    rng = np.random.default_rng(0)
    counts = rng.poisson(20 * np.exp(0.5 * rng.normal(size=200_000)))
    found = [
        _laplace_intervals.find_counts(np.array([20.0]), np.array([0.5]), 0.0, level)[0]
        for level in (0.05, 0.95)
    ]
    assert_allclose(found, np.quantile(counts, [0.05, 0.95]), atol=1)


@pytest.mark.parametrize("std", [0.1, 1.0, 5.0, 20.0, 50.0])
def test_large_counts_have_the_quantiles_of_their_mean(std):
    """A Poisson count of a large mean is nearly this mean, which is log-normal."""
    levels = np.array([0.05, 0.5, 0.95])
    found = [
        _laplace_intervals.find_counts(np.array([1e8]), np.array([std]), 0.0, level)[0]
        for level in levels
    ]
    expected = np.maximum(np.log(1e8) + std * norm.ppf(levels), 0)
    # Half the distance between the nodes.
    assert_allclose(np.log(np.maximum(found, 1)), expected, atol=0.08 * std)


@pytest.mark.parametrize("dispersion", [0.0, 0.3, 30.0])
def test_huge_uncertainty_gives_ends_and_no_warning(dispersion):
    mean, std = np.array([1e-9, 1.0, 1e6]), np.array([300.0, 20.0, 1000.0])
    low, high = (
        _laplace_intervals.find_counts(mean, std, dispersion, level)
        for level in (0.05, 0.95)
    )
    assert_allclose(low, 0)
    assert (high > 1e6).all()


def test_exposures_scale_the_mean():
    X, z, task = draw()
    exposure = np.random.default_rng(1).uniform(0.5, 4, size=len(z))
    y = np.random.default_rng(2).poisson(exposure * np.exp(z))
    model = MeanRegularizedPoissonRegressor(**STRENGTHS)
    model.fit(X, y, task=task, exposure=exposure)
    rates = model.predict_mean_interval(X, task=task)
    found = model.predict_mean_interval(X, task=task, exposure=exposure)
    assert_allclose(found, rates * exposure[:, None])
    assert model._dispersion < 0.1
    ends = model.predict_interval(X, task=task, exposure=exposure)
    assert 0.85 < ((ends[:, 0] <= y) & (y <= ends[:, 1])).mean() < 1


@pytest.mark.full
def test_intervals_cover_their_share():
    covered = []
    for seed in range(6):
        rng, (X, z, task) = np.random.default_rng(seed), draw(60, 30, seed)
        train, mean = task < 40, np.exp(z + 1)
        y = (rng.random(len(z)) < expit(z)).astype(int)
        counts, new = rng.negative_binomial(5, 5 / (5 + mean), size=(2, len(z)))
        models = [
            model(4.0, alpha_shared=0.1, alpha_intercept=4.0).fit(
                X[train], target[train], task=task[train]
            )
            for model, target in (
                (MeanRegularizedClassifier, y),
                (MeanRegularizedPoissonRegressor, counts),
            )
        ]
        parts = (
            (models[0].predict_interval(X, task=task)[:, 1], expit(z)),
            (models[1].predict_mean_interval(X, task=task), mean),
            (models[1].predict_interval(X, task=task), new),
        )
        inside = [(ends[:, 0] <= v) & (v <= ends[:, 1]) for ends, v in parts]
        covered.append([[i[train].mean(), i[~train].mean()] for i in inside])
    shares = np.mean(covered, axis=0)
    assert_allclose(shares[:, 0], 0.9, atol=0.06)
    assert_allclose(shares[:, 1], 0.9, atol=0.09)
