"""Networks of every sharing with random parameters, and targets of every loss."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl.losses import Logistic, Multinomial, Poisson, Squared
from skmtl.neural_network._cells import OwnCells, SharedCells
from skmtl.neural_network._heads import Units, group_tasks, make_heads
from skmtl.neural_network._layers import PerTask
from skmtl.neural_network._network import Network, Strengths
from skmtl.neural_network._sharing import Sizes
from skmtl.neural_network._sharings import SHARINGS
from skmtl.neural_network._training import Objective

# All losses: two tasks each of numbers and of three classes, so that groups of tasks
# with the same loss are tested as well.
LOSSES = [
    Squared(),
    Logistic(),
    Multinomial(3),
    Poisson(),
    Squared(),
    Multinomial(3),
]
N_FEATURES = 3
HIDDEN = 5, 4
STRENGTHS = Strengths(alpha=0.2, soft=0.3)
# Sharings whose layers can have the task as an input.
ENCODING = [name for name in SHARINGS if name not in ("soft", "independent")]
KINDS_OF_CELLS = ["own rows", "all tasks"]


@dataclass
class Problem:
    """A network, the parameters at which to evaluate it, and its rows."""

    network: Network
    vector: Any
    cells: Any
    groups: Any
    strengths: Strengths


# Draws targets of a shape, by the type of their loss.
DRAW_TARGETS = {
    Squared: lambda shape, rng: rng.normal(size=(*shape, 1)),
    Logistic: lambda shape, rng: 1.0 * rng.integers(2, size=(*shape, 1)),
    Poisson: lambda shape, rng: 1.0 * rng.integers(5, size=(*shape, 1)),
    Multinomial: lambda shape, rng: np.eye(3)[rng.integers(3, size=shape)],
}


def draw_units(loss, n_tasks, rng):
    """Draw units of tasks with the same loss."""
    offset = rng.normal(size=(n_tasks, loss.n_outputs))
    return Units(offset, *rng.uniform(0.5, 2, size=(2, n_tasks)))


def draw_cells(kind, groups, n_tasks, n_rows, rng):
    """Draw rows with one task each, or with targets of all tasks and some missing."""
    X = rng.normal(size=(n_rows, N_FEATURES))
    codes = np.sort(np.arange(n_rows) % n_tasks)
    targets, weights = [], []
    for loss, tasks in groups:
        n_own = np.count_nonzero((codes >= tasks.start) & (codes < tasks.stop))
        shapes = {"own rows": (n_own,), "all tasks": (n_rows, tasks.stop - tasks.start)}
        shape = shapes[kind]
        targets.append(DRAW_TARGETS[type(loss)](shape, rng))
        weights.append(rng.uniform(size=shape) * (rng.uniform(size=shape) > 0.2))
    make = {
        "own rows": lambda: OwnCells(X, targets, weights, codes),
        "all tasks": lambda: SharedCells(X, targets, weights),
    }
    return make[kind]()


def draw_problem(
    sharing="hard",
    cells="own rows",
    losses=LOSSES,
    head_layers=(),
    activation="tanh",
    learns_variances=False,
    encodes=False,
    has_units=False,
    hidden=HIDDEN,
    n_rows=30,
    n_experts=3,
    strengths=STRENGTHS,
):
    """Draw a network, parameters and rows."""
    rng = np.random.default_rng(0)
    _, groups = group_tasks(losses)
    n_tasks = len(losses)
    sizes = Sizes(n_tasks, N_FEATURES, hidden, activation, n_experts, encodes)
    sharing = SHARINGS[sharing].of(sizes)
    layers = PerTask(
        "head_layer", n_tasks, (sizes.layers[-1], *head_layers), activation
    )
    units = [
        draw_units(loss, tasks.stop - tasks.start, rng) if has_units else None
        for loss, tasks in groups
    ]
    shares = rng.dirichlet(np.ones(n_tasks)) if learns_variances else None
    rows = draw_cells(cells, groups, n_tasks, n_rows, rng)
    network = Network(sharing, layers, make_heads(groups, units), shares)
    vector = network.start(np.random.RandomState(0), float).vector
    vector += 0.3 * rng.normal(size=vector.size)
    return Problem(network, vector, rows, groups, strengths)


def evaluate(problem, vector=None, rows=None, factor=1.0):
    """Return the objective and its gradient, of some rows."""
    network = problem.network
    params = network.parameters(problem.vector if vector is None else vector)
    gradient = network.zeros(float)
    objective = Objective(network, problem.cells, problem.strengths)
    batch = problem.cells.batch(rows)
    return objective.evaluate(params, gradient, batch, factor), gradient.vector


def spread_over_tasks(cells, groups):
    """Return rows of one task each as rows of all tasks, with one target each."""
    targets, weights = [], []
    for y, weight, (_, tasks) in zip(cells.targets, cells.weights, groups, strict=True):
        rows = np.flatnonzero((cells.codes >= tasks.start) & (cells.codes < tasks.stop))
        cell = rows, cells.codes[rows] - tasks.start
        shape = len(cells), tasks.stop - tasks.start
        targets.append(np.zeros((*shape, y.shape[1])))
        weights.append(np.zeros(shape))
        targets[-1][cell], weights[-1][cell] = y, weight
    return SharedCells(cells.X, targets, weights)
