"""Problems change none of their arguments, and results do not depend on the order.

Arrays are read-only here, so that writing on one raises an error.
"""

from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np
import pytest
from exact_rows import COUPLINGS, rows_of, strengths_of, uneven
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skmtl._contracts import CoupledRelation, PenalizedRelation
from skmtl.couplings import Graph, ToMean
from skmtl.losses import Logistic, Squared
from skmtl.penalties import L21
from skmtl.problems import pose, pose_moments
from skmtl.problems.exact import (
    GraphFit,
    GraphSystem,
    Posterior,
    TaskModels,
    bound,
    solve_moments,
    solve_rows,
    unseen_model,
)
from skmtl.problems.newton import Datafit, GraphLosses, MeanLosses
from skmtl.problems.newton._mean_newton import ArrowFactor
from skmtl.problems.rows import GramBlocks, RowBlocks, SparseDesign, row_curvature
from skmtl.problems.rows._sparse_design import SparseBlocks
from skmtl.solvers import Fista

SIZES = 9, 12, 7, 20
GRAPHS = {
    "no edges": np.zeros((4, 4)),
    "complete": np.ones((4, 4)) - np.eye(4),
    "chain": np.eye(4, k=1) + np.eye(4, k=-1),
    "group": np.outer([1, 1, 1, 1, 0], [0, 0, 0, 0, 1.0]),
}
GRAPHS["group"] += GRAPHS["group"].T
each_graph = pytest.mark.parametrize("adjacency", GRAPHS.values(), ids=GRAPHS)


