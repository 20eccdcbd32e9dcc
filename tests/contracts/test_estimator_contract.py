"""Properties that every estimator of tasks must have; a new one joins the list."""

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
from scipy.linalg import LinAlgWarning
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.utils import get_tags

from skmtl.linear_model import (
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidge,
    MultiTaskRidgeCV,
)

CLASSES = [
    MultiTaskRidge,
    MultiTaskRidgeCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
]
MODELS = [
    MultiTaskRidge(),
    MultiTaskRidge(alpha=0.0),
    MultiTaskRidge(fit_intercept=False),
    MultiTaskRidgeCV(),
    MultiTaskRidgeCV(alpha_per_task=False, cv=2),
    MeanRegularizedRegressor(),
    MeanRegularizedRegressor(alpha=3.0, alpha_shared=0.5, alpha_intercept=2.0),
    MeanRegularizedRegressor(alpha=np.inf, alpha_intercept=np.inf),
    MeanRegularizedRegressor(fit_intercept=False),
    MeanRegularizedRegressorCV(),
    MeanRegularizedRegressorCV(method="gcv"),
    MeanRegularizedRegressorCV(method="cv", cv=2),
    MeanRegularizedRegressorCV(method="reml"),
    MeanRegularizedRegressorCV(method="reml", alpha_structure="per_feature"),
]
# Folds are dealt to rows in their order, which these tests change.
UNFOLDED = [model for model in MODELS if getattr(model, "cv", None) is None]
# Leaving out a row of integer weight leaves out all of its repetitions, also where
# held-out rows decide about the noise.
REPEATED = [
    *(MODELS[k] for k in (0, 1, 2, 5, 6, 7, 8)),
    *(clone(MODELS[k]).set_params(noise="common") for k in (10, 12, 13)),
]
# One of each class in the short suite, with other parameters where it has some.
SHORT = [MODELS[k] for k in (0, 3, 6, 9)]
each_unfolded = parametrize("model", UNFOLDED, SHORT)
each_class = pytest.mark.parametrize("Model", CLASSES)
each_model = parametrize("model", MODELS, SHORT)
LEARNT = ("coef_", "intercept_", "coef_shared_", "intercept_shared_")
# The strengths of largest likelihood are searched for to a relative 1e-7 of the
# criterion, so that coefficients keep about half of these digits.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def table():
    """Return X, y and labels of six uneven tasks, rows mixed."""
    rng = np.random.default_rng(11)
    labels = rng.permutation(np.repeat([3, 1, 8, 5, 2, 9], [12, 7, 16, 9, 11, 14]))
    X = rng.normal(size=(len(labels), 3)) + 1
    y = X @ [1.0, -1.0, 2.0] + labels / 3 + rng.normal(size=len(labels))
    y += X[:, 0] * np.sin(labels)
    return X, y, labels


def fitted(model, X, y, labels, **params):
    return clone(model).fit(X, y, task=labels, **params)


def assert_alike(first, second, rtol=1e-8, atol=1e-9):
    for name in LEARNT:
        values = getattr(first, name), getattr(second, name)
        assert_allclose(*values, rtol=rtol, atol=atol, err_msg=name)


# -- what tasks are called, and where they stand


@each_model
def test_the_three_layouts_give_the_same_model(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 3))
    Y = X @ rng.normal(size=(3, 4)) + 0.3 * rng.normal(size=(12, 4))
    labels, rows = np.tile(np.arange(4), 12), np.repeat(X, 4, axis=0)
    wide = clone(model).fit(X, Y)
    keyword = fitted(model, rows, Y.ravel(), labels)
    column = clone(model).set_params(task_column=-1)
    column.fit(np.column_stack([rows, labels]), Y.ravel())
    assert_alike(keyword, column)
    assert_array_equal(wide.tasks_, keyword.tasks_)
    assert_array_equal(column.tasks_, keyword.tasks_)
    assert_allclose(
        column.predict(np.column_stack([rows, labels])),
        keyword.predict(rows, task=labels),
    )
    assert_alike(wide, keyword, **TOLERANCE)
    assert wide.predict(X).shape == (12, 4)


