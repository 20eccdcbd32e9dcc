"""Searches of covariances do not depend on where features lie, or on their units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.linear_model import (
    MeanRegularizedClassifierCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
)

REML = {"method": "reml", "alphas_shared": [0.0], "noise": "common"}


def draw(seed, n_tasks=8, n_rows=15, n_features=3):
    """Draw tasks with slopes and levels of their own."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.normal(size=(len(task), n_features))
    own = rng.normal(size=(n_tasks, n_features + 1)) * [*[0.6] * n_features, 1.0]
    y = (X * (0.5 + own[task, :-1])).sum(axis=1) + own[task, -1]
    return X, y + rng.normal(size=len(task)), task


def search(X, y, task, structure="covariance", **options):
    model = MeanRegularizedRegressorCV(alpha_structure=structure, **options)
    return model.fit(X, y, task=task)


@pytest.mark.parametrize("structure", ["covariance", "auto"])
@pytest.mark.parametrize("seed", [0, 2, 5])
def test_slopes_of_years_are_found(structure, seed):
    """They were taken as equal, as they move the intercept at year zero too much."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(12), 20)
    year, x = rng.integers(-9, 11, 240).astype(float), rng.normal(size=240)
    slope, level = 0.05 * rng.normal(size=12), 1 + rng.normal(size=12)
    y = level[task] + slope[task] * year + x + 0.5 * rng.normal(size=240)
    near, far = (
        search(np.column_stack([year + first, x]), y, task, name, **REML)
        for first, name in [(0, "covariance"), (2015, structure)]
    )
    assert_allclose(far.best_score_, near.best_score_, atol=1e-3)
    spread = np.std(y)
    found = far.predict(np.column_stack([year + 2015, x]), task=task)
    there = near.predict(np.column_stack([year, x]), task=task)
    assert_allclose(found, there, atol=1e-3 * spread)


@pytest.mark.full
@pytest.mark.parametrize("offset", [0, 100, 1000])
def test_the_score_is_the_error_of_the_strengths_that_are_reported(offset):
    X, y, task = draw(16)
    X = X + offset
    found = search(X, y, task, noise="common", scale_targets=False)
    model = MeanRegularizedRegressor(
        found.alpha_,
        alpha_shared=found.alpha_shared_,
        alpha_intercept=found.alpha_intercept_,
    )
    errors = []
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        model.fit(X[rest], y[rest], task=task[rest])
        errors.append(y[i] - model.predict(X[[i]], task=task[[i]])[0])
    assert_allclose(-found.best_score_, np.mean(np.square(errors)), rtol=1e-3)


def test_the_unit_of_features_does_not_change_the_likelihood_of_classes():
    X, y, task = draw(0)
    scores = [
        MeanRegularizedClassifierCV(method="laplace", alpha_structure="covariance")
        .fit(X * unit, y > 0.5, task=task)
        .best_score_
        for unit in (1.0, 1e-6)
    ]
    assert_allclose(scores[1], scores[0], atol=0.02)


@pytest.mark.parametrize(
    ("structure", "constant"), [("covariance", 0.0), ("covariance", 7.0), ("auto", 0.0)]
)
def test_a_constant_column_changes_no_likelihood(structure, constant):
    for seed in (0, 2, 3):
        X, y, task = draw(seed)
        alone = search(X, y, task, structure, **REML)
        wide = np.column_stack([X, np.full(len(y), constant)])
        found = search(wide, y, task, structure, **REML)
        assert found.alpha_structure_ == alone.alpha_structure_
        assert_allclose(found.best_score_, alone.best_score_, atol=1e-3)


@pytest.mark.filterwarnings("ignore:The condition number")
@pytest.mark.parametrize("method", ["loo", "gcv", "reml"])
@pytest.mark.parametrize("n_features", [16, 20])
def test_rows_may_repeat(method, n_features):
    """Their noise seems to be zero, so that variances grow without end."""
    X, y, task = draw(1, n_features=n_features)
    rows = np.random.default_rng(0).integers(0, len(y), len(y))
    for chosen in (rows, np.tile(np.arange(len(y)), 2)):
        model = MeanRegularizedRegressorCV(method=method)
        model.fit(X[chosen], y[chosen], task=task[chosen])
        assert np.isfinite(model.coef_).all()
