"""Estimators in PyTorch: equal to those in NumPy, and stored as arrays."""

import copy
import pickle

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from drawn_tasks import (  # noqa: E402
    N_FEATURES,
    N_TASKS,
    SHORT,
    batches_of,
    draw,
    draw_outputs,
)
from torch import nn  # noqa: E402

from skmtl.deep import (  # noqa: E402
    TorchMultiTask,
    TorchMultiTaskClassifier,
    TorchMultiTaskRegressor,
)
from skmtl.neural_network import (  # noqa: E402
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)
from skmtl.neural_network._network import Strengths  # noqa: E402
from skmtl.neural_network._training import Objective  # noqa: E402

LOSSES = {0: "squared", 1: "poisson", 2: "multinomial"}


def stay(parameters):
    """Return an optimiser that changes nothing."""
    return torch.optim.SGD(parameters, lr=0.0)


def objective(model, *data, **given):
    """Return the objective at the parameters of a fitted model."""
    params = {"warm_start": True, "optimizer": stay, "n_iter_no_change": 1}
    return copy.deepcopy(model).set_params(**params).fit(*data, **given).loss_


def start(**params):
    """Return a regressor whose fit keeps its initial parameters."""
    params = {**SHORT, "optimizer": stay, "n_iter_no_change": 1, **params}
    return TorchMultiTaskRegressor(**params)


# -- equal to NumPy

# Name in NumPy of each part of a trunk.
PARTS = {
    "hard": {"trunk.layers": "trunk"},
    "soft": {"trunk.networks.layers": "tower"},
    "independent": {"trunk.layers": "tower"},
    "cross_stitch": {"trunk.layers": "tower"},
    "mmoe": {"trunk.experts.layers": "expert"},
}
SIZES = {
    "hidden_layer_sizes": (6, 5),
    "activation": "tanh",
    "alpha": 0.7,
    "soft_penalty": 1.3,
}
KINDS = {
    "numbers": (TorchMultiTaskRegressor, MultiTaskMLPRegressor, {"head_penalty": 0.4}),
    "raw numbers": (
        TorchMultiTaskRegressor,
        MultiTaskMLPRegressor,
        {"normalize_y": False},
    ),
    "counts": (
        TorchMultiTaskRegressor,
        MultiTaskMLPRegressor,
        {"loss": "poisson", "head_penalty": 0.4},
    ),
    "two": (TorchMultiTaskClassifier, MultiTaskMLPClassifier, {"head_penalty": 0.4}),
    "three": (
        TorchMultiTaskClassifier,
        MultiTaskMLPClassifier,
        {"class_scope": "task", "class_weight": "balanced"},
    ),
    "mixed": (TorchMultiTask, MultiTaskMLP, {"losses": LOSSES}),
}


def draw_kind(kind):
    if kind == "mixed":
        return draw("counts")
    return draw(kind.removeprefix("raw "))


def objective_of_numpy(model, state, X, y, task):
    """Return the objective in NumPy at the parameters of a state of PyTorch."""
    target = model._target()
    sample = target.read(model, X, y, task=task)
    network, _, cells, total = model._design(target, sample)
    params = network.zeros(float)
    for torch_name, name in PARTS[model.sharing].items():
        for k in range(2):
            weight = state[f"{torch_name}.{k}.linear.weight"]
            params.named[f"{name}_weight_{k}"][:] = weight
            bias = state[f"{torch_name}.{k}.linear.bias"]
            params.named[f"{name}_bias_{k}"][:] = bias[:, 0]
    others = {"trunk.stitch": "stitch", "trunk.gates.weight": "gate_weight"}
    for torch_name in others.keys() & state.keys():
        params.named[others[torch_name]][:] = state[torch_name]
    for bias in (state[name][:, 0] for name in state if name == "trunk.gates.bias"):
        params.named["gate_bias"][:] = bias
    for k, head in enumerate(network.heads):
        weight, bias = head.read(params.named)
        weight[:] = state[f"heads.layers.{k}.weight"]
        bias[:] = state[f"heads.layers.{k}.bias"][:, 0]
    strengths = Strengths(
        model.alpha / total, model.soft_penalty / total, model.head_penalty / total
    )
    found = Objective(network, cells, strengths)
    return found.evaluate(params, network.zeros(float), cells.batch(None))


