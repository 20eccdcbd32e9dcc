"""Penalties around a centre, with intercepts that are pulled together."""

import numpy as np
import pytest
from cases import parametrize
from scipy.optimize import minimize
from sklearn.base import clone

from skmtl.couplings import Apart
from skmtl.linear_model import (
    ClusteredRegressor,
    DirtyRegressor,
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedPoissonRegressor,
    GraphRegularizedRegressor,
    JointFeatureClassifier,
    JointFeaturePoissonRegressor,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LinearTaskRegressor,
    LowRankClassifier,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    PathSearchCV,
    RobustRegressor,
)
from skmtl.solvers import Fista

# To join, a model needs its name here, with strengths for the rows below.
MODELS = [
    JointFeatureRegressor(0.2, tol=1e-10),
    LowRankRegressor(0.2, tol=1e-10),
    LowRankRegressor(0.2, squared=True, tol=1e-10),
    ClusteredRegressor(2, 0.1, 1.0, tol=1e-10),
    DirtyRegressor(0.2, 0.15, tol=1e-10),
    RobustRegressor(0.2, 0.2, tol=1e-10),
    FusedRegressor(0.1, alpha_l1=0.1, tol=1e-10),
]
each_model = parametrize("model", MODELS, MODELS[:2])
# Strengths of the centre and of the intercepts, in sums of squares.
STRENGTHS = [(2.0, 1.0), (0.0, 5.0), (2.0, 0.0), (0.5, np.inf), (np.inf, 1.0)]
SIZES = [13, 10, 20, 30, 18]
SCALE = len(SIZES) / sum(SIZES)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(len(SIZES)), SIZES)
    X = rng.normal(0.5, 1.0, size=(len(task), 4))
    own = rng.normal([1, 2, -1, 0.5], size=(len(SIZES), 4))
    signal = (X * own[task]).sum(axis=1) + 0.5 * task
    return X, signal + rng.normal(size=len(task)), task


def same(model, other, atol):
    for name in ("coef_", "intercept_", "coef_shared_", "intercept_shared_"):
        np.testing.assert_allclose(
            getattr(model, name), getattr(other, name), rtol=0, atol=atol
        )


@pytest.mark.parametrize(("shared", "pull"), STRENGTHS[:-1])
def test_squares_of_deviations_are_mean_regularisation(rows, shared, pull):
    X, y, task = rows
    model = LinearTaskRegressor(
        coupling=Apart(3.0),
        solver=Fista(tol=1e-13),
        alpha_shared=shared * SCALE,
        alpha_intercept=pull * SCALE,
    ).fit(X, y, task=task)
    exact = MeanRegularizedRegressor(3.0, alpha_shared=shared, alpha_intercept=pull)
    exact.fit(X, y, task=task)
    same(model, exact, 1e-8)
    assert model.objective_ == pytest.approx(SCALE / 2 * exact.objective_, rel=1e-9)


@pytest.mark.full
@pytest.mark.parametrize(("shared", "pull"), STRENGTHS[:-1])
@pytest.mark.parametrize(
    ("model", "exact", "cut"),
    [
        (JointFeatureClassifier, MeanRegularizedClassifier, [0.0]),
        (JointFeatureClassifier, MeanRegularizedClassifier, [-1.0, 1.0]),
        (JointFeaturePoissonRegressor, MeanRegularizedPoissonRegressor, [-2, 0, 1, 3]),
    ],
)
def test_classes_and_counts_have_the_centre_of_mean_regularisation(
    rows, model, exact, cut, shared, pull
):
    X, y, task = rows
    y = np.digitize(y, cut)
    strengths = {"alpha_shared": shared * SCALE, "alpha_intercept": pull * SCALE}
    # With this ratio the penalty is a ridge, up to a relative 1e-9.
    model = model(3.0 * SCALE, l1_ratio=1e-9, tol=1e-11, **strengths)
    exact = exact(3.0, alpha_shared=shared, alpha_intercept=pull, tol=1e-12)
    same(model.fit(X, y, task=task), exact.fit(X, y, task=task), 1e-5)


