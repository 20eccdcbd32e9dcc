import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info

from skmtl._linalg import Semidefinite, apply, blas_threads_for, diagonals, invert

seeds = st.integers(0, 10_000)


def definite(size, n_matrices=1, seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n_matrices, size + 3, size)) * spread
    return np.matmul(roots.transpose(0, 2, 1), roots) + np.eye(size) / 10


def flat_root(size, rank, seed=0):
    """The root of a semidefinite matrix of a rank, in units of many magnitudes."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rank, size)) * np.geomspace(1e-3, 1e3, size)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 31, 33, 70, 129])
def test_inverting_by_halves_inverts(size):
    matrices = definite(size, 4)
    kept = matrices.copy()
    assert_allclose(invert(matrices), np.linalg.inv(matrices), rtol=1e-7, atol=1e-9)
    assert_allclose(matrices, kept)


def test_inverting_nothing_is_nothing():
    assert invert(np.zeros((0, 40, 40))).shape == (0, 40, 40)
    assert invert(np.zeros((3, 0, 0))).shape == (3, 0, 0)


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
def test_a_flat_matrix_is_solved_by_the_least_norm(size, missing, seed):
    rank = max(1, size - missing)
    root = flat_root(size, rank, seed)
    matrix = root.T @ root
    right = matrix @ np.random.default_rng(seed).normal(size=size)
    solver = Semidefinite(matrix)
    found = solver.solve(right)
    assert solver.rank == rank
    scale = np.abs(matrix).sum(axis=1).max() * np.abs(found).max()
    assert_allclose(matrix @ found, right, atol=1e-9 * scale)
    null = np.linalg.svd(root)[2][rank:]
    assert_allclose(null @ found, 0, atol=1e-7 * np.abs(found).max())


def test_a_column_of_zeros_has_no_solution_and_no_rank():
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
def test_units_do_not_decide_the_rank(rank):
    root = np.random.default_rng(1).normal(size=(rank, 5))
    units = np.array([1e-8, 1e8, 1.0, 1e-4, 1e4])
    scaled = (root * units).T @ (root * units)
    assert Semidefinite(scaled).rank == rank


def test_the_log_determinant_follows_the_units():
    matrix, units = definite(4)[0], np.array([1e-6, 1e6, 3.0, 0.1])
    plain, scaled = Semidefinite(matrix), Semidefinite(matrix * units * units[:, None])
    expected = plain.log_determinant + 2 * np.log(units).sum()
    assert_allclose(scaled.log_determinant, expected)


def test_no_variables_are_solved():
    nothing = Semidefinite(np.zeros((0, 0)))
    assert nothing.rank == 0
    assert nothing.log_determinant == 0
    assert nothing.solve(np.zeros(0)).shape == (0,)


def test_zero_is_solved_by_zero():
    nothing = Semidefinite(np.zeros((3, 3)))
    assert nothing.rank == 0
    assert_allclose(nothing.solve(np.zeros(3)), 0)
    assert nothing.log_determinant == 0


def blas_threads():
    return {
        pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
    }


def test_small_matrices_are_worked_on_by_one_thread():
    before = blas_threads()
    with blas_threads_for(10):
        assert blas_threads() == {1}
    assert blas_threads() == before
    with blas_threads_for(1000):
        assert blas_threads() == before
