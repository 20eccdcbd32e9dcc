"""Ways to state the same tasks and weights give the same network."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from skmtl.neural_network import (
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)
from skmtl.neural_network._sharings import SHARINGS

N_ROWS, TASKS = 40, np.array(["a", "b", "c"])
# After few iterations from equal parameters, only rounding differs, which an iteration
# of L-BFGS multiplies by less than ten here; without a stop, it would choose the path.
CLOSE = {"rtol": 1e-6, "atol": 1e-6}
SMALL = {
    "hidden_layer_sizes": (4,),
    "activation": "tanh",
    "solver": "lbfgs",
    "callback": lambda iteration, *losses: iteration == 6,
    "random_state": 0,
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 3))
Z = X @ RNG.normal(size=(3, 3)) + np.sin(2 * X) + RNG.normal(size=(N_ROWS, 3))
TARGETS = {
    "numbers": 5 + 3 * Z,
    "counts": np.exp(Z / 2).round(),
    "classes": 1 * (Z > 0),
}
WEIGHT = RNG.integers(1, 4, size=(N_ROWS, 3))
IS_MISSING, ORDER = RNG.uniform(size=(N_ROWS, 3)) < 0.3, RNG.permutation(3 * N_ROWS)
ROWS, TASK = X.repeat(3, axis=0), np.tile(TASKS, N_ROWS)
MODELS = {
    "numbers": MultiTaskMLPRegressor,
    "counts": lambda **given: MultiTaskMLPRegressor(loss="poisson", **given),
    "classes": MultiTaskMLPClassifier,
}


def fit(kind, X, y, weight=None, task=None, **given):
    return MODELS[kind](**SMALL, **given).fit(X, y, weight, task=task)


def means(kind, model, X, task=None):
    """Return predictions, or probabilities of the second class."""
    found = {
        "numbers": lambda: model.predict(X, task=task),
        "counts": lambda: model.predict(X, task=task),
        "classes": lambda: model.predict_proba(X, task=task),
    }
    return found[kind]()


each_kind = pytest.mark.parametrize("kind", TARGETS)
each_sharing = parametrize("sharing", list(SHARINGS), ["hard", "soft"])


@each_kind
@each_sharing
def test_columns_of_y_are_rows_with_a_task(kind, sharing):
    Y = TARGETS[kind]
    columns = fit(kind, X, Y, WEIGHT, sharing=sharing)
    rows = fit(kind, ROWS, Y.ravel(), WEIGHT.ravel(), TASK, sharing=sharing)
    assert_allclose(columns.loss_, rows.loss_, rtol=1e-8)
    for number in range(3):
        found = rows._raw(X, np.full(N_ROWS, number))
        assert_allclose(columns._raw(X, None)[:, number], found, **CLOSE)


@each_kind
@each_sharing
def test_a_column_of_x_is_the_argument_task(kind, sharing):
    y = TARGETS[kind].ravel()
    numbers = np.tile([0.0, 1.0, 2.0], N_ROWS)
    both = np.column_stack([ROWS[:, :1], numbers, ROWS[:, 1:]])
    column = fit(kind, both, y, WEIGHT.ravel(), sharing=sharing, task_column=1)
    keyword = fit(kind, ROWS, y, WEIGHT.ravel(), numbers, sharing=sharing)
    expected = means(kind, keyword, ROWS, numbers)
    assert_allclose(means(kind, column, both), expected, **CLOSE)


@pytest.mark.parametrize("kind", ["numbers", "counts", "classes"])
@each_sharing
def test_missing_targets_have_weight_zero(kind, sharing):
    Y, is_missing = TARGETS[kind].astype(float), IS_MISSING
    missing = fit(kind, X, np.where(is_missing, np.nan, Y), sharing=sharing)
    weightless = fit(
        kind, X, np.where(is_missing, 0, Y), 1 * ~is_missing, sharing=sharing
    )
    assert_allclose(missing._raw(X, None), weightless._raw(X, None), **CLOSE)
    rows = fit(kind, ROWS, Y.ravel(), 1 * ~is_missing.ravel(), TASK, sharing=sharing)
    assert_allclose(missing.loss_, rows.loss_, rtol=1e-8)


@each_kind
@each_sharing
def test_an_integer_weight_is_repetition(kind, sharing):
    y, times = TARGETS[kind].ravel(), WEIGHT.ravel()
    weighted = fit(kind, ROWS, y, times, TASK, sharing=sharing)
    repeated = [each.repeat(times, axis=0) for each in (ROWS, y, TASK)]
    repeated = fit(kind, *repeated[:2], None, repeated[2], sharing=sharing)
    expected = means(kind, weighted, ROWS, TASK)
    assert_allclose(means(kind, repeated, ROWS, TASK), expected, **CLOSE)


@each_kind
@each_sharing
def test_the_order_of_tasks_does_not_matter(kind, sharing):
    y, renamed = TARGETS[kind].ravel(), np.tile(["z", "y", "x"], N_ROWS)
    given = {"weight": WEIGHT.ravel(), "sharing": sharing}
    given["head_hidden_layer_sizes"] = 3
    model = fit(kind, ROWS, y, task=TASK, **given)
    permuted = fit(kind, ROWS, y, task=renamed, **given)
    expected = means(kind, model, ROWS, TASK)
    assert_allclose(means(kind, permuted, ROWS, renamed), expected, **CLOSE)


@each_kind
@each_sharing
def test_the_order_of_rows_does_not_matter(kind, sharing):
    y, order = TARGETS[kind].ravel(), ORDER
    model = fit(kind, ROWS, y, WEIGHT.ravel(), TASK, sharing=sharing)
    permuted = fit(
        kind, ROWS[order], y[order], WEIGHT.ravel()[order], TASK[order], sharing=sharing
    )
    expected = means(kind, model, ROWS, TASK)
    assert_allclose(means(kind, permuted, ROWS, TASK), expected, **CLOSE)


@each_kind
@each_sharing
def test_sparse_rows_are_dense_rows(kind, sharing):
    y, sparse = TARGETS[kind].ravel(), csr_array(ROWS)
    model = fit(kind, ROWS, y, WEIGHT.ravel(), TASK, sharing=sharing)
    other = fit(kind, sparse, y, WEIGHT.ravel(), TASK, sharing=sharing)
    expected = means(kind, model, ROWS, TASK)
    assert_allclose(means(kind, other, sparse, TASK), expected, **CLOSE)
    columns = fit(kind, X, TARGETS[kind], sharing=sharing)
    other = fit(kind, csr_array(X), TARGETS[kind], sharing=sharing)
    assert_allclose(other._raw(csr_array(X), None), columns._raw(X, None), **CLOSE)


@each_sharing
def test_columns_of_mixed_kinds_are_rows_with_a_task_in_any_order(sharing):
    labels = dict(zip(TASKS, ["poisson", "logistic", "squared"], strict=True))
    kinds = ["counts", "classes", "numbers"]
    Y = np.column_stack([TARGETS[kind][:, k] for k, kind in enumerate(kinds)])
    columns = MultiTaskMLP(dict(enumerate(labels.values())), sharing=sharing, **SMALL)
    rows = MultiTaskMLP(labels, sharing=sharing, **SMALL)
    columns.fit(X, Y, WEIGHT)
    rows.fit(ROWS, Y.ravel(), WEIGHT.ravel(), task=TASK)
    assert_allclose(columns.loss_, rows.loss_, rtol=1e-8)
    found = rows.predict(ROWS, task=TASK).astype(float).reshape(N_ROWS, 3)
    assert_allclose(columns.predict(X).astype(float), found, **CLOSE)
    renamed = np.tile(["z", "y", "x"], N_ROWS)
    other = MultiTaskMLP(dict(zip("zyx", labels.values(), strict=True)), **SMALL)
    other.set_params(sharing=sharing).fit(ROWS, Y.ravel(), WEIGHT.ravel(), task=renamed)
    again = other.predict(ROWS, task=renamed).astype(float).reshape(N_ROWS, 3)
    assert_allclose(again, found, **CLOSE)


@each_kind
@parametrize("sharing", ["hard", "cross_stitch", "mmoe"], ["hard"])
def test_the_order_of_tasks_does_not_matter_if_they_are_inputs(kind, sharing):
    y, renamed = TARGETS[kind].ravel(), np.tile(["z", "y", "x"], N_ROWS)
    given = {"sharing": sharing, "task_encoding": True}
    model = fit(kind, ROWS, y, WEIGHT.ravel(), TASK, **given)
    permuted = fit(kind, ROWS, y, WEIGHT.ravel(), renamed, **given)
    expected = means(kind, model, ROWS, TASK)
    assert_allclose(means(kind, permuted, ROWS, renamed), expected, **CLOSE)
    without = fit(kind, ROWS, y, WEIGHT.ravel(), TASK, sharing=sharing)
    assert np.abs(means(kind, without, ROWS, TASK) - expected).max() > 1e-3


@each_kind
def test_task_weights_are_factors_of_the_weights_of_rows(kind):
    y, factors = TARGETS[kind].ravel(), {"a": 0.5, "b": 2.0, "c": 1.0}
    task_weight = fit(kind, ROWS, y, WEIGHT.ravel(), TASK, task_weight=factors)
    weight = WEIGHT.ravel() * np.vectorize(factors.get)(TASK)
    weighted = fit(kind, ROWS, y, weight, TASK)
    expected = means(kind, weighted, ROWS, TASK)
    assert_allclose(means(kind, task_weight, ROWS, TASK), expected, **CLOSE)


def test_balanced_tasks_have_equal_total_weights():
    y, sizes = TARGETS["numbers"].ravel(), WEIGHT.sum(axis=0)
    factors = dict(zip(TASKS, sizes.sum() / (3 * sizes), strict=True))
    balanced = fit("numbers", ROWS, y, WEIGHT.ravel(), TASK, task_weight="balanced")
    stated = fit("numbers", ROWS, y, WEIGHT.ravel(), TASK, task_weight=factors)
    assert_allclose(balanced.predict(ROWS, task=TASK), stated.predict(ROWS, task=TASK))


@each_sharing
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_equal_random_states_give_equal_networks(sharing, solver):
    y = TARGETS["numbers"].ravel()
    given = {**SMALL, "solver": solver, "sharing": sharing, "batch_size": 32}
    first, second = (MultiTaskMLPRegressor(**given) for _ in range(2))
    other = MultiTaskMLPRegressor(**{**given, "random_state": 1})
    found, again, differs = (
        model.fit(ROWS, y, task=TASK).predict(ROWS, task=TASK)
        for model in (first, second, other)
    )
    assert_array_equal(found, again)
    assert np.abs(found - differs).max() > 0.01
