"""Aggregators: what their results must satisfy, and other people's results."""

from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from skmtl.deep._aggregators import AGGREGATORS, cagrad, mgda, pcgrad  # noqa: E402

# Weights come from inner products in float64, and square roots of eigenvalues lose
# half of the digits.
ROUNDING = 1e-7

each_aggregator = pytest.mark.parametrize("aggregate", AGGREGATORS.values())
each_seed = pytest.mark.parametrize("seed", range(10))


def draw(n_tasks, n_parameters, seed):
    """Draw gradients with a common part; in odd seeds, of lengths 0.1 to 10."""
    rng = np.random.default_rng(seed)
    J = rng.normal(size=(n_tasks, n_parameters)) + 0.3 * rng.normal(size=n_parameters)
    if seed % 2:
        J *= np.logspace(-1, 1, n_tasks)[:, None]
    return torch.tensor(J)


def worst(J, d):
    """Return the smallest inner product of the gradients with d."""
    return float((J @ d).min())


# -- all


def test_equal_gradients_are_kept():
    J = torch.ones(3, 4)
    torch.testing.assert_close(pcgrad(J), torch.full((4,), 3.0))
    torch.testing.assert_close(mgda(J), torch.ones(4))
    torch.testing.assert_close(cagrad(J), torch.full((4,), 1.5))


@pytest.mark.full
@pytest.mark.parametrize(
    ("aggregate", "factor"), [(pcgrad, 1), (mgda, 1), (cagrad, 1.5)]
)
@each_seed
def test_one_task_gives_its_gradient_times_a_constant(aggregate, factor, seed):
    J = draw(1, 6, seed)
    torch.testing.assert_close(aggregate(J), factor * J[0], rtol=1e-12, atol=0)


@pytest.mark.full
@each_aggregator
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_the_result_scales_with_the_gradients(aggregate, scale):
    J = draw(4, 9, seed=1)
    torch.manual_seed(0)
    expected = aggregate(J) * scale
    torch.manual_seed(0)
    found = aggregate(J * scale)
    torch.testing.assert_close(found / scale, expected / scale, rtol=1e-6, atol=1e-6)


@pytest.mark.full
@each_aggregator
@pytest.mark.parametrize("shape", [(1, 3), (3, 5)])
def test_zero_gradients_give_zero(aggregate, shape):
    assert torch.equal(aggregate(torch.zeros(shape)), torch.zeros(shape[1]))


@pytest.mark.full
@each_aggregator
def test_the_result_has_the_dtype_and_no_graph(aggregate):
    J = draw(3, 5, 0).float().requires_grad_()
    with torch.no_grad():
        found = aggregate(J)
    assert (found.dtype, found.requires_grad) == (torch.float32, False)


@pytest.mark.full
@each_aggregator
def test_gradients_are_not_changed(aggregate):
    J = draw(3, 5, 0)
    before = J.clone()
    aggregate(J)
    assert torch.equal(J, before)


@pytest.mark.full
@pytest.mark.parametrize("aggregate", [mgda, cagrad])
@each_seed
def test_the_order_of_tasks_does_not_matter(aggregate, seed):
    J = draw(5, 12, seed)
    torch.testing.assert_close(aggregate(J.flip(0)), aggregate(J), rtol=1e-6, atol=1e-6)


# -- pcgrad


@pytest.mark.full
def test_pcgrad_of_orthogonal_gradients_is_their_sum():
    basis = np.linalg.qr(draw(6, 6, 0).numpy())[0]
    J = torch.tensor(basis[:3] * [[1.0], [5.0], [0.1]])
    # Inner products of orthogonal vectors are rounding errors.
    torch.testing.assert_close(pcgrad(J), J.sum(0), rtol=1e-12, atol=1e-12)


@pytest.mark.full
@each_seed
def test_pcgrad_of_two_tasks_is_the_projection_written_out_by_hand(seed):
    a, b = draw(2, 3, seed).numpy()
    b = b - 2 * max(a @ b, 0) / (a @ a) * a
    assert a @ b < 0
    expected = a - (a @ b) / (b @ b) * b + b - (a @ b) / (a @ a) * a
    np.testing.assert_allclose(pcgrad(torch.tensor(np.stack([a, b]))), expected)


@pytest.mark.full
def test_pcgrad_follows_the_seed_of_pytorch():
    J = draw(6, 4, 0)
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(pcgrad(J))
    assert torch.equal(results[0], results[1])
    assert not torch.allclose(results[0], results[2])


# -- mgda


@pytest.mark.full
@each_seed
@pytest.mark.parametrize("n_tasks", [2, 3, 8, 20])
def test_mgda_is_no_longer_than_any_convex_combination(n_tasks, seed):
    J = draw(n_tasks, 30, seed)
    rng = np.random.default_rng(seed)
    shares = [*rng.dirichlet(np.ones(n_tasks), 500), *np.eye(n_tasks)]
    lengths = (torch.tensor(np.array(shares)) @ J).norm(dim=1)
    assert mgda(J).norm() <= lengths.min() * (1 + ROUNDING)


