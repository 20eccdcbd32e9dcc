"""Output layers: computed together, they are those of each task alone."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from torch import nn  # noqa: E402

from skmtl.deep._heads import Heads, ModuleHeads  # noqa: E402
from skmtl.deep._losses import group_tasks  # noqa: E402

pytestmark = pytest.mark.full
N_OUTPUTS = [1, 3, 1, 3, 1, 2]
KINDS = ["squared", "multinomial", "poisson", "multinomial", "squared", "multinomial"]
GROUPS = group_tasks(KINDS, N_OUTPUTS)
TASKS = ["a", "b", "c", "d", "e", "f"]
N_ROWS, N_FEATURES = 5, 4


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def features(n):
    return torch.randn(n, N_ROWS, N_FEATURES)


def scattered(heads):
    """Return heads whose parameters differ between tasks."""
    with torch.no_grad():
        for each in heads.parameters():
            each.add_(torch.randn_like(each))
    return heads


def linear(task, n_in, n_out):
    return nn.Linear(n_in, n_out)


def module_heads(make):
    return ModuleHeads(make, TASKS, GROUPS, N_FEATURES)


def test_groups_have_one_kind_of_loss_and_number_of_outputs():
    assert [(g.kind, g.n_outputs, g.tasks) for g in GROUPS] == [
        ("squared", 1, (0, 4)),
        ("multinomial", 3, (1, 3)),
        ("poisson", 1, (2,)),
        ("multinomial", 2, (5,)),
    ]


@pytest.mark.parametrize("n_tasks", [1, 6])
@pytest.mark.parametrize(
    "make", [lambda: Heads(GROUPS, N_FEATURES), lambda: module_heads(linear)]
)
def test_raw_predictions_are_in_the_order_of_the_groups(make, n_tasks):
    shapes = [tuple(each.shape) for each in make()(features(n_tasks))]
    assert shapes == [(2, 5, 1), (2, 5, 3), (1, 5, 1), (1, 5, 2)]


@pytest.mark.parametrize("n_tasks", [1, 6])
def test_heads_together_are_linear_layers_alone(n_tasks):
    heads, h = scattered(Heads(GROUPS, N_FEATURES)), features(n_tasks)
    alone = module_heads(linear)
    with torch.no_grad():
        for layer, group in zip(heads.layers, GROUPS, strict=True):
            for k, t in enumerate(group.tasks):
                alone.heads[t].weight.copy_(layer.weight[k])
                alone.heads[t].bias.copy_(layer.bias[k, 0])
    for together, each in zip(heads(h), alone(h), strict=True):
        torch.testing.assert_close(together, each)


def test_the_weights_of_a_group_are_one_parameter():
    shapes = [tuple(layer.weight.shape) for layer in Heads(GROUPS, N_FEATURES).layers]
    assert shapes == [(2, 1, 4), (2, 3, 4), (1, 1, 4), (1, 2, 4)]


def test_the_layers_of_a_group_start_equal():
    for layer in Heads(GROUPS, N_FEATURES).layers:
        assert torch.equal(layer.weight, layer.weight[:1].expand_as(layer.weight))


def test_one_group_of_all_tasks_does_not_copy_the_features():
    (group,) = group_tasks(["squared"] * 3, [1] * 3)
    heads, h = scattered(Heads([group], N_FEATURES)), features(3)
    (z,) = heads(h)
    for t in range(3):
        layer = heads.layers[0]
        torch.testing.assert_close(z[t], h[t] @ layer.weight[t].T + layer.bias[t])


def test_the_penalty_of_heads_is_that_of_all_weights_across_groups():
    groups = group_tasks(["squared", "poisson", "squared"], [1] * 3)
    heads = scattered(Heads(groups, N_FEATURES))
    weights = torch.cat([layer.weight for layer in heads.layers])[:, 0]
    expected = ((weights - weights.mean(0)) ** 2).sum()
    torch.testing.assert_close(heads.penalty(), expected)


def test_a_head_is_made_from_its_task_and_its_numbers_of_inputs_and_outputs():
    calls = []

    def make(*given):
        calls.append(given)
        return linear(*given)

    module_heads(make)
    assert calls == [(TASKS[t], N_FEATURES, N_OUTPUTS[t]) for t in range(6)]


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda task, n_in, n_out: nn.Linear(n_in, 1), r"\(5, 3\) .* task 'b'.*5, 1"),
        (lambda task, n_in, n_out: nn.Flatten(0), r"\(5, 1\) .* task 'a'.*20"),
    ],
)
def test_a_head_of_wrong_shape_is_refused(make, got):
    text = f"head must return a tensor of shape {got}"
    with pytest.raises(ValueError, match=text):
        module_heads(make)(features(1))
