"""Features far from zero cost little accuracy if intercepts are free."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import LinearRegression

from skmtl.linear_model import (
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedRegressor,
    JointFeatureClassifier,
    JointFeatureRegressor,
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedHuberRegressor,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MixedTaskModel,
    MultiTaskRidge,
)

TASK = np.arange(160) % 4
KINDS = {0: "squared", 1: "logistic", 2: "poisson", 3: "logistic"}
NUMBERS = [
    MultiTaskRidge(),
    MeanRegularizedRegressor(),
    MeanRegularizedRegressor(alpha=np.inf, alpha_intercept=np.inf),
    GraphRegularizedRegressor("chain"),
    JointFeatureRegressor(0.05),
    LowRankRegressor(0.05, tol=1e-8),
    FusedRegressor(0.05),
    MeanRegularizedHuberRegressor(tol=1e-14),
    MeanRegularizedHuberRegressor(alpha=np.inf, alpha_intercept=np.inf, tol=1e-14),
]
CLASSES = [
    MeanRegularizedClassifier(),
    GraphRegularizedClassifier("chain"),
    JointFeatureClassifier(0.02, tol=1e-8),
    LowRankClassifier(0.02, tol=1e-8),
]
MODELS = [
    *((model, "numbers") for model in NUMBERS),
    *((model, kind) for model in CLASSES for kind in ("two", "three")),
    (MeanRegularizedPoissonRegressor(), "counts"),
]
each_model = pytest.mark.parametrize(("model", "kind"), MODELS, ids=str)
# Rounding of the features themselves, which an offset of 1e6 leaves ten digits, times
# the condition of the problems.
FAR = np.array([1e6, -5e5])
DIGITS = {"rtol": 1e-6, "atol": 1e-6}


@pytest.fixture
def table():
    """Return features, and targets of each kind."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 2))
    z = X @ [1.0, -1.0] + 0.3 * TASK
    noisy = z + rng.logistic(size=160)
    return X, {
        "numbers": z + rng.normal(size=160),
        "two": noisy > 0,
        "three": np.digitize(noisy, [-0.5, 1.0]),
        "counts": rng.poisson(np.exp(0.3 * z)),
    }


def learn(model, X, y):
    """Return coefficients, those for unseen tasks, and predictions of both."""
    found = model.fit(X, y, task=TASK)
    parts = found.coef_, found.coef_shared_, predict(found, X, TASK)
    return [np.array(part) for part in (*parts, predict(found, X, TASK + 10))]


def predict(found, X, task):
    name = "predict_proba" if hasattr(found, "predict_proba") else "predict"
    return getattr(found, name)(X, task=task)


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        assert_allclose(a, b, **DIGITS)


@each_model
def test_an_offset_of_a_million_deviations_is_harmless(table, model, kind):
    X, targets = table
    plain = learn(model, X, targets[kind])
    assert_same(learn(model, X + FAR, targets[kind]), plain)


@pytest.mark.parametrize(
    "model", [*CLASSES, MeanRegularizedHuberRegressor(tol=1e-14)], ids=str
)
def test_tasks_may_be_far_apart(table, model):
    """Intercepts are free, so every task may have an offset of its own."""
    X, targets = table
    far = X + 1e6 * (TASK - 1.5)[:, None]
    plain, found = learn(model, X, targets["two"]), learn(model, far, targets["two"])
    assert_allclose(found[0], plain[0], **DIGITS)
    assert_allclose(found[2], plain[2], **DIGITS)


@pytest.mark.parametrize("sharing", ["centre", "features"])
def test_tasks_of_several_kinds_may_be_far_from_zero(table, sharing):
    X, targets = table
    y = np.choose(TASK, [targets[k] for k in ("numbers", "two", "counts", "two")])
    model = MixedTaskModel(KINDS, sharing=sharing, alpha=0.05, tol=1e-8)
    plain = [model.fit(X, y, task=TASK).coef_[k].copy() for k in KINDS]
    mean = model.predict(X, task=TASK).astype(float)
    far = model.fit(X + 1e6, y, task=TASK)
    assert_same([far.coef_[k] for k in KINDS], plain)
    assert_allclose(far.predict(X + 1e6, task=TASK).astype(float), mean, **DIGITS)


