"""The search chooses by held-out rows, and its stack is a least-squares mixture."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import huber
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_poisson_deviance
from sklearn.model_selection import KFold, cross_val_predict

from skmtl.compose import IndependentTasks, PooledTasks
from skmtl.datasets import make_related_tasks
from skmtl.linear_model import MeanRegularizedRegressor, MultiTaskRidge
from skmtl.model_selection import TaskKFold, TaskModelSearch
from skmtl.model_selection._candidates import make_candidates, read_candidates
from skmtl.model_selection._comparison_rows import read_comparison
from skmtl.model_selection._mixtures import weigh_classes, weigh_counts, weigh_numbers
from skmtl.model_selection._paired_losses import compare_losses

SHORT = {"shared": MeanRegularizedRegressor(), "apart": MultiTaskRidge()}


@pytest.fixture(scope="module")
def table():
    return make_related_tasks(6, 20, n_features=3, as_frame=True, random_state=0)


def test_a_stack_mixes_the_best_of_each_family(table):
    X, y = table
    own = {"shared": MeanRegularizedRegressor(), "pooled": PooledTasks()}
    search = TaskModelSearch(own, task_column="task", stack=True).fit(X, y)
    assert search.best_name_ == "stack"
    weights = search.stack_weights_
    assert sum(weights.values()) == pytest.approx(1)
    expected = sum(
        weights[name] * model.set_params(task_column="task").fit(X, y).predict(X)
        for name, model in own.items()
    )
    assert_allclose(search.predict(X), expected)
    assert_array_equal(search.best_estimator_.predict(X), search.predict(X))


def test_a_bad_default_model_has_little_weight():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 150)
    good = np.where(y[:, None] == [0, 1], 0.8, 0.2)
    even = np.full((150, 2), 0.5)
    weights = weigh_classes(np.array([even, good]), y, np.ones(150))
    assert weights[0] < 0.1
    counts = rng.poisson(3.0, 150).astype(float)
    means = np.array([np.full(150, 30.0), np.full(150, 3.0)])
    assert weigh_counts(means, counts, np.ones(150))[0] < 0.1
    numbers = rng.normal(size=150)
    predictions = np.array([numbers + 3 * rng.normal(size=150), numbers])
    assert weigh_numbers(predictions, numbers, np.ones(150))[0] < 0.3


def test_the_three_layouts_give_the_same_model():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = X @ rng.normal(size=(3, 4)) + 0.3 * rng.normal(size=(40, 4))
    folds = list(KFold(3).split(X))
    cells = [
        [np.repeat(4 * rows, 4) + np.tile(range(4), len(rows)) for rows in fold]
        for fold in folds
    ]
    labels, rows = np.tile(np.arange(4), 40), np.repeat(X, 4, axis=0)
    own = {"apart": MultiTaskRidge(), "pooled": PooledTasks()}
    search = TaskModelSearch(own, stack=True, cv=folds)
    wide = search.fit(X, Y).predict(X)
    search = TaskModelSearch(own, stack=True, cv=cells)
    keyword = search.fit(rows, Y.ravel(), task=labels).predict(rows, task=labels)
    search = TaskModelSearch(own, stack=True, cv=cells, task_column=-1)
    table = np.column_stack([rows, labels])
    assert_allclose(keyword, wide.ravel())
    assert_allclose(search.fit(table, Y.ravel()).predict(table), keyword)
    assert search.predict(np.append(X[:2], [[9], [9]], axis=1)).shape == (2,)


def test_candidates_that_fail_are_dropped(table):
    X, y = table

    class Failing(Ridge):
        def fit(self, X, y):
            raise RuntimeError("no luck")

    own = [("apart", IndependentTasks()), ("failing", PooledTasks(Failing()))]
    search = TaskModelSearch(own, task_column="task").fit(X, y)
    assert "no luck" in search.leaderboard_["dropped"][-1]
    with pytest.raises(RuntimeError, match="no luck"):
        TaskModelSearch(own[::-1], task_column="task").fit(X, y)


def test_a_time_budget_leaves_the_first_candidate(table):
    X, y = table
    search = TaskModelSearch(SHORT, task_column="task", time_budget=1e-9).fit(X, y)
    assert search.best_estimator_ is not None
    assert search.leaderboard_["dropped"].tolist() == ["", "", "time budget used up"]


def test_classes_are_mixed_by_their_probabilities(table):
    X, y = table
    words = np.where(y > y.median(), "high", "low")
    own = {
        "pooled": PooledTasks(LogisticRegression()),
        "frequencies": PooledTasks(DummyClassifier()),
    }
    search = TaskModelSearch(own, task_column="task", stack=True, cv=3)
    search.fit(X, words)
    assert is_classifier(search)
    proba = search.predict_proba(X)
    assert_allclose(proba.sum(axis=1), 1)
    assert_array_equal(search.classes_[proba.argmax(axis=1)], search.predict(X))
    assert search.score(X, words) == np.mean(search.predict(X) == words)


@pytest.mark.full
def test_the_nested_score_is_that_of_new_rows(table):
    X, y = table
    search = TaskModelSearch(SHORT, task_column="task", random_state=0)
    folds = TaskKFold(3, task_column="task")
    loss, error = search.nested_score(X, y, cv=folds)
    expected = cross_val_predict(search, X, y, cv=folds)
    assert loss == pytest.approx(np.mean((expected - y) ** 2))
    assert 0 < error < loss


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        (["no such model"], "candidates must be names among"),
        (["boosted tree"], r"Got 'boosted tree'\. Did you mean 'boosted trees' or "),
        ([("a", Ridge()), ("a", Ridge())], "distinct names"),
        ([], "one or more models"),
    ],
)
def test_unknown_candidates_are_refused(table, candidates, message):
    with pytest.raises(ValueError, match=message):
        TaskModelSearch(candidates, task_column="task").fit(*table)


def test_held_out_predictions_are_those_of_scikit_learn(table):
    X, y = table
    folds = TaskKFold(3, task_column="task")
    own = {"pooled": PooledTasks(), "apart": IndependentTasks()}
    search = TaskModelSearch(own, task_column="task", stack=False, cv=folds).fit(X, y)
    for name, model in own.items():
        model = model.set_params(task_column="task")
        expected = cross_val_predict(model, X, y, cv=folds)
        assert_allclose(search.oof_predictions_[name], expected)
        line = search.leaderboard_["candidate"].tolist().index(name)
        loss = np.mean((expected - y) ** 2)
        assert search.leaderboard_["loss"][line] == pytest.approx(loss)


def test_the_standard_error_is_that_of_cluster_totals():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 12, 90)
    loss, other = rng.normal(size=(2, 90))
    mean, error = compare_losses(loss, other, np.ones(90), codes)
    difference = loss - other
    assert mean == pytest.approx(difference.mean())
    sums = [(difference - mean)[codes == t].sum() for t in range(12)]
    assert error == pytest.approx(np.sqrt(12 / 11 * np.square(sums).sum()) / 90)
    of_rows = compare_losses(loss, other, np.ones(90), codes % 2)[1]
    assert of_rows == pytest.approx(difference.std(ddof=1) / np.sqrt(90))


def test_the_simplest_within_one_standard_error_is_chosen(table):
    X, y = table
    model = MeanRegularizedRegressor()
    twins = {"first": model, "second": model, "mean": PooledTasks(DummyRegressor())}
    search = TaskModelSearch(twins, task_column="task", stack=False).fit(X, y)
    assert search.best_name_ == "first"
    expected = model.set_params(task_column="task").fit(X, y).predict(X)
    assert_array_equal(search.predict(X), expected)
    assert_array_equal(search.best_estimator_.predict(X), expected)
    assert search.leaderboard_["dropped"][-1].startswith("worse after fold")
    assert list(search.oof_predictions_) == ["first", "second"]
    assert pd.DataFrame(search.leaderboard_)["candidate"].iloc[-1] == "mean"


def _simplex(loss, n):
    """Minimise over the simplex by SciPy."""
    return loss(_simplex_weights(loss, n))


def _simplex_weights(loss, n):
    return minimize(
        loss,
        np.full(n, 1 / n),
        method="SLSQP",
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-12, "maxiter": 500},
    ).x


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.full)])
def test_weights_minimise_the_loss(seed):
    rng = np.random.default_rng(seed)
    # So many rows that the prior does not count.
    weight = rng.uniform(0.5, 1.0, size=400)
    y = rng.normal(size=400)
    P = y + rng.normal(size=(4, 400)) * np.array([[1.0], [1.2], [2.0], [4.0]])
    weight_many, P_many, y_many = (np.tile(v, 200) for v in (weight, P, y))

    def squares(w):
        return np.average((y - w @ P) ** 2, weights=weight)

    found = weigh_numbers(P_many, y_many, weight_many)
    assert found.min() >= 0 and found.sum() == pytest.approx(1)
    # With normal errors, Huber's loss gives nearly the weights of least squares.
    assert squares(found) == pytest.approx(_simplex(squares, 4), rel=1e-2)
    counts = rng.poisson(np.exp(y)).astype(float)
    means = np.exp(P)

    def deviance(w):
        return mean_poisson_deviance(counts, w @ means, sample_weight=weight)

    found = weigh_counts(np.tile(means, 200), np.tile(counts, 200), weight_many)
    assert deviance(found) == pytest.approx(_simplex(deviance, 4), rel=1e-4)
    positions = (y > 0).astype(int)
    proba = 1 / (1 + np.exp(-P))
    proba = np.stack([1 - proba, proba], axis=2)

    def log(w):
        mixed = np.tensordot(w, proba, axes=1)
        return log_loss(positions, mixed, sample_weight=weight)

    found = weigh_classes(
        np.tile(proba, (1, 200, 1)), np.tile(positions, 200), weight_many
    )
    assert log(found) == pytest.approx(_simplex(log, 4), rel=1e-4)


def test_a_few_large_errors_do_not_decide_the_weights():
    rng = np.random.default_rng(0)
    y = rng.normal(size=500)
    P = y + rng.normal(size=(3, 500)) * np.array([[1.0], [1.0], [1.5]])
    y[:4] += 50 * np.sign(P[1, :4] - P[0, :4])  # outliers near the second model
    weight = rng.uniform(0.5, 1.0, size=500)
    found = weigh_numbers(*(np.repeat(v, 200, -1) for v in (P, y, weight)))
    squares = _simplex_weights(lambda w: weight @ (y - w @ P) ** 2, 3)
    error = np.abs(y - P[0])
    order = np.argsort(error)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    limit = 1.345 * 1.4826 * error[order[middle]]
    expected = _simplex_weights(lambda w: weight @ huber(limit, y - w @ P), 3)
    assert_allclose(found, expected, atol=2e-3)
    assert np.abs(found - squares).max() > 0.1


def test_models_that_differ_less_than_the_noise_leave_the_weight_with_the_first():
    rng = np.random.default_rng(0)
    y = rng.normal(size=1000)
    first = np.zeros(1000)
    found = weigh_numbers(np.array([first, first + 0.01 * y]), y, np.ones(1000))
    assert found[0] > 0.7
    found = weigh_numbers(np.array([first, 0.5 * y]), y, np.ones(1000))
    assert found[0] < 0.1


@pytest.mark.full
def test_a_candidate_outside_the_stack_is_dropped_when_it_is_behind(table):
    X, y = table
    names = ["mean-regularised", "pooled", "independent"]
    options = {"task_column": "task", "random_state": 0}
    search = TaskModelSearch(names, stack=True, **options).fit(X, y)
    line = search.leaderboard_["candidate"].tolist().index("pooled")
    assert search.leaderboard_["n_folds"][line] == 1
    assert search.leaderboard_["dropped"][line] == "worse after fold 1"


@pytest.mark.parametrize("stack", ["auto", True])
def test_a_candidate_that_is_never_stacked_is_chosen_alone(table, stack):
    X, y = table
    search = TaskModelSearch(["low rank"], task_column="task", stack=stack, cv=2)
    assert search.fit(X, y).best_name_ == "low rank"


def test_curves_that_take_minutes_must_be_named():
    X, y = make_related_tasks(30, 5, n_features=6, as_frame=True, random_state=0)
    few = read_comparison(X, y, "task", None, None)
    assert "spline curves" in list_default(few)
    many = pd.concat([X.assign(task=X["task"] + 30 * k) for k in range(20)])
    many = read_comparison(many, np.tile(y, 20), "task", None, None)
    assert not {"spline curves", "smooth functions"} & set(list_default(many))
    built_in = make_candidates(many)
    (named,) = read_candidates(["spline curves"], built_in)
    assert named.name == "spline curves"


@pytest.mark.full
def test_outputs_have_curves_of_their_own():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(60, 2))
    Y = np.column_stack([np.sin(3 * X[:, 0]), np.abs(X[:, 1])])
    data = read_comparison(X, Y, None, None, None)
    assert "independent kernel curves" in list_default(data)
    names = ["mean-regularised", "independent", "independent spline curves"]
    search = TaskModelSearch(names, random_state=0).fit(X, Y)
    assert search.leaderboard_["candidate"][0] in ("independent spline curves", "stack")
    assert search.score(X, Y) > 0.9


def test_there_are_no_curves_of_features_with_two_values(table):
    X, y = table
    data = read_comparison(X.apply(np.sign), y, None, None, None)
    assert "spline curves" not in list_default(data)


def list_default(data):
    return [each.name for each in read_candidates(None, make_candidates(data))]
