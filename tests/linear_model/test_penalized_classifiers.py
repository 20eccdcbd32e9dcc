"""Classifiers with a penalty, and the losses at the best intercepts that they have."""

from dataclasses import dataclass

import numpy as np
import pytest
import sklearn
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from reference_problem import N_TASKS, SIZES, draw_problem
from scipy import sparse
from scipy.optimize import minimize as minimize_smoothly
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version

from skmtl._contracts import Point, Smooth
from skmtl.data import TaskRows
from skmtl.linear_model import JointFeatureClassifier, LowRankClassifier
from skmtl.losses import Logistic, Multinomial
from skmtl.penalties import L1, L12, L21, ClusterNorm, Decomposed, Fused, L1Inf, Trace
from skmtl.problems.newton import Datafit
from skmtl.problems.proximal import AnyLoss, minimize
from skmtl.solvers import Fista, ProxNewton, VarianceNewton, WorkingSet

SHARP = {"tol": 1e-12, "max_iter": 100_000}
NEAR = {"rtol": 1e-5, "atol": 1e-6}
MODELS = [
    JointFeatureClassifier(0.05),
    JointFeatureClassifier(0.05, l1_ratio=0.6),
    JointFeatureClassifier(0.05, penalty="linf"),
    JointFeatureClassifier(0.05, penalty="mcp"),
    JointFeatureClassifier(0.05, penalty="scad"),
    JointFeatureClassifier(0.05, fit_intercept=False),
    LowRankClassifier(0.05),
    LowRankClassifier(0.05, squared=True),
]
SHORT = [MODELS[k] for k in (1, 6)]
each_model = parametrize("model", MODELS, SHORT)
WITH_INTERCEPT = [model for model in MODELS if model.fit_intercept]
each_with_intercept = parametrize("model", WITH_INTERCEPT, SHORT)
LEARNT = ("coef_", "intercept_", "coef_shared_", "intercept_shared_")
two_or_three = pytest.mark.parametrize("n_classes", [2, 3])
mostly_three = parametrize("n_classes", [2, 3], short=[3])


def draw(sizes, n_features, n_classes=2, seed=0):
    """Draw rows of tasks in no order, three of whose features matter."""
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(0.5, 1, (len(task), n_features))
    coef = np.zeros((len(sizes), n_classes, n_features))
    coef[:, :, :3] = rng.normal(size=(len(sizes), n_classes, 3))
    scores = np.einsum("ij,ikj->ik", X, coef[task]) + rng.gumbel(size=(len(X), 1))
    return X, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1), task


def pose(X, y, task, n_classes=2, weight=None, **params):
    """Return the loss of rows, which need not be sorted by task."""
    order, n_tasks = np.argsort(task, kind="stable"), task.max() + 1
    offsets = np.searchsorted(task[order], np.arange(n_tasks + 1))
    weight = None if weight is None else weight[order]
    rows = TaskRows(X[order], None, y[order], weight, offsets, np.arange(n_tasks))
    if n_classes == 2:
        return AnyLoss(Datafit(rows, Logistic()), **params)
    return AnyLoss(
        Datafit(rows, Multinomial(n_classes), targets=OneHot(n_classes)), **params
    )


@dataclass(frozen=True)
class OneHot:
    """Turn codes of classes into their indicators."""

    n_classes: int

    def rows(self, codes, tasks):
        return (codes[:, :, None] == np.arange(self.n_classes)).astype(float)


def fitted(model, X, y, task, **params):
    return clone(model).set_params(**SHARP).fit(X, y, task=task, **params)


def assert_alike(first, second):
    for name in LEARNT:
        assert_allclose(
            getattr(first, name), getattr(second, name), err_msg=name, **NEAR
        )


# What others reached: sums over tasks of mean logistic losses, and a penalty.


