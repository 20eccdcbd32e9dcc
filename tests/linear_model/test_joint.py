"""The same features for all tasks: against scikit-learn, definitions and itself."""

import numpy as np
import pytest
from cases import fold_errors, parametrize
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, MultiTaskElasticNet, MultiTaskLasso

from skmtl.data import SharedRows, TaskRows
from skmtl.linear_model import (
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LinearTaskRegressor,
    PathSearchCV,
)
from skmtl.penalties import L21, L1Inf, Positive, RowMCP, RowSCAD
from skmtl.problems.proximal import restrictable_moments, restrictable_rows
from skmtl.selection.paths._path_scores import choose
from skmtl.solvers import Fista, VarianceNewton, WorkingSet

# Grids here have few strengths on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")

CONVEX = ["l21", "linf"]
FOLDED = {"mcp": RowMCP, "scad": RowSCAD}
# More rows than features, and fewer: moments, and rows.
SIZES = {"tall": (60, 8, 3), "wide": (40, 90, 4)}
each_size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
SHARP = {"tol": 1e-12}
NEAR = {"atol": 1e-6}


def shared(n_rows, n_features, n_tasks, seed=0):
    """Draw one design of unlike columns, three of which matter."""
    rng = np.random.default_rng(seed)
    X = rng.normal(2, 1, (n_rows, n_features)) * rng.uniform(0.5, 3, n_features)
    Y = X[:, :3] @ rng.normal(size=(3, n_tasks)) + rng.normal(size=(n_rows, n_tasks))
    return X, Y + 5


def own(sizes, n_features, seed=0):
    """Draw rows of tasks in no order, three of whose features matter."""
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(1, 1, (len(task), n_features))
    coef = np.zeros((len(sizes), n_features))
    coef[:, :3] = rng.normal(1, 1, (len(sizes), 3))
    y = (X * coef[task]).sum(axis=1) + task + 0.5 * rng.normal(size=len(task))
    return X, y, task


def alpha_max(X, Y):
    left = (X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0)) / len(X)
    return np.linalg.norm(left, axis=1).max()


def by_fista(penalty, X, y, task, **options):
    model = LinearTaskRegressor(penalty, solver=Fista(tol=1e-13, max_iter=100000))
    return model.set_params(**options).fit(X, y, task=task)


@each_size
@parametrize("share", [0.5, 0.1, 0.02], short=[0.1])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
@parametrize("fit_intercept", [True, False], short=[True])
def test_complete_outputs_give_the_multi_task_elastic_net(
    size, share, l1_ratio, fit_intercept
):
    X, Y = shared(*size)
    common = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, **SHARP}
    alpha = share * alpha_max(X, Y)
    theirs = MultiTaskElasticNet(alpha, max_iter=1000000, **common).fit(X, Y)
    ours = JointFeatureRegressor(alpha, **common).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, **NEAR)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)
    np.testing.assert_array_equal(
        ours.support_, np.flatnonzero(theirs.coef_.any(axis=0))
    )


@each_size
def test_sparse_rows_are_the_same_as_dense_ones(size):
    X, Y = shared(*size)
    X = np.where(X > 3, X, 0.0)
    model = JointFeatureRegressor(0.1 * alpha_max(X, Y), **SHARP)
    dense, thin = clone(model).fit(X, Y), clone(model).fit(sparse.csr_array(X), Y)
    np.testing.assert_allclose(thin.coef_, dense.coef_, **NEAR)
    np.testing.assert_allclose(thin.intercept_, dense.intercept_, **NEAR)


@each_size
def test_a_weight_is_a_number_of_repetitions(size):
    X, Y = shared(*size)
    times = np.arange(len(X)) % 3
    model = JointFeatureRegressor(0.2, **SHARP)
    weighted = clone(model).fit(X, Y, sample_weight=times)
    repeated = clone(model).fit(X.repeat(times, axis=0), Y.repeat(times, axis=0))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, **NEAR)


@each_size
def test_one_task_is_the_elastic_net(size):
    X, Y = shared(*size)
    theirs = ElasticNet(0.1, l1_ratio=0.7, tol=1e-13, max_iter=1000000).fit(X, Y[:, 0])
    ours = JointFeatureRegressor(0.1, l1_ratio=0.7, **SHARP).fit(X, Y[:, 0])
    assert ours.coef_.shape == theirs.coef_.shape
    np.testing.assert_allclose(ours.coef_, theirs.coef_, **NEAR)


