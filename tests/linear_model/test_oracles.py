"""Other people's solvers, on the same objectives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import solve_sylvester
from scipy.optimize import minimize
from scipy.sparse.linalg import lsqr

from skmtl.couplings import ToMean
from skmtl.datasets import make_related_tasks
from skmtl.linear_model import MeanRegularizedRegressor, MultiTaskRidge

# Strengths of ``rho sum_t ||w_t - mean||^2 + rho_l2 sum_t ||w_t||^2``.
PULLS = [(4.0, 0.5), (0.2, 0.05), (50.0, 1e-3)]
each_pull = pytest.mark.parametrize(("rho", "rho_l2"), PULLS)


def mean_regularised(rho, rho_l2, n_tasks, **params):
    """Return our model of an objective that halves its squares, as MALSAR does.

    With squares as they are, strengths double; eliminating the mean turns
    ``rho, rho_l2`` into the pull to a centre that is itself pulled to zero.
    """
    alpha = 2 * (rho + rho_l2)
    alpha_shared = n_tasks * alpha * rho_l2 / rho
    return MeanRegularizedRegressor(alpha, alpha_shared=alpha_shared, **params)


def penalty(W, rho, rho_l2):
    return rho * ((W - W.mean(axis=0)) ** 2).sum() + rho_l2 * (W**2).sum()


@pytest.fixture
def stacked():
    sizes = [20, 28, 24, 22, 26]
    X, y = make_related_tasks(5, sizes, 8, random_state=0)
    return X[:, :-1], y, X[:, -1].astype(int)


@each_pull
def test_rows_of_their_own_agree_with_a_quasi_newton_method(stacked, rho, rho_l2):
    """The objective of Least_SRMTL with ``R = I - 11'/n_tasks``, by L-BFGS."""
    X, y, task = stacked

    def objective(flat):
        W = flat.reshape(5, 8)
        left = (X * W[task]).sum(axis=1) - y
        gradient = 2 * rho * (W - W.mean(axis=0)) + 2 * rho_l2 * W
        np.add.at(gradient, task, left[:, None] * X)
        return 0.5 * left @ left + penalty(W, rho, rho_l2), gradient.ravel()

    options = {"ftol": 0, "gtol": 1e-10, "maxiter": 5000, "maxfun": 20000}
    found = minimize(
        objective, np.zeros(40), jac=True, method="L-BFGS-B", options=options
    )
    model = mean_regularised(rho, rho_l2, 5, fit_intercept=False)
    model.fit(X, y, task=task)
    assert_allclose(model.coef_.ravel(), found.x, atol=1e-7)
    assert objective(model.coef_.ravel())[0] <= found.fun * (1 + 1e-14)


@each_pull
def test_losses_averaged_per_task_agree_with_a_quasi_newton_method(
    stacked, rho, rho_l2
):
    """The objective of RMTL's Graph: ``1/(2 n_t)`` per task, free intercepts."""
    X, y, task = stacked
    n = np.bincount(task)

    def objective(flat):
        W, b = flat[:40].reshape(5, 8), flat[40:]
        left = ((X * W[task]).sum(axis=1) + b[task] - y) / n[task]
        gradient = 2 * rho * (W - W.mean(axis=0)) + 2 * rho_l2 * W
        np.add.at(gradient, task, left[:, None] * X)
        value = 0.5 * (left**2 * n[task]).sum() + penalty(W, rho, rho_l2)
        return value, np.append(gradient.ravel(), np.bincount(task, left))

    options = {"ftol": 0, "gtol": 1e-11, "maxiter": 5000, "maxfun": 20000}
    found = minimize(
        objective, np.zeros(45), jac=True, method="L-BFGS-B", options=options
    )
    factor = {t: 1 / n[t] for t in range(5)}
    model = mean_regularised(rho, rho_l2, 5, task_weight=factor).fit(X, y, task=task)
    flat = np.append(model.coef_, model.intercept_)
    assert_allclose(flat, found.x, atol=1e-6)
    assert objective(flat)[0] <= found.fun * (1 + 1e-13)


@each_pull
def test_shared_rows_agree_with_a_sylvester_equation(rho, rho_l2):
    """``X'X W' + W' P = X'Y`` with the precision ``P`` of the tasks."""
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(40, 8)), rng.normal(size=(40, 5))
    model = mean_regularised(rho, rho_l2, 5, fit_intercept=False).fit(X, Y)
    precision = 2 * (rho + rho_l2) * np.eye(5) - 2 * rho / 5
    expected = solve_sylvester(X.T @ X, precision, X.T @ Y)
    assert_allclose(model.coef_, expected.T, atol=1e-12)
    coupling = ToMean(model.alpha, model.alpha_shared)
    assert_allclose(coupling.precision(5), precision)


def test_tasks_apart_are_the_sylvester_equation_of_a_diagonal():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(40, 8)), rng.normal(size=(40, 5))
    alpha = np.array([0.1, 1.0, 3.0, 10.0, 100.0])
    model = MultiTaskRidge(alpha, fit_intercept=False).fit(X, Y)
    expected = solve_sylvester(X.T @ X, np.diag(alpha), X.T @ Y)
    assert_allclose(model.coef_, expected.T, atol=1e-12)


@pytest.mark.parametrize("alpha_intercept", [0.3, 20.0])
def test_pulled_intercepts_agree_with_an_iterative_solver(stacked, alpha_intercept):
    """All variables in one sparse-like system, by LSQR."""
    X, y, task = stacked
    indicator = np.eye(5)[task]
    own = (indicator[:, :, None] * X[:, None]).reshape(len(y), -1)
    shared = np.column_stack([X, np.ones(len(y))])
    design = np.hstack([own, indicator, shared])
    pull = np.diag(np.sqrt([*np.full(40, 3.0), *np.full(5, alpha_intercept), *[0] * 9]))
    system, target = np.vstack([design, pull]), np.append(y, np.zeros(54))
    expected = lsqr(system, target, atol=1e-14, btol=1e-14, iter_lim=10_000)[0]
    model = MeanRegularizedRegressor(3.0, alpha_intercept=alpha_intercept)
    model.fit(X, y, task=task)
    assert_allclose(model.coef_shared_, expected[45:53], rtol=1e-6)
    assert_allclose(
        model.coef_ - model.coef_shared_, expected[:40].reshape(5, 8), atol=1e-7
    )
    assert_allclose(model.intercept_shared_, expected[53], rtol=1e-6)
    assert_allclose(
        model.intercept_ - model.intercept_shared_, expected[40:45], atol=1e-7
    )
