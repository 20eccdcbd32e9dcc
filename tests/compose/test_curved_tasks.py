"""Linear models of tasks on curves of the features."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.interpolate import make_smoothing_spline
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skmtl.compose import (
    CurvedTasks,
    KernelBasis,
    PooledTasks,
    SplineBasis,
    make_task_pipeline,
)
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedPoissonRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
)

BENT = CurvedTasks(MeanRegularizedRegressor(), basis=SplineBasis(4))


# One strength of each kind, for speed.
SEARCH = MeanRegularizedRegressorCV([0.1], alphas_shared=[0.01], alphas_intercept=[1.0])


@pytest.fixture(scope="module")
def waves():
    """Rows of tasks whose waves differ in their heights; two features do not bend."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(8), 20)
    X = rng.uniform(-2, 2, size=(160, 3))
    X[:, 2] = rng.integers(0, 2, size=160)
    height = 1 + 0.3 * rng.normal(size=8)
    y = height[task] * np.sin(2 * X[:, 0]) + X[:, 1] + 0.1 * rng.normal(size=160)
    return X, y, task


# -- bases


def test_ridge_on_all_splines_is_a_smoothing_spline():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 5, size=30))
    y = np.sin(2 * x) + 0.1 * rng.normal(size=30)
    basis = SplineBasis(30, scale=2.0).fit(x[:, None])
    grid = np.linspace(x[0], x[-1], 20_001)
    step = grid[1] - grid[0]
    second = np.diff(basis.transform(grid[:, None])[:, 0], 2) / step**2
    curvature = second @ second * step  # of the first function, and of all others
    design = np.column_stack([np.ones(30), x, basis.transform(x[:, None])])
    penalty = np.diag(np.repeat([0, 0.1 * curvature], [2, 28]))
    coef = np.linalg.solve(design.T @ design + penalty, design.T @ y)
    oracle = make_smoothing_spline(x, y, lam=0.1)(x)
    assert_allclose(design @ coef, oracle, atol=1e-5)


def test_splines_have_no_straight_part(waves):
    X = waves[0][:, :1]
    values = SplineBasis(6, scale=0.5).fit_transform(X)
    assert_allclose(np.column_stack([np.ones(160), X]).T @ values, 0, atol=1e-9)
    assert_allclose(values.std(axis=0).max(), 0.5 * X.std())
    gram = values.T @ values
    assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-9)
    equal = SplineBasis(6, smoothness=0).fit_transform(X).std(axis=0)
    assert_allclose(equal, equal[0])


@pytest.mark.parametrize(("n_values", "n_functions"), [(1, 0), (2, 0), (3, 1), (5, 3)])
def test_few_distinct_values_have_few_functions(n_values, n_functions):
    X = np.arange(60.0)[:, None] % n_values
    basis = SplineBasis(10).fit(X)
    assert basis.transform(X).shape == (60, n_functions)
    assert len(basis.get_feature_names_out()) == n_functions
    full = np.column_stack([np.ones(60), X, basis.transform(X)])
    assert np.linalg.matrix_rank(full) == n_values


def test_splines_are_constant_beyond_the_rows(waves):
    X = waves[0]
    basis = SplineBasis().fit(X)
    ends, far = np.array([X.min(axis=0), X.max(axis=0)]), np.full((2, 3), 1e6)
    assert_allclose(basis.transform(far * [[-1], [1]]), basis.transform(ends))


def test_repeated_rows_change_no_basis(waves):
    X = waves[0]
    for basis in (SplineBasis(), KernelBasis(20)):
        once = basis.fit(X).transform(X)
        assert_allclose(basis.fit(np.repeat(X, 2, axis=0)).transform(X), once)


def test_all_rows_as_centres_give_the_kernel(waves):
    X = waves[0]
    values = KernelBasis(200, width=0.5).fit_transform(X)
    assert_allclose(values.var(axis=0).mean(), 1)
    distances = np.sqrt(((X[:, None] - X) ** 2).sum(-1))[np.triu_indices(160, 1)]
    gamma = 1 / (2 * (0.5 * np.median(distances)) ** 2)
    values *= np.linalg.norm(values, axis=1)[0] ** -1
    assert_allclose(values @ values.T, rbf_kernel(X, gamma=gamma), atol=1e-6)


# -- models


def test_without_functions_it_standardises(waves):
    X, y, task = waves
    found = CurvedTasks(MeanRegularizedRegressor(), basis=None).fit(X, y, task=task)
    table = np.column_stack([X, task])
    pipeline = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressor(), task_column=-1
    ).fit(table, y)
    assert_allclose(found.predict(X, task=task), pipeline.predict(table))
    assert found.basis_ is None
    assert np.isnan(found.scores_).all()


