"""Quadratic models of losses whose curvature is a weight of each row."""

import numpy as np

from skmtl._numbers import PADDING, TINY_SQUARE
from skmtl.problems.rows import GramBlocks, RowBlocks

# Weights of rows are at least this share of the largest.
_LEAST = 1e-7


def quadratic_model(datafit, weights, point, ridge):
    """Return the quadratic term whose rows have some weights, through a point.

    Parameters
    ----------
    datafit : Datafit
        Rows.
    weights : list of ndarray
        Weights of the rows of each stack, (n_stacked, n_rows).
    point : Point
        Where value and gradient are those of the term, the ridge left out.
    ridge : float
        Strength of the quadratic pull to zero.

    Returns
    -------
    BlockQuadratic
        The quadratic term; intercepts are eliminated.
    """
    weights = _raise(weights)
    n_rows = max(weight.shape[1] for weight in weights)
    is_tall = n_rows >= point.variable.shape[1]
    curved = _grams if is_tall else _rows
    make = curved(datafit, weights)
    W, zeros = point.variable, np.zeros(point.variable.shape)
    bare = make(zeros, 0.0, 0.0)
    product = bare.block_gradient(W, bare.state_at(W), slice(0, W.shape[1]))
    pulled = product - point.gradient
    start = point.value + np.vdot(W, pulled) - np.vdot(W, product) / 2
    return make(pulled, float(start), ridge)


def _raise(weights):
    """Return weights that are not too small, so that no row is lost for the model."""
    largest = max(weight.max(initial=0.0) for weight in weights)
    return [
        np.where(weight > 0, np.maximum(weight, _LEAST * largest), 0.0)
        for weight in weights
    ]


def _grams(datafit, weights):
    """Return how blocks are made of Gram matrices."""
    curved = datafit.scatter(weights)
    if datafit.fit_intercept:
        last = curved[:, -1:, -1:]
        side = curved[:, :-1, -1:] / np.sqrt(np.where(last > TINY_SQUARE, last, 1.0))
        curved = curved[:, :-1, :-1] - side @ side.transpose(0, 2, 1)
    return lambda *rest: GramBlocks(curved, *rest)


def _rows(datafit, weights):
    """Return how blocks are made of rows, which are fewer than features."""
    stacks = [
        (stack.tasks, _root(stack.X, weight, datafit.fit_intercept))
        for stack, weight in zip(datafit.stacks(), weights, strict=True)
    ]
    stacks, ones = list(map(_join, _alike(stacks))), np.ones((1, 1))
    return lambda *rest: RowBlocks(stacks, ones, *rest)


def _root(X, weight, centred):
    """Return rows times root weights, from which weighted means have been taken."""
    if centred:
        total = weight.sum(axis=1, keepdims=True)
        share = weight / np.where(total > 0, total, 1.0)
        X = X - np.matmul(share[:, None], X)
    return X * np.sqrt(weight)[:, :, None]


def _alike(stacks):
    """Group stacks of about equally many rows, which come in order of these."""
    groups = []
    for stack in stacks:
        n_rows = stack[1].shape[1]
        if not groups or n_rows > PADDING * groups[-1][0][1].shape[1]:
            groups.append([])
        groups[-1].append(stack)
    return groups


def _join(stacks):
    """Return the stacks as one, padded with zeros."""
    tasks = np.concatenate([tasks for tasks, _ in stacks])
    shape = len(tasks), max(X.shape[1] for _, X in stacks), stacks[0][1].shape[2]
    joined, begin = np.zeros(shape), 0
    for some, X in stacks:
        joined[begin : begin + len(some), : X.shape[1]] = X
        begin += len(some)
    return tasks, joined
