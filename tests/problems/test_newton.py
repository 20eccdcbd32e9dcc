"""Newton's method on losses of tasks that pull on each other."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from cases import parametrize
from drawn_rows import datafit_of, rows_of
from numpy.testing import assert_allclose
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning

from skmtl.base import warn_of_convergence
from skmtl.couplings import Graph, ToMean
from skmtl.losses import Huber, Logistic, Multinomial, Poisson, Squared
from skmtl.problems import Fit
from skmtl.problems.newton import GraphLosses, MeanLosses, iterate
from skmtl.solvers import Newton

LOSSES = [Squared(), Logistic(), Multinomial(3), Poisson(), Huber(0.5)]
SIZES = 14, 9, 11, 12
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)
some_loss = parametrize("loss", LOSSES, LOSSES[2:4])

COUPLINGS = [
    ToMean(alpha, 0.7, alpha_intercept)
    for alpha, alpha_intercept in itertools.product(
        [0.9, np.array([0.3, 2.0, 40.0])], [0.0, 0.5]
    )
]
EDGES = {
    "chain": [(0, 1), (1, 2), (2, 3)],
    "ring and chord": [(0, 1), (1, 2), (2, 3), (0, 3), (0, 2)],
    "two groups": [(0, 4), (1, 4), (2, 5), (3, 5)],
    "a hierarchy": [(0, 4), (1, 4), (2, 5), (3, 5), (4, 6), (5, 6)],
    "a task alone": [(0, 1), (1, 2)],
    "no edges": [],
}
each_coupling = pytest.mark.parametrize("coupling", COUPLINGS, ids=str)
each_graph = pytest.mark.parametrize("edges", EDGES.values(), ids=EDGES)
each_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
mostly_intercept = parametrize("fit_intercept", [True, False], short=[True])


def centred(loss, coupling, fit_intercept=True, rows=None):
    rows = rows_of(SIZES, n_kinds=loss.n_outputs + 1) if rows is None else rows
    datafit = datafit_of(rows, loss, fit_intercept)
    return MeanLosses(datafit, coupling.strengths(datafit.n_tasks, rows.X.shape[1]))


def on_graph(loss, edges, fit_intercept=True, rows=None, alpha=1.3, alpha_ridge=0.4):
    rows = rows_of(SIZES, n_kinds=loss.n_outputs + 1) if rows is None else rows
    datafit = datafit_of(rows, loss, fit_intercept)
    n_nodes = max([*itertools.chain(*edges), datafit.n_tasks - 1]) + 1
    ends = np.array(edges, dtype=int).reshape(-1, 2)
    weight = 0.5 + np.arange(len(ends))
    adjacency = sparse.coo_array((weight, ends.T), shape=(n_nodes, n_nodes))
    coupling = Graph((adjacency + adjacency.T).tocsr(), alpha, alpha_ridge)
    groups = np.arange(datafit.n_tasks, n_nodes)
    return GraphLosses(datafit, coupling, groups)


def somewhere(objective, seed=3):
    return 0.3 * np.random.default_rng(seed).normal(size=objective.shape)


def slopes_at(objective, variable):
    """Return the gradient, in one row."""
    raw = objective.datafit.predict(objective.coefs(variable))
    return objective.slopes(variable, objective.datafit.gradient(raw)).ravel()


def differences(function, variable, step=1e-5):
    """Return central differences in each number, on a last axis."""
    steps = step * np.eye(variable.size).reshape(-1, *variable.shape)
    columns = [(function(variable + e) - function(variable - e)) for e in steps]
    return np.stack(columns, axis=-1) / (2 * step)


def assert_steps_as_dense(objective):
    """The step undoes the gradient, by a Hessian of central differences."""
    variable = somewhere(objective)
    step = objective.step(objective.at(variable))
    slopes = slopes_at(objective, variable)
    hessian = differences(lambda at: slopes_at(objective, at), variable)
    assert_allclose(hessian @ step.ravel(), -slopes, atol=2e-6 * np.abs(slopes).max())
    assert slopes @ step.ravel() < 0


def assert_is_lowest(objective):
    """SciPy's quasi-Newton method, from zero, comes to the same value."""
    found = Newton(tol=1e-15, max_iter=500).minimize(objective, objective.start())

    def value(flat):
        return objective.at(flat.reshape(objective.shape)).value

    def slope(flat):
        return slopes_at(objective, flat.reshape(objective.shape))

    start = np.zeros(np.prod(objective.shape))
    options = {"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-9}
    other = optimize.minimize(
        value, start, jac=slope, method="L-BFGS-B", options=options
    )
    assert found.converged
    assert found.objective == pytest.approx(other.fun, rel=1e-9)
    assert objective.residual(found.variable) < 1e-6


# Where nothing has a kink, the Hessian is that of the value.
SMOOTH = [loss for loss in LOSSES if not isinstance(loss, Huber)]
each_smooth = pytest.mark.parametrize("loss", SMOOTH, ids=str)


@each_loss
@each_coupling
def test_slopes_around_a_centre_are_those_of_the_value(loss, coupling):
    objective = centred(loss, coupling)
    variable = somewhere(objective)
    expected = differences(lambda at: objective.at(at).value, variable)
    assert_allclose(slopes_at(objective, variable), expected, rtol=1e-6, atol=1e-6)


@each_loss
@each_graph
def test_slopes_on_a_graph_are_those_of_the_value(loss, edges):
    objective = on_graph(loss, edges)
    variable = somewhere(objective)
    expected = differences(lambda at: objective.at(at).value, variable)
    assert_allclose(slopes_at(objective, variable), expected, rtol=1e-6, atol=1e-6)


@each_smooth
@each_coupling
@each_intercept
def test_a_step_around_a_centre_is_newtons(loss, coupling, fit_intercept):
    assert_steps_as_dense(centred(loss, coupling, fit_intercept))


@each_smooth
@each_graph
@each_intercept
def test_a_step_on_a_graph_is_newtons(loss, edges, fit_intercept):
    assert_steps_as_dense(on_graph(loss, edges, fit_intercept))


@each_loss
@each_coupling
@mostly_intercept
def test_the_lowest_point_around_a_centre_is_scipys(loss, coupling, fit_intercept):
    objective = centred(loss, coupling, fit_intercept)
    assert_is_lowest(objective)


@each_loss
@each_graph
@mostly_intercept
def test_the_lowest_point_on_a_graph_is_scipys(loss, edges, fit_intercept):
    objective = on_graph(loss, edges, fit_intercept)
    assert_is_lowest(objective)


@each_loss
def test_a_line_is_the_objective_along_it(loss):
    objective = centred(loss, COUPLINGS[-1])
    point, step = objective.at(somewhere(objective)), somewhere(objective, seed=4)
    found = objective.line(point, step)(0.3)
    there = point.variable + 0.3 * step
    assert_allclose(found.variable, there)
    assert found.value == pytest.approx(objective.at(there).value)


@each_loss
def test_endless_strengths_make_tasks_alike(loss):
    """For one task, two pulls in a row, of 1.4 each, are one of 0.7."""
    coupling = ToMean(np.inf, 0.7, np.inf)
    objective = centred(loss, coupling)
    found = Newton(tol=1e-14).minimize(objective, objective.start())
    models = objective.unpack(found.variable)
    assert (models.coef == models.coef_shared).all()
    assert (models.intercept == models.intercept_shared).all()
    one = centred(loss, ToMean(1.4, 1.4), rows=as_one_task(loss))
    alone = one.unpack(Newton(tol=1e-14).minimize(one, one.start()).variable)
    assert_allclose(models.coef_shared, alone.coef[0], rtol=1e-5, atol=1e-6)


def as_one_task(loss):
    rows = rows_of(SIZES, n_kinds=loss.n_outputs + 1)
    weight = rows.weight * np.repeat(rows.task_weight, SIZES)
    ends = np.array([0, len(rows.y)])
    one = np.array([0])
    return type(rows)(rows.X, rows.rows, rows.y, weight, ends, one)


# -- what is ugly


def separable(rows):
    """Let a plane part the targets."""
    X = rows.X.copy()
    X[rows.rows, 0] = 2 * rows.y - 1
    return X, rows.y


def constant(rows):
    X = rows.X.copy()
    X[:, 0] = 7.0
    return X, rows.y


def doubled(rows):
    X = rows.X.copy()
    X[:, 0] = X[:, 1]
    return X, rows.y


def nothing(rows):
    return 0 * rows.X, rows.y


def tiny(rows):
    return 1e-300 * rows.X, rows.y


def small(rows):
    return 1e-8 * rows.X, rows.y


def large(rows):
    return 1e8 * rows.X, rows.y


def mixed(rows):
    return rows.X * [1e-8, 1.0, 1e8], rows.y


def huge(rows):
    return 1e300 * rows.X, rows.y


def one_huge(rows):
    return rows.X * [1.0, 1e200, 1.0], rows.y


def rare(rows):
    """Let one row only be of the last kind."""
    y = np.zeros(len(rows.y))
    y[5] = rows.y.max()
    return rows.X, y


def thousands(rows):
    return rows.X, 1000.0 * rows.y


UGLY = [
    separable,
    constant,
    doubled,
    nothing,
    tiny,
    small,
    large,
    mixed,
    huge,
    one_huge,
    rare,
    thousands,
]
some_ugly = parametrize("spoil", UGLY, UGLY[::3], ids=lambda spoil: spoil.__name__)
WEAK = [1e-12, 1.0]


def spoiled(loss, spoil, sizes=SIZES):
    rows = rows_of(sizes, n_kinds=loss.n_outputs + 1)
    X, y = spoil(rows)
    kinds = [Multinomial, Logistic]
    y = np.minimum(y, loss.n_outputs) if type(loss) in kinds else y
    return type(rows)(
        X, rows.rows, y, rows.weight, rows.offsets, rows.tasks, rows.task_weight
    )


def assert_falls(objective):
    start = objective.start()
    found = Newton().minimize(objective, start)
    assert np.isfinite(found.variable).all()
    assert np.isfinite(found.objective)
    assert found.objective <= objective.at(start).value * (1 + 1e-12)
    assert np.isfinite(objective.residual(found.variable))
    models = objective.unpack(found.variable)
    assert np.isfinite(models.coef).all()
    return found


@some_loss
@some_ugly
@parametrize("alpha", WEAK, short=WEAK[:1])
def test_around_a_centre_what_is_ugly_falls(loss, spoil, alpha):
    assert_falls(centred(loss, ToMean(alpha, alpha), rows=spoiled(loss, spoil)))


@some_loss
@some_ugly
@parametrize("alpha", WEAK, short=WEAK[:1])
def test_on_a_graph_what_is_ugly_falls(loss, spoil, alpha):
    rows = spoiled(loss, spoil)
    edges = EDGES["ring and chord"]
    assert_falls(on_graph(loss, edges, rows=rows, alpha=alpha, alpha_ridge=alpha))


@each_loss
@pytest.mark.parametrize("sizes", [(1,), (1, 1), (0, 3, 5)], ids=str)
@pytest.mark.parametrize("alpha", WEAK)
def test_few_rows_and_empty_tasks_fall(loss, sizes, alpha):
    rows = rows_of(sizes, n_kinds=loss.n_outputs + 1)
    assert_falls(centred(loss, ToMean(alpha, alpha), rows=rows))
    assert_falls(on_graph(loss, [], rows=rows, alpha=alpha, alpha_ridge=alpha))


@each_smooth
@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
def test_a_step_with_more_features_than_rows_is_newtons(loss, alpha):
    """Blocks that are nearly singular cost digits, and few are enough to step."""
    rows = rows_of(SIZES, n_features=25, n_kinds=loss.n_outputs + 1)
    objective = centred(loss, ToMean(alpha, 2 * alpha), rows=rows)
    point = objective.at(somewhere(objective))
    step = objective.step(point)
    curved = objective.datafit.curve(point.raw)
    moved = np.einsum("tij,tj->ti", curved, objective.coefs(step).reshape(4, -1))
    pushed = objective.slopes(step, moved.reshape(objective.datafit.shape)).ravel()
    slopes = slopes_at(objective, point.variable)
    assert_allclose(pushed, -slopes, atol=1e-3 * np.abs(slopes).max())


@each_smooth
@pytest.mark.parametrize("alpha", [1e-2, 1e-4, 1e-6])
def test_weak_pulls_of_more_features_than_rows_have_a_lowest_point(loss, alpha):
    rows = rows_of(SIZES, n_features=25, n_kinds=loss.n_outputs + 1)
    objective = centred(loss, ToMean(alpha, alpha), rows=rows)
    found = Newton().minimize(objective, objective.start())
    assert found.converged
    assert objective.residual(found.variable) < 1e-5


# Squared losses by conjugate gradients.


@pytest.mark.parametrize("objective", [centred, on_graph])
def test_conjugate_gradients_end_at_the_lowest_point_without_a_warning(objective):
    given = {centred: COUPLINGS[0], on_graph: EDGES["a hierarchy"]}[objective]
    losses = objective(Squared(), given)
    exact = Newton(tol=1e-15).minimize(losses, losses.start())
    found = iterate(losses, tol=1e-12)
    assert found.residual <= 1e-12
    assert_allclose(found.variable, exact.variable, rtol=1e-8, atol=1e-10)
    assert found.converged
    models, expected = found.unpack(), losses.unpack(exact.variable)
    assert_allclose(models.coef, expected.coef, rtol=1e-8, atol=1e-10)
    assert_allclose(models.intercept, expected.intercept, rtol=1e-8, atol=1e-10)


def test_conjugate_gradients_that_end_early_are_warned_of():
    found = replace(iterate(centred(Squared(), COUPLINGS[0])), residual=1e-3)
    fit = Fit(None, found.objective, found.residual, 2, found.converged, tol=1e-8)
    with pytest.warns(ConvergenceWarning, match=r"gradient is 1\.0e-03"):
        warn_of_convergence(fit)