@each_model
def test_an_infinite_ridge_and_no_pull_change_nothing(rows, model):
    X, y, task = rows
    around = clone(model).set_params(alpha_shared=np.inf, alpha_intercept=0.0)
    plain, around = (clone(each).fit(X, y, task=task) for each in (model, around))
    np.testing.assert_array_equal(plain.coef_, around.coef_)


@each_model
def test_a_strong_ridge_and_a_weak_pull_are_near_none(rows, model):
    X, y, task = rows
    around = clone(model).set_params(alpha_shared=1e7, alpha_intercept=1e-8)
    plain, around = (clone(each).fit(X, y, task=task) for each in (model, around))
    np.testing.assert_allclose(plain.coef_, around.coef_, atol=2e-4)
    np.testing.assert_allclose(plain.intercept_, around.intercept_, atol=2e-4)


@each_model
def test_equal_intercepts_are_a_further_feature_without_penalty(rows, model):
    """One intercept is the target's shift that decreases the objective most."""
    X, y, task = rows
    model = clone(model).set_params(alpha_intercept=np.inf).fit(X, y, task=task)
    assert np.ptp(model.intercept_) == 0
    common = model.intercept_[0]

    def objective(shift):
        apart = clone(model).set_params(fit_intercept=False)
        return apart.fit(X, y - shift, task=task).objective_

    assert objective(common) == pytest.approx(model.objective_, rel=1e-7)
    assert min(objective(common - 0.1), objective(common + 0.1)) > model.objective_


def brute(model, parts, c, b, X, y, task, strengths):
    """Return the objective by its formula, at a free common intercept."""
    shared, pull = strengths
    W = parts.reshape(-1, *model.coef_.shape).sum(axis=0) + c
    residual = y - (X * W[task]).sum(axis=1) - b[task]
    relation = model._relation(None).relation
    value = SCALE / 2 * (residual @ residual) + relation.penalty.value(parts)
    return value + shared / 2 * (c @ c) + pull / 2 * ((b - b.mean()) ** 2).sum()


@pytest.mark.parametrize("model", [MODELS[0], MODELS[4]])
def test_no_point_near_the_solution_has_a_smaller_objective(rows, model):
    X, y, task = rows
    strengths = 0.3, 0.2
    model = clone(model).set_params(alpha_shared=0.3, alpha_intercept=0.2)
    model.fit(X, y, task=task)
    rng, parts = np.random.default_rng(0), model._variable[1]
    c, b = model.coef_shared_, model.intercept_
    best = brute(model, parts, c, b, X, y, task, strengths)
    assert best == pytest.approx(model.objective_, rel=1e-9)
    for size in (1e-1, 1e-3):
        for _ in range(20):
            near = [each + size * rng.normal(size=each.shape) for each in (parts, c, b)]
            assert brute(model, *near, X, y, task, strengths) > best - 1e-9


def test_a_generic_solver_finds_the_same_optimum_of_a_smoothed_norm(rows):
    """Norms of features, smoothed by 1e-6, by L-BFGS over all unknowns."""
    X, y, task = rows
    n_tasks = len(SIZES)
    model = JointFeatureRegressor(0.2, alpha_shared=0.3, alpha_intercept=0.2, tol=1e-9)
    model.fit(X, y, task=task)

    def objective(v):
        V, c, b = np.split(v, [4 * n_tasks, 4 * n_tasks + 4])
        V = V.reshape(n_tasks, 4)
        residual = y - (X * (V + c)[task]).sum(axis=1) - b[task]
        sizes = np.sqrt((V**2).sum(axis=0) + 1e-12)
        pull = b - b.mean()
        value = SCALE / 2 * (residual @ residual) + 0.2 * sizes.sum()
        value += 0.15 * (c @ c) + 0.1 * (pull @ pull)
        slope = np.zeros((n_tasks, 5))
        np.add.at(slope, task, -SCALE * residual[:, None] * np.c_[X, np.ones(len(X))])
        first = (slope[:, :4] + 0.2 * V / sizes).ravel()
        last = slope[:, 4] + 0.2 * pull
        return value, np.r_[first, slope[:, :4].sum(axis=0) + 0.3 * c, last]

    options = {"maxiter": 20_000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-9}
    start = np.full(4 * n_tasks + 4 + n_tasks, 0.1)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    assert found.fun == pytest.approx(model.objective_, rel=1e-6)
    c = found.x[4 * n_tasks : 4 * n_tasks + 4]
    np.testing.assert_allclose(model.coef_shared_, c, atol=1e-3)


