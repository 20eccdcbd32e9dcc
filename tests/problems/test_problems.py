import itertools
from dataclasses import replace

import numpy as np
import pytest
from dense import Dense
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import LinAlgWarning
from scipy.optimize import approx_fprime

from skmtl.couplings import Apart, ToMean
from skmtl.data import SharedRows, TaskRows, summarise
from skmtl.problems.exact import (
    CentreFit,
    Posterior,
    bound,
    factor_moments,
    factor_path,
    factor_rows,
    has_few_rows,
    pose,
    pose_moments,
)
from skmtl.selection import (
    Candidates,
    RestrictedLikelihood,
    StrengthSearch,
    deal,
    fold_moments,
    fold_scores,
    generalised_scores,
    left_out_scores,
    rows_path,
    shared_path,
    suggest_alphas,
    suggest_levels,
)
from skmtl.solvers import Inverse

PER_FEATURE = np.array([0.3, 2.0, 9.0, 0.05])


def rows_of(sizes, n_features, seed=0, weight=None, offset=3.0):
    """Draw rows of tasks of these sizes, grouped by task."""
    rng = np.random.default_rng(seed)
    n_rows = int(np.sum(sizes))
    codes = np.repeat(np.arange(len(sizes)), sizes)
    scale = rng.uniform(0.5, 2.0, size=(len(sizes), n_features))
    X = rng.normal(size=(n_rows, n_features)) * scale[codes] + offset
    X += rng.normal(size=scale.shape)[codes]
    y = (X * rng.normal(1.0, 0.5, size=scale.shape)[codes]).sum(axis=1)
    y += rng.normal(size=len(sizes))[codes] + rng.normal(size=n_rows)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return TaskRows(X, None, y, weight, offsets, np.arange(len(sizes)))