@parametrize("sharing", list(PARTS), short=["hard"])
@parametrize("kind", list(KINDS), short=["mixed"])
def test_the_objective_is_that_of_numpy(kind, sharing):
    of_torch, of_numpy, params = KINDS[kind]
    X, y, task = draw_kind(kind)
    params = {**SIZES, **params, "sharing": sharing}
    model = of_torch(**{**SHORT, **params}).fit(X, y, task=task)
    expected = objective_of_numpy(of_numpy(**params), model.state_, X, y, task)
    # Sums of the same terms in another order.
    assert_allclose(objective(model, X, y, task=task), expected, rtol=1e-10)


@pytest.mark.full
def test_without_hidden_layers_the_soft_penalty_ties_the_heads():
    X, y, task = draw()
    params = {**SHORT, "hidden_layer_sizes": (), "alpha": 0.3}
    soft = TorchMultiTaskRegressor(**params, sharing="soft", soft_penalty=2.0)
    tied = TorchMultiTaskRegressor(**params, head_penalty=2.0)
    found = soft.fit(X, y, task=task).predict(X, task=task)
    assert_array_equal(found, tied.fit(X, y, task=task).predict(X, task=task))


@pytest.mark.full
def test_a_long_fit_without_hidden_layers_reaches_the_optimum_of_l_bfgs():
    X, y, task = draw()
    params = {"hidden_layer_sizes": (), "alpha": 3.0, "sharing": "soft", "tol": 1e-10}
    exact = MultiTaskMLPRegressor(**params, max_iter=2000).fit(X, y, task=task)
    model = TorchMultiTaskRegressor(
        **params, learning_rate_init=0.01, max_iter=5000, random_state=0
    ).fit(X, y, task=task)
    assert_allclose(model.loss_, exact.loss_, rtol=1e-5)


# -- one objective for all batches


@pytest.mark.full
@pytest.mark.parametrize("batching", ["joint", "alternating", "sequential"])
@pytest.mark.parametrize("batch_size", [1, 7, 200])
@pytest.mark.parametrize("data", [draw, draw_outputs])
def test_an_epoch_has_the_objective_of_all_rows(data, batch_size, batching):
    X, y, *task = data()
    given = dict(zip(["task"], task, strict=False))
    whole = start().fit(X, y, **given).loss_
    parts = start(batching=batching, batch_size=batch_size).fit(X, y, **given)
    assert_allclose(parts.loss_, whole, rtol=1e-10)


@pytest.mark.full
def test_weights_of_a_task_are_in_the_objective_of_its_batches():
    X, y, task = draw()
    params = {"task_weight": {0: 1.0, 1: 3.0, 2: 0.5}}
    whole = start(**params).fit(X, y, task=task).loss_
    parts = start(**params, batching="alternating", batch_size=5)
    assert_allclose(parts.fit(X, y, task=task).loss_, whole, rtol=1e-10)


def test_columns_and_rows_are_the_same_tasks():
    X, Y = draw_outputs()
    row, task = np.nonzero(~np.isnan(Y))
    columns = start().fit(X, Y)
    rows = start().fit(X[row], Y[row, task], task=task)
    assert_allclose(rows.loss_, columns.loss_, rtol=1e-10)


@pytest.mark.full
def test_a_custom_penalty_is_on_the_scale_of_alpha():
    X, y, task = draw()

    def ridge(net):
        return 1.5 * sum(each.square().sum() for each in net.weights())

    found = start(alpha=0.0, penalty=ridge).fit(X, y, task=task)
    assert_allclose(found.loss_, start(alpha=3.0).fit(X, y, task=task).loss_)


@pytest.mark.full
def test_biases_and_scales_of_a_users_trunk_are_not_penalised():
    X, y, task = draw()

    def trunk(n_features):
        return nn.Sequential(nn.Linear(n_features, 3), nn.BatchNorm1d(3))

    seen = []

    def penalty(net):
        seen.append([tuple(each.shape) for each in net.weights()])
        return net.trunk.networks[0][0].bias.sum() * 0

    start(trunk=trunk, penalty=penalty).fit(X, y, task=task)
    assert seen[0] == [(3, N_FEATURES), (N_TASKS, 1, 3)]


