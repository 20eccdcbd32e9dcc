from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skmtl._contracts import TaskBlocks
from skmtl.solvers import Inverse, Spectral

PATTERN = np.array([1.0, 0.2, 5.0, 3.0])


def roots(n_tasks=3, n_rows=9, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_tasks, n_rows, 4)) * np.array([1.0, 3.0, 0.3, 2.0])


def inverse(X, alpha):
    return Inverse.factor(np.matmul(X.transpose(0, 2, 1), X), alpha[:, None] * PATTERN)


def by_eigenvectors(X, alpha):
    return Spectral.from_curvature(np.matmul(X.transpose(0, 2, 1), X), PATTERN, alpha)


def by_rows(X, alpha):
    groups = [(np.array([t]), X[t : t + 1]) for t in range(len(X))]
    return Spectral.from_groups(groups, len(X), 4, PATTERN, alpha)


each_factor = pytest.mark.parametrize("factor", [inverse, by_eigenvectors, by_rows])
each_alpha = pytest.mark.parametrize(
    "alpha", [np.array([0.7]), np.array([0.1, 5.0, 40.0])], ids=["one", "per task"]
)
each_height = pytest.mark.parametrize("n_rows", [9, 4, 2])


def dense(X, alpha):
    """Return S_t and D_t."""
    curvature = np.matmul(X.transpose(0, 2, 1), X)
    strength = alpha[:, None] * PATTERN * np.ones((len(X), 1))
    return curvature, np.array([np.diag(row) for row in strength])


@each_factor
@each_alpha
@each_height
def test_blocks_do_what_the_contract_says(factor, alpha, n_rows):
    X = roots(n_rows=n_rows)
    blocks = factor(X, alpha)
    S, D = dense(X, alpha)
    right = np.random.default_rng(1).normal(size=(3, 4))
    assert isinstance(blocks, TaskBlocks)
    solved = np.linalg.solve(S + D, right[:, :, None])[:, :, 0]
    assert_allclose(blocks.solve(right), solved, rtol=1e-8, atol=1e-10)
    assert_allclose(
        blocks.solve(right[:1])[1:],
        np.linalg.solve((S + D)[1:], np.broadcast_to(right[0][:, None], (2, 4, 1)))[
            :, :, 0
        ],
        rtol=1e-8,
        atol=1e-10,
    )
    curved = np.matmul(S, right[:, :, None])[:, :, 0]
    assert_allclose(blocks.curve(right), curved, rtol=1e-8, atol=1e-10)
    assert_allclose(blocks.shrinkage(), np.linalg.solve(S + D, S), atol=1e-10)
    inside = np.einsum("tij,ti->tj", X, np.ones((3, n_rows)))
    assert_allclose(blocks.clean(inside), inside, rtol=1e-9, atol=1e-11)
    determinants = np.linalg.slogdet(np.linalg.solve(D, S + D))[1]
    assert_allclose(blocks.log_determinants(), determinants, rtol=1e-8)
    rows = np.random.default_rng(2).normal(size=(2, 5, 4))
    found = blocks.quadratics(rows, np.array([2, 0]))
    expected = [
        np.einsum("ij,ij->i", r, np.linalg.solve((S + D)[t], r.T).T)
        for r, t in zip(rows, [2, 0], strict=True)
    ]
    assert_allclose(found, expected, rtol=1e-8)


@each_factor
@each_height
def test_the_curvature_of_the_centre_is_the_sum_over_tasks(factor, n_rows):
    X, alpha = roots(n_rows=n_rows), np.array([0.7])
    S, D = dense(X, alpha)
    rows = np.random.default_rng(1).normal(size=(2, 4))
    expected = np.matmul(D, np.linalg.solve(S + D, S)).sum(axis=0)
    expected = expected + rows.T @ rows + np.diag([0.1, 0.2, 0.3, 0.4])
    centre = factor(X, alpha).centre(3, rows, np.array([0.1, 0.2, 0.3, 0.4]))
    assert_allclose(centre.inverse, np.linalg.inv(expected), rtol=1e-7, atol=1e-9)
    assert_allclose(centre.log_determinant, np.linalg.slogdet(expected)[1])
    right = np.arange(4.0)
    assert_allclose(centre.solve(right), np.linalg.solve(expected, right), rtol=1e-7)
    assert centre.rank == 4


@each_factor
@pytest.mark.parametrize("strength", [0.0, 0.3])
@pytest.mark.parametrize("n_gaps", [0, 1])
def test_a_centre_of_few_rows_is_solved_by_the_least_norm(factor, strength, n_gaps):
    X, alpha = roots(n_tasks=1, n_rows=2), np.array([0.7])
    S, D = dense(X, alpha)
    rows = np.random.default_rng(1).normal(size=(n_gaps, 4))
    expected = np.matmul(D, np.linalg.solve(S + D, S))[0] + rows.T @ rows
    expected = expected + strength * np.eye(4)
    centre = factor(X, alpha).centre(1, rows, np.full(4, strength))
    values = np.linalg.eigvalsh(expected)
    values = values[values > 1e-10]
    assert centre.rank == len(values)
    assert_allclose(centre.log_determinant, np.log(values).sum(), rtol=1e-7)
    inverse_ = np.linalg.pinv(expected, rcond=1e-10, hermitian=True)
    right = expected @ np.arange(4.0)
    assert_allclose(centre.solve(right), inverse_ @ right, rtol=1e-6, atol=1e-8)
    assert_allclose(centre.inverse, inverse_, rtol=1e-6, atol=1e-8)


