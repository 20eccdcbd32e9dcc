from dataclasses import replace

import numpy as np
import pytest
from exact_rows import (
    COUPLINGS,
    PER_FEATURE,
    SIZES,
    by_eigenvectors,
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
from scipy.linalg import LinAlgWarning

from skmtl.couplings import Apart, ToMean
from skmtl.data import SharedRows, summarise
from skmtl.problems.exact import (
    MeanFit,
    Posterior,
    bound,
    factor_moments,
    factor_path,
    factor_rows,
    has_few_rows,
    solve_moments,
    solve_rows,
)
from skmtl.selection import (
    RestrictedLikelihood,
)

each_coupling = pytest.mark.parametrize("coupling", COUPLINGS, ids=str)


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
    fit = solve(rows, strengths_of(rows, coupling), True)
    assert_solves(fit, dense_of(rows, coupling))


@each_factor
@pytest.mark.parametrize("coupling", COUPLINGS[::3], ids=str)
def test_a_fit_without_intercept_solves_the_dense_problem(rows, coupling, solve):
    fit = solve(rows, strengths_of(rows, coupling), False)
    assert_solves(fit, dense_of(rows, coupling, fit_intercept=False))
    assert_allclose(fit.intercept, 0)
    assert fit.intercept_shared == 0


@each_factor
@each_coupling
def test_variances_and_freedom_are_those_of_the_dense_matrix(rows, coupling, solve):
    posterior = Posterior(solve(rows, strengths_of(rows, coupling), True))
    dense = dense_of(rows, coupling)
    found = np.concatenate(
        [
            posterior.variance(group.X, group.tasks).ravel()
            for group in rows.whole_groups()
        ]
    )
    order = np.concatenate([g.rows.ravel() for g in rows.whole_groups()])
    expected = dense.variance(rows.X, dense.codes)[order]
    heavy = dense.weight[order] > 0
    assert_allclose(found[heavy], expected[heavy], rtol=1e-7, atol=1e-10)
    assert_allclose(posterior.degrees_of_freedom, dense.degrees_of_freedom(), rtol=1e-8)
    leverage = dense.weight[order][heavy] * found[heavy]
    leverage = np.bincount(dense.codes[order][heavy], leverage, len(rows.tasks))
    assert_allclose(posterior.task_freedom, leverage, rtol=1e-7, atol=1e-10)


@each_factor
@pytest.mark.parametrize("coupling", COUPLINGS[::3], ids=str)
def test_variances_without_intercept_are_those_of_the_dense_matrix(
    rows, coupling, solve
):
    posterior = Posterior(solve(rows, strengths_of(rows, coupling), False))
    dense = dense_of(rows, coupling, fit_intercept=False)
    assert_allclose(posterior.degrees_of_freedom, dense.degrees_of_freedom(), rtol=1e-8)
    group = next(rows.whole_groups())
    codes = np.repeat(group.tasks, group.X.shape[1])
    variance = posterior.variance(group.X, group.tasks)
    assert_allclose(
        variance.ravel(),
        dense.variance(group.X.reshape(len(codes), -1), codes),
        rtol=1e-7,
    )
    leverage = np.bincount(codes, dense.weight[group.rows.ravel()] * variance.ravel())
    found = posterior.task_freedom[group.tasks]
    assert_allclose(found, leverage[group.tasks], rtol=1e-7)


@each_factor
@pytest.mark.parametrize("coupling", COUPLINGS[::5], ids=str)
def test_some_of_the_tasks_are_solved_as_if_alone(coupling, solve):
    rows, chosen = rows_of((9, 12, 7, 20), 4, weight=uneven(48)), np.array([0, 2])
    strengths = strengths_of(rows, coupling)
    some = solve(rows, strengths, True).of_tasks(chosen).unpack()
    alone = solve(rows.of_tasks(chosen), strengths, True).unpack()
    for name, value in vars(alone).items():
        assert_allclose(getattr(some, name), value, rtol=1e-8, err_msg=name)


@each_factor
def test_curvatures_of_blocks_are_those_of_the_moments(rows, solve):
    blocks = solve(rows, strengths_of(rows, ToMean(PER_FEATURE)), True).blocks
    assert_allclose(blocks.curvatures(), rows.moments().curvatures, atol=1e-8)


# -- numerical pitfalls


@pytest.mark.parametrize("solve", [by_inversion, by_eigenvectors])
@pytest.mark.parametrize("alpha", [1e8, 1e10, 1e12, 1e14])
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
def test_huge_strengths_cost_no_digits(solve, alpha, alpha_intercept):
    """A Schur complement by differences has no digits left here."""
    rows = rows_of((60,) * 10, 5)
    rows = replace(rows, X=rows.X * np.geomspace(1, 1e-2, 5))
    fit = solve(rows, strengths_of(rows, ToMean(alpha, 0.0, alpha_intercept)), True)
    pooled = dense_of(rows, ToMean(np.inf, 0.0, alpha_intercept)).solve()
    assert_allclose(fit.coef_shared, pooled[2], rtol=max(1e-9, 1e5 / alpha))
    assert_allclose(fit.coef - fit.coef_shared, 0, atol=1e4 / alpha)


@pytest.mark.parametrize("alpha", [1e-14, 1e-8, 1e8, 1e14, np.inf])
@pytest.mark.parametrize("alpha_intercept", [1e-10, 1e10, 1e14])
def test_extreme_strengths_of_intercepts_cost_no_digits(alpha, alpha_intercept):
    rows = rows_of((9, 12, 7, 20), 4)
    coupling = ToMean(alpha, 0.0, alpha_intercept)
    fit = solve_moments(rows.moments(), strengths_of(rows, coupling))
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
    fit = solve(replace(rows, X=X), strengths_of(rows, coupling), True)
    assert_allclose(fit.coef_shared[2], 0, atol=1e-12)
    assert_allclose(fit.coef[:, 2], 0, atol=1e-12)
    kept = [0, 1, 3]
    rest = replace(rows, X=X[:, kept])
    expected = solve(rest, strengths_of(rest, coupling), True)
    assert_allclose(fit.coef[:, kept], expected.coef, rtol=1e-8)
    assert Posterior(fit).n_unpenalized == Posterior(expected).n_unpenalized
    assert_allclose(
        Posterior(fit).degrees_of_freedom, Posterior(expected).degrees_of_freedom
    )


@each_factor
@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
def test_equal_features_have_equal_coefficients(solve, alpha_intercept):
    rows = rows_of((9, 12, 7, 20), 4)
    rows = replace(rows, X=rows.X[:, [0, 1, 1, 3]])
    fit = solve(rows, strengths_of(rows, ToMean(0.5, 0.0, alpha_intercept)), True)
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
    fit = solve_moments(rows.moments(), strengths_of(rows, coupling))
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
    fit = solve(rows, strengths_of(rows, coupling), True)
    dense = dense_of(rows, coupling)
    coef, intercept, _, _, objective = dense.solve()
    kept = [0, 2, 3]
    assert_allclose(fit.coef[:, kept], coef[:, kept], rtol=1e-6)
    levels = intercept + value * coef[:, 1]
    assert_allclose(fit.intercept + value * fit.coef[:, 1], levels, rtol=1e-6)
    assert_allclose(fit.coef_shared[1], 0, atol=1e-9)
    assert_allclose(fit.objective, objective, rtol=1e-8)
    assert Posterior(fit).n_unpenalized == 3 + (4 if alpha_intercept == 0 else 1)


def test_columns_of_very_different_scale_are_solved():
    rows = rows_of((30, 40, 25), 4)
    scale = np.array([1e-6, 1e6, 1.0, 1e3])
    alpha = np.array([0.5, 2.0, 0.1, 1.0])
    plain = solve_moments(rows.moments(), strengths_of(rows, ToMean(alpha, 0.0, 0.5)))
    scaled = replace(rows, X=rows.X * scale)
    pull = strengths_of(scaled, ToMean(alpha * scale**2, 0.0, 0.5))
    fit = solve_moments(scaled.moments(), pull)
    assert_allclose(fit.coef * scale, plain.coef, rtol=1e-7)
    assert_allclose(fit.coef_shared * scale, plain.coef_shared, rtol=1e-7)


def test_strength_zero_is_each_task_on_its_own():
    rows = rows_of((30, 40, 25), 4)
    fit = solve_moments(rows.moments(), strengths_of(rows, ToMean(0.0)))
    coef, intercept = dense_of(rows, ToMean(0.0)).solve()[:2]
    assert_allclose(fit.coef, coef, rtol=1e-8)
    assert_allclose(fit.intercept, intercept, rtol=1e-8)
    assert_allclose(slopes_of_all_rows(rows, fit.unpack()), 0, atol=1e-8)


def slopes_of_all_rows(rows, models):
    """Return the gradient of the squared errors of the model for new tasks."""
    moments = rows.moments().minus_prediction(
        models.coef_shared, models.intercept_shared
    )
    bias = moments.weight * moments.y_mean
    slopes = moments.xy.sum(axis=0) + bias @ moments.x_mean
    return np.append(slopes - bias.sum() * moments.x_mean[0], bias.sum())


@pytest.mark.parametrize("factor", ["moments", "rows"])
def test_tasks_with_fewer_rows_than_features_get_the_least_norm(factor):
    rows = rows_of((3, 5, 2), 8, offset=0.0)
    pull = Apart(0.0).strengths(3, 8)
    fits = {
        "moments": lambda: solve_moments(rows.moments(), pull),
        "rows": lambda: solve_rows(rows, pull),
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
        pull = strengths_of(rows, ToMean(2.0, 0.3, alpha_intercept))
        few, full = solve_rows(rows, pull), solve_moments(rows.moments(), pull)
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
        pull = strengths_of(rows, coupling)
        fit = solve_moments(rows.moments(), pull)
        expected = solve_moments(less, coupling.strengths(3, 4))
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
    pull = strengths_of(rows, ToMean(0.7))
    plain = solve_moments(rows.moments(), pull)
    moved = solve_moments(replace(rows, X=rows.X + offset).moments(), pull)
    rtol = max(1e-10, offset * 1e-14)
    assert_allclose(moved.coef, plain.coef, rtol=rtol, atol=rtol)
    assert_allclose(moved.coef_shared, plain.coef_shared, rtol=rtol, atol=rtol)


def test_a_shared_scatter_is_the_same_as_one_per_task():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(25, 4)) + 2, rng.normal(size=(25, 6))
    data = SharedRows(X, Y, uneven(25), np.arange(6))
    assert data.shares_moments
    for coupling in COUPLINGS:
        pull = coupling.strengths(6, 4)
        fits = [
            solve_moments(m, pull) for m in (data.moments(), data.stacked().moments())
        ]
        for name in ("coef", "intercept", "coef_shared", "objective"):
            assert_allclose(
                getattr(fits[0], name), getattr(fits[1], name), rtol=1e-8, atol=1e-10
            )
        freedom = [Posterior(fit).degrees_of_freedom for fit in fits]
        assert_allclose(*freedom, rtol=1e-9)
        of_tasks = [Posterior(fit).task_freedom for fit in fits]
        assert_allclose(*of_tasks, rtol=1e-8)
        assert_allclose(of_tasks[0].sum(), freedom[0], rtol=1e-8)
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
    pull = strengths_of(rows, ToMean(10.0**exponent, 0.0, alpha_intercept))
    fit = solve_moments(rows.moments(), pull)
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
        factor_moments(moments, Apart(1e-12).strengths(2, 3))


def test_free_features_must_be_determined_by_every_task():
    rows = rows_of((30, 2), 3)
    pull = ToMean(np.array([0.0, 1.0, 0.0])).strengths(2, 3)
    with pytest.raises(ValueError, match=r"Features \[0, 2\] with alpha 0 are collin"):
        factor_moments(rows.moments(), pull)


def test_features_may_be_free_where_every_task_determines_them():
    rows = rows_of((30, 20), 4)
    coupling = ToMean(np.array([0.0, 1.0, 0.0, 3.0]))
    fit = solve_moments(rows.moments(), strengths_of(rows, coupling))
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
    fit = solve_moments(rows.moments(), strengths_of(rows, coupling))
    coef, intercept, shared = dense_of(rows, coupling).solve()[:3]
    assert_allclose(fit.coef, coef, rtol=1e-8)
    assert_allclose(fit.coef_shared, shared, rtol=1e-8)
    assert_allclose(fit.intercept, intercept, rtol=1e-8)


def test_finite_strengths_are_left_alone():
    rows = rows_of((9, 12), 4)
    pull = strengths_of(rows, ToMean(PER_FEATURE))
    assert bound(pull, rows.moments()) is pull


def test_blocks_of_rows_are_those_of_moments():
    rows = rows_of((2, 3, 2), 6, weight=uneven(7))
    pull = Apart(0.3).strengths(3, 6)
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
    pull = ToMean(alpha, 0.2, level).strengths(6, 3)
    for factor in (factor_moments, factor_path):
        posterior = Posterior(MeanFit(moments, factor(moments, pull), pull))
        np.testing.assert_allclose(posterior.total_freedom, posterior.own_freedom.sum())
