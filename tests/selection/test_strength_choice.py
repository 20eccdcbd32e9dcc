"""All three strengths of the mean-regularised model are chosen optimally."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from cases import parametrize
from dense import Dense
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.linear_model import RidgeCV

from skmtl.couplings import ToMean
from skmtl.data import summarise
from skmtl.kernel import MeanRegularizedKernelRegressorCV
from skmtl.linear_model import (
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
)
from skmtl.problems.exact import Posterior, reduce_moments, solve_moments
from skmtl.selection import Candidates, Generalised, RestrictedLikelihood

# Grids here have few strengths on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")

METHODS = ["loo", "gcv", "cv", "reml"]
each_method = pytest.mark.parametrize("method", METHODS)
some_method = parametrize("method", METHODS, short=["gcv", "reml"])
each_error = pytest.mark.parametrize("method", ["loo", "gcv", "cv"])


def draw_wide(n_features, seed, n_rows=60, n_tasks=5):
    """Tasks that differ little, with about as many features as rows."""
    rng = np.random.default_rng(seed)
    task, unseen = np.arange(n_rows) % n_tasks, np.arange(600) % n_tasks
    coef = rng.normal(size=n_features) / np.sqrt(n_features)
    coef = coef + 0.2 * rng.normal(size=(n_tasks, n_features)) / np.sqrt(n_features)
    X, Z = rng.normal(size=(n_rows, n_features)), rng.normal(size=(600, n_features))
    y = (X * coef[task]).sum(axis=1) + 0.5 * rng.normal(size=n_rows)
    z = (Z * coef[unseen]).sum(axis=1) + 0.5 * rng.normal(size=600)
    return (X, y, task), (Z, z, unseen)


def draw_groups(n_tasks=40, n_rows=6, n_features=2, seed=0):
    """Many small tasks."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n_rows)
    coef = 1 + 0.7 * rng.normal(size=(n_tasks, n_features))
    X = rng.normal(size=(len(task), n_features))
    y = (X * coef[task]).sum(axis=1) + rng.normal(size=n_tasks)[task]
    return X, y + rng.normal(size=len(task)), task


@parametrize("n_features", [40, 55, 58, 70, 100], short=[58])
def test_wide_tasks_are_predicted_as_well_as_independent_or_pooled(n_features):
    (X, y, task), (Z, z, unseen) = draw_wide(n_features, seed=n_features)
    model = MeanRegularizedRegressorCV().fit(X, y, task=task)
    independent = MultiTaskRidgeCV().fit(X, y, task=task)
    pooled = RidgeCV(np.logspace(-2, 4, 30)).fit(X, y)
    errors = [
        np.mean((prediction - z) ** 2)
        for prediction in (independent.predict(Z, task=unseen), pooled.predict(Z))
    ]
    found = np.mean((model.predict(Z, task=unseen) - z) ** 2)
    assert found <= 1.02 * min(errors)


@some_method
def test_every_method_penalises_a_wide_centre(method):
    (X, y, task), (Z, z, unseen) = draw_wide(58, seed=58)
    model = MeanRegularizedRegressorCV(method=method).fit(X, y, task=task)
    assert model.alpha_shared_ > 0
    assert np.mean((model.predict(Z, task=unseen) - z) ** 2) < 0.8 * np.mean(z**2)


@some_method
def test_more_columns_than_rows_need_no_setting(method):
    (X, y, task), (Z, z, unseen) = draw_wide(60, seed=0, n_rows=50)
    model = MeanRegularizedRegressorCV(method=method).fit(X, y, task=task)
    assert np.isfinite(model.coef_).all()
    assert np.mean((model.predict(Z, task=unseen) - z) ** 2) < np.mean(z**2)


@some_method
def test_with_many_rows_the_strength_of_the_centre_is_negligible(method):
    X, y, task = draw_groups(n_tasks=20, n_rows=40)
    chosen = MeanRegularizedRegressorCV(method=method).fit(X, y, task=task)
    free = MeanRegularizedRegressorCV(method=method, alphas_shared=[0.0])
    free.fit(X, y, task=task)
    assert chosen.alpha_shared_ < 0.1 * len(y)
    assert_allclose(chosen.coef_, free.coef_, atol=0.05)


@some_method
def test_a_centre_held_at_zero_keeps_its_intercept(method):
    X, y, task = draw_groups()
    model = MeanRegularizedRegressorCV(method=method, alphas_shared=[np.inf])
    low = model.fit(X, y, task=task).predict(X, task=task)
    high = model.fit(X, y + 1e3, task=task).predict(X, task=task)
    assert_allclose(high, low + 1e3, rtol=1e-5)
    assert model.alpha_shared_ == np.inf


