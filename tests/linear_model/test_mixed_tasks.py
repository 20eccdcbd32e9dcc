"""Regression, classes and counts in one fit."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import d2_log_loss_score, d2_tweedie_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skmtl.linear_model import (
    JointFeatureRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MixedTaskModel,
)
from skmtl.losses import Logistic, Multinomial, Poisson, Squared
from skmtl.problems.newton import scale_of_task

LOSSES = {"count": "poisson", "kind": "logistic", "price": "squared"}
COLOURS = {**LOSSES, "colour": "multinomial"}
CENTRE = MixedTaskModel(LOSSES, alpha=2.0, alpha_shared=0.5)
FEATURES = MixedTaskModel(LOSSES, sharing="features", alpha=0.1)
each_sharing = pytest.mark.parametrize("model", [CENTRE, FEATURES], ids=str)
# A part of the gradient of 1e-6 may be left.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(scope="module")
def table():
    """Return features, and a frame of targets of four kinds with cells missing."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(90, 5)) + 1
    line = X @ [1.0, -1.0, 0.5, 0.0, 0.0]
    scores = X[:, :3] + rng.gumbel(size=(90, 3))
    Y = pd.DataFrame(
        {
            "count": rng.poisson(np.exp(0.4 * line)),
            "kind": np.where(line + rng.logistic(size=90) > 0.5, "yes", "no"),
            "price": 1000 + 20 * (line + rng.normal(size=90)),
            "colour": np.array(["blue", "green", "red"])[scores.argmax(axis=1)],
        }
    ).astype(object)
    Y.iloc[:8, 0] = None
    Y.iloc[5:20, 1] = np.nan
    Y.iloc[30:40, 2] = pd.NA
    return X, Y


@pytest.fixture(scope="module")
def narrow(table):
    X, Y = table
    return X, Y[list(LOSSES)]


def lengthen(X, Y):
    """Return features, targets and labels of the cells that are observed."""
    rows, columns = np.nonzero(Y.notna().to_numpy())
    y = Y.to_numpy(dtype=object)[rows, columns]
    return X[rows], y, Y.columns.to_numpy()[columns]


def assert_alike(first, second, **tolerance):
    tolerance = tolerance or CLOSE
    assert list(first.coef_) == list(second.coef_)
    for label in first.coef_:
        assert_allclose(first.coef_[label], second.coef_[label], **tolerance)
        assert_allclose(first.intercept_[label], second.intercept_[label], **tolerance)


# -- one task is a model of scikit-learn, tasks of one kind are one of ours


def test_one_squared_task_is_ridge_on_its_standardised_target(table):
    X, Y = table
    y = np.array([1000.0 if pd.isna(price) else price for price in Y["price"]])
    model = MixedTaskModel({0: "squared"}, alpha=np.inf, alpha_shared=3.0).fit(X, y)
    ridge = Ridge(alpha=3.0).fit(X, (y - y.mean()) / y.std())
    assert_allclose(model.coef_[0], y.std() * ridge.coef_)
    assert_allclose(model.intercept_[0], y.mean() + y.std() * ridge.intercept_)
    assert_allclose(model.deviance_, [y.var()])
    assert_allclose(model.unit_, [y.std()])


def test_one_logistic_task_is_logistic_regression(table):
    X, Y = table
    y = Y["colour"] == "red"
    model = MixedTaskModel({0: "logistic"}, alpha=np.inf, alpha_shared=2.0)
    model.fit(X, y)
    share = y.mean()
    strength = 1 / (2.0 * share * (1 - share))
    expected = LogisticRegression(C=strength, tol=1e-10, max_iter=1000).fit(X, y)
    assert_allclose(model.coef_[0], expected.coef_[0], **CLOSE)
    assert_allclose(model.intercept_[0], expected.intercept_[0], **CLOSE)