@dataclass(frozen=True)
class Pulled(Smooth):
    """Add to a loss ``1/2 trace(W' Q W)`` with a precision Q between tasks."""

    loss: AnyLoss
    precision: np.ndarray

    @property
    def shape(self):
        return self.loss.shape

    def at(self, W):
        point, pulled = self.loss.at(W), self.precision @ W
        value = point.value + np.vdot(W, pulled) / 2
        return Point(W, value, point.gradient + pulled)

    def lipschitz(self):
        return self.loss.lipschitz() + np.linalg.norm(self.precision)

    def dual_value(self, point, limit):
        W, share = point.variable, min(limit, 1.0)
        pull = share**2 * np.vdot(W, self.precision @ W) / 2
        return self.loss.dual_value(self.loss.at(W), share) - pull


SPREAD = np.eye(N_TASKS) - 1 / N_TASKS
STEPS = np.diff(np.eye(N_TASKS), axis=0)
ZERO = np.zeros((N_TASKS, N_TASKS))
REFERENCES = {
    "MALSAR Logistic_Lasso": (1.8917908077780123, L1(0.03), ZERO),
    "MALSAR Logistic_L21": (1.8802164491114026, L21(0.05), ZERO),
    "MALSAR Logistic_Trace": (1.647008676309138, Trace(0.05), ZERO),
    "MALSAR Logistic_SRMTL": (2.183725329913422, L1(0.01), 0.2 * SPREAD),
    "MALSAR Logistic_TGL": (
        2.2427010097296574,
        L21(0.04),
        0.01 * np.eye(N_TASKS) + 0.04 * STEPS.T @ STEPS,
    ),
    "MALSAR Logistic_CFGLasso": (
        2.291846482278804,
        Fused(0.02, alpha_l1=0.01, alpha_joint=0.03),
        ZERO,
    ),
    "MALSAR Logistic_Dirty": (
        1.968617886671246,
        Decomposed(L1Inf(0.1), L1(0.04)),
        ZERO,
    ),
    "MALSAR Logistic_rMTFL": (
        1.8874240033934857,
        Decomposed(L21(0.06), L12(0.06)),
        ZERO,
    ),
    "RMTL LR_L21": (1.8802164491, L21(0.05), ZERO),
    "RMTL LR_Trace": (1.6470086763, Trace(0.05), ZERO),
    # It stopped 5e-10 above the optimum.
    "RMTL LR_CMTL": (2.2947668321, ClusterNorm(0.1, 0.3, 2), ZERO),
}


@pytest.mark.full
@parametrize("name", list(REFERENCES), short=list(REFERENCES)[::3])
def test_we_end_where_other_software_does_and_no_higher(name):
    optimum, penalty, precision = REFERENCES[name]
    given = draw_problem()
    loss = pose(
        given.X, (given.label > 0) * 1.0, given.task, weight=1 / SIZES[given.task]
    )
    smooth = Pulled(loss, precision)
    fit = minimize(smooth, penalty, Fista(tol=1e-11, max_iter=20_000))
    assert -1e-9 < fit.solution.objective / optimum - 1 < 1e-10


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (JointFeatureClassifier(0.05), "MALSAR Logistic_L21"),
        (LowRankClassifier(0.05), "MALSAR Logistic_Trace"),
    ],
)
def test_classifiers_do_too(model, name):
    given = draw_problem()
    model = clone(model).set_params(task_weight="balanced", **SHARP)
    model.fit(given.X, given.label, task=given.task)
    assert model.objective_ == pytest.approx(REFERENCES[name][0], rel=1e-10)


# Losses at the best intercepts.


@two_or_three
@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_a_loss_is_the_least_over_intercepts(n_classes, ridge):
    X, y, task = draw((9, 14, 30), 4, n_classes)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    loss = pose(X, y, task, n_classes, weight, alpha_ridge=ridge)
    W = np.random.default_rng(2).normal(size=loss.shape)
    raw = np.einsum("ij,ikj->ik", X, W.reshape(3, n_classes - 1, -1)[task])
    basis = Multinomial(n_classes)

    def cost(levels):
        z = raw + levels.reshape(3, -1)[task]
        each = loss_of(z)
        return 3 / weight.sum() * (weight * each).sum() + ridge / 2 * (W**2).sum()

    def loss_of(z):
        if n_classes == 2:
            return np.logaddexp(0, z[:, 0]) - y * z[:, 0]
        return basis.value(np.eye(n_classes)[y], z)

    found = minimize_smoothly(cost, np.zeros(3 * (n_classes - 1)), tol=1e-12)
    assert loss.value(W) == pytest.approx(found.fun, rel=1e-9)
    assert_allclose(loss.at(W).intercepts.ravel(), found.x, atol=1e-4)