@pytest.mark.parametrize("alpha_intercept", [0.5, np.inf])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_an_infinite_strength_of_the_centre_is_the_limit(
    alpha_intercept, fit_intercept
):
    X, y, task = draw_groups(n_tasks=5)
    moments = summarise(X, y + 3, task)
    fits = [
        solve_moments(
            moments,
            ToMean(2.0, strength, alpha_intercept).strengths(5, 2),
            fit_intercept,
        )
        for strength in (np.inf, 1e9)
    ]
    for name in ("coef", "intercept", "intercept_shared", "objective"):
        assert_allclose(*(getattr(fit, name) for fit in fits), rtol=1e-6)
    freedom = [Posterior(fit).degrees_of_freedom for fit in fits]
    assert_allclose(*freedom, rtol=1e-6)
    criteria = [RestrictedLikelihood(fit).criterion for fit in fits]
    assert_allclose(*criteria, rtol=1e-6)
    rows, tasks = np.ones((5, 1, 2)), np.arange(5)
    assert_allclose(*(Posterior(fit).variance(rows, tasks) for fit in fits), rtol=1e-6)


@pytest.mark.parametrize("n_rows", [3, 12])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_generalised_errors_along_the_centre_are_those_of_every_fit(
    n_rows, fit_intercept
):
    X, y, task = draw_groups(n_tasks=4, n_rows=n_rows, n_features=5)
    moments = summarise(X + 1, y, task)
    alphas_intercept = [0.3, np.inf] if fit_intercept else [0.0]
    lists = [0.5, 30.0, np.inf], [0.0, 1e-2, 4.0, np.inf], alphas_intercept
    candidates = Candidates(*map(np.array, lists), fit_intercept)
    scores = Generalised(moments).search(candidates)
    for strengths, score in zip(scores.triples, scores.errors, strict=True):
        penalty = ToMean(*strengths).strengths(4, 5)
        fit = solve_moments(moments, penalty, fit_intercept)
        left = len(y) - Posterior(fit).degrees_of_freedom
        exact = len(y) * fit.squared_errors.sum() / left**2
        assert_allclose(score, np.where(left > len(y) / 10, exact, np.inf), rtol=1e-6)


@parametrize("method", METHODS[:3], short=["gcv"])
def test_no_strengths_of_a_dense_grid_are_better(method):
    X, y, task = draw_groups()
    model = MeanRegularizedRegressorCV(method=method, alpha_structure="one")
    model.fit(X, y, task=task)
    around = np.geomspace(0.2, 5, 9)
    dense = MeanRegularizedRegressorCV(
        model.alpha_ * around,
        alphas_shared=[0.0, 1.0, 10.0],
        alphas_intercept=np.append(model.alpha_intercept_ * around, np.inf),
        method=method,
    ).fit(X, y, task=task)
    # Larger strengths are taken within 0.05 of the error of one row. "loo" may then
    # choose likelier ones.
    found = np.nanmax(model.cv_results_["mean_test_score"])
    assert -found <= -dense.best_score_ * (1 + 0.06 / len(y))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_no_nearby_strengths_are_likelier_with_a_random_centre(fit_intercept):
    X, y, task = draw_groups(n_tasks=12)
    model = MeanRegularizedRegressorCV(
        method="reml", alpha_structure="one", fit_intercept=fit_intercept
    ).fit(X, y, task=task)

    def criterion(*factors):
        alpha, shared, alpha_intercept = np.array(factors) * strengths
        ones = np.ones(len(y))
        dense = Dense(
            X,
            y,
            task,
            12,
            ones,
            np.full(2, alpha),
            shared,
            alpha_intercept,
            fit_intercept,
        )
        return dense.criterion()

    strengths = model.alpha_, model.alpha_shared_, model.alpha_intercept_
    best = criterion(1, 1, 1)
    assert_allclose(-2 * model.best_score_, best, rtol=1e-9)
    for factor, k in product((0.9, 1.1), range(2 + fit_intercept)):
        assert criterion(*np.where(np.arange(3) == k, factor, 1.0)) > best - 1e-6


@each_method
def test_strengths_given_as_lists_are_chosen_from_them(method):
    X, y, task = draw_groups()
    shared = [2.0, 50.0]
    model = MeanRegularizedRegressorCV(method=method, alphas_shared=shared)
    model.fit(X, y, task=task)
    assert model.alpha_shared_ in shared
    assert set(model.cv_results_["alpha_shared"]) == set(shared)


