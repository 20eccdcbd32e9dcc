"""Fits take memory of the order of the data, or are refused before they start."""

import tracemalloc

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import Ridge

import skmtl._memory
import skmtl.linear_model as models
from skmtl._memory import available_bytes, in_words, refuse_large
from skmtl.compose import PooledTasks
from skmtl.losses import Multinomial
from skmtl.problems.exact import reduce_features
from skmtl.solvers import conjugate_gradients

# A gradient of 1e-8, divided by curvatures that are 1e3 to 1e4 times smaller along the
# features of the smallest scale.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def always_large(monkeypatch):
    """Use the iterative solvers for every table."""
    monkeypatch.setattr(skmtl._memory, "_LARGE", -1)
    monkeypatch.setattr(skmtl._memory, "_FACTOR", 0)


@pytest.fixture(scope="module")
def table():
    """Sparse rows of four tasks, uncentred and of unlike scales, with weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 12)) * rng.choice([0.1, 1.0, 10.0], 12)
    X += 2 * rng.normal(size=12)
    X[rng.random(X.shape) < 0.5] = 0
    task, weight = rng.integers(0, 4, 120), rng.random(120)
    weight[:3] = 0
    return X, X @ rng.normal(size=12) + rng.normal(size=120), task, weight


REGRESSORS = [
    models.MeanRegularizedRegressor(),
    models.MeanRegularizedRegressor(10.0, alpha_shared=1.0, alpha_intercept=3.0),
    models.MeanRegularizedRegressor(
        [np.inf, *[1.0] * 11], alpha_shared=1.0, alpha_intercept=np.inf
    ),
    models.MeanRegularizedRegressor(fit_intercept=False, task_weight="balanced"),
    models.MultiTaskRidge([1.0, 2.0, 3.0, 4.0]),
    models.GraphRegularizedRegressor(alpha_ridge=0.1),
    models.GraphRegularizedRegressor({0: "a", 1: "a", 2: "b", 3: "b", "a": "r"}),
    models.JointFeatureRegressor(0.5, tol=1e-10),
    models.JointFeatureRegressor(0.05, l1_ratio=0.5, tol=1e-10),
    models.LowRankRegressor(0.5, fit_intercept=False, tol=1e-10),
]
CLASSIFIERS = [
    models.MeanRegularizedClassifier(),
    models.MeanRegularizedClassifier(alpha_intercept=2.0),
    models.MeanRegularizedClassifier(fit_intercept=False),
    models.GraphRegularizedClassifier(),
    models.GraphRegularizedClassifier({0: "a", 1: "a", 2: "b", 3: "b", "a": "r"}),
    models.LowRankClassifier(0.01, tol=1e-9),
]


def models_of(model, X, y, task, weight):
    fitted = model.fit(X, y, sample_weight=weight, task=task)
    return [
        fitted.coef_.copy(),
        fitted.intercept_.copy(),
        fitted.coef_shared_.copy(),
        np.array(fitted.intercept_shared_),
    ]


@parametrize("model", REGRESSORS, [REGRESSORS[k] for k in (1, 4, 5, 7)], ids=repr)
def test_a_regressor_of_sparse_rows_equals_that_of_dense_ones(model, table, request):
    X, y, task, weight = table
    exact = models_of(model, X, y, task, weight)
    request.getfixturevalue("always_large")
    found = models_of(model, sparse.csr_array(X), y, task, weight)
    for one, other in zip(found, exact, strict=True):
        assert_allclose(one, other, **CLOSE)


@parametrize("model", CLASSIFIERS, [CLASSIFIERS[k] for k in (0, 3)], ids=repr)
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_a_classifier_without_hessians_equals_that_with_them(
    model, make, table, request
):
    X, y, task, weight = table
    classes = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    exact = models_of(model, X, classes, task, weight)
    request.getfixturevalue("always_large")
    found = models_of(model, make(X), classes, task, weight)
    for one, other in zip(found, exact, strict=True):
        assert_allclose(one, other, **CLOSE)


def test_a_graph_of_dense_rows_is_solved_without_matrices(table, request):
    model = models.GraphRegularizedRegressor(alpha_ridge=0.1)
    exact = models_of(model, *table)
    request.getfixturevalue("always_large")
    found = models_of(model, *table)
    for one, other in zip(found, exact, strict=True):
        assert_allclose(one, other, **CLOSE)
    assert model.optimality_ <= 1e-8


def test_outputs_on_sparse_rows_need_no_matrices(table, always_large):
    X, _, _, weight = table
    Y = np.random.default_rng(1).normal(size=(120, 3))
    model = models.MeanRegularizedRegressor(alpha_shared=1.0)
    found = model.fit(sparse.csr_array(X), Y, sample_weight=weight).coef_
    skmtl._memory._LARGE = 2**24
    assert_allclose(found, model.fit(X, Y, sample_weight=weight).coef_, **CLOSE)


@pytest.fixture(scope="module")
def wide():
    """Rows of five tasks, fewer in all than their features."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(70, 90)), rng.integers(0, 5, 70)
    X += rng.normal(size=90)
    y = X @ rng.normal(size=90) / 9 + 0.3 * rng.normal(size=70) + 3
    return X, y, task, rng.random(70)


