"""Properties that every classifier of tasks must have; a new one joins the list."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import parametrize
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skmtl.linear_model import GraphRegularizedClassifier, MeanRegularizedClassifier
from skmtl.neural_network import MultiTaskMLPClassifier

CLASSES = [MeanRegularizedClassifier, GraphRegularizedClassifier]
MODELS = [
    MeanRegularizedClassifier(),
    MeanRegularizedClassifier(alpha=0.3, alpha_shared=0.1, alpha_intercept=2.0),
    MeanRegularizedClassifier(alpha=np.inf, alpha_intercept=np.inf),
    MeanRegularizedClassifier(fit_intercept=False),
    MeanRegularizedClassifier(class_scope="task"),
    GraphRegularizedClassifier(),
    GraphRegularizedClassifier("complete", alpha=0.5, fit_intercept=False),
]
each_class = pytest.mark.parametrize("Model", CLASSES)
SHORT = [MODELS[k] for k in (1, 5)]
each_model = parametrize("model", MODELS, SHORT)
# Chain models depend on the order of tasks, and have a place for new tasks.
ORDERLESS = [model for model in MODELS if getattr(model, "graph", "") != "chain"]
each_orderless = parametrize("model", ORDERLESS, SHORT)
LEARNT = ("coef_", "intercept_", "coef_shared_", "intercept_shared_")
LABELS = [1, 2, 3, 5, 8, 9]
each_kind = parametrize("n_classes", [2, 3], short=[3])


def draw(n_classes):
    """Return X, classes and labels of six uneven tasks, rows mixed."""
    rng = np.random.default_rng(11)
    task = rng.permutation(np.repeat([3, 1, 8, 5, 2, 9], [22, 17, 26, 19, 21, 24]))
    X = rng.normal(size=(len(task), 3)) + 0.5
    score = X @ [1.0, -1.0, 0.5] + X[:, 0] * np.sin(task) + rng.logistic(size=len(task))
    cuts = np.quantile(score, np.arange(1, n_classes) / n_classes)
    return X, np.array(["low", "top", "mid"])[np.searchsorted(cuts, score)], task


def fitted(model, X, y, task, **params):
    return clone(model).fit(X, y, task=task, **params)


def assert_alike(first, second, rtol=1e-6, atol=1e-7):
    for name in LEARNT:
        values = getattr(first, name), getattr(second, name)
        assert_allclose(*values, rtol=rtol, atol=atol, err_msg=name)


# What tasks are called, and where they stand


@each_model
@each_kind
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_task_column_says_what_labels_say(model, n_classes, frame):
    X, y, task = draw(n_classes)
    words = np.array([f"task {label}" for label in task])
    data = frame({"a": X[:, 0], "task": words, "b": X[:, 1], "c": X[:, 2]})
    column = clone(model).set_params(task_column="task").fit(data, y)
    keyword = fitted(model, X, y, words)
    assert_alike(column, keyword, rtol=0, atol=0)
    assert column.feature_names_in_.tolist() == ["a", "task", "b", "c"]
    found = keyword.predict_proba(X, task=words)
    assert_allclose(column.predict_proba(data), found)
    assert_array_equal(column.predict(data), keyword.predict(X, task=words))


@each_model
def test_columns_of_zeros_and_ones_are_tasks(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = (X @ rng.normal(size=(3, 4)) + rng.logistic(size=(40, 4)) > 0).astype(float)
    Y[rng.random(Y.shape) < 0.2] = np.nan
    rows, codes = np.nonzero(~np.isnan(Y))
    wide = clone(model).fit(X, Y)
    long = fitted(model, X[rows], Y[rows, codes].astype(int), codes)
    assert_alike(wide, long)
    assert [classes.tolist() for classes in wide.classes_] == [[0, 1]] * 4
    found = np.stack(wide.predict_proba(X))[codes, rows]
    assert_allclose(found, long.predict_proba(X[rows], task=codes))
    right = wide.predict(X) == Y
    expected = right.sum(axis=0) / (~np.isnan(Y)).sum(axis=0)
    assert wide.score(X, Y) == pytest.approx(expected.mean())
    assert not hasattr(wide, "decision_function")


@each_model
@each_kind
def test_the_order_of_rows_does_not_matter(model, n_classes):
    X, y, task = draw(n_classes)
    order = np.random.default_rng(0).permutation(len(y))
    again = fitted(model, X[order], y[order], task[order])
    assert_alike(fitted(model, X, y, task), again)


@each_orderless
def test_the_names_of_tasks_do_not_matter(model):
    X, y, task = draw(3)
    first = fitted(model, X, y, task)
    second = fitted(model, X, y, np.array([f"{9 - label}" for label in task]))
    assert_allclose(first.coef_, second.coef_[::-1], rtol=1e-6, atol=1e-7)
    assert_allclose(first.coef_shared_, second.coef_shared_, rtol=1e-6, atol=1e-7)


@each_orderless
@each_kind
def test_tasks_not_seen_have_the_shared_part(model, n_classes):
    X, y, task = draw(n_classes)
    model = fitted(model, X, y, task)
    found = model.predict_proba(X[:5], task=np.full(5, 77))
    scores = X[:5] @ model.coef_shared_.T + model.intercept_shared_
    scores = np.stack([np.zeros(5), scores], axis=1) if n_classes == 2 else scores
    expected = np.exp(scores)
    assert_allclose(found, expected / expected.sum(axis=1, keepdims=True))


@each_model
def test_tasks_not_seen_are_refused_on_request(model):
    X, y, task = draw(2)
    model = fitted(clone(model).set_params(handle_unknown="error"), X, y, task)
    with pytest.raises(ValueError, match=r"labels not seen in fit: \[77\]"):
        model.predict_proba(X[:5], task=np.full(5, 77))


@each_model
@pytest.mark.parametrize(("n_classes", "n_rows"), [(2, 1), (3, 3)])
def test_a_single_task_has_the_shapes_of_scikit_learn(model, n_classes, n_rows):
    X, y, _ = draw(n_classes)
    model = clone(model).set_params(task_column=None)
    model = model.fit(X, y)
    assert model.coef_.shape == (n_rows, 3)
    assert model.intercept_.shape == (n_rows,)
    assert model.predict_proba(X).shape == (len(y), n_classes)
    assert model.score(X, y) > 1 / n_classes


@each_model
@each_kind
def test_predictions_are_the_most_probable_classes(model, n_classes):
    X, y, task = draw(n_classes)
    model = fitted(model, X, y, task)
    found = model.predict_proba(X, task=task)
    assert_allclose(found.sum(axis=1), 1)
    chosen = model.classes_[found.argmax(axis=1)]
    assert_array_equal(model.predict(X, task=task), chosen)
    assert_allclose(np.exp(model.predict_log_proba(X, task=task)), found)
    assert model.classes_.tolist() == sorted(set(y))


# Weights


@each_model
@each_kind
def test_integer_weights_are_repetitions(model, n_classes):
    X, y, task = draw(n_classes)
    times = np.random.default_rng(1).integers(0, 4, len(y))
    again = [np.repeat(values, times, axis=0) for values in (X, y, task)]
    weighted = fitted(model, X, y, task, sample_weight=times)
    assert_alike(weighted, fitted(model, *again))


@each_model
def test_weights_of_tasks_are_weights_of_their_rows(model):
    X, y, task = draw(3)
    factor = {1: 2.0, 2: 0.5, 3: 1.0, 5: 3.0, 8: 0.25, 9: 1.5}
    by_task = fitted(clone(model).set_params(task_weight=factor), X, y, task)
    weight = np.array([factor[label] for label in task])
    assert_alike(by_task, fitted(model, X, y, task, sample_weight=weight))


@each_model
@each_kind
def test_weights_of_classes_are_weights_of_their_rows(model, n_classes):
    X, y, task = draw(n_classes)
    factor = {"low": 2.0, "mid": 0.5, "top": 3.0}
    by_class = fitted(clone(model).set_params(class_weight=factor), X, y, task)
    weight = np.array([factor[label] for label in y])
    assert_alike(by_class, fitted(model, X, y, task, sample_weight=weight))


@each_model
def test_balanced_classes_have_equal_totals(model):
    X, y, task = draw(3)
    X, y, task = X[10:], np.where(y[10:] == "mid", "low", y[10:]), task[10:]
    balanced = fitted(clone(model).set_params(class_weight="balanced"), X, y, task)
    share = {label: len(y) / 2 / (y == label).sum() for label in set(y)}
    weight = np.array([share[label] for label in y])
    assert_alike(balanced, fitted(model, X, y, task, sample_weight=weight))


@parametrize("model", MODELS[:5], SHORT)
def test_a_task_without_weight_is_like_one_not_seen(model):
    X, y, task = draw(2)
    kept = task != 5
    found = fitted(model, X, y, task, sample_weight=kept.astype(float))
    expected = fitted(model, X[kept], y[kept], task[kept])
    others = found.tasks_ != 5
    close = {"rtol": 1e-6, "atol": 1e-7}
    assert_allclose(found.coef_[others], expected.coef_, **close)
    assert_allclose(found.intercept_[others], expected.intercept_, **close)
    assert_allclose(found.coef_shared_, expected.coef_shared_, **close)
    assert_allclose(found.coef_[~others][0], found.coef_shared_, **close)


# Other forms of numbers


@each_model
@each_kind
def test_sparse_features_are_dense_ones(model, n_classes):
    X, y, task = draw(n_classes)
    X = X * (np.random.default_rng(0).random(X.shape) > 0.4)
    dense = fitted(model, X, y, task)
    thin = fitted(model, sparse.csr_array(X), y, task)
    assert_alike(thin, dense)
    found = thin.predict_proba(sparse.csc_array(X), task=task)
    assert_allclose(found, dense.predict_proba(X, task=task), rtol=1e-5)


@each_model
def test_float32_is_float64_to_its_precision(model):
    X, y, task = draw(3)
    single = fitted(model, X.astype(np.float32), y, task)
    double = fitted(model, X.astype(np.float32).astype(float), y, task)
    assert single.coef_.dtype == np.float32
    assert_allclose(single.coef_, double.coef_, rtol=1e-3, atol=1e-4)


# Classes that some tasks lack


@parametrize("model", [MODELS[k] for k in (0, 3, 4, 5, 6)], SHORT)
@each_kind
def test_a_task_of_one_class_has_finite_coefficients(model, n_classes):
    X, y, task = draw(n_classes)
    y = np.where(task == 3, "low", y)
    model = fitted(model, X, y, task)
    assert np.isfinite(model.coef_).all()
    assert np.abs(model.intercept_).max() < 20
    found = model.predict_proba(X[task == 3], task=task[task == 3])
    assert found[:, model.classes_.tolist().index("low")].mean() > 0.6
    assert model.task_classes_[model.tasks_ == 3].sum() == 1


def test_tasks_keep_to_their_classes_if_asked():
    X, y, task = draw(3)
    y = np.where((task == 3) & (y == "mid"), "low", y)
    y = np.where(task == 8, "top", y)
    model = MeanRegularizedClassifier(class_scope="task").fit(X, y, task=task)
    found = model.predict_proba(X, task=task)
    assert (found[task == 3][:, 1] == 0).all()
    assert_array_equal(found[task == 8], [[0, 0, 1]] * (task == 8).sum())
    assert (found[task == 9] > 0).all()
    assert_allclose(found.sum(axis=1), 1)
    assert not hasattr(model, "decision_function")


@pytest.mark.parametrize(
    "model",
    [
        MeanRegularizedClassifier(),
        MultiTaskMLPClassifier((4,), max_iter=50, tol=0.1, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("scopes", [("task", "all"), ("all", "task")])
def test_a_scope_set_after_fit_changes_no_probability(model, scopes):
    X, y, task = draw(3)
    y = np.where(task == 8, "top", y)
    model = clone(model).set_params(class_scope=scopes[0]).fit(X, y, task=task)
    expected = model.predict_proba(X, task=task)
    model.set_params(class_scope=scopes[1])
    assert_array_equal(model.predict_proba(X, task=task), expected)
    assert hasattr(model, "decision_function") == (scopes[0] == "all")


@each_class
def test_rows_of_one_class_are_refused(Model):
    X, y, task = draw(2)
    with pytest.raises(ValueError, match="got one class: \\['top'\\]"):
        Model().fit(X, y, task=task, sample_weight=(y == "top").astype(float))


@each_class
def test_a_wide_target_holds_zeros_and_ones(Model):
    with pytest.raises(ValueError, match=r"must hold 0, 1 and NaN.*got 2\.0"):
        Model().fit(np.eye(3), [[0, 1], [1, 2], [0, np.nan]])


# Manners


@each_model
def test_a_fit_does_not_touch_what_it_is_given(model):
    table = draw(3)
    kept = [np.copy(values) for values in table]
    fitted(model, *table)
    for values, copy in zip(table, kept, strict=True):
        assert_array_equal(values, copy)


@each_model
def test_a_pickle_predicts_the_same(model):
    X, y, task = draw(3)
    model = fitted(model, X, y, task)
    again = pickle.loads(pickle.dumps(model))
    found = again.predict_proba(X, task=task)
    assert_array_equal(found, model.predict_proba(X, task=task))


@each_model
@pytest.mark.parametrize("fault", ["X", "y", "weight", "labels", "lengths"])
def test_a_fit_that_fails_leaves_the_model_as_it_was(model, fault):
    X, y, task = draw(2)
    model = fitted(model, X, y, task)
    before = pickle.dumps(vars(model))
    bad = {
        "X": (np.where(X > 2, np.nan, X), y, task, None),
        "y": (X, np.where(y == "top", "low", y), task, None),
        "weight": (X, y, task, -np.ones(len(y))),
        "labels": (X, y, task + 0.5, None),
        "lengths": (X, y[1:], task, None),
    }[fault]
    with pytest.raises(ValueError):
        model.fit(bad[0], bad[1], sample_weight=bad[3], task=bad[2])
    assert pickle.dumps(vars(model)) == before


@each_model
def test_a_warm_start_arrives_where_a_cold_one_does(model):
    X, y, task = draw(2)
    warm = clone(model).set_params(warm_start=True).fit(X, y, task=task)
    n_iter = warm.n_iter_
    warm.fit(X, y, task=task)
    assert warm.n_iter_ < n_iter
    assert_alike(warm, fitted(model, X, y, task))


@each_model
def test_a_fit_that_ends_early_says_what_to_do(model):
    with pytest.warns(ConvergenceWarning, match=r"After 1 iterations.*Raise max_iter"):
        fitted(clone(model).set_params(max_iter=1), *draw(2))


@each_class
def test_a_model_must_be_fitted_to_predict(Model):
    with pytest.raises(NotFittedError):
        Model().predict_proba([[1.0]])


# Ugly inputs

ugly_numbers = st.sampled_from([0.0, 1.0, -1.0, 3.5, 1e-300, 1e-8, 1e8, -7.25, 0.1])


@st.composite
def ugly_tables(draw):
    """Draw rows of few tasks: equal, constant, tiny and large, few and wide."""
    n_rows, n_features = draw(st.integers(1, 8)), draw(st.integers(1, 9))
    size = n_rows * n_features
    numbers = draw(st.lists(ugly_numbers, min_size=size, max_size=size))
    codes = st.lists(st.integers(0, 2), min_size=n_rows, max_size=n_rows)
    weights = st.lists(
        st.sampled_from([0.0, 1.0, 2.0]), min_size=n_rows, max_size=n_rows
    )
    X = np.array(numbers).reshape(n_rows, n_features)
    return X, np.array(draw(codes)), np.array(draw(codes)), np.array(draw(weights))


def outcome(model, X, y, task, weight):
    """Return everything a fit says in numbers, or the error it raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model = clone(model).fit(X, y, sample_weight=weight, task=task)
        except ValueError as error:
            return str(error), np.zeros(0)
    seen = model.predict_proba(X, task=task)
    unseen = model.predict_proba(X, task=np.full(len(y), 77))
    parts = [seen, unseen, *(getattr(model, name) for name in LEARNT)]
    return "", np.concatenate([np.ravel(part) for part in parts])


@each_model
@given(table=ugly_tables())
def test_ugly_tables_give_finite_numbers_or_a_clear_error(model, table):
    message, numbers = outcome(model, *table)
    assert np.isfinite(numbers).all()
    assert message == "" or "must" in message or "need" in message


@each_model
@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e150, 1e300])
@pytest.mark.parametrize("where", [[0, 1, 2], [1]])
def test_huge_and_tiny_numbers_give_finite_numbers_or_a_clear_error(model, size, where):
    X, y, task = draw(2)
    X[:, where] *= size
    message, numbers = outcome(model, X, y, task, None)
    assert np.isfinite(numbers).all()
    assert message == "" or "must" in message or "need" in message


@each_model
@pytest.mark.parametrize("alpha", [0.0, 1e-12, 1e-3])
def test_classes_that_a_plane_divides_do_not_diverge(model, alpha):
    X, _, task = draw(2)
    y = X[:, 0] > 0
    model = clone(model)
    model.set_params(**{name: alpha for name in model.get_params() if name == "alpha"})
    model = model.fit(X, y, task=task)
    assert np.isfinite(model.coef_).all()
    assert model.score(X, y, task=task) > 0.95