@each_size
def test_nothing_is_selected_at_alpha_max_and_something_below(size):
    X, Y = shared(*size)
    highest = alpha_max(X, Y)
    at = JointFeatureRegressor(highest * (1 + 1e-12)).fit(X, Y)
    below = JointFeatureRegressor(0.999 * highest, tol=1e-10).fit(X, Y)
    assert len(at.support_) == 0
    assert not at.coef_.any()
    assert len(below.support_) == 1


@pytest.mark.parametrize("kind", ["l21", "linf", "mcp", "scad"])
@pytest.mark.parametrize("positive", [False, True])
def test_alpha_max_is_the_least_strength_that_selects_nothing(kind, positive):
    X, Y = shared(*SIZES["wide"])
    model = JointFeatureRegressor(l1_ratio=0.5, penalty=kind, positive=positive)
    model.set_params(tol=1e-10)
    highest = PathSearchCV(model, 1, cv=2).fit(X, Y).alpha_
    assert not model.set_params(alpha=highest * (1 + 1e-12)).fit(X, Y).coef_.any()
    assert model.set_params(alpha=highest * (1 - 1e-3)).fit(X, Y).coef_.any()


@each_size
def test_layouts_are_the_same(size):
    X, Y = shared(*size)
    n_tasks = Y.shape[1]
    task = np.repeat(np.arange(n_tasks), len(X))
    rows, y = np.tile(X, (n_tasks, 1)), Y.T.ravel()
    model = JointFeatureRegressor(0.2, **SHARP)
    outputs = clone(model).fit(X, Y)
    keyword = clone(model).fit(rows, y, task=task)
    column = clone(model).set_params(task_column=0)
    column.fit(np.column_stack([task, rows]), y)
    for other in (keyword, column):
        np.testing.assert_allclose(other.coef_, outputs.coef_, **NEAR)
        np.testing.assert_allclose(other.intercept_, outputs.intercept_, atol=1e-5)


@pytest.mark.parametrize("n_features", [6, 70])
@pytest.mark.parametrize("kind", CONVEX)
@pytest.mark.parametrize("positive", [False, True])
def test_tasks_with_own_rows_reach_what_accelerated_steps_reach(
    n_features, kind, positive
):
    X, y, task = own((30, 5, 61, 12), n_features)
    penalty = {"l21": L21, "linf": L1Inf}[kind](0.2)
    penalty = Positive(penalty) if positive else penalty
    slow = by_fista(penalty, X, y, task)
    fast = JointFeatureRegressor(0.2, penalty=kind, positive=positive, tol=1e-12)
    fast.fit(X, y, task=task)
    assert fast.objective_ == pytest.approx(slow.objective_, rel=1e-9)
    predicted = slow.predict(X, task=task)
    np.testing.assert_allclose(fast.predict(X, task=task), predicted, atol=1e-3)


@pytest.mark.parametrize("n_features", [6, 70])
def test_task_weights_multiply_the_loss_of_a_task(n_features):
    X, y, task = own((30, 5, 61, 12), n_features)
    weight = {0: 1.0, 1: 3.0, 2: 0.5, 3: 2.0}
    model = JointFeatureRegressor(0.2, **SHARP)
    by_task = clone(model).set_params(task_weight=weight).fit(X, y, task=task)
    rows = np.array([weight[t] for t in task])
    by_row = clone(model).fit(X, y, task=task, sample_weight=rows)
    np.testing.assert_allclose(by_task.coef_, by_row.coef_, **NEAR)


@each_size
def test_task_weights_of_shared_rows_are_those_of_rows_repeated(size):
    X, Y = shared(*size)
    n_tasks = Y.shape[1]
    model = JointFeatureRegressor(
        0.3, task_weight=dict(enumerate(range(n_tasks))), **SHARP
    )
    outputs = clone(model).fit(X, Y)
    rows = clone(model).fit(
        np.tile(X, (n_tasks, 1)),
        Y.T.ravel(),
        task=np.repeat(np.arange(n_tasks), len(X)),
    )
    np.testing.assert_allclose(outputs.coef_, rows.coef_, **NEAR)


