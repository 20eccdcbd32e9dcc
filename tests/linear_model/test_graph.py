"""Tasks on graphs: every way to solve them, and every way to name them."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from skmtl.couplings import Graph
from skmtl.linear_model import (
    GraphRegularizedRegressor,
    MeanRegularizedRegressor,
    MultiTaskRidge,
)
from skmtl.solvers import eliminate, plan_elimination, solve_coupled_blocks

N_TASKS, N_FEATURES = 7, 3


@pytest.fixture(scope="module")
def rows():
    """Seven tasks of unequal size, some with fewer rows than features."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(N_TASKS), rng.integers(1, 12, N_TASKS))
    X = rng.normal(3, 1, size=(len(task), N_FEATURES))
    return X, X.sum(axis=1) + task + rng.normal(size=len(task)), task


def draw_adjacency(seed, density=0.7):
    """Return a weighted graph with rather many edges."""
    rng = np.random.default_rng(seed)
    drawn = rng.uniform(size=(N_TASKS, N_TASKS)) < density
    upper = np.triu(drawn * rng.uniform(size=drawn.shape), 1)
    return upper + upper.T


def solve_densely(X, y, task, adjacency, alpha, ridge):
    """Minimise the whole objective as one least-squares problem."""
    n_nodes, n_features = len(adjacency), X.shape[1]
    n_all = n_nodes * n_features
    loss = np.zeros((len(y), n_all + N_TASKS))
    for i, t in enumerate(task):
        loss[i, t * n_features : (t + 1) * n_features] = X[i]
        loss[i, n_all + t] = 1
    incidence = [
        np.sqrt(alpha * adjacency[a, b]) * (np.eye(n_nodes)[a] - np.eye(n_nodes)[b])
        for a in range(n_nodes)
        for b in range(a)
    ]
    pull = np.kron(np.array(incidence), np.eye(n_features))
    zero = np.sqrt(ridge) * np.eye(N_TASKS * n_features, n_all)
    pulls = np.vstack([pull, zero])
    design = np.vstack([loss, np.pad(pulls, [(0, 0), (0, N_TASKS)])])
    target = np.concatenate([y, np.zeros(len(pulls))])
    found = np.linalg.lstsq(design, target, rcond=None)[0]
    return found[:n_all].reshape(n_nodes, n_features), found[n_all:]


PARENTS = {0: "a", 1: "a", 2: "b", 3: "b", 4: "b", 5: "c", 6: "c"}
PARENTS |= dict.fromkeys("abc", "top")
GRAPHS = {
    "chain": "chain",
    "complete": "complete",
    "order": [0, 2, 4, 6, 1, 3, 5],
    "ring": [(t, (t + 1) % N_TASKS) for t in range(N_TASKS)],
    "edges": [(0, 1), (1, 2, 3.0), (3, 4), (4, 5), (5, 6), (2, 3)],
    "array": draw_adjacency(0),
    "sparse": sparse.csr_array(draw_adjacency(1)),
    "parents": PARENTS,
    "paths": {t: ("north" if t % 2 else "south", f"x{t % 3}") for t in range(7)},
}
each_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS.keys())


@each_graph
@pytest.mark.parametrize("alpha", [0.1, 10.0, 1e4])
def test_a_fit_minimises_the_objective(rows, graph, alpha):
    model = GraphRegularizedRegressor(graph, alpha, alpha_ridge=0.3)
    model.fit(*rows[:2], task=rows[2])
    nodes, intercept = solve_densely(*rows, model.adjacency_.toarray(), alpha, 0.3)
    found = np.vstack([model.coef_, model.coef_groups_])
    np.testing.assert_allclose(found, nodes, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, intercept, atol=1e-7)


def test_the_complete_graph_is_the_mean(rows):
    X, y, task = rows
    graph = GraphRegularizedRegressor("complete", 2.0).fit(X, y, task=task)
    mean = MeanRegularizedRegressor(2.0 * N_TASKS).fit(X, y, task=task)
    np.testing.assert_allclose(graph.coef_, mean.coef_, atol=1e-8)


def test_one_group_of_all_tasks_is_the_mean(rows):
    X, y, task = rows
    graph = dict.fromkeys(range(N_TASKS), "all")
    model = GraphRegularizedRegressor(graph, 2.0).fit(X, y, task=task)
    mean = MeanRegularizedRegressor(2.0).fit(X, y, task=task)
    np.testing.assert_allclose(model.coef_, mean.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.coef_groups_[0], mean.coef_shared_, rtol=1e-9)
    np.testing.assert_allclose(model.coef_shared_, mean.coef_shared_, rtol=1e-9)


