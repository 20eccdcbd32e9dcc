"""Networks that are other models: each other, scikit-learn's, and linear ones."""

import numpy as np
import pytest
from cases import parametrize
from drawn_networks import KINDS_OF_CELLS, draw_problem, evaluate
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MixedTaskModel,
    MultiTaskRidge,
)
from skmtl.neural_network import (
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)
from skmtl.neural_network._network import Strengths

TASKS = ["a", "b", "c"]
TASK_WEIGHT = {"a": 1.0, "b": 3.0, "c": 0.5}
LINEAR = {"hidden_layer_sizes": (), "solver": "lbfgs", "tol": 0.0, "max_iter": 5000}
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0}
# Of an optimum, for L-BFGS until the objective no longer falls in its last digits:
# predictions are then accurate to about the square root of the machine precision.
OPTIMUM = {"rtol": 1e-6, "atol": 1e-6}


def draw_rows():
    """Draw rows of three tasks of 20, 30 and 40, with weights."""
    rng = np.random.default_rng(0)
    task = np.repeat(TASKS, [20, 30, 40])
    X = rng.normal(size=(90, 3))
    slopes = np.repeat([1.0, 2.0, -0.5], [20, 30, 40])
    z = 1 + slopes * X[:, 0] + X[:, 1]
    return X, z + rng.normal(size=90), task, rng.uniform(0.5, 2, size=90)


def strengths_of_centre(alpha, soft_penalty):
    """Return the strengths, of a centre, of the same penalty."""
    both = alpha + soft_penalty
    return {"alpha": both, "alpha_shared": len(TASKS) * alpha * both / soft_penalty}


each_tie = pytest.mark.parametrize(
    "tie",
    [
        {"sharing": "soft", "soft_penalty": 3.0},
        {"sharing": "hard", "head_penalty": 3.0},
    ],
    ids=["soft", "heads"],
)


@parametrize("cells", KINDS_OF_CELLS, ["own rows"])
def test_one_expert_is_a_trunk(cells):
    alone = {"n_experts": 1, "strengths": Strengths()}
    hard = draw_problem("hard", cells, **alone)
    mixed = draw_problem("mmoe", cells, **alone)
    ours = hard.network.parameters(hard.vector).named
    theirs = mixed.network.parameters(mixed.vector).named
    renamed = {name: name.replace("trunk", "expert") for name in ours}
    for name, other in renamed.items():
        theirs[other][:] = ours[name]
    value, gradient = evaluate(mixed)
    expected, of_hard = evaluate(hard)
    of_hard = hard.network.parameters(of_hard).named
    gradient = mixed.network.parameters(gradient).named
    assert value == expected
    assert_array_equal(gradient["gate_weight"], 0)
    for name, other in renamed.items():
        assert_allclose(gradient[other], of_hard[name], rtol=1e-14, atol=1e-17)


def test_towers_without_a_penalty_are_independent():
    X, y, task, weight = draw_rows()
    apart, soft = (
        MultiTaskMLPRegressor(**SMALL, **sharing, tol=0.0, max_iter=20)
        for sharing in (
            {"sharing": "independent"},
            {"sharing": "soft", "soft_penalty": 0},
        )
    )
    with pytest.warns(match="max_iter"):
        apart.fit(X, y, weight, task=task)
    with pytest.warns(match="max_iter"):
        soft.fit(X, y, weight, task=task)
    assert apart.loss_curve_ == soft.loss_curve_
    assert_array_equal(soft.predict(X, task=task), apart.predict(X, task=task))


def test_a_large_penalty_makes_towers_equal():
    X, y, task, _ = draw_rows()
    model = MultiTaskMLPRegressor(sharing="soft", soft_penalty=1e7, **SMALL)
    parameters = model.fit(X, y, task=task).parameters_
    towers = [each for name, each in parameters.items() if name.startswith("tower")]
    assert len(towers) == 2
    for each in towers:
        assert_allclose(each, each[:1].repeat(3, axis=0), atol=1e-5)
        assert np.ptp(each) > 1e-2


@each_tie
@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_linear_networks_are_mean_regularised_regression(tie, alpha):
    X, y, task, weight = draw_rows()
    given = {"sample_weight": weight, "task": task}
    network = MultiTaskMLPRegressor(
        **LINEAR, **tie, alpha=alpha, normalize_y=False, task_weight=TASK_WEIGHT
    )
    linear = MeanRegularizedRegressor(
        **strengths_of_centre(alpha, 3.0), task_weight=TASK_WEIGHT
    )
    found = network.fit(X, y, **given).predict(X, task=task)
    assert_allclose(found, linear.fit(X, y, **given).predict(X, task=task), **OPTIMUM)


@each_tie
@parametrize("n_classes", [2, 3], [3])
def test_linear_networks_are_mean_regularised_classification(tie, n_classes):
    X, y, task, weight = draw_rows()
    y = np.digitize(y, [0.5, 1.5][: n_classes - 1])
    given = {"sample_weight": weight, "task": task}
    network = MultiTaskMLPClassifier(**LINEAR, **tie, alpha=0.7)
    linear = MeanRegularizedClassifier(**strengths_of_centre(0.7, 3.0), tol=1e-10)
    found = network.fit(X, y, **given).predict_proba(X, task=task)
    expected = linear.fit(X, y, **given).predict_proba(X, task=task)
    assert_allclose(found, expected, **OPTIMUM)


@each_tie
@pytest.mark.parametrize("task_weight", [None, TASK_WEIGHT])
def test_linear_networks_of_mixed_tasks_are_mixed_task_models(tie, task_weight):
    X, z, task, weight = draw_rows()
    y = z.astype(object)
    y[task == "b"] = np.where(z > 1, "yes", "no")[task == "b"]
    y[task == "c"] = np.exp(z).round()[task == "c"]
    given = {"sample_weight": weight, "task": task}
    losses = {"a": "squared", "b": "logistic", "c": "poisson"}
    network = MultiTaskMLP(losses, **LINEAR, **tie, alpha=0.7, task_weight=task_weight)
    linear = MixedTaskModel(
        losses, **strengths_of_centre(0.7, 3.0), task_weight=task_weight, tol=1e-10
    )
    network.fit(X, y, **given)
    linear.fit(X, y, **given)
    for label in "ac":
        rows = X[task == label]
        expected = linear.predict(rows, task=label).astype(float)
        found = network.predict(rows, task=label).astype(float)
        assert_allclose(found, expected, **OPTIMUM)
    expected = linear.predict_proba(X[task == "b"], task="b")["b"]
    found = network.predict_proba(X[task == "b"], task="b")["b"]
    assert_allclose(found, expected, **OPTIMUM)


def test_linear_networks_without_ties_are_ridge():
    X, y, task, weight = draw_rows()
    given = {"sample_weight": weight, "task": task}
    network = MultiTaskMLPRegressor(**LINEAR, alpha=5.0, normalize_y=False)
    found = network.fit(X, y, **given).predict(X, task=task)
    expected = MultiTaskRidge(alpha=5.0).fit(X, y, **given).predict(X, task=task)
    assert_allclose(found, expected, **OPTIMUM)
