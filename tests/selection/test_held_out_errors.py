"""Held-out errors are those of refits, and are compared task by task."""

import numpy as np
import pytest
from bare import Bare
from numpy.testing import assert_allclose

from skmtl.couplings import ToMean
from skmtl.data import read_rows
from skmtl.linear_model import MeanRegularizedRegressor
from skmtl.problems.exact import solve_moments
from skmtl.selection import (
    HeldOutErrors,
    change_in_task_errors,
    deal_observations,
    fold_errors,
    left_out_errors,
)

TASK = np.repeat([0, 1, 2], [4, 6, 5])


def draw():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(15, 2))
    return X, X @ [1.0, -1.0] + TASK + rng.normal(size=15)


def test_leave_one_out_errors_are_those_of_refits():
    X, y = draw()
    data = read_rows(Bare(), X, y, task=TASK)
    model = MeanRegularizedRegressor(2.0, alpha_shared=0.5, alpha_intercept=1.0)
    strengths = ToMean(2.0, 0.5, 1.0).strengths(3, 2)
    found = left_out_errors(data, solve_moments(data.moments(), strengths, True))
    rest = [np.arange(15) != i for i in range(15)]
    refits = [model.fit(X[k], y[k], task=TASK[k]).predict(X, TASK) for k in rest]
    expected = (np.diag(refits) - y) ** 2
    assert_allclose(np.sort(found.squares), np.sort(expected))
    assert_allclose(
        np.bincount(found.codes, found.squares), np.bincount(TASK, expected)
    )


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_errors_of_folds_are_those_of_refits(layout):
    X, _ = draw()
    Y = X @ np.ones((2, 3)) + np.random.default_rng(1).normal(size=(15, 3))
    model = MeanRegularizedRegressor(2.0, alpha_intercept=1.0)
    expected = np.empty((15, 3))
    for k in range(4):
        test = np.arange(15) % 4 == k
        expected[test] = (model.fit(X[~test], Y[~test]).predict(X[test]) - Y[test]) ** 2
    rows = np.tile(X, (3, 1)), Y.T.ravel()
    given = {"task": np.repeat([0, 1, 2], 15)}
    data = {
        "rows": lambda: read_rows(Bare(), *rows, **given),
        "columns": lambda: read_rows(Bare(), X, Y),
    }[layout]()
    strengths = ToMean(2.0, 0.0, 1.0).strengths(3, 2)

    parts = deal_observations(data, 4)
    folds = [
        (solve_moments(p.moments(), strengths, True).unpack(), k) for p, k in parts
    ]
    found = fold_errors(data, folds)
    expected = [expected[np.arange(15) % 4 == k].T.ravel() for k in range(4)]
    assert_allclose(found.squares, np.concatenate(expected))


def test_the_change_is_that_of_a_mean_task_in_any_unit():
    codes, weight = np.array([0, 0, 1]), np.array([1.0, 3.0, 2.0])
    first = HeldOutErrors(np.array([4.0, 0.0, 5.0]), np.ones(3), weight, codes)
    second = HeldOutErrors(np.array([0.0, 4.0, 5.0]), np.ones(3), weight, codes)
    assert change_in_task_errors(first, second) == pytest.approx(np.log(3) / 2)
    scaled = second.in_units(np.array([10.0, 1.0]))
    change = change_in_task_errors(first, scaled)
    assert change == pytest.approx(np.log(3 * 100) / 2)
