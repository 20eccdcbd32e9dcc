"""A network of one task is scikit-learn's: loss and gradient at equal parameters.

One step of theirs by plain gradient descent of rate 1 subtracts the gradient.
"""

import numpy as np
import pytest
from cases import parametrize
from drawn_networks import KINDS_OF_CELLS, Problem, evaluate
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skmtl.losses import Logistic, Multinomial, Poisson, Squared, contrasts
from skmtl.neural_network._cells import OwnCells, SharedCells
from skmtl.neural_network._heads import group_tasks, make_heads
from skmtl.neural_network._layers import PerTask
from skmtl.neural_network._network import Network, Strengths
from skmtl.neural_network._sharing import Sizes
from skmtl.neural_network._sharings import SHARINGS

N_ROWS, HIDDEN = 40, (5, 4)
ALPHA = 0.3
# Their model, our loss, and their raw predictions of ours: they have a score for each
# of three classes, and ours are coordinates of scores that sum to zero.
CASES = {
    "numbers": (MLPRegressor(), Squared(), np.eye(1)),
    "counts": (MLPRegressor(loss="poisson"), Poisson(), np.eye(1)),
    "two classes": (MLPClassifier(), Logistic(), np.eye(1)),
    "three classes": (MLPClassifier(), Multinomial(3), contrasts(3)),
}
TARGETS = {
    "numbers": np.random.default_rng(0).normal(size=N_ROWS),
    # Their loss is a deviance, which equals ours where y log y = y.
    "counts": np.e * (np.arange(N_ROWS) % 2),
    "two classes": np.arange(N_ROWS) % 2,
    "three classes": np.arange(N_ROWS) % 3,
}
ENCODED = {
    **{name: y[:, None].astype(float) for name, y in TARGETS.items()},
    "three classes": np.eye(3)[TARGETS["three classes"]],
}
CLASSES = {"two classes": {"classes": [0, 1]}, "three classes": {"classes": [0, 1, 2]}}
X = np.random.default_rng(1).normal(size=(N_ROWS, 3))


def our_problem(loss, target, cells, activation):
    """Return a network of one task with random parameters."""
    _, groups = group_tasks([loss])
    sharing = SHARINGS["hard"].of(Sizes(1, 3, HIDDEN, activation))
    heads = make_heads(groups, [None])
    network = Network(sharing, PerTask("head_layer", 1, HIDDEN[-1:], activation), heads)
    weight = np.full(N_ROWS, 1 / N_ROWS)
    rows = {
        "own rows": OwnCells(X, [target], [weight], np.zeros(N_ROWS, dtype=int)),
        "all tasks": SharedCells(X, [target[:, None]], [weight[:, None]]),
    }
    vector = np.random.default_rng(2).normal(size=network.zeros(float).vector.size)
    return Problem(network, vector, rows[cells], groups, Strengths(ALPHA / N_ROWS))


def arrays_of(named):
    """Return the weights of a network in their layout, then its biases."""
    names = ["trunk_{}_0", "trunk_{}_1", "head_{}"]
    weights = [named[name.format("weight")][0].T for name in names]
    return weights + [named[name.format("bias")][0] for name in names]


def change_last(arrays, matrix):
    """Multiply the weights and biases of the output layer by a matrix."""
    *weights, weight = arrays[:3]
    *biases, bias = arrays[3:]
    return [*weights, weight @ matrix, *biases, bias @ matrix]


@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
@parametrize("activation", ["tanh", "relu", "logistic", "identity"], ["tanh"])
@pytest.mark.parametrize("name", CASES)
def test_one_task_has_the_loss_and_gradient_of_scikit_learn(name, activation, cells):
    model, loss, basis = CASES[name]
    theirs = clone(model).set_params(
        hidden_layer_sizes=HIDDEN,
        activation=activation,
        alpha=ALPHA,
        batch_size=N_ROWS,
        solver="sgd",
        momentum=0.0,
        learning_rate_init=1.0,
    )
    theirs.partial_fit(X, TARGETS[name], **CLASSES.get(name, {}))
    problem = our_problem(loss, ENCODED[name], cells, activation)
    start = arrays_of(problem.network.parameters(problem.vector).named)
    start = change_last(start, basis.T)
    for array, value in zip(theirs.coefs_ + theirs.intercepts_, start, strict=True):
        array[:] = value
    theirs.partial_fit(X, TARGETS[name])
    steps = map(np.subtract, start, theirs.coefs_ + theirs.intercepts_)
    value, gradient = evaluate(problem)
    assert_allclose(value, theirs.loss_curve_[-1], rtol=1e-12)
    found = arrays_of(problem.network.parameters(gradient).named)
    for ours, step in zip(found, change_last([*steps], basis), strict=True):
        assert_allclose(ours, step, rtol=0, atol=1e-12)