@each_size
def test_cells_not_observed_are_left_out(size):
    X, Y = shared(*size)
    hidden = np.random.default_rng(1).random(Y.shape) < 0.3
    row, task = np.nonzero(~hidden)
    model = JointFeatureRegressor(0.2, **SHARP)
    cells = clone(model).fit(X, np.where(hidden, np.nan, Y))
    rows = clone(model).fit(X[row], Y[row, task], task=task)
    np.testing.assert_allclose(cells.coef_, rows.coef_, **NEAR)
    assert cells.predict(X).shape == Y.shape


@each_size
def test_the_reported_gap_is_that_of_its_definition(size):
    X, Y = shared(*size)
    with pytest.warns(ConvergenceWarning, match=r"max_iter"):
        model = JointFeatureRegressor(0.05, max_iter=1, tol=1e-12).fit(X, Y)
    left, X = Y - model.predict(X), X - X.mean(axis=0)
    Y, n = Y - Y.mean(axis=0), len(X)
    size = np.linalg.norm(X.T @ left / n, axis=1).max()
    along, square = np.vdot(left, Y), np.vdot(left, left)
    k = np.clip(along / square, -0.05 / size, 0.05 / size)
    primal = square / (2 * n) + 0.05 * np.linalg.norm(model.coef_, axis=0).sum()
    gap = primal - (k * along - k**2 / 2 * square) / n
    assert model.objective_ == pytest.approx(primal)
    assert model.dual_gap_ == pytest.approx(gap)


@pytest.mark.parametrize("kind", FOLDED)
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("n_features", [6, 70])
def test_folded_penalties_reach_a_stationary_point(kind, positive, n_features):
    X, y, task = own((30, 20, 61, 12), n_features)
    model = JointFeatureRegressor(0.3, penalty=kind, positive=positive, tol=1e-9)
    model.fit(X, y, task=task)
    left = y - model.predict(X, task=task)
    gradient = np.stack([-left[task == t] @ X[task == t] for t in range(4)])
    gradient *= 4 / len(X)
    penalty = FOLDED[kind](0.3)
    penalty = Positive(penalty) if positive else penalty
    ahead = penalty.prox(model.coef_ - 1e-3 * gradient, 1e-3)
    np.testing.assert_allclose(ahead, model.coef_, atol=1e-9)
    assert 0 < model.optimality_ <= 1e-9
    assert not hasattr(model, "dual_gap_")


def test_folded_penalties_leave_large_coefficients_alone():
    X, y, task = own((60, 60, 60), 6)
    rows = [np.column_stack([X, np.ones(len(X))])[task == t] for t in range(3)]
    model = JointFeatureRegressor(0.3, penalty="mcp", tol=1e-10).fit(X, y, task=task)
    kept = [*model.support_, 6]
    for t, coef in enumerate(model.coef_):
        free = np.linalg.lstsq(rows[t][:, kept], y[task == t], rcond=None)[0]
        np.testing.assert_allclose(coef[model.support_], free[:-1], atol=1e-6)


@each_size
def test_a_warm_start_ends_where_a_cold_one_does_and_sooner(size):
    X, Y = shared(*size)
    warm = JointFeatureRegressor(0.21, warm_start=True, **SHARP).fit(X, Y)
    warm.set_params(alpha=0.2).fit(X, Y)
    cold = JointFeatureRegressor(0.2, **SHARP).fit(X, Y)
    np.testing.assert_allclose(warm.coef_, cold.coef_, **NEAR)
    again = warm.fit(X, Y).n_iter_
    assert again == 0 < cold.n_iter_


@each_size
def test_columns_may_be_in_very_different_units(size):
    X, Y = shared(*size)
    X = X * np.geomspace(1e-2, 1e3, X.shape[1])
    alpha = 0.1 * alpha_max(X, Y)
    theirs = MultiTaskLasso(alpha, tol=1e-12, max_iter=1000000).fit(X, Y)
    ours = JointFeatureRegressor(alpha, **SHARP).fit(X, Y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), **NEAR)


