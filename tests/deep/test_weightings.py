"""Weightings of the losses of tasks."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from skmtl.deep._weightings import (  # noqa: E402
    Custom,
    Fixed,
    GradNorm,
    Uncertainty,
    gradient_norms,
)

pytestmark = pytest.mark.full
LOSSES = torch.tensor([0.3, 2.0, 0.05], dtype=torch.float64)
SHARES = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)


def test_the_fixed_weighting_is_the_sum():
    assert Fixed()(LOSSES) == LOSSES.sum()


def test_a_custom_weighting_is_the_function():
    weighting = Custom(lambda losses: losses.prod())
    weighting.update(LOSSES, torch.ones(1))
    assert weighting(LOSSES) == LOSSES.prod()


def test_parameters_of_a_custom_module_are_learnt():
    assert len([*Custom(torch.nn.Linear(3, 1)).parameters()]) == 2


def test_custom_modules_of_torchjd_are_weightings():
    peers = pytest.importorskip("torchjd.scalarization", reason="torchjd is missing")
    torch.testing.assert_close(Custom(peers.Sum())(LOSSES), LOSSES.sum())


# -- uncertainty


def test_uncertainty_starts_as_the_sum():
    torch.testing.assert_close(Uncertainty(SHARES)(LOSSES), LOSSES.sum())


def test_the_variances_that_minimise_are_twice_the_mean_losses():
    weighting = Uncertainty(SHARES)
    with torch.no_grad():
        weighting.log_variance.copy_(torch.log(2 * LOSSES / SHARES))
    weighting(LOSSES).backward()
    slope = weighting.log_variance.grad
    torch.testing.assert_close(slope, torch.zeros(3, dtype=torch.float64))


def test_uncertainty_has_kendalls_formula():
    weighting = Uncertainty(SHARES)
    s = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    with torch.no_grad():
        weighting.log_variance.copy_(s)
    expected = sum(
        torch.exp(-s[t]) * LOSSES[t] + SHARES[t] * s[t] / 2 for t in range(3)
    )
    torch.testing.assert_close(weighting(LOSSES), expected)


@pytest.mark.peers
def test_uncertainty_of_half_the_losses_is_that_of_torchjd():
    peers = pytest.importorskip("torchjd.scalarization", reason="torchjd is missing")
    weighting = Uncertainty(torch.ones(3))
    # It starts with log-variances of zero too, and halves the losses.
    expected = peers.UW(3)(2 * LOSSES.float())
    torch.testing.assert_close(weighting(LOSSES.float()), expected)


# -- gradnorm


class Problem:
    """Losses ``|shared - target_t|^2 * scale_t``, and their gradient norms."""

    def __init__(self):
        self.shared = torch.zeros(2, requires_grad=True)
        self.targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        self.scales = torch.tensor([100.0, 1.0, 0.01])

    def losses(self):
        return self.scales * (self.shared - self.targets).square().sum(1)


def test_gradient_norms_are_those_of_each_loss():
    problem = Problem()
    found = gradient_norms(problem.losses(), problem.shared)
    torch.testing.assert_close(found, torch.tensor([200.0, 2.0, 0.02 * 2**0.5]))


def test_a_loss_that_does_not_depend_on_the_parameter_has_norm_zero():
    shared = torch.ones(2, requires_grad=True)
    own = torch.ones(2, requires_grad=True)
    losses = torch.stack([shared.sum(), own.sum()])
    torch.testing.assert_close(
        gradient_norms(losses, shared), torch.tensor([2**0.5, 0.0])
    )


def test_gradnorm_starts_with_equal_weights_that_sum_to_n_tasks():
    torch.testing.assert_close(GradNorm(3).weights(), torch.ones(3))
    torch.testing.assert_close(GradNorm(3)(LOSSES.float()), LOSSES.float().sum())


def test_weighted_norms_become_equal_if_the_losses_do_not_change():
    problem, weighting = Problem(), GradNorm(3, step=0.002)
    for _ in range(3000):
        weighting.update(problem.losses(), problem.shared)
    norms = weighting.weights() * gradient_norms(problem.losses(), problem.shared)
    # Steps do not shrink, so the weights end within a step of the optimum.
    torch.testing.assert_close(norms / norms.mean(), torch.ones(3), rtol=0.05, atol=0)
    torch.testing.assert_close(weighting.weights().sum(), torch.tensor(3.0))


def test_a_step_is_the_one_written_out_by_hand():
    problem = Problem()
    weighting = GradNorm(3, asymmetry=1.5, step=0.1)
    weighting.update(problem.losses(), problem.shared)
    start, first = weighting.log_weight.clone(), problem.losses().detach()
    with torch.no_grad():
        problem.shared.add_(0.25)
    losses = problem.losses()
    norms = gradient_norms(losses, problem.shared)
    z = start.clone().requires_grad_()
    weighted = 3 * z.softmax(0) * norms
    rates = losses.detach() / first
    goal = weighted.mean().detach() * (rates / rates.mean()) ** 1.5
    (weighted - goal).abs().sum().backward()
    weighting.update(losses, problem.shared)
    torch.testing.assert_close(weighting.log_weight, start - 0.1 * z.grad)


def test_a_slower_task_gets_more_weight():
    weighting = GradNorm(2)
    shared = torch.ones(1, requires_grad=True)
    weighting.update(torch.stack([shared.sum(), shared.sum()]), shared)
    # Both gradients still have length one, but the second loss has fallen.
    weighting.update(torch.stack([shared.sum(), shared.sum() - 0.9]), shared)
    assert weighting.weights()[0] > weighting.weights()[1]


@pytest.mark.parametrize(("asymmetry", "favoured"), [(1.0, 0), (3.0, 1)])
def test_a_large_asymmetry_favours_the_slower_task(asymmetry, favoured):
    # Goals are 1.1 * 0.95^c and 1.1 * 1.05^c, and norms are 1 and 1.2.
    shared = torch.zeros(1, requires_grad=True)
    weighting = GradNorm(2, asymmetry)
    weighting.first = torch.ones(2)
    losses = torch.stack([0.95 + shared.sum(), 1.05 + 1.2 * shared.sum()])
    weighting.update(losses, shared)
    assert weighting.weights().argmax() == favoured


def test_a_task_without_rows_in_a_batch_keeps_its_share_and_first_loss():
    shared = torch.ones(1, requires_grad=True)
    weighting = GradNorm(3)
    losses = torch.stack([3 * shared.sum(), shared.sum(), 0 * shared.sum()])
    weighting.update(losses, shared)
    assert weighting.first[:2].tolist() == [3.0, 1.0]
    assert weighting.first[2].isnan()
    assert weighting.weights().isfinite().all()
    assert weighting.weights()[0] < weighting.weights()[1]


def test_a_batch_without_any_gradient_changes_nothing():
    shared = torch.ones(1, requires_grad=True)
    weighting = GradNorm(2)
    weighting.update(torch.stack([0 * shared.sum(), 0 * shared.sum()]), shared)
    assert weighting.weights().tolist() == [1.0, 1.0]


def test_the_state_of_gradnorm_restores_it():
    problem, weighting = Problem(), GradNorm(3)
    weighting.update(problem.losses(), problem.shared)
    other = GradNorm(3)
    other.load_state_dict(weighting.state_dict())
    assert torch.equal(other.weights(), weighting.weights())
    assert torch.equal(other.first, weighting.first)
