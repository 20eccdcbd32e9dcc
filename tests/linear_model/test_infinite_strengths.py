"""Infinite strengths have the finite optimum of merged coefficients."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.linear_model import MeanRegularizedRegressor

N_TASKS, N_ROWS, N_FEATURES = 4, 5, 70  # few rows: factored as they are


def few_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_TASKS * N_ROWS, N_FEATURES))
    return X, X[:, 0] + rng.normal(size=len(X)), np.repeat(np.arange(N_TASKS), N_ROWS)


def solve_densely(X, y, task, alpha, alpha_shared, alpha_intercept):
    """Fit own parts, the centre and intercepts as columns of one ridge regression."""
    own = np.isfinite(alpha)
    indicators = np.eye(N_TASKS)[task]
    parts = [indicators[:, [t]] * X[:, own] for t in range(N_TASKS)]
    design = np.hstack([*parts, X, np.ones((len(y), 1)), indicators])
    penalties = np.concatenate(
        [
            np.tile(alpha[own], N_TASKS),
            np.full(N_FEATURES, alpha_shared),
            [0.0],
            np.full(N_TASKS, alpha_intercept),
        ]
    )
    system = np.vstack([design, np.diag(np.sqrt(penalties))])
    target = np.append(y, np.zeros(len(penalties)))
    solution = np.linalg.lstsq(system, target, rcond=1e-13)[0]
    n_own = N_TASKS * own.sum()
    centre = solution[n_own : n_own + N_FEATURES]
    coef = np.tile(centre, (N_TASKS, 1))
    coef[:, own] += solution[:n_own].reshape(N_TASKS, -1)
    return coef, centre, design @ solution


@pytest.mark.parametrize("n_infinite", [1, N_FEATURES // 2, N_FEATURES])
@pytest.mark.parametrize("alpha_intercept", [0.0, 5.0])
def test_infinite_strengths_of_few_rows_have_the_dense_solution(
    n_infinite, alpha_intercept
):
    X, y, task = few_rows()
    alpha = np.full(N_FEATURES, 10.0)
    alpha[-n_infinite:] = np.inf
    model = MeanRegularizedRegressor(
        alpha, alpha_shared=3.0, alpha_intercept=alpha_intercept
    ).fit(X, y, task=task)
    coef, centre, fitted = solve_densely(X, y, task, alpha, 3.0, alpha_intercept)
    assert_allclose(model.coef_, coef, atol=1e-10)
    assert_allclose(model.coef_shared_, centre, atol=1e-10)
    assert_allclose(model.predict(X, task=task), fitted, atol=1e-10)


@pytest.mark.parametrize("n_infinite", [1, N_FEATURES // 2])
@pytest.mark.parametrize("alpha_intercept", [0.0, 5.0])
def test_infinite_strengths_with_a_free_centre_equal_the_dense_solution(
    n_infinite, alpha_intercept
):
    X, y, task = few_rows()
    alpha = np.full(N_FEATURES, 10.0)
    alpha[-n_infinite:] = np.inf
    model = MeanRegularizedRegressor(alpha, alpha_intercept=alpha_intercept)
    model.fit(X, y, task=task)
    fitted = solve_densely(X, y, task, alpha, 0.0, alpha_intercept)[2]
    assert_allclose(model.predict(X, task=task), fitted, atol=1e-10)


def test_one_infinite_strength_for_all_features_of_few_rows_is_pooled():
    X, y, task = few_rows()
    one = MeanRegularizedRegressor(np.inf, alpha_shared=3.0).fit(X, y, task=task)
    each = MeanRegularizedRegressor(np.full(N_FEATURES, np.inf), alpha_shared=3.0)
    assert_allclose(one.coef_, each.fit(X, y, task=task).coef_, atol=1e-12)
    assert np.isfinite(one.coef_).all()
