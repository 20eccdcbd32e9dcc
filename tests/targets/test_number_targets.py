"""Targets that are numbers, with and without outliers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bare import Bare, in_order
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import HuberRegressor
from sklearn.metrics import mean_squared_error

from skmtl.losses import Huber, Squared
from skmtl.problems.exact import TaskModels
from skmtl.targets import NumericTarget, OutlierTarget

TASK = np.array(["b", "a", "b", "a", "b", "c"])
X = np.arange(12.0).reshape(6, 2)
Y = np.array([1.5, -2.0, 0.0, 1e-300, 1e30, 7.0])


def models(n_tasks):
    rng = np.random.default_rng(0)
    return TaskModels(
        rng.normal(size=(n_tasks, 1, 2)),
        rng.normal(size=(n_tasks, 1)),
        rng.normal(size=(1, 2)),
        rng.normal(size=1),
    )


# -- read


@pytest.mark.parametrize(
    "y",
    [
        Y.tolist(),
        Y.astype(object),
        pd.Series(Y, dtype="Float64"),
        [str(value) for value in Y],
    ],
    ids=["list", "objects", "nullable", "words of numbers"],
)
def test_numbers_may_come_in_any_container(y):
    rows = NumericTarget().read(Bare(), X, y, task=TASK).rows
    assert_array_equal(rows.y, in_order(rows, Y))
    assert rows.tasks.tolist() == ["a", "b", "c"]


def test_truths_are_zeros_and_ones():
    rows = NumericTarget().read(Bare(), X, Y > 1, task=TASK).rows
    assert_array_equal(rows.y, in_order(rows, Y > 1))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "missing value in row 2"),
        (None, "missing value in row 2"),
        (np.inf, "contains infinity"),
        ("many", "could not convert string"),
    ],
)
def test_values_that_are_no_numbers_are_refused(value, words):
    with pytest.raises(ValueError, match=words):
        NumericTarget().read(Bare(), X, [1.0, 2.0, value, 3.0, 4.0, 5.0], task=TASK)


def test_cells_of_a_2d_y_that_are_missing_are_left_out():
    y = np.array([[1.0, np.nan], [2.0, 5.0], [np.nan, 6.0]])
    rows = NumericTarget().read(Bare(), X[:3], y).rows
    assert rows.y.tolist() == [1, 2, 5, 6]
    assert rows.rows.tolist() == [0, 1, 1, 2]


def test_columns_of_a_frame_are_tasks_in_their_order():
    frame = pd.DataFrame({"z": Y, "a": 2 * Y})
    rows = NumericTarget().read(Bare(), X, frame).rows
    assert rows.tasks.tolist() == ["z", "a"]
    assert_array_equal(rows.Y, frame.to_numpy())


# -- loss


@given(seed=st.integers(0, 99))
def test_the_squared_loss_is_half_that_of_scikit_learn_with_weights(seed):
    rng = np.random.default_rng(seed)
    y, z, weight = rng.normal(size=6), rng.normal(size=6), rng.uniform(size=6)
    target = NumericTarget()
    sample = target.read(Bare(), X, y, task=TASK, sample_weight=weight)
    rows, loss, targets = target.prepare(sample, smooths=True)
    assert isinstance(loss, Squared)
    assert targets is None
    found = np.average(loss.cost(rows.y, in_order(rows, z)), weights=rows.weight)
    assert 2 * found == pytest.approx(mean_squared_error(y, z, sample_weight=weight))


# -- reports


def test_shapes_have_an_axis_of_tasks_unless_none_was_declared():
    sample = NumericTarget().read(Bare(), X, Y, task=TASK)
    several = NumericTarget().shape(sample, models(3), single=False)
    assert several["coef_"].shape == (3, 2)
    assert several["intercept_"].shape == (3,)
    assert several["coef_shared_"].shape == (2,)
    one = NumericTarget().shape(sample, models(1), single=True)
    assert one["coef_"].shape == (2,)
    assert np.ndim(one["intercept_"]) == np.ndim(one["intercept_shared_"]) == 0


def contaminated():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.normal(size=60)
    y[::10] += 20
    return X, X @ [1.0, -1.0] + y


def report(sample, models, scale, epsilon):
    fit = SimpleNamespace(detail=SimpleNamespace(scale=scale))
    return OutlierTarget(Huber(epsilon)).report(sample, models, fit)


def test_outliers_are_those_of_huber_regressor():
    X, y = contaminated()
    peer = HuberRegressor(epsilon=1.5, alpha=0.0).fit(X, y)
    coef, intercept = peer.coef_[None], np.array([peer.intercept_])
    given = TaskModels(coef[:, None], intercept[:, None], coef, intercept)
    sample = NumericTarget().read(Bare(), X, y, task=np.zeros(60, dtype=int))
    found = report(sample, given, peer.scale_, 1.5)
    assert_array_equal(found["outliers_"], peer.outliers_)
    assert found["scale_"] == peer.scale_
    assert 6 <= found["outliers_"].sum() < 30


def test_outliers_are_in_the_order_of_the_rows_of_X():
    given = TaskModels(
        np.zeros((3, 1, 2)), np.zeros((3, 1)), np.zeros((1, 2)), np.zeros(1)
    )
    sample = NumericTarget().read(Bare(), X, [0, 0, 9, 0, 0, -9], task=TASK)
    found = report(sample, given, 1.0, 2.0)["outliers_"]
    assert found.tolist() == [False, False, True, False, False, True]


@pytest.mark.parametrize("gap", [0.0, np.nan], ids=["complete", "with gaps"])
def test_outliers_of_a_2d_y_are_cells(gap):
    given = TaskModels(
        np.zeros((2, 1, 2)), np.array([[0.0], [5.0]]), np.zeros((1, 2)), np.zeros(1)
    )
    sample = NumericTarget().read(Bare(), X[:3], [[9, 5], [gap, 9], [0, 0.0]])
    found = report(sample, given, 1.0, 2.0)["outliers_"]
    assert found.tolist() == [[True, False], [False, True], [False, True]]


def test_reports_are_float32_for_features_in_float32():
    sample = NumericTarget().read(Bare(), X.astype(np.float32), Y, task=TASK)
    found = NumericTarget().shape(sample, models(3), single=False)
    assert {found[name].dtype for name in found} == {np.dtype(np.float32)}
    assert_allclose(found["coef_"], models(3).coef[:, 0], rtol=1e-6)
