"""Does sharing help to tell classes apart, or to predict counts?"""

import numpy as np
import pandas as pd
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.metrics import brier_score_loss, log_loss, mean_poisson_deviance
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skmtl.compose import IndependentTasks, PooledTasks
from skmtl.inspection import compare_tasks, default_models
from skmtl.linear_model import MeanRegularizedClassifier, MultiTaskRidge
from skmtl.model_selection import LeaveOneTaskOut, TaskKFold

pytestmark = pytest.mark.filterwarnings("error")


def _make(n_tasks=12, n_samples=12, spread=0.3, seed=0):
    """Small tasks whose log-odds are alike: a frame, and truths."""
    rng = np.random.default_rng(seed)
    n_rows = n_tasks * n_samples
    W = rng.normal(size=4) * 1.5 + spread * rng.normal(size=(n_tasks, 4))
    task = np.repeat(np.arange(n_tasks), n_samples)
    X = rng.normal(size=(n_rows, 4))
    odds = np.exp((X * W[task]).sum(axis=1) + 0.3 * rng.normal(size=n_tasks)[task])
    y = rng.random(n_rows) < odds / (1 + odds)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"]).assign(task=task)
    return frame, y


def _models(task_column=None):
    return {
        "apart": IndependentTasks(LogisticRegression(), task_column=task_column),
        "shared": MeanRegularizedClassifier(
            3.0, alpha_intercept=1.0, task_column=task_column
        ),
        "pooled": PooledTasks(LogisticRegression(), task_column=task_column),
    }


def _folds(X, y):
    folds = TaskKFold(
        5, task_column="task", stratify=True, shuffle=True, random_state=0
    )
    return list(folds.split(X, y))


@pytest.fixture(scope="module")
def comparison():
    X, y = _make()
    return compare_tasks(_models(), X, y, task_column="task", random_state=0)


# Losses


@pytest.mark.full
@parametrize("place", [0, 1, 2], short=[1])
def test_errors_are_those_of_a_loop_over_folds_and_tasks(comparison, place):
    X, y = _make()
    model = list(_models("task").values())[place]
    expected = []
    for train, test in _folds(X, y):
        fitted = clone(model).fit(X.iloc[train], y[train])
        proba = fitted.predict_proba(X.iloc[test])
        task = X["task"].to_numpy()[test]
        losses = [
            log_loss(y[test][task == t], proba[task == t], labels=[False, True])
            for t in np.unique(task)
        ]
        expected.append(np.mean(losses))
    assert comparison.metric == "log_loss"
    assert_allclose(comparison.fold_errors[place], expected)


def test_task_errors_are_losses_of_the_probabilities(comparison):
    X, y = _make()
    proba, rows = comparison.predictions[1], X["task"] == 3
    assert proba.shape == (len(y), 2)
    assert_array_equal(comparison.classes, [False, True])
    assert_allclose(comparison.task_errors[1, 3], log_loss(y[rows], proba[rows]))


@pytest.mark.full
def test_brier_is_the_score_of_scikit_learn(comparison):
    X, y = _make()
    found = compare_tasks(
        _models(), X, y, task_column="task", metric="brier", random_state=0
    )
    rows = (X["task"] == 3).to_numpy()
    expected = brier_score_loss(y[rows], comparison.predictions[1][rows, 1])
    assert_allclose(found.task_errors[1, 3], expected)


@pytest.mark.full
def test_error_is_the_share_of_wrong_classes_also_without_probabilities():
    X, y = _make()
    labels = np.where(y, "yes", "no")
    models = {**_models(), "ridge": PooledTasks(RidgeClassifier())}
    found = compare_tasks(
        models, X, labels, task_column="task", metric="error", random_state=0
    )
    wrong = np.zeros(len(y))
    for train, test in _folds(X, labels):
        model = RidgeClassifier().fit(X.drop(columns="task").iloc[train], labels[train])
        predicted = model.predict(X.drop(columns="task").iloc[test])
        wrong[test] = predicted != labels[test]
    expected = wrong.reshape(12, 12).mean(axis=1)
    assert_allclose(found.task_errors[3], expected)


def test_a_class_missing_from_a_fold_has_probability_zero_clipped():
    X, y = _make(n_tasks=3)
    labels = np.where(y, "yes", "no").astype(object)
    labels[5] = "never seen"
    train = np.delete(np.arange(len(y)), 5)
    splits = [(train[::2], np.append(train[1::2], 5)), (train[1::2], train[::2])]
    models = {"pooled": PooledTasks(LogisticRegression()), "other": _models()["shared"]}
    found = compare_tasks(models, X, labels, task_column="task", cv=splits)
    row = found.predictions[0][5]
    assert_array_equal(found.classes, ["never seen", "no", "yes"])
    assert row[0] == 0
    expected = log_loss(labels.astype(str)[:12], found.predictions[0][:12])
    assert_allclose(found.task_errors[0, 0], expected)