@each_size
def test_constant_columns_and_repeated_ones_do_no_harm(size):
    X, Y = shared(*size)
    X[:, 1] = X[:, 0]
    X[:, 2] = 7.0
    model = JointFeatureRegressor(0.05, tol=1e-9).fit(X, Y)
    theirs = MultiTaskLasso(0.05, tol=1e-12, max_iter=1000000).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), theirs.predict(X), atol=1e-3)
    assert not model.coef_[:, 2].any()


@each_size
def test_a_constant_target_selects_nothing(size):
    X, Y = shared(*size)
    model = JointFeatureRegressor(0.1).fit(X, np.full_like(Y, 3.0))
    assert not model.coef_.any()
    np.testing.assert_allclose(model.intercept_, 3.0)


@each_size
def test_single_precision_is_kept(size):
    X, Y = shared(*size)
    model = JointFeatureRegressor(0.2)
    single = clone(model).fit(X.astype(np.float32), Y)
    assert single.coef_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, model.fit(X, Y).coef_, atol=1e-3)


def test_batches_are_the_same_as_the_whole():
    X, y, task = own((30, 15, 61), 6)
    model = JointFeatureRegressor(0.2, **SHARP)
    parts = clone(model).partial_fit(X[:50], y[:50], task=task[:50])
    parts.partial_fit(X[50:], y[50:], task=task[50:])
    np.testing.assert_allclose(parts.coef_, model.fit(X, y, task=task).coef_, **NEAR)


# The parts: losses restricted to features, sweeps, Newton steps.


def losses(seed=0):
    """Pose the same losses from rows and from moments, unequal and weighted."""
    rng = np.random.default_rng(seed)
    X, y, task = own((9, 7, 20, 8), 12, seed)
    order, weight = np.argsort(task, kind="stable"), rng.uniform(0.5, 2, len(y))
    ends, factor = np.cumsum([0, 9, 7, 20, 8]), np.array([1.0, 2.0, 0.5, 3.0])
    rows = TaskRows(X[order], None, y[order], weight, ends, np.arange(4), factor)
    Z, Y = shared(10, 12, 3, seed)
    tasks, some = np.arange(3), rng.uniform(0.5, 2, 10)
    alike = SharedRows(Z, Y, some, tasks)
    thin = SharedRows(sparse.csr_array(Z), Y, some, tasks, factor[:3])
    return [
        (
            restrictable_rows(data, True, 0.3),
            restrictable_moments(data.moments(), True, 0.3),
        )
        for data in (rows, alike, thin)
    ]


@given(seed=st.integers(0, 10**6), n_chosen=st.integers(1, 12))
def test_a_restricted_loss_is_the_loss_with_the_others_at_zero(seed, n_chosen):
    rng = np.random.default_rng(seed)
    features = rng.permutation(12)[:n_chosen]
    for pair in losses(seed):
        V = rng.normal(size=(pair[0].shape[0], n_chosen))
        W = np.zeros(pair[0].shape)
        W[:, features] = V
        points = [loss.at(W) for loss in pair]
        parts = [loss.restrict(features) for loss in pair]
        points += [part.at(V) for part in parts]
        parts += [part.restrict(np.arange(n_chosen)) for part in parts]
        for point in points:
            gradient = point.gradient[:, features if point.variable is W else slice(0)]
            gradient = gradient if point.variable is W else point.gradient
            np.testing.assert_allclose(gradient, points[0].gradient[:, features])
            assert point.value == pytest.approx(points[0].value)
        for part in parts:
            assert part.value_at(V, part.state_at(V)) == pytest.approx(points[0].value)
            assert part.zero().value == pytest.approx(pair[0].zero().value)


@given(seed=st.integers(0, 10**6))
def test_a_block_sees_the_slope_and_the_bend_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    for loss in sum(losses(seed), ()):
        part = loss.restrict(np.arange(12))
        W, step = rng.normal(size=(2, *part.shape))
        state, block = part.state_at(W), slice(3, 8)
        before = part.at(W).gradient
        part.update(state, block, step[:, block])
        W[:, block] += step[:, block]
        after = part.at(W).gradient
        np.testing.assert_allclose(state, part.state_at(W))
        np.testing.assert_allclose(
            part.block_gradient(W, state, block), after[:, block]
        )
        bent = np.matmul(step[:, None, block], part.hessian(block))[:, 0]
        np.testing.assert_allclose((after - before)[:, block], bent, atol=1e-8)
        assert part.scales.max() <= part.lipschitz() + 1e-12
        diagonal = np.einsum("tjj->tj", part.hessian(slice(0, 12))).max(axis=0)
        np.testing.assert_allclose(part.scales, diagonal)


