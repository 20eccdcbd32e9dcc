"""What every linear model with a penalty must do, whatever the penalty."""

import numpy as np
import pytest
import sklearn
from cases import parametrize
from scipy import linalg, sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, MultiTaskLasso
from sklearn.model_selection import GridSearchCV

from skmtl.couplings import Apart, Graph, ToMean
from skmtl.linear_model import (
    DirtyRegressor,
    GraphRegularizedRegressor,
    JointFeatureRegressor,
    LinearTaskRegressor,
    LowRankRegressor,
    MeanRegularizedRegressor,
    RobustRegressor,
)
from skmtl.penalties import L1, L21, Decomposed, Trace
from skmtl.solvers import Fista

# To join, a model needs its name here, with strengths below 0.3.
MODELS = [
    LowRankRegressor(0.1, tol=1e-12),
    LowRankRegressor(0.1, squared=True, tol=1e-10),
    RobustRegressor(0.1, 0.08, tol=1e-12),
    RobustRegressor(0.1, 0.08, penalty="l21", tol=1e-12),
    DirtyRegressor(0.1, 0.08, tol=1e-12),
    DirtyRegressor(0.1, 0.08, penalty="linf", tol=1e-12),
    JointFeatureRegressor(0.1, tol=1e-12),
    JointFeatureRegressor(0.1, penalty="linf", tol=1e-12),
    LinearTaskRegressor(L1(0.1), coupling=ToMean(3.0), solver=Fista(tol=1e-12)),
]
# A coupling pulls on tasks without rows too.
UNCOUPLED = MODELS[:-1]
SHORT = [MODELS[k] for k in (0, 2, 4, 6, 8)]
each_model = parametrize("model", MODELS, SHORT)
# Coefficients are as near as the root of the objective's distance from the optimum.
NEAR = {"atol": 2e-5}
WEIGHTS = {0: 1.0, 1: 2.0, 2: 0.5}
N_TASKS, N_FEATURES = 4, 5