def test_columns_of_y_are_tasks_of_two_classes():
    X, _ = _make()
    features = X.drop(columns="task").to_numpy()[:60]
    Y = np.column_stack([features[:, 0] > 0, features[:, 1] > 0.5]).astype(float)
    Y[:20, 1] = np.nan
    found = compare_tasks(_models(), features, Y, metric="log_loss", random_state=0)
    proba = found.predictions[0]
    assert proba.shape == (60, 2, 2)
    expected = log_loss(Y[20:, 1], proba[20:, 1])
    assert_allclose(found.task_errors[0, 1], expected)
    assert_array_equal(found.n_rows, [60, 40])


def test_weights_of_two_are_rows_that_come_twice():
    X, y = _make()
    weight = np.where(np.arange(len(y)) % 3, 1, 2)
    splits = _folds(X, y)
    rows = np.repeat(np.arange(len(y)), weight)
    again = [
        tuple(np.flatnonzero(np.isin(rows, part)) for part in split) for split in splits
    ]
    models = {name: _models()[name] for name in ("shared", "pooled")}
    found = compare_tasks(
        models, X, y, task_column="task", sample_weight=weight, cv=splits
    )
    expected = compare_tasks(
        models, X.iloc[rows], y[rows], task_column="task", cv=again
    )
    assert_allclose(found.fold_errors, expected.fold_errors, rtol=1e-4)


def test_poisson_deviance_is_that_of_scikit_learn():
    X, _ = _make()
    y = np.random.default_rng(1).poisson(np.exp(0.5 * X["a"]))
    models = {
        "pooled": PooledTasks(PoissonRegressor()),
        "levels": PooledTasks(PoissonRegressor(), task_intercepts=True),
    }
    found = compare_tasks(
        models, X, y, task_column="task", metric="poisson_deviance", random_state=0
    )
    rows = X["task"] == 7
    expected = mean_poisson_deviance(y[rows], found.predictions[1][rows])
    assert_allclose(found.task_errors[1, 7], expected)
    assert "Poisson deviance of" in found.recommendation


# The kind of target


CONVERT = {
    "str": lambda y: np.where(y, "yes", "no"),
    "object": lambda y: np.where(y, "yes", "no").astype(object),
    "series": lambda y: pd.Series(np.where(y, "yes", "no")),
    "category": lambda y: pd.Series(np.where(y, 3, 1)).astype("category"),
    "boolean": lambda y: pd.Series(y, dtype="boolean"),
    "list": lambda y: y.tolist(),
    "int": lambda y: y.astype(int),
}


@pytest.mark.full
@parametrize("convert", CONVERT, short=["category"])
def test_classes_of_any_type_give_the_same(comparison, convert):
    X, y = _make()
    found = compare_tasks(_models(), X, convert(y), task_column="task", random_state=0)
    assert found.metric == "log_loss"
    assert_allclose(found.fold_errors, comparison.fold_errors)


@pytest.mark.full
def test_integers_are_numbers_unless_classifiers_or_the_metric_say_otherwise():
    X, y = _make()
    codes, models = y.astype(int), {"a": MultiTaskRidge(), "b": PooledTasks(Ridge())}
    numbers = compare_tasks(models, X, codes, task_column="task")
    assert numbers.metric == "mse"
    assert numbers.classes is None
    classes = compare_tasks(
        None, X, codes, task_column="task", metric="error", cv=2, random_state=0
    )
    assert_array_equal(classes.classes, [0, 1])


# The default models


@pytest.mark.full
def test_sharing_helps_many_small_tasks_of_classes():
    X, y = _make(n_tasks=40, n_samples=15, spread=0.8)
    labels = np.where(y, "yes", "no")
    found = compare_tasks(None, X, labels, task_column="task", cv=3, random_state=0)
    assert found.models == tuple(default_models("task"))
    assert found.best == "mean-regularised"
    gain = found.relative_gains[found.find("mean-regularised")]
    assert gain > 2 * found.relative_standard_errors[found.find("mean-regularised")]
    assert found.recommendation.startswith("Use 'mean-regularised': its log loss of")


@pytest.mark.full
def test_weights_reach_the_searches_of_the_default_models():
    X, y = _make(n_tasks=4)
    weight = (np.arange(len(y)) % 3).astype(float)
    weighted, equal = (
        compare_tasks(
            None, X, y, task_column="task", sample_weight=w, cv=2, random_state=0
        )
        for w in (weight, None)
    )
    assert np.isfinite(weighted.errors).all()
    assert (weighted.errors != equal.errors).all()