@pytest.mark.parametrize(
    "model",
    [
        LowRankRegressor(0.2),
        pytest.param(LowRankClassifier(0.02), marks=pytest.mark.full),
    ],
    ids=str,
)
def test_rows_and_moments_have_the_same_centre(rows, model):
    """Features beyond the number of rows are read from rows."""
    rng = np.random.default_rng(1)
    X, y, task = rows
    wide = np.hstack([X, rng.normal(size=(len(X), 140))])
    model = clone(model).set_params(alpha_shared=5.0, alpha_intercept=1.0, tol=1e-9)
    y = y > 0 if "Classifier" in type(model).__name__ else y
    few = clone(model).fit(wide, y, task=task)
    padded = np.vstack([wide, np.zeros((500, 144))])
    more = np.r_[y, np.zeros(500, dtype=y.dtype)], np.r_[task, np.arange(500) % 5]
    weight = np.r_[np.ones(len(X)), np.zeros(500)]
    many = clone(model).fit(padded, more[0], weight, more[1])
    same(few, many, 1e-4)


def test_unseen_tasks_get_the_centre(rows):
    X, y, task = rows
    model = LowRankRegressor(0.2, alpha_shared=0.3, alpha_intercept=0.2)
    model.fit(X, y, task=task)
    expected = X @ model.coef_shared_ + model.intercept_shared_
    np.testing.assert_allclose(model.predict(X, task=99), expected)


def test_batches_have_the_centre_of_all_rows(rows):
    X, y, task = rows
    model = LowRankRegressor(0.2, alpha_shared=0.3, alpha_intercept=0.2, tol=1e-10)
    whole = clone(model).fit(X, y, task=task)
    for part in (slice(0, 50), slice(50, None)):
        model.partial_fit(X[part], y[part], task=task[part])
    same(model, whole, 1e-5)


def test_positive_coefficients_have_no_centre(rows):
    X, y, task = rows
    model = JointFeatureRegressor(positive=True, alpha_shared=1.0)
    with pytest.raises(ValueError, match="positive=True needs alpha_shared=inf"):
        model.fit(X, y, task=task)


@pytest.mark.full
@pytest.mark.parametrize("search", [JointFeatureRegressorCV(), LowRankRegressorCV()])
def test_a_search_finds_that_tasks_have_a_centre(search):
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(30), 8)
    X = rng.normal(size=(len(task), 6))
    y = X @ [3, -2, 1, 1, 2, 0] + 0.2 * rng.normal(size=30)[task]
    y = y + 0.3 * (X * rng.normal(size=(30, 6))[task]).sum(axis=1)
    y += rng.normal(size=len(task))
    plain = clone(search).set_params(alpha_shared=np.inf, alpha_intercept=0.0)
    best = search.fit(X, y, task=task).best_score_
    assert search.alpha_shared_ < np.inf
    assert best > 0.8 * plain.fit(X, y, task=task).best_score_
    assert plain.alpha_shared_ == np.inf


@pytest.mark.full
def test_a_search_keeps_the_model_without_centre_if_it_is_better():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(20), 30)
    X = rng.normal(size=(len(task), 5))
    own = rng.choice([-3.0, 3.0], size=(20, 1)) * [1.0, 0, 0, 0, 0]
    y = (X * own[task]).sum(axis=1) + 50 * rng.normal(size=20)[task]
    y += rng.normal(size=len(task))
    search = JointFeatureRegressorCV().fit(X, y, task=task)
    assert (search.alpha_shared_, search.alpha_intercept_) == (np.inf, 0.0)