def test_one_poisson_task_is_poisson_regression(table):
    X, Y = table
    y = np.array([2.0 if pd.isna(count) else count for count in Y["count"]])
    model = MixedTaskModel({0: "poisson"}, alpha=np.inf, alpha_shared=2.0).fit(X, y)
    strength = 2.0 * y.mean() / len(y)
    expected = PoissonRegressor(alpha=strength, tol=1e-10, max_iter=1000).fit(X, y)
    assert_allclose(model.coef_[0], expected.coef_, **CLOSE)
    assert_allclose(model.intercept_[0], expected.intercept_, **CLOSE)


def test_squared_tasks_are_those_of_the_regressor(table):
    X, _ = table
    rng = np.random.default_rng(0)
    targets = X @ rng.normal(size=(5, 3)) * [1, 10, 100] + rng.normal(size=(90, 3))
    model = MixedTaskModel(dict.fromkeys(range(3), "squared"), alpha=4.0)
    model.fit(X, targets)
    expected = MeanRegularizedRegressor(alpha=4.0, alpha_shared=1.0)
    expected.fit(X, targets / targets.std(axis=0))
    coefs = np.array(list(model.coef_.values()))
    assert_allclose(coefs, expected.coef_ * targets.std(axis=0)[:, None])
    assert_allclose(model.coef_shared_, expected.coef_shared_)
    found = model.predict(X).astype(float)
    assert_allclose(found, expected.predict(X) * targets.std(axis=0))


def test_balanced_classes_are_those_of_the_classifier():
    rng = np.random.default_rng(1)
    X, task = rng.normal(size=(120, 3)), np.repeat(["a", "b", "c"], 40)
    line = X @ [1.0, -1.0, 0.0] + rng.logistic(size=120)
    halves = np.argsort(np.argsort(line.reshape(3, 40), axis=1), axis=1) >= 20
    y = halves.ravel().astype(int)
    losses = dict.fromkeys("abc", "logistic")
    model = MixedTaskModel(losses, alpha=2.0, alpha_shared=1.0).fit(X, y, task=task)
    expected = MeanRegularizedClassifier(0.5, alpha_shared=0.25).fit(X, y, task=task)
    coefs = np.array(list(model.coef_.values()))
    assert_allclose(coefs, expected.coef_, **CLOSE)
    assert_allclose(model.deviance_, 2 * np.log(2))
    assert_allclose(model.coef_shared_ * model.unit_[0], expected.coef_shared_, **CLOSE)


def test_squared_tasks_with_common_features_are_those_of_the_regressor(table):
    X, _ = table
    rng = np.random.default_rng(0)
    W = np.zeros((5, 3))
    W[:2] = rng.normal(size=(2, 3))
    targets = (X @ W + rng.normal(size=(90, 3))) * [1, 10, 100]
    losses = dict.fromkeys(range(3), "squared")
    model = MixedTaskModel(losses, sharing="features", alpha=0.3).fit(X, targets)
    expected = JointFeatureRegressor(alpha=0.3, tol=1e-12)
    expected.fit(X, targets / targets.std(axis=0))
    coefs = np.array(list(model.coef_.values()))
    assert_allclose(coefs, expected.coef_ * targets.std(axis=0)[:, None], **CLOSE)
    assert_allclose(model.objective_, expected.objective_)
    assert_array_equal(model.support_, expected.support_)


def test_one_multinomial_task_is_its_penalised_likelihood(table):
    X, Y = table
    y = np.unique(Y["colour"], return_inverse=True)[1]
    model = MixedTaskModel({0: "multinomial"}, sharing="features", alpha=0.1)
    model.fit(X, Y["colour"])
    smooth = 1e-10  # its root times the strength is what the optimum may be off

    def objective(flat):
        W, b = flat[:15].reshape(3, 5), flat[15:]
        scores = X @ W.T + b
        losses = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(90), y]
        lengths = np.sqrt((W**2).sum(axis=0) + smooth)
        penalty = 0.1 / model.unit_[0] * lengths.sum()
        return losses.mean() / model.deviance_[0] + penalty

    found = np.concatenate([model.coef_[0].ravel(), model.intercept_[0]])
    best = minimize(objective, found, options={"gtol": 1e-9, "maxiter": 1000})
    assert_allclose(objective(found), best.fun, rtol=1e-7)
    assert_allclose(model.coef_[0].sum(axis=0), 0, atol=1e-12)
    assert_allclose(model.objective_, objective(found), rtol=1e-4)


