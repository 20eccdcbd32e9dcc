"""Numbers that overflow are named, not returned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from skmtl.data import TaskRows
from skmtl.targets import cast, check_finite, check_fit_is_finite, predict_finite

X = np.array([[1.0, -9.0], [2.0, 3.0], [4.0, 0.0]])
ROWS = TaskRows(X, None, np.array([5.0, -7.0, 1.0]), None, np.array([0, 3]), [0])
LIMITS = np.finfo(np.float32)


# -- cast


@given(st.lists(st.floats(width=32, allow_infinity=False, allow_nan=False), min_size=1))
def test_numbers_that_float32_holds_survive_a_cast(values):
    assert_array_equal(cast(np.array(values, dtype=float), np.float32), values)


@pytest.mark.parametrize("value", [1e39, -1e39, 1e-39, -1e-300])
def test_numbers_that_float32_would_lose_stay_in_float64(value):
    found = cast(np.array([value]), np.float32)
    assert found.dtype == float
    assert found[0] == value


@pytest.mark.parametrize(
    "values", [[], [0.0], [float(LIMITS.max)], [float(LIMITS.tiny)]]
)
def test_the_ends_of_float32_and_nothing_are_cast(values):
    assert cast(np.array(values), np.float32).dtype == np.float32


# -- predictions


def test_the_row_and_the_feature_of_an_infinite_prediction_are_named():
    with pytest.raises(ValueError, match="row 0 overflows: its feature 1 is 9 "):
        check_finite(np.array([np.inf, 0.0, 0.0]), X)
    with pytest.raises(ValueError, match="row 42 overflows: its feature 0 is 4 "):
        check_finite(np.array([[0, 0], [0, 0], [0, np.nan]]), X, np.array([7, 9, 42]))


def test_a_sparse_row_is_named_too():
    with pytest.raises(ValueError, match="row 0 overflows: its feature 1 is 9 "):
        check_finite(np.array([-np.inf, 0.0, 0.0]), sparse.csr_array(X))


@pytest.mark.parametrize("shape", [(0,), (0, 2), (3, 0)])
def test_no_predictions_are_finite(shape):
    assert check_finite(np.zeros(shape), X[: shape[0]]) is None


def test_overflow_in_float32_is_computed_again_in_float64():
    large = np.full((2, 1), 3e38, dtype=np.float32)
    found = predict_finite(lambda rows: 10 * rows[:, 0], large)
    assert found.dtype == float
    assert_array_equal(found, 10 * large[:, 0].astype(float))


def test_overflow_in_float64_is_refused_without_a_warning():
    with pytest.raises(ValueError, match=r"feature 0 is 1e\+308"):
        predict_finite(lambda rows: 10 * rows[:, 0], np.array([[1e308]]))


def test_finite_predictions_are_computed_once():
    calls = []
    predict_finite(lambda rows: calls.append(1) or rows[:, 0], X.astype(np.float32))
    assert calls == [1]


# -- fits


@pytest.mark.parametrize("name", ["coef_", "intercept_shared_", "objective_", "scale_"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_an_attribute_that_overflows_is_named_with_the_largest_numbers(name, value):
    with pytest.raises(
        ValueError, match=f"but {name} overflows.*is 9 .feature 1.*is 7"
    ):
        check_fit_is_finite({name: np.array([0.0, value])}, ROWS)


def test_strengths_may_be_infinite():
    assert check_fit_is_finite({"alpha_": np.inf, "best_score_": -np.inf}, ROWS) is None


def test_a_task_without_rows_has_no_model_in_a_fit_per_task():
    learnt = {"coef_": {"a": np.array([1.0]), "b": np.array([np.nan])}}
    assert check_fit_is_finite(learnt, ROWS) is None
    learnt["coef_"]["b"] = np.array([np.nan, 1.0])
    with pytest.raises(ValueError, match="coef_ overflows"):
        check_fit_is_finite(learnt, ROWS)