# -- reproducible


@pytest.mark.full
@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.3, "batch_size": 9},
        {"aggregator": "pcgrad"},
        {"weighting": "gradnorm", "sharing": "ple"},
        {"early_stopping": True, "batching": "alternating"},
    ],
)
def test_a_seed_gives_the_same_bits(params):
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**{**SHORT, **params})
    first, second = (clone(model).fit(X, y, task=task) for _ in range(2))
    assert first.loss_curve_ == second.loss_curve_
    for name, values in first.state_.items():
        assert_array_equal(second.state_[name], values)
    third = clone(model).set_params(random_state=1).fit(X, y, task=task)
    assert third.loss_curve_ != first.loss_curve_


def test_the_generator_of_pytorch_keeps_its_state():
    X, y, task = draw()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    model = TorchMultiTaskRegressor(**SHORT, dropout=0.5).fit(X, y, task=task)
    model.predict(X, task=task)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.full
def test_a_generator_as_random_state_goes_on():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT)
    model.set_params(random_state=np.random.RandomState(0))
    first = model.fit(X, y, task=task).loss_
    assert model.fit(X, y, task=task).loss_ != first


# -- stored


def test_a_pickle_has_arrays_and_no_module():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    stored = pickle.dumps(model)
    assert b"torch." not in stored
    assert {type(each) for each in model.state_.values()} == {np.ndarray}
    found = pickle.loads(stored).predict(X, task=task)
    assert_array_equal(found, model.predict(X, task=task))


@pytest.mark.full
def test_a_skops_file_needs_no_trusted_code_of_pytorch():
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    X, y, task = draw("counts")
    model = TorchMultiTask(LOSSES, **SHORT).fit(X, y, task=task)
    stored = skops.dumps(model)
    types = skops.get_untrusted_types(data=stored)
    assert {each.partition(".")[0] for each in types} == {"skmtl"}
    found = skops.loads(stored, trusted=types).predict(X, task=task)
    assert_array_equal(found, model.predict(X, task=task))


@pytest.mark.full
def test_parameters_that_change_after_fit_do_not_change_predictions():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    before = model.predict(X, task=task)
    model.set_params(hidden_layer_sizes=3, sharing="ple", activation="relu")
    assert_array_equal(model.predict(X, task=task), before)


@pytest.mark.full
def test_a_copy_does_not_share_its_state():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    before, other = model.predict(X, task=task), copy.deepcopy(model)
    for each in other.state_.values():
        each[:] = 0
    assert_array_equal(model.predict(X, task=task), before)


@pytest.mark.full
def test_a_warm_start_goes_on_from_the_last_parameters():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT, warm_start=True).fit(X, y, task=task)
    last = objective(model, X, y, task=task)
    model.set_params(optimizer=stay).fit(X, y, task=task)
    assert_allclose(model.loss_curve_[0], last, rtol=1e-12)


@pytest.mark.full
@pytest.mark.parametrize("change", [{"hidden_layer_sizes": 7}, {"sharing": "mmoe"}])
def test_a_warm_start_with_another_network_begins_anew(change):
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT, warm_start=True).fit(X, y, task=task)
    cold = TorchMultiTaskRegressor(**{**SHORT, **change}).fit(X, y, task=task)
    warm = model.set_params(**change).fit(X, y, task=task)
    assert warm.loss_curve_ == cold.loss_curve_


# -- modules of the user


def images():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(40, 50)), np.arange(40) % 2
    return X, X[:, :25].mean(1) + task, task


def convolution(n_features):
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())


IMAGES = {**SHORT, "trunk": convolution, "input_shape": (2, 5, 5), "batch_size": 10}


@parametrize("sharing", ["hard", "soft", "independent", "mmoe"], short=["hard"])
def test_a_trunk_of_the_user_takes_images(sharing):
    X, y, task = images()
    model = TorchMultiTaskRegressor(**IMAGES, sharing=sharing).fit(X, y, task=task)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    other = pickle.loads(pickle.dumps(model))
    assert_array_equal(other.predict(X, task=task), model.predict(X, task=task))


