"""Tasks in groups: against alternating minimisation, its limits, and known groups."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from skmtl.linear_model import (
    ClusteredRegressor,
    LowRankRegressor,
    MeanRegularizedRegressor,
    MultiTaskRidge,
)

SIZES = np.array([12, 20, 15, 9, 18])
task = np.repeat(np.arange(5), SIZES)
rng = np.random.default_rng(0)
CENTRES = np.array([[2.0, -1.0, 0.0, 1.0], [-1.0, 2.0, 1.0, 0.0]])
GROUPS = np.array([0, 1, 0, 1, 1])
X = rng.normal(1, 1, size=(len(task), 4)) * [1.0, 2.0, 0.5, 1.0]
y = (X * CENTRES[GROUPS[task]]).sum(axis=1) + task + rng.normal(size=len(task))
SCALE = len(SIZES) / len(task)
MODELS = [
    ClusteredRegressor(2, 0.1, 0.8, tol=1e-11),
    ClusteredRegressor(2, 0.1, 0.8, alpha_mean=0.05, tol=1e-11),
    ClusteredRegressor(2, 0.1, np.inf, tol=1e-11),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=str)


def centred(values):
    means = np.array([values[task == t].mean(axis=0) for t in range(5)])
    return values - means[task]


def scatters():
    """Return the second moments of each task about its means."""
    features, target = centred(X), centred(y)
    rows = [features[task == t] for t in range(5)]
    products = [features[task == t].T @ target[task == t] for t in range(5)]
    return np.array([each.T @ each for each in rows]), np.array(products)


def water_fill(sizes, n, low, high):
    """Spend a budget on slacks by bisection, the most where sizes are large."""
    least, most = 0.0, (high + 1) / max(sizes.min(), 1e-12)
    for _ in range(200):
        level = (least + most) / 2
        slack = np.clip(level * sizes, low, high)
        enough = slack.sum() > len(sizes) * low + n * (high - low)
        least, most = (least, level) if enough else (level, most)
    return slack


def alternate(n_clusters, between, within, n_rounds=400):
    """Minimise over coefficients and affinity in turn, each by linear algebra."""
    xx, xy = scatters()
    yy = (centred(y) ** 2).sum()
    W = xy.copy()
    for _ in range(n_rounds):
        left, sizes, _ = np.linalg.svd(W)
        sizes = np.append(sizes, np.zeros(len(W) - len(sizes)))
        slack = water_fill(sizes, n_clusters, 1 / within, 1 / between)
        precision = (left / slack) @ left.T
        system = SCALE * np.array(
            [[xx[s] * (s == t) for t in range(5)] for s in range(5)]
        ).transpose(0, 2, 1, 3).reshape(20, 20)
        system += np.kron(precision, np.eye(4))
        W = np.linalg.solve(system, SCALE * xy.ravel()).reshape(5, 4)
    error = yy - 2 * (W * xy).sum() + np.einsum("tj,tjk,tk->", W, xx, W)
    return SCALE / 2 * error + np.trace(W.T @ precision @ W) / 2, W


@pytest.mark.full
@parametrize("n_clusters", [1, 2, 3], short=[2])
@parametrize("within", [0.2, 3.0], short=[3.0])
def test_a_fit_is_the_best_that_alternating_minimisation_finds(n_clusters, within):
    value, W = alternate(n_clusters, 0.1, within)
    model = ClusteredRegressor(n_clusters, 0.1, within, tol=1e-12)
    model.fit(X, y, task=task)
    assert_allclose(model.objective_, value, rtol=1e-8)
    assert model.objective_ <= value * (1 + 1e-10)
    assert_allclose(model.coef_, W, atol=1e-4)


def test_as_many_clusters_as_tasks_or_features_are_ridge():
    ridge = MultiTaskRidge(0.3 / SCALE).fit(X, y, task=task)
    model = ClusteredRegressor(4, 0.3, 9.0, tol=1e-12).fit(X, y, task=task)
    assert_allclose(model.coef_, ridge.coef_, atol=1e-8)


def test_one_cluster_around_a_free_mean_is_the_mean_regularized_model():
    mean = MeanRegularizedRegressor(3.0 / SCALE).fit(X, y, task=task)
    model = ClusteredRegressor(1, 0.1, 3.0, alpha_mean=0, tol=1e-12)
    model.fit(X, y, task=task)
    assert_allclose(model.coef_, mean.coef_, atol=1e-7)
    assert_allclose(model.intercept_, mean.intercept_, atol=1e-6)
    assert_allclose(model.task_affinity_, np.full((5, 5), 1 / 5), atol=1e-9)
    assert_array_equal(model.task_labels_, np.zeros(5))


def test_equal_strengths_are_ridge_whatever_the_number_of_clusters():
    ridge = MultiTaskRidge(0.3 / SCALE).fit(X, y, task=task)
    model = ClusteredRegressor(2, 0.3, 0.3, tol=1e-12).fit(X, y, task=task)
    assert_allclose(model.coef_, ridge.coef_, atol=1e-8)


def test_one_cluster_and_an_endless_strength_learn_how_tasks_are_related():
    squared = LowRankRegressor(0.1, squared=True, tol=1e-11).fit(X, y, task=task)
    model = ClusteredRegressor(1, 0.1, np.inf, tol=1e-11).fit(X, y, task=task)
    assert_allclose(model.coef_, squared.coef_, atol=1e-7)
    assert_allclose(model.task_affinity_, squared.task_covariance_, atol=1e-6)


@each_model
def test_groups_are_found_and_named_in_the_order_of_tasks(model):
    assert_array_equal(clone(model).fit(X, y, task=task).task_labels_, GROUPS)


@each_model
def test_an_affinity_has_eigenvalues_from_zero_to_one_and_the_trace_of_groups(model):
    affinity = clone(model).fit(X, y, task=task).task_affinity_
    values = np.linalg.eigvalsh(affinity)
    assert_allclose(affinity, affinity.T)
    assert values.min() > -1e-10
    assert values.max() < 1 + 1e-10
    assert_allclose(values.sum(), model.n_clusters)


@pytest.mark.full
@each_model
def test_every_layout_gives_the_same_model(model):
    keyword = clone(model).fit(X, y, task=task)
    table = np.column_stack([task, X])
    column = clone(model).set_params(task_column=0).fit(table, y)
    cells = np.where(task[:, None] == np.arange(5), y[:, None], np.nan)
    thin = clone(model).fit(sparse.csr_array(X), y, task=task)
    batches = clone(model)
    for part in np.array_split(np.random.default_rng(1).permutation(len(y)), 3):
        batches.partial_fit(X[part], y[part], task=task[part])
    for other in (column, clone(model).fit(X, cells), thin, batches):
        assert_allclose(other.coef_, keyword.coef_, atol=1e-6)
        assert_allclose(other.task_affinity_, keyword.task_affinity_, atol=1e-5)
        assert_array_equal(other.task_labels_, keyword.task_labels_)


@each_model
def test_weights_are_repetitions_of_rows(model):
    times = np.random.default_rng(2).integers(0, 4, len(y))
    rows = np.repeat(np.arange(len(y)), times)
    weighted = clone(model).fit(X, y, sample_weight=times, task=task)
    repeated = clone(model).fit(X[rows], y[rows], task=task[rows])
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)


@each_model
def test_the_order_of_tasks_does_not_matter(model):
    names = np.array(["d", "b", "e", "a", "c"])
    first = clone(model).fit(X, y, task=task)
    second = clone(model).fit(X, y, task=names[task])
    back = np.argsort(names)
    assert_allclose(second.coef_, first.coef_[back], atol=1e-6)
    joined = first.task_labels_[:, None] == first.task_labels_
    again = second.task_labels_[:, None] == second.task_labels_
    assert_array_equal(again, joined[np.ix_(back, back)])


def test_a_single_task_is_a_group():
    model = ClusteredRegressor().fit(X, y)
    assert model.coef_.shape == (4,)
    assert_array_equal(model.task_labels_, [0])
    assert model.task_affinity_.shape == (1, 1)


@pytest.mark.filterwarnings("error")
def test_no_coefficients_at_all_have_some_groups():
    model = ClusteredRegressor().fit(X, task * 2.0, task=task)
    assert_array_equal(model.coef_, np.zeros((5, 4)))
    assert model.task_labels_.shape == (5,)
    assert_array_equal(model.task_affinity_, np.zeros((5, 5)))


def test_groups_pulled_more_than_their_members_are_refused():
    told = "alpha_within must be alpha_between or more, got alpha_within=1.0 and"
    with pytest.raises(ValueError, match=told):
        ClusteredRegressor(2, 2.0, 1.0).fit(X, y, task=task)