@pytest.mark.full
def test_tasks_of_one_class_have_finite_losses_apart():
    X, y = _make(n_tasks=6)
    y[X["task"] < 2] = True
    found = compare_tasks(None, X, y, task_column="task", cv=3, random_state=0)
    apart = found.task_errors[found.find("independent")]
    assert apart[:2].max() < 0.3


@pytest.mark.full
def test_independent_models_share_no_coefficients():
    X, y = _make(n_tasks=4, n_samples=40)
    model = default_models("task", kind="classes")["independent"].fit(X, y)
    found = model[-1].best_estimator_
    rows = X["task"] == 2
    alone = make_pipeline(
        model[0].transformer_, LogisticRegression(C=1 / found.alpha, tol=1e-8)
    )
    alone[-1].fit(alone[0].transform(X[rows].drop(columns="task")), y[rows])
    assert_allclose(found.coef_[2], alone[-1].coef_[0], rtol=1e-4)


def test_default_models_compare_three_classes_given_by_keyword():
    rng = np.random.default_rng(0)
    X, y = _make(n_tasks=5)
    labels = np.where(y, "yes", rng.choice(["maybe", "no"], len(y)))
    features, task = X.drop(columns="task"), X["task"].to_numpy()
    found = compare_tasks(None, features, labels, task=task, cv=2, random_state=0)
    assert found.predictions.shape == (4, len(y), 3)
    assert_allclose(found.predictions.sum(axis=-1), 1)


@pytest.mark.full
def test_sharing_helps_many_small_tasks_of_counts():
    rng = np.random.default_rng(0)
    X, _ = _make(n_tasks=40)
    W = np.array([0.8, -0.5, 0.3, 0.0]) + 0.3 * rng.normal(size=(40, 4))
    features = X.drop(columns="task").to_numpy()
    y = rng.poisson(np.exp((features * W[X["task"]]).sum(axis=1)))
    y[X["task"] == 0] = 0
    found = compare_tasks(
        None, X, y, task_column="task", metric="poisson_deviance", cv=3, random_state=0
    )
    place = found.find("mean-regularised")
    assert found.best == "mean-regularised"
    assert found.relative_gains[place] > 2 * found.relative_standard_errors[place]


@pytest.mark.full
def test_whole_tasks_can_be_held_out():
    X, y = _make(n_tasks=4)
    found = compare_tasks(None, X, y, task_column="task", cv=LeaveOneTaskOut())
    assert found.fold_errors.shape == (4, 4)
    assert np.isfinite(found.fold_errors).all()


# What is refused


@pytest.mark.parametrize(
    ("y", "metric", "message"),
    [
        (
            ["no", "yes"] * 72,
            "mse",
            "y must hold numbers for metric='mse'. Got classes such as 'no'",
        ),
        ([1.5, 2.5] * 72, "error", "Unknown label type: continuous"),
        (["no", None] * 72, None, "y must hold a class in every row"),
        (["no"] * 144, None, "at least two classes. Got .'no'."),
        ([-1, 2] * 72, "poisson_deviance", "y must not be negative .* Got -1"),
        ([1, 2] * 72, "accuracy", "metric must be one of .* Got 'accuracy'"),
    ],
)
def test_what_cannot_be_compared_is_refused(y, metric, message):
    X, _ = _make()
    with pytest.raises(ValueError, match=message):
        compare_tasks(None, X, y, task_column="task", metric=metric)


def test_models_without_probabilities_are_named():
    X, y = _make()
    models = {"tree": DecisionTreeClassifier(), "ridge": RidgeClassifier()}
    message = r"predict_proba for metric='log_loss'. Got \['ridge'\] without it"
    with pytest.raises(ValueError, match=message):
        compare_tasks(models, X, y, task_column="task")


def test_models_that_predict_no_counts_are_named():
    X, y = _make()
    models = {"ridge": PooledTasks(Ridge()), "poisson": PooledTasks(PoissonRegressor())}
    with pytest.raises(ValueError, match=r"'ridge' must .* Predicted counts must be"):
        compare_tasks(models, X, 1.0 * y, task_column="task", metric="poisson_deviance")


def test_pictures_and_tables_say_log_loss(comparison):
    plt = pytest.importorskip("matplotlib.pyplot")
    label = comparison.plot().ax_.get_xlabel()
    plt.close("all")
    assert label == "reduction of the log loss by sharing, relative to no sharing"
    assert comparison.metric_label == "log loss"
    assert len(comparison.to_frame()) == 3