# -- the scale of the losses


def test_losses_of_constants_have_deviance_and_curvature_one():
    y = np.array([0.0, 1.0, 1.0, 4.0])
    found = scale_of_task(Poisson(), y)
    assert_allclose(found.offset, np.log(1.5))
    terms = 4 * np.log(4 / 1.5) + 2 * np.log(1 / 1.5)
    assert_allclose(found.scale, 2 * terms / 4)
    assert_allclose(found.unit**2 * 1.5 / found.scale, 1)


@pytest.mark.parametrize("loss", [Squared(), Logistic(), Poisson(), Multinomial(3)])
def test_a_weight_counts_like_a_repetition_in_the_scale(loss):
    y, weight = np.array([0.0, 1.0, 1.0, 0.0, 1.0]), np.array([1, 2, 3, 1, 1])
    y[-1] = getattr(loss, "n_classes", 2) - 1
    first, second = (
        scale_of_task(loss, y, weight),
        scale_of_task(loss, y.repeat(weight)),
    )
    assert_allclose(first.offset, second.offset)
    assert_allclose([first.scale, first.unit], [second.scale, second.unit])


@each_sharing
def test_the_unit_of_a_number_does_not_matter(narrow, model):
    X, Y = narrow
    model = clone(model).fit(X, Y)
    other = clone(model).fit(X, Y.assign(price=Y["price"] * 1e6))
    assert_allclose(other.coef_["price"], 1e6 * model.coef_["price"], rtol=1e-6)
    assert_allclose(other.coef_["kind"], model.coef_["kind"], rtol=1e-6)


def test_the_gradient_vanishes_at_the_optimum(narrow):
    X, Y = narrow
    model = clone(CENTRE).fit(X, Y)
    assert model.optimality_ < 1e-8
    units = dict(zip(model.tasks_, model.unit_, strict=True))
    pulls = [model.coef_[k] / units[k] - model.coef_shared_ for k in LOSSES]
    assert_allclose(2.0 * np.sum(pulls, axis=0), 0.5 * model.coef_shared_, atol=1e-7)


def test_an_infinite_strength_makes_coefficients_one_up_to_units(narrow):
    X, Y = narrow
    model = clone(CENTRE).set_params(alpha=np.inf).fit(X, Y)
    coefs = np.array(list(model.coef_.values())) / model.unit_[:, None]
    assert_allclose(coefs, np.tile(model.coef_shared_, (3, 1)), rtol=1e-12)


def test_a_heavy_task_is_fitted_more_closely(narrow):
    X, Y = narrow
    weight = {"count": 1.0, "kind": 1.0, "price": 1000.0}
    model = clone(CENTRE).set_params(alpha=50.0, task_weight=weight).fit(X, Y)
    alone = clone(model).set_params(alpha=0.0).fit(X, Y)
    gap = model.coef_["price"] - alone.coef_["price"]
    assert np.abs(gap).max() < 0.02 * np.abs(alone.coef_["price"]).max()


def test_a_task_of_no_weight_has_the_centre_for_coefficients(narrow):
    X, Y = narrow
    weight = {"count": 1.0, "kind": 0.0, "price": 1.0}
    model = clone(CENTRE).set_params(task_weight=weight).fit(X, Y)
    assert_allclose(model.coef_["kind"], model.unit_[1] * model.coef_shared_)


# -- common features


