"""A new task gets the best head near the mean head, on features that do not change."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from skmtl.neural_network import (
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)

# The scale of the weights of the new rows, so that they are not all one.
WEIGHT = np.array([0.5, 1.0, 2.0, 1.5, 0.3, 1.0])
NEW = 25


def draw(n_rows=120, seed=0):
    rng = np.random.default_rng(seed)
    X, task = rng.normal(size=(n_rows, 3)), 10 * (np.arange(n_rows) % 5)
    return X, np.sin(X[:, 0]) + X[:, 1] + 0.1 * task + rng.normal(size=n_rows), task


def fit(model, y, X, task):
    params = {"hidden_layer_sizes": (6, 5), "activation": "tanh", "random_state": 0}
    return clone(model).set_params(**params, tol=1e-2).fit(X, y, task=task)


@pytest.fixture(scope="module")
def rows():
    return draw()


REGRESSOR = MultiTaskMLPRegressor(head_penalty=3.0)
MODELS = {
    "numbers": (REGRESSOR, lambda y: y),
    "raw numbers": (clone(REGRESSOR).set_params(normalize_y=False), lambda y: y),
    "counts": (
        clone(REGRESSOR).set_params(loss="poisson"),
        lambda y: np.floor(np.exp(y / 3)),
    ),
    "two classes": (
        MultiTaskMLPClassifier(head_penalty=0.2),
        lambda y: (y > 1.5).astype(int),
    ),
    "three classes": (
        MultiTaskMLPClassifier(head_penalty=0.2),
        lambda y: np.digitize(y, [0.5, 2.5]),
    ),
}
# Unit of raw predictions, and factor of the loss.
SCALES = dict.fromkeys(MODELS, lambda units, place: (1.0, 1.0))
SCALES["numbers"] = lambda units, place: (units.unit[place], units.unit[place] ** -2)
SCALES["counts"] = lambda units, place: (units.unit[place], 1 / units.scale[place])
ENCODE = {"three classes": lambda y: np.eye(3)[y[:, 0]]}
KINDS = pytest.mark.parametrize("kind", MODELS)


@pytest.fixture(scope="module")
def fitted(rows):
    X, y, task = rows
    return {
        name: fit(model, make(y), X, task) for name, (model, make) in MODELS.items()
    }


def adapted(fitted, rows, kind, **given):
    X, y, _ = rows
    model = pickle.loads(pickle.dumps(fitted[kind]))
    return model.adapt(X[:6], MODELS[kind][1](y[:6]), task=NEW, **given)


def raw_of(model, X, label):
    codes = np.full(len(X), model.tasks_.tolist().index(label))
    return model._fitted().of_codes(X, codes)


def minimise_by_scipy(before, model, rows, kind, weight):
    """Minimise the objective of the new head over its raw predictions."""
    X, y, _ = rows
    (head,) = before._network.heads
    place = model.tasks_.tolist().index(NEW)
    unit, factor = SCALES[kind](model._network.heads[0].units, place)
    features = before.shared_features(X[:6], task=0)
    centre = before._fitted().of_all(X[:6]).mean(axis=1)
    target = ENCODE.get(kind, np.asarray)(MODELS[kind][1](y[:6])[:, None])
    shape = centre.shape[1], features.shape[1] + 1
    columns = np.column_stack([features, np.ones(6)])

    def objective(vector):
        step = vector.reshape(shape)
        raw = centre + unit * columns @ step.T
        slope = factor * unit * (weight[:, None] * head.loss.gradient(target, raw)).T
        gradient = slope @ columns
        gradient[:, :-1] += before.head_penalty * step[:, :-1]
        value = factor * float(weight @ head.loss.value(target, raw))
        penalty = before.head_penalty / 2 * (step[:, :-1] ** 2).sum()
        return value + penalty, gradient.ravel()

    start = np.zeros(np.prod(shape))
    options = {"gtol": 1e-10, "maxiter": 5000}
    found = minimize(objective, start, jac=True, method="BFGS", options=options)
    return centre + unit * columns @ found.x.reshape(shape).T


@KINDS
def test_a_new_head_is_the_best_near_the_mean_head(fitted, rows, kind):
    model = adapted(fitted, rows, kind, sample_weight=WEIGHT)
    expected = minimise_by_scipy(fitted[kind], model, rows, kind, WEIGHT)
    # BFGS stops at gradients of about 1e-8 where the line search finds no decrease.
    assert_allclose(raw_of(model, rows[0][:6], NEW), expected, rtol=1e-5, atol=1e-5)


@KINDS
def test_other_tasks_are_predicted_as_before(fitted, rows, kind):
    X, _, task = rows
    model = adapted(fitted, rows, kind)
    assert_array_equal(model.tasks_, [0, 10, 20, NEW, 30, 40])
    assert model.n_tasks_ == 6
    before = [raw_of(fitted[kind], X, label) for label in np.unique(task)]
    after = [raw_of(model, X, label) for label in np.unique(task)]
    assert_allclose(after, before, rtol=1e-12, atol=1e-12)


@KINDS
def test_a_strong_penalty_predicts_as_for_an_unseen_task(fitted, rows, kind):
    """Up to a constant, since the bias is free."""
    X, y, _ = rows
    model = pickle.loads(pickle.dumps(fitted[kind])).set_params(head_penalty=1e12)
    unseen = model._fitted().of_codes(X, np.full(len(X), -1))
    model.adapt(X[:9], MODELS[kind][1](y[:9]), task=NEW)
    # Weights differ from their mean by about 1e-12 of the gradient.
    assert np.ptp(raw_of(model, X, NEW) - unseen, axis=0).max() < 1e-8


@KINDS
def test_an_adapted_network_is_pickled_and_trained_further(fitted, rows, kind):
    X, y, task = rows
    model = adapted(fitted, rows, kind)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X, task=NEW), model.predict(X, task=NEW))
    before = model.parameters_["head_weight"].copy()
    model.partial_fit(X, MODELS[kind][1](y), task=np.where(task == 40, NEW, task))
    moved = model.parameters_["head_weight"] - before
    assert (abs(moved[3]) > 0).any()


def test_the_state_of_adam_is_kept_and_extended(rows):
    X, y, task = rows
    model = MultiTaskMLPRegressor((6,), solver="adam", random_state=0)
    model.partial_fit(X, y, task=task).partial_fit(X, y, task=task)
    before = model._network.parameters(model._state.square).named
    steps = model._state.n_steps
    model.adapt(X[:6], y[:6], task=NEW)
    after = model._network.parameters(model._state.square).named
    assert model._state.n_steps == steps
    assert_array_equal(after["trunk_weight_0"], before["trunk_weight_0"])
    old = np.delete(after["head_weight"], 3, axis=0)
    assert_array_equal(old, before["head_weight"])
    assert_allclose(after["head_weight"][3], old.mean(axis=0))


def test_an_encoded_task_gets_the_mean_encoding(rows):
    X, y, task = rows
    model = fit(MultiTaskMLPRegressor(task_encoding=True), y, X, task)
    unseen = model.shared_features(X, task=99)
    known = model.predict(X, task=10)
    model.adapt(X[:6], y[:6], task=NEW)
    assert_allclose(model.shared_features(X, task=NEW), unseen, rtol=1e-12)
    assert_allclose(model.shared_features(X, task=99), unseen, rtol=1e-12)
    assert_allclose(model.predict(X, task=10), known, rtol=1e-12)


def test_learnt_variances_get_their_mean(rows):
    X, y, task = rows
    model = fit(MultiTaskMLPRegressor(weighting="uncertainty"), y, X, task)
    before = model.task_log_variances_
    model.adapt(X[:6], y[:6], task=NEW)
    assert_allclose(model.task_log_variances_[3], before.mean(), rtol=1e-12)
    assert_array_equal(np.delete(model.task_log_variances_, 3), before)
    assert_allclose(model._network.shares.sum(), 1, rtol=1e-12)
    model.partial_fit(X[:6], y[:6], task=NEW)
    assert (model.task_log_variances_ != np.insert(before, 3, before.mean())).any()


def test_a_missing_class_keeps_a_probability(rows):
    X, y, task = rows
    label = np.digitize(y, [0.5, 2.5])
    model = fit(MultiTaskMLPClassifier(), label, X, task)
    model.adapt(X[:4], np.full(4, 2), task=NEW)
    share = model.predict_proba(X, task=NEW)
    assert (share > 1e-4).all()
    assert share[:, 2].mean() > 0.5
    assert_array_equal(model.task_classes_[3], [False, False, True])


def test_classes_of_the_new_task_only_may_be_predicted(rows):
    X, y, task = rows
    label = np.digitize(y, [0.5, 2.5])
    model = fit(MultiTaskMLPClassifier(class_scope="task"), label, X, task)
    model.adapt(X[:8], np.arange(8) % 2, task=NEW)
    share = model.predict_proba(X, task=NEW)
    assert_array_equal(share[:, 2], 0)
    assert_allclose(share.sum(axis=1), 1, rtol=1e-12)


def test_counts_of_zero_keep_a_positive_rate(rows):
    X, y, task = rows
    model = fit(MODELS["counts"][0], np.floor(np.exp(y / 3)), X, task)
    rate = model.adapt(X[:4], np.zeros(4), task=NEW).predict(X[:4], task=NEW)
    assert (rate > 1e-6).all()
    assert rate.mean() < 1


def test_constant_targets_are_adapted_to(rows):
    X, y, task = rows
    model = fit(MultiTaskMLPRegressor(), np.ones(len(y)), X, task)
    model.adapt(X[:4], np.full(4, 3.0), task=NEW)
    assert_allclose(model.predict(X, task=NEW), 3, rtol=1e-6)


def test_a_new_task_may_come_by_its_column(rows):
    X, y, task = rows
    table = np.column_stack([task, X])
    new = np.column_stack([np.full(6, NEW), X[:6]])
    column = fit(MultiTaskMLPRegressor(task_column=0), y, table, None)
    keyword = fit(MultiTaskMLPRegressor(), y, X, task)
    found = column.adapt(new, y[:6]).predict(new)
    assert_array_equal(found, keyword.adapt(X[:6], y[:6], task=NEW).predict(X[:6], NEW))


def test_sparse_rows_and_single_precision_without_layers(rows):
    X, y, task = rows
    model = MultiTaskMLPRegressor((), head_penalty=3.0, random_state=0)
    dense = clone(model).fit(X, y, task=task).adapt(X[:6], y[:6], task=NEW)
    table = sparse.csr_array(X.astype(np.float32))
    model.fit(table, y, task=task).adapt(table[:6], y[:6], task=NEW)
    assert model.parameters_["head_weight"].dtype == np.float32
    # L-BFGS in single precision stops at another point of the same tolerance.
    found, expected = model.predict(table, task=NEW), dense.predict(X, task=NEW)
    assert_allclose(found, expected, atol=0.02)


def test_adapt_refuses_other_networks(rows):
    X, y, task = rows
    soft = fit(MultiTaskMLPRegressor(sharing="soft"), y, X, task)
    with pytest.raises(AttributeError, match="no attribute 'adapt'"):
        soft.adapt(X[:6], y[:6], task=NEW)
    deep = fit(MultiTaskMLPRegressor(head_hidden_layer_sizes=(2,)), y, X, task)
    with pytest.raises(AttributeError, match="no attribute 'adapt'"):
        deep.adapt(X[:6], y[:6], task=NEW)
    with pytest.raises(NotFittedError):
        MultiTaskMLPRegressor().adapt(X[:6], y[:6], task=NEW)
    columns = fit(MultiTaskMLPRegressor(), np.column_stack([y, y]), X, None)
    with pytest.raises(ValueError, match="a task label on every row"):
        columns.adapt(X[:6], y[:6], task=NEW)


def test_adapt_takes_one_new_task(fitted, rows):
    X, y, _ = rows
    model = fitted["numbers"]
    before = pickle.dumps(vars(model))
    with pytest.raises(ValueError, match=r"one new task, got tasks \[10\]"):
        model.adapt(X[:4], y[:4], task=10)
    with pytest.raises(ValueError, match="seen in the first batch"):
        fitted["two classes"].adapt(X[:2], ["a", "b"], task=NEW)
    assert pickle.dumps(vars(model)) == before


def test_the_estimated_strength_beats_the_mean_head_and_heads_near_zero():
    """The best strength of the latter is chosen by the test rows."""
    rng = np.random.default_rng(0)
    mix, heads = rng.normal(size=(6, 4)), 1.5 + 0.7 * rng.normal(size=(42, 4))

    def draw_task(t, n_rows):
        X = rng.normal(size=(n_rows, 6))
        return X, np.tanh(X @ mix / 2) @ heads[t] + 0.3 * rng.normal(size=n_rows)

    parts = [draw_task(t, 20) for t in range(30)]
    X, y = (np.concatenate(each) for each in zip(*parts, strict=True))
    model = MultiTaskMLPRegressor((24, 12), activation="tanh", random_state=0)
    model.fit(X, y, task=np.repeat(np.arange(30), 20))
    errors = []
    for t in range(30, 42):
        (few_X, few_y), (test_X, test_y) = draw_task(t, 6), draw_task(t, 400)
        few, test = (model.shared_features(each, task=t) for each in (few_X, test_X))
        heads_near_zero = [Ridge(alpha).fit(few, few_y) for alpha in (0.01, 0.1, 1, 10)]
        adapted = pickle.loads(pickle.dumps(model)).adapt(few_X, few_y, task=t)
        found = [each.predict(test_X, task=t) for each in (adapted, model)]
        found += [each.predict(test) for each in heads_near_zero]
        errors.append([np.mean((test_y - each) ** 2) for each in found])
    new, *others = np.mean(errors, axis=0)
    # Measured: 0.32, against 1.06 of the mean head and 0.43 near zero.
    assert new < 0.9 * min(others)