@pytest.mark.full
def test_predictions_use_the_running_means_of_a_batch_norm():
    X, y, task = images()
    model = TorchMultiTaskRegressor(**IMAGES).fit(X, y, task=task)
    assert np.abs(model.state_["trunk.networks.0.1.running_mean"]).max() > 0
    alone = model.predict(X[:1], task=task[:1])
    # Products of other shapes may be added in another order.
    assert_allclose(alone, model.predict(X, task=task)[:1], rtol=1e-10)


@pytest.mark.full
def test_a_module_is_copied_with_its_weights():
    X, y, task = draw()
    module = nn.Sequential(nn.Linear(N_FEATURES, 3), nn.Tanh()).double()
    before = copy.deepcopy(module.state_dict())
    model = TorchMultiTaskRegressor(module, **SHORT).fit(X, y, task=task)
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    assert not np.allclose(model.state_["trunk.networks.0.0.bias"], before["0.bias"])
    kept = start(trunk=module).fit(X, y, task=task)
    expected = module(torch.tensor(X)).detach()
    assert_allclose(kept.shared_features(X, task=task), expected, rtol=1e-12)


@pytest.mark.full
def test_equal_modules_are_equal_networks():
    X, y, task = draw()

    def trunk(n_features):
        return nn.Sequential(nn.Linear(n_features, 5), nn.Tanh())

    model = TorchMultiTaskRegressor(trunk, **SHORT).fit(X, y, task=task)
    by_hand = torch.tanh(
        torch.tensor(X) @ torch.tensor(model.state_["trunk.networks.0.0.weight"]).T
        + torch.tensor(model.state_["trunk.networks.0.0.bias"])
    )
    assert_allclose(model.shared_features(X, task=task), by_hand, rtol=1e-10)


@pytest.mark.full
def test_a_lazy_module_finds_its_number_of_inputs():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(lambda n: nn.LazyLinear(4), **SHORT)
    assert model.fit(X, y, task=task).shared_features(X, task=task).shape == (60, 4)


@pytest.mark.full
def test_heads_of_the_user_replace_linear_ones():
    X, y, task = draw("counts")

    def head(label, n_in, n_out):
        return nn.Sequential(
            nn.Linear(n_in, 3 + label), nn.ReLU(), nn.LazyLinear(n_out)
        )

    model = TorchMultiTask(LOSSES, **SHORT, head=head).fit(X, y, task=task)
    found = {len(each) for k, each in model.state_.items() if k.endswith("0.0.weight")}
    shapes = {k: v.shape for k, v in model.state_.items() if k.endswith(".0.weight")}
    assert {shapes[f"heads.heads.{k}.0.weight"][0] for k in range(3)} == {3, 4, 5}
    assert found
    assert len(model.predict(X, task=task)) == len(X)


# -- weightings and aggregators


@pytest.mark.full
def test_a_sum_as_weighting_or_aggregator_is_the_default():
    X, y, task = draw()
    plain = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    for params in (
        {"weighting": lambda losses: losses.sum()},
        {"aggregator": lambda J: J.sum(0)},
    ):
        other = TorchMultiTaskRegressor(**SHORT, **params).fit(X, y, task=task)
        assert_allclose(other.loss_curve_, plain.loss_curve_, rtol=1e-8)


@pytest.mark.full
@pytest.mark.parametrize(
    "params",
    [
        {"weighting": "uncertainty"},
        {"weighting": "gradnorm"},
        {"aggregator": "pcgrad"},
        {"aggregator": "cagrad"},
        {"aggregator": "mgda"},
    ],
)
@pytest.mark.parametrize("kind", ["numbers", "counts", "three"])
def test_every_weighting_and_aggregator_lowers_the_losses(kind, params):
    X, y, task = draw(kind)
    losses = dict.fromkeys(
        range(3), {"numbers": "squared", "counts": "poisson"}.get(kind, "multinomial")
    )
    params = {**SHORT, "n_iter_no_change": 60, "alpha": 0.01, **params}
    model = TorchMultiTask(losses, **params).fit(X, y, task=task)
    assert model.score(X, y, task=task) > 0.5