def test_common_features_have_one_support_for_all_tasks(table):
    X, Y = table
    model = MixedTaskModel(COLOURS, sharing="features", alpha=0.25).fit(X, Y)
    rows = np.vstack([np.atleast_2d(coef) for coef in model.coef_.values()])
    assert rows.shape == (6, 5)
    assert 0 < len(model.support_) < 5
    assert_array_equal(np.flatnonzero((rows != 0).all(axis=0)), model.support_)
    assert_array_equal(np.flatnonzero((rows != 0).any(axis=0)), model.support_)


def test_a_large_strength_leaves_constants(table):
    X, Y = table
    model = MixedTaskModel(COLOURS, sharing="features", alpha=1e3).fit(X, Y)
    proba = model.predict_proba(X)["colour"]
    shares = Y["colour"].value_counts(normalize=True).sort_index()
    assert len(model.support_) == 0
    assert_allclose(proba, np.tile(shares, (90, 1)))
    assert_allclose(model.intercept_["price"], Y["price"].mean())


def test_features_far_from_zero_take_few_steps(table):
    X, Y = table
    model = MixedTaskModel(COLOURS, sharing="features", alpha=0.05)
    near, far = clone(model).fit(X, Y), clone(model).fit(X + 1000, Y)
    assert_alike_coefs(near, far)
    assert far.n_iter_ < 300