def uneven(n_rows, seed=1):
    """Weights of rows, some of them zero."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.2, 3.0, size=n_rows) * (rng.random(n_rows) > 0.2)


def dense_of(rows, coupling, fit_intercept=True):
    """State the same problem in one dense matrix."""
    n_features = rows.X.shape[1]
    return Dense(
        rows.X,
        rows.y,
        np.repeat(np.arange(len(rows.tasks)), np.diff(rows.offsets)),
        len(rows.tasks),
        np.ones(len(rows.y)) if rows.weight is None else rows.weight,
        np.broadcast_to(np.asarray(coupling.alpha, float), n_features).copy(),
        coupling.alpha_shared,
        coupling.alpha_intercept,
        fit_intercept,
    )


def by_inversion(rows, pull, fit_intercept):
    moments = rows.moments() if fit_intercept else rows.moments().about_zero()
    blocks = Inverse.factor(moments.xx, pull.own)
    return CentreFit(moments, blocks, pull, fit_intercept)


def by_eigenvectors(rows, pull, fit_intercept):
    moments = rows.moments() if fit_intercept else rows.moments().about_zero()
    return CentreFit(moments, factor_path(moments, pull), pull, fit_intercept)


def by_rows(rows, pull, fit_intercept):
    return pose(rows, pull, fit_intercept)


def pull_of(rows, coupling):
    return coupling.pull(len(rows.tasks), rows.X.shape[1])


each_factor = pytest.mark.parametrize("solve", [by_inversion, by_eigenvectors, by_rows])
COUPLINGS = [
    ToMean(alpha, alpha_shared, alpha_intercept)
    for alpha, alpha_shared, alpha_intercept in itertools.product(
        [0.7, PER_FEATURE], [0.0, 2.5], [0.0, 0.5, np.inf]
    )
]
each_coupling = pytest.mark.parametrize("coupling", COUPLINGS, ids=str)
SIZES = {"many rows": (9, 12, 7, 20), "few rows": (2, 3, 1, 2, 3), "one": (8,)}


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def sizes(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["rows alike", "weights"])
def rows(request, sizes):
    weight = uneven(np.sum(sizes)) if request.param else None
    return rows_of(sizes, 4, weight=weight)


def assert_solves(fit, dense, rtol=1e-8):
    """Compare a fit with the dense solution; free intercepts have no centre."""
    coef, intercept, shared, intercept_shared, objective = dense.solve()
    scale = np.abs(coef).max()
    assert_allclose(fit.coef, coef, atol=rtol * scale)
    assert_allclose(fit.coef_shared, shared, atol=rtol * scale)
    assert_allclose(fit.objective, objective, rtol=rtol, atol=rtol)
    level = np.abs(intercept).max() + 1
    pulled = dense.fit_intercept and dense.alpha_intercept > 0
    seen = (np.bincount(dense.codes, dense.weight) > 0) | pulled
    assert_allclose(fit.intercept[seen], intercept[seen], atol=rtol * level)
    assert_allclose(fit.intercept[~seen], fit.intercept_shared)
    known = intercept_shared if pulled else fit.intercept_shared
    assert_allclose(fit.intercept_shared, known, atol=rtol * level)


# -- equivalence with one dense least-squares problem


@each_factor
@each_coupling
def test_a_fit_solves_the_dense_problem(rows, coupling, solve):
    fit = solve(rows, pull_of(rows, coupling), True)
    assert_solves(fit, dense_of(rows, coupling))


@each_factor
@pytest.mark.parametrize("coupling", COUPLINGS[::3], ids=str)
def test_a_fit_without_intercept_solves_the_dense_problem(rows, coupling, solve):
    fit = solve(rows, pull_of(rows, coupling), False)
    assert_solves(fit, dense_of(rows, coupling, fit_intercept=False))
    assert_allclose(fit.intercept, 0)
    assert fit.intercept_shared == 0


@each_factor
@each_coupling
def test_variances_and_freedom_are_those_of_the_dense_matrix(rows, coupling, solve):
    posterior = Posterior(solve(rows, pull_of(rows, coupling), True))
    dense = dense_of(rows, coupling)
    found = np.concatenate(
        [
            posterior.variance(group.X, group.tasks).ravel()
            for group in rows.groups(whole=True)
        ]
    )
    order = np.concatenate([g.rows.ravel() for g in rows.groups(whole=True)])
    expected = dense.variance(rows.X, dense.codes)[order]
    heavy = dense.weight[order] > 0
    assert_allclose(found[heavy], expected[heavy], rtol=1e-7, atol=1e-10)
    assert_allclose(posterior.degrees_of_freedom, dense.degrees_of_freedom(), rtol=1e-8)


@each_factor
@pytest.mark.parametrize("coupling", COUPLINGS[::3], ids=str)
def test_variances_without_intercept_are_those_of_the_dense_matrix(
    rows, coupling, solve
):
    posterior = Posterior(solve(rows, pull_of(rows, coupling), False))
    dense = dense_of(rows, coupling, fit_intercept=False)
    assert_allclose(posterior.degrees_of_freedom, dense.degrees_of_freedom(), rtol=1e-8)
    group = next(rows.groups(whole=True))
    codes = np.repeat(group.tasks, group.X.shape[1])
    assert_allclose(
        posterior.variance(group.X, group.tasks).ravel(),
        dense.variance(group.X.reshape(len(codes), -1), codes),
        rtol=1e-7,
    )


@each_factor
@pytest.mark.parametrize(
    "coupling", [c for c in COUPLINGS if c.alpha_intercept], ids=str
)
def test_a_new_task_is_as_uncertain_as_one_without_rows(coupling, solve):
    rows = rows_of((9, 12, 7), 4, weight=uneven(28))
    posterior = Posterior(solve(rows, pull_of(rows, coupling), True))
    dense = replace(dense_of(rows, coupling), n_tasks=4)
    X = np.random.default_rng(5).normal(size=(6, 4))
    expected = dense.variance(X, np.full(6, 3))
    assert_allclose(posterior.variance_of_new_task(X), expected, rtol=1e-8)


def test_a_new_task_is_infinitely_uncertain_where_nothing_pulls():
    rows = rows_of((9, 12, 7), 4)
    fit = by_inversion(rows, pull_of(rows, ToMean(1.0)), True)
    assert np.isinf(Posterior(fit).variance_of_new_task(np.zeros((2, 4)))).all()


@each_factor
@pytest.mark.parametrize("alpha_intercept", [0.5, 4.0, np.inf])
@pytest.mark.parametrize("alpha", [0.7, PER_FEATURE], ids=["one", "each"])
@pytest.mark.parametrize("alpha_shared", [0.0, 2.5])
def test_the_criterion_is_that_of_the_dense_likelihood(
    solve, alpha, alpha_shared, alpha_intercept
):
    rows = rows_of((5, 8, 3, 9), 4)
    coupling = ToMean(alpha, alpha_shared, alpha_intercept)
    likelihood = RestrictedLikelihood(solve(rows, pull_of(rows, coupling), True))
    dense = dense_of(rows, coupling)
    assert_allclose(likelihood.criterion, dense.criterion(), rtol=1e-9)


@each_factor
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_criterion_of_free_or_no_intercepts_is_that_of_the_dense_likelihood(
    solve, fit_intercept
):
    rows = rows_of((5, 8, 3, 9), 4)
    coupling = ToMean(PER_FEATURE)
    fit = solve(rows, pull_of(rows, coupling), fit_intercept)
    dense = dense_of(rows, coupling, fit_intercept)
    assert_allclose(RestrictedLikelihood(fit).criterion, dense.criterion(), rtol=1e-9)


@pytest.mark.parametrize("alpha_shared", [0.0, 2.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_gradient_is_that_of_finite_differences(
    alpha_shared, fit_intercept, weighted
):
    rows = rows_of((5, 8, 3, 9), 4, weight=uneven(25) if weighted else None)
    start = np.log([*PER_FEATURE, 2.0])

    def likelihood(logs):
        coupling = ToMean(np.exp(logs[:4]), alpha_shared, np.exp(logs[4]))
        return RestrictedLikelihood(
            by_inversion(rows, pull_of(rows, coupling), fit_intercept)
        )

    expected = approx_fprime(start, lambda logs: likelihood(logs).criterion, 1e-6)
    features, level = likelihood(start).gradient
    assert_allclose([*features, level], expected, rtol=1e-4, atol=1e-4)


@each_factor
@pytest.mark.parametrize("coupling", COUPLINGS[:6], ids=str)
def test_integer_weights_are_repetitions_everywhere(coupling, solve):
    times = np.random.default_rng(2).integers(0, 4, size=25)
    weighted = rows_of((5, 8, 3, 9), 4, weight=times.astype(float))
    repeated = replace(weighted, weight=None).select(np.repeat(np.arange(25), times))
    fits = [solve(r, pull_of(r, coupling), True) for r in (weighted, repeated)]
    for name in ("coef", "intercept", "coef_shared", "intercept_shared", "objective"):
        assert_allclose(getattr(fits[0], name), getattr(fits[1], name), rtol=1e-8)
    posteriors = [Posterior(fit) for fit in fits]
    assert_allclose(
        posteriors[0].degrees_of_freedom, posteriors[1].degrees_of_freedom, rtol=1e-9
    )
    assert_allclose(posteriors[0].noise_variance, posteriors[1].noise_variance)
    criteria = [RestrictedLikelihood(fit).criterion for fit in fits]
    assert_allclose(*criteria, rtol=1e-9)


@pytest.mark.parametrize(
    "coupling", [c for c in COUPLINGS if c.alpha_intercept], ids=str
)
def test_leave_one_out_is_leaving_one_out(rows, coupling):
    dense = dense_of(rows, coupling)
    level = np.array([coupling.alpha_intercept])
    shared = np.array([coupling.alpha_shared])
    candidates = Candidates(np.array([0.7]), shared, level, True)
    dense = replace(dense, alpha=np.full(4, 0.7))
    left = dense.left_out()
    expected = (dense.weight * left**2).sum() / dense.weight.sum()
    found = left_out_scores(rows, rows.moments(), candidates)[1]
    assert_allclose(found, [expected], rtol=1e-7)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_leave_one_out_is_leaving_one_out(rows, fit_intercept):
    alphas = np.array([0.2, 3.0])
    path = rows_path(rows, alphas, fit_intercept)
    for k, alpha in enumerate(alphas):
        coupling = ToMean(alpha, 1e12)
        dense = dense_of(rows, coupling, fit_intercept)
        left = dense.left_out()
        alone = np.bincount(dense.codes, dense.weight > 0)[dense.codes] == 1
        left[alone & fit_intercept] = 0  # no other row predicts it
        expected = np.bincount(dense.codes, dense.weight * left**2)
        assert_allclose(path.errors[:, k], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("n_rows", [30, 6])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_shared_rows_leave_one_out_like_stacked_rows(n_rows, fit_intercept):
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(n_rows, 9)), rng.normal(size=(n_rows, 4))
    data = SharedRows(X, Y, rng.integers(1, 4, n_rows).astype(float), np.arange(4))
    alphas = np.array([0.1, 1.0, 20.0])
    shared = shared_path(data, alphas, fit_intercept, per_task=False)
    stacked = rows_path(data.stacked(), alphas, fit_intercept)
    assert_allclose(shared.errors, stacked.errors, rtol=1e-9)
    assert_allclose(shared.weight, stacked.weight)
    chosen = alphas[[0, 1, 2, 1]]
    for name in ("coef", "intercept", "coef_shared", "intercept_shared"):
        found, expected = (
            getattr(path.models(chosen), name) for path in (shared, stacked)
        )
        assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_screening_finds_what_looking_everywhere_finds():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(40, 12))
    noise = np.geomspace(0.05, 20, 60)
    Y = X @ rng.normal(size=(12, 60)) + noise * rng.normal(size=(40, 60))
    data, alphas = SharedRows(X, Y, None, np.arange(60)), np.geomspace(1e-3, 1e5, 33)
    screened = shared_path(data, alphas, True, per_task=True).errors.argmin(axis=1)
    everywhere = shared_path(data, alphas, True, per_task=False).errors.argmin(axis=1)
    assert np.isfinite(shared_path(data, alphas, True, per_task=False).errors).all()
    assert (screened == everywhere).mean() > 0.95


# -- folds


@pytest.mark.parametrize("partition", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_fold_scores_are_errors_of_fits_on_the_other_folds(partition, fit_intercept):
    rows = rows_of((9, 12, 7, 20), 4, weight=uneven(48))
    splits = deal(rows, 4) if partition else deal(rows, 4)[:3]
    levels = np.array([0.5, np.inf]) if fit_intercept else np.zeros(1)
    candidates = Candidates(
        np.array([0.1, 5.0]), np.array([1.5]), levels, fit_intercept
    )
    triples, found = fold_scores(rows, splits, candidates)
    codes = np.repeat(np.arange(4), np.diff(rows.offsets))
    for k, (train, test) in enumerate(splits):
        for c, (alpha, _, level) in enumerate(triples):
            dense = dense_of(rows, ToMean(alpha, 1.5, level), fit_intercept)
            weight = np.zeros(48)
            weight[train] = dense.weight[train]
            coef, intercept = replace(dense, weight=weight).solve()[:2]
            left = rows.y - (rows.X * coef[codes]).sum(axis=1) - intercept[codes]
            expected = np.average(left[test] ** 2, weights=dense.weight[test])
            assert_allclose(found[k, c], expected, rtol=1e-8)


def test_moments_of_folds_are_those_of_their_rows():
    rows = rows_of((9, 12, 7, 20), 4, weight=uneven(48))
    for (train, test), (first, second) in zip(
        deal(rows, 4), fold_moments(rows, deal(rows, 4)), strict=True
    ):
        for found, index in ((first, train), (second, test)):
            expected = rows.select(index).moments()
            assert_allclose(found.xx, expected.xx, rtol=1e-9, atol=1e-9)
            assert_allclose(found.weight, expected.weight)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=5, max_size=9),
    n_splits=st.integers(2, 5),
)
def test_dealing_tests_each_row_once_and_keeps_tasks_even(sizes, n_splits):
    rows = rows_of(sizes, 1)
    tested = np.concatenate([test for _, test in deal(rows, n_splits)])
    assert sorted(tested) == list(range(len(rows.y)))
    codes = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.array(
        [
            np.bincount(codes[test], minlength=len(sizes))
            for _, test in deal(rows, n_splits)
        ]
    )
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert np.ptp(counts.sum(axis=1)) <= 1


@pytest.mark.parametrize("n_splits", [1, 29])
def test_there_are_no_more_folds_than_rows(n_splits):
    message = f"at most the number of rows, got cv={n_splits} with n_samples=28"
    with pytest.raises(ValueError, match=message):
        deal(rows_of((9, 12, 7), 2), n_splits)


@pytest.mark.parametrize("splits", [[([0, 1], [2]), ([0], [3])], [([3], [0, 1])]])
def test_folds_must_have_weight(splits):
    rows = rows_of((9, 12, 7), 2, weight=np.arange(28) < 3.0)
    with pytest.raises(ValueError, match=r"must have rows with weight to train on"):
        fold_moments(rows, splits)


def test_generalised_scores_use_the_mean_leverage(rows):
    candidates = Candidates(*np.array([[0.7], [0.0], [0.5]]), True)
    found = generalised_scores(rows.moments(), candidates)[1]
    fit = by_inversion(rows, pull_of(rows, ToMean(0.7, 0.0, 0.5)), True)
    n, freedom = rows.moments().weight.sum(), Posterior(fit).degrees_of_freedom
    expected = n * fit.squared_errors.sum() / (n - freedom) ** 2
    chance = n - freedom < n / 10  # too few degrees of freedom to estimate the error
    assert_allclose(found, [np.where(chance, np.inf, expected)])


def test_leave_one_out_evaluates_only_strengths_near_the_best():
    rows = rows_of((9, 12, 7, 20), 4)
    moments = rows.moments()
    grid = suggest_alphas(moments, 15), np.zeros(1), suggest_levels(moments, 6)
    triples, scores = left_out_scores(rows, moments, Candidates(*grid, True))
    assert 0 < np.isfinite(scores).sum() < 60
    single = Candidates(*triples[-1][:, None], True)
    assert_allclose(left_out_scores(rows, moments, single)[1], scores[-1:])
    assert scores[-1] == np.nanmin(scores)


def test_suggested_strengths_are_in_the_units_of_the_data():
    rows = rows_of((9, 12, 7, 20), 4)
    larger = replace(rows, X=rows.X * 10).moments()
    few = suggest_alphas(rows.moments(), 5)
    assert_allclose(suggest_alphas(larger, 5), 100 * few)
    assert (np.diff(few) > 0).all()
    assert suggest_levels(rows.moments(), 4)[-1] == np.inf


# -- strengths of largest restricted likelihood


@pytest.mark.parametrize("per_feature", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_no_strengths_nearby_are_likelier(per_feature, fit_intercept):
    rows = rows_of((15, 18, 13, 19, 16, 14, 15, 13), 2, seed=8)
    moments = rows.moments() if fit_intercept else rows.moments().about_zero()
    search = StrengthSearch(moments, 0.0, fit_intercept, per_feature)
    alpha, _, level, best = search.search()[-1]
    alpha = np.broadcast_to(alpha, 2)

    def criterion(features, intercept):
        coupling = ToMean(alpha * features, 0.0, level * intercept)
        return dense_of(rows, coupling, fit_intercept).criterion()

    assert_allclose(best, criterion(1, 1), rtol=1e-9)
    for factor in (0.8, 0.97, 1.03, 1.25):
        assert criterion(factor, 1) > best - 1e-7
        assert criterion(1, factor) > best - 1e-7


def test_tasks_that_do_not_differ_have_infinite_strength():
    rng = np.random.default_rng(0)
    rows = rows_of((40,) * 6, 2)
    noise = np.concatenate([np.ones(20), -np.ones(20)] * 6)
    rows = replace(rows, y=rows.X @ [1.0, -2.0] + 0.1 * rng.permutation(noise))
    alpha, *_, best = StrengthSearch(rows.moments(), 0.0, True, True).search()[-1]
    assert np.isinf(alpha).any()
    assert np.isfinite(best)


def test_targets_that_are_fitted_exactly_have_a_likelihood():
    rows = rows_of((9, 12, 7), 2)
    for y in (rows.X @ [1.0, 2.0], np.zeros(28)):
        moments = replace(rows, y=y).moments()
        fit = pose_moments(moments, ToMean(2.0, 0.0, 1.0).pull(3, 2))
        likelihood = RestrictedLikelihood(fit)
        assert np.isfinite(likelihood.criterion)
        assert np.isfinite(likelihood.gradient[0]).all()


# -- numerical pitfalls


@pytest.mark.parametrize("solve", [by_inversion, by_eigenvectors])
@pytest.mark.parametrize("alpha", [1e8, 1e10, 1e12, 1e14])
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
def test_huge_strengths_cost_no_digits(solve, alpha, alpha_intercept):
    """A Schur complement by differences has no digits left here."""
    rows = rows_of((60,) * 10, 5)
    rows = replace(rows, X=rows.X * np.geomspace(1, 1e-2, 5))
    fit = solve(rows, pull_of(rows, ToMean(alpha, 0.0, alpha_intercept)), True)
    pooled = dense_of(rows, ToMean(np.inf, 0.0, alpha_intercept)).solve()
    assert_allclose(fit.coef_shared, pooled[2], rtol=max(1e-9, 1e5 / alpha))
    assert_allclose(fit.coef - fit.coef_shared, 0, atol=1e4 / alpha)


@pytest.mark.parametrize("alpha", [1e-14, 1e-8, 1e8, 1e14, np.inf])
@pytest.mark.parametrize("alpha_intercept", [1e-10, 1e10, 1e14])
def test_extreme_strengths_of_intercepts_cost_no_digits(alpha, alpha_intercept):
    rows = rows_of((9, 12, 7, 20), 4)
    coupling = ToMean(alpha, 0.0, alpha_intercept)
    fit = pose_moments(rows.moments(), pull_of(rows, coupling))
    limit = ToMean(
        {1e-14: 0.0, 1e-8: 0.0}.get(alpha, np.inf),
        0.0,
        {1e-10: 0.0}.get(alpha_intercept, np.inf),
    )
    expected = dense_of(rows, limit).solve()
    assert_allclose(fit.coef, expected[0], rtol=1e-5)
    assert_allclose(fit.intercept, expected[1], rtol=1e-5)


@each_factor
@pytest.mark.parametrize("alpha", [0.01, 1.0, 1e6])
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
def test_a_feature_that_is_zero_everywhere_has_no_coefficient(
    solve, alpha, alpha_intercept
):
    rows = rows_of((9, 12, 7, 20), 4)
    X = rows.X.copy()
    X[:, 2] = 0
    coupling = ToMean(alpha, 0.0, alpha_intercept)
    fit = solve(replace(rows, X=X), pull_of(rows, coupling), True)
    assert_allclose(fit.coef_shared[2], 0, atol=1e-12)
    assert_allclose(fit.coef[:, 2], 0, atol=1e-12)
    kept = [0, 1, 3]
    rest = replace(rows, X=X[:, kept])
    expected = solve(rest, pull_of(rest, coupling), True)
    assert_allclose(fit.coef[:, kept], expected.coef, rtol=1e-8)
    assert Posterior(fit).n_fixed == Posterior(expected).n_fixed
    assert_allclose(
        Posterior(fit).degrees_of_freedom, Posterior(expected).degrees_of_freedom
    )


@each_factor
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
def test_equal_features_have_equal_coefficients(solve, alpha_intercept):
    rows = rows_of((9, 12, 7, 20), 4)
    rows = replace(rows, X=rows.X[:, [0, 1, 1, 3]])
    fit = solve(rows, pull_of(rows, ToMean(0.5, 0.0, alpha_intercept)), True)
    assert_allclose(fit.coef[:, 1], fit.coef[:, 2], rtol=1e-6)
    assert_allclose(fit.coef_shared[1], fit.coef_shared[2], rtol=1e-6)


@pytest.mark.parametrize("alpha_intercept", [0.5, np.inf])
def test_a_feature_constant_within_each_task_is_told_from_the_intercept(
    alpha_intercept,
):
    rows = rows_of((9, 12, 7, 20), 4)
    codes = np.repeat(np.arange(4), np.diff(rows.offsets))
    X = rows.X.copy()
    X[:, 1] = np.array([0.3, -1.0, 2.0, 5.0])[codes]
    rows = replace(rows, X=X)
    coupling = ToMean(0.5, 0.0, alpha_intercept)
    fit = pose_moments(rows.moments(), pull_of(rows, coupling))
    assert_solves(fit, dense_of(rows, coupling), rtol=1e-7)


@pytest.mark.parametrize("value", [0.1, 1e5 / 3, -7e-5])
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
@each_factor
def test_a_constant_feature_is_a_second_intercept(solve, alpha_intercept, value):
    rows = rows_of((9, 12, 7, 23), 4)
    X = rows.X.copy()
    X[:, 1] = value
    rows = replace(rows, X=X)
    coupling = ToMean(0.5, 0.0, alpha_intercept)
    fit = solve(rows, pull_of(rows, coupling), True)
    dense = dense_of(rows, coupling)
    coef, intercept, _, _, objective = dense.solve()
    kept = [0, 2, 3]
    assert_allclose(fit.coef[:, kept], coef[:, kept], rtol=1e-6)
    levels = intercept + value * coef[:, 1]
    assert_allclose(fit.intercept + value * fit.coef[:, 1], levels, rtol=1e-6)
    assert_allclose(fit.coef_shared[1], 0, atol=1e-9)
    assert_allclose(fit.objective, objective, rtol=1e-8)
    assert Posterior(fit).n_fixed == 3 + (4 if alpha_intercept == 0 else 1)


def test_columns_of_very_different_scale_are_solved():
    rows = rows_of((30, 40, 25), 4)
    scale = np.array([1e-6, 1e6, 1.0, 1e3])
    alpha = np.array([0.5, 2.0, 0.1, 1.0])
    plain = pose_moments(rows.moments(), pull_of(rows, ToMean(alpha, 0.0, 0.5)))
    scaled = replace(rows, X=rows.X * scale)
    pull = pull_of(scaled, ToMean(alpha * scale**2, 0.0, 0.5))
    fit = pose_moments(scaled.moments(), pull)
    assert_allclose(fit.coef * scale, plain.coef, rtol=1e-7)
    assert_allclose(fit.coef_shared * scale, plain.coef_shared, rtol=1e-7)


def test_strength_zero_is_each_task_on_its_own():
    rows = rows_of((30, 40, 25), 4)
    fit = pose_moments(rows.moments(), pull_of(rows, ToMean(0.0)))
    coef, intercept = dense_of(rows, ToMean(0.0)).solve()[:2]
    assert_allclose(fit.coef, coef, rtol=1e-8)
    assert_allclose(fit.intercept, intercept, rtol=1e-8)
    assert_allclose(slopes_of_all_rows(rows, fit.unpack()), 0, atol=1e-8)


def slopes_of_all_rows(rows, models):
    """Return the gradient of the squared errors of the model for new tasks."""
    moments = rows.moments().less(models.coef_shared, models.intercept_shared)
    bias = moments.weight * moments.y_mean
    slopes = moments.xy.sum(axis=0) + bias @ moments.x_mean
    return np.append(slopes - bias.sum() * moments.x_mean[0], bias.sum())


@pytest.mark.parametrize("factor", ["moments", "rows"])
def test_tasks_with_fewer_rows_than_features_get_the_least_norm(factor):
    rows = rows_of((3, 5, 2), 8, offset=0.0)
    pull = Apart(0.0).pull(3, 8)
    fits = {
        "moments": lambda: pose_moments(rows.moments(), pull),
        "rows": lambda: pose(rows, pull),
    }
    fit = fits[factor]()
    for t in range(3):
        part = slice(rows.offsets[t], rows.offsets[t + 1])
        X, y = rows.X[part], rows.y[part]
        expected = np.linalg.pinv(X - X.mean(axis=0)) @ (y - y.mean())
        assert_allclose(fit.coef[t], expected, rtol=1e-6, atol=1e-9)


def test_the_dual_form_is_the_primal_form():
    rows = rows_of((3, 5, 2, 4, 6), 70, offset=0.0)
    assert has_few_rows(rows)
    for alpha_intercept in (0.0, 0.5, np.inf):
        pull = pull_of(rows, ToMean(2.0, 0.3, alpha_intercept))
        few, full = pose(rows, pull), pose_moments(rows.moments(), pull)
        assert_allclose(few.coef, full.coef, atol=1e-9)
        assert_allclose(few.intercept, full.intercept, rtol=1e-8)
        assert_allclose(few.coef_shared, full.coef_shared, atol=1e-9)
        assert_allclose(
            Posterior(few).degrees_of_freedom, Posterior(full).degrees_of_freedom
        )


def test_a_task_without_weight_does_not_count():
    weight = np.ones(48)
    weight[9:21] = 0
    rows = rows_of((9, 12, 7, 20), 4, weight=weight)
    kept = np.flatnonzero(weight)
    less = summarise(rows.X[kept], rows.y[kept], np.repeat([0, 2, 3], [9, 7, 20]))
    for coupling in COUPLINGS:
        pull = pull_of(rows, coupling)
        fit = pose_moments(rows.moments(), pull)
        expected = pose_moments(less, coupling.pull(3, 4))
        models, others = fit.unpack(), expected.unpack()
        assert_allclose(models.coef[[0, 2, 3]], others.coef, rtol=1e-9)
        assert_allclose(models.coef[1], models.coef_shared, rtol=1e-9)
        assert_allclose(models.intercept[1], models.intercept_shared, rtol=1e-9)
        assert_allclose(models.coef_shared, others.coef_shared, rtol=1e-9)
        assert_allclose(models.intercept_shared, others.intercept_shared, rtol=1e-9)
        assert_allclose(
            Posterior(fit).degrees_of_freedom, Posterior(expected).degrees_of_freedom
        )
        assert_allclose(
            RestrictedLikelihood(fit).criterion,
            RestrictedLikelihood(expected).criterion,
            rtol=1e-9,
        )


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e7])
def test_an_offset_of_the_features_moves_only_the_intercepts(offset):
    rows = rows_of((9, 12, 7, 20), 4, offset=0.0)
    pull = pull_of(rows, ToMean(0.7))
    plain = pose_moments(rows.moments(), pull)
    moved = pose_moments(replace(rows, X=rows.X + offset).moments(), pull)
    rtol = max(1e-10, offset * 1e-14)
    assert_allclose(moved.coef, plain.coef, rtol=rtol, atol=rtol)
    assert_allclose(moved.coef_shared, plain.coef_shared, rtol=rtol, atol=rtol)


def test_a_shared_scatter_is_the_same_as_one_per_task():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(25, 4)) + 2, rng.normal(size=(25, 6))
    data = SharedRows(X, Y, uneven(25), np.arange(6))
    assert data.shares_moments
    for coupling in COUPLINGS:
        pull = coupling.pull(6, 4)
        fits = [
            pose_moments(m, pull) for m in (data.moments(), data.stacked().moments())
        ]
        for name in ("coef", "intercept", "coef_shared", "objective"):
            assert_allclose(
                getattr(fits[0], name), getattr(fits[1], name), rtol=1e-8, atol=1e-10
            )
        freedom = [Posterior(fit).degrees_of_freedom for fit in fits]
        assert_allclose(*freedom, rtol=1e-9)
        learnt = [RestrictedLikelihood(fit).gradient[0] for fit in fits]
        assert_allclose(*learnt, rtol=1e-7, atol=1e-7)
        criteria = [RestrictedLikelihood(fit).criterion for fit in fits]
        assert_allclose(*criteria, rtol=1e-9)


@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    n_features=st.integers(1, 6),
    exponent=st.floats(-6, 6),
    alpha_intercept=st.sampled_from([0.0, 1e-3, 1.0, 1e3, np.inf]),
    seed=st.integers(0, 1000),
)
def test_degrees_of_freedom_lie_between_none_and_one_per_row(
    sizes, n_features, exponent, alpha_intercept, seed
):
    rows = rows_of(sizes, n_features, seed)
    pull = pull_of(rows, ToMean(10.0**exponent, 0.0, alpha_intercept))
    fit = pose_moments(rows.moments(), pull)
    freedom = Posterior(fit).degrees_of_freedom
    assert 0 <= freedom <= len(rows.y) * (1 + 1e-6)
    total = (rows.y**2).sum()
    assert 0 <= fit.objective <= ((rows.y - rows.y.mean()) ** 2).sum() + 1e-9 * total
    assert (fit.squared_errors >= 0).all()


# -- choices and warnings


def test_nearly_collinear_features_are_warned_of():
    rows = rows_of((30, 40), 3)
    X = rows.X.copy()
    X[:, 2] = X[:, 1] + 1e-5 * rows.y
    moments = replace(rows, X=X).moments()
    with pytest.warns(LinAlgWarning, match="condition number .* raise alpha"):
        factor_moments(moments, Apart(1e-12).pull(2, 3))


def test_free_features_must_be_determined_by_every_task():
    rows = rows_of((30, 2), 3)
    pull = ToMean(np.array([0.0, 1.0, 0.0])).pull(2, 3)
    with pytest.raises(ValueError, match=r"features \[0, 2\] with alpha 0 are collin"):
        factor_moments(rows.moments(), pull)


def test_features_may_be_free_where_every_task_determines_them():
    rows = rows_of((30, 20), 4)
    coupling = ToMean(np.array([0.0, 1.0, 0.0, 3.0]))
    fit = pose_moments(rows.moments(), pull_of(rows, coupling))
    coef, intercept = dense_of(rows, coupling).solve()[:2]
    assert_allclose(fit.coef, coef, rtol=1e-8)
    assert_allclose(fit.intercept, intercept, rtol=1e-8)
    slopes = slopes_of_all_rows(rows, fit.unpack())
    assert_allclose(slopes[[0, 2, 4]], 0, atol=1e-8)


@pytest.mark.parametrize("alpha", [np.inf, np.array([np.inf, 1.0, 0.5, np.inf])])
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
def test_infinite_strengths_make_coefficients_common(alpha, alpha_intercept):
    rows = rows_of((9, 12, 7, 20), 4)
    coupling = ToMean(alpha, 0.0, alpha_intercept)
    fit = pose_moments(rows.moments(), pull_of(rows, coupling))
    coef, intercept, shared = dense_of(rows, coupling).solve()[:3]
    assert_allclose(fit.coef, coef, rtol=1e-8)
    assert_allclose(fit.coef_shared, shared, rtol=1e-8)
    assert_allclose(fit.intercept, intercept, rtol=1e-8)


def test_finite_strengths_are_left_alone():
    rows = rows_of((9, 12), 4)
    pull = pull_of(rows, ToMean(PER_FEATURE))
    assert bound(pull, rows.moments()) is pull


def test_blocks_of_rows_are_those_of_moments():
    rows = rows_of((2, 3, 2), 6, weight=uneven(7))
    pull = Apart(0.3).pull(3, 6)
    right = np.random.default_rng(0).normal(size=(3, 6))
    few, full = factor_rows(rows, pull), factor_moments(rows.moments(), pull)
    assert_allclose(few.solve(right), full.solve(right), rtol=1e-9)
    assert_allclose(few.curve(right), full.curve(right), atol=1e-9)
    assert_allclose(few.log_determinants(), full.log_determinants(), rtol=1e-9)


@pytest.mark.parametrize("level", [0.0, 0.5, np.inf])
@pytest.mark.parametrize("alpha", [0.7, np.array([0.1, 1.0, 100.0])])
def test_what_is_learnt_of_the_features_adds_up(alpha, level):
    rng = np.random.default_rng(0)
    task = rng.integers(0, 6, 40)
    moments = summarise(rng.normal(5, 1, size=(40, 3)), rng.normal(size=40), task)
    pull = ToMean(alpha, 0.2, level).pull(6, 3)
    for factor in (factor_moments, factor_path):
        posterior = Posterior(CentreFit(moments, factor(moments, pull), pull))
        np.testing.assert_allclose(posterior.total_learnt, posterior.own_learnt.sum())