@pytest.mark.parametrize("model", CLASSES, ids=str)
def test_far_columns_of_a_sparse_design_are_centred_too(table, model):
    X, targets = table
    X = np.column_stack([X[:, 0] + 1e6, np.where(np.abs(X[:, 1]) > 1, X[:, 1], 0.0)])
    dense = learn(model, X, targets["two"])
    found = model.fit(sparse.csr_array(X), targets["two"], task=TASK)
    assert_allclose(found.coef_, dense[0], **DIGITS)


@pytest.mark.parametrize("model", CLASSES, ids=str)
def test_a_constant_column_changes_nothing(table, model):
    """0.1 is not exact in binary; its mean must be exact all the same."""
    X, targets = table
    plain = learn(model, X, targets["two"])
    more = np.column_stack([X, np.full(160, 0.1), 1e6 * (TASK + 0.1)])
    found = learn(model, more, targets["two"])
    assert_allclose(found[0], np.pad(plain[0], [(0, 0), (0, 2)]), rtol=1e-5, atol=1e-7)
    assert_allclose(found[2], plain[2], rtol=1e-5)


def test_timestamps_in_milliseconds_keep_an_exact_slope():
    time = np.linspace(1.7e12, 1.7e12 + 2e4, 48)[:, None]
    y = 0.002 * (time[:, 0] - time[0, 0])
    found = MeanRegularizedHuberRegressor().fit(time, y, task=np.arange(48) % 2)
    assert_allclose(found.coef_, 0.002, rtol=1e-6)
    assert_allclose(found.predict(time, task=np.arange(48) % 2), y, atol=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        MeanRegularizedHuberRegressor(warm_start=True),
        MeanRegularizedPoissonRegressor(warm_start=True),
        GraphRegularizedClassifier("chain", warm_start=True),
    ],
    ids=str,
)
def test_a_warm_start_follows_features_that_move(table, model):
    X, targets = table
    y = targets["two"].astype(int)
    learn(model, X + 100, y)
    begun = model.n_iter_
    learn(model, X + 100.001, y)
    assert model.n_iter_ < begun


@pytest.mark.parametrize("strength", [0.1, np.inf])
def test_pulled_intercepts_keep_their_digits_or_are_refused(table, strength):
    """Moments solve the same problem exactly, however far the features are."""
    X, targets = table
    params = {"alpha_intercept": strength, "alpha_shared": 0.0}
    model = MeanRegularizedHuberRegressor(epsilon=1e6, tol=1e-14, **params)
    exact = MeanRegularizedRegressor(**params)
    found, expected = (learn(m, X + 3e4, targets["numbers"]) for m in (model, exact))
    assert_same(found[:1], expected[:1])
    with pytest.raises(ValueError, match=r"in feature 1. Subtract its mean"):
        model.fit(X + [0.0, 1.0] * FAR, targets["numbers"], task=TASK)
    with pytest.raises(ValueError, match=r"in feature 1. Subtract its mean"):
        MeanRegularizedClassifierCV().fit(
            X + [0.0, 1.0] * FAR, targets["two"], task=TASK
        )


def test_moments_of_pulled_intercepts_are_exact_far_from_zero(table):
    """Least squares of all parts at once, by QR, are the oracle."""
    X, targets = table
    X, y = X + FAR, targets["numbers"]
    own = np.zeros((160, 4, 3))
    own[np.arange(160), TASK] = np.column_stack([X, np.ones(160)])
    centre = np.column_stack([X - X.mean(axis=0), np.ones(160)])
    pulls = np.hstack([np.sqrt(0.5) * np.eye(12), np.zeros((12, 3))])
    design = np.vstack([np.hstack([own.reshape(160, 12), centre]), pulls])
    unit = np.linalg.norm(design, axis=0)
    line = LinearRegression(fit_intercept=False, tol=1e-15)
    coef = line.fit(design / unit, np.append(y, np.zeros(12))).coef_ / unit
    expected = coef[:12].reshape(4, 3)[:, :2] + coef[12:14]
    found = MeanRegularizedRegressor(0.5, alpha_intercept=0.5).fit(X, y, task=TASK)
    assert_allclose(found.coef_, expected, rtol=1e-6)
