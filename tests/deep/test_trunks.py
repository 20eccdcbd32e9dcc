"""Trunks: shapes, identities between them, and naive versions."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from torch import nn  # noqa: E402

from skmtl.deep._modules import (  # noqa: E402
    ACTIVATIONS,
    MLP,
    PLE,
    CrossStitch,
    MMoE,
    ModuleNetworks,
    SoftSharing,
)

pytestmark = pytest.mark.full
N_TASKS, N_ROWS, N_FEATURES = 3, 7, 4
SIZES = [6, 5]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def make_rows(*shape):
    return torch.randn(N_ROWS, *(shape or (N_FEATURES,)), dtype=torch.float64)


def convolution():
    layers = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten()
    return nn.Sequential(*layers).double()


def perceptrons(n_networks=1, sizes=SIZES, **options):
    return MLP(N_FEATURES, sizes, n_networks=n_networks, **options).double()


def modules(n_networks):
    return ModuleNetworks(
        nn.Sequential(nn.Linear(N_FEATURES, 5), nn.Tanh()).double()
        for _ in range(n_networks)
    )


def scattered(trunk):
    """Return a trunk whose parameters differ between tasks."""
    with torch.no_grad():
        for each in trunk.parameters():
            each.add_(0.3 * torch.randn_like(each))
    return trunk


MAKERS = {
    "MLP": perceptrons,
    "MLP per task": lambda: perceptrons(N_TASKS),
    "modules": lambda: modules(N_TASKS),
    "soft": lambda: SoftSharing(perceptrons(N_TASKS)),
    "soft modules": lambda: SoftSharing(modules(N_TASKS)),
    "mmoe": lambda: scattered(MMoE(perceptrons(4), N_FEATURES, N_TASKS).double()),
    "mmoe modules": lambda: MMoE(modules(4), N_FEATURES, N_TASKS).double(),
    "cross_stitch": lambda: scattered(CrossStitch(N_FEATURES, SIZES, N_TASKS).double()),
    "ple": lambda: scattered(PLE(N_FEATURES, SIZES, N_TASKS, n_own=2).double()),
}
each_trunk = pytest.mark.parametrize("name", MAKERS)


@each_trunk
def test_features_have_an_axis_of_tasks_or_are_shared(name):
    n_tasks = 1 if name == "MLP" else N_TASKS
    assert MAKERS[name]()(make_rows()).shape == (n_tasks, N_ROWS, 5)


@each_trunk
def test_features_of_a_row_do_not_depend_on_other_rows(name):
    trunk, x = MAKERS[name](), make_rows()
    # Products of other shapes may be added in another order.
    torch.testing.assert_close(trunk(x)[:, 2:4], trunk(x[2:4]), rtol=1e-12, atol=1e-14)


@each_trunk
def test_every_parameter_has_a_gradient(name):
    trunk = MAKERS[name]()
    trunk(make_rows()).square().sum().backward()
    assert [n for n, p in trunk.named_parameters() if p.grad is None] == []


@each_trunk
def test_a_gradient_is_the_difference_quotient(name):
    trunk = MAKERS[name]()
    names = dict(trunk.named_parameters())
    x = make_rows()

    def features(*values):
        given = dict(zip(names, values, strict=True))
        return torch.func.functional_call(trunk, given, (x,)) ** 2 + trunk.penalty()

    assert torch.autograd.gradcheck(features, tuple(names.values()))


@each_trunk
def test_the_state_of_a_trunk_restores_it(name):
    trunk, x = MAKERS[name](), make_rows()
    other = MAKERS[name]()
    other.load_state_dict(trunk.state_dict())
    assert torch.equal(other(x), trunk(x))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_perceptron_is_the_one_written_out_by_hand(activation):
    trunk, x = perceptrons(activation=activation), make_rows()
    function = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "logistic": lambda z: 1 / (1 + np.exp(-z)),
        "identity": lambda z: z,
    }[activation]
    expected = x.numpy()
    for layer in trunk.layers:
        weight, bias = (each.detach().numpy()[0] for each in layer.parameters())
        expected = function(expected @ weight.T + bias)
    np.testing.assert_allclose(trunk(x).detach()[0], expected, rtol=1e-12)


def test_stacked_perceptrons_are_perceptrons_side_by_side():
    together, x = perceptrons(N_TASKS), make_rows()
    for t in range(N_TASKS):
        alone = perceptrons()
        alone.load_state_dict(
            {name: value[t : t + 1] for name, value in together.state_dict().items()}
        )
        torch.testing.assert_close(together(x)[t], alone(x)[0], rtol=1e-12, atol=1e-14)


def test_initial_parameters_are_within_the_bounds_of_scikit_learn():
    for activation, factor in (("relu", 6), ("logistic", 2)):
        trunk = MLP(30, [50], activation)
        bound = np.sqrt(factor / (30 + 50))
        for values in trunk.parameters():
            assert 0.9 * bound < values.abs().max() <= bound


def test_dropout_scales_the_units_that_it_keeps():
    trunk, x = MLP(N_FEATURES, [200], "identity", dropout=0.25), make_rows().float()
    whole = trunk.eval()(x)
    kept = trunk.train()(x)
    zero = kept == 0
    torch.testing.assert_close(kept[~zero], whole[~zero] / 0.75)
    assert 0.2 < zero.float().mean() < 0.3


def test_no_hidden_layer_returns_the_rows():
    x = make_rows()
    assert torch.equal(perceptrons(sizes=[])(x), x[None])


# -- modules of the user


def test_modules_may_take_images():
    images = make_rows(2, 5, 5)
    trunk = MMoE(ModuleNetworks([convolution(), convolution()]), 50, N_TASKS).double()
    assert trunk(images).shape == (N_TASKS, N_ROWS, 27)


def test_one_module_is_hard_sharing():
    module, images = convolution().eval(), make_rows(2, 5, 5)
    assert torch.equal(ModuleNetworks([module]).eval()(images)[0], module(images))


@pytest.mark.parametrize(
    ("module", "got"),
    [
        (nn.Conv2d(2, 3, 3).double(), r"got \(7, 3, 3, 3\)"),
        (nn.Flatten(0), r"got \(350,\)"),
        (nn.Flatten(0, 1), r"got \(14, 5, 5\)"),
        (nn.MaxPool2d(2, return_indices=True), "got tuple"),
    ],
)
def test_a_trunk_of_wrong_shape_is_refused(module, got):
    text = rf"trunk must return a tensor of shape \(7, n_features_out\).*{got}"
    with pytest.raises(ValueError, match=text):
        ModuleNetworks([module])(make_rows(2, 5, 5))


# -- soft sharing


@pytest.mark.parametrize("make", [perceptrons, modules])
def test_soft_networks_start_equal(make):
    trunk = SoftSharing(make(N_TASKS))
    features = trunk(make_rows())
    # The three products may be added in another order.
    torch.testing.assert_close(features, features[:1].expand_as(features))
    # The mean of three equal numbers may be rounded.
    assert trunk.penalty() < 1e-28


def test_equal_networks_with_buffers_start_equal():
    networks = ModuleNetworks([convolution() for _ in range(N_TASKS)])
    networks(make_rows(2, 5, 5))
    networks.networks[0](make_rows(2, 5, 5))
    states = [each.state_dict() for each in SoftSharing(networks).networks.networks]
    assert all(torch.equal(states[2][name], states[0][name]) for name in states[0])


@pytest.mark.parametrize("make", [perceptrons, modules])
def test_the_soft_penalty_is_the_sum_of_squared_distances_from_the_mean(make):
    trunk = SoftSharing(make(N_TASKS))
    with torch.no_grad():
        for each in trunk.parameters():
            each.add_(torch.randn_like(each))
    flat = torch.stack(
        [
            torch.cat(
                [each[t].flatten() for each in trunk.networks.stacked_parameters()]
            )
            for t in range(N_TASKS)
        ]
    )
    expected = ((flat - flat.mean(0)) ** 2).sum()
    torch.testing.assert_close(trunk.penalty(), expected, rtol=1e-12, atol=0)


def test_the_penalty_of_other_trunks_is_zero():
    assert perceptrons().penalty() == 0


# -- experts


@pytest.mark.parametrize(
    "make",
    [
        lambda: MMoE(MLP(N_FEATURES, SIZES, n_networks=4), N_FEATURES, N_TASKS),
        lambda: CrossStitch(N_FEATURES, SIZES, N_TASKS),
        lambda: PLE(N_FEATURES, SIZES, N_TASKS, n_own=2),
    ],
)
def test_tasks_start_equal(make):
    features = make().double()(make_rows())
    torch.testing.assert_close(features, features[:1].expand_as(features))
    assert features.std() > 0


def test_own_experts_of_a_task_start_different():
    own = PLE(N_FEATURES, [5], N_TASKS, n_own=2).layers[0].own.linear.weight
    assert (own[0] - own[1]).abs().max() > 0.1


def test_mmoe_with_one_expert_is_hard_sharing():
    expert, x = perceptrons(), make_rows()
    trunk = MMoE(expert, N_FEATURES, N_TASKS).double()
    assert torch.equal(trunk(x), expert(x).expand(N_TASKS, -1, -1))


def test_mmoe_is_the_mean_of_experts_weighted_by_gates():
    trunk, x = MAKERS["mmoe"](), make_rows()
    weight, bias = trunk.gates.weight, trunk.gates.bias
    outputs = trunk.experts(x)
    for t, features in enumerate(trunk(x)):
        shares = (x @ weight[t].T + bias[t]).softmax(1)
        expected = sum(shares[:, [e]] * outputs[e] for e in range(4))
        torch.testing.assert_close(features, expected, rtol=1e-12, atol=1e-14)


# -- cross-stitch


def test_cross_stitch_of_the_identity_is_independent_networks():
    trunk, x = MAKERS["cross_stitch"](), make_rows()
    networks = perceptrons(N_TASKS)
    networks.layers.load_state_dict(trunk.layers.state_dict())
    with torch.no_grad():
        trunk.stitch.copy_(torch.eye(N_TASKS))
    torch.testing.assert_close(trunk(x), networks(x), rtol=1e-12, atol=1e-14)


def test_cross_stitch_mixes_the_outputs_of_every_layer():
    trunk, x = MAKERS["cross_stitch"](), make_rows()
    with torch.no_grad():
        trunk.stitch.copy_(torch.randn(2, N_TASKS, N_TASKS))
    own = [x] * N_TASKS
    for layer, stitch in zip(trunk.layers, trunk.stitch, strict=True):
        weight, bias = layer.linear.weight, layer.linear.bias
        out = [torch.relu(own[t] @ weight[t].T + bias[t]) for t in range(N_TASKS)]
        own = [
            sum(stitch[t, s] * out[s] for s in range(N_TASKS)) for t in range(N_TASKS)
        ]
    torch.testing.assert_close(trunk(x), torch.stack(own), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_the_initial_shares_of_tasks_sum_to_one(n_tasks):
    stitch = CrossStitch(N_FEATURES, SIZES, n_tasks).stitch
    assert stitch.shape == (2, n_tasks, n_tasks)
    # The sum is rounded to float32.
    torch.testing.assert_close(stitch.sum(2), torch.ones(2, n_tasks))


# -- progressive layered extraction


def test_ple_of_one_layer_without_own_experts_is_mmoe():
    x = make_rows()
    ple = scattered(PLE(N_FEATURES, [5], N_TASKS, n_shared=4, n_own=0).double())
    mmoe = MMoE(perceptrons(4, [5]), N_FEATURES, N_TASKS).double()
    mmoe.experts.layers[0].load_state_dict(ple.layers[0].shared.state_dict())
    mmoe.gates.load_state_dict(ple.layers[0].gates.state_dict())
    torch.testing.assert_close(ple(x), mmoe(x), rtol=1e-12, atol=1e-14)


def test_ple_without_shared_experts_is_independent_tasks():
    x = make_rows()
    trunk = scattered(PLE(N_FEATURES, [5], N_TASKS, n_shared=0, n_own=1).double())
    networks = perceptrons(N_TASKS, [5])
    networks.layers[0].load_state_dict(trunk.layers[0].own.state_dict())
    torch.testing.assert_close(trunk(x), networks(x), rtol=1e-12, atol=1e-14)


def test_ple_is_the_one_written_out_by_hand():
    n_shared, n_own = 2, 2
    ple = PLE(N_FEATURES, SIZES, N_TASKS, n_shared=n_shared, n_own=n_own)
    trunk = scattered(ple.double())
    x = make_rows()

    def expert(dense, k, value):
        return torch.relu(value @ dense.linear.weight[k].T + dense.linear.bias[k])

    def mix(gates, k, value, experts):
        shares = (value @ gates.weight[k].T + gates.bias[k]).softmax(1)
        return sum(shares[:, [e]] * experts[e] for e in range(len(experts)))

    def extract(layer, own, shared):
        of_all = [expert(layer.shared, k, shared) for k in range(n_shared)]
        of_tasks = [
            [expert(layer.own, t * n_own + k, own[t]) for k in range(n_own)]
            for t in range(N_TASKS)
        ]
        features = [
            mix(layer.gates, t, own[t], of_all + of_tasks[t]) for t in range(N_TASKS)
        ]
        return features, of_all + [each for experts in of_tasks for each in experts]

    first, last = trunk.layers
    own, experts = extract(first, [x] * N_TASKS, x)
    shared = mix(trunk.shared_gates[0], 0, x, experts)
    expected = torch.stack(extract(last, own, shared)[0])
    torch.testing.assert_close(trunk(x), expected, rtol=1e-12, atol=1e-14)


def test_ple_may_have_layers_of_any_sizes():
    trunk = PLE(N_FEATURES, [6, 3, 5], N_TASKS, n_own=2).double()
    assert trunk(make_rows()).shape == (N_TASKS, N_ROWS, 5)


def test_a_trunk_can_be_copied():
    trunk, x = MAKERS["ple"](), make_rows()
    assert torch.equal(copy.deepcopy(trunk)(x), trunk(x))
