"""Restricted likelihood is that of mixed models, with statsmodels as the oracle."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV
from skmtl.selection import RestrictedLikelihood

mixed_linear_model = pytest.importorskip(
    "statsmodels.regression.mixed_linear_model", reason="statsmodels is not installed"
)

pytestmark = pytest.mark.peers


def sleepers(seed=0):
    """Reaction times of 18 people on ten days: intercepts and slopes differ."""
    rng = np.random.default_rng(seed)
    task, days = np.repeat(np.arange(18), 10), np.tile(np.arange(10.0), 18)
    level, slope = 25 * rng.normal(size=18), 6 * rng.normal(size=18)
    y = 251 + level[task] + (10.5 + slope[task]) * days + 25 * rng.normal(size=180)
    return days[:, None], y, task


def pupils(seed=0):
    """Marks in 65 schools of 2 to 198 pupils, on three measures of intake."""
    rng = np.random.default_rng(seed)
    sizes = np.append(rng.integers(10, 120, 63), [2, 198])
    task = np.repeat(np.arange(65), sizes)
    X = rng.normal(size=(len(task), 3)) + 0.3 * rng.normal(size=(65, 3))[task]
    slope = [0.55, -0.2, 0.1] + np.array([0.12, 0.2, 0.05]) * rng.normal(size=(65, 3))
    y = (X * slope[task]).sum(axis=1) + 0.3 * rng.normal(size=65)[task]
    return X, y + 0.75 * rng.normal(size=len(task)), task


def mixed_model(X, y, task, per_feature=True):
    """State tasks as independent random effects: one variance each, or one for all."""
    groups = np.unique(task)
    n_features = X.shape[1]
    columns = [[j] for j in range(n_features)] if per_feature else [range(n_features)]
    matrices = [[np.ones(((task == t).sum(), 1)) for t in groups]]
    matrices += [[X[task == t][:, list(some)] for t in groups] for some in columns]
    names = [f"effect{k}" for k in range(len(matrices))]
    labels = [[[f"{k}"] * m.shape[1] for m in some] for k, some in enumerate(matrices)]
    effects = mixed_linear_model.VCSpec(names, labels, matrices)
    order = np.argsort(task, kind="stable")
    fixed = np.column_stack([np.ones(len(y)), X])
    return mixed_linear_model.MixedLM(
        y[order],
        fixed[order],
        task[order],
        exog_re=None,
        exog_vc=effects,
        use_sqrt=True,
    )


def criterion_at(model, ratios):
    """Return minus twice their restricted log likelihood at ratios of variances."""
    model.cov_pen = model.fe_pen = None
    params = mixed_linear_model.MixedLMParams.from_components(
        fe_params=np.zeros(model.k_fe), vcomp=np.asarray(ratios)
    )
    return -2 * model.loglike(params, profile_fe=True)


each_data = pytest.mark.parametrize("draw", [sleepers, pupils])


@each_data
@pytest.mark.parametrize("factor", [0.1, 1.0, 7.0])
def test_the_criterion_at_given_strengths_is_that_of_a_mixed_model(draw, factor):
    X, y, task = draw()
    alpha, level = factor * np.arange(5.0, 5 + X.shape[1]), 3 * factor
    expected = criterion_at(mixed_model(X, y, task), [1 / level, *(1 / alpha)])
    plain = MeanRegularizedRegressor(alpha, alpha_intercept=level).fit(X, y, task=task)
    fit = plain._solve_moments(plain.moments_)
    assert_allclose(RestrictedLikelihood(fit).criterion, expected, rtol=1e-10)


@each_data
@pytest.mark.parametrize("structure", ["per_feature", "one"])
def test_no_mixed_model_is_likelier(draw, structure):
    X, y, task = draw()
    model = MeanRegularizedRegressorCV(
        method="reml", alphas_shared=[0.0], alpha_structure=structure
    )
    model.fit(X, y, task=task)
    theirs = mixed_model(X, y, task, structure == "per_feature")
    alpha = np.atleast_1d(model.alpha_)
    ours = criterion_at(theirs, [1 / model.alpha_intercept_, *(1 / alpha)])
    assert_allclose(-2 * model.best_score_, ours, rtol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own convergence
        found = theirs.fit(reml=True, method=["lbfgs", "nm"])
    assert -2 * model.best_score_ <= -2 * found.llf + 1e-6
    assert_allclose(-2 * model.best_score_, -2 * found.llf, atol=1e-4)
    assert_allclose(model.sigma2_, found.scale, rtol=1e-3)


@each_data
def test_no_mixed_model_with_a_covariance_is_likelier(draw):
    X, y, task = draw()
    model = MeanRegularizedRegressorCV(
        method="reml", alphas_shared=[0.0], alpha_structure="covariance"
    ).fit(X, y, task=task)
    fixed = np.column_stack([X, np.ones(len(y))])
    theirs = mixed_linear_model.MixedLM(y, fixed, task, exog_re=fixed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own convergence
        found = theirs.fit(reml=True, method=["bfgs", "nm"])
    assert -2 * model.best_score_ <= -2 * found.llf + 1e-6
    assert_allclose(-2 * model.best_score_, -2 * found.llf, atol=1e-2)