@parametrize("method", ["loo", "gcv", "cv", "reml"], short=["gcv", "reml"])
def test_few_rows_give_the_same_strengths_in_a_basis_of_theirs(
    method, wide, monkeypatch
):
    X, y, task, weight = wide
    model = models.MeanRegularizedRegressorCV(alphas_shared=[2.0], method=method)
    first = models_of(model, X, y, task, weight)
    alpha, score = model.alpha_, model.best_score_
    monkeypatch.setattr(skmtl._memory, "_LARGE", -1)
    monkeypatch.setattr(skmtl._memory, "_FACTOR", 0)
    for one, other in zip(models_of(model, X, y, task, weight), first, strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-8)
    assert_allclose([model.alpha_, model.best_score_], [alpha, score], rtol=1e-6)
    assert not hasattr(model, "moments_")


def test_standard_deviations_are_those_of_all_features(wide, monkeypatch):
    X, y, task, _ = wide
    Xq = np.random.default_rng(1).normal(size=(9, 90))
    model = models.MeanRegularizedRegressorCV(alphas_shared=[2.0], alphas=[50.0])
    first = model.fit(X, y, task=task).predict(Xq, task=[0] * 9, return_std=True)
    monkeypatch.setattr(skmtl._memory, "_LARGE", -1)
    monkeypatch.setattr(skmtl._memory, "_FACTOR", 0)
    second = model.fit(X, y, task=task).predict(Xq, task=[0] * 9, return_std=True)
    assert_allclose(second, first, rtol=1e-6)


def test_narrow_rows_keep_their_products(wide, always_large):
    X, y, task, _ = wide
    data = models.MeanRegularizedRegressor()
    rows = skmtl.data.read_rows(data, X, y, task=task)
    found = reduce_features(rows)
    assert found.data.X.shape == (70, 70)
    assert_allclose(found.restore(found.data.X), X, atol=1e-12)


def test_strengths_of_sparse_rows_are_chosen_by_folds(always_large):
    rng = np.random.default_rng(0)
    X = sparse.random_array((300, 40), density=0.2, random_state=rng, format="csr")
    task, coef = rng.integers(0, 3, 300), rng.normal(size=40)
    y = X @ coef + 0.1 * rng.normal(size=300)
    model = models.MeanRegularizedRegressorCV()
    with pytest.warns(UserWarning, match="method='cv' with five folds is used"):
        model.fit(X, y, task=task)
    assert model.method_ == "cv"
    assert model.optimality_ <= 1e-8
    best = model.cv_results_["mean_test_score"].max()
    assert model.best_score_ == pytest.approx(best)
    assert -model.best_score_ < 0.1 * np.var(y)
    with pytest.raises(ValueError, match="return_std need moments"):
        model.predict(X, task=task, return_std=True)


