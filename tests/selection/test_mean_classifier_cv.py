"""Strengths of classifiers around a centre: likelihoods, folds, choices."""

from dataclasses import replace

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, cross_val_score

from skmtl.couplings import ToMean
from skmtl.data import TaskRows
from skmtl.linear_model import MeanRegularizedClassifier, MeanRegularizedClassifierCV
from skmtl.losses import Logistic, Multinomial, Squared
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.selection import LaplaceLikelihood, assign_shuffled_folds, mean_curvatures
from skmtl.solvers import Newton
from skmtl.targets import target_classes

METHODS = ["cv", "laplace"]
each_method = parametrize("method", METHODS, short=["laplace"])
# Scores come from solutions that end when a step promises a fall of 1e-6.
SEARCHED = {"rtol": 1e-4, "atol": 1e-5}
GRID = {
    "alphas": [0.3, 3.0, 30.0],
    "alphas_shared": [1.0],
    "alphas_intercept": [1.0, np.inf],
}
# Grids here have few strengths on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")


@pytest.fixture
def rng():
    return np.random.default_rng(7)


SCORES = {"cv": "mean_test_score", "laplace": "log_likelihood"}


def draw(rng, n_tasks=8, n_rows=40, n_features=3, n_classes=2, spread=0.7):
    """Return X with the task as column 0, and classes of tasks around a centre."""
    task = rng.permutation(np.repeat(np.arange(n_tasks), n_rows))
    X = rng.normal(size=(len(task), n_features))
    centre = rng.normal(size=(n_classes, n_features + 1))
    own = centre + spread * rng.normal(size=(n_tasks, *centre.shape))
    scores = np.einsum("nkj,nj->nk", own[task], np.column_stack([X, np.ones(len(X))]))
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    return np.column_stack([task, X]), y


def rows_of(X, y, task):
    """Return rows of tasks, side by side."""
    order = np.argsort(task, kind="stable")
    offsets = np.append(0, np.cumsum(np.bincount(task)))
    y = np.asarray(y, dtype=float)
    return TaskRows(X, order, y[order], None, offsets, np.unique(task))


def likelihood(datafit, alpha, shared=0.0, alpha_intercept=0.0):
    """Return the Laplace-approximate log likelihood of strengths, tightly solved."""
    penalty = ToMean(alpha, shared, alpha_intercept).strengths(
        datafit.n_tasks, datafit.data.X.shape[1]
    )
    objective = MeanLosses(datafit, penalty)
    solution = Newton(tol=1e-14).minimize(objective, objective.start())
    return LaplaceLikelihood(objective, solution.variable).value


def binary(X, y, task, fit_intercept=True):
    rows, targets = target_classes(rows_of(X, y, task), 2, smooths=False)
    return Datafit(rows, Logistic(), fit_intercept, targets)


# -- likelihoods of strengths


def test_with_normal_targets_the_likelihood_is_exact(rng):
    task = np.repeat(np.arange(4), [3, 5, 1, 6])
    X, y = rng.normal(size=(15, 2)), rng.normal(size=15)
    found = likelihood(Datafit(rows_of(X, y, task), Squared(), False), 2.0, shared=0.5)
    same = task[:, None] == task
    covariance = np.eye(15) + X @ X.T * (same / 2.0 + 1 / 0.5)
    exact = multivariate_normal(np.zeros(15), covariance).logpdf(y)
    assert_allclose(found - 15 / 2 * np.log(2 * np.pi), exact, rtol=1e-10)


def test_with_normal_targets_the_likelihood_of_random_intercepts_is_exact(rng):
    task = np.repeat(np.arange(4), [3, 5, 1, 6])
    X, y = rng.normal(size=(15, 2)), rng.normal(size=15)
    found = likelihood(Datafit(rows_of(X, y, task), Squared()), 2.0, 0.5, 3.0)
    same = task[:, None] == task
    flat = 1e7
    covariance = np.eye(15) + X @ X.T * (same / 2.0 + 1 / 0.5) + same / 3.0 + flat
    exact = multivariate_normal(np.zeros(15), covariance).logpdf(y)
    exact += np.log(2 * np.pi * flat) / 2
    assert_allclose(found - 15 / 2 * np.log(2 * np.pi), exact, rtol=1e-6)