def test_any_transformer_is_a_basis(waves):
    X, y, task = waves
    squares = PolynomialFeatures(2, interaction_only=False, include_bias=True)
    found = CurvedTasks(MeanRegularizedRegressor(1e-9), basis=squares)
    found.fit(X[:, :1], y, task=task)
    design = np.vander((X[:, 0] - X[:, 0].mean()) / X[:, 0].std(), 3)
    expected = np.empty(160)
    for t in range(8):
        rows = task == t
        coef = np.linalg.lstsq(design[rows], y[rows], rcond=None)[0]
        expected[rows] = design[rows] @ coef
    assert_allclose(found.predict(X[:, :1], task=task), expected, atol=1e-4)


def test_the_basis_of_the_best_score_is_chosen(waves):
    X, y, task = waves
    inner = SEARCH
    bases = [None, SplineBasis(scale=0.1), SplineBasis(scale=1.0)]
    model = CurvedTasks(inner, basis=bases).fit(X, y, task=task)
    alone = [CurvedTasks(inner, basis=each).fit(X, y, task=task) for each in bases]
    assert_allclose(model.scores_, [each.best_score_ for each in alone])
    best = alone[int(np.argmax(model.scores_))]
    assert_array_equal(model.predict(X, task=task), best.predict(X, task=task))
    assert model.basis_.scale == bases[model.best_index_].scale
    straight = CurvedTasks(inner, basis=bases).fit(X, X[:, 0] + task, task=task)
    assert straight.best_index_ == 0


def test_curves_predict_better_than_lines(waves):
    X, y, task = waves
    train = np.arange(160) % 2 == 0
    lines = SEARCH
    for basis in (SplineBasis(), KernelBasis(40)):
        curves = CurvedTasks(lines, basis=basis)
        errors = [
            np.mean((model.predict(X[~train], task=task[~train]) - y[~train]) ** 2)
            for model in (
                each.fit(X[train], y[train], task=task[train])
                for each in (lines, curves)
            )
        ]
        assert errors[1] < errors[0] / 3


@pytest.mark.parametrize(
    "inner", [SEARCH, MeanRegularizedRegressor(0.1)], ids=["searched", "given"]
)
def test_tasks_may_share_the_curve_and_have_own_lines(waves, inner):
    X, _, task = waves
    slope = np.random.default_rng(0).normal(size=8)
    y = np.sin(2 * X[:, 0]) + slope[task] * X[:, 0]
    model = CurvedTasks(inner, basis=SplineBasis(), curves="shared")
    model.fit(X, y, task=task)
    own, common = np.split(np.ptp(model.estimator_.coef_, axis=0), [3])
    assert own[0] > 1
    assert_allclose(common, 0, atol=1e-9)
    assert model.score(X, y, task=task) > 0.98


@pytest.mark.full
def test_leaving_a_row_out_costs_what_the_search_says(waves):
    X, y, task = (part[:60] for part in waves)
    model = CurvedTasks(
        MeanRegularizedRegressorCV(), basis=SplineBasis(4), curves="shared"
    ).fit(X, y, task=task)
    inner, columns = model.estimator_, model._curves.apply(X)
    given = MeanRegularizedRegressor(
        inner.alpha_,
        alpha_shared=inner.alpha_shared_,
        alpha_intercept=inner.alpha_intercept_,
    )
    errors = []
    for i in range(60):
        kept = np.arange(60) != i
        given.fit(columns[kept], y[kept], task=task[kept])
        errors.append(y[i] - given.predict(columns[[i]], task=task[[i]])[0])
    assert_allclose(model.best_score_, -np.mean(np.square(errors)), rtol=1e-6)


def test_unseen_tasks_have_the_shared_curve(waves):
    X, y, task = waves
    model = BENT.fit(X, y, task=task)
    inner = model.estimator_
    prediction, std = model.predict(X, task=np.repeat(99, 160), return_std=True)
    assert_allclose(
        prediction,
        model._curves.apply(X) @ inner.coef_shared_ + (inner.intercept_shared_),
    )
    assert std.shape == (160,)


def test_weights_are_repetitions(waves):
    X, y, task = waves
    times = np.random.default_rng(1).integers(0, 3, size=160)
    weighted = BENT.fit(X, y, sample_weight=times, task=task).predict(X, task=task)
    rows = np.repeat(np.arange(160), times)
    repeated = BENT.fit(X[rows], y[rows], task=task[rows]).predict(X, task=task)
    assert_allclose(weighted, repeated)