@each_model
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_frame_is_an_array_with_names(table, model, frame):
    X, y, labels = table
    words = np.array([f"task {label}" for label in labels])
    data = frame({"a": X[:, 0], "task": words, "b": X[:, 1], "c": X[:, 2]})
    model = clone(model).set_params(task_column="task").fit(data, y)
    expected = fitted(clone(model).set_params(task_column=None), X, y, words)
    assert_alike(model, expected, rtol=0, atol=0)
    assert model.tasks_.tolist() == sorted(set(words))
    assert model.feature_names_in_.tolist() == ["a", "task", "b", "c"]
    assert model.n_features_in_ == 4
    assert model.coef_.shape == (6, 3)
    assert_allclose(model.predict(data), expected.predict(X, task=words))


@each_unfolded
def test_the_order_of_rows_does_not_matter(table, model):
    X, y, labels = table
    order = np.random.default_rng(0).permutation(len(y))
    first = fitted(model, X, y, labels)
    second = fitted(model, X[order], y[order], labels[order])
    assert_alike(first, second, **TOLERANCE)


@each_unfolded
def test_the_names_of_tasks_do_not_matter(table, model):
    X, y, labels = table
    renamed = np.array([f"{9 - label}" for label in labels])
    first, second = fitted(model, X, y, labels), fitted(model, X, y, renamed)
    order = [int(np.flatnonzero(second.tasks_ == f"{9 - t}")[0]) for t in first.tasks_]
    assert_allclose(first.coef_, second.coef_[order], **TOLERANCE)
    assert_allclose(first.intercept_, second.intercept_[order], **TOLERANCE)
    assert_allclose(first.coef_shared_, second.coef_shared_, **TOLERANCE)


@each_model
def test_tasks_not_seen_have_the_shared_part(table, model):
    X, y, labels = table
    model = fitted(model, X, y, labels)
    expected = X[:5] @ model.coef_shared_ + model.intercept_shared_
    assert_allclose(model.predict(X[:5], task=np.full(5, 77)), expected)
    mixed = model.predict(X[:3], task=np.array([77, labels[1], 78]))
    own = X[1] @ model.coef_[list(model.tasks_).index(labels[1])]
    own += model.intercept_[list(model.tasks_).index(labels[1])]
    assert_allclose(mixed, [expected[0], own, expected[2]])


@each_model
def test_tasks_not_seen_are_refused_on_request(table, model):
    X, y, labels = table
    model = fitted(clone(model).set_params(handle_unknown="error"), X, y, labels)
    with pytest.raises(ValueError, match=r"labels not seen in fit: \[77\]"):
        model.predict(X[:5], task=np.full(5, 77))


@each_model
def test_a_single_task_has_the_shapes_of_a_single_output(table, model):
    X, y, _ = table
    model = clone(model).fit(X, y)
    assert model.coef_.shape == model.coef_shared_.shape == (3,)
    assert np.ndim(model.intercept_) == 0
    assert model.tasks_.tolist() == [0]
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.5


# -- weights


@parametrize("model", REPEATED, [*SHORT, REPEATED[7]])
def test_integer_weights_are_repetitions(table, model):
    X, y, labels = table
    times = np.random.default_rng(1).integers(0, 4, len(y))
    again = [np.repeat(values, times, axis=0) for values in (X, y, labels)]
    weighted = fitted(model, X, y, labels, sample_weight=times)
    assert_alike(weighted, fitted(model, *again), **TOLERANCE)


@each_model
def test_ones_are_no_weights(table, model):
    X, y, labels = table
    expected = fitted(model, X, y, labels)
    assert_alike(fitted(model, X, y, labels, sample_weight=np.ones(len(y))), expected)
    ones = dict.fromkeys([1, 2, 3, 5, 8, 9], 1.0)
    assert_alike(
        fitted(clone(model).set_params(task_weight=ones), X, y, labels), expected
    )


@each_unfolded
def test_a_task_without_weight_is_like_one_not_seen(table, model):
    X, y, labels = table
    kept = labels != 5
    found = fitted(model, X, y, labels, sample_weight=kept.astype(float))
    expected = fitted(model, X[kept], y[kept], labels[kept])
    others = found.tasks_ != 5
    assert_allclose(found.coef_[others], expected.coef_, **TOLERANCE)
    assert_allclose(found.intercept_[others], expected.intercept_, **TOLERANCE)
    assert_allclose(found.coef_shared_, expected.coef_shared_, **TOLERANCE)
    assert_allclose(found.intercept_shared_, expected.intercept_shared_, **TOLERANCE)
    assert_allclose(found.coef_[~others][0], found.coef_shared_)


