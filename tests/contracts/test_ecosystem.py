"""Tools of scikit-learn that pass X and y only, with a task column in X."""

import io
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skops import io as skops_io

from skmtl.compose import make_task_pipeline
from skmtl.linear_model import (
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidge,
    MultiTaskRidgeCV,
)
from skmtl.model_selection import TaskKFold

MODELS = [
    MultiTaskRidge(task_column="school"),
    MultiTaskRidgeCV(task_column="school"),
    MeanRegularizedRegressor(task_column="school", alpha_intercept=1.0),
    MeanRegularizedRegressorCV(task_column="school", method="gcv"),
    MeanRegularizedRegressorCV(task_column="school", method="reml"),
]
each_model = parametrize("model", MODELS, short=[MODELS[2]])


@pytest.fixture(params=[pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def frame(request):
    return request.param


@pytest.fixture
def data(frame):
    """Return a frame of pupils in schools, and their marks."""
    rng = np.random.default_rng(5)
    school = np.array(["north", "south", "west", "east"])[rng.integers(0, 4, 120)]
    hours, age = rng.normal(10, 3, size=120), rng.normal(15, 1, size=120)
    slope = np.char.str_len(school) / 5
    marks = slope * hours - age + rng.normal(size=120)
    return frame({"hours": hours, "school": school, "age": age}), marks


@each_model
def test_scores_of_folds(data, model):
    X, y = data
    scoring = ["r2", "neg_mean_squared_error", "neg_root_mean_squared_error"]
    found = cross_validate(model, X, y, cv=3, scoring=scoring, error_score="raise")
    assert (found["test_r2"] > 0.5).all()
    assert_allclose(
        found["test_neg_root_mean_squared_error"] ** 2,
        -found["test_neg_mean_squared_error"],
    )


@each_model
def test_predictions_of_folds(data, model):
    X, y = data
    folds = KFold(4, shuffle=True, random_state=0)
    found = cross_val_predict(model, X, y, cv=folds)
    numbers, rows = X["hours"].to_numpy(), np.arange(120)
    table = pd.DataFrame(
        {"hours": numbers, "school": list(X["school"]), "age": X["age"].to_numpy()}
    )
    for train, test in folds.split(rows):
        expected = clone(model).fit(table.iloc[train], y[train])
        assert_allclose(found[test], expected.predict(table.iloc[test]))


@pytest.mark.parametrize("cv", [3, TaskKFold(3, task_column="school")])
def test_a_search_over_strengths(data, cv):
    X, y = data
    search = GridSearchCV(
        MeanRegularizedRegressor(task_column="school"),
        {"alpha": [1e-2, 1.0, 1e6], "alpha_intercept": [0.0, np.inf]},
        cv=cv,
        scoring="neg_mean_squared_error",
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.predict(X).shape == (120,)
    assert search.best_estimator_.tasks_.tolist() == ["east", "north", "south", "west"]


def test_a_random_search(data):
    X, y = data
    search = RandomizedSearchCV(
        MultiTaskRidge(task_column="school"),
        {"alpha": np.geomspace(0.1, 10, 20)},
        n_iter=3,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    assert search.score(X, y) > 0.5


@each_model
def test_learning_curves(data, model):
    X, y = data
    _, train, test = learning_curve(
        model, X, y, train_sizes=[0.4, 1.0], cv=3, error_score="raise"
    )
    assert train.shape == test.shape == (2, 3)
    assert np.isfinite(test).all()


def test_validation_curves(data):
    X, y = data
    model = MeanRegularizedRegressor(task_column="school")
    train, _ = validation_curve(
        model, X, y, param_name="alpha", param_range=[0.01, 1e9], cv=3
    )
    assert (train[0] > train[1]).all()


# It makes an array of a polars frame to permute it.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@each_model
def test_importances_of_columns(data, model):
    X, y = data
    model = clone(model).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert found.importances_mean.shape == (3,)
    assert (found.importances_mean > 0).all()


@each_model
def test_stacks_and_votes(data, model):
    X, y = data
    plain = make_pipeline(
        ColumnTransformer(
            [("school", OneHotEncoder(sparse_output=False), ["school"])],
            remainder="passthrough",
        ),
        Ridge(),
    )
    for Ensemble in (StackingRegressor, VotingRegressor):
        ensemble = Ensemble([("tasks", model), ("plain", plain)]).fit(X, y)
        assert ensemble.score(X, y) > 0.7


def test_bags_of_arrays():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 3, 90), rng.normal(size=(90, 2))])
    y = X[:, 0] * X[:, 1] + rng.normal(size=90)
    bag = BaggingRegressor(MeanRegularizedRegressor(task_column=0), 3, random_state=0)
    assert bag.fit(X, y).score(X, y) > 0.3


@each_model
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_pipeline_with_a_column_transformer(data, model, library):
    X, y = data
    scale = ColumnTransformer(
        [("scale", StandardScaler(), ["hours", "age"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform=library)
    pipeline = make_pipeline(scale, model).fit(X, y)
    hours, age = X["hours"].to_numpy(), X["age"].to_numpy()
    scaled = np.column_stack(
        [(hours - hours.mean()) / hours.std(), (age - age.mean()) / age.std()]
    )
    expected = clone(model).set_params(task_column=None)
    expected.fit(scaled, y, task=list(X["school"]))
    assert_allclose(pipeline[-1].coef_, expected.coef_, rtol=1e-6, atol=1e-9)
    assert cross_val_score(pipeline, X, y, cv=3, error_score="raise").min() > 0.5


@each_model
def test_a_pipeline_of_tasks(data, model):
    X, y = data
    pipeline = make_task_pipeline(
        StandardScaler(),
        clone(model).set_params(task_column=None),
        task_column="school",
    )
    assert cross_val_score(pipeline, X, y, cv=3, error_score="raise").min() > 0.5


def test_a_prefixed_task_column_is_pointed_out(data):
    X, y = data
    scale = ColumnTransformer(
        [("scale", StandardScaler(), ["hours", "age"])], remainder="passthrough"
    ).set_output(transform="pandas")
    pipeline = make_pipeline(scale, MultiTaskRidge(task_column="school"))
    with pytest.raises(ValueError, match="remainder__school"):
        pipeline.fit(X, y)


@pytest.mark.full
@pytest.mark.parametrize("frame", [pd.DataFrame], indirect=True)
def test_two_jobs_score_as_one(data):
    X, y = data
    model = MeanRegularizedRegressorCV(task_column="school")
    one, two = (cross_val_score(model, X, y, cv=4, n_jobs=n) for n in (1, 2))
    assert_allclose(one, two, rtol=1e-6)


@each_model
@pytest.mark.parametrize("keep", ["pickle", "joblib", "skops"])
def test_models_are_kept(data, model, keep):
    X, y = data
    model = clone(model).fit(X, y)
    stream = io.BytesIO()
    joblib.dump(model, stream)
    stream.seek(0)
    stored = skops_io.dumps(model)
    untrusted = skops_io.get_untrusted_types(data=stored)
    assert all(name.startswith("skmtl.") for name in untrusted)
    again = {
        "pickle": lambda: pickle.loads(pickle.dumps(model)),
        "joblib": lambda: joblib.load(stream),
        "skops": lambda: skops_io.loads(stored, trusted=untrusted),
    }[keep]()
    assert_array_equal(again.predict(X), model.predict(X))
    assert again.get_params() == model.get_params()


@each_model
def test_clones_are_not_fitted(data, model):
    fitted = clone(model).fit(*data)
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    assert not [name for name in vars(again) if name.endswith("_")]


@each_model
def test_a_model_shows_itself(data, model):
    assert "school" in model.fit(*data)._repr_html_()
    assert repr(clone(model)).startswith(type(model).__name__)


def test_labels_are_routed_where_they_cannot_be_a_column():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(60, 3)), np.repeat([0, 1, 2], 20)
    y = X[:, 0] * task + rng.normal(size=60)
    folds = KFold(3, shuffle=True, random_state=0)
    column = np.column_stack([X, task])
    expected = cross_val_score(
        MeanRegularizedRegressor(task_column=-1), column, y, cv=folds
    )
    with config_context(enable_metadata_routing=True):
        found = cross_validate(
            MeanRegularizedRegressor(), X, y, cv=folds, params={"task": task}
        )["test_score"]
    assert_allclose(found, expected)


def test_unseen_schools_are_predicted_in_a_split(data):
    X, y = data
    west = np.flatnonzero(np.array(list(X["school"])) == "west")
    rest = np.setdiff1d(np.arange(120), west)
    X = X.to_pandas() if hasattr(X, "to_pandas") else X
    model = MeanRegularizedRegressorCV(task_column="school", method="reml")
    prediction = model.fit(X.iloc[rest], y[rest]).predict(X.iloc[west])
    assert np.corrcoef(prediction, y[west])[0, 1] > 0.5


def test_weights_are_split_with_their_rows(data):
    X, y = data
    weight = np.random.default_rng(0).random(120)
    parts = train_test_split(X, y, weight, random_state=0)
    X_train, X_test, y_train, y_test, w_train, w_test = parts
    model = MeanRegularizedRegressor(task_column="school")
    model.fit(X_train, y_train, sample_weight=w_train)
    assert model.score(X_test, y_test, sample_weight=w_test) > 0.5
