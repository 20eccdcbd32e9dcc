"""Numbers of very different sizes: units of targets, overflow, float32."""

import numpy as np
import pandas as pd
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy import sparse

from skmtl.compose import IndependentTasks, PooledTasks
from skmtl.linear_model import (
    ClusteredRegressor,
    DirtyRegressor,
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedRegressor,
    JointFeatureClassifier,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LinearTaskRegressor,
    LowRankClassifier,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedHuberRegressor,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MixedTaskModel,
    MultiTaskRidge,
    MultiTaskRidgeCV,
    PathSearchCV,
    RobustRegressor,
)

CONTAINERS = {"array": np.asarray, "sparse": sparse.csr_array}
APART = [MultiTaskRidge(), MultiTaskRidgeCV()]
SHARING = [
    MeanRegularizedRegressor(),
    MeanRegularizedRegressorCV([1.0], alphas_intercept=[1.0], scale_targets=False),
    GraphRegularizedRegressor("chain"),
    JointFeatureRegressor(0.1),
    JointFeatureRegressorCV([0.1], scale_targets=False),
    LowRankRegressor(0.1),
    LowRankRegressorCV([0.1], scale_targets=False),
    ClusteredRegressor(1, 0.1, 1.0),
    DirtyRegressor(0.1, 0.1),
    RobustRegressor(0.1, 0.1),
    FusedRegressor(0.1),
    LinearTaskRegressor(),
    MeanRegularizedHuberRegressor(),
    PathSearchCV(LowRankRegressor(), alphas=[0.1]),
]
CLASSIFIERS = [
    MeanRegularizedClassifier(),
    MeanRegularizedClassifierCV(alphas=[1.0], alphas_intercept=[1.0]),
    GraphRegularizedClassifier("chain"),
    JointFeatureClassifier(0.01),
    LowRankClassifier(0.01),
]
KINDS = {0: "squared", 1: "logistic"}
OTHERS = [
    *CLASSIFIERS,
    MeanRegularizedPoissonRegressor(),
    MixedTaskModel(KINDS),
    MixedTaskModel(KINDS, sharing="features", alpha=0.01),
]
ALL = [*APART, *SHARING, *OTHERS]
TASK = np.arange(60) % 2


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    return X, X @ [1.0, -1.0, 0.0] + rng.normal(size=60)


# Units of targets


@pytest.mark.parametrize("model", SHARING, ids=str)
def test_targets_in_different_units_cause_a_warning(rows, model):
    X, y = rows
    y = np.where(TASK == 1, 1000 * y, y)
    with pytest.warns(UserWarning, match=r"of y is .* in task 1 and .* in task 0"):
        model.fit(X, y, task=TASK)


@pytest.mark.parametrize("model", APART, ids=str)
def test_independent_tasks_may_have_any_units(rows, model):
    X, y = rows
    model.fit(X, np.where(TASK == 1, 1000 * y, y), task=TASK)


def test_columns_in_different_units_cause_a_warning_and_the_remedy_works(rows):
    X, y = rows
    noise = np.random.default_rng(1).normal(size=60)
    Y = np.column_stack([y, 1000 * (y + noise)])
    Y[:5, 0] = np.nan
    with pytest.warns(UserWarning, match="set scale_targets=True"):
        MeanRegularizedRegressor().fit(X, Y)
    model = MeanRegularizedRegressor(10.0, scale_targets=True)
    assert model.fit(X, Y).score(X, Y) > 0.3


