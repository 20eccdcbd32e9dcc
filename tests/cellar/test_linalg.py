"""Stacks of matrices and singular matrices are solved as by NumPy and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import sparse
from threadpoolctl import threadpool_info

from skmtl._linalg import (
    Semidefinite,
    Wide,
    apply,
    blas_threads_for,
    column_sizes,
    diagonalise,
    diagonals,
    invert,
    invert_by_cholesky,
    number_by_first,
    refuse_huge,
)

seeds = st.integers(0, 10_000)


def definite(size, n_matrices=1, seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n_matrices, size + 3, size)) * spread
    return np.matmul(roots.transpose(0, 2, 1), roots) + np.eye(size) / 10


def singular_root(size, rank, seed=0):
    """Return a root of a semidefinite matrix of this rank, in very unlike units."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rank, size)) * np.geomspace(1e-3, 1e3, size)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 31, 33, 70, 129])
@pytest.mark.parametrize("inverting", [invert, invert_by_cholesky])
def test_inverting_by_halves_or_factors_inverts(size, inverting):
    matrices = definite(size, 4)
    kept = matrices.copy()
    assert_allclose(inverting(matrices), np.linalg.inv(matrices), rtol=1e-7, atol=1e-9)
    assert_allclose(matrices, kept)


def test_only_definite_matrices_have_cholesky_factors():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        invert_by_cholesky(np.ones((2, 3, 3)) - np.eye(3))


def test_inverting_nothing_is_nothing():
    assert invert(np.zeros((0, 40, 40))).shape == (0, 40, 40)
    assert invert(np.zeros((3, 0, 0))).shape == (3, 0, 0)


@pytest.mark.full
@given(size=st.integers(1, 40), spread=st.floats(1e-4, 1e4), seed=seeds)
def test_an_inverse_undoes_the_matrix(size, spread, seed):
    matrices = definite(size, 2, seed, spread)
    condition = np.linalg.cond(matrices).max()
    product = np.matmul(invert(matrices), matrices)
    assert_allclose(product, np.tile(np.eye(size), (2, 1, 1)), atol=1e-13 * condition)


def test_each_row_is_multiplied_by_its_matrix():
    matrices, rows = definite(3, 5), np.random.default_rng(0).normal(size=(5, 3))
    expected = np.array([m @ r for m, r in zip(matrices, rows, strict=True)])
    assert_allclose(apply(matrices, rows), expected)
    assert_allclose(apply(matrices[:1], rows), rows @ matrices[0].T)


def test_a_rectangular_matrix_is_not_transposed():
    matrix = np.arange(6.0).reshape(1, 2, 3)
    assert_allclose(apply(matrix, np.ones((4, 3))), np.tile([3.0, 12.0], (4, 1)))


def test_diagonals_are_written_through():
    matrices = np.zeros((2, 3, 3))
    diagonals(matrices)[...] += [[1, 2, 3], [4, 5, 6]]
    assert_allclose(matrices[1], np.diag([4, 5, 6]))


@given(size=st.integers(1, 8), seed=seeds)
def test_a_definite_matrix_is_solved_as_by_numpy(size, seed):
    matrix = definite(size, seed=seed)[0]
    solver, right = Semidefinite(matrix), np.random.default_rng(seed).normal(size=size)
    assert_allclose(solver.solve(right), np.linalg.solve(matrix, right), rtol=1e-8)
    assert_allclose(solver.inverse, np.linalg.inv(matrix), rtol=1e-7, atol=1e-12)
    assert_allclose(solver.log_determinant, np.linalg.slogdet(matrix)[1], atol=1e-10)
    assert solver.rank == size


@given(size=st.integers(2, 8), missing=st.integers(1, 7), seed=seeds)
def test_a_singular_matrix_has_the_solution_of_least_norm(size, missing, seed):
    rank = max(1, size - missing)
    root = singular_root(size, rank, seed)
    matrix = root.T @ root
    right = matrix @ np.random.default_rng(seed).normal(size=size)
    solver = Semidefinite(matrix)
    found = solver.solve(right)
    assert solver.rank == rank
    scale = np.abs(matrix).sum(axis=1).max() * np.abs(found).max()
    assert_allclose(matrix @ found, right, atol=1e-9 * scale)
    null = np.linalg.svd(root)[2][rank:]
    assert_allclose(null @ found, 0, atol=1e-7 * np.abs(found).max())


def test_a_column_of_zeros_has_a_solution_of_zero_and_no_rank():
    matrix = definite(4)[0]
    matrix[2] = matrix[:, 2] = 0
    solver = Semidefinite(matrix)
    right = np.array([1.0, 2.0, 0.0, 3.0])
    kept = [0, 1, 3]
    found = solver.solve(right)
    assert solver.rank == 3
    assert_allclose(found[2], 0, atol=1e-14)
    assert_allclose(
        found[kept], np.linalg.solve(matrix[np.ix_(kept, kept)], right[kept])
    )
    assert_allclose(
        solver.log_determinant, np.linalg.slogdet(matrix[np.ix_(kept, kept)])[1]
    )


