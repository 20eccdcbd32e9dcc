"""Every relation meets every kind of target, and has the optimum of its formula."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from skmtl.linear_model import (
    ClusteredClassifier,
    ClusteredPoissonRegressor,
    DirtyClassifier,
    DirtyPoissonRegressor,
    FusedClassifier,
    FusedPoissonRegressor,
    GraphRegularizedPoissonRegressor,
    JointFeaturePoissonRegressor,
    LowRankPoissonRegressor,
    MeanRegularizedPoissonRegressor,
    MultiTaskLogisticRegression,
    MultiTaskPoissonRegressor,
    RobustClassifier,
    RobustPoissonRegressor,
)
from skmtl.penalties import L1, L12, L21, ClusterNorm, Trace

N_TASKS, N_FEATURES = 4, 3
SIZES = [60, 30, 45, 70]
rng = np.random.default_rng(0)
TASK = np.repeat(np.arange(N_TASKS), SIZES)
X = rng.normal(size=(len(TASK), N_FEATURES))
TRUE = np.array([[1, 0, 0.5], [1, 0, 0.4], [0.9, 0, 0.5], [-1, 1, 0.0]])
SCORE = (X * TRUE[TASK]).sum(axis=1) + 0.3 * TASK - 0.3
CLASSES = (SCORE + rng.logistic(size=len(TASK)) > 0).astype(int)
COUNTS = rng.poisson(np.exp(SCORE))
TIGHT = {"tol": 1e-9, "max_iter": 50_000}


def total_variation(W):
    return np.abs(np.diff(W, axis=0)).sum()


# The penalty on the coefficients, or on their two parts.
PENALTIES = {
    "clustered": lambda W: ClusterNorm(0.05, 0.5, 2).value(W),
    "fused": lambda W: 0.05 * total_variation(W) + 0.02 * np.abs(W).sum(),
    "joint": lambda W: L21(0.05).value(W),
    "low rank": lambda W: Trace(0.05).value(W),
}
MODELS = {
    "clustered": [
        each(alpha_between=0.05, alpha_within=0.5, **TIGHT)
        for each in (ClusteredClassifier, ClusteredPoissonRegressor)
    ],
    "fused": [
        each(0.05, alpha_l1=0.02, **TIGHT)
        for each in (FusedClassifier, FusedPoissonRegressor)
    ],
    "joint": [JointFeaturePoissonRegressor(0.05, **TIGHT)],
    "low rank": [LowRankPoissonRegressor(0.05, **TIGHT)],
}
PAIRS = {
    f"{name}-{type(model).__name__}": (name, model)
    for name, models in MODELS.items()
    for model in models
}
SUMS = {
    "dirty": (
        [
            each(0.05, 0.04, **TIGHT)
            for each in (DirtyClassifier, DirtyPoissonRegressor)
        ],
        L21(0.05),
        L1(0.04),
        "coef_specific_",
    ),
    "robust": (
        [
            each(0.05, 0.1, **TIGHT)
            for each in (RobustClassifier, RobustPoissonRegressor)
        ],
        Trace(0.05),
        L12(0.1),
        "coef_outlier_",
    ),
}


def target_of(model):
    return CLASSES if hasattr(model, "predict_proba") else COUNTS


def loss(model, coef, intercept):
    """Return the scaled loss of coefficients, by its definition."""
    z = (X * coef[TASK]).sum(axis=1) + intercept[TASK]
    if hasattr(model, "predict_proba"):
        costs = np.log1p(np.exp(-np.where(CLASSES == 1, z, -z)))
    else:
        costs = np.exp(z) - COUNTS * z
    return N_TASKS / len(TASK) * costs.sum()


@parametrize(
    "pair", PAIRS, short=["fused-FusedClassifier", "joint-JointFeaturePoissonRegressor"]
)
def test_no_coefficients_nearby_have_a_lower_objective(pair):
    name, model = pair
    model.fit(X, target_of(model), task=TASK)
    best = loss(model, model.coef_, model.intercept_) + PENALTIES[name](model.coef_)
    assert model.objective_ == pytest.approx(best, rel=1e-7)
    assert model.optimality_ <= TIGHT["tol"]
    for seed in range(20):
        step = np.random.default_rng(seed).normal(size=(2, N_TASKS, N_FEATURES))
        coef, intercept = (
            model.coef_ + 0.01 * step[0],
            model.intercept_ + 0.01 * step[1, :, 0],
        )
        assert loss(model, coef, intercept) + PENALTIES[name](coef) > best


@pytest.mark.parametrize("name", SUMS)
def test_parts_of_coefficients_have_the_lowest_objective(name):
    models, shared, own, part = SUMS[name]
    for model in models:
        model.fit(X, target_of(model), task=TASK)
        Q = getattr(model, part)
        P = model.coef_ - Q

        def objective(P, Q, intercept, model=model):
            parts = shared.value(P) + own.value(Q)
            return loss(model, P + Q, intercept) + parts

        best = objective(P, Q, model.intercept_)
        assert model.objective_ == pytest.approx(best, rel=1e-6)
        for seed in range(20):
            step = 0.01 * np.random.default_rng(seed).normal(
                size=(3, N_TASKS, N_FEATURES)
            )
            intercept = model.intercept_ + step[2, :, 0]
            assert objective(P + step[0], Q + step[1], intercept) > best


def test_logistic_regression_of_each_task_is_that_of_scikit_learn():
    model = MultiTaskLogisticRegression(2.0, tol=1e-10).fit(X, CLASSES, task=TASK)
    for t in range(N_TASKS):
        rows = t == TASK
        alone = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000)
        alone.fit(X[rows], CLASSES[rows])
        assert_allclose(model.coef_[t], alone.coef_[0], rtol=1e-4, atol=1e-6)
        assert_allclose(model.intercept_[t], alone.intercept_[0], rtol=1e-4, atol=1e-6)
        proba = expit(X[rows] @ alone.coef_[0] + alone.intercept_)
        found = model.predict_proba(X[rows], task=TASK[rows])[:, 1]
        assert_allclose(found, proba, atol=1e-5)


def test_poisson_regression_of_each_task_is_that_of_scikit_learn():
    model = MultiTaskPoissonRegressor(2.0, tol=1e-10).fit(X, COUNTS, task=TASK)
    for t in range(N_TASKS):
        rows = t == TASK
        alone = PoissonRegressor(alpha=2.0 / rows.sum(), tol=1e-10, max_iter=1000)
        alone.fit(X[rows], COUNTS[rows])
        assert_allclose(model.coef_[t], alone.coef_, rtol=1e-4, atol=1e-6)
        assert_allclose(model.intercept_[t], alone.intercept_, rtol=1e-4, atol=1e-6)


def test_a_complete_graph_of_counts_is_a_shared_centre():
    graph = GraphRegularizedPoissonRegressor("complete", alpha=0.5, alpha_ridge=0.0)
    graph.set_params(tol=1e-10).fit(X, COUNTS, task=TASK)
    mean = MeanRegularizedPoissonRegressor(0.5 * N_TASKS, alpha_shared=0.0, tol=1e-10)
    mean.fit(X, COUNTS, task=TASK)
    assert_allclose(graph.coef_, mean.coef_, rtol=1e-6)
    assert_allclose(graph.intercept_, mean.intercept_, rtol=1e-6)


@pytest.mark.parametrize(
    "Model", [ClusteredClassifier, DirtyClassifier, RobustClassifier, FusedClassifier]
)
def test_penalties_that_depend_on_the_coding_of_classes_take_two(Model):
    three = np.digitize(SCORE, [-0.5, 0.5])
    with pytest.raises(ValueError, match=f"{Model.__name__} needs two classes, got 3"):
        Model().fit(X, three, task=TASK)