@pytest.mark.full
def test_one_coefficient_per_task_has_the_likelihood_of_quadrature(rng):
    task = np.repeat(np.arange(3), 60)
    X = rng.normal(size=(180, 1))
    y = rng.random(180) < expit(X[:, 0] * np.array([0.5, 1.0, 2.0])[task])
    found = likelihood(binary(X, y, task, False), 2.0, shared=0.5)
    w = np.linspace(-8, 8, 801)
    step = np.log(w[1] - w[0])
    logs = np.where(y[:, None], 1, -1) * X * w
    rows = np.array([-np.logaddexp(0, -logs[task == t]).sum(axis=0) for t in range(3)])
    given = norm.logpdf(w[:, None], w, 1 / np.sqrt(2.0))
    parts = logsumexp(rows[:, :, None] + given + step, axis=1).sum(axis=0)
    exact = logsumexp(parts + norm.logpdf(w, 0, 1 / np.sqrt(0.5)) + step)
    # Laplace's method is off by about one over the rows of a task.
    assert_allclose(found, exact, atol=0.03)


def test_a_task_without_weight_has_no_part_in_the_likelihood(rng):
    task = np.repeat(np.arange(3), [5, 4, 6])
    X, y = rng.normal(size=(15, 2)), rng.normal(size=15)
    rows, kept = rows_of(X, y, task), task != 1
    rows = replace(rows, weight=kept.astype(float))
    found = likelihood(Datafit(rows, Squared(), True), 2.0, 0.5, 3.0)
    fewer = rows_of(X[kept], y[kept], task[kept] // 2)
    expected = likelihood(Datafit(fewer, Squared(), True), 2.0, 0.5, 3.0)
    assert_allclose(found, expected, rtol=1e-10)


def test_a_random_intercept_has_the_likelihood_of_quadrature(rng):
    task = np.repeat(np.arange(3), [50, 60, 70])
    y = rng.random(180) < np.array([0.3, 0.5, 0.6])[task]
    found = likelihood(
        binary(np.zeros((180, 1)), y, task), 1.0, 1.0, alpha_intercept=4.0
    )
    b = np.linspace(-6, 6, 801)
    step = np.log(b[1] - b[0])
    ones = np.bincount(task, y)
    logs = ones[:, None] * -np.logaddexp(0, -b)
    logs += (np.bincount(task) - ones)[:, None] * -np.logaddexp(0, b)
    given = norm.logpdf(b[:, None], b, 0.5)
    parts = logsumexp(logs[:, :, None] + given + step, axis=1).sum(axis=0)
    assert_allclose(found, logsumexp(parts + step), atol=0.03)


def test_free_intercepts_have_the_likelihood_of_quadrature(rng):
    task = np.repeat(np.arange(3), [50, 60, 70])
    y = rng.random(180) < np.array([0.3, 0.5, 0.6])[task]
    found = likelihood(
        binary(np.zeros((180, 1)), y, task), 1.0, 1.0, alpha_intercept=0.0
    )
    b = np.linspace(-8, 8, 2001)
    ones = np.bincount(task, y)
    logs = ones[:, None] * -np.logaddexp(0, -b)
    logs += (np.bincount(task) - ones)[:, None] * -np.logaddexp(0, b)
    exact = (logsumexp(logs, axis=1) + np.log(b[1] - b[0])).sum()
    assert_allclose(found, exact, atol=0.03)


def test_the_likelihood_of_several_classes_has_the_determinant_of_all(rng):
    """The blocks give the determinant of the Hessian of tasks and centre together."""
    X, y = draw(rng, n_tasks=3, n_rows=30, n_features=2, n_classes=3)
    rows = rows_of(X[:, 1:], y, X[:, 0].astype(int))
    rows, targets = target_classes(rows, 3, smooths=False)
    datafit = Datafit(rows, Multinomial(3), True, targets)
    objective = MeanLosses(datafit, ToMean(2.0, 0.5, 3.0).strengths(3, 2))
    solution = Newton(tol=1e-14).minimize(objective, objective.start())
    found = LaplaceLikelihood(objective, solution.variable).value
    curved = datafit.curve(objective.at(solution.variable).raw)
    own, centre = np.tile([2.0, 2.0, 3.0], 2), np.tile([0.5, 0.5, 0.0], 2)
    whole = np.zeros((4, 6, 4, 6))
    whole[range(3), :, range(3)] = curved + np.diag(own)
    whole[range(3), :, 3] = whole[3, :, range(3)] = curved
    whole[3, :, 3] = curved.sum(axis=0) + np.diag(centre)
    exact = 3 * np.log(own).sum() + 4 * np.log(0.5) + 2 * np.log(2 * np.pi)
    exact = (exact - np.linalg.slogdet(whole.reshape(24, 24))[1]) / 2
    assert_allclose(found, exact - solution.objective, rtol=1e-8)


def test_an_infinite_strength_has_the_likelihood_of_one_task(rng):
    X, y = draw(rng, n_tasks=4)
    task = X[:, 0].astype(int)
    independent = likelihood(binary(X[:, 1:], y, task), np.inf, 0.5, np.inf)
    one = likelihood(binary(X[:, 1:], y, 0 * task), np.inf, 0.5, np.inf)
    assert_allclose(independent, one, rtol=1e-9)


def test_a_task_without_weight_does_not_change_the_likelihood(rng):
    X, y = draw(rng, n_tasks=4)
    y[X[:, 0] == 3] = 1
    every = MeanRegularizedClassifierCV(method="laplace", task_column=0, **GRID)
    seen = X[:, 0] < 3
    found = every.fit(X, y, sample_weight=seen).cv_results_["log_likelihood"]
    fewer = every.fit(X[seen], y[seen]).cv_results_["log_likelihood"]
    assert_allclose(found, fewer, rtol=1e-6)


@pytest.mark.full
def test_the_likelihood_finds_the_variance_that_tasks_were_drawn_with(rng):
    X, y = draw(rng, n_tasks=150, n_rows=60, n_features=2, spread=0.6)
    alphas = np.geomspace(0.1, 10, 21)
    model = MeanRegularizedClassifierCV(alphas, method="laplace", task_column=0)
    model.fit(X, y)
    # Log-odds are the difference of two classes' scores.
    assert_allclose(model.tau2_, 2 * 0.6**2, rtol=0.3)
    assert_allclose(model.tau2_, 1 / model.alpha_)


# -- scores on rows left out


@pytest.mark.full
@parametrize(
    "scoring", ["neg_log_loss", "accuracy", "roc_auc_ovr"], short=["neg_log_loss"]
)
@parametrize("n_classes", [2, 3], short=[3])
@parametrize("fit_intercept", [True, False], short=[True])
def test_scores_are_those_of_models_fitted_in_each_fold(
    rng, scoring, n_classes, fit_intercept
):
    X, y = draw(rng, n_classes=n_classes)
    given = {"task_column": 0, "fit_intercept": fit_intercept}
    folds = KFold(3, shuffle=True, random_state=0)
    search = MeanRegularizedClassifierCV(cv=folds, scoring=scoring, **given, **GRID)
    results = search.fit(X, y).cv_results_
    alpha_intercept = results["alpha_intercept"][0]
    model = MeanRegularizedClassifier(0.3, alpha_intercept=alpha_intercept, **given)
    scores = cross_val_score(model, X, y, cv=folds, scoring=scoring)
    found = [results[f"split{k}_test_score"][0] for k in range(3)]
    assert_allclose(found, scores, **SEARCHED)
    assert_allclose(results["mean_test_score"][0], scores.mean(), **SEARCHED)
    assert_allclose(results["std_test_score"][0], scores.std(), rtol=1e-2)


@parametrize("scoring", ["neg_log_loss", "accuracy"], short=["neg_log_loss"])
def test_scores_count_rows_by_their_weight(rng, scoring):
    X, y = draw(rng)
    times = rng.integers(1, 4, size=len(y))
    model = MeanRegularizedClassifierCV(scoring=scoring, task_column=0, **GRID)
    fold = rng.integers(0, 3, size=len(y))
    again = np.repeat(np.arange(len(y)), times)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]
    folds = np.repeat(fold, times)
    weighted = model.set_params(cv=splits).fit(X, y, sample_weight=times)
    expected = weighted.cv_results_["mean_test_score"]
    splits = [
        (np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(3)
    ]
    repeated = model.set_params(cv=splits).fit(X[again], y[again])
    assert_allclose(repeated.cv_results_["mean_test_score"], expected, **SEARCHED)


def test_rows_of_every_task_are_dealt_to_folds_in_turn(rng):
    X, y = draw(rng, n_rows=23)
    data = rows_of(X[:, 1:], y, X[:, 0].astype(int))
    splits = assign_shuffled_folds(data, 5)
    dealt = [np.bincount(X[test, 0].astype(int)) for _, test in splits]
    assert_array_equal(np.sum(dealt, axis=0), np.full(8, 23))
    assert np.ptp(dealt, axis=0).max() == 1


def test_sorted_rows_do_not_make_intercepts_look_certain(rng):
    """Folds with the same shares of classes would choose a tenth of the strength."""
    task = np.repeat(np.arange(150), 12)
    y = rng.random(1800) < expit(rng.normal(0, 0.5, size=150))[task]
    order = np.lexsort((y, task))
    model = MeanRegularizedClassifierCV([1.0], alphas_intercept=[0.04, 0.4, 4.0, 40.0])
    model.fit(np.zeros((1800, 1)), y[order], task=task)
    assert model.alpha_intercept_ == 1 / 0.5**2


@parametrize("class_scope", ["all", "task"], short=["task"])
def test_a_class_of_one_row_breaks_no_fold(rng, class_scope):
    X, y = draw(rng, n_tasks=5)
    y[0] = 2
    model = MeanRegularizedClassifierCV(task_column=0, class_scope=class_scope, **GRID)
    results = model.fit(X, y).cv_results_
    assert np.isfinite(results["mean_test_score"]).all()
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.predict_proba(X).shape == (len(y), 3)


def test_folds_need_rows_of_weight(rng):
    X, y = draw(rng, n_tasks=3)
    splits = [(np.arange(10, len(y)), np.arange(10))]
    weight = np.arange(len(y)) >= 10
    model = MeanRegularizedClassifierCV(cv=splits, task_column=0)
    with pytest.raises(ValueError, match="Every fold must have training and test rows"):
        model.fit(X, y, sample_weight=weight)


def test_a_score_that_is_never_a_number_is_refused(rng):
    X, y = draw(rng, n_tasks=3)
    model = MeanRegularizedClassifierCV(
        scoring=lambda *_: np.nan, task_column=0, **GRID
    )
    with pytest.raises(ValueError, match="scoring must give a number"):
        model.fit(X, y)


def test_a_scorer_knows_the_tasks_of_labels(rng):
    X, y = draw(rng, n_tasks=3)
    folds = list(KFold(3).split(X))
    given = {"scoring": "roc_auc", "cv": folds, **GRID}
    column = MeanRegularizedClassifierCV(task_column=0, **given).fit(X, y)
    labels = MeanRegularizedClassifierCV(**given)
    labels.fit(X[:, 1:], y, task=X[:, 0].astype(int))
    assert_array_equal(
        labels.cv_results_["mean_test_score"], column.cv_results_["mean_test_score"]
    )


def test_a_likelihood_takes_no_scorer(rng):
    X, y = draw(rng, n_tasks=3)
    model = MeanRegularizedClassifierCV(
        method="laplace", scoring="roc_auc", task_column=0
    )
    with pytest.raises(ValueError, match="scoring needs held-out rows, got method="):
        model.fit(X, y)


@pytest.mark.full
def test_a_scorer_is_given_a_model_that_knows_the_names_of_columns(rng):
    pd = pytest.importorskip("pandas")
    X, y = draw(rng, n_tasks=3)
    frame = pd.DataFrame(X, columns=["task", "a", "b", "c"]).astype({"task": int})
    model = MeanRegularizedClassifierCV(
        scoring="roc_auc", task_column="task", **GRID
    ).fit(frame, y)
    plain = MeanRegularizedClassifierCV(scoring="roc_auc", task_column=0, **GRID)
    assert model.best_score_ == plain.fit(X, y).best_score_


# -- what is chosen


@each_method
def test_it_ends_with_a_tight_fit_at_the_best(rng, method):
    X, y = draw(rng)
    found = MeanRegularizedClassifierCV(
        method=method, alpha_structure="one", task_column=0
    ).fit(X, y)
    best = found.cv_results_[SCORES[method]].argmax()
    assert found.alpha_ == found.cv_results_["alpha"][best]
    assert found.best_score_ == found.cv_results_[SCORES[method]][best]
    model = MeanRegularizedClassifier(
        found.alpha_,
        alpha_shared=found.alpha_shared_,
        alpha_intercept=found.alpha_intercept_,
        task_column=0,
    ).fit(X, y)
    assert_allclose(found.coef_, model.coef_, rtol=1e-7)
    assert_allclose(found.predict_proba(X), model.predict_proba(X), rtol=1e-7)
    assert found.optimality_ < 1e-5


@pytest.mark.full
@each_method
def test_similar_tasks_have_a_larger_alpha_than_different_ones(rng, method):
    model = MeanRegularizedClassifierCV(method=method, task_column=0)
    similar = model.fit(*draw(rng, n_tasks=20, spread=0.0)).alpha_
    independent = model.fit(*draw(rng, n_tasks=20, spread=2.0)).alpha_
    assert similar > 30 * independent


@each_method
def test_layouts_choose_the_same(rng, method):
    X, Y = rng.normal(size=(80, 3)), rng.integers(0, 2, size=(80, 4)).astype(float)
    Y[:, 0] = X[:, 0] > 0
    fold = np.arange(80) % 4
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    model = MeanRegularizedClassifierCV(method=method, cv=splits)
    columns = model.fit(X, Y)
    expected = columns.cv_results_[SCORES[method]]
    coef = columns.coef_
    task, fold = np.repeat(np.arange(4), 80), np.tile(fold, 4)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    long = model.set_params(cv=splits)
    long.fit(np.tile(X, (4, 1)), Y.T.ravel(), task=task)
    assert_allclose(long.cv_results_[SCORES[method]], expected, **SEARCHED)
    assert_allclose(long.coef_, coef, rtol=1e-6, atol=1e-8)


@each_method
def test_a_single_task_is_a_logistic_regression(rng, method):
    X, y = draw(rng, n_tasks=1, n_rows=100)
    found = MeanRegularizedClassifierCV(method=method, alphas_shared=[2.0]).fit(X, y)
    model = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(X, y)
    assert found.alpha_ == found.alpha_intercept_ == np.inf
    assert found.tau2_ == 0.0
    assert_allclose(found.predict_proba(X), model.predict_proba(X), rtol=1e-5)


def test_without_intercepts_their_strength_is_zero(rng):
    X, y = draw(rng)
    model = MeanRegularizedClassifierCV(task_column=0, fit_intercept=False).fit(X, y)
    assert model.alpha_intercept_ == 0.0
    assert np.isnan(model.tau2_intercept_)
    assert set(model.cv_results_["alpha_intercept"]) == {0.0}


@pytest.mark.full
def test_the_grid_follows_the_units_of_the_features(rng):
    X, y = draw(rng)
    model = MeanRegularizedClassifierCV(task_column=0, alphas_shared=[0.0]).fit(X, y)
    scaled = X * [1, 100, 100, 100]
    other = MeanRegularizedClassifierCV(task_column=0, alphas_shared=[0.0])
    other.fit(scaled, y)
    assert_allclose(other.alpha_, 1e4 * model.alpha_, rtol=1e-6)
    assert_allclose(other.predict_proba(scaled), model.predict_proba(X), rtol=1e-4)


def test_mean_curvatures_are_those_of_squares_about_the_means(rng):
    X, task = rng.normal(size=(60, 3)) + 5, np.repeat([0, 1, 2], 20)
    found = mean_curvatures(Datafit(rows_of(X, rng.normal(size=60), task), Squared()))
    variances = [X[task == t].var(axis=0) for t in range(3)]
    assert_allclose(found, [20 * np.mean(variances), 20])


@pytest.mark.full
def test_the_search_finds_what_independent_and_pooled_fits_miss(rng):
    X, y = draw(rng, n_tasks=40, n_rows=60, spread=0.6)
    train = np.arange(len(y)) < 1200
    model = MeanRegularizedClassifierCV(task_column=0).fit(X[train], y[train])
    pooled = LogisticRegression().fit(X[train, 1:], y[train])
    independent = MeanRegularizedClassifier(0.0, task_column=0).fit(X[train], y[train])
    found = log_loss(y[~train], model.predict_proba(X[~train]))
    assert found < log_loss(y[~train], pooled.predict_proba(X[~train, 1:]))
    assert found < log_loss(y[~train], independent.predict_proba(X[~train]))


@pytest.mark.full
@each_method
def test_a_wide_centre_is_not_left_with_a_fixed_strength(rng, method):
    task, centre = np.arange(80) % 4, rng.normal(size=60) / np.sqrt(60)
    X, Z = rng.normal(size=(80, 60)), rng.normal(size=(500, 60))
    y, z = (rng.random(len(A)) < expit(3 * A @ centre) for A in (X, Z))
    model = MeanRegularizedClassifierCV(method=method).fit(X, y, task=task)
    fixed = MeanRegularizedClassifierCV(method=method, alphas_shared=[1.0])
    fixed.fit(X, y, task=task)
    found, given = (
        log_loss(z, each.predict_proba(Z, task=np.arange(500) % 4))
        for each in (model, fixed)
    )
    assert found < 0.95 * given
    assert found < np.log(2)


def test_features_that_overflow_are_refused_before_the_search(rng):
    X, y = draw(rng, n_tasks=3)
    X[0, 1] = 1e150
    with pytest.raises(ValueError, match="Sums of squares of X and y must be below"):
        MeanRegularizedClassifierCV(task_column=0).fit(X, y)
