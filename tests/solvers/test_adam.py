"""Adam is the published algorithm, and that of PyTorch and scikit-learn."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.neural_network import MLPRegressor

from skmtl.solvers import Adam

N_STEPS = 30
START = np.random.default_rng(0).normal(size=50)
GRADIENTS = np.random.default_rng(1).normal(size=(N_STEPS, 50))


def steps_of_adam(start=START, gradients=GRADIENTS, learning_rate=0.1):
    variable, adam = start.copy(), Adam.of(start, learning_rate)
    for gradient in gradients:
        adam.step(variable, gradient.copy())
    return variable


def test_steps_are_as_published():
    variable, mean, square = START.copy(), 0.0, 0.0
    for number, gradient in enumerate(GRADIENTS, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = mean / (1 - 0.9**number), square / (1 - 0.999**number)
        variable -= 0.1 * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    assert_allclose(steps_of_adam(), variable, rtol=0, atol=1e-13)


@pytest.mark.full
def test_steps_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    variable = torch.tensor(START, requires_grad=True)
    adam = torch.optim.Adam([variable], lr=0.1)
    for gradient in GRADIENTS:
        variable.grad = torch.tensor(gradient)
        adam.step()
    assert_allclose(steps_of_adam(), variable.detach().numpy(), rtol=0, atol=1e-12)


def test_steps_are_those_of_scikit_learn():
    """Their network without hidden layers is least squares, with a known gradient."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(20, 3))
    y = 5 + X @ [1.0, -2.0, 3.0]
    theirs = MLPRegressor(
        hidden_layer_sizes=(), alpha=0.0, batch_size=20, random_state=0
    )
    still = clone(theirs).set_params(solver="sgd", learning_rate_init=1e-300)
    still.partial_fit(X, y)
    ours = np.append(still.coefs_[0], still.intercepts_[0])
    theirs.set_params(learning_rate_init=0.1)
    adam, design = Adam.of(ours, 0.1), np.column_stack([X, np.ones(20)])
    for _ in range(N_STEPS):
        adam.step(ours, design.T @ (design @ ours - y) / 20)
        theirs.partial_fit(X, y)
    # They add 1e-8 to another divisor, here 1e-6 of it at most.
    expected = np.append(theirs.coefs_[0], theirs.intercepts_[0])
    assert_allclose(ours, expected, rtol=0, atol=1e-5)


def test_copies_share_no_state():
    adam = Adam.of(START, 0.1)
    adam.step(START.copy(), GRADIENTS[0].copy())
    copy = adam.copy()
    copy.step(START.copy(), GRADIENTS[1].copy())
    assert adam.n_steps == 1
    assert_allclose(adam.mean, 0.1 * GRADIENTS[0])
    assert_allclose(adam.square, 0.001 * GRADIENTS[0] ** 2)
