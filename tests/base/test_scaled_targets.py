"""A fit with scaled targets is the fit of divided targets, in the units of y."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.linear_model import (
    ClusteredRegressor,
    DirtyRegressor,
    FusedRegressor,
    GraphRegularizedRegressor,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LinearTaskRegressor,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
    PathSearchCV,
    RobustRegressor,
)

full = pytest.mark.full
N_TASKS, SIZE = 4, 25
TASK = np.repeat(np.arange(N_TASKS), SIZE)
FACTORS = np.array([1.0, 1000.0, 0.01, 20.0])
MODELS = [
    MeanRegularizedRegressor(2.0, alpha_intercept=1.0),
    GraphRegularizedRegressor([0, 1, 2, 3, 9], 2.0),
    JointFeatureRegressor(0.05, tol=1e-12),
    pytest.param(LowRankRegressor(0.05, tol=1e-12), marks=full),
    pytest.param(ClusteredRegressor(2, 0.1, 1.0, tol=1e-12), marks=full),
    pytest.param(DirtyRegressor(0.1, 0.1, tol=1e-12), marks=full),
    pytest.param(RobustRegressor(0.1, 0.1, tol=1e-12), marks=full),
    pytest.param(FusedRegressor(0.05, tol=1e-12), marks=full),
    pytest.param(LinearTaskRegressor(), marks=full),
]
SHORT = {"n_alphas": 5, "cv": 2}
SEARCHES = [
    MeanRegularizedRegressorCV(),
    JointFeatureRegressorCV(alpha_shared=np.inf, alpha_intercept=0, **SHORT),
    pytest.param(
        LowRankRegressorCV(alpha_shared=np.inf, alpha_intercept=0, **SHORT), marks=full
    ),
]


def draw(noise=1.0, seed=0):
    """Tasks near one centre, without units."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(len(TASK), 3))
    coef = [1.0, -1.0, 0.5] + 0.3 * rng.normal(size=(N_TASKS, 3))
    return X, (X * coef[TASK]).sum(axis=1) + noise * rng.normal(size=len(TASK))


def in_units(y):
    return y * FACTORS[TASK]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_models_are_those_of_divided_targets(model):
    X, y = draw()
    y = in_units(y)
    found = model.set_params(scale_targets=True).fit(X, y, task=TASK)
    scale, shared = found.target_scale_, found.target_scale_shared_
    common = found.target_centre_
    coef, intercept = found.coef_, found.intercept_
    centre = found.coef_shared_, found.intercept_shared_
    assert_allclose(scale, [y[t == TASK].std() for t in range(N_TASKS)], rtol=0.02)
    divided = (y - common) / scale[TASK]
    found = model.set_params(scale_targets=False).fit(X, divided, task=TASK)
    assert_allclose(coef, scale[:, None] * found.coef_, rtol=1e-6)
    assert_allclose(intercept, scale * found.intercept_ + common, rtol=1e-6)
    assert_allclose(centre[0], shared * found.coef_shared_, rtol=1e-6)
    assert_allclose(centre[1], shared * found.intercept_shared_ + common, rtol=1e-6)
    assert_array_equal(found.target_scale_, np.ones(N_TASKS))


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_constant_only_adds_to_predictions(model):
    X, y = draw()
    y = np.array([1.0, 3.0, 0.5, 10.0])[TASK] * y
    model.set_params(scale_targets=True)
    seen_and_new = [0, 1, 3, 9]
    before = model.fit(X, y, task=TASK).predict(X[::25], seen_and_new)
    after = model.fit(X, y + 1000, task=TASK).predict(X[::25], seen_and_new)
    assert_allclose(after, before + 1000, rtol=1e-9)


def test_tasks_of_one_level_and_unlike_scales_predict_it_for_an_unseen_task():
    X, y = draw()
    y = 1000 + np.geomspace(1, 10, N_TASKS)[TASK] * y
    model = MeanRegularizedRegressorCV(scale_targets=True).fit(X, y, task=TASK)
    assert abs(model.predict(np.zeros((1, 3)), 99)[0] - 1000) < 10


def test_parts_of_coefficients_are_in_the_units_of_the_target():
    X, y = draw()
    model = DirtyRegressor(0.02, 0.02, scale_targets=True).fit(
        X, in_units(y), task=TASK
    )
    plain = DirtyRegressor(0.02, 0.02).fit(
        X, in_units(y) / model.target_scale_[TASK], task=TASK
    )
    own = model.target_scale_[:, None] * plain.coef_specific_
    assert_allclose(model.coef_specific_, own, rtol=1e-6)