def draw(seed=0, sizes=(30, 12, 20, 25)):
    """Return rows of tasks that share two features, far from the origin."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(3, 1, size=(len(task), N_FEATURES))
    own = rng.normal([2, -1, 0, 0, 0], [0.5, 0.5, 0.1, 0, 0], (len(sizes), N_FEATURES))
    y = (X * own[task]).sum(axis=1) + 5 * task + rng.normal(size=len(task))
    return X, y, task


def same(first, second):
    np.testing.assert_allclose(first.coef_, second.coef_, **NEAR)
    np.testing.assert_allclose(first.intercept_, second.intercept_, atol=2e-4)
    np.testing.assert_allclose(first.coef_shared_, second.coef_shared_, **NEAR)
    np.testing.assert_allclose(first.objective_, second.objective_, rtol=1e-9)


def fit(model, X, y, task=None, **weight):
    return clone(model).fit(X, y, task=task, **weight)


@each_model
def test_a_column_a_keyword_and_outputs_are_the_same(model):
    X, y, task = draw()
    keyword = fit(model, X, y, task)
    column = clone(model).set_params(task_column=0).fit(np.column_stack([task, X]), y)
    cells = np.where(task[:, None] == np.arange(N_TASKS), y[:, None], np.nan)
    outputs = fit(model, X, cells)
    same(column, keyword)
    same(outputs, keyword)
    chosen = outputs.predict(X)[np.arange(len(X)), task]
    np.testing.assert_allclose(chosen, keyword.predict(X, task=task), atol=1e-3)


@each_model
def test_complete_outputs_are_the_same_as_rows_repeated(model):
    X, _, _ = draw()
    Y = X @ np.random.default_rng(1).normal(size=(N_FEATURES, 3))
    long = fit(model, np.tile(X, (3, 1)), Y.T.ravel(), np.repeat([0, 1, 2], len(X)))
    same(fit(model, X, Y), long)


@each_model
def test_integer_weights_are_repetitions(model):
    X, y, task = draw()
    times = np.random.default_rng(2).integers(0, 3, len(y))
    weighted = fit(model, X, y, task, sample_weight=times)
    rows = np.repeat(np.arange(len(y)), times)
    same(weighted, fit(model, X[rows], y[rows], task[rows]))


@each_model
def test_task_weights_are_weights_of_the_rows_of_tasks(model):
    X, y, task = draw()
    factor = np.array([1.0, 3.0, 0.5, 2.0])
    by_task = clone(model).set_params(task_weight=dict(enumerate(factor)))
    same(fit(by_task, X, y, task), fit(model, X, y, task, sample_weight=factor[task]))


@each_model
def test_balanced_tasks_have_the_mean_of_the_mean_squares(model):
    X, y, task = draw()
    balanced = fit(clone(model).set_params(task_weight="balanced"), X, y, task)
    weight = len(y) / N_TASKS / np.bincount(task)[task]
    same(balanced, fit(model, X, y, task, sample_weight=weight))


@parametrize("model", UNCOUPLED, SHORT)
def test_a_task_without_weight_has_no_effect_and_the_shared_part(model):
    X, y, task = draw()
    weight = np.where(task == 1, 0.0, 1.0)
    light, rest = fit(model, X, y, task, sample_weight=weight), task != 1
    without = fit(model, X[rest], y[rest], task[rest])
    np.testing.assert_allclose(light.coef_[[0, 2, 3]], without.coef_, **NEAR)
    np.testing.assert_array_equal(light.coef_[1], light.coef_shared_)
    np.testing.assert_allclose(light.coef_shared_, without.coef_shared_, **NEAR)


@each_model
def test_sparse_rows_are_the_same_as_dense(model):
    X, y, task = draw()
    X = np.where(X > 3, X, 0.0)
    same(fit(model, sparse.csr_array(X), y, task), fit(model, X, y, task))


@each_model
def test_the_order_of_rows_and_tasks_does_not_matter(model):
    X, y, task = draw()
    order = np.random.default_rng(3).permutation(len(y))
    names = np.array(["d", "b", "a", "c"])
    shuffled = fit(model, X[order], y[order], names[task][order])
    straight = fit(model, X, y, task)
    back = np.argsort(names)
    np.testing.assert_allclose(shuffled.coef_, straight.coef_[back], **NEAR)


@each_model
def test_single_precision_is_kept_and_computed_safely(model):
    X, y, task = draw()
    narrow = fit(model, X.astype(np.float32), y.astype(np.float32), task)
    assert narrow.coef_.dtype == narrow.intercept_.dtype == np.float32
    assert narrow.predict(X.astype(np.float32), task=task).dtype == np.float32
    wide = fit(model, X.astype(np.float32), y.astype(np.float32).astype(float), task)
    np.testing.assert_allclose(narrow.coef_, wide.coef_, atol=1e-4)


@each_model
def test_an_offset_of_features_and_targets_moves_the_intercepts_alone(model):
    X, y, task = draw()
    moved, straight = fit(model, X + 1e4, y - 1e3, task), fit(model, X, y, task)
    np.testing.assert_allclose(moved.coef_, straight.coef_, atol=1e-4)


@parametrize("model", MODELS, [MODELS[k] for k in (0, 8)])
def test_without_intercepts_rows_at_zero_change_nothing(model):
    X, y, task = draw()
    bare = clone(model).set_params(fit_intercept=False)
    zeros = np.zeros((1, N_FEATURES)), np.zeros(1), np.array([0])
    weight = np.append(np.ones(len(y)), 1e-12)
    more = [np.concatenate(pair) for pair in zip((X, y, task), zeros, strict=True)]
    same(fit(bare, *more, sample_weight=weight), fit(bare, X, y, task))
    assert not fit(bare, X, y, task).intercept_.any()


@each_model
def test_batches_are_the_same_as_all_rows_at_once(model):
    X, y, task = draw()
    batches = clone(model)
    for part in np.array_split(np.random.default_rng(4).permutation(len(y)), 3):
        batches.partial_fit(X[part], y[part], task=task[part])
    same(batches, fit(model, X, y, task))


@each_model
def test_tasks_never_seen_have_the_shared_part_or_are_refused(model):
    X, y, task = draw()
    shared = fit(model, X, y, task)
    expected = X @ shared.coef_shared_ + shared.intercept_shared_
    unseen = shared.predict(X, task=np.full(len(X), 9))
    np.testing.assert_allclose(unseen, expected)
    strict = fit(clone(model).set_params(handle_unknown="error"), X, y, task)
    with pytest.raises(ValueError, match="not seen in fit"):
        strict.predict(X, task=np.full(len(X), 9))


@each_model
def test_a_warm_start_needs_no_steps_where_it_ended(model):
    X, y, task = draw()
    warm = clone(model).set_params(warm_start=True).fit(X, y, task=task)
    cold = warm.n_iter_
    warm.fit(X, y, task=task)
    assert warm.n_iter_ == 0 < cold
    warm.fit(X, y, task=task + 1)
    assert warm.n_iter_ == cold


@each_model
def test_a_fit_ignores_the_last_one_without_a_warm_start(model):
    X, y, task = draw()
    again, fresh = fit(model, X, -y, task).fit(X, y, task=task), fit(model, X, y, task)
    assert again.n_iter_ == fresh.n_iter_
    np.testing.assert_array_equal(again.coef_, fresh.coef_)


@each_model
def test_a_certificate_is_within_the_tolerance(model):
    X, y, task = draw()
    fitted = fit(model, X, y, task)
    residual = y - np.bincount(task, y)[task] / np.bincount(task)[task]
    zero = N_TASKS / len(y) * (residual**2).sum() / 2
    assert 0 <= fitted.optimality_ <= 1e-10
    assert 0 <= getattr(fitted, "dual_gap_", 0.0) <= 1e-10 * zero


@each_model
def test_a_single_task_has_the_shapes_of_scikit_learn(model):
    X, y, _ = draw()
    single, one = fit(model, X, y), fit(model, X, y, np.zeros(len(y)))
    assert single.coef_.shape == (N_FEATURES,)
    assert np.ndim(single.intercept_) == 0
    np.testing.assert_array_equal(single.coef_, one.coef_[0])
    np.testing.assert_allclose(single.predict(X), one.predict(X, task=np.zeros(len(y))))


@each_model
@parametrize("weighting", [None, "balanced"], short=["balanced"])
def test_rows_fewer_than_features_give_what_moments_give(model, weighting):
    rng = np.random.default_rng(5)
    X, task = rng.normal(1, 1, size=(45, 70)), np.repeat([0, 1, 2], [10, 15, 20])
    y = X[:, 0] + X[:, 1] * task + rng.normal(size=45)
    model = clone(model).set_params(task_weight=weighting)
    few = fit(model, X, y, task)
    many = clone(model).partial_fit(X, y, task=task)
    same(few, many)
    assert not hasattr(few, "moments_")


@pytest.mark.full
@each_model
@parametrize("weighting", [None, WEIGHTS], short=[WEIGHTS])
def test_outputs_of_fewer_rows_than_features_give_what_moments_give(model, weighting):
    rng = np.random.default_rng(6)
    X = rng.normal(1, 1, size=(20, 70))
    Y = X[:, :3] + rng.normal(size=(20, 3))
    model = clone(model).set_params(task_weight=weighting)
    same(fit(model, X, Y), clone(model).partial_fit(X, Y))


@parametrize("model", UNCOUPLED, SHORT)
def test_too_few_iterations_are_told_with_what_to_do(model):
    X, y, task = draw()
    short = clone(model).set_params(max_iter=1)
    told = r"After 1 iterations .* \d.\de.*above tol=1.0e-1\d. Raise max_iter, or"
    with pytest.warns(ConvergenceWarning, match=told):
        short.fit(X, y, task=task)


@each_model
def test_a_target_that_is_constant_has_no_coefficients(model):
    X, _, task = draw()
    flat = fit(model, X, task * 2.0, task)
    np.testing.assert_array_equal(flat.coef_, np.zeros((N_TASKS, N_FEATURES)))
    np.testing.assert_allclose(flat.intercept_, 2.0 * np.arange(N_TASKS))


@each_model
@pytest.mark.parametrize("unit", [1e-60, 1e60])
def test_the_unit_of_the_target_does_not_matter(model, unit):
    X, y, task = draw()
    names = [name for name in model.get_params() if name.startswith("alpha")]
    names += [name for name in model.get_params() if name.endswith("__alpha")]
    names = [name for name in names if not name.startswith("coupling")]
    scaled = {name: unit * model.get_params()[name] for name in names}
    scaled |= {"alpha": 0.1} if getattr(model, "squared", False) else {}
    large = fit(clone(model).set_params(**scaled), X, unit * y, task)
    np.testing.assert_allclose(large.coef_ / unit, fit(model, X, y, task).coef_, **NEAR)


def test_a_gap_is_in_units_of_the_objective():
    X, y, task = draw()
    small = LowRankRegressor(0.1, tol=1e-3).fit(X, y, task=task)
    large = LowRankRegressor(1.0, tol=1e-3).fit(X, 10 * y, task=task)
    assert small.dual_gap_ > 0
    assert large.dual_gap_ == pytest.approx(100 * small.dual_gap_, rel=1e-6)
    best = LowRankRegressor(0.1, tol=1e-13).fit(X, y, task=task)
    assert 0 < small.objective_ - best.objective_ <= small.dual_gap_


def test_one_task_with_a_lasso_is_scikit_learns():
    X, y, _ = draw()
    ours = LinearTaskRegressor(L1(0.1), solver=Fista(tol=1e-14)).fit(X, y)
    theirs = Lasso(0.1, tol=1e-12, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)


def test_shared_features_on_shared_rows_are_scikit_learns():
    X, _, _ = draw()
    rng = np.random.default_rng(7)
    Y = X @ rng.normal(size=(N_FEATURES, 3)) + rng.normal(size=(len(X), 3))
    ours = LinearTaskRegressor(L21(0.4), solver=Fista(tol=1e-14)).fit(X, Y)
    theirs = MultiTaskLasso(0.4, tol=1e-14, max_iter=100_000).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    residual = Y - theirs.predict(X)
    value = (residual**2).sum() / (2 * len(X)) + L21(0.4).value(theirs.coef_)
    np.testing.assert_allclose(ours.objective_, value, rtol=1e-9)
    # Without a penalty to speak of, the gap is that of scikit-learn, in its units.
    short = LinearTaskRegressor(L21(0.4), solver=Fista(tol=1e-3)).fit(X, Y)
    assert 0 <= short.objective_ - value <= short.dual_gap_


def test_a_coupling_alone_is_the_mean_regularized_model():
    X, y, task = draw()
    coupling, solver = ToMean(3.0, alpha_shared=0.5), Fista(tol=1e-11)
    ours = LinearTaskRegressor(coupling=coupling, solver=solver).fit(X, y, task=task)
    theirs = MeanRegularizedRegressor(3.0, alpha_shared=0.5).fit(X, y, task=task)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)


def test_a_graph_alone_is_the_graph_regularized_model():
    X, y, task = draw()
    theirs = GraphRegularizedRegressor("chain", alpha=2.0, alpha_ridge=0.5)
    theirs.fit(X, y, task=task)
    coupling = Graph(theirs.adjacency_, 2.0, 0.5)
    ours = LinearTaskRegressor(coupling=coupling, solver=Fista(tol=1e-11))
    ours.fit(X, y, task=task)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)


def test_a_sum_of_couplings_is_solved_as_one_dense_system():
    X, y, task = draw()
    adjacency = np.diag([1.0, 2.0, 1.0], 1) + np.diag([1.0, 2.0, 1.0], -1)
    coupling = ToMean(1.0, alpha_shared=0.3) + Graph(adjacency, 0.5)
    model = LinearTaskRegressor(coupling=coupling, solver=Fista(tol=1e-12))
    model.fit(X, y, task=task)
    laplacian = np.diag(adjacency.sum(axis=0)) - adjacency
    tasks, n_features = np.unique(task), X.shape[1]
    pull = np.eye(4) - np.full((4, 4), 1 / 4.3) + 0.5 * laplacian
    centred = [X[task == t] - X[task == t].mean(axis=0) for t in tasks]
    system = linalg.block_diag(*(rows.T @ rows for rows in centred))
    right = [rows.T @ y[task == t] for t, rows in zip(tasks, centred, strict=True)]
    system += np.kron(pull, np.eye(n_features))
    expected = linalg.solve(system, np.concatenate(right), assume_a="pos")
    np.testing.assert_allclose(model.coef_, expected.reshape(4, -1), atol=1e-6)


def test_a_coupling_of_intercepts_is_refused_where_there_are_any():
    X, y, task = draw()
    coupling = Apart(1.0) + ToMean(alpha_intercept=2.0)
    model = LinearTaskRegressor(coupling=coupling)
    with pytest.raises(ValueError, match=r"leave intercepts free.*=2.0.*use Mean"):
        model.fit(X, y, task=task)
    coef = model.set_params(fit_intercept=False).fit(X, y, task=task).coef_
    free = coupling.set_params(second__alpha_intercept=0.0)
    again = clone(model).set_params(coupling=free).fit(X, y, task=task)
    assert np.array_equal(again.coef_, coef)


def test_a_ridge_by_a_coupling_and_a_lasso_are_an_elastic_net():
    X, y, _ = draw()
    net = sklearn.linear_model.ElasticNet(0.2, l1_ratio=0.5, tol=1e-14).fit(X, y)
    ridge = Apart(0.1 * len(y))
    model = LinearTaskRegressor(L1(0.1), coupling=ridge, solver=Fista(tol=1e-14))
    np.testing.assert_allclose(model.fit(X, y).coef_, net.coef_, atol=1e-6)


def test_strengths_of_parts_can_be_searched():
    X, y, task = draw()
    model = LinearTaskRegressor(Decomposed(Trace(), L1()), task_column=0)
    grid = {"penalty__first__alpha": [0.1, 1.0], "penalty__second__alpha": [0.1]}
    search = GridSearchCV(model, grid, cv=2).fit(np.column_stack([task, X]), y)
    assert search.best_params_["penalty__first__alpha"] in {0.1, 1.0}


def test_another_penalty_leaves_another_certificate():
    X, y, task = draw()
    model = LowRankRegressor(0.1).fit(X, y, task=task)
    assert hasattr(model, "dual_gap_")
    model.set_params(squared=True).fit(X, y, task=task)
    assert not hasattr(model, "dual_gap_")
    assert model.optimality_ <= 1e-6
    model.set_params(squared=False).fit(X, y, task=task)
    assert "task_covariance_" not in vars(model)


def test_strengths_must_be_positive():
    X, y, task = draw()
    with pytest.raises(ValueError, match="'alpha' parameter of LowRankRegressor must"):
        LowRankRegressor(0.0).fit(X, y, task=task)
