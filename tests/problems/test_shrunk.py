"""Squared losses with a ridge of given variances: their minimum and derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.problems.rows import GramBlocks, RowBlocks

RIDGE = 0.3
STEP = 1e-5


def draw(n_tasks, n_rows, n_features, by_rows):
    """Draw losses, as blocks, and their rows and targets."""
    rng = np.random.default_rng(n_rows)
    X = rng.normal(size=(n_tasks, n_rows, n_features))
    y = rng.normal(size=(3, n_rows))
    right = np.matmul(y[:, None], X)[:, 0]
    if by_rows:
        ones = np.ones((1 if n_tasks == 1 else 3, 1))
        tasks = slice(None) if n_tasks == 1 else np.arange(3)
        part = RowBlocks([(tasks, X)], ones, right, (y**2).sum() / 2, RIDGE)
    else:
        gram = X.transpose(0, 2, 1) @ X
        part = GramBlocks(gram, right, (y**2).sum() / 2, RIDGE)
    return part, np.broadcast_to(X, (3, *X.shape[1:])), y


CASES = pytest.mark.parametrize(
    ("part", "X", "y"),
    [
        draw(3, 9, 5, by_rows=False),
        draw(1, 9, 5, by_rows=False),
        draw(3, 4, 5, by_rows=True),
        draw(1, 4, 5, by_rows=True),
        draw(3, 66, 68, by_rows=True),
        draw(1, 80, 70, by_rows=False),
    ],
    ids=["matrices", "one matrix", "rows", "shared rows", "many rows", "many features"],
)


def variances_of(part):
    """Return a variance for each feature; that of the second is 0."""
    found = np.random.default_rng(0).uniform(0.1, 2, size=part.shape[1])
    found[1] = 0
    return found


@CASES
def test_the_minimum_is_that_of_a_ridge_regression(part, X, y):
    v = variances_of(part)
    used = v > 0
    shrunk = part.shrunk(v)
    value = 0.0
    for rows, targets, coef in zip(X[:, :, used], y, shrunk.coef[:, used], strict=True):
        penalty = np.diag(1 / v[used] + RIDGE)
        best = np.linalg.solve(rows.T @ rows + penalty, rows.T @ targets)
        assert_allclose(coef, best, atol=1e-10)
        value += ((targets - rows @ best) ** 2).sum() / 2 + best @ penalty @ best / 2
    assert not shrunk.coef[:, ~used].any()
    assert shrunk.value == pytest.approx(value, rel=1e-10)
    assert_allclose(shrunk.residual, -part.at(shrunk.coef).gradient, atol=1e-9)


@CASES
def test_derivatives_are_those_of_the_minimum(part, X, y):
    v = variances_of(part)
    features = np.array([0, 1, 2, 4])
    shrunk = part.shrunk(v)

    def gradient(at):
        return -(part.shrunk(at).residual ** 2).sum(axis=0) / 2

    moves = STEP * np.eye(len(v))[[0, 2]]
    slopes = [part.shrunk(v + m).value - part.shrunk(v - m).value for m in moves]
    assert_allclose(np.array(slopes) / (2 * STEP), gradient(v)[[0, 2]], rtol=1e-5)
    # A variance of 0 can only grow.
    move = np.eye(len(v))[1] * 1e-7
    slope = (part.shrunk(v + move).value - shrunk.value) / 1e-7
    assert slope == pytest.approx(gradient(v)[1], rel=1e-3, abs=1e-6)
    columns = [(gradient(v + m) - gradient(v - m)) / (2 * STEP) for m in moves]
    hessian = shrunk.curvature(features)
    assert_allclose(hessian, hessian.T, rtol=1e-8, atol=1e-10)
    assert_allclose(
        hessian[:, [0, 2]], np.array(columns)[:, features].T, rtol=1e-4, atol=1e-6
    )
