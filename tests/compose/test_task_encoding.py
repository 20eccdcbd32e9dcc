"""Task encodings for one model of all tasks."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import TargetEncoder

import skmtl._memory
from skmtl.compose import PooledTasks


class Recorder(RegressorMixin, BaseEstimator):
    """Store the features of fit, and predict the last column."""

    def fit(self, X, y, sample_weight=None):
        self.X_ = X
        return self

    def predict(self, X):
        X = X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float)
        return X[:, -1]


@pytest.fixture(scope="module")
def shifted_tasks():
    """Rows of many tasks that differ in their intercepts."""
    rng = np.random.default_rng(0)
    task, intercept = np.repeat(np.arange(60), 30), 3 * rng.normal(size=60)
    X = rng.normal(size=(1800, 2))
    y = X[:, 0] + intercept[task] + rng.normal(size=1800)
    new, of = rng.normal(size=(500, 2)), rng.integers(0, 60, 500)
    return X, y, task, new, of, new[:, 0] + intercept[of]


def error(model, shifted_tasks):
    X, y, task, new, of, target = shifted_tasks
    return np.mean((model.fit(X, y, task=task).predict(new, task=of) - target) ** 2)


@pytest.mark.full
def test_boosted_trees_predict_best_with_a_category(shifted_tasks):
    trees = HistGradientBoostingRegressor(max_iter=40)
    errors = {
        kind: error(PooledTasks(trees, task_encoding=kind), shifted_tasks)
        for kind in (None, "onehot", "target", "category")
    }
    assert errors["category"] < errors["onehot"] / 3 < errors[None] / 10
    assert errors["target"] < errors["onehot"] / 2


def test_task_intercepts_are_one_hot_columns(shifted_tasks):
    X, y, task, new, of, _ = shifted_tasks
    one = PooledTasks(task_intercepts=True).fit(X, y, task=task)
    two = PooledTasks(task_encoding="onehot").fit(X, y, task=task)
    assert_array_equal(one.predict(new, task=of), two.predict(new, task=of))
    both = PooledTasks(task_intercepts=True, task_encoding="target")
    with pytest.raises(ValueError, match="Leave out task_intercepts"):
        both.fit(X, y, task=task)


def test_many_tasks_make_a_sparse_matrix_of_the_same_model(shifted_tasks, monkeypatch):
    X, y, task, new, of, _ = shifted_tasks
    model = PooledTasks(LinearRegression(), task_encoding="onehot")
    dense = model.fit(X, y, task=task).predict(new, task=of)
    monkeypatch.setattr(skmtl._memory, "_LARGE", 1000)
    model = PooledTasks(LinearRegression(tol=1e-12), task_encoding="onehot")
    assert_allclose(model.fit(X, y, task=task).predict(new, task=of), dense, atol=1e-6)
    assert model._encoding.is_sparse


def test_an_estimator_without_sparse_support_gets_an_error_with_remedies(
    shifted_tasks, monkeypatch
):
    X, y, task, *_ = shifted_tasks
    monkeypatch.setattr(skmtl._memory, "_LARGE", 1000)
    model = PooledTasks(HistGradientBoostingRegressor(), task_encoding="onehot")
    with pytest.raises(
        ValueError, match=r"that accepts a sparse X for 60 tasks.*'target'"
    ):
        model.fit(X, y, task=task)


def test_many_rows_are_predicted_in_chunks(shifted_tasks, monkeypatch):
    X, y, task, new, of, _ = shifted_tasks
    model = PooledTasks(Ridge(), task_encoding="onehot").fit(X, y, task=task)
    whole = model.predict(new, task=of)
    model._encoding.chunk = 7
    assert_allclose(model.predict(new, task=of), whole, rtol=1e-12)


def encoded(X, y, task, **parameters):
    model = PooledTasks(Recorder(), task_encoding="target", **parameters)
    return model.fit(X, y, task=task)


def test_targets_of_new_rows_are_those_of_scikit_learn(shifted_tasks):
    X, y, task, new, of, _ = shifted_tasks
    model = encoded(X, y, task)
    encoder = TargetEncoder(target_type="continuous").fit(task[:, None], y)
    expected = encoder.transform(of[:, None])[:, 0]
    assert_allclose(model.predict(new, task=of), expected, rtol=1e-12)


def test_a_training_row_is_encoded_without_its_own_target(shifted_tasks):
    X, y, task, *_ = shifted_tasks
    first = encoded(X, y, task).estimator_.X_[:, -1]
    changed = y.copy()
    changed[5] += 1000
    second = encoded(X, changed, task).estimator_.X_[:, -1]
    assert second[5] == first[5]
    assert np.abs(second - first).max() > 1


def test_a_random_task_column_does_not_leak_the_target():
    rng = np.random.default_rng(0)
    task, y = np.repeat(np.arange(100), 3), rng.normal(size=300)
    column = encoded(np.zeros((300, 1)), y, task).estimator_.X_[:, -1]
    assert abs(np.corrcoef(column, y)[0, 1]) < 0.2


def test_an_unseen_task_has_the_mean_target(shifted_tasks):
    X, y, task, *_ = shifted_tasks
    found = encoded(X, y, task).predict(X[:2], task=[900, 901])
    assert_allclose(found, y.mean())


def test_rows_without_weight_have_no_effect_on_the_target_encoding(shifted_tasks):
    X, y, task, new, of, _ = shifted_tasks
    weight = np.ones(len(y))
    weight[::2] = 0
    model = PooledTasks(Recorder(), task_encoding="target")
    model.fit(X, y, sample_weight=weight, task=task)
    kept = encoded(X[1::2], y[1::2], task[1::2])
    assert_allclose(model.predict(new, task=of), kept.predict(new, task=of))


def test_each_class_has_a_column():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(300, 1)), np.repeat(np.arange(3), 100)
    y = np.where(rng.random(300) < 0.8, task, rng.integers(0, 3, 300))
    model = PooledTasks(LogisticRegression(), task_encoding="target")
    assert model.fit(X, y, task=task).estimator_.n_features_in_ == 4
    assert model.score(X, y, task=task) > 0.8
    frame = pd.DataFrame({"x": X[:, 0], "s": task})
    model = PooledTasks(LogisticRegression(), task_column="s", task_encoding="target")
    names = model.fit(frame, y > 0).estimator_.feature_names_in_
    assert names.tolist() == ["x", "s_target_True"]


def test_one_row_has_a_target_encoding():
    model = PooledTasks(Ridge(), task_encoding="target")
    assert_allclose(model.fit([[1.0]], [3.0], task=["a"]).predict([[1.0]], ["a"]), 3)


@pytest.mark.parametrize("kind", ["onehot", "category", "target"])
def test_frames_and_arrays_give_the_same_model(kind, shifted_tasks):
    X, y, task, new, of, _ = shifted_tasks
    trees = HistGradientBoostingRegressor(max_iter=10)
    array = PooledTasks(trees, task_encoding=kind).fit(X, y, task=task)
    expected = array.predict(new, task=of)
    model = PooledTasks(trees, task_column="s", task_encoding=kind)
    for library in (pd, pl):
        table = library.DataFrame({"a": X[:, 0], "b": X[:, 1], "s": task})
        query = library.DataFrame({"a": new[:, 0], "b": new[:, 1], "s": of})
        assert_allclose(model.fit(table, y).predict(query), expected, rtol=1e-9)


def test_a_category_is_added_to_those_of_the_estimator(shifted_tasks):
    X, y, task, *_ = shifted_tasks
    X = np.column_stack([X, task % 3])
    for given, expected in (([2], [2, 3]), ([False, False, True], [2, 3])):
        trees = HistGradientBoostingRegressor(max_iter=2, categorical_features=given)
        model = PooledTasks(trees, task_encoding="category").fit(X, y, task=task)
        assert model.estimator_.categorical_features == expected
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(s=task)
    trees = HistGradientBoostingRegressor(max_iter=2, categorical_features=["c"])
    model = PooledTasks(trees, task_column="s", task_encoding="category")
    assert model.fit(frame, y).estimator_.categorical_features == ["c", "s"]


@pytest.mark.full
def test_a_search_over_trees_accepts_categories(shifted_tasks):
    trees = HistGradientBoostingRegressor(max_iter=20)
    search = GridSearchCV(trees, {"max_leaf_nodes": [7, 15]}, cv=3)
    found = error(PooledTasks(search, task_encoding="category"), shifted_tasks)
    assert found < error(PooledTasks(search), shifted_tasks) / 5


def test_an_unseen_category_is_missing(shifted_tasks):
    X, y, task, *_ = shifted_tasks
    trees = HistGradientBoostingRegressor(max_iter=5)
    model = PooledTasks(trees, task_encoding="category").fit(X, y, task=task)
    assert np.isfinite(model.predict(X[:2], task=[900, 901])).all()
    assert np.isnan(model._encoding.encode(X[:1], np.array([-1]))[0, -1])


def test_an_estimator_without_categories_is_refused(shifted_tasks):
    X, y, task, *_ = shifted_tasks
    model = PooledTasks(Ridge(), task_encoding="category")
    with pytest.raises(ValueError, match="needs an estimator that supports categories"):
        model.fit(X, y, task=task)


def test_too_many_categories_are_refused():
    task, rng = np.arange(300), np.random.default_rng(0)
    X, y = rng.normal(size=(300, 1)), rng.integers(0, 2, 300)
    trees = HistGradientBoostingClassifier(max_iter=2)
    model = PooledTasks(trees, task_encoding="category")
    with pytest.raises(ValueError, match=r"at most 255 tasks.* got 300. Use 'target'"):
        model.fit(X, y, task=task)
    model.set_params(task_encoding="target").fit(X, y, task=task)


def test_a_single_undeclared_task_is_not_encoded():
    X, y = np.ones((4, 1)), np.arange(4.0)
    for kind in ("onehot", "category", "target"):
        model = PooledTasks(Recorder(), task_encoding=kind).fit(X, y)
        assert model.estimator_.X_.shape == (4, 1)


def test_columns_of_y_are_encoded_as_tasks():
    rng = np.random.default_rng(0)
    X, intercepts = rng.normal(size=(80, 1)), np.array([0.0, 5.0])
    Y = X + intercepts + 0.1 * rng.normal(size=(80, 2))
    trees = HistGradientBoostingRegressor(max_iter=30)
    found = PooledTasks(trees, task_encoding="category").fit(X, Y).predict(X)
    assert_allclose(found.mean(axis=0), Y.mean(axis=0), atol=0.3)


@pytest.mark.full
def test_lightgbm_accepts_a_category(shifted_tasks):
    lightgbm = pytest.importorskip("lightgbm")
    X, y, task, new, of, target = shifted_tasks
    trees = lightgbm.LGBMRegressor(n_estimators=40, verbose=-1)
    model = PooledTasks(trees, task_encoding="category")
    assert error(model, shifted_tasks) < error(PooledTasks(trees), shifted_tasks) / 10
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(s=task)
    query = pd.DataFrame(new, columns=["a", "b"]).assign(s=of)
    model = PooledTasks(trees, task_column="s", task_encoding="category")
    assert np.mean((model.fit(frame, y).predict(query) - target) ** 2) < 1
