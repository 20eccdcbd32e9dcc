"""Coefficients that change rarely: against a quadratic program, limits and jumps."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone

from skmtl.linear_model import FusedRegressor, LinearTaskRegressor
from skmtl.penalties import L1
from skmtl.solvers import Fista

SIZES = np.array([12, 20, 15, 9, 18, 14])
N_TASKS, N_FEATURES = 6, 3
task = np.repeat(np.arange(N_TASKS), SIZES)
rng = np.random.default_rng(0)
TRUE = np.array([[1, 1, 1, 3, 3, 3], [2, 2, 2, 2, 2, 2], [0, 0, 0, 0, -2, -2]]).T
X = rng.normal(1, 1, size=(len(task), N_FEATURES))
y = (X * TRUE[task]).sum(axis=1) + task + 0.3 * rng.normal(size=len(task))
SCALE = N_TASKS / len(task)
CHAIN = [(t, t + 1) for t in range(N_TASKS - 1)]
RING = [*CHAIN, (N_TASKS - 1, 0)]
MODELS = [
    FusedRegressor(0.1, tol=1e-11),
    FusedRegressor(0.1, alpha_l1=0.03, alpha_joint=0.05, tol=1e-11),
    FusedRegressor(0.1, alpha_l1=0.03, graph=RING, tol=1e-11),
    FusedRegressor(0.1, graph=[3, 0, 4, 1, 5, 2], tol=1e-11),
]
STRENGTHS = [(0.1, 0.0, 0.0), (0.3, 0.05, 0.0), (0.1, 0.05, 0.2)]
each_model = parametrize("model", MODELS, [MODELS[1], MODELS[3]])


def centred(values):
    means = np.array([values[task == t].mean(axis=0) for t in range(N_TASKS)])
    return values - means[task]


def minimise_smoothed(pairs, fused, l1, joint):
    """Minimise with plus and minus parts of coefficients and jumps, by SciPy."""
    n_nodes = max(N_TASKS, *(label + 1 for pair in pairs for label in pair))
    A, b, n = centred(X), centred(y), n_nodes * N_FEATURES
    rows = np.arange(n) < N_TASKS * N_FEATURES
    D = np.zeros((len(pairs), n_nodes))
    for row, (s, t) in zip(D, pairs, strict=True):
        row[s], row[t] = 1.0, -1.0
    D = np.kron(D, np.eye(N_FEATURES))
    m, both = len(D), np.tile(rows, 2)

    def cost(x):
        w = x[:n] - x[n : 2 * n]
        W = w.reshape(n_nodes, N_FEATURES)[:N_TASKS]
        residual = b - (A * W[task]).sum(axis=1)
        sizes = np.sqrt((W**2).sum(axis=0) + 1e-18)
        value = SCALE / 2 * (residual**2).sum() + l1 * x[: 2 * n][both].sum()
        value += fused * x[2 * n :].sum() + joint * sizes.sum()
        slope = np.zeros((N_TASKS, N_FEATURES))
        np.add.at(slope, task, -SCALE * residual[:, None] * A)
        seen = (slope + joint * W / sizes).ravel()
        slope = np.zeros(n)
        slope[rows] = seen
        jumps = np.full(2 * m, fused)
        return value, np.concatenate([slope + l1 * rows, -slope + l1 * rows, jumps])

    split = np.hstack([D, -D, -np.eye(m), np.eye(m)])
    start = np.concatenate([np.full(2 * n, 1.0), np.full(2 * m, 0.1)])
    return minimize(
        cost,
        start,
        jac=True,
        method="SLSQP",
        bounds=[(0, None)] * len(start),
        constraints={"type": "eq", "fun": lambda x: split @ x, "jac": lambda x: split},
        options={"ftol": 1e-15, "maxiter": 2000},
    ).fun


@pytest.mark.full
@parametrize("strengths", STRENGTHS, short=STRENGTHS[2:])
@pytest.mark.parametrize("pairs", [CHAIN, RING], ids=["chain", "ring"])
def test_a_fit_is_the_best_that_sequential_programming_finds(pairs, strengths):
    fused, l1, joint = strengths
    model = FusedRegressor(fused, alpha_l1=l1, alpha_joint=joint, graph=pairs)
    model.set_params(tol=1e-12).fit(X, y, task=task)
    value = minimise_smoothed(pairs, *strengths)
    assert_allclose(model.objective_, value, rtol=1e-8)
    assert model.objective_ <= value * (1 + 1e-9)


@pytest.mark.full
def test_a_chain_is_the_network_of_its_edges():
    chain = clone(MODELS[1]).fit(X, y, task=task)
    edges = clone(MODELS[1]).set_params(graph=CHAIN).fit(X, y, task=task)
    assert_allclose(edges.objective_, chain.objective_, rtol=1e-11)
    assert_allclose(edges.coef_, chain.coef_, atol=1e-7)
    assert_array_equal(edges.segments_, chain.segments_)


def test_a_large_strength_makes_the_coefficients_of_all_tasks_one():
    model = FusedRegressor(1e4, tol=1e-12).fit(X, y, task=task)
    pooled = np.linalg.lstsq(centred(X), centred(y))[0]
    assert_allclose(model.coef_, np.tile(pooled, (N_TASKS, 1)), atol=1e-8)
    assert not model.segments_.any()


def test_a_small_strength_leaves_tasks_apart():
    model = FusedRegressor(1e-9, alpha_l1=0.1, tol=1e-12).fit(X, y, task=task)
    apart = LinearTaskRegressor(L1(0.1), solver=Fista(tol=1e-14)).fit(X, y, task=task)
    assert_allclose(model.coef_, apart.coef_, atol=1e-6)


def test_segments_begin_where_coefficients_jump():
    model = FusedRegressor(0.3).fit(X, y, task=task)
    expected = [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]
    assert_array_equal(model.segments_.T, expected)


@each_model
def test_coefficients_are_one_within_a_segment_and_differ_at_its_end(model):
    fitted = clone(model).fit(X, y, task=task)
    order = fitted.order_
    order = np.arange(N_TASKS) if order is None else np.asarray(order, dtype=int)
    jumps = np.diff(fitted.coef_[order], axis=0) != 0
    assert_array_equal(np.diff(fitted.segments_[order], axis=0) != 0, jumps)


def test_an_order_is_that_of_the_labels():
    names = np.array(["mon", "tue", "wed", "thu", "fri", "sat"])
    plain = FusedRegressor(0.1, tol=1e-11).fit(X, y, task=task)
    days = FusedRegressor(0.1, graph=[*names, "sun"], tol=1e-11)
    days.fit(X, y, task=names[task])
    back = np.argsort(names)
    assert_allclose(days.coef_, plain.coef_[back], atol=1e-8)
    assert_array_equal(days.segments_, plain.segments_[back])


@pytest.mark.full
def test_edges_through_an_absent_task_join_its_neighbours():
    rest = task != 5
    ring = FusedRegressor(0.1, graph=RING, tol=1e-11)
    shorter = FusedRegressor(0.1, graph=[*CHAIN[:-1], (4, 0)], tol=1e-11)
    with_absent = ring.fit(X[rest], y[rest], task=task[rest])
    without = shorter.fit(X[rest], y[rest], task=task[rest])
    assert_allclose(with_absent.coef_, without.coef_, atol=1e-9)


STAR = [(t, 6) for t in range(5)]
MESH = [(0, 6), (1, 6), (2, 6), (6, 7), (7, 3), (7, 4), (7, 5), (0, 1)]
DOUBLE = [(0, 6), (6, 1), (0, 1), (1, 2), (2, 7), (7, 8), (8, 3), (8, 9), (4, 5)]


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:1 of 6 tasks have no neighbour")
@parametrize("pairs", {"star": STAR, "mesh": MESH, "double": DOUBLE}, short=["star"])
def test_tasks_without_rows_have_the_optimum_of_a_convex_program(pairs):
    fused, l1, joint = 0.1, 0.05, 0.2
    model = FusedRegressor(fused, alpha_l1=l1, alpha_joint=joint, graph=pairs)
    model.set_params(tol=1e-10).fit(X, y, task=task)
    value = minimise_smoothed(pairs, fused, l1, joint)
    assert_allclose(model.objective_, value, rtol=1e-7)
    places = {label: t for t, label in enumerate(model.nodes_)}
    ends = np.array([[places[a], places[b]] for a, b in pairs])
    jumps = np.abs(model.coef_nodes_[ends[:, 0]] - model.coef_nodes_[ends[:, 1]]).sum()
    rest = model.objective_ - l1 * np.abs(model.coef_).sum()
    rest -= joint * np.sqrt((model.coef_**2).sum(axis=0)).sum()
    residual = y - model.predict(X, task=task)
    assert_allclose(SCALE / 2 * (residual**2).sum() + fused * jumps, rest, rtol=1e-6)


@pytest.mark.full
@each_model
def test_every_layout_gives_the_same_model(model):
    keyword = clone(model).fit(X, y, task=task)
    table = np.column_stack([task, X])
    column = clone(model).set_params(task_column=0).fit(table, y)
    cells = np.where(task[:, None] == np.arange(N_TASKS), y[:, None], np.nan)
    thin = clone(model).fit(sparse.csr_array(X), y, task=task)
    batches = clone(model)
    batches.set_params(graph="chain").partial_fit(X[:70], y[:70], task=task[:70])
    batches.set_params(graph=model.graph)
    batches.partial_fit(X[70:], y[70:], task=task[70:])
    for other in (column, clone(model).fit(X, cells), thin, batches):
        assert_allclose(other.coef_, keyword.coef_, atol=1e-6)
        assert_array_equal(other.segments_, keyword.segments_)


@each_model
def test_weights_are_repetitions_of_rows(model):
    times = np.random.default_rng(2).integers(0, 4, len(y))
    rows = np.repeat(np.arange(len(y)), times)
    weighted = clone(model).fit(X, y, sample_weight=times, task=task)
    repeated = clone(model).fit(X[rows], y[rows], task=task[rows])
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)


def test_rows_fewer_than_features_reach_the_objective_of_moments():
    draws = np.random.default_rng(5)
    wide, labels = draws.normal(size=(45, 70)), np.repeat([0, 1, 2], [10, 15, 20])
    target = wide[:, 0] + wide[:, 1] * labels + draws.normal(size=45)
    few = FusedRegressor(0.1, tol=1e-10).fit(wide, target, task=labels)
    many = FusedRegressor(0.1, tol=1e-10).partial_fit(wide, target, task=labels)
    assert_allclose(few.objective_, many.objective_, atol=1e-8)


def test_a_single_task_has_one_segment_per_feature():
    model = FusedRegressor().fit(X, y)
    assert model.coef_.shape == (N_FEATURES,)
    assert_array_equal(model.segments_, np.zeros((1, N_FEATURES)))


@pytest.mark.filterwarnings("ignore:.*have no neighbour")
@pytest.mark.parametrize(
    ("graph", "told"),
    [
        ([0, 1, 2], r"name every task of a chain once; missing: \[3, 4, 5\]"),
        ([0, 1, 2, 3, 4, 5, 5], "must not name a task twice in a row"),
        ([(0, 1, 2, 3)], r"edges as \(label, label\) or \(label, label, weight"),
        ([*CHAIN, (0, 3, 2.0)], r"edges of one weight .* got \[1.0, 2.0\]"),
        (dict.fromkeys(range(N_TASKS), "all"), "got a mapping to groups"),
        ([("a", "b")], r"graph must use labels of the same kind"),
        ([(8, 9)], r"with rows, got \[8, 9\]. The tasks are \[0, 1, 2, 3"),
    ],
)
def test_neighbours_that_make_no_sense_are_refused(graph, told):
    with pytest.raises(ValueError, match=told):
        FusedRegressor(graph=graph).fit(X, y, task=task)