@each_factor
def test_one_block_serves_all_tasks(factor):
    X, alpha = roots(n_tasks=1), np.array([0.7])
    one, three = factor(X, alpha), factor(np.repeat(X, 3, axis=0), alpha)
    right = np.random.default_rng(1).normal(size=(3, 4))
    assert_allclose(one.solve(right), three.solve(right))
    assert_allclose(one.curve(right), three.curve(right))
    nothing = np.zeros((0, 4)), np.zeros(4)
    found, expected = (blocks.centre(3, *nothing).inverse for blocks in (one, three))
    assert_allclose(found, expected)
    rows = np.random.default_rng(2).normal(size=(2, 5, 4))
    tasks = np.array([2, 1])
    assert_allclose(one.quadratics(rows, tasks), three.quadratics(rows, tasks))


def test_other_strengths_reuse_the_factorisation():
    X = roots()
    blocks = by_eigenvectors(X, np.array([1.0]))
    other = blocks.at(np.array([30.0]))
    assert other.basis is blocks.basis
    right = np.ones((3, 4))
    expected = inverse(X, np.array([30.0])).solve(right)
    assert_allclose(other.solve(right), expected)


@each_factor
@given(exponent=st.floats(-12, 12), seed=st.integers(0, 100))
def test_the_trace_of_shrinkage_is_from_zero_to_the_number_of_features(
    factor, exponent, seed
):
    X = roots(n_rows=7, seed=seed)
    shrunk = factor(X, np.array([10.0**exponent])).shrinkage()
    learnt = np.einsum("tjj->t", shrunk)
    assert (learnt > -1e-8).all()
    assert (learnt < 4 + 1e-8).all()


@pytest.mark.parametrize("factor", [by_eigenvectors, by_rows])
@each_height
def test_strength_zero_is_the_solution_of_minimum_norm(factor, n_rows):
    X = roots(n_rows=n_rows)
    right = np.einsum("tij,ti->tj", X, np.ones((3, n_rows)))
    found = factor(X, np.zeros(1)).solve(right) / np.sqrt(1 / PATTERN)
    scaled = X / np.sqrt(PATTERN)
    expected = [np.linalg.pinv(x) @ np.ones(n_rows) for x in scaled]
    assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def test_rounding_outside_the_range_is_cleaned():
    X = roots(n_rows=2)
    blocks = by_rows(X, np.ones(1))
    noise = np.random.default_rng(0).normal(size=(3, 4))
    cleaned = blocks.clean(noise) / np.sqrt(PATTERN)
    null = [np.linalg.svd(x / np.sqrt(PATTERN))[2][2:] for x in X]
    assert_allclose(np.einsum("tkj,tj->tk", null, cleaned), 0, atol=1e-12)


def test_an_inverse_of_collinear_features_is_not_trusted():
    X = roots()
    assert inverse(X, np.array([1e-3])).trusted
    X[:, :, 1] = X[:, :, 0]
    assert not inverse(X, np.array([1e-12])).trusted
    assert not inverse(X, np.zeros(1)).trusted
    assert not inverse(np.zeros((2, 3, 4)), np.zeros(1)).trusted


def exact_inverse(matrix):
    """Invert by Gauss and Jordan in fractions."""
    n = len(matrix)
    rows = [
        [*map(Fraction, r), *map(Fraction, e)]
        for r, e in zip(matrix, np.eye(n), strict=True)
    ]
    for i in range(n):
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in {*range(n)} - {i}:
            factor = rows[k][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return np.array([row[n:] for row in rows], dtype=float)


@pytest.mark.parametrize(("n_features", "n_draws"), [(3, 40), (6, 20), (18, 2)])
def test_uneven_strengths_cost_no_digits(n_features, n_draws):
    """Elements for strong features are tiny and must be accurate to the last digit."""
    for seed in range(n_draws):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(40, n_features)) @ rng.normal(
            size=(n_features, n_features)
        )
        strong = rng.permutation(np.arange(n_features) < n_features // 3)
        strength = np.where(strong, 1e15, 1.0)
        blocks = Inverse.factor((X.T @ X)[None], strength[None])
        expected = exact_inverse(X.T @ X + np.diag(strength))
        larger = np.maximum.outer(strength, strength)
        tolerance = 1e-13 * blocks.inflation * n_features
        assert_allclose(blocks.inverse[0] * larger, expected * larger, atol=tolerance)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_do_not_decide_whether_an_inverse_is_trusted(scale):
    X = roots() * np.array([1.0, scale, 1.0, 1.0])
    assert Inverse.factor(np.matmul(X.transpose(0, 2, 1), X), np.zeros((1, 4))).trusted


def test_the_condition_leaves_out_eigenvalues_of_zero():
    blocks = by_eigenvectors(roots(n_rows=2), np.zeros(1))
    assert 1 < blocks.condition < 1e6
    assert blocks.at(np.array([1e9])).condition < 1.001
    zero = replace(blocks, values=np.zeros_like(blocks.values))
    assert zero.condition == 1


def test_a_task_without_rows_beside_others_has_the_block_of_its_strengths():
    X = roots(n_rows=9)
    groups = [(np.array([0, 2]), X[[0, 2]])]
    blocks = Spectral.from_groups(groups, 3, 4, PATTERN, np.array([0.5]))
    found = blocks.solve(np.ones((3, 4)))
    assert_allclose(found[1], 2 / PATTERN)
    others = by_rows(X, np.array([0.5])).solve(np.ones((3, 4)))
    assert_allclose(found[[0, 2]], others[[0, 2]])


def test_blocks_of_no_rows_are_their_strengths():
    blocks = by_rows(np.zeros((2, 1, 4)), np.array([0.5]))
    assert_allclose(blocks.solve(np.ones((2, 4))), 2 / np.tile(PATTERN, (2, 1)))
    none = Spectral.from_groups([], 2, 4, PATTERN, np.array([0.5]))
    assert_allclose(none.solve(np.ones((2, 4))), 2 / np.tile(PATTERN, (2, 1)))