@pytest.mark.parametrize(
    "case", ["few rows", "constant", "almost constant", "no weight", "five times"]
)
def test_uncertain_spreads_cause_no_warning(rows, case):
    X, y = rows
    weight, task, small = np.ones(60), TASK, TASK == 0
    if_small = {
        "few rows": y,
        "constant": 7.0,
        "almost constant": 0.1 + 0.2,
        "no weight": 1e-6 * y,
        "five times": y / 5,
    }
    y = np.where(small, if_small[case], y)
    task = {"few rows": np.arange(60) // 2}.get(case, task)
    weight = {"no weight": np.where(small, 0.0, 1.0)}.get(case, weight)
    MeanRegularizedRegressor().fit(X, y, task=task, sample_weight=weight)


def test_many_small_tasks_of_one_spread_cause_no_warning():
    """Among thousands of tasks of ten rows, the extremes differ much by chance."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(20000, 1)), np.arange(20000) % 2000
    for y in (rng.standard_t(3, size=20000), rng.exponential(size=20000)):
        MeanRegularizedRegressor().fit(X, y, task=task)


# Overflow


@pytest.mark.parametrize("size", [1e155, 1e300, np.finfo(float).max])
@pytest.mark.parametrize("model", ALL, ids=str)
def test_a_feature_that_overflows_is_named(rows, model, size):
    X, y = rows
    X = X * [1.0, size / 4, 1.0]
    with pytest.raises(ValueError, match=r"feature 1 of X. Divide the column by its"):
        model.fit(X, y > 0, task=TASK)


@pytest.mark.parametrize("model", [PooledTasks(), IndependentTasks()], ids=str)
def test_wrappers_name_the_column_that_overflows(rows, model):
    X, y = rows
    X = X * [1.0, 1e307, 1.0]
    with pytest.raises(ValueError, match=r"in column 1\. Divide the column by its"):
        model.fit(X, y, task=TASK)
    frame = pd.DataFrame(X, columns=["a", "huge", "c"])
    with pytest.raises(ValueError, match=r"in column 'huge'\. Divide the column"):
        model.fit(frame, y, task=TASK)


@pytest.mark.parametrize("model", [*APART, *SHARING, *OTHERS[5:]], ids=str)
def test_targets_that_overflow_are_refused(rows, model):
    X, y = rows
    with pytest.raises(ValueError, match=r"for y\. Divide the column by its largest"):
        model.fit(X, np.where(TASK == 0, 1e300 * np.abs(y), y > 0), task=TASK)


@parametrize("container", CONTAINERS, short=["array"])
@pytest.mark.parametrize("model", [*ALL, PooledTasks(), IndependentTasks()], ids=str)
def test_predictions_that_overflow_are_refused(rows, model, container):
    X, y = rows
    found = model.fit(X, 1000 * (y > 0), task=TASK)
    far = X.copy()
    far[3] = [1.7e308, -1.7e308, 0.0]
    with pytest.raises(ValueError, match=r"row 3.* 1.7e\+308"):
        found.predict(container(far), task=TASK)


@pytest.mark.parametrize("model", [*APART, *SHARING, *CLASSIFIERS], ids=str)
def test_float32_overflow_is_recomputed_in_float64(rows, model):
    X, y = rows
    found = model.fit(X.astype(np.float32), 10 * (y > 0), task=TASK)
    far = (3e38 * np.sign(X) * [1.0, 1.0, 0.0]).astype(np.float32)
    name = "predict" if model in [*APART, *SHARING] else "decision_function"
    mean = getattr(found, name)(far, task=TASK)
    assert np.isfinite(mean).all()
    assert np.abs(mean).max() > 1e38


def test_small_units_of_float32_keep_their_coefficients(rows):
    X, y = rows
    tiny = (1e-20 * X).astype(np.float32)
    found = MeanRegularizedRegressor(1e-42).fit(tiny, 1e25 * y, task=TASK)
    plain = MeanRegularizedRegressor(0.01).fit(X, y, task=TASK)
    assert_allclose(found.coef_ / 1e45, plain.coef_, rtol=1e-2)
    usual = MeanRegularizedRegressor().fit(X.astype(np.float32), y, task=TASK)
    assert usual.coef_.dtype == usual.predict(X.astype(np.float32), task=TASK).dtype
    assert usual.coef_.dtype == np.float32


def test_a_refused_fit_keeps_the_model(rows):
    X, y = rows
    model = LowRankRegressor(0.1).fit(X, y, task=TASK)
    before = model.predict(X, task=TASK)
    with pytest.raises(ValueError, match="Divide the column"):
        model.fit(1e300 * X, y, task=TASK)
    assert_allclose(model.predict(X, task=TASK), before)
