"""The search by Laplace's method ends at the largest likelihood."""

from functools import lru_cache

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy.optimize import check_grad, minimize
from scipy.special import expit

from skmtl.couplings import Strengths, ToMean
from skmtl.data import TaskRows
from skmtl.linear_model import (
    MeanRegularizedClassifierCV,
    MeanRegularizedPoissonRegressorCV,
)
from skmtl.losses import Logistic, Multinomial, Poisson
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.selection import LaplaceLikelihood
from skmtl.selection.search import minimize_by_scoring
from skmtl.solvers import Newton
from skmtl.targets import target_classes

SEARCHES = {
    "classes": MeanRegularizedClassifierCV,
    "three classes": MeanRegularizedClassifierCV,
    "counts": MeanRegularizedPoissonRegressorCV,
}


def draw(kind, deviations, n_tasks, n_rows, seed=0):
    """Return rows of tasks whose coefficients have these standard deviations."""
    rng = np.random.default_rng(seed)
    d = len(deviations)
    task = np.repeat(np.arange(n_tasks), rng.integers(2, 2 * n_rows, n_tasks))
    X = rng.normal(size=(len(task), d)) + 0.3
    own = 0.4 + rng.normal(size=(n_tasks, d)) * deviations
    raw = (X * own[task]).sum(axis=1) + 0.6 * rng.normal(size=n_tasks)[task]
    if kind == "counts":
        return X, rng.poisson(np.exp(0.5 * raw)), task
    if kind == "classes":
        return X, (rng.random(len(raw)) < expit(raw)).astype(int), task
    return X, np.digitize(raw + rng.normal(size=len(raw)), [-0.5, 1.0]), task


def likelihoods(X, y, task, kind):
    """Return the likelihood as a function of the logs of own strengths and centre."""
    offsets, tasks = np.append(0, np.cumsum(np.bincount(task))), np.unique(task)
    rows = TaskRows(X, None, np.asarray(y, float), None, offsets, tasks)
    loss, targets = Poisson(), None
    if kind != "counts":
        n_classes = len(np.unique(y))
        rows, targets = target_classes(rows, n_classes, smooths=False)
        loss = Logistic() if n_classes == 2 else Multinomial(n_classes)
    datafit, d = Datafit(rows, loss, True, targets), X.shape[1]

    @lru_cache(1)
    def solve(*logs):
        own, level, shared = np.split(np.exp(logs), [d, d + 1])
        return solve_at(
            Strengths(np.ones(1), own, np.full(d, shared[0]), float(level[0]))
        )

    def solve_at(strengths):
        turn = strengths.rotation
        losses = MeanLosses(
            datafit if turn is None else datafit.turned(turn), strengths
        )
        found = Newton(tol=1e-14).minimize(losses, losses.start()).variable
        return LaplaceLikelihood(losses, found)

    def at(logs, strengths=None):
        return solve(*logs) if strengths is None else solve_at(strengths)

    return at


def slopes(found, logs):
    """Return the gradient by logs."""
    own, shared = found.gradient
    return np.append(np.diag(own) * np.exp(logs[:-1]), shared)


@pytest.mark.parametrize("kind", list(SEARCHES))
def test_the_gradient_is_that_of_differences(kind):
    at = likelihoods(*draw(kind, [0.8, 0.3], 6, 6), kind)
    logs = np.log([2.0, 5.0, 0.8, 1.5])
    error = check_grad(
        lambda x: at(x).value, lambda x: slopes(at(x), x), logs, epsilon=1e-5
    )
    assert error < 1e-4


def test_the_gradient_by_a_matrix_is_that_of_turned_features():
    X, y, task = draw("classes", [0.8, 0.3], 6, 6)
    logs, angle = np.log([2.0, 5.0, 0.8, 1.5]), 1e-3
    # A rotation of the features by a small angle rotates the precision matrix.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    values = [
        likelihoods(X @ each, y, task, "classes")(logs).value for each in (turn, turn.T)
    ]
    own, _ = likelihoods(X, y, task, "classes")(logs).gradient
    found = (values[0] - values[1]) / (2 * angle)
    # The matrix ``turn D turn'`` changes by ``angle (D_2 - D_1)`` off the diagonal.
    assert_allclose(found, 2 * own[0, 1] * (5.0 - 2.0), rtol=1e-3)