def allocated(work):
    """Return the peak of what some work allocates, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


SPARSE = [
    models.MeanRegularizedRegressor(alpha_shared=1.0),
    models.MeanRegularizedRegressorCV(method="cv", cv=2, alphas_shared=[1.0]),
    models.MeanRegularizedClassifier(),
    models.GraphRegularizedRegressor(alpha_ridge=1.0),
    models.GraphRegularizedClassifier(),
    models.JointFeatureRegressor(1e-3),
    models.LowRankRegressor(1e-2, tol=1e-3),
    models.DirtyRegressor(1e-2, 1e-2, tol=1e-3),
    models.JointFeatureClassifier(1e-2),
]
NARROW = [
    models.MeanRegularizedRegressorCV(alphas_shared=[1.0], method="gcv"),
    models.GraphRegularizedRegressor(alpha_ridge=1.0),
    models.MeanRegularizedClassifier(),
    models.GraphRegularizedClassifier(),
    models.JointFeatureClassifier(0.05),
    models.LowRankClassifier(0.05, tol=1e-2),
]


@pytest.mark.full
@parametrize("model", SPARSE, [SPARSE[k] for k in (0, 4, 5)], ids=repr)
def test_sparse_rows_take_memory_of_the_order_of_coefficients(model, monkeypatch):
    monkeypatch.setattr(skmtl._memory, "_LARGE", 2**16)
    rng = np.random.default_rng(0)
    n_rows = n_features = 1500
    X = sparse.random_array(
        (n_rows, n_features), density=2e-3, random_state=rng, format="csr"
    )
    task, y = rng.integers(0, 4, n_rows), (rng.random(n_rows) < 0.5).astype(int)
    dense = 8 * n_rows * n_features
    assert allocated(lambda: model.fit(X, y, task=task)) < dense / 3


@pytest.mark.full
@parametrize("model", NARROW, [NARROW[k] for k in (1, 2)], ids=repr)
def test_few_rows_of_many_features_take_memory_of_the_order_of_theirs(model):
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(80, 3000)), np.repeat(np.arange(8), 10)
    y = (X[:, 0] > 0).astype(int)
    assert allocated(lambda: model.fit(X, y, task=task)) < 10 * X.nbytes


@pytest.mark.full
def test_many_classes_take_no_matrix_per_row():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1600, 10)), rng.integers(0, 90, 1600)
    model = models.MeanRegularizedClassifier(tol=1e-3)
    task = np.repeat(np.arange(20), 80)
    one_per_row = 8 * 1600 * 89**2
    assert allocated(lambda: model.fit(X, y, task=task)) < one_per_row / 3


def test_many_tasks_take_no_dense_indicators():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(5000), 4)
    X, y = rng.normal(size=(20_000, 3)), rng.normal(size=20_000)
    model = PooledTasks(Ridge(), task_encoding="onehot")
    assert allocated(lambda: model.fit(X, y, task=task)) < 8 * 20_000 * 5000 / 10


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (models.MultiTaskRidgeCV(), "80 GB of memory for dense rows"),
        (models.LowRankRegressor(squared=True), "feature_covariance_"),
    ],
)
def test_allocations_that_would_not_fit_are_refused(model, words, monkeypatch):
    monkeypatch.setattr(skmtl._memory, "available_bytes", lambda: 2**30)
    rng = np.random.default_rng(0)
    size = 100_000
    X = sparse.csr_array(
        (np.ones(100), (rng.integers(0, size, 100), rng.integers(0, size, 100))),
        shape=(size, size),
    )
    with pytest.raises(ValueError, match=words):
        model.fit(X, rng.normal(size=size), task=np.arange(size) % 20)


def test_a_refusal_has_the_size_and_a_remedy(monkeypatch):
    monkeypatch.setattr(skmtl._memory, "available_bytes", lambda: 8 * 10**9)
    with pytest.raises(
        ValueError, match="about 74 GB of memory for rows, more than half of the 8 GB"
    ):
        refuse_large(74 * 10**9, "rows")
    with pytest.raises(ValueError, match="Use JointFeatureRegressor"):
        refuse_large(74 * 10**9, "rows", "Use JointFeatureRegressor.")
    refuse_large(3 * 10**9, "rows")


def test_some_memory_is_available():
    assert 0 < available_bytes() < 2**50


def test_sizes_have_the_unit_of_their_magnitude():
    assert [in_words(n) for n in (5e6, 3.21e9, 1.5e12)] == ["5 MB", "3.2 GB", "1.5 TB"]


def test_conjugate_gradients_solve_a_system_that_is_singular():
    A = np.diag([0.0, 1.0, 4.0])
    found, n_iter = conjugate_gradients(
        lambda x: A @ x, np.array([0.0, 2.0, 4.0]), lambda x: x, 1e-12, 10
    )
    assert_allclose(found, [0.0, 2.0, 1.0])
    assert n_iter == 2


def test_curvatures_of_classes_need_no_matrix_per_row():
    rng = np.random.default_rng(0)
    loss, z, step = Multinomial(4), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    basis = loss.basis
    y = np.eye(4)[[0, 1, 2, 3, 0]]
    y[0, 3] = np.nan
    hessian = loss.hessian(y, z)
    product = np.einsum("ikl,il->ik", hessian, step)
    found = loss.majorant_product(y, z)(step @ basis.T) @ basis
    assert_allclose(found, product, atol=1e-14)
    ones = [loss.majorant_product(y, z)(np.tile(one, (5, 1))) for one in np.eye(4)]
    diagonal = np.stack([each[:, k] for k, each in enumerate(ones)], axis=1)
    assert_allclose(loss.majorant_diagonal(y, z), diagonal, atol=1e-14)
