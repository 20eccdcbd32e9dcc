"""A task is seen if a row of it has weight."""

import numpy as np
import pandas as pd
import pytest
from bare import Bare
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skmtl.data import read_rows
from skmtl.targets import seen_tasks


@given(seed=st.integers(0, 99))
def test_seen_tasks_have_a_positive_sum_of_weights_by_pandas(seed):
    rng = np.random.default_rng(seed)
    task, weight = rng.integers(6, size=12), 1.0 * rng.integers(2, size=12)
    weight[0] = 1.0
    rows = read_rows(
        Bare(), rng.normal(size=(12, 2)), task, task=task, sample_weight=weight
    )
    assert_array_equal(seen_tasks(rows), pd.Series(weight).groupby(task).sum() > 0)


@pytest.mark.parametrize("y", [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, np.nan]]])
def test_a_task_of_weight_zero_is_not_seen(y):
    rows = read_rows(Bare(), [[1.0], [2.0]], y, task_weight={0: 1.0, 1: 0.0})
    assert seen_tasks(rows).tolist() == [True, False]


def test_columns_are_seen_where_a_row_has_weight():
    y = [[1.0, np.nan], [3.0, 4.0]]
    rows = read_rows(Bare(), [[1.0], [2.0]], y, sample_weight=[1.0, 0.0])
    assert seen_tasks(rows).tolist() == [True, False]
    rows = read_rows(Bare(), [[1.0], [2.0]], [[1.0, 2.0]] * 2)
    assert seen_tasks(rows).tolist() == [True, True]