@pytest.mark.parametrize("rank", [5, 3])
def test_the_rank_does_not_depend_on_units(rank):
    root = np.random.default_rng(1).normal(size=(rank, 5))
    units = np.array([1e-8, 1e8, 1.0, 1e-4, 1e4])
    scaled = (root * units).T @ (root * units)
    assert Semidefinite(scaled).rank == rank


def test_the_log_determinant_changes_with_the_units():
    matrix, units = definite(4)[0], np.array([1e-6, 1e6, 3.0, 0.1])
    plain, scaled = Semidefinite(matrix), Semidefinite(matrix * units * units[:, None])
    expected = plain.log_determinant + 2 * np.log(units).sum()
    assert_allclose(scaled.log_determinant, expected)


def test_a_matrix_of_no_variables_has_an_empty_solution():
    nothing = Semidefinite(np.zeros((0, 0)))
    assert nothing.rank == 0
    assert nothing.log_determinant == 0
    assert nothing.solve(np.zeros(0)).shape == (0,)


def test_a_matrix_of_zeros_has_the_solution_zero():
    nothing = Semidefinite(np.zeros((3, 3)))
    assert nothing.rank == 0
    assert_allclose(nothing.solve(np.zeros(3)), 0)
    assert nothing.log_determinant == 0


def blas_threads():
    return {
        pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
    }


def test_small_matrices_use_one_thread():
    before = blas_threads()
    with blas_threads_for(10):
        assert blas_threads() == {1}
    assert blas_threads() == before
    with blas_threads_for(1000):
        assert blas_threads() == before


@given(size=st.integers(1, 6), seed=seeds)
def test_eigenvectors_are_those_of_numpy(size, seed):
    matrices = definite(size, 3, seed)
    values, vectors = diagonalise(matrices)
    assert_allclose(values, np.linalg.eigvalsh(matrices), rtol=1e-10)
    again = np.matmul(vectors.transpose(0, 2, 1), values[:, :, None] * vectors)
    assert_allclose(again, matrices, atol=1e-12 * np.abs(matrices).max())


def test_small_eigenvalues_of_a_graded_matrix_keep_their_digits():
    """The determinant is 3e-16, and the larger eigenvalue 2 up to rounding."""
    units = np.array([1.0, 1e-8])
    matrix = np.array([[2.0, 1.0], [1.0, 2.0]]) * units * units[:, None]
    values, _ = diagonalise(matrix[None])
    assert_allclose(values[0].min(), 1.5e-16, rtol=1e-8)
    assert_allclose(values[0].max(), 2.0)


def test_eigenvalues_below_the_rounding_error_are_zero():
    root = np.random.default_rng(0).normal(size=(2, 5))
    assert (diagonalise((root.T @ root)[None])[0] > 0).sum() == 2


@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_a_wide_root_is_solved_as_its_square_matrix(strength):
    root = np.random.default_rng(0).normal(size=(3, 6))
    wide = Wide(root, strength)
    square = Semidefinite(root.T @ root + strength * np.eye(6))
    right = root.T @ np.array([1.0, -2.0, 0.5])
    assert_allclose(wide.matrix, square.matrix)
    assert wide.rank == square.rank
    assert_allclose(wide.solve(right), square.solve(right))
    assert_allclose(wide.log_determinant, square.log_determinant)
    assert_allclose(wide.inverse, square.inverse, atol=1e-10)
    R = wide.inverse_root
    assert_allclose(R @ R.T, wide.inverse, atol=1e-10)


@pytest.mark.parametrize("as_X", [np.asarray, sparse.csr_array, sparse.coo_array])
def test_sizes_of_columns_are_their_largest_absolute_values(as_X):
    X = np.array([[1.0, -5.0, 0.0], [-3.0, 2.0, 0.0]])
    assert column_sizes(as_X(X)).tolist() == [3, 5, 0]


def test_labels_are_numbered_in_the_order_of_their_first_appearance():
    assert number_by_first(np.array([7, 3, 7, 9, 3])).tolist() == [0, 1, 0, 2, 1]


@pytest.mark.parametrize(
    ("features", "targets", "words"),
    [
        ([1.0, 1e141], [1.0], r"got 1e\+141 for feature 1 of X"),
        ([1.0, np.nan], [1.0], "got inf for feature 1 of X"),
        ([1.0, 1e141], [1e150], r"got 1e\+150 for y"),
    ],
)
def test_sums_of_squares_that_are_too_large_are_named(features, targets, words):
    with pytest.raises(ValueError, match=words):
        refuse_huge(np.array(features), targets)


def test_sums_of_squares_below_the_limit_are_accepted():
    assert refuse_huge(np.array([1e139, 0.0]), [1e139]) is None
    assert refuse_huge(np.zeros((0, 3))) is None
