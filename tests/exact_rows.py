"""Rows of tasks with squared losses, and the same problem as one dense one."""

import itertools

import numpy as np
import pytest
from dense import Dense

from skmtl.couplings import ToMean
from skmtl.data import TaskRows
from skmtl.problems.exact import (
    MeanFit,
    factor_path,
    solve_rows,
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
    return MeanFit(moments, blocks, pull, fit_intercept)


def by_eigenvectors(rows, pull, fit_intercept):
    moments = rows.moments() if fit_intercept else rows.moments().about_zero()
    return MeanFit(moments, factor_path(moments, pull), pull, fit_intercept)


def by_rows(rows, pull, fit_intercept):
    return solve_rows(rows, pull, fit_intercept)


def strengths_of(rows, coupling):
    return coupling.strengths(len(rows.tasks), rows.X.shape[1])


each_factor = pytest.mark.parametrize("solve", [by_inversion, by_eigenvectors, by_rows])


COUPLINGS = [
    ToMean(alpha, alpha_shared, alpha_intercept)
    for alpha, alpha_shared, alpha_intercept in itertools.product(
        [0.7, PER_FEATURE], [0.0, 2.5], [0.0, 0.5, np.inf]
    )
]


SIZES = {"many rows": (9, 12, 7, 20), "few rows": (2, 3, 1, 2, 3), "one": (8,)}
