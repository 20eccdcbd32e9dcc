"""Losses in PyTorch are those of ``skmtl.losses``."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from skmtl.deep._losses import LOSSES, LOWEST, TaskLosses, group_tasks  # noqa: E402
from skmtl.losses import Logistic, Multinomial, Poisson, Squared  # noqa: E402

pytestmark = pytest.mark.full
OURS = {
    "squared": Squared(),
    "logistic": Logistic(),
    "poisson": Poisson(),
    "multinomial": Multinomial(4),
}
N_ROWS = 40
# Values are of order one; formulas differ in rounding only.
CLOSE = {"rtol": 1e-12, "atol": 1e-12}

each_kind = pytest.mark.parametrize("kind", OURS)


def draw(kind, seed=0, size=3.0):
    """Draw targets, some of them probabilities, and raw predictions, some zero."""
    rng = np.random.default_rng(seed)
    z = size * rng.normal(size=(N_ROWS, OURS[kind].n_outputs))
    z[:3] = 0.0
    shares = rng.dirichlet(np.ones(4), N_ROWS)
    shares[::2] = np.eye(4)[rng.integers(4, size=N_ROWS // 2)]
    shares[1::4, 2] = np.nan  # a class that cannot occur
    shares /= np.nansum(shares, axis=1, keepdims=True)
    y = {
        "squared": rng.normal(size=(N_ROWS, 1)),
        "logistic": np.nan_to_num(shares[:, :1]),
        "poisson": rng.poisson(2.0, size=(N_ROWS, 1)) * 0.5,
        "multinomial": shares,
    }[kind]
    return y, z


def tensors(*arrays, requires_grad=False):
    return [torch.tensor(each, requires_grad=requires_grad) for each in arrays]


def test_every_kind_has_a_loss_and_its_infimum():
    assert set(LOSSES) == set(LOWEST) == set(OURS)


@each_kind
@pytest.mark.parametrize("size", [1e-3, 3.0, 30.0])
def test_values_are_those_of_the_library(kind, size):
    y, z = draw(kind, size=size)
    found = LOSSES[kind](*tensors(y, z)).numpy()
    np.testing.assert_allclose(found, OURS[kind].value(y, z), **CLOSE)


@each_kind
@pytest.mark.parametrize("size", [1e-3, 3.0, 30.0])
def test_gradients_are_those_of_the_library(kind, size):
    y, z = draw(kind, size=size)
    (given,) = tensors(z, requires_grad=True)
    LOSSES[kind](torch.tensor(y), given).sum().backward()
    np.testing.assert_allclose(given.grad, OURS[kind].gradient(y, z), **CLOSE)


@pytest.mark.parametrize("kind", ["logistic", "multinomial"])
def test_losses_of_classes_are_finite_at_large_scores(kind):
    y, z = draw(kind, size=1e4)
    (given,) = tensors(z, requires_grad=True)
    values = LOSSES[kind](torch.tensor(y), given)
    values.sum().backward()
    np.testing.assert_allclose(values.detach(), OURS[kind].value(y, z), rtol=1e-12)
    assert given.grad.isfinite().all()


@each_kind
def test_the_lowest_loss_is_minus_the_conjugate_at_zero(kind):
    y, z = draw(kind)
    lowest = LOWEST[kind](torch.tensor(y)).numpy()
    conjugate = OURS[kind].conjugate(y, np.zeros_like(z))
    np.testing.assert_allclose(lowest, -conjugate, **CLOSE)


@each_kind
def test_float32_stays_float32(kind):
    y, z = (each.float() for each in tensors(*draw(kind)))
    assert LOSSES[kind](y, z).dtype == torch.float32


# -- sums per task

KINDS = ["squared", "multinomial", "poisson", "squared", "logistic", "multinomial"]
N_OUTPUTS = [1, 3, 1, 1, 1, 3]
GROUPS = group_tasks(KINDS, N_OUTPUTS)


def draw_tasks():
    """Draw targets, raw predictions and weights of tasks; a third is missing."""
    drawn = [draw(kind, seed=t) for t, kind in enumerate(KINDS)]
    rng = np.random.default_rng(9)
    weight = rng.uniform(0.5, 2.0, (len(KINDS), N_ROWS))
    weight[rng.random(weight.shape) < 0.3] = 0.0
    return drawn, weight


def in_groups(values):
    return [
        torch.tensor(np.stack([values[t] for t in group.tasks])) for group in GROUPS
    ]


def test_sums_are_in_the_order_of_tasks():
    drawn, weight = draw_tasks()
    y, z = zip(*drawn, strict=True)
    sums = TaskLosses(GROUPS)(*map(in_groups, (y, z, weight)))
    expected = [
        weight[t] @ OURS[kind].value(y[t], z[t]) for t, kind in enumerate(KINDS)
    ]
    np.testing.assert_allclose(sums, expected, rtol=1e-12)


def test_the_lowest_sums_are_in_the_order_of_tasks():
    drawn, weight = draw_tasks()
    y, z = zip(*drawn, strict=True)
    lowest = TaskLosses(GROUPS).lowest(in_groups(y), in_groups(weight))
    expected = [
        -weight[t] @ OURS[kind].conjugate(y[t], np.zeros_like(z[t]))
        for t, kind in enumerate(KINDS)
    ]
    np.testing.assert_allclose(lowest, expected, rtol=1e-12, atol=1e-12)


def test_a_missing_target_has_no_effect_even_if_its_loss_overflows():
    (group,) = groups = group_tasks(["poisson", "poisson"], [1, 1])
    z = torch.tensor([[[1.0], [1e4]], [[1e4], [2.0]]], requires_grad=True)
    weight = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    y = torch.ones(len(group.tasks), 2, 1)
    sums = TaskLosses(groups)([y], [z], [weight])
    sums.sum().backward()
    slopes = torch.tensor([[[1.0], [0.0]], [[0.0], [2.0]]]).exp() - 1
    torch.testing.assert_close(z.grad, weight[..., None] * slopes)