def frozen(value):
    """Make every array of a value read-only."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif sparse.issparse(value):
        frozen(value.data)
    elif is_dataclass(value):
        for field in fields(value):
            frozen(getattr(value, field.name))
    return value


def drawn(*shape, seed=0):
    return frozen(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("coupling", COUPLINGS, ids=str)
def test_exact_solutions_leave_moments_and_rows_alone(coupling):
    rows = frozen(rows_of(SIZES, 4, weight=uneven(48)))
    strengths = frozen(strengths_of(rows, coupling))
    fits = (
        solve_moments(frozen(rows.moments()), strengths),
        solve_rows(rows, strengths),
    )
    for fit in fits:
        frozen(fit.unpack())
        assert np.isfinite([fit.objective, fit.optimality]).all()
        posterior = Posterior(fit)
        frozen(posterior.own_freedom)
        assert posterior.total_freedom == pytest.approx(posterior.own_freedom.sum())
        assert posterior.variance(drawn(4, 3, 4), np.arange(4)).shape == (4, 3)


def test_infinite_strengths_are_replaced_in_a_copy():
    rows = rows_of(SIZES, 4)
    strengths = frozen(strengths_of(rows, ToMean(np.array([np.inf, 1.0, 2.0, np.inf]))))
    assert np.isfinite(bound(strengths, frozen(rows.moments())).own).all()
    assert np.isinf(strengths.own).any()


@each_graph
def test_graphs_leave_moments_alone(adjacency):
    moments = frozen(rows_of(SIZES, 4).moments())
    fit = GraphFit(moments, Graph(frozen(adjacency), 2.0, 0.3))
    frozen(fit.nodes)
    assert fit.optimality < 1e-10
    assert fit.unpack_nodes().coef.shape == (len(adjacency), 4)


@each_graph
def test_systems_on_graphs_leave_masses_alone(adjacency):
    roots = drawn(len(adjacency), 6, 3)
    mass, right = frozen(roots.swapaxes(1, 2) @ roots), drawn(len(adjacency), 3)
    solution, _ = GraphSystem(Graph(adjacency, 2.0)).solve(mass, right)
    laplacian = GraphSystem(Graph(adjacency, 2.0)).laplacian
    curved = np.einsum("sij,sj->si", mass, solution) + laplacian @ solution
    assert_allclose(curved, right, atol=1e-9)


def test_fixed_coefficients_of_unseen_tasks_are_copied():
    moments = frozen(rows_of(SIZES, 3).moments())
    coef, known = drawn(4, 3), frozen(np.array([1.0, np.nan, np.nan]))
    curve = row_curvature(rows_of(SIZES, 3)).curve
    shared, _ = unseen_model(moments, coef, coef, curve, known=known)
    assert shared[0] == 1


def test_models_are_converted_without_a_change():
    models = frozen(TaskModels(drawn(4, 1, 3), drawn(4, 1), drawn(1, 3), drawn(1)))
    again = models.drop_output_axis().add_output_axis()
    assert_array_equal(again.coef, models.coef)
    assert_array_equal(again.intercept_shared, models.intercept_shared)
    assert models.change_basis(drawn(2, 1)).coef.shape == (4, 2, 3)


def blocks_of(kind):
    """Return the squared losses of the same sparse rows, in three forms."""
    rows = rows_of((6, 6), 150, offset=0.0)
    X = frozen(sparse.csr_array(rows.X * (np.abs(rows.X) > 1)))
    rows = replace(rows, X=X)
    design, right = SparseDesign(rows, True), drawn(2, 150)
    if kind is SparseBlocks:
        return SparseBlocks(design, np.arange(150), 0.5, right, 2.0, 0.1)
    stacks = [(np.arange(2), frozen(rows.X.toarray().reshape(2, 6, 150)))]
    if kind is RowBlocks:
        return RowBlocks(stacks, np.full((2, 1), 0.5), right, 2.0, 0.1)
    X = stacks[0][1]
    return GramBlocks(frozen(0.5 * X.swapaxes(1, 2) @ X), right, 2.0, 0.1)


@pytest.mark.parametrize("kind", [GramBlocks, RowBlocks, SparseBlocks])
def test_blocks_do_not_depend_on_the_order_of_calls(kind):
    forward, backward, W = blocks_of(kind), blocks_of(kind), drawn(2, 150)
    state = frozen(forward.state_at(W))
    assert len(forward.blocks) > 1
    backward.point(W, state)
    ahead = [forward.block_gradient(W, state, block) for block in forward.blocks]
    back = [backward.block_gradient(W, state, b) for b in backward.blocks[::-1]]
    for first, second in zip(ahead, back[::-1], strict=True):
        assert_array_equal(first, second)
    hessians = [frozen(forward.hessian(block)) for block in forward.blocks]
    assert_array_equal(hessians[0], backward.hessian(backward.blocks[0]))
    assert_allclose(forward.point(W, state).gradient, np.hstack(ahead), atol=1e-12)


@dataclass(frozen=True)
class Coupled(CoupledRelation):
    coupling: ToMean


@dataclass(frozen=True)
class Penalized(PenalizedRelation):
    penalty: L21

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or 500)


@pytest.mark.parametrize("loss", [Squared(), Logistic()], ids=str)
@pytest.mark.parametrize("relation", [Coupled(ToMean(2.0)), Penalized(L21(0.01))])
def test_problems_leave_rows_and_start_alone(loss, relation):
    rows = rows_of(SIZES, 4)
    rows = frozen(replace(rows, y=np.arange(48.0) % 2))
    first = pose(rows, loss, relation).solve()
    start = None if first.variable is None else frozen(first.variable.copy())
    second = pose(rows, loss, relation).solve(start)
    assert_allclose(second.objective, first.objective, rtol=1e-5)


def test_moments_and_factors_are_left_alone():
    moments = frozen(rows_of(SIZES, 4).moments())
    factor = frozen(np.array([1.0, 2.0, 0.5, 1.0]))
    for relation in (Coupled(ToMean(2.0)), Penalized(L21(0.01))):
        assert pose_moments(moments, factor, relation).solve().objective > 0


def coupled_losses(kind):
    rows = rows_of(SIZES, 4)
    rows = replace(rows, y=np.arange(48.0) % 2)
    datafit = Datafit(frozen(rows), Logistic())
    if kind is MeanLosses:
        return MeanLosses(datafit, strengths_of(rows, ToMean(2.0, 0.5, 1.0)))
    return GraphLosses(datafit, Graph(GRAPHS["chain"], 2.0, 0.3), None)


@pytest.mark.parametrize("kind", [MeanLosses, GraphLosses])
def test_newton_steps_leave_the_point_alone(kind):
    objective = coupled_losses(kind)
    point = objective.at(drawn(*objective.shape))
    for raw in point.raw:
        frozen(raw)
    assert_array_equal(objective.step(point), objective.step(point))


def test_only_functions_named_in_place_overwrite_hessians():
    roots = drawn(3, 9, 4)
    hessians = roots.swapaxes(1, 2) @ roots
    own, centre, right = np.ones(4), np.full(4, 0.5), drawn(4, 4)
    factor = ArrowFactor.factor_in_place(hessians.copy(), own, centre)
    solution = factor.solve(right)
    shared = np.einsum("tij,tj->i", hessians, solution[:-1] + solution[-1])
    assert_allclose(shared + centre * solution[-1], right[-1], atol=1e-8)
    with pytest.raises(ValueError, match="read-only"):
        ArrowFactor.factor_in_place(frozen(hessians), own, centre)