@two_or_three
def test_a_gradient_is_the_slope_of_the_value(n_classes):
    loss = pose(*draw((9, 14, 30), 4, n_classes), n_classes, alpha_ridge=0.3)
    W, V = np.random.default_rng(0).normal(size=(2, *loss.shape))
    slope = (loss.value(W + 1e-4 * V) - loss.value(W - 1e-4 * V)) / 2e-4
    assert np.vdot(loss.gradient(W), V) == pytest.approx(slope, rel=1e-7)


@two_or_three
def test_a_point_ahead_is_where_it_says(n_classes):
    loss = pose(*draw((9, 14, 30), 4, n_classes), n_classes, alpha_ridge=0.3)
    W, V = np.random.default_rng(0).normal(size=(2, *loss.shape))
    ahead, there = (
        loss.extrapolate(loss.at(W), loss.at(V), 0.3),
        loss.at(1.3 * W - 0.3 * V),
    )
    assert_allclose(ahead.variable, there.variable)
    assert_allclose(ahead.gradient, there.gradient, atol=1e-9)
    assert ahead.value == pytest.approx(there.value)


@two_or_three
@pytest.mark.parametrize("n_features", [4, 70])
def test_no_direction_is_curved_more_than_the_bound(n_classes, n_features):
    X, y, task = draw((9, 14, 30), n_features, n_classes)
    loss = pose(2 * X, y, task, n_classes, alpha_ridge=0.3)
    for seed in range(5):
        W, V = np.random.default_rng(seed).normal(size=(2, *loss.shape))
        V *= 1e-3 / np.linalg.norm(V)
        rise = np.vdot(loss.gradient(0.1 * W + V) - loss.gradient(0.1 * W), V)
        assert 1e-6 * loss.lipschitz() >= rise > 0


@mostly_three
@pytest.mark.parametrize("penalty", [L1(0.05), L21(0.05), Trace(0.05)], ids=str)
@parametrize("ridge", [0.0, 0.2], short=[0.2])
def test_a_gap_is_never_smaller_than_the_distance(n_classes, penalty, ridge):
    loss = pose(*draw((9, 14, 30), 4, n_classes), n_classes, alpha_ridge=ridge)
    best = minimize(loss, penalty, Fista(tol=1e-12)).solution
    V, W = np.random.default_rng(0).normal(size=(2, *loss.shape))
    starts = [V * 10.0**k for k in range(-3, 3)] + [best.variable + 1e-3 * W]
    for start in starts:
        point = loss.at(start)
        gap = penalty.optimality(loss, point) * loss.zero().value
        distance = point.value + penalty.value(start) - best.objective
        assert gap >= distance - 1e-10
    assert best.optimality <= 1e-12


@pytest.mark.parametrize("n_features", [3, 12, 40])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_model_has_the_gradient_and_the_curvature_of_the_loss(
    n_features, fit_intercept
):
    X, y, task = draw((9, 10, 30, 9), n_features)
    loss = pose(X, y, task, weight=1.0 + np.arange(len(y)) % 3, alpha_ridge=0.1)
    data = loss.datafit.data
    loss = AnyLoss(Datafit(data, Logistic(), fit_intercept), alpha_ridge=0.1)
    W, V = np.random.default_rng(0).normal(size=(2, *loss.shape))
    W, point = 0.3 * W, loss.at(0.3 * W)
    model = loss.model(point)
    assert_allclose(model.at(W).gradient, point.gradient, atol=1e-12)
    curved = (loss.gradient(W + 1e-5 * V) - loss.gradient(W - 1e-5 * V)) / 2e-5
    assert_allclose(model.at(W + V).gradient, point.gradient + curved, atol=1e-7)
    offset = model.at(W).value - point.value
    rise = np.vdot(point.gradient, V) + np.vdot(V, curved) / 2
    assert model.at(W + V).value == pytest.approx(point.value + offset + rise)


