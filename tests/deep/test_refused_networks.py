"""Networks in PyTorch that are refused, with the words of the errors."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from drawn_tasks import SHORT, draw  # noqa: E402
from torch import nn  # noqa: E402

from skmtl.deep import TorchMultiTask, TorchMultiTaskRegressor  # noqa: E402

pytestmark = pytest.mark.full


def flat(n_features):
    return nn.Flatten(0)


def narrow(n_features):
    return nn.Linear(3, 2)


def linear(n_features):
    return nn.Linear(n_features, 2)


def one_output(label, n_in, n_out):
    return nn.Linear(n_in, 2)


REFUSED = {
    "a trunk without rows": (
        {"trunk": flat},
        r"trunk must return a tensor of shape \(2, n_features_out\).* got \(8,\)",
    ),
    "a trunk that fails": (
        {"trunk": narrow},
        r"trunk must map rows of shape \(2, 4\) to features, but it raises "
        r"RuntimeError: .* input_shape",
    ),
    "a trunk that makes no module": (
        {"trunk": lambda n_features: n_features},
        "returns a module, got one that returns int",
    ),
    "a head of wrong shape": (
        {"head": one_output},
        r"head must return a tensor of shape \(\d+, 1\)",
    ),
    "an input shape of other size": (
        {"input_shape": (3, 2, 2)},
        r"input_shape=\(3, 2, 2\) needs rows of 12 features, got X with 4 features",
    ),
    "an input shape of no integers": (
        {"input_shape": (2, 2.0)},
        "input_shape must be a list of positive integers",
    ),
    "a trunk beside cross_stitch": (
        {"trunk": linear, "sharing": "cross_stitch"},
        "sharing='cross_stitch' builds its own layers, so it needs trunk=None",
    ),
    "a trunk beside ple": (
        {"trunk": linear, "sharing": "ple"},
        "sharing='ple' builds its own layers, so it needs trunk=None",
    ),
    "equal experts": (
        {"trunk": nn.Linear(4, 2), "sharing": "mmoe"},
        "sharing='mmoe' needs a trunk that is a function.* got a module: Linear",
    ),
    "experts without layers": (
        {"sharing": "mmoe", "hidden_layer_sizes": ()},
        "sharing='mmoe' needs at least one hidden layer",
    ),
    "an aggregator of single tasks": (
        {"aggregator": "mgda", "batching": "alternating"},
        "aggregator compares tasks in each batch, so it needs fit with "
        r"batching='joint', got batches of one task \(alternating\)",
    ),
    "GradNorm of single tasks": (
        {"weighting": "gradnorm", "batching": "sequential"},
        "weighting='gradnorm' compares tasks in each batch",
    ),
    "a function of single losses": (
        {"weighting": torch.sum, "batching": "sequential"},
        "weighting=<.*> compares tasks in each batch",
    ),
    "a batch without a task": (
        {"weighting": torch.sum, "batch_size": 2},
        "A function as weighting needs a target of every task in each batch, got a "
        "batch of 2 rows with none of task [012]. Raise batch_size",
    ),
    "an aggregator with weights": (
        {"aggregator": "mgda", "weighting": "uncertainty"},
        "needs weighting='fixed', got 'uncertainty'",
    ),
    "an aggregator without shared layers": (
        {"aggregator": "mgda", "sharing": "independent"},
        "aggregator needs layers that tasks share.*got sharing='independent'",
    ),
    "GradNorm without shared layers": (
        {"weighting": "gradnorm", "hidden_layer_sizes": ()},
        "weighting='gradnorm' needs layers that tasks share",
    ),
    "ties between heads of the user": (
        {"head": lambda label, n_in, n_out: nn.Linear(n_in, n_out), "head_penalty": 1},
        "head_penalty needs linear heads with weights to tie: head=None",
    ),
    "divergence": (
        {"optimizer": "sgd", "learning_rate_init": 1e100, "alpha": 0},
        "The training diverges: the loss must be finite",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_network_that_cannot_be_is_refused(case):
    params, text = REFUSED[case]
    X, y, task = draw()
    with pytest.raises(ValueError, match=text):
        TorchMultiTaskRegressor(**{**SHORT, **params}).fit(X, y, task=task)


def test_ties_between_unequal_heads_are_refused():
    X, y, task = draw("counts")
    losses = {0: "squared", 1: "squared", 2: "multinomial"}
    text = r"head_penalty needs tasks with equally many raw predictions, got \[1, 3\]"
    with pytest.raises(ValueError, match=text):
        TorchMultiTask(losses, **SHORT, head_penalty=1.0).fit(X, y, task=task)


def test_shared_features_need_a_shared_trunk():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT, sharing="soft").fit(X, y, task=task)
    text = "shared_features needs a trunk that all tasks share.*sharing='soft'"
    with pytest.raises(ValueError, match=text):
        model.shared_features(X, task=task)


def test_a_task_without_targets_is_refused():
    X, _, _ = draw()
    Y = np.column_stack([X[:, 0], np.full(len(X), np.nan)])
    with pytest.raises(ValueError, match="Every task must have a target with weight"):
        TorchMultiTaskRegressor(**SHORT).fit(X, Y)


def test_too_few_passes_are_warned_of():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match="still falls after max_iter=2 iterations"):
        model.fit(X, y, task=task)


def test_a_refused_fit_keeps_the_last_one():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit(X, y, task=task)
    before = model.predict(X, task=task)
    with pytest.raises(ValueError, match="builds its own"):
        model.set_params(trunk=linear, sharing="ple").fit(X, y, task=task)
    np.testing.assert_array_equal(model.predict(X, task=task), before)