def assert_alike_coefs(first, second):
    for label in first.coef_:
        assert_allclose(first.coef_[label], second.coef_[label], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("level", [-3.0, 5.0, 12.0, 20.0])
def test_counts_of_any_size_have_common_features(level):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    counts = rng.poisson(np.exp(level + X[:, 0]))
    losses = {0: "poisson", 1: "squared"}
    model = MixedTaskModel(losses, sharing="features", alpha=1e-4, tol=1e-9)
    model.fit(X, np.column_stack([counts, X[:, 0] + rng.normal(size=200)]))
    expected = PoissonRegressor(
        alpha=0, tol=1e-4, max_iter=1000, solver="newton-cholesky"
    )
    expected.fit(X, counts)
    assert_allclose(model.coef_[0], expected.coef_, rtol=5e-3, atol=5e-3)


def test_twice_the_weight_for_all_tasks_selects_the_same(narrow):
    X, Y = narrow
    twice = clone(FEATURES).set_params(task_weight=dict.fromkeys(LOSSES, 2.0))
    assert_alike(twice.fit(X, Y), clone(FEATURES).fit(X, Y))


# -- layouts, containers, rows


@each_sharing
def test_layouts_agree(narrow, model):
    X, Y = narrow
    rows, y, labels = lengthen(X, Y)
    wide, keyword = clone(model).fit(X, Y), clone(model).fit(rows, y, task=labels)
    column = clone(model).set_params(task_column=2)
    stacked = np.insert(rows.astype(object), 2, labels, axis=1)
    column.fit(stacked, y)
    assert_alike(wide, keyword)
    assert_alike(keyword, column)
    assert_array_equal(column.predict(stacked), keyword.predict(rows, task=labels))
    assert_allclose(wide.score(X, Y), column.score(stacked, y), rtol=1e-6)
    assert_allclose(wide.score(X, Y), keyword.score(rows, y, task=labels), rtol=1e-6)
    assert_array_equal(wide.predict(X).shape, (90, 3))


@pytest.mark.parametrize(
    "container",
    [
        lambda Y: pl.DataFrame({k: Y[k].to_list() for k in Y}, strict=False),
        lambda Y: pa.table({k: Y[k].where(Y[k].notna(), None) for k in Y}),
        lambda Y: Y.convert_dtypes(),
    ],
    ids=["polars", "pyarrow", "nullable"],
)
def test_containers_of_targets_agree(narrow, container):
    X, Y = narrow
    model = clone(CENTRE).fit(X, container(Y.replace({pd.NA: None})))
    assert_alike(model, clone(CENTRE).fit(X, Y), rtol=1e-12)
    assert model.tasks_.tolist() == list(LOSSES)


def test_lists_and_arrays_of_targets_agree(narrow):
    X, Y = narrow
    losses = dict(enumerate(LOSSES.values()))
    model = clone(CENTRE).set_params(losses=losses)
    values = Y.to_numpy(dtype=object)
    assert_alike(clone(model).fit(X, values), clone(model).fit(X, values.tolist()))
    masked = np.ma.array(values, mask=Y.isna().to_numpy())
    assert_alike(clone(model).fit(X, values), clone(model).fit(X, masked))


@each_sharing
def test_sparse_features_agree(narrow, model):
    X, Y = narrow
    dense, sparsely = clone(model).fit(X, Y), clone(model).fit(sparse.csr_array(X), Y)
    assert_alike(dense, sparsely)
    assert_allclose(dense.score(X, Y), sparsely.score(sparse.csr_array(X), Y), **CLOSE)


def test_single_precision_stays(narrow):
    X, Y = narrow
    model = clone(CENTRE).fit(X.astype(np.float32), Y)
    assert model.coef_["price"].dtype == np.float32
    assert_alike(model, clone(CENTRE).fit(X, Y), rtol=1e-3)


@each_sharing
def test_weights_count_like_repetitions(narrow, model):
    X, Y = narrow
    weight = np.random.default_rng(0).integers(0, 3, 90)
    weighted = clone(model).fit(X, Y, sample_weight=weight)
    repeated = clone(model).fit(X.repeat(weight, axis=0), Y.loc[Y.index.repeat(weight)])
    assert_alike(weighted, repeated)
    scores = [
        weighted.score(X, Y, sample_weight=weight),
        weighted.score(X.repeat(weight, axis=0), Y.loc[Y.index.repeat(weight)]),
    ]
    assert_allclose(*scores)


@each_sharing
def test_the_order_of_rows_does_not_matter(narrow, model):
    X, Y = narrow
    order = np.random.default_rng(0).permutation(90)
    assert_alike(clone(model).fit(X, Y), clone(model).fit(X[order], Y.iloc[order]))


def test_the_order_of_tasks_does_not_matter(narrow):
    X, Y = narrow
    turned = clone(CENTRE).fit(X, Y[["price", "count", "kind"]])
    model = clone(CENTRE).fit(X, Y)
    assert turned.tasks_.tolist() == ["price", "count", "kind"]
    for label in LOSSES:
        assert_allclose(turned.coef_[label], model.coef_[label], **CLOSE)


@pytest.mark.parametrize("pair", [(0, 1), (False, True), (3.0, 7.0), ("a", "b")])
def test_classes_may_be_called_anything(narrow, pair):
    X, Y = narrow
    kind = Y["kind"].map({"no": pair[0], "yes": pair[1]}).astype(object)
    renamed = Y.assign(kind=kind)
    model = clone(CENTRE).fit(X, renamed)
    assert model.classes_["kind"].tolist() == list(pair)
    assert_alike(model, clone(CENTRE).fit(X, Y))
    assert set(model.predict(X)[:, 1]) <= set(pair)


def test_an_integer_class_stays_one_beside_numbers():
    X = np.arange(6.0)[:, None]
    Y = pd.DataFrame({"kind": [0, 1, 0, 1, 1, 1], "price": [1.5, 2, 2, 3, 4, 4]})
    model = MixedTaskModel({"kind": "logistic", "price": "squared"}).fit(X, Y)
    assert model.classes_["kind"].dtype.kind == "i"
    assert model.predict_frame(X)["kind"].dtype.kind == "i"


# -- what is predicted


def test_predictions_are_in_the_units_of_the_tasks(table):
    X, Y = table
    model = MixedTaskModel(COLOURS, sharing="features", alpha=0.05).fit(X, Y)
    frame = model.predict_frame(pd.DataFrame(X, index=np.arange(90) + 7).to_numpy())
    found, proba = model.predict(X), model.predict_proba(X)
    assert found.dtype == object
    assert isinstance(found[0, 2], float)
    assert_allclose(
        frame["price"], X @ model.coef_["price"] + model.intercept_["price"]
    )
    log_mean = X @ model.coef_["count"] + model.intercept_["count"]
    assert_allclose(frame["count"], np.exp(log_mean))
    assert_allclose(frame["price"], found[:, 2].astype(float))
    assert_array_equal(frame["kind"], found[:, 1])
    for label in ("kind", "colour"):
        assert_allclose(proba[label].sum(axis=1), 1)
        best = model.classes_[label][proba[label].argmax(axis=1)]
        assert_array_equal(frame[label], best)
    assert sorted(proba) == ["colour", "kind"]


def test_a_frame_of_predictions_has_the_index_of_the_rows(narrow):
    X, Y = narrow
    X = pd.DataFrame(X, columns=list("abcde"), index=np.arange(90) + 7)
    model = clone(CENTRE).fit(X, Y.set_index(X.index))
    assert_array_equal(model.predict_frame(X).index, X.index)
    assert model.feature_names_in_.tolist() == list("abcde")


def test_probabilities_are_given_in_rows_of_their_task(narrow):
    rows, y, labels = lengthen(*narrow)
    model = clone(CENTRE).fit(rows, y, task=labels)
    proba = model.predict_proba(rows, task=labels)["kind"]
    assert_array_equal(np.isnan(proba).any(axis=1), labels != "kind")
    assert_array_equal(np.isnan(proba).all(axis=1), labels != "kind")


def test_the_score_is_the_mean_fraction_of_deviance_explained(table):
    X, Y = table
    model = MixedTaskModel(COLOURS, sharing="features", alpha=0.05).fit(X, Y)
    frame, proba, seen = model.predict_frame(X), model.predict_proba(X), Y.notna()
    price, count, kind = seen["price"], seen["count"], seen["kind"].to_numpy()
    scores = [
        d2_tweedie_score(
            Y["count"][count].astype(float), frame["count"][count], power=1
        ),
        d2_log_loss_score(Y["kind"][kind].astype(str), proba["kind"][kind]),
        r2_score(Y["price"][price].astype(float), frame["price"][price]),
        d2_log_loss_score(Y["colour"].astype(str), proba["colour"]),
    ]
    assert_allclose(model.score(X, Y), np.mean(scores))


def test_the_score_leaves_out_what_does_not_vary(narrow):
    X, Y = narrow
    model = clone(CENTRE).fit(X, Y)
    only = Y.assign(kind=None, count=None)
    kept = Y["price"].notna()
    expected = r2_score(
        Y["price"][kept].astype(float), model.predict_frame(X)["price"][kept]
    )
    assert_allclose(model.score(X, only), expected)
    assert np.isnan(model.score(X, Y.assign(kind="yes", count=3, price=1.0)))


def test_a_class_not_seen_in_fit_costs_much(narrow):
    X, Y = narrow
    model = clone(CENTRE).fit(X, Y)
    strange = Y.assign(kind=Y["kind"].replace({"no": "maybe"}))
    assert model.score(X, strange) < -1


# -- tasks that tell nothing


def test_a_constant_task_is_predicted_by_its_constant(narrow):
    X, Y = narrow
    constant = Y.assign(kind="yes", count=0)
    losses = {**LOSSES, "weight": "squared", "height": "squared", "colour": "logistic"}
    constant = constant.assign(weight=5.5, height=None, colour=None)
    constant.loc[3, "height"] = np.nan
    model = clone(CENTRE).set_params(losses=losses).fit(X, constant)
    alone = clone(model).fit(X, Y[["price"]].assign(kind="no"))
    found = model.predict(X)
    assert_array_equal(model.deviance_ > 0, [False, False, True, False, False, False])
    assert found[0, [0, 1, 3]].tolist() == [0.0, "yes", 5.5]
    assert np.isnan(found[0, 4])
    assert found[0, 5] is None
    assert model.predict_proba(X)["kind"].tolist() == [[1.0]] * 90
    assert model.predict_proba(X)["colour"].shape == (90, 0)
    assert_allclose(model.coef_["price"], alone.coef_["price"])
    assert np.isfinite(model.score(X, Y.assign(weight=5.5, height=X[:, 0], colour="a")))


def test_targets_must_vary_somewhere():
    model = MixedTaskModel({0: "squared", 1: "logistic"})
    with pytest.raises(ValueError, match="must vary in at least one task"):
        model.fit([[1.0], [2.0]], [[3.0, "a"], [3.0, "a"]])


# -- scikit-learn


@each_sharing
def test_the_model_lives_in_scikit_learn(narrow, model):
    X, Y = narrow
    search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=3, error_score="raise")
    search.fit(X, Y)
    scores = cross_val_score(model, X, Y, cv=3, error_score="raise")
    found = cross_val_predict(model, X, Y, cv=KFold(3))
    piped = make_pipeline(StandardScaler(), clone(model)).fit(X, Y)
    assert search.best_score_ > 0
    assert (scores > 0).all()
    assert found.shape == (90, 3)
    assert isinstance(found[0, 0], float)
    assert np.isfinite(piped.score(X, Y))