@two_or_three
def test_a_loss_of_some_features_is_that_with_others_at_zero(n_classes):
    loss = pose(*draw((9, 14, 30), 8, n_classes), n_classes)
    features = np.array([5, 1, 6])
    V = np.random.default_rng(0).normal(size=(loss.shape[0], 3))
    W = np.zeros(loss.shape)
    W[:, features] = V
    part = loss.restrict(features).at(V)
    assert part.value == pytest.approx(loss.value(W))
    assert_allclose(part.gradient, loss.gradient(W)[:, features], atol=1e-9)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e3])
def test_intercepts_are_found_however_far_away(size):
    X, y, task = draw((20, 30), 3)
    loss = pose(X, y, task)
    point = loss.at(np.full((2, 3), size))
    totals = loss.rows.sum(loss.rows.weight[:, None] * point.slope)
    assert_allclose(totals, 0, atol=1e-7)


def test_tasks_cut_in_pieces_are_whole():
    """Rows of large tasks are worked on a cache full at a time."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(200_000, 1)), np.repeat([0, 1], [190_000, 10_000])
    y = (rng.random(len(X)) < 0.3 + 0.2 * task) * 1
    model = fitted(JointFeatureClassifier(0.01), X, y, task)
    slopes = np.bincount(task, y - model.predict_proba(X, task=task)[:, 1])
    assert_allclose(slopes / len(X), 0, atol=1e-9)
    assert model.dual_gap_ <= 1e-12


# Against others, one task at a time.


@pytest.mark.parametrize("n_features", [5, 60])
def test_one_task_is_logistic_regression_with_an_l1_penalty(n_features):
    X, y, _ = draw((120,), n_features)
    # Since scikit-learn 1.8 the share says which penalty it is.
    named = parse_version(sklearn.__version__) >= parse_version("1.8")
    kind = {"l1_ratio": 1.0} if named else {"penalty": "l1"}
    params = {"C": 1 / (120 * 0.05), "solver": "saga", "tol": 1e-9}
    theirs = LogisticRegression(**params, **kind, max_iter=100_000).fit(X, y)
    ours = JointFeatureClassifier(0.05, **SHARP).fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_array_equal(ours.support_, np.flatnonzero(theirs.coef_[0]))
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)


@pytest.mark.full
def test_classes_share_features_as_by_another_solver():
    # The length of a feature is the least of (squares / size + size) / 2.
    X, y, _ = draw((150,), 4, 3)
    hot, alpha = np.eye(3)[y], 0.06

    def objective(flat):
        S, b, v = flat[:12].reshape(3, 4), flat[12:15], flat[15:]
        scores, squares = X @ S.T + b, (S**2).sum(axis=0)
        value = -(hot * log_softmax(scores, axis=1)).sum() / len(X)
        value += alpha / 2 * (squares / np.exp(v) + np.exp(v)).sum()
        left = (softmax(scores, axis=1) - hot) / len(X)
        slope = left.T @ X + alpha * S / np.exp(v)
        sizes = alpha / 2 * (np.exp(v) - squares / np.exp(v))
        return value, np.concatenate([slope.ravel(), left.sum(axis=0), sizes])

    start = np.random.default_rng(0).normal(size=19)
    options = {"maxiter": 20_000, "maxfun": 50_000, "ftol": 1e-15, "gtol": 1e-9}
    found = minimize_smoothly(
        objective, start, jac=True, method="L-BFGS-B", options=options
    )
    model = JointFeatureClassifier(alpha, **SHARP).fit(X, y)
    assert model.objective_ == pytest.approx(found.fun, rel=1e-6)
    assert model.objective_ <= found.fun
    assert_allclose(model.coef_, found.x[:12].reshape(3, 4), atol=2e-3)
    assert_allclose(model.coef_.sum(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize("n_features", [6, 150])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_newton_steps_end_where_accelerated_ones_do(n_features, share):
    X, y, task = draw((30, 11, 12, 60), n_features)
    loss = pose(X, y, task, alpha_ridge=0.01)
    alpha = share * L21().dual_norm(loss.zero().gradient)
    solvers = [
        ProxNewton(1e-11, 10_000, VarianceNewton(alpha)),
        ProxNewton(1e-11, 10_000),
        WorkingSet(1e-11, 10_000),
        Fista(1e-11, 100_000),
    ]
    fits = [minimize(loss, L21(alpha), solver) for solver in solvers]
    for fit in fits:
        assert fit.solution.converged
        assert_allclose(fit.coef, fits[-1].coef, atol=1e-4)
        assert fit.solution.objective == pytest.approx(
            fits[-1].solution.objective, rel=1e-10
        )


# What a strength does.


def slopes_at_zero(X, y, task):
    """Return the gradient of the loss, intercepts at their best."""
    hot = np.eye(y.max() + 1)[y]
    slopes = []
    for t in range(task.max() + 1):
        own = hot[task == t]
        slopes.append((own.mean(axis=0) - own).T @ X[task == t])
    rows = np.array(slopes) * len(slopes) / len(y)
    return rows[:, 1] if hot.shape[1] == 2 else rows.reshape(-1, X.shape[1])


def longest(G):
    return np.linalg.norm(G, axis=0).max()


@two_or_three
@pytest.mark.parametrize(
    ("model", "size"),
    [
        (JointFeatureClassifier(), longest),
        (JointFeatureClassifier(penalty="mcp"), longest),
        (JointFeatureClassifier(penalty="scad"), longest),
        (JointFeatureClassifier(l1_ratio=0.5), lambda G: 2 * longest(G)),
        (LowRankClassifier(), lambda G: np.linalg.norm(G, 2)),
    ],
)
def test_nothing_is_left_from_alpha_max_on_and_something_below(model, size, n_classes):
    X, y, task = draw((40, 60, 80), 6, n_classes)
    highest = size(slopes_at_zero(X, y, task))
    at = fitted(clone(model).set_params(alpha=highest * (1 + 1e-9)), X, y, task)
    below = fitted(clone(model).set_params(alpha=0.99 * highest), X, y, task)
    assert not at.coef_.any()
    assert below.coef_.any()
    shares = [np.bincount(y[task == t]) / (task == t).sum() for t in range(3)]
    assert_allclose(at.predict_proba(np.zeros((3, 6)), task=np.arange(3)), shares)


def test_the_largest_coefficient_of_a_feature_counts_with_linf():
    X, y, task = draw((40, 60, 80), 6)
    highest = abs(slopes_at_zero(X, y, task)).sum(axis=0).max()
    make = JointFeatureClassifier(penalty="linf")
    assert fitted(clone(make).set_params(alpha=0.99 * highest), X, y, task).coef_.any()
    at = fitted(clone(make).set_params(alpha=highest * (1 + 1e-9)), X, y, task)
    assert not at.coef_.any()


@two_or_three
def test_squares_are_a_trace_norm_of_the_right_strength(n_classes):
    X, y, task = draw((60, 60, 80), 4, n_classes)
    squared = fitted(LowRankClassifier(0.02, squared=True), X, y, task)
    rows = squared.coef_.reshape(-1, 4)
    plain = fitted(LowRankClassifier(0.02 * np.linalg.norm(rows, "nuc")), X, y, task)
    assert_allclose(squared.coef_, plain.coef_, atol=1e-5)
    assert squared.task_covariance_.shape == (3, 3)
    for covariance in (squared.task_covariance_, squared.feature_covariance_):
        assert np.trace(covariance) == pytest.approx(1)
        assert np.linalg.eigvalsh(covariance)[0] >= -1e-12


@pytest.mark.parametrize("penalty", ["mcp", "scad"])
def test_large_coefficients_are_not_shrunk_by_folded_penalties(penalty):
    X, y, task = draw((300, 400), 8)
    model = fitted(JointFeatureClassifier(0.06, penalty=penalty), X, y, task)
    lasso = fitted(JointFeatureClassifier(0.06), X, y, task)
    kept = model.support_
    free = fitted(JointFeatureClassifier(1e-9), X[:, kept], y, task)
    sizes = np.linalg.norm(free.coef_, axis=0)
    large = sizes > 4 * 0.06
    assert large.any()
    assert_allclose(model.coef_[:, kept[large]], free.coef_[:, large], atol=0.05)
    assert np.linalg.norm(lasso.coef_) < 0.9 * np.linalg.norm(model.coef_)
    assert model.optimality_ <= 1e-12


# Tasks, rows and weights.


@each_model
def test_the_three_layouts_give_the_same_model(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    Y = (X @ rng.normal(size=(3, 4)) + rng.normal(size=(60, 4)) > 0).astype(int)
    labels, rows = np.tile(np.arange(4), 60), np.repeat(X, 4, axis=0)
    wide = clone(model).set_params(**SHARP).fit(X, Y)
    keyword = fitted(model, rows, Y.ravel(), labels)
    column = clone(model).set_params(task_column=-1, **SHARP)
    column.fit(np.column_stack([rows, labels]), Y.ravel())
    assert_alike(keyword, column)
    assert_alike(keyword, wide)
    found = np.stack([each[:, 1] for each in wide.predict_proba(X)], axis=1)
    expected = keyword.predict_proba(rows, task=labels)[:, 1]
    assert_allclose(found.ravel(), expected, **NEAR)


@each_model
def test_cells_not_observed_are_left_out(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    Y = (X @ rng.normal(size=(3, 4)) + rng.normal(size=(60, 4)) > 0).astype(float)
    Y[rng.random(Y.shape) < 0.3] = np.nan
    rows, codes = np.nonzero(~np.isnan(Y))
    wide = clone(model).set_params(**SHARP).fit(X, Y)
    assert_alike(wide, fitted(model, X[rows], Y[rows, codes], codes))


@each_model
@mostly_three
def test_a_weight_is_a_number_of_repetitions(model, n_classes):
    X, y, task = draw((40, 60, 80), 4, n_classes)
    times = np.random.default_rng(1).integers(0, 4, len(y))
    again = [np.repeat(values, times, axis=0) for values in (X, y, task)]
    weighted = fitted(model, X, y, task, sample_weight=times)
    assert_alike(weighted, fitted(model, *again))


@each_model
def test_sparse_features_are_dense_ones(model):
    X, y, task = draw((40, 60, 80), 6)
    X = np.where(X > 0.8, X, 0.0)
    thin = fitted(model, sparse.csr_array(X), y, task)
    assert_alike(thin, fitted(model, X, y, task))


def test_more_sparse_features_than_rows_are_dense_ones():
    X, y, task = draw((40, 60, 30), 200)
    X = np.where(X > 0.8, X, 0.0)
    model = JointFeatureClassifier(0.1)
    thin = fitted(model, sparse.csr_array(X), y, task)
    assert_alike(thin, fitted(model, X, y, task))


@each_with_intercept
def test_a_task_without_weight_is_like_one_not_seen(model):
    X, y, task = draw((40, 60, 80), 4)
    kept = task != 1
    found = fitted(model, X, y, task, sample_weight=kept.astype(float))
    expected = fitted(model, X[kept], y[kept], task[kept])
    assert_allclose(found.coef_[[0, 2]], expected.coef_, **NEAR)
    assert_allclose(found.coef_[1], expected.coef_shared_, **NEAR)
    assert_allclose(found.intercept_[1], expected.intercept_shared_, **NEAR)


@each_with_intercept
@mostly_three
def test_a_task_of_one_class_is_not_certain_of_it(model, n_classes):
    X, y, task = draw((40, 60, 80), 4, n_classes)
    y = np.where(task == 1, 0, y)
    soft = fitted(model, X, y, task)
    found = soft.predict_proba(X[:5], task=np.ones(5, int))
    assert np.isfinite(soft.coef_).all()
    assert 0.5 < found[:, 0].min() <= found[:, 0].max() < 1
    hard = fitted(clone(model).set_params(class_scope="task"), X, y, task)
    certain = hard.predict_proba(X[:5], task=np.ones(5, int))
    assert_array_equal(certain, np.eye(n_classes)[np.zeros(5, int)])
    assert hard.task_classes_[1].tolist() == [True] + [False] * (n_classes - 1)


def test_classes_that_a_task_lacks_do_not_count_there():
    X, y, task = draw((80, 120, 100), 4, 3)
    y = np.where((task == 1) & (y == 2), 0, y)
    model = JointFeatureClassifier(0.03, class_scope="task")
    model = fitted(model, X, y, task)
    found = model.predict_proba(X, task=task)
    assert (found[task == 1][:, 2] == 0).all()
    slopes = (found - np.eye(3)[y])[task == 1].sum(axis=0)
    assert_allclose(slopes, 0, atol=1e-6)


@pytest.mark.full
@each_with_intercept
@mostly_three
def test_classes_that_a_plane_divides_have_finite_coefficients(model, n_classes):
    X, _, task = draw((15, 20, 25), 4)
    y = (X[:, 0] > 0.5).astype(int) + (n_classes == 3) * (X[:, 0] > 1)
    model = clone(model).set_params(alpha=1e-6).fit(X, y, task=task)
    assert np.isfinite(model.coef_).all()
    assert 0 <= model.objective_ < 0.02
    assert (model.predict(X, task=task) == y).mean() > 0.85


@each_model
@parametrize("scope", ["all", "task"], short=["task"])
def test_a_class_that_has_no_weight_anywhere_leaves_all_finite(model, scope):
    X, y, task = draw((40, 60, 80), 4, 3)
    kept = y > 0
    # Its level runs off until slopes are 1e-11, so that no more digits are asked for.
    model = clone(model).set_params(class_scope=scope, tol=1e-10)
    found = model.fit(X, y, task=task, sample_weight=kept.astype(float))
    probabilities = found.predict_proba(X, task=task)
    assert np.isfinite(probabilities).all()
    assert_allclose(probabilities.sum(axis=1), 1)


@each_model
@pytest.mark.parametrize("size", [1e-300, 1e-160])
def test_features_may_be_tiny(model, size):
    X, y, task = draw((40, 60, 80), 4)
    X[:, 1] *= size
    found = clone(model).fit(X, y, task=task)
    assert np.isfinite(found.predict_proba(X, task=task)).all()


@each_model
@pytest.mark.parametrize("size", [1e150, 1e300])
def test_features_must_not_be_huge(model, size):
    X, y, task = draw((40, 60, 80), 4)
    with pytest.raises(ValueError, match="Sums of squares of X and y must be below"):
        clone(model).fit(size * X, y, task=task)


def test_tiny_strengths_of_more_features_than_rows_converge():
    X, y, task = draw((15, 20, 25), 60)
    model = JointFeatureClassifier(1e-7).fit(X, y, task=task)
    assert model.objective_ < 1e-3
    assert (model.predict(X, task=task) == y).all()


# Manners.


@each_model
def test_a_warm_start_ends_where_it_began(model):
    X, y, task = draw((40, 60, 80), 4)
    model = clone(model).set_params(warm_start=True).fit(X, y, task=task)
    first = model.n_iter_
    model.fit(X, y, task=task)
    assert model.n_iter_ == 0 < first
    other = model.fit(X[task < 2], y[task < 2], task=task[task < 2])
    assert other.coef_.shape == (2, 4)


@pytest.mark.parametrize("model", [MODELS[0], MODELS[-1]], ids=str)
def test_a_fit_that_is_cut_short_warns(model):
    X, y, task = draw((40, 60, 80), 30)
    model = clone(model).set_params(max_iter=1, tol=1e-9)
    with pytest.warns(ConvergenceWarning, match="above tol=1.0e-09. Raise max_iter"):
        model.fit(X, y, task=task)


def test_a_penalty_that_is_changed_leaves_its_own_certificate():
    X, y, task = draw((40, 60), 4)
    model = JointFeatureClassifier(0.05).fit(X, y, task=task)
    assert model.dual_gap_ < 1e-5
    model.set_params(penalty="mcp").fit(X, y, task=task)
    assert not hasattr(model, "dual_gap_")
    assert model.optimality_ <= 1e-6


def test_float32_stays():
    X, y, task = draw((40, 60), 4)
    single = JointFeatureClassifier(0.05).fit(X.astype(np.float32), y, task=task)
    double = JointFeatureClassifier(0.05).fit(X, y, task=task)
    assert single.coef_.dtype == np.float32
    assert_allclose(single.coef_, double.coef_, atol=1e-3)
