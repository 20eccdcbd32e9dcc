"""Strengths from moments: likelihood, rows left out, folds; against dense problems."""

from dataclasses import replace

import numpy as np
import pytest
from exact_rows import (
    COUPLINGS,
    PER_FEATURE,
    SIZES,
    by_inversion,
    dense_of,
    each_factor,
    rows_of,
    strengths_of,
    uneven,
)
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime

from skmtl.couplings import ToMean
from skmtl.data import SharedRows
from skmtl.problems.exact import (
    Posterior,
    solve_moments,
)
from skmtl.selection import (
    Candidates,
    Generalised,
    HeldOut,
    LeftOut,
    RestrictedLikelihood,
    StrengthSearch,
    assign_folds,
    fold_moments,
    rows_path,
    shared_path,
    suggest_alphas,
    suggest_intercept_alphas,
)


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def sizes(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["rows alike", "weights"])
def rows(request, sizes):
    weight = uneven(np.sum(sizes)) if request.param else None
    return rows_of(sizes, 4, weight=weight)


@each_factor
@pytest.mark.parametrize("alpha_intercept", [0.5, 4.0, np.inf])
@pytest.mark.parametrize("alpha", [0.7, PER_FEATURE], ids=["one", "each"])
@pytest.mark.parametrize("alpha_shared", [0.0, 2.5])
def test_the_criterion_is_that_of_the_dense_likelihood(
    solve, alpha, alpha_shared, alpha_intercept
):
    rows = rows_of((5, 8, 3, 9), 4)
    coupling = ToMean(alpha, alpha_shared, alpha_intercept)
    likelihood = RestrictedLikelihood(solve(rows, strengths_of(rows, coupling), True))
    dense = dense_of(rows, coupling)
    assert_allclose(likelihood.criterion, dense.criterion(), rtol=1e-9)


@each_factor
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_criterion_of_free_or_no_intercepts_is_that_of_the_dense_likelihood(
    solve, fit_intercept
):
    rows = rows_of((5, 8, 3, 9), 4)
    coupling = ToMean(PER_FEATURE)
    fit = solve(rows, strengths_of(rows, coupling), fit_intercept)
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
            by_inversion(rows, strengths_of(rows, coupling), fit_intercept)
        )

    expected = approx_fprime(start, lambda logs: likelihood(logs).criterion, 1e-6)
    features, alpha_intercept = likelihood(start).gradient
    assert_allclose([*features, alpha_intercept], expected, rtol=1e-4, atol=1e-4)


@each_factor
@pytest.mark.parametrize("coupling", COUPLINGS[:6], ids=str)
def test_integer_weights_are_repetitions_everywhere(coupling, solve):
    times = np.random.default_rng(2).integers(0, 4, size=25)
    weighted = rows_of((5, 8, 3, 9), 4, weight=times.astype(float))
    repeated = replace(weighted, weight=None).select(np.repeat(np.arange(25), times))
    fits = [solve(r, strengths_of(r, coupling), True) for r in (weighted, repeated)]
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
    alpha_intercept = np.array([coupling.alpha_intercept])
    shared = np.array([coupling.alpha_shared])
    candidates = Candidates(np.array([0.7]), shared, alpha_intercept, True)
    dense = replace(dense, alpha=np.full(4, 0.7))
    left = dense.left_out()
    expected = (dense.weight * left**2).sum() / dense.weight.sum()
    found = LeftOut(rows, rows.moments()).search(candidates).errors
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
            getattr(path.fit(chosen).unpack_nodes(), name) for path in (shared, stacked)
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
    splits = assign_folds(rows, 4) if partition else assign_folds(rows, 4)[:3]
    alphas_intercept = np.array([0.5, np.inf]) if fit_intercept else np.zeros(1)
    candidates = Candidates(
        np.array([0.1, 5.0]), np.array([1.5]), alphas_intercept, fit_intercept
    )
    scores = HeldOut(rows, splits).search(candidates)
    triples, found = scores.triples, scores.errors
    codes = np.repeat(np.arange(4), np.diff(rows.offsets))
    for k, (train, test) in enumerate(splits):
        for c, (alpha, _, alpha_intercept) in enumerate(triples):
            dense = dense_of(rows, ToMean(alpha, 1.5, alpha_intercept), fit_intercept)
            weight = np.zeros(48)
            weight[train] = dense.weight[train]
            coef, intercept = replace(dense, weight=weight).solve()[:2]
            left = rows.y - (rows.X * coef[codes]).sum(axis=1) - intercept[codes]
            expected = np.average(left[test] ** 2, weights=dense.weight[test])
            assert_allclose(found[k, c], expected, rtol=1e-8)