@pytest.mark.full
@parametrize(
    "case",
    [
        ("classes", [1.0, 0.0], "per_feature"),
        ("counts", [0.0, 0.6], "per_feature"),
        ("classes", [0.0, 0.0], "per_feature"),
        ("counts", [0.0, 0.0], "per_feature"),
        ("counts", [0.3, 0.3], "per_feature"),
        ("classes", [1.0, 0.3], "one"),
        ("counts", [0.3, 0.3], "one"),
        ("classes", [0.0, 0.0], "one"),
    ],
    short=[("classes", [1.0, 0.0], "per_feature"), ("counts", [0.3, 0.3], "one")],
)
def test_no_search_from_another_start_is_likelier(case):
    kind, deviations, structure = case
    X, y, task = draw(kind, deviations, 20, 8)
    model = SEARCHES[kind](method="laplace", alpha_structure=structure)
    best = model.fit(X, y, task=task).best_score_
    at = likelihoods(X, y, task, kind)
    groups = np.eye(4)
    if structure == "one":
        groups = np.column_stack([groups[:, :2].sum(axis=1), groups[:, 2:]])

    def value(x):
        logs = groups @ x
        return -at(logs).value, -groups.T @ slopes(at(logs), logs)

    for start in (0.0, 3.0):
        x = np.full(groups.shape[1], start)
        bounds = [(-10.0, 20.0)] * len(x)
        other = minimize(value, x, jac=True, method="L-BFGS-B", bounds=bounds)
        assert best > -other.fun - 1e-3


def test_a_covariance_is_likelier_than_its_neighbours():
    X, y, task = draw("classes", [1.0, 0.7], 30, 10)
    search = MeanRegularizedClassifierCV(method="laplace", alpha_structure="covariance")
    found = search.fit(X, y, task=task)
    root = np.linalg.cholesky(found.alpha_)
    at = likelihoods(X, y, task, "classes")

    def value(change):
        precision = root @ (np.eye(3) + change) @ root.T
        coupling = ToMean(precision, found.alpha_shared_).strengths(30, 2)
        return at(np.zeros(4), coupling).value

    assert_allclose(value(np.zeros((3, 3))), found.best_score_, atol=1e-6)
    for j, k in zip(*np.tril_indices(3), strict=True):
        step = np.zeros((3, 3))
        step[j, k] = step[k, j] = 0.1
        assert max(value(step), value(-step)) < found.best_score_ + 1e-3


def test_a_given_centre_is_searched_from_a_start():
    X, y, task = draw("classes", [1.0, 0.3], 40, 15)
    options = {"method": "laplace", "alpha_structure": "one"}
    free = MeanRegularizedClassifierCV(**options).fit(X, y, task=task)
    shared = [free.alpha_shared_]
    given = MeanRegularizedClassifierCV(alphas_shared=shared, **options)
    given.fit(X, y, task=task)
    assert_allclose(given.best_score_, free.best_score_, atol=1e-3)
    assert len(given.cv_results_["alpha"]) < 20


def test_quasi_newton_steps_reach_a_minimum_and_follow_a_tail():
    def value(x):
        fall = np.exp(-x[1])
        slope = np.array([2 * (x[0] - 1) + 0.1 * fall, -fall * (1 + 0.1 * x[0])])
        return (x[0] - 1) ** 2 + fall * (1 + 0.1 * x[0]), slope

    bounds = np.full(2, -30.0), np.full(2, 30.0)
    tail = np.array([np.inf, 0.0])
    x = minimize_by_scoring(value, np.zeros(2), np.eye(2), bounds, 1e-10, tail)
    assert_allclose(x[0], 1.0, atol=1e-4)
    assert x[1] > 20