def test_batches_a_new_task_and_deviations_have_the_units_of_the_target():
    X, y = draw()
    y, old = in_units(y), TASK < 3
    model = MeanRegularizedRegressor(2.0, alpha_intercept=1.0, scale_targets=True)
    prediction, std = model.fit(X, y, task=TASK).predict(X, TASK, return_std=True)
    divided = (y - model.target_centre_) / model.target_scale_[TASK]
    plain = MeanRegularizedRegressor(2.0, alpha_intercept=1.0).fit(
        X, divided, task=TASK
    )
    _, expected = plain.predict(X, TASK, return_std=True)
    assert_allclose(std, expected * model.target_scale_[TASK])
    _, unseen = model.predict(X[:2], 9, return_std=True)
    _, expected = plain.predict(X[:2], 9, return_std=True)
    # An unseen task may have any unit.
    assert (unseen > expected * model.target_scale_shared_).all()

    every = MeanRegularizedRegressor(2.0, alpha_intercept=1.0, scale_targets=True)
    every.partial_fit(X[::2], y[::2], task=TASK[::2])
    every.partial_fit(X[1::2], y[1::2], task=TASK[1::2])
    assert_allclose(every.coef_, model.coef_)

    batches = MeanRegularizedRegressor(2.0, alpha_intercept=1.0, scale_targets=True)
    batches.partial_fit(X[old], y[old], task=TASK[old])
    shared = batches.coef_shared_
    batches.adapt(X[~old], y[~old], task=TASK[~old])
    assert_array_equal(batches.coef_shared_, shared)
    assert_allclose(batches.target_scale_, model.target_scale_, rtol=0.02)
    assert np.corrcoef(batches.predict(X[~old], 3), y[~old])[0, 1] > 0.7
    assert_allclose(
        batches.predict(X[~old], 3), prediction[~old], atol=0.2 * y[~old].std()
    )


@pytest.mark.parametrize("model", SEARCHES, ids=str)
def test_a_search_scales_tasks_in_different_units(model):
    """Each task is predicted as well as by an independent fit, or better."""
    X, y = draw()
    rest, y = draw(seed=1)[0], in_units(y)
    model.set_params(scale_targets="auto").fit(X, y, task=TASK)
    assert_allclose(model.target_scale_ / FACTORS, 1.8, rtol=0.3)
    apart = MultiTaskRidgeCV().fit(X, y, task=TASK)
    shared, own = (each.predict(rest, TASK) for each in (model, apart))
    gap = ((shared - own) / in_units(np.ones(len(TASK)))) ** 2
    assert gap.mean() < 0.1


@pytest.mark.parametrize("model", SEARCHES, ids=str)
def test_a_search_does_not_scale_tasks_of_one_unit(model):
    X, y = draw()
    model.set_params(scale_targets="auto").fit(X, y, task=TASK)
    assert_array_equal(model.target_scale_, np.ones(N_TASKS))
    coef = model.coef_
    model.set_params(scale_targets=False).fit(X, y, task=TASK)
    assert_array_equal(model.coef_, coef)


@full
def test_a_search_does_not_scale_if_that_predicts_worse():
    """One unit, but the tasks' slopes differ less than their spreads."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(len(TASK), 3)) * np.array([0.05, 1.0, 5.0, 0.2])[TASK, None]
    y = X @ [1.0, -1.0, 0.5] + 0.05 * rng.normal(size=len(TASK))
    model = MeanRegularizedRegressorCV(scale_targets="auto").fit(X, y, task=TASK)
    assert_array_equal(model.target_scale_, np.ones(N_TASKS))
    model.set_params(scale_targets=True).fit(X, y, task=TASK)
    assert model.target_scale_.max() > 3 * model.target_scale_.min()


def test_a_given_strength_is_scaled_by_spreads_alone():
    X, y = draw()
    model = MeanRegularizedRegressor(scale_targets="auto")
    assert_array_equal(model.fit(X, y, task=TASK).target_scale_, np.ones(N_TASKS))
    assert_allclose(
        model.fit(X, in_units(y), task=TASK).target_scale_ / FACTORS, 1.8, rtol=0.3
    )


@full
@pytest.mark.parametrize(
    "model",
    [MeanRegularizedRegressorCV(), MeanRegularizedRegressor(scale_targets=True)],
    ids=str,
)
def test_the_layout_of_the_tasks_is_no_matter(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(SIZE, 3))
    coef = [[1.0], [-1.0], [0.5]] + 0.3 * rng.normal(size=(3, N_TASKS))
    Y = FACTORS * (X @ coef + 1 + rng.normal(size=(SIZE, N_TASKS)))
    rows, y = np.tile(X, (N_TASKS, 1)), Y.T.ravel()
    found = model.fit(X, Y).coef_
    assert model.target_scale_.max() > 1
    assert_allclose(model.fit(rows, y, task=TASK).coef_, found, rtol=1e-6)
    column = np.column_stack([rows, TASK])
    model.set_params(task_column=3).fit(column, y)
    assert_allclose(model.coef_, found, rtol=1e-6)
    model.set_params(task_column=None)


def test_tasks_without_variation_get_the_scale_of_a_typical_task():
    X, y = draw()
    y = np.where(TASK == 0, 5.0, y)
    weight = np.where(TASK == 1, 0.0, 1.0)
    model = MeanRegularizedRegressor(scale_targets=True)
    model.fit(X, y, task=TASK, sample_weight=weight)
    assert_array_equal(model.target_scale_[:2], model.target_scale_shared_)
    model.fit(X, np.ones(len(TASK)), task=TASK)
    assert_array_equal(model.target_scale_, np.ones(N_TASKS))


def test_a_variance_that_overflows_is_named():
    X, y = draw()
    with pytest.raises(ValueError, match=r"scale_targets needs .* position 2 over"):
        MeanRegularizedRegressor(scale_targets=True).fit(
            X, np.where(TASK == 2, 1e200 * y, y), task=TASK
        )


@full
def test_a_path_search_scales_as_its_model_does():
    X, y = draw()
    model = LowRankRegressor(scale_targets="auto")
    search = PathSearchCV(model, n_alphas=5, cv=2).fit(X, in_units(y), task=TASK)
    assert search.best_estimator_.target_scale_.max() > 100