def test_a_task_column_travels_through_a_search(narrow):
    rows, y, labels = lengthen(*narrow)
    frame = pd.DataFrame(rows, columns=list("abcde")).assign(task=labels)
    model = clone(CENTRE).set_params(task_column="task")
    search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=KFold(3, shuffle=True))
    search.fit(frame, pd.Series(y))
    assert search.best_score_ > 0
    assert search.predict(frame).shape == (len(y),)


def test_the_model_is_neither_regressor_nor_classifier():
    tags = get_tags(CENTRE)
    assert not is_regressor(CENTRE)
    assert not is_classifier(CENTRE)
    assert tags.target_tags.required
    assert tags.target_tags.multi_output
    assert not get_tags(
        clone(CENTRE).set_params(task_column=0)
    ).target_tags.multi_output


@each_sharing
def test_a_model_is_cloned_pickled_and_fitted_anew(narrow, model):
    X, Y = narrow
    model = clone(model).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    assert clone(model).get_params() == model.get_params()
    other = {"centre": "features", "features": "centre"}[model.sharing]
    changed = clone(model).set_params(sharing=other, alpha=0.2).fit(X, Y)
    model.set_params(sharing=other, alpha=0.2).fit(X, Y)
    assert sorted(vars(model)) == sorted(vars(changed))


