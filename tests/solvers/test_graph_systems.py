"""Block systems on graphs: elimination, conjugate gradients, harmonic extension."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skmtl.solvers import (
    conjugate_gradients,
    eliminate,
    extend,
    plan_elimination,
    solve_coupled_blocks,
)

N_NODES, SIZE = 7, 3
GRAPHS = {
    "chain": [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)],
    "tree": [(0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)],
    "star": [(0, 6), (1, 6), (2, 6), (3, 6), (4, 6), (5, 6)],
    "ring": [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (0, 6)],
    "parts": [(0, 4), (1, 4), (0, 1), (2, 3), (5, 6)],
}
each_graph = pytest.mark.parametrize("edges", GRAPHS.values(), ids=GRAPHS.keys())
rng = np.random.default_rng(0)
ROOTS = rng.normal(size=(N_NODES, 5, SIZE))
MASS = np.matmul(ROOTS.transpose(0, 2, 1), ROOTS)
RIGHT = rng.normal(size=(N_NODES, SIZE))


def laplacian(edges, strength):
    first, last = np.transpose(edges)
    weights = np.zeros((N_NODES, N_NODES))
    weights[first, last] = weights[last, first] = strength
    return np.diag(weights.sum(axis=1)) - weights


def by_elimination(edges, strength, mass, right):
    rounds = plan_elimination(np.array(edges), N_NODES)
    return eliminate(rounds, mass, strength, right)


def by_conjugate_gradients(edges, strength, mass, right):
    precision = sparse.csr_array(laplacian(edges, strength))
    found, residual = solve_coupled_blocks(mass, precision, right)
    assert residual <= 1e-10
    return found


each_way = pytest.mark.parametrize("solve", [by_elimination, by_conjugate_gradients])


@each_way
@each_graph
def test_a_system_is_solved_as_by_one_dense_matrix(solve, edges):
    strength = rng.uniform(0.1, 10, size=len(edges))
    dense = np.kron(laplacian(edges, strength), np.eye(SIZE))
    for v in range(N_NODES):
        block = slice(v * SIZE, (v + 1) * SIZE)
        dense[block, block] += MASS[v]
    expected = np.linalg.solve(dense, RIGHT.ravel()).reshape(RIGHT.shape)
    mass, right = MASS.copy(), RIGHT.copy()
    found = solve(edges, strength, mass, right)
    assert_allclose(found, expected, rtol=1e-8, atol=1e-9)
    assert_allclose(mass, MASS, rtol=0)
    assert_allclose(right, RIGHT, rtol=0)


@pytest.mark.parametrize(
    ("solve", "strength", "tolerance"),
    [(by_elimination, 1e15, 1e-12), (by_conjugate_gradients, 1e6, 1e-6)],
)
@pytest.mark.parametrize("name", ["chain", "tree", "star", "ring"])
def test_strong_edges_make_all_nodes_equal(solve, strength, tolerance, name):
    edges = GRAPHS[name]
    found = solve(edges, np.full(len(edges), strength), MASS, RIGHT)
    pooled = np.linalg.solve(MASS.sum(axis=0), RIGHT.sum(axis=0))
    assert_allclose(found, np.tile(pooled, (N_NODES, 1)), rtol=tolerance * 100)


@each_way
def test_a_node_without_mass_is_the_mean_of_its_neighbours(solve):
    mass, right = MASS.copy(), RIGHT.copy()
    mass[2] = right[2] = 0
    strength = np.array([1.0, 3.0, 1.0, 1.0, 1.0, 1.0])
    found = solve(GRAPHS["chain"], strength, mass, right)
    expected = (3 * found[1] + strength[2] * found[3]) / (3 + strength[2])
    assert_allclose(found[2], expected, rtol=1e-7)


@each_way
def test_a_component_without_mass_is_zero(solve):
    mass, right = MASS.copy(), RIGHT.copy()
    mass[[2, 3]] = right[[2, 3]] = 0
    found = solve(GRAPHS["parts"], np.ones(5), mass, right)
    assert_allclose(found[[2, 3]], 0, atol=1e-12)


def test_nodes_with_many_neighbours_have_no_plan():
    complete = np.transpose(np.triu_indices(4, 1))
    assert plan_elimination(complete, 4) is None


@each_graph
def test_a_plan_keeps_one_node_of_each_component(edges):
    rounds = plan_elimination(np.array(edges), N_NODES)
    gone = np.concatenate([round_.nodes for round_ in rounds])
    n_parts, part = sparse.csgraph.connected_components(laplacian(edges, 1.0))
    assert len(gone) == len(set(gone.tolist())) == N_NODES - n_parts
    left = np.setdiff1d(np.arange(N_NODES), gone)
    assert sorted(part[left]) == list(range(n_parts))


def test_a_long_chain_needs_few_rounds():
    chain = np.stack([np.arange(999), np.arange(1, 1000)], axis=1)
    assert len(plan_elimination(chain, 1000)) < 40


def test_conjugate_gradients_take_no_more_products_than_rows():
    matrix = ROOTS.reshape(-1, SIZE).T @ ROOTS.reshape(-1, SIZE)
    diagonal = np.diag(matrix)
    found, n_iter = conjugate_gradients(
        lambda x: matrix @ x, RIGHT[0], lambda x: x / diagonal, 1e-9, 100
    )
    assert_allclose(found, np.linalg.solve(matrix, RIGHT[0]), rtol=1e-7)
    assert n_iter == SIZE


def test_conjugate_gradients_stop_when_products_are_used_up():
    matrix = np.diag(np.arange(1.0, 10.0))
    found, n_iter = conjugate_gradients(
        lambda x: matrix @ x, np.ones(9), lambda x: x, 1e-12, 3
    )
    assert n_iter == 3
    assert np.linalg.norm(np.ones(9) - matrix @ found) > 1e-12


def test_a_right_side_of_zero_is_solved_by_zero():
    precision = sparse.csr_array(laplacian(GRAPHS["ring"], 1.0))
    found, residual = solve_coupled_blocks(MASS, precision, np.zeros_like(RIGHT))
    assert not found.any()
    assert residual == 0


@each_graph
def test_an_extension_is_the_weighted_mean_of_its_neighbours(edges):
    weights = rng.uniform(0.1, 10, size=len(edges))
    graph = laplacian(edges, weights)
    known = np.array([True, False, True, False, False, False, True])
    found, reached = extend(sparse.csr_array(-graph * (1 - np.eye(7))), known, RIGHT)
    assert_allclose(found[known], RIGHT[known], rtol=0)
    inner = reached & ~known
    assert_allclose((graph @ found)[inner], 0, atol=1e-12)
    assert not found[~reached].any()


def test_nodes_without_a_path_to_known_ones_are_not_reached():
    graph = -laplacian(GRAPHS["parts"], 1.0) * (1 - np.eye(N_NODES))
    known = np.array([False, False, True, False, False, False, True])
    found, reached = extend(sparse.csr_array(graph), known, RIGHT)
    assert reached.tolist() == [False, False, True, True, False, True, True]
    assert_allclose(found[[3, 5]], RIGHT[[2, 6]])


def test_a_shuffled_chain_is_solved_as_by_one_dense_matrix():
    order = rng.permutation(60)
    edges = np.sort(np.stack([order[:-1], order[1:]], axis=1), axis=1)
    strength, right = rng.uniform(0.1, 10, size=59), rng.normal(size=(60, 1))
    dense = np.eye(60)
    incidence = np.eye(60)[edges[:, 0]] - np.eye(60)[edges[:, 1]]
    dense += (incidence.T * strength) @ incidence
    found = eliminate(plan_elimination(edges, 60), np.ones((60, 1, 1)), strength, right)
    assert_allclose(found, np.linalg.solve(dense, right), atol=1e-12)