@pytest.mark.parametrize("share", [1, 2], ids=["all other rows", "half of these"])
def test_moments_of_folds_are_those_of_their_rows(share):
    rows = rows_of((9, 12, 7, 20), 4, weight=uneven(48))
    splits = [(train[::share], test) for train, test in assign_folds(rows, 4)]
    for (train, test), (first, second) in zip(
        splits, fold_moments(rows, splits), strict=True
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
    tested = np.concatenate([test for _, test in assign_folds(rows, n_splits)])
    assert sorted(tested) == list(range(len(rows.y)))
    codes = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.array(
        [
            np.bincount(codes[test], minlength=len(sizes))
            for _, test in assign_folds(rows, n_splits)
        ]
    )
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert np.ptp(counts.sum(axis=1)) <= 1


@pytest.mark.parametrize("n_splits", [1, 29])
def test_there_are_no_more_folds_than_rows(n_splits):
    message = f"at most the number of rows, got cv={n_splits} with n_samples=28"
    with pytest.raises(ValueError, match=message):
        assign_folds(rows_of((9, 12, 7), 2), n_splits)


@pytest.mark.parametrize("splits", [[([0, 1], [2]), ([0], [3])], [([3], [0, 1])]])
def test_folds_must_have_weight(splits):
    rows = rows_of((9, 12, 7), 2, weight=np.arange(28) < 3.0)
    with pytest.raises(ValueError, match="has a fold without any"):
        fold_moments(rows, splits)


def test_generalised_scores_use_the_mean_leverage(rows):
    candidates = Candidates(*np.array([[0.7], [0.0], [0.5]]), True)
    found = Generalised(rows.moments()).search(candidates).errors
    fit = by_inversion(rows, strengths_of(rows, ToMean(0.7, 0.0, 0.5)), True)
    n, freedom = rows.moments().weight.sum(), Posterior(fit).degrees_of_freedom
    expected = n * fit.squared_errors.sum() / (n - freedom) ** 2
    chance = n - freedom < n / 10  # too few degrees of freedom to estimate the error
    assert_allclose(found, [np.where(chance, np.inf, expected)])


def test_leave_one_out_evaluates_only_strengths_near_the_best():
    rows = rows_of((9, 12, 7, 20), 4)
    moments = rows.moments()
    grid = (
        suggest_alphas(moments, 15),
        np.zeros(1),
        suggest_intercept_alphas(moments, 6),
    )
    found = LeftOut(rows, moments).search(Candidates(*grid, True))
    triples, scores = found.triples, found.errors
    assert 0 < np.isfinite(scores).sum() < 60
    single = Candidates(*triples[-1][:, None], True)
    assert_allclose(LeftOut(rows, moments).search(single).errors, scores[-1:])
    assert scores[-1] == np.nanmin(scores)


def test_suggested_strengths_are_in_the_units_of_the_data():
    rows = rows_of((9, 12, 7, 20), 4)
    larger = replace(rows, X=rows.X * 10).moments()
    few = suggest_alphas(rows.moments(), 5)
    assert_allclose(suggest_alphas(larger, 5), 100 * few)
    assert (np.diff(few) > 0).all()
    assert suggest_intercept_alphas(rows.moments(), 4)[-1] == np.inf


# -- strengths of largest restricted likelihood


@pytest.mark.parametrize("per_feature", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_no_strengths_nearby_are_likelier(per_feature, fit_intercept):
    rows = rows_of((15, 18, 13, 19, 16, 14, 15, 13), 2, seed=8)
    moments = rows.moments() if fit_intercept else rows.moments().about_zero()
    search = StrengthSearch(moments, 0.0, fit_intercept, per_feature)
    alpha, _, alpha_intercept, best = search.search()[-1]
    alpha = np.broadcast_to(alpha, 2)

    def criterion(features, intercept):
        coupling = ToMean(alpha * features, 0.0, alpha_intercept * intercept)
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
        fit = solve_moments(moments, ToMean(2.0, 0.0, 1.0).strengths(3, 2))
        likelihood = RestrictedLikelihood(fit)
        assert np.isfinite(likelihood.criterion)
        assert np.isfinite(likelihood.gradient[0]).all()