@each_model
def test_weights_of_tasks_are_weights_of_their_rows(table, model):
    X, y, labels = table
    factor = {1: 2.0, 2: 0.5, 3: 1.0, 5: 3.0, 8: 0.25, 9: 1.5}
    by_task = fitted(clone(model).set_params(task_weight=factor), X, y, labels)
    weight = np.array([factor[label] for label in labels])
    by_row = fitted(model, X, y, labels, sample_weight=weight)
    assert_alike(by_task, by_row, **TOLERANCE)


@each_model
def test_balanced_tasks_have_equal_totals(table, model):
    X, y, labels = table
    balanced = fitted(clone(model).set_params(task_weight="balanced"), X, y, labels)
    n = np.bincount(labels)
    weight = (len(y) / 6 / np.maximum(n, 1))[labels]
    by_row = fitted(model, X, y, labels, sample_weight=weight)
    assert_alike(balanced, by_row, **TOLERANCE)


# -- other forms of numbers


@each_model
def test_sparse_features_are_dense_ones(table, model):
    X, y, labels = table
    X = X * (np.random.default_rng(0).random(X.shape) > 0.4)
    dense = fitted(model, X, y, labels)
    thin = fitted(model, sparse.csr_array(X), y, labels)
    assert_alike(thin, dense, **TOLERANCE)
    assert_allclose(
        thin.predict(sparse.csc_array(X), task=labels),
        dense.predict(X, task=labels),
        rtol=1e-3,
    )


@each_model
def test_float32_is_float64_to_its_precision(table, model):
    X, y, labels = table
    single = fitted(model, X.astype(np.float32), y.astype(np.float32), labels)
    double = fitted(model, X.astype(np.float32).astype(float), y, labels)
    assert single.coef_.dtype == np.float32
    assert_allclose(single.coef_, double.coef_, rtol=1e-3, atol=1e-4)


@each_unfolded
def test_missing_outputs_are_left_out(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    Y = X @ rng.normal(size=(3, 4)) + 0.3 * rng.normal(size=(30, 4))
    Y[rng.random(Y.shape) < 0.3] = np.nan
    rows, codes = np.nonzero(~np.isnan(Y))
    wide = clone(model).fit(X, Y)
    assert_alike(wide, fitted(model, X[rows], Y[rows, codes], codes), **TOLERANCE)
    assert np.isfinite(wide.score(X, Y))


# -- manners


@each_model
def test_a_fit_is_reproduced_by_a_clone(table, model):
    first, second = fitted(model, *table), fitted(clone(model), *table)
    assert_alike(first, second, rtol=0, atol=0)


@each_model
def test_a_fit_does_not_touch_what_it_is_given(table, model):
    kept = [np.copy(values) for values in table]
    given = clone(model)
    params = given.get_params()
    given.fit(table[0], table[1], task=table[2])
    for values, copy in zip(table, kept, strict=True):
        assert_array_equal(values, copy)
    assert given.get_params() == params


@each_model
def test_a_pickle_predicts_the_same(table, model):
    X, y, labels = table
    model = fitted(model, X, y, labels)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X, task=labels), model.predict(X, task=labels))


@each_model
@pytest.mark.parametrize("fault", ["X", "y", "weight", "labels", "lengths"])
def test_a_fit_that_fails_leaves_the_model_as_it_was(table, model, fault):
    X, y, labels = table
    model = fitted(model, X, y, labels)
    before = pickle.dumps(vars(model))
    bad = {
        "X": (np.where(X > 2, np.nan, X), y, labels, None),
        "y": (X, np.where(y > 2, np.inf, y), labels, None),
        "weight": (X, y, labels, -np.ones(len(y))),
        "labels": (X, y, labels + 0.5, None),
        "lengths": (X, y[1:], labels, None),
    }[fault]
    with pytest.raises(ValueError):
        model.fit(bad[0], bad[1], sample_weight=bad[3], task=bad[2])
    assert pickle.dumps(vars(model)) == before


@each_class
def test_a_model_must_be_fitted_to_predict(Model):
    with pytest.raises(NotFittedError):
        Model().predict([[1.0]])
    with pytest.raises(NotFittedError):
        Model().score([[1.0]], [1.0])


