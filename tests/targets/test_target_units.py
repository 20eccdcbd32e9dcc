"""Standard deviations of targets that are far apart are named; chance is not."""

import re

import numpy as np
import pytest
from bare import Bare
from hypothesis import given
from hypothesis import strategies as st

from skmtl.data import read_rows
from skmtl.targets import NumericTarget

TASK = np.repeat(["cm", "km", "m"], 40)


def draw(factors, seed=0):
    y = np.random.default_rng(seed).normal(size=120)
    return y * np.repeat(factors, 40)


def check(y, task=TASK, **given):
    X = np.zeros((len(y), 1))
    NumericTarget().check_units(read_rows(Bare(), X, y, task=task, **given))


@given(seed=st.integers(0, 99))
def test_the_warning_names_the_largest_and_smallest_deviation_of_numpy(seed):
    y = draw([1e5, 1.0, 1e3], seed)
    with pytest.warns(UserWarning, match="similar spreads") as found:
        check(y)
    large, small = (f"{np.std(y[t == TASK]):.3g}" for t in ("cm", "km"))
    words = f"is {large} in task 'cm' and {small} in task 'km'"
    assert re.search(re.escape(words), str(found[0].message))


@pytest.mark.parametrize("factors", [[1, 1, 1], [1, 5, 10], [1e-200, 3e-200, 1e-200]])
def test_similar_deviations_are_no_matter(factors, recwarn):
    check(draw(factors))
    assert len(recwarn) == 0


def test_a_shift_of_targets_is_no_matter(recwarn):
    check(draw([1, 1, 1]) + np.repeat([0, 1e6, -1e9], 40))
    assert len(recwarn) == 0


@pytest.mark.parametrize(
    ("spread", "weight"), [(1e5, np.where(TASK == "cm", 0.0, 1.0)), (0.0, None)]
)
def test_tasks_without_weight_or_variation_are_left_out(spread, weight, recwarn):
    check(draw([spread, 1.0, 2.0]), sample_weight=weight)
    assert len(recwarn) == 0


@pytest.mark.parametrize(("n_rows", "n_warnings"), [(9, 0), (40, 1)])
def test_few_rows_are_too_uncertain(n_rows, n_warnings, recwarn):
    kept = np.arange(120) % 40 < n_rows
    check(draw([1e5, 1.0, 1.0])[kept], TASK[kept])
    assert len(recwarn) == n_warnings


def test_cells_of_a_2d_y_are_compared_by_column():
    Y = draw([1, 1, 1]).reshape(40, 3) * [1.0, 1e4, 1.0]
    with pytest.warns(UserWarning, match="in task 1 and"):
        check(Y, None)
    Y[::4, 0] = np.nan
    with pytest.warns(UserWarning, match="in task 1 and"):
        check(Y, None)


def test_numbers_whose_squares_overflow_are_left_out(recwarn):
    check(draw([1e200, 1.0, 1.0]))
    assert len(recwarn) == 0