@given(seed=st.integers(0, 10**6))
@example(seed=86846)  # twelve steps of power iteration stay below
def test_the_curvature_is_bounded_from_above(seed):
    for rows, moments in losses(seed):
        hessian = moments.restrict(np.arange(12)).hessian(slice(0, 12))
        largest = np.linalg.eigvalsh(hessian).max()
        assert rows.lipschitz() >= largest * (1 - 1e-9)
        assert moments.lipschitz() >= largest * (1 - 1e-9)


def test_blocks_hold_features_of_like_curvature():
    X, y, task = own((50, 60), 40)
    data = TaskRows(
        X * np.geomspace(1, 1e6, 40),
        np.argsort(task, kind="stable"),
        np.sort(y),
        None,
        np.array([0, 50, 110]),
        np.arange(2),
    )
    part = restrictable_moments(data.moments()).restrict(np.arange(40))
    assert [part.blocks[0].start, part.blocks[-1].stop] == [0, 40]
    assert len(part.blocks) > 10
    for block in part.blocks:
        assert part.scales[block].max() <= 8 * part.scales[block].min()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_newton_step_from_nearby_lands_on_the_optimum(which):
    loss = losses()[which][1]
    part, alpha = loss.restrict(np.arange(12)), 0.4
    best = WorkingSet(1e-13).minimize(loss, L21(alpha), np.zeros(loss.shape)).variable
    near = best * (1 + 1e-4 * np.random.default_rng(0).normal(size=best.shape))
    step = VarianceNewton(alpha).step(part, near)
    assert np.abs(step - best).max() < 1e-2 * np.abs(near - best).max()
    np.testing.assert_array_equal(step.any(axis=0), best.any(axis=0))


def test_newton_removes_a_feature_that_all_but_vanishes():
    loss = losses()[0][1]
    W = np.ones(loss.shape)
    W[:, 3] = 1e-310
    found = VarianceNewton(0.4).step(loss.restrict(np.arange(12)), W)
    penalty = L21(0.4)
    assert loss.value(found) + penalty.value(found) < loss.value(W) + penalty.value(W)


@pytest.mark.parametrize("newton", [None, VarianceNewton(0.05)])
@pytest.mark.parametrize("n_tasks", [1, 3])
def test_a_working_set_grows_until_nothing_is_left_out(newton, n_tasks):
    X, Y = shared(150, 400, n_tasks)
    loss = restrictable_rows(SharedRows(X, Y, None, np.arange(n_tasks)))
    start = np.zeros(loss.shape)
    solution = WorkingSet(1e-10, newton=newton).minimize(loss, L21(0.05), start)
    theirs = MultiTaskLasso(0.05, tol=1e-10, max_iter=100000).fit(X, Y)
    assert solution.converged
    assert solution.optimality <= 1e-10
    assert not start.any()
    np.testing.assert_allclose(solution.variable, theirs.coef_, atol=1e-4)


@pytest.mark.parametrize("pose", [restrictable_rows, restrictable_moments])
def test_a_value_is_not_lost_in_rounding(pose):
    """Newton steps far along a flat direction once looked like a large descent."""
    X, Y = shared(6, 20, 1)
    data = SharedRows(X, Y, None, np.arange(1))
    loss = pose(data if pose is restrictable_rows else data.moments())
    part = loss.restrict(np.arange(20))
    flat = np.linalg.svd(X - X.mean(axis=0))[2][-5:] * 1e14
    assert all(part.value_at(W, part.state_at(W)) >= 0 for W in flat[:, None])


def test_rows_fewer_than_the_support_are_solved_without_a_detour():
    rng = np.random.RandomState(42)
    X, y = rng.rand(15, 30), rng.randint(0, 3, size=15).astype(float)
    X, y = np.vstack([X, X, X]), np.concatenate([y, y, y])
    model = JointFeatureRegressor(0.001, max_iter=500).fit(X, y)
    assert np.abs(model.coef_).max() < 10


# Strengths chosen from the data.


