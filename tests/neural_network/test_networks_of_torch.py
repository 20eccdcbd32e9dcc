"""Objectives, gradients and steps of Adam are those of PyTorch.

Its network is written out: every task is computed on every row, and rows of one task
have one target.
"""

import numpy as np
import pytest
from drawn_networks import (
    ENCODING,
    KINDS_OF_CELLS,
    LOSSES,
    draw_problem,
    evaluate,
    spread_over_tasks,
)
from numpy.testing import assert_allclose

from skmtl.losses import contrasts
from skmtl.neural_network._network import Strengths
from skmtl.neural_network._sharings import SHARINGS
from skmtl.neural_network._training import Objective, Progress, Stochastic

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from torch.nn import functional  # noqa: E402

pytestmark = pytest.mark.full
BASIS = torch.tensor(contrasts(3))
ONE_LOSS = {type(each).__name__: [each] * 3 for each in LOSSES}


def dense(named, name, features, number, encoding=0.0):
    """Return the outputs of a layer of several networks, (n_networks, n_rows, n)."""
    weight, bias = named[f"{name}_weight_{number}"], named[f"{name}_bias_{number}"]
    return torch.tanh(features @ weight.mT + bias[:, None] + encoding)


def layers(named, name, features, codes=None):
    """Return the outputs of consecutive layers."""
    numbers = [int(key.split("_")[-1]) for key in named if f"{name}_weight_" in key]
    for number in sorted(numbers):
        features = dense(named, name, features, number, encoding(named, name, codes))
        codes = None
    return features


def encoding(named, name, codes):
    """Return what the tasks of rows add to the first layer."""
    if codes is None or f"{name}_encoding" not in named:
        return 0.0
    return named[f"{name}_encoding"][:, codes]


def cross_stitch(named, X, codes):
    features = X
    for number, stitch in enumerate(named["stitch"]):
        of_task = encoding(named, "tower", None if number else codes)
        own = dense(named, "tower", features, number, of_task)
        features = torch.einsum("st,tnh->snh", stitch, own)
    return features


def mmoe(named, X, codes):
    logits = X @ named["gate_weight"].mT + named["gate_bias"][:, None]
    shares = torch.softmax(logits, dim=-1)
    return torch.einsum("ije,ejh->ijh", shares, layers(named, "expert", X, codes))


# The features of tasks, (n_tasks or 1, n_rows, n_features).
FEATURES = {
    "hard": lambda named, X, codes: layers(named, "trunk", X[None], codes),
    "soft": lambda named, X, codes: layers(named, "tower", X[None]),
    "independent": lambda named, X, codes: layers(named, "tower", X[None]),
    "cross_stitch": cross_stitch,
    "mmoe": mmoe,
}
# The losses of rows, (n_tasks, n_rows).
LOSS_OF = {
    "Squared": lambda y, z: functional.mse_loss(z, y, reduction="none")[..., 0] / 2,
    "Logistic": lambda y, z: functional.binary_cross_entropy_with_logits(
        z, y, reduction="none"
    )[..., 0],
    "Poisson": lambda y, z: functional.poisson_nll_loss(z, y, reduction="none")[..., 0],
    "Multinomial": lambda y, z: -(y * torch.log_softmax(z @ BASIS.T, -1)).sum(-1),
}
# The losses of perfect predictions; of counts it is not zero.
LEAST = {name: lambda y: 0.0 for name in LOSS_OF}
LEAST["Poisson"] = lambda y: (y - torch.xlogy(y, y))[..., 0]
# Rows with a target for each task, and the task of each row.
AS_ALL_TASKS = {
    "own rows": lambda problem: (
        spread_over_tasks(problem.cells, problem.groups),
        problem.cells.codes,
    ),
    "all tasks": lambda problem: (problem.cells, np.zeros(30, dtype=int)),
}


def split(vector, network):
    """Return the parameters in a vector by name."""
    sizes = [int(np.prod(shape)) for shape in network.shapes.values()]
    parts = zip(network.shapes.items(), vector.split(sizes), strict=True)
    return {name: part.reshape(shape) for (name, shape), part in parts}


def penalties(named, network, strengths):
    """Return all penalties."""
    ridge = sum((named[name] ** 2).sum() for name in network.weights)
    tied = [named[name] for name in network.sharing.tied()]
    soft = sum(((each - each.mean(0)) ** 2).sum() for each in tied)
    heads = named["head_weight"]
    head = ((heads - heads.mean(0)) ** 2).sum()
    parts = strengths.alpha * ridge, strengths.soft * soft, strengths.head * head
    return sum(parts) / 2


def units_of(head):
    """Return offsets, units and scales of tasks, for each row and output."""
    named = {name: getattr(head.units, name) for name in ("offset", "unit", "scale")}
    offset, unit, scale = map(torch.tensor, named.values())
    return offset[:, None], unit[:, None, None], scale[:, None]