@each_method
def test_the_plain_model_with_the_chosen_strengths_is_the_same(method):
    (X, y, task), _ = draw_wide(30, seed=0)
    model = MeanRegularizedRegressorCV(method=method).fit(X, y, task=task)
    plain = MeanRegularizedRegressor(
        model.alpha_,
        alpha_shared=model.alpha_shared_,
        alpha_intercept=model.alpha_intercept_,
    ).fit(X, y, task=task)
    assert_allclose(model.coef_, plain.coef_, atol=1e-9)
    assert_allclose(model.intercept_, plain.intercept_, atol=1e-9)


@pytest.mark.full
@pytest.mark.parametrize("structure", ["one", "covariance"])
def test_strengths_do_not_depend_on_how_far_features_are_from_zero(structure):
    X, y, task = draw_groups(n_tasks=8, n_rows=10, seed=1)
    X = np.round(X, 6)  # exact after the shift, to ten digits

    def learn(shift):
        model = MeanRegularizedRegressorCV(alpha_structure=structure)
        model.fit(X + np.array([shift, 0.0]), y, task=task)
        return model, model.predict(X + np.array([shift, 0.0]), task=task)

    (near, expected), (far, found) = learn(1e3), learn(1e6)
    assert_allclose(found, expected, atol=1e-3)
    assert far.best_score_ == pytest.approx(near.best_score_, rel=1e-4)


def test_far_features_are_predicted_like_centred_ones_with_free_intercepts():
    X, y, task = draw_groups(n_tasks=8, n_rows=10, seed=1)
    model = MeanRegularizedRegressorCV(alpha_structure="one")
    free = clone(model).set_params(alphas_intercept=[1e-9]).fit(X, y, task=task)
    far = model.fit(X + 1e6, y, task=task)
    assert far.alpha_intercept_ == 0.0
    assert far.best_score_ >= free.best_score_ * (1 + 1e-4)
    assert_allclose(
        far.predict(X + 1e6, task=task), free.predict(X, task=task), atol=1e-3
    )


def test_features_far_beyond_their_digits_can_be_searched():
    X, y, task = draw_groups(n_tasks=8, n_rows=10)
    model = MeanRegularizedRegressorCV().fit(X + 1e8, y, task=task)
    assert model.score(X + 1e8, y, task=task) > 0.5


@pytest.mark.parametrize("strengths", [(3.0, 2.0, 1.0), (0.1, np.inf, np.inf)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_likelihoods_of_wide_rows_are_those_in_a_basis_of_the_rows(
    strengths, fit_intercept
):
    (X, y, task), _ = draw_wide(90, seed=0, n_rows=30)
    moments = summarise(X + 1.0, y, task)
    reduced = reduce_moments(moments, SimpleNamespace(X=X + 1.0))
    assert reduced.n_features == 30
    whole, small = (
        RestrictedLikelihood(
            solve_moments(
                each,
                ToMean(*strengths).strengths(each.n_tasks, each.n_features),
                fit_intercept,
            )
        ).criterion
        for each in (moments, reduced)
    )
    assert small == pytest.approx(whole, rel=1e-9)


SEARCHES = [
    MeanRegularizedRegressorCV(),
    MeanRegularizedRegressorCV(method="reml"),
    MultiTaskRidgeCV(),
    LowRankRegressorCV(n_alphas=3, alpha_shared=1.0, alpha_intercept=1.0),
    MeanRegularizedKernelRegressorCV(),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", SEARCHES, ids=lambda model: type(model).__name__)
def test_targets_whose_squares_underflow_are_refused_by_searches(model):
    X, y, task = draw_groups(n_tasks=5)
    with pytest.raises(ValueError, match="squared errors underflow, got at most"):
        model.fit(X, y * 1e-160, task=task)
    assert clone(model).fit(X, y * 0.0, task=task).score(X, y * 0.0, task=task) == 1.0


@each_method
def test_targets_have_any_unit_whose_squares_do_not_underflow(method):
    X, y, task = draw_groups(n_tasks=8)
    model = MeanRegularizedRegressorCV(method=method)
    expected = model.fit(X, y, task=task).predict(X, task=task)
    found = model.fit(X, y * 2.0**-480, task=task).predict(X, task=task)
    assert_allclose(found * 2.0**480, expected, rtol=1e-5, atol=1e-6)


def test_narrow_rows_keep_their_features():
    (X, y, task), _ = draw_wide(20, seed=0, n_rows=30)
    moments = summarise(X, y, task)
    assert reduce_moments(moments, SimpleNamespace(X=X)) is moments


def test_interpolated_rows_do_not_count_as_predicted():
    """With as many columns as rows, all residuals and their denominators are 0."""
    (X, y, task), _ = draw_wide(60, seed=3)
    model = MeanRegularizedRegressorCV(
        [np.inf], alphas_shared=[0.0, 5.0], alphas_intercept=[np.inf]
    ).fit(X, y, task=task)
    assert model.alpha_shared_ == 5.0