@each_graph
def test_without_a_pull_tasks_are_apart(rows, graph):
    X, y, task = rows
    model = GraphRegularizedRegressor(graph, 0.0, alpha_ridge=0.7)
    apart = MultiTaskRidge(0.7).fit(X, y, task=task)
    np.testing.assert_allclose(model.fit(X, y, task=task).coef_, apart.coef_)


@pytest.mark.parametrize("graph", ["chain", "complete", GRAPHS["parents"]])
@pytest.mark.parametrize("alpha", [1e8, 1e12])
def test_a_huge_pull_makes_tasks_alike_and_costs_no_digits(rows, graph, alpha):
    X, y, task = rows
    pooled = MeanRegularizedRegressor(np.inf).fit(X, y, task=task)
    model = GraphRegularizedRegressor(graph, alpha).fit(X, y, task=task)
    np.testing.assert_allclose(model.coef_, pooled.coef_, rtol=1e-5)


def test_shared_rows_are_stacked_rows():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, N_FEATURES)), rng.normal(size=(20, N_TASKS))
    model = GraphRegularizedRegressor(draw_adjacency(0), 2.0)
    shared = model.fit(X, Y).coef_
    stacked = np.repeat(X, N_TASKS, axis=0), Y.ravel()
    model.fit(*stacked, task=np.tile(np.arange(N_TASKS), 20))
    np.testing.assert_allclose(model.coef_, shared, atol=1e-9)


def test_batches_are_the_whole(rows):
    X, y, task = rows
    order = np.random.default_rng(0).permutation(len(y))
    whole = GraphRegularizedRegressor("complete", 2.0).fit(X, y, task=task)
    model = GraphRegularizedRegressor("complete", 2.0)
    for part in np.array_split(order, 3):
        model.partial_fit(X[part], y[part], task=task[part])
    np.testing.assert_allclose(model.coef_, whole.coef_, atol=1e-8)


def test_an_integer_weight_is_a_repetition(rows):
    X, y, task = rows
    weight = np.arange(len(y)) % 3
    times = np.repeat(np.arange(len(y)), weight)
    model = GraphRegularizedRegressor("chain", 2.0)
    weighted = model.fit(X, y, task=task, sample_weight=weight).coef_
    seen = np.unique(task[times])
    repeated = GraphRegularizedRegressor("chain", 2.0)
    with_all = np.append(times, [np.flatnonzero(task == t)[0] for t in range(N_TASKS)])
    weights = np.append(np.ones(len(times)), np.zeros(N_TASKS))
    repeated.fit(X[with_all], y[with_all], task=task[with_all], sample_weight=weights)
    np.testing.assert_allclose(weighted[seen], repeated.coef_[seen], atol=1e-10)


def test_a_task_without_rows_takes_after_its_neighbours(rows):
    X, y, task = rows
    weight = np.where(task == 3, 0.0, 1.0)
    model = GraphRegularizedRegressor("chain", 2.0)
    model.fit(X, y, task=task, sample_weight=weight)
    np.testing.assert_allclose(model.coef_[3], (model.coef_[2] + model.coef_[4]) / 2)


def test_an_unseen_task_predicts_the_mean_target_at_the_mean_features(rows):
    X, y, task = rows
    model = GraphRegularizedRegressor("complete", 2.0).fit(X, y, task=task)
    found = model.predict(X.mean(axis=0)[None], task=[99])
    np.testing.assert_allclose(found, y.mean())


def test_near_tasks_are_neighbours(rows):
    X, y, task = rows
    place = {t: [float(t)] for t in range(N_TASKS)}
    model = GraphRegularizedRegressor("knn", descriptors=place, n_neighbors=1)
    edges = set(zip(*model.fit(X, y, task=task).adjacency_.nonzero(), strict=True))
    assert {abs(a - b) for a, b in edges} == {1}


def test_a_frame_is_read_by_its_labels(rows):
    pandas = pytest.importorskip("pandas")
    X, y, task = rows
    names = np.array(list("gfedcba"))
    frame = pandas.DataFrame(draw_adjacency(0), index=names, columns=names)
    by_name = GraphRegularizedRegressor(frame, 2.0).fit(X, y, task=names[task])
    by_place = GraphRegularizedRegressor(draw_adjacency(0), 2.0).fit(X, y, task=task)
    np.testing.assert_allclose(by_name.coef_[::-1], by_place.coef_, atol=1e-9)


