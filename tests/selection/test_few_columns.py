"""Likelihoods of many tasks with few columns are those of all others."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.couplings import ToMean
from skmtl.data import TaskRows
from skmtl.problems.exact import Posterior, solve_moments
from skmtl.selection import ResidualQuantiles
from skmtl.selection.likelihood import (
    CovarianceLikelihood,
    CovarianceSearch,
    FewColumns,
    Grams,
    StrengthSearch,
    likeliest_covariance,
)
from skmtl.selection.noise import _residual_quantiles
from skmtl.selection.noise._variances import NoiseVariances

COVARIANCE = np.array([[0.4, 0.1, 0.0], [0.1, 0.3, -0.1], [0.0, -0.1, 0.5]])


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    sizes = rng.integers(2, 12, 80)
    task = np.repeat(np.arange(80), sizes)
    X = rng.normal([0.5, -1.0], 1.0, (len(task), 2))
    own = rng.normal(size=(80, 3)) @ np.linalg.cholesky(COVARIANCE).T + 0.5
    y = (X * own[task, :2]).sum(axis=1) + own[task, 2] + rng.normal(size=len(task))
    weight = rng.uniform(0.5, 2.0, len(task))
    return TaskRows(X, None, y, weight, np.append(0, np.cumsum(sizes)), np.arange(80))


@pytest.mark.parametrize("has_intercept", [True, False])
@pytest.mark.parametrize("shared", [0.0, 1.5])
def test_the_likelihood_is_that_of_a_covariance(rows, shared, has_intercept):
    moments = rows.moments()
    moments = moments if has_intercept else moments.about_zero()
    size = 2 + has_intercept
    grams = Grams.of(moments, has_intercept, np.zeros(2))
    columns = FewColumns.of(moments, has_intercept)
    differences = []
    for factor in (1.0, 3.0):
        covariance = factor * COVARIANCE[:size, :size]
        expected = CovarianceLikelihood(grams, grams.enter(covariance), shared)
        root = np.linalg.cholesky(covariance)
        found = columns.at(root, shared)
        differences.append(found.criterion - expected.criterion)
        turn = grams.unit[:, None] * root
        gradient = turn.T @ expected.gradient @ turn
        assert_allclose(found.gradient, gradient, atol=1e-8)
        assert_allclose(found.shared_gradient, expected.shared_gradient, atol=1e-8)
        assert_allclose(found.noise_variance, expected.noise_variance)
    assert_allclose(differences[0], differences[1], atol=1e-8)


@pytest.mark.parametrize("per_feature", [True, False])
@pytest.mark.parametrize("shared", [0.0, None])
@pytest.mark.parametrize("noise_variance", [None, 1.2])
def test_a_search_ends_where_that_of_other_columns_does(
    rows, shared, per_feature, noise_variance, monkeypatch
):
    moments = rows.moments()
    search = StrengthSearch(
        moments, shared, True, per_feature, noise_variance=noise_variance
    )
    assert search.likeliest is not None
    found = search.search()[-1][-1]
    monkeypatch.setattr(StrengthSearch, "likeliest", None)
    assert_allclose(found, replace(search).search()[-1][-1], atol=1e-6)


@pytest.mark.parametrize("is_free", [True, False])
def test_a_covariance_is_that_of_a_search_of_all_columns(rows, is_free):
    grams = Grams.of(rows.moments(), True)
    start = grams.enter(np.eye(3))
    expected = CovarianceSearch(grams, start, 1.0, is_free).search()
    columns = FewColumns.of(rows.moments(), True)
    covariance, shared = likeliest_covariance(columns, np.eye(3), 1.0, is_free)
    found = CovarianceLikelihood(grams, grams.enter(covariance), shared)
    assert_allclose(found.criterion, expected.criterion, atol=1e-6)


def test_fisher_information_is_the_mean_of_a_hessian(rows):
    root = np.linalg.cholesky(COVARIANCE)
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(80), np.diff(rows.offsets))
    rows = replace(rows, weight=None)
    columns, lower = np.column_stack([rows.X, np.ones(len(codes))]), np.tril_indices(3)
    total, n_draws, step = 0.0, 40, 1e-3
    for _ in range(n_draws):
        own = rng.normal(size=(80, 3)) @ root.T
        y = (columns * own[codes]).sum(axis=1) + rng.normal(size=len(codes))
        few = FewColumns.of(replace(rows, y=y).moments(), True)

        def value(size, few=few):
            return few.at(root @ np.diag([1.0, 1.0 + size, 1.0]), 0.0).criterion

        total += (value(step) - 2 * value(0.0) + value(-step)) / step**2 / n_draws
    place = 2  # of the second diagonal element in the lower triangle
    # The centre, which is estimated, takes a few per cent of the information.
    information = few.at(root, 0.0).information_of_root(lower)[place, place]
    assert_allclose(total, information, rtol=0.2)


def test_many_dependent_or_far_columns_are_refused(rows):
    moments = rows.moments()
    assert FewColumns.of(moments, True) is not None
    far = replace(rows, X=rows.X + 1e4).moments()
    assert FewColumns.of(far, True) is None
    twice = replace(rows, X=np.column_stack([rows.X, rows.X])).moments()
    assert FewColumns.of(twice, True) is None
    wide = np.random.default_rng(0).normal(size=(len(rows.y), 13))
    assert FewColumns.of(replace(rows, X=wide).moments(), True) is None


@pytest.mark.parametrize("alpha", [2.0, np.linalg.inv(COVARIANCE)])
def test_leverages_of_moments_are_those_of_rows(rows, alpha):
    rows = replace(rows, task_weight=np.linspace(0.5, 2, 80))
    moments = replace(rows, task_weight=None).moments().weighted(rows.task_weight)
    strengths = ToMean(alpha, 0.5, 0.0 if np.ndim(alpha) else 3.0).strengths(80, 2)
    fit = solve_moments(moments, strengths, True)
    found = NoiseVariances.of(fit).freedom
    posterior, freedom = Posterior(fit), moments.weight.copy()
    for group in rows.weighted_groups():
        leverage = group.weight * posterior.variance(group.X, group.tasks)
        np.subtract.at(freedom, group.tasks, leverage.sum(axis=1))
    assert_allclose(found, freedom, rtol=1e-8)
    total = moments.weight.sum() - Posterior(fit).degrees_of_freedom
    assert_allclose(found.sum(), total, rtol=1e-6)


def test_single_rows_have_the_residuals_of_stacks(rows, monkeypatch):
    rows = replace(rows, task_weight=np.linspace(0.5, 2, 80))
    moments = replace(rows, task_weight=None).moments().weighted(rows.task_weight)
    fit = solve_moments(moments, ToMean(2.0, 0.5, 3.0).strengths(80, 2), True)
    single = ResidualQuantiles.of(fit, rows).sizes
    monkeypatch.setattr(_residual_quantiles, "_SMALL", 0)
    assert_allclose(single, ResidualQuantiles.of(fit, rows).sizes, rtol=1e-8)
