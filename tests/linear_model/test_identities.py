"""What must hold between fits of any linear model with a squared loss.

Identities of a single model stand in its own tests: its limits, and its equals.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from skmtl.couplings import Graph, ToMean
from skmtl.linear_model import (
    ClusteredRegressor,
    DirtyRegressor,
    FusedRegressor,
    GraphRegularizedRegressor,
    JointFeatureRegressor,
    LinearTaskRegressor,
    LowRankRegressor,
    MeanRegularizedRegressor,
    MultiTaskRidge,
    RobustRegressor,
)
from skmtl.penalties import L1, L12, L21, Decomposed, L1Inf, Trace
from skmtl.solvers import Fista

N_TASKS, N_FEATURES = 4, 5
TIGHT = {"tol": 1e-13, "max_iter": 50_000}
CHAIN = np.eye(N_TASKS, k=1) + np.eye(N_TASKS, k=-1)
# Every model by its name, with the strength that rises.
PENALIZED = {
    "joint": (JointFeatureRegressor(l1_ratio=0.7, **TIGHT), "alpha"),
    "low rank": (LowRankRegressor(**TIGHT), "alpha"),
    "related": (LowRankRegressor(squared=True, tol=1e-11), "alpha"),
    "dirty": (DirtyRegressor(1.0, 0.8, **TIGHT), "alpha_joint"),
    "robust": (RobustRegressor(1.0, 0.1, **TIGHT), "alpha_related"),
    "outliers": (RobustRegressor(0.1, 1.0, penalty="l21", **TIGHT), "alpha_outlier"),
    "fused": (FusedRegressor(alpha_l1=0.01, **TIGHT), "alpha_fused"),
    "clustered": (ClusteredRegressor(2, 0.001, **TIGHT), "alpha_within"),
    "largest": (
        LinearTaskRegressor(L1Inf(), coupling=ToMean(0.5), solver=Fista(**TIGHT)),
        "penalty__alpha",
    ),
    "temporal": (
        LinearTaskRegressor(L21(), coupling=Graph(CHAIN), solver=Fista(**TIGHT)),
        "penalty__alpha",
    ),
    "sparse, to the mean": (
        LinearTaskRegressor(L1(0.05), coupling=ToMean(), solver=Fista(**TIGHT)),
        "coupling__alpha",
    ),
}
SUMMED = {
    "apart": (MultiTaskRidge(), "alpha"),
    "to the mean": (MeanRegularizedRegressor(alpha_shared=0.3), "alpha"),
    "the mean to zero": (MeanRegularizedRegressor(0.3), "alpha_shared"),
    "levels": (MeanRegularizedRegressor(0.3), "alpha_intercept"),
    "chain": (GraphRegularizedRegressor(alpha_ridge=0.3), "alpha"),
}
# Those whose strength is of all that is not the loss.
WHOLE = {
    "joint": PENALIZED["joint"],
    "low rank": PENALIZED["low rank"],
    "related": PENALIZED["related"],
    "jumps": (FusedRegressor(**TIGHT), "alpha_fused"),
    "dirty": (
        LinearTaskRegressor(Decomposed(L1Inf(), L1(0.4)), solver=Fista(**TIGHT)),
        "penalty__alpha",
    ),
    "robust": (
        LinearTaskRegressor(Decomposed(Trace(), L12(0.7)), solver=Fista(**TIGHT)),
        "penalty__alpha",
    ),
    "apart": SUMMED["apart"],
    "to the mean": (MeanRegularizedRegressor(), "alpha"),
    "chain": (GraphRegularizedRegressor(), "alpha"),
}
ALL = PENALIZED | SUMMED
RISING = [0.01, 0.03, 0.1, 0.3, 1.0]
each_penalized = pytest.mark.parametrize(
    ("model", "name"), PENALIZED.values(), ids=PENALIZED
)
each_whole = pytest.mark.parametrize(("model", "name"), WHOLE.values(), ids=WHOLE)
each_model = pytest.mark.parametrize(("model", "name"), ALL.values(), ids=ALL)


@pytest.fixture(scope="module")
def tasks():
    rng = np.random.default_rng(0)
    task = rng.permutation(np.repeat(np.arange(N_TASKS), [9, 14, 20, 11]))
    X = rng.normal(1, 1, size=(len(task), N_FEATURES))
    own = rng.normal([2, -1, 0, 0, 0], [0.5, 0.5, 0.5, 0, 0], (N_TASKS, N_FEATURES))
    return X, (X * own[task]).sum(axis=1) + task + rng.normal(size=len(task)), task


def along(model, name, X, y, task):
    """Fit with a rising strength."""
    fits = [clone(model).set_params(**{name: strength}) for strength in RISING]
    return [fit.fit(X, y, task=task) for fit in fits]


@each_model
def test_a_task_given_twice_has_twice_the_weight(tasks, model, name):
    X, y, task = tasks
    rows = np.append(np.arange(len(y)), np.flatnonzero(task == 1))
    model = clone(model).set_params(**{name: 0.1})
    twice = clone(model).fit(X[rows], y[rows], task=task[rows])
    double = clone(model).set_params(task_weight={0: 1, 1: 2, 2: 1, 3: 1})
    double.fit(X, y, task=task)
    assert_allclose(twice.coef_, double.coef_, atol=1e-5)
    assert_allclose(twice.intercept_, double.intercept_, atol=1e-4)


@each_whole
def test_errors_rise_with_the_strength_of_the_whole_penalty(tasks, model, name):
    X, y, task = tasks
    errors = [
        ((y - fit.predict(X, task=task)) ** 2).sum()
        for fit in along(model, name, X, y, task)
    ]
    assert (np.diff(errors) > 0).all()


@each_penalized
def test_an_objective_rises_with_its_strength(tasks, model, name):
    objectives = np.array([fit.objective_ for fit in along(model, name, *tasks)])
    # It is constant, up to tol, once the penalised part is zero.
    assert (np.diff(objectives) > -TIGHT["tol"] * objectives[1:]).all()
    assert objectives[1] > objectives[0]


@each_model
def test_tasks_may_come_in_any_order(tasks, model, name):
    X, y, task = tasks
    backwards = N_TASKS - 1 - task
    model = clone(model).set_params(**{name: 0.1})
    forth = clone(model).fit(X, y, task=task)
    back = clone(model).fit(X, y, task=backwards)
    assert_allclose(back.coef_[::-1], forth.coef_, atol=1e-5)
    assert_allclose(back.intercept_[::-1], forth.intercept_, atol=1e-4)
