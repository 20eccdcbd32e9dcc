"""Relative strengths of features, given to a search."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV

PATTERN = [1.0, 2.0, np.inf]


@pytest.fixture(scope="module")
def rows():
    """Rows of tasks that differ in the coefficients of two features of three."""
    rng = np.random.default_rng(0)
    task, X = np.repeat(np.arange(6), 9), rng.normal(size=(54, 3))
    own = rng.normal(size=(6, 2))
    y = (
        (own[task] * X[:, :2]).sum(axis=1)
        + X[:, 2]
        + own[task, 0]
        + (0.3 * rng.normal(size=54))
    )
    return X, y, task


@pytest.mark.parametrize("method", ["loo", pytest.param("cv", marks=pytest.mark.full)])
def test_an_infinite_strength_makes_coefficients_equal(rows, method):
    X, y, task = rows
    model = MeanRegularizedRegressorCV(method=method, alpha_structure=PATTERN)
    model.fit(X, y, task=task)
    assert_allclose(model.alpha_ / model.alpha_[0], PATTERN)
    assert_allclose(np.ptp(model.coef_[:, 2]), 0, atol=1e-12)
    assert (model.alpha_structure_, model.tau2_[2]) == ("given", 0)


@pytest.mark.full
def test_the_score_is_that_of_leaving_rows_out(rows):
    X, y, task = rows
    model = MeanRegularizedRegressorCV(alpha_structure=PATTERN).fit(X, y, task=task)
    given = MeanRegularizedRegressor(
        model.alpha_,
        alpha_shared=model.alpha_shared_,
        alpha_intercept=model.alpha_intercept_,
    )
    errors = []
    for i in range(54):
        kept = np.arange(54) != i
        given.fit(X[kept], y[kept], task=task[kept])
        errors.append(y[i] - given.predict(X[[i]], task=task[[i]])[0])
    assert_allclose(model.best_score_, -np.mean(np.square(errors)), rtol=1e-6)


def test_independent_lines_keep_the_common_coefficients_equal(rows):
    """However small the strength of the other features."""
    X, _, task = rows
    y = 100 * task * X[:, 0] + X[:, 2]
    model = MeanRegularizedRegressorCV(alpha_structure=PATTERN).fit(X, y, task=task)
    unit = np.mean(X**2) * 9
    assert model.alpha_[0] * 1e8 > 1e3 * unit
    assert_allclose(np.ptp(model.coef_[:, 2]), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha_structure": [1.0, 2.0]}, r"of shape \(3,\), got shape \(2,\)"),
        ({"alpha_structure": [1.0, 0.0, 2.0]}, "positive number per feature"),
        ({"alpha_structure": PATTERN, "method": "reml"}, "must be a string for"),
    ],
)
def test_errors_say_what_to_do(rows, parameters, message):
    X, y, task = rows
    with pytest.raises(ValueError, match=message):
        MeanRegularizedRegressorCV(**parameters).fit(X, y, task=task)
