"""Searches along one strength at a time minimise functions that are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.selection import log_grid, search_folds
from skmtl.selection.search._coordinate_search import Axis, descend, strengthen

GRID = np.geomspace(1e-2, 1e2, 5)
OPEN = np.r_[0.0, GRID, np.inf]


def valley(*lowest):
    """Return a function that is quadratic in the logs of strengths."""
    return lambda at: 1 + np.sum((np.log(at) - lowest) ** 2)


@pytest.mark.parametrize("lowest", [(1.0, -2.0), (-6.5, 8.0), (0.0, 0.0)])
def test_a_quadratic_function_of_logs_is_minimised_exactly(lowest):
    axes = [Axis(GRID, free=True), Axis(GRID, free=True)]
    found = descend(valley(*lowest), (1.0, 1.0), axes)
    assert_allclose(np.log(found), lowest, atol=1e-6)


def test_a_function_of_logs_that_is_not_quadratic_is_minimised_nearly():
    found = descend(lambda at: at[0] + 50 / at[0], (1.0,), [Axis(GRID, free=True)])
    assert_allclose(found, [np.sqrt(50)], rtol=0.02)


@pytest.mark.parametrize(("lowest", "expected"), [(1.0, 1.0), (4.0, 1e2), (-9.0, 1e-2)])
def test_an_axis_that_is_not_free_keeps_to_its_grid(lowest, expected):
    found = descend(valley(lowest), (1.0,), [Axis(GRID, free=False)])
    assert_allclose(found, [expected])


def test_an_end_is_taken_where_it_is_no_worse():
    ends = [Axis(OPEN, free=True, zero=True)]
    assert descend(lambda at: 1 + 1 / at[0] ** 2, (1e2,), ends) == (np.inf,)
    assert descend(lambda at: 1 + at[0] ** 2, (1e-2,), ends) == (0.0,)


def test_an_end_is_not_taken_where_it_is_worse():
    ends = [Axis(OPEN, free=True, zero=True)]

    def value(at):
        return 2.0 if at[0] in (0.0, np.inf) else 1 + 1 / at[0] ** 2

    (found,) = descend(value, (1e2,), ends)
    assert 1e3 < found < np.inf


def test_an_end_is_left_where_the_grid_is_better():
    ends = [Axis(OPEN, free=True, zero=True)]

    def value(at):
        return 99.0 if at[0] in (0.0, np.inf) else valley(1.0)(at)

    for start in (0.0, np.inf):
        assert_allclose(np.log(descend(value, (start,), ends)), [1.0], atol=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_strengths_are_raised_to_the_rise_that_is_allowed(share):
    axes = [Axis(GRID, free=True), Axis(GRID, free=False)]
    value = valley(0.0, 0.0)
    first, second = strengthen(value, (1.0, 1.0), axes, share)
    assert_allclose(value((first, second)), 1 + share, rtol=1e-6)
    assert first > second == 1.0


def test_strengths_stay_where_none_may_be_raised():
    fixed = [Axis(GRID, free=False)]
    assert strengthen(valley(0.0), (1.0,), fixed, 0.1) == (1.0,)


@pytest.mark.parametrize("lowest", [(0.0, 2.0, -2.0), (9.0, -9.0, 0.5)])
def test_folds_are_searched_to_the_best_strengths_of_the_grids(lowest):
    found = search_folds(valley(*lowest), [GRID] * 3)
    expected = [min(GRID, key=lambda at: abs(np.log(at) - low)) for low in lowest]
    assert_allclose(found, expected)


def test_a_log_grid_has_two_strengths_per_decade():
    assert_allclose(log_grid(2.0, -1, 1), 2 * 10.0 ** np.array([-1, -0.5, 0, 0.5, 1]))
