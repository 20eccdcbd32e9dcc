"""The simulated data follow the formulas of their docstring."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skmtl.datasets import make_related_tasks


def test_the_task_column_comes_last_and_rows_per_task_may_differ():
    X, y = make_related_tasks(3, [1, 20, 5], 4, random_state=0)
    assert X.shape == (26, 5)
    assert y.shape == (26,)
    assert X.dtype == np.float64
    np.testing.assert_array_equal(np.bincount(X[:, -1].astype(int)), [1, 20, 5])


def test_a_seed_gives_the_same_data_and_another_seed_other_data():
    first, again, other = (make_related_tasks(random_state=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("names", [["b", "a", "c"], [30, 10, 20]])
def test_array_and_frame_hold_the_same_numbers(names):
    options = {"task_names": names, "random_state": 0}
    X, y = make_related_tasks(3, 6, 2, **options)
    frame, target = make_related_tasks(3, 6, 2, as_frame=True, **options)
    assert frame.columns.tolist() == ["x0", "x1", "task"]
    assert target.name == "target"
    assert set(frame["task"]) == set(names)
    np.testing.assert_array_equal(frame.to_numpy(), X)
    np.testing.assert_array_equal(target.to_numpy(), y)


def test_each_task_without_noise_follows_its_true_coefficients():
    X, y, coef = make_related_tasks(3, 30, 4, noise=0, coef=True, random_state=0)
    for t in range(3):
        rows = X[:, -1] == t
        learnt = LinearRegression().fit(X[rows, :-1], y[rows])
        np.testing.assert_allclose(learnt.coef_, coef[t], atol=1e-12)


def test_spread_is_the_distance_of_tasks_from_their_centre():
    _, _, coef = make_related_tasks(2000, 1, 5, spread=0.3, coef=True, random_state=0)
    np.testing.assert_allclose(coef.std(axis=0), 0.3, rtol=0.06)  # 4 standard errors
    _, _, coef = make_related_tasks(4, 1, 5, spread=0, coef=True, random_state=0)
    assert np.ptp(coef, axis=0).max() == 0


def test_without_spreads_and_noise_all_tasks_are_one_linear_function():
    X, y = make_related_tasks(
        4, 10, 3, spread=0, noise=0, intercept_spread=0, random_state=0
    )
    learnt = LinearRegression(fit_intercept=False).fit(X[:, :-1], y)
    np.testing.assert_allclose(learnt.predict(X[:, :-1]), y, atol=1e-12)


@pytest.mark.parametrize("n_samples", [0, [3, 4], [3, 0, 2], 2.5])
def test_wrong_numbers_of_rows_are_refused(n_samples):
    with pytest.raises(ValueError, match="n_samples must be a positive integer"):
        make_related_tasks(3, n_samples)


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "a"]])
def test_names_that_are_not_distinct_are_refused(names):
    with pytest.raises(ValueError, match="n_tasks=3 distinct labels"):
        make_related_tasks(3, 5, task_names=names)