@pytest.mark.full
@pytest.mark.parametrize(
    ("model", "cut"),
    [
        (RobustRegressor(), None),
        (JointFeatureClassifier(), [0.0]),
        (JointFeaturePoissonRegressor(), [-2, 0, 1, 3]),
    ],
    ids=str,
)
def test_a_path_search_refits_what_it_chose(rows, model, cut):
    X, y, task = rows
    y = y if cut is None else np.digitize(y, cut)
    strengths = {"alpha_shared": "auto", "alpha_intercept": "auto"}
    search = PathSearchCV(model, n_alphas=8, **strengths).fit(X, y, task=task)
    alone = clone(model).set_params(**search.best_params_).fit(X, y, task=task)
    assert search.best_params_["alpha_shared"] == search.alpha_shared_
    np.testing.assert_allclose(alone.coef_, search.best_estimator_.coef_, atol=1e-8)


def test_only_models_with_a_penalty_have_a_centre_to_choose(rows):
    X, y, task = rows
    search = PathSearchCV(MeanRegularizedRegressor(), alpha_shared="auto")
    with pytest.raises(ValueError, match="models with a penalty, got one with a coup"):
        search.fit(X, y, task=task)


GRAPHS = {
    GraphRegularizedRegressor: (MeanRegularizedRegressor, None, {}),
    GraphRegularizedClassifier: (MeanRegularizedClassifier, [-1.0, 1.0], {"tol": 1e-9}),
    GraphRegularizedPoissonRegressor: (
        MeanRegularizedPoissonRegressor,
        [-2, 0, 1, 3],
        {"tol": 1e-9},
    ),
}


@parametrize("kind", list(GRAPHS), list(GRAPHS)[:1])
@pytest.mark.parametrize(("shared", "pull"), STRENGTHS[:-1])
def test_a_ridge_to_the_centre_on_a_faint_graph_is_mean_regularisation(
    rows, kind, shared, pull
):
    X, y, task = rows
    mean, cut, options = GRAPHS[kind]
    y = y if cut is None else np.digitize(y, cut)
    strengths = {"alpha_shared": shared, "alpha_intercept": pull, **options}
    model = kind("chain", 1e-10, alpha_ridge=3.0, **strengths).fit(X, y, task=task)
    same(model, mean(3.0, **strengths).fit(X, y, task=task), 1e-6)


@pytest.mark.parametrize("graph", ["chain", "complete"])
def test_no_point_near_the_solution_of_a_graph_has_a_smaller_objective(rows, graph):
    X, y, task = rows
    strengths = {"alpha_ridge": 0.5, "alpha_shared": 0.7, "alpha_intercept": 2.0}
    model = GraphRegularizedRegressor(graph, 1.5, **strengths).fit(X, y, task=task)
    A = model.adjacency_.toarray()

    def objective(W, c, b):
        residual = y - (X * W[task]).sum(axis=1) - b[task]
        gaps = ((W[:, None] - W) ** 2).sum(axis=2)
        ridge = 0.5 * ((W - c) ** 2).sum() + 0.7 * (c @ c)
        pull = 2.0 * ((b - b.mean()) ** 2).sum()
        return residual @ residual + 1.5 * (A * gaps).sum() / 2 + ridge + pull

    solution = model.coef_, model.coef_shared_, model.intercept_
    best = objective(*solution)
    assert best == pytest.approx(model.objective_, rel=1e-10)
    rng = np.random.default_rng(0)
    for size in (1e-1, 1e-4):
        for _ in range(20):
            near = [each + size * rng.normal(size=each.shape) for each in solution]
            assert objective(*near) > best - 1e-9


def test_intercepts_on_a_graph_may_be_equal(rows):
    X, y, task = rows
    model = GraphRegularizedRegressor("chain", 1.5, alpha_intercept=np.inf)
    assert np.ptp(model.fit(X, y, task=task).intercept_) < 1e-12