@each_sharing
def test_a_warm_start_begins_at_the_last_solution(narrow, model):
    X, Y = narrow
    model = clone(model).set_params(warm_start=True)
    cold = model.fit(X, Y).n_iter_
    warm = model.fit(X, Y).n_iter_
    assert warm < cold
    model.fit(X, Y[["kind", "price"]])
    assert_alike(model, clone(model).fit(X, Y[["kind", "price"]]))


def test_too_few_steps_are_warned_of(narrow):
    X, Y = narrow
    with pytest.warns(ConvergenceWarning, match="Raise max_iter"):
        clone(CENTRE).set_params(max_iter=1).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="Raise max_iter"):
        clone(FEATURES).set_params(max_iter=1).fit(X, Y)


def test_prediction_needs_a_fit(narrow):
    with pytest.raises(NotFittedError):
        clone(CENTRE).predict(narrow[0])
    with pytest.raises(NotFittedError):
        clone(CENTRE).score(*narrow)


# -- what is refused


def test_missing_features_are_refused(narrow):
    X, Y = narrow
    with pytest.raises(ValueError, match="Input X contains NaN"):
        clone(CENTRE).fit(np.where(X > 2, np.nan, X), Y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"price": "cheap"}, "'price' must be numbers, as its loss is 'squared'"),
        ({"price": np.inf}, "y contains infinity: the target of task 'price'"),
        ({"count": -1}, "'count' must be 0 or more, as its loss is 'poisson'"),
        ({"kind": "maybe"}, "'kind' must have two classes, as its loss is 'logistic'"),
        ({"kind": 1}, "'kind' must be all strings or all numbers, got both"),
    ],
)
def test_strange_targets_are_refused(narrow, change, message):
    X, Y = narrow
    Y = Y.copy()
    Y.loc[50, list(change)] = list(change.values())
    with pytest.raises(ValueError, match=message):
        clone(CENTRE).fit(X, Y)