@each_class
def test_labels_are_declared_once(Model, table):
    X, y, labels = table
    with pytest.raises(ValueError, match="declared in one way, got both task= and"):
        Model(task_column=0).fit(X, y, task=labels)


@each_class
@pytest.mark.parametrize(
    "params",
    [{"task_column": 1.5}, {"handle_unknown": "mean"}, {"fit_intercept": "no"}],
)
def test_parameters_are_checked_by_fit(Model, params, table):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        Model(**params).fit(table[0], table[1])


@each_class
def test_task_is_requested_without_being_asked(Model):
    with config_context(enable_metadata_routing=True):
        requests = Model().get_metadata_routing()
    for method in ("fit", "predict", "score"):
        assert getattr(requests, method).requests["task"] is True


@each_class
def test_tags_tell_of_the_task_column(Model):
    plain, column = get_tags(Model()), get_tags(Model(task_column=0))
    assert plain.target_tags.multi_output and not column.target_tags.multi_output
    assert column.input_tags.categorical and column.input_tags.string
    assert plain.input_tags.sparse and column.input_tags.sparse
    assert plain.regressor_tags is not None


@each_class
def test_a_target_of_one_column_is_one_task(Model, table):
    X, y, _ = table
    with pytest.warns(DataConversionWarning):
        model = Model().fit(X, y[:, None])
    assert_alike(model, Model().fit(X, y))


# -- ugly inputs

ugly_numbers = st.sampled_from([0.0, 1.0, -1.0, 3.5, 1e-300, 1e-8, 1e8, -7.25, 0.1])


@st.composite
def ugly_tables(draw):
    """Draw rows of few tasks: equal, constant, tiny and large, few and wide."""
    n_rows = draw(st.integers(1, 7))
    n_features = draw(st.integers(1, 9))
    numbers = draw(
        st.lists(
            ugly_numbers, min_size=n_rows * n_features, max_size=n_rows * n_features
        )
    )
    y = draw(st.lists(ugly_numbers, min_size=n_rows, max_size=n_rows))
    labels = draw(st.lists(st.integers(0, 2), min_size=n_rows, max_size=n_rows))
    weight = draw(
        st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=n_rows, max_size=n_rows)
    )
    X = np.array(numbers).reshape(n_rows, n_features)
    return X, np.array(y), np.array(labels), np.array(weight)


def outcome(model, X, y, labels, weight):
    """Return everything a fit says in numbers, or the error it raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        try:
            model = clone(model).fit(X, y, sample_weight=weight, task=labels)
        except ValueError as error:
            return str(error), np.zeros(0)
        unseen = model.predict(X, task=np.full(len(y), 77))
        seen = model.predict(X, task=labels)
    parts = [seen, unseen, *(np.ravel(getattr(model, name)) for name in LEARNT)]
    return "", np.concatenate(parts)


@each_model
@given(table=ugly_tables())
def test_ugly_tables_give_finite_numbers_or_a_clear_error(model, table):
    message, numbers = outcome(model, *table)
    assert np.isfinite(numbers).all()
    assert message == "" or "must" in message or "need" in message


@each_model
@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e150, 1e300])
@pytest.mark.parametrize("where", ["X", "y", "one column"])
def test_huge_and_tiny_numbers_give_finite_numbers_or_a_clear_error(
    table, model, size, where
):
    X, y, labels = table
    factor = np.where(np.arange(3) == 1, size, 1.0)
    X, y = {
        "X": (X * size, y),
        "y": (X, y * size / 10),
        "one column": (X * factor, y),
    }[where]
    message, numbers = outcome(model, X, y, labels, None)
    assert np.isfinite(numbers).all()
    assert message == "" or "must" in message or "need" in message


@each_model
@pytest.mark.parametrize("labels", [[1, "a", 2, "b"], [1.5, 2.0, 1.0, 2.0], [None] * 4])
def test_labels_of_mixed_types_are_refused(model, labels):
    X, y = np.arange(8.0).reshape(4, 2), np.arange(4.0)
    with pytest.raises(ValueError, match="task"):
        clone(model).fit(X, y, task=labels)


@each_class
def test_no_rows_are_refused(Model):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        Model().fit(np.zeros((0, 2)), np.zeros(0), task=np.zeros(0, dtype=int))
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        Model().fit(np.zeros((3, 0)), np.zeros(3))


# -- scikit-learn's own checks