@pytest.mark.full
def test_an_aggregator_gets_the_gradients_of_the_tasks_in_the_batch():
    X, y, task = draw()
    shapes = []

    def aggregate(J):
        shapes.append(tuple(J.shape))
        return J.mean(0)

    params = {**SHORT, "aggregator": aggregate, "batch_size": 1}
    TorchMultiTaskRegressor(**params).fit(X, y, task=task)
    n_parameters = N_FEATURES * 6 + 6 + 6 * 5 + 5
    assert set(shapes) == {(1, n_parameters)}


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "needed"),
    [("UPGrad", "qpsolvers"), ("AlignedMTL", "torchjd"), ("IMTLG", "torchjd")],
)
def test_aggregators_of_torchjd_train_a_network(name, needed):
    pytest.importorskip(needed, reason=f"{needed} is missing")
    peers = pytest.importorskip("torchjd.aggregation", reason="torchjd is missing")
    X, y, task = draw()
    params = {**SHORT, "n_iter_no_change": 60, "alpha": 0.01}
    aggregator = getattr(peers, name)()
    model = TorchMultiTaskRegressor(**params, aggregator=aggregator)
    assert model.fit(X, y, task=task).score(X, y, task=task) > 0.5


@pytest.mark.peers
@pytest.mark.parametrize("name", ["UW", "GeometricMean"])
def test_scalarizers_of_torchjd_train_a_network(name):
    peers = pytest.importorskip("torchjd.scalarization", reason="torchjd is missing")
    X, y, task = draw()
    params = {**SHORT, "n_iter_no_change": 60, "alpha": 0.01}
    given = {"UW": [N_TASKS]}.get(name, [])
    weighting = getattr(peers, name)(*given)
    model = TorchMultiTaskRegressor(**params, weighting=weighting)
    assert model.fit(X, y, task=task).score(X, y, task=task) > 0.5


@pytest.mark.full
def test_an_aggregator_changes_the_trunk_only():
    X, y, task = draw()
    params = {**SHORT, "optimizer": "sgd", "n_iter_no_change": 1, "alpha": 0.0}
    nothing = TorchMultiTaskRegressor(**params, aggregator=lambda J: 0 * J[0])
    first = start().fit(X, y, task=task)
    model = nothing.fit(X, y, task=task)
    name = "trunk.layers.0.linear.weight"
    assert_allclose(model.state_[name], first.state_[name], atol=1e-16)
    name = "heads.layers.0.weight"
    assert np.abs(model.state_[name] - first.state_[name]).max() > 1e-4


@pytest.mark.full
def test_uncertainty_gives_a_noisy_task_a_large_variance():
    X, Y = draw_outputs()
    Y[:, 2] = np.random.default_rng(1).normal(size=len(Y))
    params = {**SHORT, "n_iter_no_change": 200, "alpha": 0.0}
    model = TorchMultiTaskRegressor(**params, weighting="uncertainty").fit(X, Y)
    assert model.task_log_variances_.argmax() == 2


@pytest.mark.full
def test_a_module_as_weighting_is_trained_in_a_copy():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(N_TASKS))

        def forward(self, losses):
            return (losses * torch.exp(-self.scale) + self.scale).sum()

    X, y, task = draw()
    module = Scale()
    params = {**SHORT, "alpha": 0.0}
    model = TorchMultiTaskRegressor(**params, weighting=module).fit(X, y, task=task)
    plain = TorchMultiTaskRegressor(**params).fit(X, y, task=task)
    assert not module.scale.any()
    assert model.loss_curve_ != plain.loss_curve_


# -- training


@pytest.mark.full
def test_a_scheduler_takes_a_step_after_each_epoch():
    rates = []

    def schedule(optimizer):
        def factor(epoch):
            rates.append(epoch)
            return 0.5**epoch

        return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)

    X, y, task = draw()
    params = {**SHORT, "batch_size": 9, "lr_scheduler": schedule}
    TorchMultiTaskRegressor(**params).fit(X, y, task=task)
    assert rates == [*range(7)]