@pytest.mark.full
@each_seed
@pytest.mark.parametrize("n_tasks", [2, 3, 8, 20])
def test_mgda_decreases_every_task_by_its_squared_length(n_tasks, seed):
    # These are the optimality conditions, sufficient as the problem is convex.
    J = draw(n_tasks, 30, seed)
    d = mgda(J)
    assert worst(J, d) >= d @ d - ROUNDING * J.norm() ** 2


@pytest.mark.full
@pytest.mark.parametrize("short", [1.0, 1e-3, 1e-9, 1e-30])
def test_mgda_of_orthogonal_gradients_of_any_lengths_has_a_formula(short):
    J = torch.diag(torch.tensor([1.0, short, 2.0], dtype=torch.float64))
    weights = J.diagonal() ** -2 / (J.diagonal() ** -2).sum()
    torch.testing.assert_close(mgda(J) / short, weights @ J / short)


@pytest.mark.full
def test_mgda_of_opposite_gradients_is_zero():
    J = torch.tensor([[1.0, 2.0], [-3.0, -6.0]], dtype=torch.float64)
    assert mgda(J).norm() < ROUNDING


@pytest.mark.full
def test_a_task_at_its_optimum_stops_mgda():
    J = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    assert torch.equal(mgda(J), torch.zeros(2))


# -- cagrad


@pytest.mark.full
@each_seed
@pytest.mark.parametrize("n_tasks", [2, 3, 8])
@pytest.mark.parametrize("c", [0.1, 0.5, 0.9])
def test_cagrad_is_the_best_for_the_worst_task_in_the_ball(n_tasks, seed, c):
    J = draw(n_tasks, 4, seed)
    mean, d = J.mean(0), cagrad(J, c)
    radius = c * mean.norm()
    torch.testing.assert_close((d - mean).norm(), radius, rtol=1e-6, atol=0)
    rng = np.random.default_rng(seed)
    steps = torch.tensor(rng.normal(size=(2000, 4)))
    near = d + 0.1 * radius * steps
    for points in (mean + steps, near):
        offsets = points - mean
        points = mean + radius * offsets / offsets.norm(dim=1, keepdim=True)
        best = (J @ points.T).min(0).values.max()
        assert worst(J, d) >= best - 1e-6 * J.norm() ** 2


@pytest.mark.full
@each_seed
def test_cagrad_of_two_tasks_minimises_its_dual(seed):
    J = draw(2, 5, seed)
    mean = J.mean(0)
    share = torch.linspace(0, 1, 100_001, dtype=torch.float64)[:, None]
    mixed = share * J[0] + (1 - share) * J[1]
    bounds = mixed @ mean + 0.5 * mean.norm() * mixed.norm(dim=1)
    # The grid's error is quadratic in its spacing, unless the minimum is a kink.
    np.testing.assert_allclose(worst(J, cagrad(J)), bounds.min(), rtol=1e-6, atol=1e-7)


@pytest.mark.full
@each_seed
def test_cagrad_of_radius_zero_is_the_mean(seed):
    J = draw(4, 6, seed)
    torch.testing.assert_close(cagrad(J, c=0.0), J.mean(0))


@pytest.mark.full
@each_seed
def test_a_larger_radius_is_better_for_the_worst_task(seed):
    J = draw(6, 5, seed)
    values = [worst(J, cagrad(J, c)) for c in (0.0, 0.2, 0.4, 0.8)]
    assert all(low < high for low, high in pairwise(values))


@pytest.mark.full
def test_cagrad_at_a_stationary_point_is_the_mean():
    J = torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64)
    assert torch.equal(cagrad(J), torch.zeros(2, dtype=torch.float64))


# -- other people's

SIZES = [(2, 50), (3, 200), (8, 500)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)


def relative_distance(found, expected):
    return float((found - expected).norm() / expected.norm())


@pytest.mark.peers
@each_size
@each_seed
def test_pcgrad_is_that_of_torchjd(size, seed):
    peers = pytest.importorskip("torchjd.aggregation", reason="torchjd is missing")
    J = draw(*size, seed)
    torch.manual_seed(seed)
    found = pcgrad(J)
    torch.manual_seed(seed)
    # The order of projections is the same; rounding differs.
    assert relative_distance(found, peers.PCGrad()(J)) < 1e-10


@pytest.mark.peers
@each_size
@each_seed
def test_mgda_is_that_of_torchjd(size, seed):
    peers = pytest.importorskip("torchjd.aggregation", reason="torchjd is missing")
    J = draw(*size, seed)
    expected = peers.MGDA(epsilon=1e-12, max_iters=5000)(J)
    # Its method converges as one over the number of steps.
    assert relative_distance(mgda(J), expected) < 5e-3
    assert mgda(J).norm() <= expected.norm() * (1 + ROUNDING)


@pytest.mark.peers
@each_size
@each_seed
def test_cagrad_is_that_of_torchjd(size, seed):
    peers = pytest.importorskip("torchjd.aggregation", reason="torchjd is missing")
    pytest.importorskip("cvxpy", reason="cvxpy is missing")
    J = draw(*size, seed)
    expected = peers.CAGrad(c=0.5, norm_eps=1e-8)(J)
    # Its solver stops at a relative duality gap of 1e-8, the square of this.
    assert relative_distance(cagrad(J), expected) < 1e-3
    assert worst(J, cagrad(J)) >= worst(J, expected) - ROUNDING * J.norm() ** 2