def test_continuous_classes_are_refused(narrow):
    X, Y = narrow
    with pytest.raises(ValueError, match="'kind' must be classes, got"):
        clone(CENTRE).fit(X, Y.assign(kind=X[:, 0]))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"losses": {"price": "squared"}}, r"none for \['count', 'kind'\]"),
        ({"losses": {**LOSSES, "kind": "hinge"}}, "got {'kind': 'hinge'}"),
        ({"sharing": "features", "alpha": 0.0}, "alpha must be a positive number"),
        ({"sharing": "features", "alpha": [1.0] * 5}, "alpha must be a positive"),
        ({"sharing": "trees"}, "The 'sharing' parameter"),
        ({"losses": "squared"}, "The 'losses' parameter"),
        ({"task_weight": {"price": 1.0}}, "task_weight must have one entry"),
    ],
)
def test_strange_parameters_are_refused(narrow, params, message):
    with pytest.raises(ValueError, match=message):
        clone(CENTRE).set_params(**params).fit(*narrow)


def test_several_classes_have_no_place_around_a_centre(table):
    with pytest.raises(ValueError, match=r"\['colour'\].*sharing='features'"):
        MixedTaskModel(COLOURS).fit(*table)


def test_several_classes_may_be_two_around_a_centre(narrow):
    X, Y = narrow
    model = clone(CENTRE).set_params(losses={**LOSSES, "kind": "multinomial"})
    assert_alike(model.fit(X, Y), clone(CENTRE).fit(X, Y))


def test_tasks_never_seen_are_refused(narrow):
    rows, y, labels = lengthen(*narrow)
    model = clone(CENTRE).fit(rows, y, task=labels)
    with pytest.raises(ValueError, match=r"got rows of others: \[1\]"):
        model.predict(rows[:2], task=["kind", "speed"])
    with pytest.raises(ValueError, match=r"got labels of others: \['speed'\]"):
        model.score(rows[:2], y[:2], task=["kind", "speed"])


def test_a_frame_needs_a_column_per_task(narrow):
    rows, y, labels = lengthen(*narrow)
    model = clone(CENTRE).set_params(task_column=0)
    model.fit(np.insert(rows.astype(object), 0, labels, axis=1), y)
    with pytest.raises(ValueError, match="a 2-d y with a column per task"):
        model.predict_frame(np.insert(rows.astype(object), 0, labels, axis=1))


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_a_row_without_a_target_is_refused(narrow, nothing):
    rows, y, labels = lengthen(*narrow)
    y = y.copy()
    y[4] = nothing
    with pytest.raises(ValueError, match="Input y contains NaN"):
        clone(CENTRE).fit(rows, y, task=labels)


def test_numbers_have_no_probabilities(narrow):
    X, Y = narrow
    model = clone(CENTRE).set_params(losses={"price": "squared", "count": "poisson"})
    with pytest.raises(AttributeError, match="predict_proba"):
        model.fit(X, Y[["price", "count"]]).predict_proba(X)


def test_a_target_is_required(narrow):
    with pytest.raises(ValueError, match="requires y to be passed"):
        clone(CENTRE).fit(narrow[0], None)