def test_columns_are_the_same_tasks_as_rows(waves):
    X = waves[0][:40]
    rng = np.random.default_rng(0)
    Y = X @ rng.normal(size=(3, 4)) + np.sin(X[:, :1])
    Y[rng.random(Y.shape) < 0.2] = np.nan
    wide = BENT.fit(X, Y).predict(X)
    rows, tasks = np.nonzero(~np.isnan(Y))
    long = BENT.fit(X[rows], Y[rows, tasks], task=tasks)
    expected = [long.predict(X, task=np.repeat(t, 40)) for t in range(4)]
    assert_allclose(wide, np.transpose(expected), rtol=1e-6)


def test_columns_may_have_a_score_each(waves):
    X = waves[0][:40]
    Y = np.sin(X @ np.random.default_rng(0).normal(size=(3, 4)))
    model = CurvedTasks(MultiTaskRidgeCV(), basis=[None, SplineBasis(4)]).fit(X, Y)
    assert model.best_index_ == 1
    assert_allclose(model.best_score_, model.estimator_.best_score_.mean())
    assert model.predict(X).shape == (40, 4)


def test_sparse_features_are_made_dense(waves):
    X, y, task = waves
    found = BENT.fit(sparse.csr_matrix(X), y, task=task)
    assert_allclose(
        found.predict(sparse.csr_matrix(X), task=task),
        BENT.fit(X, y, task=task).predict(X, task=task),
    )


@pytest.mark.full
@parametrize("method", ["cv", "laplace"], short=["cv"])
@parametrize("kind", ["classes", "counts"], short=["counts"])
def test_classes_and_counts_share_curves(kind, method):
    rng = np.random.default_rng(0)
    task, X = np.repeat(np.arange(12), 40), rng.uniform(-2, 2, size=(480, 2))
    slope = rng.normal(size=(12, 2))[task]
    raw = 2 * np.sin(2 * X[:, 0]) + (slope * X).sum(axis=1) / 2
    if kind == "classes":
        model, y = MeanRegularizedClassifierCV(method=method, cv=3), raw > 0
    else:
        model = MeanRegularizedPoissonRegressorCV(method=method, cv=3)
        y = rng.poisson(np.exp(raw / 2))
    bent = CurvedTasks(model, basis=[None, SplineBasis(6)], curves="shared")
    bent.fit(X, y, task=task)
    inner = bent.estimator_
    assert bent.best_index_ == 1
    assert_allclose(inner.coef_[:, 2:], np.tile(inner.coef_shared_[2:], (12, 1)))
    assert np.ptp(inner.coef_[:, 0]) > 0.1
    straight = CurvedTasks(model, basis=None).fit(X, y, task=task)
    assert bent.score(X, y, task=task) > straight.score(X, y, task=task) + 0.05


def test_classes_and_counts_bend_too(waves):
    X, _, task = waves
    shape = X[:, 0] ** 2
    bases = SplineBasis(4)
    classes = np.where(shape > np.median(shape), "far", "near")
    model = CurvedTasks(MeanRegularizedClassifier(), basis=bases, task_column=-1)
    table = np.column_stack([X, task])
    model.fit(table, classes)
    assert model.score(table, classes) > 0.95
    assert model.predict_proba(table).shape == (160, 2)
    assert model.decision_function(table).shape == (160,)
    hours = np.linspace(1, 3, 160)
    counts = np.random.default_rng(0).poisson(hours * np.exp(shape / 2))
    model = CurvedTasks(MeanRegularizedPoissonRegressor(), basis=bases)
    model.fit(X, counts, task=task, exposure=hours)
    found = model.predict(X, task=task, exposure=hours)
    once = model.predict(X, task=task, exposure=np.ones(160))
    assert_allclose(found, hours * once)
    assert not hasattr(model, "predict_proba")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CurvedTasks(Ridge()), r"Use PooledTasks\(Ridge\(\)\)"),
        (CurvedTasks(PooledTasks()), "Give one basis, such as SplineBasis"),
        (CurvedTasks(PooledTasks(), basis=[]), "at least one transformer or None"),
        (CurvedTasks(PooledTasks(task_column=0)), "must be set in CurvedTasks"),
        (CurvedTasks(PooledTasks(), curves="shared"), "strengths per feature"),
    ],
)
def test_errors_say_what_to_do(waves, model, message):
    X, y, task = waves
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, task=task)