@pytest.mark.full
@each_size
@parametrize("kind", ["l21", "linf", "mcp", "scad"], short=["scad"])
def test_the_chosen_strength_is_refitted_on_all_rows(size, kind):
    X, Y = shared(*size)
    search = JointFeatureRegressorCV(
        n_alphas=8, eps=1e-2, penalty=kind, l1_ratio=0.8, cv=3
    ).fit(X, Y)
    model = JointFeatureRegressor(search.alpha_, penalty=kind, l1_ratio=0.8).fit(X, Y)
    assert fold_errors(search).shape == (8, 3)
    alphas = search.cv_results_["alpha"]
    assert alphas[0] == pytest.approx(100 * alphas[-1])
    objective = model.objective_ * (kind in CONVEX)
    again = (kind in CONVEX) * value(search, X, Y, kind)
    assert again == pytest.approx(objective, rel=1e-5)


def value(search, X, Y, kind):
    """Return the objective of a search's coefficients, by its definition."""
    size = {"l21": lambda W: np.linalg.norm(W, axis=0)}.get(
        kind, lambda W: np.abs(W).max(axis=0)
    )
    penalty = 0.8 * size(search.coef_).sum() + 0.1 * (search.coef_**2).sum()
    return ((Y - search.predict(X)) ** 2).sum() / (2 * len(X)) + search.alpha_ * penalty


@pytest.mark.parametrize("n_features", [6, 70])
def test_errors_of_folds_are_those_of_models_fitted_on_the_others(n_features):
    X, y, task = own((30, 5, 61, 12), n_features)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    fold = np.arange(len(y)) % 3
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]
    common = {"task_weight": {0: 1.0, 1: 2.0, 2: 0.5, 3: 1.0}, "tol": 1e-10}
    search = JointFeatureRegressorCV(
        [0.1, 0.5], alpha_shared=np.inf, alpha_intercept=0.0, cv=splits, **common
    )
    search.fit(X, y, task=task, sample_weight=weight)
    factor = weight * np.array([1.0, 2.0, 0.5, 1.0])[task]
    for k, (train, test) in enumerate(splits):
        model = JointFeatureRegressor(0.5, **common)
        model.fit(X[train], y[train], task=task[train], sample_weight=weight[train])
        left = y[test] - model.predict(X[test], task=task[test])
        error = np.average(left**2, weights=factor[test])
        assert fold_errors(search)[0, k] == pytest.approx(error, rel=1e-3)


@each_size
def test_folds_of_outputs_are_those_of_rows(size):
    X, Y = shared(*size)
    fold = np.arange(len(X)) % 3
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]
    outputs = JointFeatureRegressorCV([0.2, 0.5], cv=splits).fit(X, Y)
    cells = np.vstack([Y, np.full((1, Y.shape[1]), np.nan)])
    hidden = np.vstack([X, X[:1]])
    rows = JointFeatureRegressorCV([0.2, 0.5], cv=splits).fit(hidden, cells)
    np.testing.assert_allclose(fold_errors(rows), fold_errors(outputs), rtol=1e-3)


@pytest.mark.parametrize("weight", [None, np.array([1.0, 0, 0, 0])])
def test_folds_that_leave_nothing_to_fit_on_are_refused(weight):
    X, Y = shared(4, 3, 2)
    splits = [(np.arange(1, 4) if weight is not None else [], np.arange(4))]
    with pytest.raises(ValueError, match="Every fold must have training and test rows"):
        JointFeatureRegressorCV(n_alphas=2, cv=splits).fit(X, Y, sample_weight=weight)


def test_one_standard_error_takes_the_largest_strength_that_is_as_good():
    errors = np.array([[9.0, 9.0], [2.1, 2.3], [1.0, 3.0], [5.0, 5.0]])
    assert choose(errors, False) == 2
    assert choose(errors, True) == 1
    assert choose(errors[:, :1], True) == 2


def test_a_path_that_does_not_converge_says_how_far_it_got():
    X, Y = shared(*SIZES["wide"])
    model = JointFeatureRegressorCV([0.01], max_iter=1, tol=1e-12, cv=2)
    with pytest.warns(ConvergenceWarning, match=r"1 of 1 strengths .* Raise max_iter"):
        model.fit(X, Y)