def losses_of_head(head, y, z):
    """Return the losses of rows in the units of their tasks, (n_tasks, n_rows)."""
    name = type(head.loss).__name__
    is_scaled = head.units is not None and name != "Squared"
    offset, unit, scale = units_of(head) if is_scaled else (0.0, 1.0, 1.0)
    return LOSS_OF[name](y, offset + unit * z) / scale, LEAST[name](y) / scale


def their_objective(problem, case, vector, rows=slice(None), factor=1.0):
    """Return the objective of rows."""
    network, named = problem.network, split(vector, problem.network)
    cells, codes = AS_ALL_TASKS[case["cells"]](problem)
    codes = torch.tensor(codes[rows])
    features = FEATURES[case["sharing"]](named, torch.tensor(cells.X[rows]), codes)
    features = layers(named, "head_layer", features)
    features = features.expand(network.n_tasks, *features.shape[1:])
    logs = named.get("log_variance", torch.zeros(network.n_tasks))
    total = penalties(named, network, problem.strengths)
    for head, y, weight in zip(
        network.heads, cells.targets, cells.weights, strict=True
    ):
        bias = named[head.name.replace("weight", "bias")][head.places]
        z = features[head.tasks] @ named[head.name][head.places].mT + bias[:, None]
        losses, least = losses_of_head(head, torch.tensor(y[rows]).swapaxes(0, 1), z)
        losses = losses - ("log_variance" in named) * least
        weight = torch.tensor(weight[rows]).T * torch.exp(-logs[head.tasks])[:, None]
        total = total + factor * (weight * losses).sum()
    shares = np.zeros(network.n_tasks) if network.shares is None else network.shares
    return total + torch.tensor(shares) @ logs.double() / 2


def assert_torch_agrees(**case):
    problem = draw_problem(**case)
    vector = torch.tensor(problem.vector, requires_grad=True)
    expected = their_objective(problem, case, vector)
    expected.backward()
    value, gradient = evaluate(problem)
    assert_allclose(value, expected.item(), rtol=1e-12)
    slopes = vector.grad.numpy()
    assert_allclose(gradient, slopes, rtol=0, atol=1e-12 * np.abs(slopes).max())


each_sharing = pytest.mark.parametrize("sharing", SHARINGS)
each_cells = pytest.mark.parametrize("cells", KINDS_OF_CELLS)


@each_sharing
@each_cells
@pytest.mark.parametrize("head_layers", [(), (3,), (4, 2)], ids=str)
@pytest.mark.parametrize("learns_variances", [False, True], ids=["", "learnt"])
@pytest.mark.parametrize("has_units", [False, True], ids=["", "units"])
def test_objectives_and_gradients_are_those_of_pytorch(
    sharing, cells, head_layers, learns_variances, has_units
):
    assert_torch_agrees(
        sharing=sharing,
        cells=cells,
        head_layers=head_layers,
        learns_variances=learns_variances,
        has_units=has_units,
    )


@each_sharing
@each_cells
@pytest.mark.parametrize("losses", ONE_LOSS.values(), ids=ONE_LOSS)
def test_objectives_with_all_penalties_are_those_of_pytorch(sharing, cells, losses):
    strengths = Strengths(alpha=0.5, soft=2.0, head=3.0)
    assert_torch_agrees(
        sharing=sharing, cells=cells, losses=losses, strengths=strengths
    )


@pytest.mark.parametrize("sharing", ENCODING)
def test_objectives_with_tasks_as_inputs_are_those_of_pytorch(sharing):
    assert_torch_agrees(sharing=sharing, cells="own rows", encodes=True)


@each_sharing
@each_cells
@pytest.mark.parametrize("learns_variances", [False, True], ids=["", "learnt"])
def test_steps_of_adam_are_those_of_pytorch(sharing, cells, learns_variances):
    case = {"sharing": sharing, "cells": cells, "learns_variances": learns_variances}
    problem = draw_problem(**case)
    objective = Objective(problem.network, problem.cells, problem.strengths)
    trainer = Stochastic(learning_rate=0.01, batch_size=10, max_iter=7)
    progress = Progress(None, None, patience=7, tol=0.0)
    rng = np.random.RandomState(0)
    trained = trainer.train(objective, problem.vector, progress, rng)
    vector = torch.tensor(problem.vector, requires_grad=True)
    adam, losses = torch.optim.Adam([vector], lr=0.01), []
    rng = np.random.RandomState(0)
    for rows in np.concatenate([rng.permutation(30).reshape(3, 10) for _ in range(7)]):
        adam.zero_grad()
        losses.append(their_objective(problem, case, vector, rows, factor=3.0))
        losses[-1].backward()
        adam.step()
    assert_allclose(trained.vector, vector.detach().numpy(), rtol=0, atol=1e-10)
    means = np.reshape([each.item() for each in losses], (7, 3)).mean(axis=1)
    assert_allclose(trained.losses, means, rtol=1e-10)
