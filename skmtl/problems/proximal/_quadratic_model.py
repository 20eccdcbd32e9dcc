"""Quadratic models of losses of one output, whose Hessian is a weight per row."""

import numpy as np

from skmtl._numbers import PADDING, TINY_SQUARE
from skmtl.problems.rows import GramBlocks, RowBlocks

# Lower bound on the weights of rows, relative to the largest: without it a row of
# negligible weight would be missing from the model.
_LEAST = 1e-7


def quadratic_model(datafit, weights, point, ridge):
    """Return a quadratic term with the value and gradient of a point.

    It is ``value + <gradient, V - W> + h(V - W) / 2 + ridge / 2 ||V||^2`` with
    ``h(D) = min over b of sum_i weight_i (x_i . d_t + b_t)^2``.

    Parameters
    ----------
    datafit : Datafit
        Rows.
    weights : list of ndarray
        Second derivatives of the rows of each stack, (n_stacked, n_rows).
    point : Point
        Variable ``W``, with the value and gradient of the term without ridge.
    ridge : float
        Strength of the ridge.

    Returns
    -------
    BlockQuadratic
        The quadratic term.
    """
    weights = _bound_below(weights)
    n_rows = max(weight.shape[1] for weight in weights)
    is_tall = n_rows >= point.variable.shape[1]
    make = (_from_grams if is_tall else _from_rows)(datafit, weights)
    W, zeros = point.variable, np.zeros(point.variable.shape)
    bare = make(zeros, 0.0, 0.0)
    product = bare.block_gradient(W, bare.state_at(W), slice(0, W.shape[1]))
    right = product - point.gradient
    start = point.value + np.vdot(W, right) - np.vdot(W, product) / 2
    return make(right, float(start), ridge)


def _bound_below(weights):
    """Return positive weights raised to the lower bound."""
    largest = max(weight.max(initial=0.0) for weight in weights)
    return [
        np.where(weight > 0, np.maximum(weight, _LEAST * largest), 0.0)
        for weight in weights
    ]


def _from_grams(datafit, weights):
    """Return a factory of blocks by Gram matrices, the intercept's Schur complement."""
    gram = datafit.scatter(weights)
    if datafit.fit_intercept:
        corner = gram[:, -1:, -1:]
        side = gram[:, :-1, -1:] / np.sqrt(np.where(corner > TINY_SQUARE, corner, 1.0))
        gram = gram[:, :-1, :-1] - side @ side.transpose(0, 2, 1)
    return lambda *rest: GramBlocks(gram, *rest)


def _from_rows(datafit, weights):
    """Return a factory of blocks by rows, for rows fewer than features."""
    stacks = [
        (stack.tasks, _root(stack.X, weight, datafit.fit_intercept))
        for stack, weight in zip(datafit.stacks(), weights, strict=True)
    ]
    stacks, ones = list(map(_pad, _group_by_size(stacks))), np.ones((1, 1))
    return lambda *rest: RowBlocks(stacks, ones, *rest)


def _root(X, weight, centred):
    """Return rows times root weights, minus their weighted mean if centred."""
    if centred:
        total = weight.sum(axis=1, keepdims=True)
        share = weight / np.where(total > 0, total, 1.0)
        X = X - np.matmul(share[:, None], X)
    return X * np.sqrt(weight)[:, :, None]


def _group_by_size(stacks):
    """Group stacks, in order of their sizes, with about equally many rows."""
    groups = []
    for stack in stacks:
        n_rows = stack[1].shape[1]
        if not groups or n_rows > PADDING * groups[-1][0][1].shape[1]:
            groups.append([])
        groups[-1].append(stack)
    return groups


def _pad(stacks):
    """Return stacks as one, their rows padded with zeros."""
    tasks = np.concatenate([tasks for tasks, _ in stacks])
    shape = len(tasks), max(X.shape[1] for _, X in stacks), stacks[0][1].shape[2]
    padded, start = np.zeros(shape), 0
    for some, X in stacks:
        padded[start : start + len(some), : X.shape[1]] = X
        start += len(some)
    return tasks, padded
