"""Units of tasks: their own with many rows, common ones with few rows."""

import numpy as np
import pytest

from skmtl.neural_network import MultiTaskMLPRegressor


def fit(X, y, task):
    model = MultiTaskMLPRegressor(4, max_iter=20, tol=1.0, random_state=0)
    return model.fit(X, y, task=task)


def units_of(model):
    return model._network.heads[0].units.unit


def draw(sizes, scales, seed=0):
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(size=(len(task), 2))
    return X, scales[task] * (X[:, 0] + rng.normal(size=len(task))), task


def test_units_that_differ_widely_are_kept():
    scales = 10.0 ** np.arange(-2, 4)
    X, y, task = draw([40] * 6, scales)
    spreads = [y[task == label].std() for label in range(6)]
    assert units_of(fit(X, y, task)) == pytest.approx(spreads, rel=0.01)


def test_tasks_of_three_rows_have_almost_one_unit():
    X, y, task = draw([3] * 50, np.ones(50))
    spreads = np.array([y[task == label].std() for label in range(50)])
    units = units_of(fit(X, y, task))
    assert np.ptp(np.log(units)) < 0.2 * np.ptp(np.log(spreads))
    assert np.exp(np.log(units).mean()) == pytest.approx(np.sqrt(2), rel=0.2)


def test_a_task_of_one_row_has_the_unit_of_the_others():
    X, y, task = draw([40, 40, 40, 1], np.ones(4))
    model = fit(X, y, task)
    assert units_of(model)[3] == pytest.approx(np.mean(units_of(model)[:3]), rel=0.2)
    assert np.ptp(model.predict(X, task=3)) > 0


def test_a_constant_target_of_many_rows_is_predicted_exactly():
    X, y, task = draw([40, 40], np.ones(2))
    y[task == 1] = 7.0
    assert fit(X, y, task).predict(X[:3], task=1) == pytest.approx([7.0] * 3, rel=1e-12)


def test_one_task_has_its_own_unit():
    X, y, task = draw([5], np.ones(1))
    assert units_of(fit(X, y, task)) == pytest.approx([y.std()], rel=1e-12)


def test_tasks_of_one_row_each_learn_together():
    X, y, task = draw([1] * 40, np.ones(40))
    model = fit(X, y, task)
    assert units_of(model) == pytest.approx([y.std()] * 40, rel=1e-12)
    assert np.ptp(model.predict(X, task=0)) > 0
