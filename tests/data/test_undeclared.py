"""Rows with undeclared tasks form one task, with a warning."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skmtl.compose import IndependentTasks, PooledTasks
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MixedTaskModel,
    MultiTaskRidge,
    MultiTaskRidgeCV,
    PathSearchCV,
    mean_regularized_path,
)

SAYS_ONE_TASK = (
    r"All rows are taken as one task, as y is 1-d and \w+ was given no task. Declare "
    r"tasks with task_column=, with task=, or as the columns of a 2-d y; for a "
    r"single task, use task=0 in fit\.$"
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 2))
Y = (X[:, 0] + RNG.normal(size=24) > 0).astype(int)  # a class, a count or a number
LABELS = np.repeat([4, 5, 6], 8)
MODELS = [
    MultiTaskRidge(),
    MultiTaskRidgeCV(cv=KFold(3)),
    MeanRegularizedRegressorCV(),
    MeanRegularizedClassifier(),
    MeanRegularizedClassifierCV(),
    MeanRegularizedPoissonRegressor(),
    MixedTaskModel({0: "squared"}),
    PathSearchCV(MultiTaskRidge(), n_alphas=3),
    IndependentTasks(),
    PooledTasks(),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


@pytest.fixture(autouse=True)
def _every_warning_counts():
    """Undo the filter in pyproject.toml that ignores this warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@each_model
def test_forgotten_tasks_are_a_warning_that_says_how_to_declare_them(model):
    with pytest.warns(UserWarning, match=SAYS_ONE_TASK):
        model.fit(X, Y)


@each_model
def test_one_task_can_be_declared(model):
    declared = model.fit(X, Y, task=0).predict(X).astype(float)
    assert_array_equal(model.predict(X, task=0), declared)
    assert_array_equal(model.fit(X, Y, task=np.zeros(24, int)).predict(X), declared)
    with pytest.warns(UserWarning, match="All rows are taken as one task"):
        undeclared = model.fit(X, Y).predict(X).astype(float)
    assert_allclose(undeclared, declared)


def test_a_path_and_a_first_batch_warn_and_a_second_batch_does_not():
    with pytest.warns(UserWarning, match="All rows are taken as one task"):
        mean_regularized_path(X, Y, alphas=[1.0])
    with pytest.warns(UserWarning, match="All rows are taken as one task"):
        model = MeanRegularizedRegressor().partial_fit(X, Y)
    assert model.partial_fit(X, Y).n_tasks_ == 1


def test_declared_tasks_are_no_warning():
    table = np.column_stack([X, LABELS])
    MultiTaskRidge(task_column=-1).fit(table, Y)
    MultiTaskRidge().fit(X, Y, task=LABELS)
    MultiTaskRidge().fit(X, np.column_stack([Y, Y]))


@pytest.mark.parametrize(
    "inner", [MultiTaskRidge(), MeanRegularizedClassifier(), RidgeCV()], ids=str
)
@pytest.mark.parametrize("Wrapper", [IndependentTasks, PooledTasks])
def test_clones_in_a_wrapper_do_not_warn(Wrapper, inner):
    Wrapper(inner).fit(X, Y, task=np.tile([4, 5], 12))


@pytest.mark.parametrize("label", ["Ash", 7])
def test_a_label_stands_for_all_rows(label):
    one = MultiTaskRidge().fit(X, Y, task=label)
    assert one.tasks_.tolist() == [label]
    model = MultiTaskRidge().fit(X, Y, task=LABELS)
    expected = model.predict(X, task=np.full(24, 5))
    assert_array_equal(model.predict(X, task=5), expected)
    wrapped = IndependentTasks().fit(X, Y, task=LABELS)
    expected = wrapped.predict(X, task=np.full(24, 5))
    assert_array_equal(wrapped.predict(X, task=5), expected)


def test_batches_of_one_task_each_are_labelled_by_one_label():
    batches = [(X[8 * k : 8 * k + 8], Y[8 * k : 8 * k + 8], 4 + k) for k in range(3)]
    model = MeanRegularizedRegressor()
    for rows, target, label in batches:
        model.partial_fit(rows, target, task=label)
    expected = MeanRegularizedRegressor().fit(X, Y, task=LABELS)
    assert_allclose(model.coef_, expected.coef_)


def test_tools_of_scikit_learn_take_one_declared_task():
    search = GridSearchCV(MultiTaskRidge(), {"alpha": [0.1, 1.0]}, cv=2)
    assert search.fit(X, Y, task=0).predict(X).shape == (24,)
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(MultiTaskRidge(), X, Y, cv=2, params={"task": 0})
    assert np.isfinite(scores["test_score"]).all()


def test_labels_forgotten_in_predict_are_still_refused():
    for model in (MultiTaskRidge(), IndependentTasks()):
        model.fit(X, Y, task=LABELS)
        with pytest.raises(ValueError, match="needs task="):
            model.predict(X)
