"""Features copied for all tasks and for each task."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import BayesianRidge, ElasticNet, Lasso, LassoCV, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVR

from skmtl.compose import TaskFeatureAugmenter
from skmtl.linear_model import MeanRegularizedRegressor


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    task = rng.permutation(np.repeat(["a", "b", "c"], [5, 9, 12]))
    X = rng.normal(size=(26, 3))
    return X, X[:, 0] + (task == "b") * X[:, 1] + rng.normal(size=26), task


def test_ridge_on_the_copies_is_mean_regularised(rows):
    X, y, task = rows
    augmenter = TaskFeatureAugmenter(shared_scale=0.7)
    ridge = Ridge(alpha=2.0, solver="lsqr", tol=1e-13)
    ridge.fit(augmenter.fit_transform(X, task=task), y)
    model = MeanRegularizedRegressor(2.0, alpha_shared=2 / 0.7**2, alpha_intercept=2.0)
    model.fit(X, y, task=task)
    for labels in (task, np.repeat("a", 26)):
        found = ridge.predict(augmenter.transform(X, task=labels))
        assert_allclose(found, model.predict(X, task=labels), atol=1e-9)
    new = ridge.predict(augmenter.transform(X, task=np.repeat("new", 26)))
    assert_allclose(new, X @ model.coef_shared_ + ridge.intercept_, atol=1e-9)


def test_blocks_and_their_names(rows):
    X, _, task = rows
    augmenter = TaskFeatureAugmenter(task_intercepts=False).fit(X, task=task)
    found = augmenter.transform(sparse.csr_matrix(X), task=task).toarray()
    blocks = [X, *(X * (task == label)[:, None] for label in "abc")]
    assert_array_equal(found, np.hstack(blocks))
    frame = pd.DataFrame({"u": X[:, 0], "school": task, "v": X[:, 1]})
    augmenter = TaskFeatureAugmenter(task_column="school").fit(frame)
    names = augmenter.get_feature_names_out().tolist()
    assert names[:5] == ["shared__u", "shared__v", "a__u", "a__v", "a__intercept"]
    assert augmenter.transform(frame).shape == (26, len(names))


def test_any_estimator_of_scikit_learn_takes_the_copies(rows):
    X, y, task = rows
    table = np.column_stack([X.astype(object), task])
    augmenter = TaskFeatureAugmenter(task_column=-1)
    scores = cross_val_score(make_pipeline(augmenter, Ridge()), table, y, cv=3)
    assert np.isfinite(scores).all()


def test_an_unseen_task_may_be_refused(rows):
    X, _, task = rows
    augmenter = TaskFeatureAugmenter(handle_unknown="error").fit(X, task=task)
    with pytest.raises(ValueError, match="labels not seen in fit"):
        augmenter.transform(X, task=np.repeat("new", 26))
    with pytest.raises(ValueError, match="needs task= here too"):
        augmenter.transform(X)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("intercepts", [False, True])
def test_copies_have_indices_of_32_bits(rows, container, intercepts):
    """Coordinate descent and LIBLINEAR refuse others."""
    X, y, task = rows
    augmenter = TaskFeatureAugmenter(task_intercepts=intercepts)
    copies = augmenter.fit_transform(container(X), task=task)
    assert copies.indices.dtype == copies.indptr.dtype == np.int32
    for model in (Lasso(0.1), ElasticNet(0.1), LassoCV(cv=3), LinearSVR()):
        found = model.fit(copies, y).predict(copies)
        assert_allclose(found, model.predict(copies.toarray()))


def test_long_indices_of_the_features_are_narrowed(rows):
    X, _, task = rows
    features = sparse.csr_array(X)
    features.indices = features.indices.astype(np.int64)
    features.indptr = features.indptr.astype(np.int64)
    copies = TaskFeatureAugmenter().fit_transform(features, task=task)
    assert copies.indices.dtype == copies.indptr.dtype == np.int32


def test_dense_copies_are_the_sparse_ones(rows):
    X, y, task = rows
    thin = TaskFeatureAugmenter().fit(X, task=task)
    dense = TaskFeatureAugmenter(sparse_output=False).fit(X, task=task)
    labels = np.where(task == "a", "new", task)
    expected = thin.transform(X, task=labels).toarray()
    assert_array_equal(dense.transform(X, task=labels), expected)
    BayesianRidge().fit(dense.transform(X, task=task), y)


def test_dataframes_need_dense_copies(rows):
    X, _, task = rows
    frame = pd.DataFrame(X, columns=list("uvw"), index=np.arange(26) + 5)
    dense = TaskFeatureAugmenter(sparse_output=False).set_output(transform="pandas")
    found = dense.fit_transform(frame, task=task)
    assert list(found.columns) == dense.get_feature_names_out().tolist()
    assert_array_equal(found.index, frame.index)
    thin = TaskFeatureAugmenter().set_output(transform="pandas")
    with pytest.raises(ValueError, match="sparse_output must be False with set_output"):
        thin.fit_transform(frame, task=task)


def test_huge_dense_copies_are_refused():
    task = np.arange(200_000)
    augmenter = TaskFeatureAugmenter(sparse_output=False).fit(task[:, None], task=task)
    with pytest.raises(ValueError, match="dense copies of the features"):
        augmenter.transform(task[:, None], task=task)
