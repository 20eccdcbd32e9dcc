"""Strengths of count models around a centre: likelihoods, folds, choices."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skmtl.couplings import ToMean
from skmtl.data import TaskRows
from skmtl.linear_model import (
    MeanRegularizedPoissonRegressor,
    MeanRegularizedPoissonRegressorCV,
)
from skmtl.losses import Poisson
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.selection import LaplaceLikelihood
from skmtl.solvers import Newton

each_method = parametrize("method", ["cv", "laplace"], short=["laplace"])
# Scores come from solutions that end when a step promises a fall of 1e-6.
SEARCHED = {"rtol": 1e-4, "atol": 1e-5}
GRID = {
    "alphas": [0.3, 3.0, 30.0],
    "alphas_shared": [0.5, 5.0],
    "alphas_intercept": [1.0, np.inf],
}
FOLDS = KFold(3, shuffle=True, random_state=0)
# Grids here have few strengths on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def draw(rng, n_tasks=8, n_rows=30, n_features=3, spread=0.4):
    """Return X with the task as column 0, and counts of tasks around a centre."""
    task = rng.permutation(np.repeat(np.arange(n_tasks), n_rows))
    X = rng.normal(size=(len(task), n_features))
    centre = 0.3 * rng.normal(size=n_features + 1)
    own = centre + spread * rng.normal(size=(n_tasks, n_features + 1))
    logs = (own[task] * np.column_stack([X, np.ones(len(X))])).sum(axis=1)
    return np.column_stack([task, X]), rng.poisson(np.exp(logs))


# -- likelihoods of strengths


@pytest.mark.full
def test_a_random_intercept_has_the_likelihood_of_quadrature(rng):
    task = np.repeat(np.arange(3), [50, 60, 70])
    y = rng.poisson(np.exp(np.array([0.3, 0.9, 1.2]))[task])
    offsets = np.append(0, np.cumsum(np.bincount(task)))
    rows = TaskRows(
        np.zeros((180, 1)), np.arange(180), y * 1.0, None, offsets, np.arange(3)
    )
    datafit = Datafit(rows, Poisson(), True)
    penalty = ToMean(1.0, 1.0, 4.0).strengths(3, 1)
    objective = MeanLosses(datafit, penalty)
    solution = Newton(tol=1e-14).minimize(objective, objective.start())
    found = LaplaceLikelihood(objective, solution.variable).value
    b = np.linspace(-5, 5, 1001)
    step = np.log(b[1] - b[0])
    sums, sizes = np.bincount(task, y), np.bincount(task)
    logs = sums[:, None] * b - sizes[:, None] * np.exp(b)
    given = norm.logpdf(b[:, None], b, 0.5)
    parts = logsumexp(logs[:, :, None] + given + step, axis=1).sum(axis=0)
    # Laplace's method is off by about one over the counts of a task.
    assert_allclose(found, logsumexp(parts + step), atol=0.03)


def test_the_likelihood_finds_the_variances_that_tasks_were_drawn_with(rng):
    X, y = draw(rng, n_tasks=150, n_rows=40, n_features=2, spread=0.4)
    model = MeanRegularizedPoissonRegressorCV(method="laplace", task_column=0)
    model.fit(X, y)
    assert_allclose([model.tau2_, model.tau2_intercept_], 0.4**2, rtol=0.3)
    assert_allclose(model.tau2_, 1 / model.alpha_)


# -- scores on rows left out


@pytest.mark.full
def test_deviances_and_choice_are_those_of_a_grid_search_of_scikit_learn(rng):
    X, y = draw(rng)
    found = MeanRegularizedPoissonRegressorCV(cv=FOLDS, task_column=0, **GRID).fit(X, y)
    grid = {name.replace("alphas", "alpha"): values for name, values in GRID.items()}
    search = GridSearchCV(
        MeanRegularizedPoissonRegressor(task_column=0, tol=1e-8),
        grid,
        scoring="neg_mean_poisson_deviance",
        cv=FOLDS,
    ).fit(X, y)
    assert {f"{name}_": each for name, each in search.best_params_.items()} == {
        f"{name}_": getattr(found, f"{name}_") for name in grid
    }
    assert_allclose(found.best_score_, search.best_score_, **SEARCHED)
    assert_allclose(found.predict(X), search.predict(X), rtol=1e-4)
    results = found.cv_results_
    ours = np.lexsort([results[name] for name in grid])
    theirs = np.lexsort(
        [search.cv_results_[f"param_{name}"].astype(float) for name in grid]
    )
    assert_allclose(
        results["mean_test_score"][ours],
        search.cv_results_["mean_test_score"][theirs],
        **SEARCHED,
    )


@pytest.mark.parametrize("scoring", ["neg_mean_absolute_error", None])
def test_scores_are_those_of_models_fitted_in_each_fold(rng, scoring):
    X, y = draw(rng)
    search = MeanRegularizedPoissonRegressorCV(
        cv=FOLDS, scoring=scoring, task_column=0, fit_intercept=False, **GRID
    )
    results = search.fit(X, y).cv_results_
    model = MeanRegularizedPoissonRegressor(
        0.3, alpha_shared=0.5, task_column=0, fit_intercept=False
    )
    scoring = scoring or "neg_mean_poisson_deviance"
    scores = cross_val_score(model, X, y, cv=FOLDS, scoring=scoring)
    found = [results[f"split{k}_test_score"][0] for k in range(3)]
    assert_allclose(found, scores, **SEARCHED)


@pytest.mark.full
def test_scores_count_rows_by_their_weight(rng):
    X, y = draw(rng)
    times = rng.integers(1, 4, size=len(y))
    fold = rng.integers(0, 3, size=len(y))
    again = np.repeat(np.arange(len(y)), times)
    splits, repeats = (
        [(np.flatnonzero(each != k), np.flatnonzero(each == k)) for k in range(3)]
        for each in (fold, fold[again])
    )
    model = MeanRegularizedPoissonRegressorCV(task_column=0, **GRID)
    weighted = model.set_params(cv=splits).fit(X, y, sample_weight=times)
    expected = weighted.cv_results_["mean_test_score"]
    repeated = model.set_params(cv=repeats).fit(X[again], y[again])
    assert_allclose(repeated.cv_results_["mean_test_score"], expected, **SEARCHED)


@each_method
def test_the_unit_of_exposure_changes_only_intercepts(rng, method):
    X, y = draw(rng)
    hours = rng.uniform(1, 3, size=len(y))
    model = MeanRegularizedPoissonRegressorCV(method=method, task_column=0)
    found = model.fit(X, y, exposure=hours)
    coef, intercept, alpha = found.coef_, found.intercept_, found.alpha_
    rates = found.predict(X, exposure=hours)
    minutes = model.fit(X, y, exposure=60 * hours)
    # The tolerance of the search is relative to the objective at zero, in these units.
    assert_allclose(minutes.alpha_, alpha, rtol=0.02)
    assert_allclose(minutes.coef_, coef, atol=0.003)
    assert_allclose(minutes.intercept_, intercept - np.log(60), rtol=0.003)
    assert_allclose(minutes.predict(X, exposure=60 * hours), rates, rtol=0.01)


# -- what is chosen


@each_method
def test_it_ends_with_a_tight_fit_at_the_best(rng, method):
    X, y = draw(rng)
    found = MeanRegularizedPoissonRegressorCV(
        method=method, alpha_structure="one", task_column=0
    ).fit(X, y)
    score = "log_likelihood" if method == "laplace" else "mean_test_score"
    assert found.best_score_ == found.cv_results_[score].max()
    assert found.alpha_ == found.cv_results_["alpha"][found.best_index_]
    model = MeanRegularizedPoissonRegressor(
        found.alpha_,
        alpha_shared=found.alpha_shared_,
        alpha_intercept=found.alpha_intercept_,
        task_column=0,
    ).fit(X, y)
    assert_allclose(found.coef_, model.coef_, rtol=1e-7)
    for name in ("predict_interval", "predict_mean_interval"):
        assert_allclose(getattr(found, name)(X), getattr(model, name)(X), rtol=1e-6)


@each_method
def test_a_single_task_is_a_poisson_regression(rng, method):
    X, y = draw(rng, n_tasks=1, n_rows=100)
    found = MeanRegularizedPoissonRegressorCV(method=method).fit(X, y)
    model = PoissonRegressor(alpha=found.alpha_shared_ / 100, tol=1e-10, max_iter=1000)
    assert found.alpha_ == found.alpha_intercept_ == np.inf
    assert_allclose(found.predict(X), model.fit(X, y).predict(X), rtol=1e-5)


@each_method
def test_columns_are_the_same_tasks_as_rows(rng, method):
    X, Y = rng.normal(size=(60, 2)), rng.poisson(2.0, size=(60, 4)).astype(float)
    fold = np.arange(60) % 3
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]
    model = MeanRegularizedPoissonRegressorCV(method=method, cv=splits, **GRID)
    wide = model.fit(X, Y).coef_
    task, fold = np.repeat(np.arange(4), 60), np.tile(fold, 4)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]
    long = model.set_params(cv=splits).fit(np.tile(X, (4, 1)), Y.T.ravel(), task=task)
    assert_allclose(long.coef_, wide, rtol=1e-5, atol=1e-8)


@each_method
def test_tasks_of_zeros_only_have_finite_rates(rng, method):
    X, y = draw(rng)
    y[X[:, 0] < 3] = 0
    model = MeanRegularizedPoissonRegressorCV(method=method, task_column=0).fit(X, y)
    assert model.alpha_intercept_ > 0
    assert (model.predict(X) > 0).all()


def test_a_fold_may_have_zeros_only(rng):
    X, y = draw(rng, n_tasks=3)
    y[5:] = 0
    y[:5] = 1
    splits = [(np.arange(5, len(y)), np.arange(5)), (np.arange(5), np.arange(5, 60))]
    model = MeanRegularizedPoissonRegressorCV(cv=splits, task_column=0, **GRID)
    assert np.isfinite(model.fit(X, y).predict(X)).all()


@pytest.mark.full
@each_method
def test_several_groupings_have_a_strength_each(rng, method):
    first, second = rng.integers(0, 12, size=300), rng.integers(0, 9, size=300)
    x = rng.normal(size=300)
    logs = 0.5 + rng.normal(size=12)[first] + 0.3 * x
    y = rng.poisson(np.exp(logs))
    X = np.column_stack([first, second, x])
    model = MeanRegularizedPoissonRegressorCV(
        {0: [np.inf], 1: [np.inf]}, method=method, cv=3, task_column=[0, 1]
    ).fit(X, y)
    # Only the labels of the first column differ.
    assert model.alpha_intercept_[1] > 20 * model.alpha_intercept_[0]
    plain = MeanRegularizedPoissonRegressor(
        np.inf,
        alpha_shared=model.alpha_shared_,
        alpha_intercept=model.alpha_intercept_,
        task_column=[0, 1],
    ).fit(X, y)
    assert_allclose(model.predict(X), plain.predict(X), rtol=1e-6)