def test_a_lonely_task_is_told(rows):
    X, y, task = rows
    model = GraphRegularizedRegressor([(0, 1), (2, 3), (4, 5)])
    with pytest.warns(UserWarning, match=r"1 of 7 tasks have no neighbour .* \[6\]"):
        model.fit(X, y, task=task)


WRONG = {
    "must be 'chain', 'complete'.*got 'star'": "star",
    "needs descriptors": "knn",
    r"a row and a column for each of the 7 tasks, got shape \(2, 2\)": np.ones((2, 2)),
    "must be symmetric": np.triu(np.ones((7, 7))),
    "weights of 0 or more": -np.ones((7, 7)),
    r"same kind as the tasks, got \['x'\]": [(0, "x")],
    r"with rows, got \[8, 9\]": [(8, 9)],
    "a task twice in a row": [0, 1, 1, 2, 3, 4, 5, 6],
    "list edges as": [(0, 1, 2, 3)],
    "join two tasks by each edge": [(0, 0)],
    r"give every task a parent; missing: \[1": {0: "a"},
    "lead from 'a' back to itself": {**dict.fromkeys(range(7), "a"), "a": "a"},
}


@pytest.mark.parametrize(("message", "graph"), WRONG.items())
def test_a_wrong_graph_is_refused_and_what_was_learnt_is_kept(rows, message, graph):
    X, y, task = rows
    model = GraphRegularizedRegressor("chain").fit(X, y, task=task)
    before = model.coef_
    with pytest.raises(ValueError, match=message):
        model.set_params(graph=graph).fit(X, y, task=task)
    assert model.coef_ is before


def test_a_graph_of_another_kind_is_refused(rows):
    with pytest.raises(TypeError, match=r"graph must be .* got int"):
        GraphRegularizedRegressor(3).fit(*rows[:2], task=rows[2])


@st.composite
def trees(draw):
    """Draw a tree by giving each node but the first a parent before it."""
    n_nodes = draw(st.integers(1, 12))
    parents = [draw(st.integers(0, v - 1)) for v in range(1, n_nodes)]
    edges = np.array([[p, v] for v, p in enumerate(parents, 1)], dtype=np.intp)
    return edges.reshape(-1, 2), n_nodes


@given(trees(), st.sampled_from([1e-6, 1.0, 1e6]), st.integers(0, 99))
def test_trees_are_eliminated_exactly(tree, strength, seed):
    edges, n_nodes = tree
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_nodes, 4, 2))
    mass = rows.transpose(0, 2, 1) @ rows
    conductance = strength * rng.uniform(0.5, 2, len(edges))
    right = rng.normal(size=(n_nodes, 2))
    rounds = plan_elimination(edges, n_nodes)
    found = eliminate(rounds, mass, conductance, right)
    residual = (mass @ found[:, :, None])[:, :, 0] - right
    flow = conductance[:, None] * (found[edges[:, 0]] - found[edges[:, 1]])
    np.add.at(residual, edges[:, 0], flow)
    np.add.at(residual, edges[:, 1], -flow)
    size = np.abs(found).max() * (strength + np.abs(mass).max())
    assert np.abs(residual).max() <= 1e-12 * size


def test_a_graph_that_would_fill_is_not_planned():
    edges = np.array([(a, b) for b in range(5) for a in range(b)], dtype=np.intp)
    assert plan_elimination(edges, 5) is None


def test_conjugate_gradients_tell_their_residual():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(N_TASKS, 5, 2))
    mass = rows.transpose(0, 2, 1) @ rows
    precision = Graph(draw_adjacency(0)).precision(N_TASKS)
    right = rng.normal(size=(N_TASKS, 2))
    found, residual = solve_coupled_blocks(mass, precision, right)
    whole = np.kron(precision.toarray(), np.eye(2))
    for t in range(N_TASKS):
        whole[2 * t : 2 * t + 2, 2 * t : 2 * t + 2] += mass[t]
    exact = np.linalg.solve(whole, right.ravel()).reshape(right.shape)
    np.testing.assert_allclose(found, exact, atol=1e-10)
    assert residual < 1e-10


def test_fitting_an_ordinary_graph_warns_of_nothing(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GraphRegularizedRegressor("chain").fit(*rows[:2], task=rows[2])
