"""Gradients of networks are the derivatives of their objective."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from cases import parametrize
from drawn_networks import (
    ENCODING,
    KINDS_OF_CELLS,
    draw_problem,
    evaluate,
    spread_over_tasks,
)
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from skmtl.losses import Logistic, Multinomial, Poisson, Squared
from skmtl.neural_network._network import Strengths
from skmtl.neural_network._sharings import SHARINGS

# Central differences of this step lose 1e-10 of the derivative to rounding and to the
# third derivative; the largest of the defects that they must find loses 1e-2.
STEP, TOLERANCE = 1e-5, 1e-7
PRODUCT = {
    f"{sharing}-{cells}-{layers}-{activation}-{'learnt' * learns}-{'units' * units}": {
        "sharing": sharing,
        "cells": cells,
        "head_layers": layers,
        "activation": activation,
        "learns_variances": learns,
        "has_units": units,
    }
    for sharing, cells, layers, activation, learns, units in product(
        SHARINGS,
        KINDS_OF_CELLS,
        [(), (3,), (4, 2)],
        ["tanh", "logistic", "relu", "identity"],
        [False, True],
        [False, True],
    )
}
ROWS = np.arange(30)
SHORT = [
    f"{sharing}-{cells}-(3,)-tanh-learnt-units"
    for sharing, cells in product(SHARINGS, KINDS_OF_CELLS)
]
EACH_LOSS = [Squared(), Logistic(), Multinomial(3), Poisson()]


def directions(network):
    """Draw two directions in each parameter, between which no error cancels."""
    rng = np.random.default_rng(1)
    names = [name for name in network.shapes for _ in range(2)]
    for name in names:
        step = network.zeros(float)
        step.named[name][:] = rng.normal(size=network.shapes[name])
        yield step.vector / np.linalg.norm(step.vector)


def error_of_gradient(problem, rows=None, factor=1.0):
    """Return the largest error along a direction, relative to the largest slope."""
    _, gradient = evaluate(problem, rows=rows, factor=factor)
    found, expected = [], []
    for step in directions(problem.network):
        above, _ = evaluate(problem, problem.vector + STEP * step, rows, factor)
        below, _ = evaluate(problem, problem.vector - STEP * step, rows, factor)
        found.append(gradient @ step)
        expected.append((above - below) / (2 * STEP))
    return np.abs(np.subtract(found, expected)).max() / np.abs(expected).max()


@parametrize("names", PRODUCT, SHORT)
def test_gradients_are_derivatives(names):
    assert error_of_gradient(draw_problem(**names)) < TOLERANCE


@parametrize("sharing", ENCODING, ["mmoe"])
def test_gradients_are_derivatives_with_tasks_as_inputs(sharing):
    problem = draw_problem(sharing, "own rows", encodes=True)
    assert error_of_gradient(problem) < TOLERANCE


@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
@parametrize("sharing", list(SHARINGS), ["mmoe"])
def test_gradients_of_batches_are_derivatives(sharing, cells):
    problem = draw_problem(sharing, cells, learns_variances=True)
    rows = np.random.default_rng(1).permutation(30)[:11]
    assert error_of_gradient(problem, rows, factor=30 / 11) < TOLERANCE


@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
@parametrize("loss", EACH_LOSS, EACH_LOSS[:1], ids=lambda loss: type(loss).__name__)
@parametrize("sharing", list(SHARINGS), ["soft"])
def test_gradients_of_penalties_are_derivatives(sharing, loss, cells):
    strengths = Strengths(alpha=0.5, soft=2.0, head=3.0)
    problem = draw_problem(sharing, cells, [loss] * 3, strengths=strengths)
    assert error_of_gradient(problem) < TOLERANCE


@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
@parametrize("loss", EACH_LOSS, EACH_LOSS[:1], ids=lambda loss: type(loss).__name__)
@parametrize("sharing", ["soft", "hard", "independent"], ["soft"])
def test_gradients_of_linear_models_are_derivatives(sharing, loss, cells):
    strengths = Strengths(alpha=0.5, soft=2.0, head=3.0)
    problem = draw_problem(sharing, cells, [loss] * 3, hidden=(), strengths=strengths)
    assert error_of_gradient(problem) < TOLERANCE


@parametrize("sharing", list(SHARINGS), ["cross_stitch"])
def test_gradients_of_many_rows_per_task_are_derivatives(sharing):
    problem = draw_problem(sharing, n_rows=150, learns_variances=True)
    assert error_of_gradient(problem) < TOLERANCE


@pytest.mark.parametrize("n_rows", [30, 150])
@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
@parametrize("sharing", list(SHARINGS), ["soft", "mmoe"])
def test_sparse_rows_have_the_gradient_of_dense_rows(sharing, cells, n_rows):
    problem = draw_problem(sharing, cells, n_rows=n_rows)
    expected, gradient = evaluate(problem)
    rows = replace(problem.cells, X=csr_array(problem.cells.X))
    found, of_sparse = evaluate(replace(problem, cells=rows))
    assert_allclose(found, expected, rtol=1e-13)
    # Sums of products in another order.
    assert_allclose(of_sparse, gradient, rtol=0, atol=1e-13 * np.abs(gradient).max())


@pytest.mark.parametrize("n_rows", [30, 150])
@parametrize("sharing", list(SHARINGS), ["soft", "mmoe"])
def test_rows_of_one_task_are_rows_of_all_tasks_with_one_target(sharing, n_rows):
    problem = draw_problem(sharing, "own rows", n_rows=n_rows, learns_variances=True)
    expected, gradient = evaluate(problem)
    rows = spread_over_tasks(problem.cells, problem.groups)
    found, of_all = evaluate(replace(problem, cells=rows))
    assert_allclose(found, expected, rtol=1e-13)
    assert_allclose(of_all, gradient, rtol=0, atol=1e-13 * np.abs(gradient).max())


@pytest.mark.parametrize("has_units", [False, True], ids=["", "units"])
@pytest.mark.parametrize("loss", EACH_LOSS[1:], ids=lambda loss: type(loss).__name__)
def test_learnt_variances_do_not_divide_the_loss_of_perfect_predictions(
    loss, has_units
):
    """A negative loss, as of counts, would have no lower bound at a small variance."""
    problem = draw_problem(
        losses=[loss] * 3,
        learns_variances=True,
        has_units=has_units,
        strengths=Strengths(),
    )
    network = problem.network
    named = network.parameters(problem.vector).named
    (raw,) = network.raw(named, problem.cells.batch(None)[0])
    cells = replace(problem.cells, targets=[loss.mean(raw)])
    value, gradient = evaluate(replace(problem, cells=cells))
    assert_allclose(value, network.shares @ named["log_variance"] / 2, atol=1e-14)
    of_variances = network.parameters(gradient).named["log_variance"]
    assert_allclose(of_variances, network.shares / 2, atol=1e-14)


@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
@parametrize("sharing", list(SHARINGS), ["mmoe"])
def test_batches_average_to_all_rows(sharing, cells):
    """Rows are sorted by task, so that no batch has rows of all tasks."""
    problem = draw_problem(sharing, cells, learns_variances=True)
    expected, gradient = evaluate(problem)
    parts = [evaluate(problem, rows=rows, factor=3) for rows in np.split(ROWS, 3)]
    values, gradients = zip(*parts, strict=True)
    assert_allclose(np.mean(values), expected, rtol=1e-13)
    mean, scale = np.mean(gradients, axis=0), np.abs(gradient).max()
    assert_allclose(mean, gradient, rtol=0, atol=1e-13 * scale)


def test_predictions_without_a_target_may_overflow():
    losses = [Poisson()] * 3
    problem = draw_problem("hard", "all tasks", losses, activation="identity")
    (weight,) = problem.cells.weights
    weight[0] = 0
    expected, gradient = evaluate(problem)
    problem.cells.X[0] *= 1e6
    value, of_far = evaluate(problem)
    assert_allclose(value, expected)
    assert_allclose(of_far, gradient)
