"""Grids of strengths reach independent and pooled models, and warn if they do not."""

import numpy as np
import pytest
from cases import fold_errors, parametrize
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

from skmtl.linear_model import (
    JointFeatureRegressorCV,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
    PathSearchCV,
)


def collinear(n_rows=80, n_features=20):
    """Outputs of nearly collinear columns, which need very small strengths."""
    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.normal(size=(n_rows, n_features)), axis=1)
    X = 1e3 * smooth.mean(axis=1, keepdims=True) + smooth
    coef = rng.normal(size=(n_features, 3))
    return X, smooth @ coef + 0.1 * rng.normal(size=(n_rows, 3))


def noise(n_rows=40):
    rng = np.random.default_rng(1)
    return rng.normal(size=(n_rows, 4)), rng.normal(size=(n_rows, 3))


OWN_GRIDS = [
    MultiTaskRidgeCV(),
    MultiTaskRidgeCV(cv=4),
    MeanRegularizedRegressorCV(),
    MeanRegularizedRegressorCV(method="gcv"),
    MeanRegularizedRegressorCV(method="cv"),
    JointFeatureRegressorCV(n_alphas=10, cv=3, max_iter=100000),
    LowRankRegressorCV(n_alphas=10, cv=3, max_iter=100000),
    PathSearchCV(MeanRegularizedRegressor(), 10, cv=3),
]


@parametrize("model", OWN_GRIDS[:5], short=[OWN_GRIDS[k] for k in (0, 3)])
def test_own_grids_reach_models_without_penalty(model):
    X, Y = collinear()
    errors = (model.fit(X, Y).predict(X) - Y) ** 2
    free = (LinearRegression().fit(X, Y).predict(X) - Y) ** 2
    assert errors.mean() < 1.2 * free.mean()


@pytest.mark.full
def test_own_paths_go_on_as_long_as_errors_fall():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    Y = X @ rng.normal(size=(5, 3)) + 1e-3 * rng.normal(size=(60, 3))
    # Errors fall to 2e-7 of those without features, which the default tol leaves.
    fixed = {"alpha_shared": np.inf, "alpha_intercept": 0.0, "tol": 1e-8}
    for model in (
        JointFeatureRegressorCV(n_alphas=10, cv=3, **fixed),
        LowRankRegressorCV(n_alphas=10, cv=3, **fixed),
    ):
        model.fit(X, Y)
        assert len(model.cv_results_["alpha"]) > 10
        errors = fold_errors(model).mean(axis=1)
        assert errors[-2] - errors[-1] <= 1e-3 * errors[-1]


@parametrize("model", OWN_GRIDS, short=[OWN_GRIDS[k] for k in (0, 3, 7)])
def test_own_grids_reach_models_without_features(model):
    X, Y = noise()
    prediction = model.fit(X, Y).predict(X)
    assert np.var(prediction - prediction.mean(axis=0)) < 0.1 * np.var(Y)


full = pytest.mark.full


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MultiTaskRidgeCV([1e4, 1e5]), "towards 1e[+]04, the smallest .* smaller"),
        (MultiTaskRidgeCV([1e4, 1e5], cv=3), "smallest strength of alphas"),
        (
            MeanRegularizedRegressorCV([1e5], alphas_shared=[1e4, 1e5]),
            "smallest strength of alphas_shared. Add smaller strengths",
        ),
        (JointFeatureRegressorCV([50.0, 100.0]), "smallest strength of alphas"),
        pytest.param(
            LowRankRegressorCV([50.0, 100.0]), "smallest strength of alphas", marks=full
        ),
        pytest.param(
            LowRankRegressorCV(n_alphas=5, eps=0.5),
            "smallest strength of the path. Lower eps",
            marks=full,
        ),
        (PathSearchCV(LowRankRegressor(), 5, eps=0.5), "Lower eps"),
        pytest.param(
            JointFeatureRegressorCV(n_alphas=5, eps=0.5), "Lower eps", marks=full
        ),
    ],
)
def test_errors_that_fall_towards_the_end_of_a_grid_are_warned_of(model, message):
    rng = np.random.default_rng(0)
    X = 10 * rng.normal(size=(60, 5))
    Y = X @ rng.normal(size=(5, 3)) + rng.normal(size=(60, 3))
    with pytest.warns(UserWarning, match=message):
        model.fit(X, Y)


@pytest.mark.parametrize(
    "model",
    [
        MultiTaskRidgeCV([1e-8, 1e-7]),
        MeanRegularizedRegressorCV([1e-8, 1e-7], alphas_shared=[0.0, 1e-7]),
        MeanRegularizedRegressorCV([1.0, np.inf], alphas_intercept=[1.0, np.inf]),
    ],
    ids=str,
)
def test_ends_that_mean_independent_or_equal_tasks_are_not_warned_of(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    y = X @ rng.normal(size=5)
    Y = np.column_stack([y, y, y]) + 0.5 * rng.normal(size=(60, 3))
    assert model.fit(X, Y).score(X, Y) > 0.5


def test_a_ridge_of_more_columns_than_rows_does_not_choose_to_interpolate():
    """Without a row left, residuals are as small as what they are divided by."""
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(30, 60)), rng.normal(size=(500, 60))
    coef = rng.normal(size=(60, 2)) / np.sqrt(60)
    Y, expected = X @ coef + 0.5 * rng.normal(size=(30, 2)), Z @ coef
    model = MultiTaskRidgeCV().fit(X, Y)
    best = min(
        np.mean((MultiTaskRidgeCV([alpha]).fit(X, Y).predict(Z) - expected) ** 2)
        for alpha in np.geomspace(1e-2, 1e4, 13)
    )
    assert np.mean((model.predict(Z) - expected) ** 2) < 1.2 * best
    rows = MultiTaskRidgeCV().fit(
        np.tile(X, (2, 1)), Y.T.ravel(), task=np.repeat([0, 1], 30)
    )
    # An alpha of 1e-8 times the curvature leaves half of the digits.
    assert_allclose(rows.coef_, model.coef_, atol=1e-6)