@pytest.mark.full
def test_early_stopping_keeps_the_parameters_with_the_lowest_loss():
    X, y, task = draw()
    params = {**SHORT, "early_stopping": True, "learning_rate_init": 20.0}
    seen = []

    def watch(iteration, loss, validation_loss):
        seen.append(validation_loss)

    model = TorchMultiTaskRegressor(**params, callback=watch).fit(X, y, task=task)
    assert model.validation_loss_curve_ == seen
    best = int(np.argmin(seen))
    assert best < len(seen) - 1
    short = TorchMultiTaskRegressor(**params, callback=lambda i, *_: i > best)
    short.fit(X, y, task=task)
    for name, values in model.state_.items():
        assert_array_equal(short.state_[name], values)


@pytest.mark.full
def test_dropout_acts_in_training_only():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT, dropout=0.5).fit(X, y, task=task)
    plain = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    assert model.loss_curve_ != plain.loss_curve_
    found = model.predict(X, task=task)
    assert_array_equal(model.predict(X, task=task), found)


@pytest.mark.full
def test_dropout_does_not_act_in_validation():
    X, y, task = draw()
    params = {"dropout": 0.5, "early_stopping": True, "n_iter_no_change": 3}
    model = start(**params).fit(X, y, task=task)
    assert len(set(model.validation_loss_curve_)) == 1
    assert len(set(model.loss_curve_)) == 4


def test_floats_of_single_precision_stay_single():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit(X.astype(np.float32), y, task=task)
    assert {each.dtype for each in model.state_.values()} == {np.dtype(np.float32)}
    assert model.predict(X.astype(np.float32), task=task).dtype == np.float32
    assert model.predict(X, task=task).dtype == np.float64


@pytest.mark.full
def test_sparse_rows_are_dense_rows():
    X, y, task = draw()
    X[X < 0] = 0
    dense = TorchMultiTaskRegressor(**SHORT, batch_size=9).fit(X, y, task=task)
    few = clone(dense).fit(sparse.csr_array(X), y, task=task)
    found = few.predict(sparse.csr_array(X), task=task)
    assert_array_equal(found, dense.predict(X, task=task))


@pytest.mark.full
def test_blocks_of_predictions_are_joined_in_order():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    many, tasks = np.tile(X, (40, 1)), np.tile(task, 40)
    expected = np.tile(model.predict(X, task=task), 40)
    assert_allclose(model.predict(many, task=tasks), expected, rtol=1e-10)


@pytest.mark.full
def test_an_unseen_task_gets_the_mean_of_all_tasks():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    each = [model.predict(X, task=t) for t in range(N_TASKS)]
    assert_allclose(model.predict(X, task=9), np.mean(each, axis=0), rtol=1e-10)


@pytest.mark.full
def test_cross_stitch_weights_are_in_the_order_of_tasks():
    X, y, task = draw("counts")
    losses = {0: "poisson", 1: "squared", 2: "poisson"}
    model = TorchMultiTask(losses, **SHORT, sharing="cross_stitch")
    model.fit(X, y, task=task)
    stitch, places = model.cross_stitch_, model._places
    assert stitch.shape == (2, N_TASKS, N_TASKS)
    assert stitch[1, 0, 1] == model.state_["trunk.stitch"][1, places[0], places[1]]
    assert stitch[0, 2, 0] == model.state_["trunk.stitch"][0, places[2], places[0]]
    assert not np.array_equal(places, np.arange(N_TASKS))


# -- a GPU


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("sharing", ["hard", "mmoe", "ple", "cross_stitch"])
def test_a_gpu_agrees_with_the_cpu(sharing):
    X, y, task = draw()
    params = {**SHORT, "sharing": sharing, "batch_size": 20}
    found = [
        TorchMultiTaskRegressor(**params, device=device)
        .fit(X, y, task=task)
        .predict(X, task=task)
        for device in ("cpu", "cuda")
    ]
    # The devices round sums of products differently.
    assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_loaders_feed_a_gpu():
    loaders = batches_of(*draw("three"))
    losses = dict.fromkeys(range(3), "multinomial")
    curves = [
        TorchMultiTask(losses, **SHORT, device=device).fit_loaders(loaders).loss_curve_
        for device in ("cpu", "cuda")
    ]
    assert_allclose(curves[1], curves[0], rtol=1e-4)
