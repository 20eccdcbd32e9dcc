"""Targets, weights and features mean the same in every container, in fit and score."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cases import parametrize
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from skmtl.compose import IndependentTasks, PooledTasks, TaskAware, make_task_pipeline
from skmtl.data import SparseTable
from skmtl.inspection import compare_tasks
from skmtl.linear_model import (
    JointFeatureClassifier,
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MixedTaskModel,
)
from skmtl.metrics import (
    average_accuracy,
    make_task_scorer,
    nan_mean_absolute_error,
    score_predictions,
    task_scores,
)
from skmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 2))
HOLES = (X + rng.normal(size=(60, 2)) > 0).astype(float)
HOLES[::5, 1] = np.nan
WEIGHT = rng.random(60)
TASK = np.arange(60) % 3

INTEGERS = pd.DataFrame(HOLES, columns=["u", "v"]).astype("Int64")
OUTPUTS = {
    "Int64": INTEGERS,
    "boolean": INTEGERS.astype("boolean"),
    "Float64": INTEGERS.astype("Float64"),
    "arrow integers": INTEGERS.astype("int64[pyarrow]"),
    "arrow booleans": INTEGERS.astype("boolean").astype("bool[pyarrow]"),
    "objects with NA": INTEGERS.astype(object),
    "one object": pd.DataFrame(HOLES).astype({1: "Int64"}).astype({1: object}),
    "lists with None": INTEGERS.astype(object).replace({pd.NA: None}).values.tolist(),
    "masked": np.ma.array(np.nan_to_num(HOLES), mask=np.isnan(HOLES)),
    "polars": pl.from_pandas(INTEGERS),
    "polars booleans": pl.from_pandas(INTEGERS.astype("boolean")),
    "arrow": pa.Table.from_pandas(INTEGERS.astype("boolean")),
}
MODELS = {
    "classes": MeanRegularizedClassifier(),
    "penalised classes": JointFeatureClassifier(0.01),
    "counts": MeanRegularizedPoissonRegressor(),
    "numbers": MeanRegularizedRegressor(),
    "mixed": MixedTaskModel({"u": "logistic", "v": "logistic"}),
    "independent classes": IndependentTasks(LogisticRegression()),
    "pooled numbers": PooledTasks(),
}


def scores_of(model, y, weight):
    fitted = model.fit(X, y, sample_weight=weight)
    found = fitted.predict(X).astype(float)
    return [
        fitted.score(X, y, sample_weight=weight),
        nan_mean_absolute_error(y, found, sample_weight=weight),
        average_accuracy(y, found.round(), sample_weight=weight),
    ]


@pytest.mark.parametrize("y", OUTPUTS.values(), ids=OUTPUTS)
@parametrize("name", list(MODELS), short=["mixed", "pooled numbers"])
def test_missing_cells_are_left_out_of_fit_and_scores(name, y):
    model, named = MODELS[name], pd.DataFrame(HOLES, columns=["u", "v"])
    labels = getattr(y, "column_names", getattr(y, "columns", [0, 1]))
    named.columns = list(labels)
    if_mixed = {"losses": dict.fromkeys(named.columns, "logistic")}
    model.set_params(**{k: v for k, v in if_mixed.items() if k in model.get_params()})
    expected = scores_of(model, named, WEIGHT)
    assert scores_of(model, y, WEIGHT) == pytest.approx(expected, rel=1e-6)


@parametrize("y", OUTPUTS, short=["masked", "polars", "Int64", "arrow"])
def test_missing_cells_are_left_out_of_metrics_scorers_and_comparisons(y):
    model = MeanRegularizedClassifier().fit(X, HOLES)
    expected = task_scores(model, X, HOLES, sample_weight=WEIGHT)
    found = task_scores(model, X, y, sample_weight=WEIGHT)
    for name, column in expected.columns.items():
        np.testing.assert_array_equal(found.columns[name], column)
    auc = make_task_scorer("auc")
    assert auc(model, X, y) == auc(model, X, HOLES)
    models = [PooledTasks(LogisticRegression()), MeanRegularizedClassifier()]
    errors = [
        compare_tasks(models, X, each, cv=2, random_state=0) for each in (y, HOLES)
    ]
    np.testing.assert_allclose(errors[0].errors, errors[1].errors)


WEIGHTS = {
    "list": WEIGHT.tolist(),
    "pandas": pd.Series(WEIGHT, index=range(60, 0, -1)),
    "nullable": pd.Series(WEIGHT).astype("Float64"),
    "polars": pl.Series(WEIGHT),
    "arrow": pa.array(WEIGHT),
}


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@parametrize("name", list(MODELS), short=["classes", "mixed", "pooled numbers"])
def test_weights_are_read_from_any_container(name, weight):
    y = pd.DataFrame(HOLES, columns=["u", "v"])
    model = MODELS["mixed"].set_params(losses=dict.fromkeys("uv", "logistic"))
    model = {**MODELS, "mixed": model}[name]
    assert scores_of(model, y, weight) == scores_of(model, y, WEIGHT)
    callable_metric = make_task_scorer(lambda y, z, sample_weight: sample_weight.sum())
    model = MeanRegularizedRegressor().fit(X, HOLES)
    assert callable_metric(model, X, HOLES, weight) == pytest.approx(
        callable_metric(model, X, HOLES, WEIGHT)
    )


@pytest.mark.parametrize("y", [HOLES, HOLES[:, 0]], ids=["outputs", "one task"])
@pytest.mark.parametrize(
    "model",
    [
        MeanRegularizedClassifier(),
        MeanRegularizedPoissonRegressor(),
        MeanRegularizedRegressor(),
        IndependentTasks(LogisticRegression()),
        IndependentTasks(Ridge()),
    ],
)
def test_a_number_weighs_all_rows_alike_in_score_too(model, y):
    model.fit(X, y, sample_weight=2.0)
    expected = model.score(X, y, sample_weight=np.full(60, 2.0))
    assert model.score(X, y, sample_weight=2.0) == expected
    with pytest.raises(ValueError, match=r"got shape \(60, 9\)"):
        model.score(X, y, sample_weight=np.ones((60, 9)))


@pytest.mark.parametrize(
    "model",
    [
        MeanRegularizedClassifier(),
        MeanRegularizedPoissonRegressor(),
        MeanRegularizedRegressor(),
    ],
)
def test_a_cell_of_weight_zero_is_left_out_of_the_score(model):
    model.fit(X, HOLES)
    weight = np.random.default_rng(0).integers(0, 2, HOLES.shape).astype(float)
    scored = model.score(X, HOLES, sample_weight=weight)
    assert scored == pytest.approx(model.score(X, np.where(weight, HOLES, np.nan)))
    assert scored != pytest.approx(model.score(X, HOLES))


WORDS = np.where(HOLES[:, 0] == 1, "yes", "no")
CLASSES = {
    "list": WORDS.tolist(),
    "objects": WORDS.astype(object),
    "string": pd.Series(WORDS).astype("string"),
    "arrow string": pd.Series(WORDS).astype("string[pyarrow]"),
    "category": pd.Series(WORDS, dtype="category"),
    "polars": pl.Series(WORDS),
    "polars categories": pl.Series(WORDS, dtype=pl.Categorical),
    "arrow": pa.array(WORDS.tolist()),
    "boolean": pd.Series(WORDS == "yes", dtype="boolean"),
    "Int64": pd.Series(HOLES[:, 0]).astype("Int64"),
    "polars booleans": pl.Series(WORDS == "yes"),
}


@pytest.mark.parametrize("y", CLASSES.values(), ids=CLASSES)
def test_classes_are_read_from_any_container(y):
    plain = MeanRegularizedClassifier().fit(X, WORDS, task=TASK)
    for model in (
        MeanRegularizedClassifier(),
        PooledTasks(LogisticRegression()),
        IndependentTasks(LogisticRegression()),
    ):
        model.fit(X, y, task=TASK)
        score = model.score(X, y, task=TASK, sample_weight=WEIGHT.tolist())
        scores = task_scores(model, X, y, task=TASK, sample_weight=WEIGHT.tolist())
        assert scores.pooled["accuracy"] == pytest.approx(score)
    model = MeanRegularizedClassifier().fit(X, y, task=TASK)
    assert model.classes_.tolist() == sorted({*np.asarray(y).tolist()})
    np.testing.assert_array_equal(
        model.predict_proba(X, task=TASK), plain.predict_proba(X, task=TASK)
    )


TRUTHS = [True, None, False, True, False, True]
MISSING = {
    "boolean": pd.Series(TRUTHS, dtype="boolean"),
    "string": pd.Series(["a", None, "b", "a", "b", "a"], dtype="string"),
    "category": pd.Series(["a", None, "b", "a", "b", "a"], dtype="category"),
    "objects": pd.Series(["a", None, "b", "a", "b", "a"], dtype=object),
    "list": ["a", None, "b", "a", "b", "a"],
    "floats": [1, np.nan, 0, 1, 0, 1],
    "masked": np.ma.array([1, 1, 0, 1, 0, 1], mask=[0, 1, 0, 0, 0, 0]),
    "polars": pl.Series(TRUTHS),
    "polars strings": pl.Series(["a", None, "b", "a", "b", "a"]),
    "arrow": pa.array(TRUTHS),
}


@pytest.mark.parametrize("y", MISSING.values(), ids=MISSING)
def test_a_missing_class_is_named_by_its_row(y):
    X, task = np.arange(6.0)[:, None], [0, 1] * 3
    model = MeanRegularizedClassifier().fit(X, [1, 0] * 3, task=task)
    stratified = TaskKFold(2, stratify=True)
    for read in (
        lambda: MeanRegularizedClassifier().fit(X, y, task=task),
        lambda: IndependentTasks(LogisticRegression()).fit(X, y, task=task),
        lambda: PooledTasks(LogisticRegression()).fit(X, y, task=task),
        lambda: model.score(X, y, task=task),
        lambda: list(stratified.split(X, y, groups=task)),
    ):
        with pytest.raises(ValueError, match=r"y has a missing label in row 1. Leave"):
            read()


def test_a_missing_number_is_named_by_its_row():
    y = [1.0, 2.0, None, 4.0]
    for model in MeanRegularizedRegressor(), IndependentTasks(), PooledTasks():
        with pytest.raises(ValueError, match=r"y has a missing value in row 2. Leave"):
            model.fit(np.eye(4), y, task=[0, 0, 1, 1])


def test_classes_of_several_kinds_are_refused():
    with pytest.raises(ValueError, match="of one kind, strings or numbers, got both"):
        MeanRegularizedClassifier().fit(np.eye(3), ["1", 1, "1"])


def test_a_matrix_of_words_is_refused_with_a_remedy():
    y = np.where(np.isnan(HOLES), None, np.where(HOLES == 1, "yes", "no"))
    with pytest.raises(ValueError, match=r"must hold 0, 1 and NaN, .* got '(yes|no)'"):
        MeanRegularizedClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"0, 1 and NaN\). Got '(yes|no)'"):
        compare_tasks([Ridge(), Ridge()], X, y, metric="error")


def test_a_class_that_scikit_learn_made_from_nan_is_refused():
    model = MeanRegularizedClassifier()
    search = GridSearchCV(model, {"alpha": [0.1, 10]}, cv=KFold(5)).fit(X, HOLES)
    by_hand = [
        MeanRegularizedClassifier(search.best_params_["alpha"])
        .fit(X[train], HOLES[train])
        .score(X[test], HOLES[test])
        for train, test in KFold(5).split(X)
    ]
    assert search.best_score_ == pytest.approx(np.mean(by_hand))
    folds = {"cv": KFold(5), "method": "predict_proba"}
    with pytest.raises(ValueError, match="treats NaN as a class"):
        cross_val_predict(model, X, HOLES, **folds)
    apart = IndependentTasks(LogisticRegression())
    with pytest.warns(UserWarning, match="If y had NaN, 2 stands for it"):
        cross_val_predict(apart, X, HOLES, **folds)


COLUMNS = {
    "number": X[:, 0],
    "integer class": TASK % 2,
    "words": np.where(X[:, 1] > 0, "high", "low"),
    "short words": np.where(X[:, 0] > 0, "b", "a"),
    "truths": X[:, 1] > 0,
    "other truths": X[:, 0] > 0,
}
LOSSES = {"number": "squared"}


@pytest.mark.parametrize(
    ("names", "dtype"),
    [
        (["number"] * 2, "f8"),
        (["number", "integer class"], "f8"),
        (["integer class"] * 2, "i8"),
        (["words", "short words"], "U4"),
        (["truths", "other truths"], "?"),
        (["number", "truths"], "O"),
        (["number", "words"], "O"),
        (["integer class", "words"], "O"),
    ],
    ids=" and ".join,
)
def test_predictions_of_mixed_tasks_have_the_dtype_that_holds_them(names, dtype):
    y = pd.DataFrame({k: COLUMNS[name] for k, name in enumerate(names)})
    losses = {k: LOSSES.get(name, "logistic") for k, name in enumerate(names)}
    model = MixedTaskModel(losses).fit(X, y)
    found = model.predict(X)
    assert found.dtype == dtype
    for k, column in model.predict_frame(X).items():
        assert found[:, k].tolist() == column.tolist()
    rows = np.arange(60) % 2
    cells = y.astype(object).to_numpy()[np.arange(60), rows]
    by_row = MixedTaskModel(losses).fit(X, cells, task=rows)
    assert by_row.predict(X, task=rows).dtype == dtype
    assert by_row.predict(X[:1], task=rows[:1]).dtype == dtype


SHOPS = np.array([*"uvw"])[TASK]
FRAME = pd.DataFrame(
    {
        "text": np.array(["red car", "old car", "a red boat"])[np.arange(60) // 20],
        "a": X[:, 0],
        "shop": SHOPS,
    }
)
TARGET = X[:, 0] + FRAME["text"].str.len() + 3 * TASK
NAMED = make_column_transformer((TfidfVectorizer(), "text"), (StandardScaler(), ["a"]))


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.from_pandas])
@pytest.mark.parametrize(
    ("transformer", "n_features"), [(NAMED, 5), (OneHotEncoder(), 63)]
)
def test_sparse_features_keep_the_labels_beside_them(transformer, n_features, convert):
    model = make_task_pipeline(
        transformer, MeanRegularizedRegressor(), task_column="shop"
    )
    model.fit(convert(FRAME), TARGET)
    assert model[-1].tasks_.tolist() == ["u", "v", "w"]
    assert model[-1].coef_.shape == (3, n_features)
    assert model[:-1].get_feature_names_out()[-1] == "shop"
    dense = transformer.fit_transform(FRAME.drop(columns="shop"))
    apart = MeanRegularizedRegressor().fit(dense, TARGET, task=SHOPS)
    np.testing.assert_allclose(
        model.predict(convert(FRAME)), apart.predict(dense, task=SHOPS)
    )


def test_sparse_features_pass_searches_scores_and_comparisons():
    folds = TaskKFold(2, task_column="shop")
    model = make_task_pipeline(NAMED, MeanRegularizedRegressor(), task_column="shop")
    scoring = make_task_scorer("rmse")
    scores = cross_validate(model, FRAME, TARGET, cv=folds, scoring=scoring)
    assert (scores["test_score"] > -1).all()
    grid = {"meanregularizedregressor__alpha": [0.1, 100.0]}
    outer = GridSearchCV(model, grid, cv=folds).fit(FRAME, TARGET)
    inner = GridSearchCV(
        MeanRegularizedRegressor(task_column="shop"), {"alpha": [0.1, 100.0]}, cv=folds
    )
    inside = make_task_pipeline(NAMED, inner, task_column="shop").fit(FRAME, TARGET)
    assert outer.best_params_[next(iter(grid))] == inside[-1].best_params_["alpha"]
    np.testing.assert_allclose(outer.predict(FRAME), inside.predict(FRAME))
    pooled = make_task_pipeline(
        NAMED, PooledTasks(task_intercepts=True), task_column="shop"
    )
    compared = compare_tasks([pooled, model], FRAME, TARGET, cv=folds)
    assert compared.tasks.tolist() == ["u", "v", "w"]


def test_a_dense_step_after_a_sparse_one_makes_a_frame_again():
    steps = NAMED, MaxAbsScaler(), TruncatedSVD(2, random_state=0)
    model = make_task_pipeline(*steps, IndependentTasks(), task_column="shop")
    frame = model.fit(FRAME, TARGET)[:-1].transform(FRAME)
    assert frame.columns.tolist() == ["truncatedsvd0", "truncatedsvd1", "shop"]
    alone = make_pipeline(*steps).fit_transform(FRAME)
    np.testing.assert_allclose(frame.iloc[:, :-1], alone)


@pytest.mark.parametrize("column", ["shop", -1])
def test_a_vectorizer_takes_the_only_column_of_texts(column):
    table = {"shop": FRAME[["text", "shop"]]}.get(
        column, FRAME[["text", "shop"]].to_numpy()
    )
    vectorizer = make_pipeline(TfidfVectorizer())
    out = TaskAware(vectorizer, task_column=column).fit(table).transform(table)
    assert isinstance(out, SparseTable)
    assert out.shape == (60, 5)
    assert len(out[[3, 4]]) == len([3, 4])
    expected = vectorizer.fit_transform(FRAME["text"])
    np.testing.assert_array_equal(out.features.toarray(), expected.toarray())
    assert np.asarray(out.labels[0]).tolist() == SHOPS.tolist()
    with pytest.raises(ValueError, match="needs one text column, got 2 columns"):
        TaskAware(vectorizer, task_column="shop").fit(FRAME)


def test_an_estimator_that_cannot_read_labels_names_the_remedy():
    model = make_pipeline(TaskAware(OneHotEncoder(), task_column="shop"), Ridge())
    with pytest.raises(TypeError, match=r"Wrap the estimator in skmtl.compose.Pooled"):
        model.fit(FRAME, TARGET)


def spoilt(value):
    table = X.astype(object)
    table[7, 1] = value
    return table


def as_frame(table):
    return pd.DataFrame(table, columns=["age", "size"]).assign(shop=SHOPS)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("mixed", "string to float: 'mixed': column {} of X holds 'mixed' in row 7"),
        (np.nan, "Input X contains NaN in column {}, row 7."),
        (np.inf, "Input X contains infinity in column {}, row 7"),
        (pd.NA, "column {} of X holds <NA> in row 7, and features must be numbers"),
    ],
    ids=str,
)
def test_an_error_about_a_feature_names_its_column_and_row(value, message):
    bad, good = as_frame(spoilt(value)), as_frame(X)
    model = MeanRegularizedRegressor(task_column="shop").fit(good, TARGET)
    apart = IndependentTasks(task_column="shop").fit(good, TARGET)
    named = message.format("'size'")
    for read in (
        lambda: MeanRegularizedRegressor(task_column="shop").fit(bad, TARGET),
        lambda: model.predict(bad),
        lambda: apart.predict(bad),
        lambda: PooledTasks(task_column="shop").fit(bad, TARGET),
        lambda: IndependentTasks(task_column="shop").fit(bad, TARGET),
    ):
        with pytest.raises((ValueError, TypeError), match=named):
            read()
    with pytest.raises((ValueError, TypeError), match=message.format(1)):
        MeanRegularizedRegressor().fit(spoilt(value), TARGET, task=TASK)


def test_a_transformer_in_front_names_the_column_too():
    model = make_task_pipeline(StandardScaler(), PooledTasks(), task_column="shop")
    with pytest.raises(ValueError, match="column 'size' of X holds 'mixed' in row 7"):
        model.fit(as_frame(spoilt("mixed")), TARGET)


def test_an_error_about_a_sparse_feature_names_its_column_and_row():
    table = sparse.csr_array(np.where(np.arange(120).reshape(60, 2) == 15, np.nan, X))
    with pytest.raises(ValueError, match="contains NaN in column 1, row 7"):
        MeanRegularizedRegressor().fit(table, TARGET, task=TASK)


PARTS = [X[:20], X[20:]]


@pytest.mark.parametrize(
    "parts",
    [PARTS, tuple(PARTS), dict(enumerate(PARTS)), [X[:30], X[30:]]],
    ids=["list", "tuple", "mapping", "equal sizes"],
)
def test_one_table_per_task_is_refused_with_a_remedy(parts):
    y = [TARGET[:20], TARGET[20:]]
    fitted = MeanRegularizedRegressor().fit(X, TARGET)
    for read in (
        lambda: MeanRegularizedRegressor().fit(parts, y),
        lambda: MeanRegularizedClassifier().fit(parts, y),
        lambda: IndependentTasks().fit(parts, y),
        lambda: compare_tasks(None, parts, y),
        lambda: fitted.predict(parts),
    ):
        with pytest.raises(
            (ValueError, TypeError), match=r"join the tables: fit\(np.vstack"
        ):
            read()


def test_arrays_in_the_place_of_an_estimator_are_refused_with_a_remedy():
    for score in (
        lambda: task_scores(TARGET, TARGET, TASK),
        lambda: task_scores(Ridge, X, TARGET),
        lambda: make_task_scorer("r2")(TARGET, TARGET, TASK),
    ):
        with pytest.raises(
            TypeError, match=r"given a fitted estimator, .*encode_tasks"
        ):
            score()
    with pytest.raises(ValueError, match=r"codes must be integers, .*encode_tasks"):
        score_predictions(TARGET, TARGET, SHOPS, [*"uvw"])
    with pytest.raises(TypeError, match=r"estimators must be a mapping .* Got Ridge"):
        compare_tasks(Ridge(), X, TARGET, task=TASK)


def test_tasks_of_one_row_are_compared_without_a_test_of_harm():
    rng = np.random.default_rng(0)
    X, y, task = rng.normal(size=(12, 2)), rng.normal(size=12), np.arange(12)
    models = [IndependentTasks(), PooledTasks()]
    found = compare_tasks(models, X, y, task=task, cv=3, random_state=0)
    assert np.isfinite(found.errors).all()
    assert found.hurt().size == 0
    assert "an unknown number of the 12 tasks, as a test needs two" in str(found)
    assert found.plot().ax_.get_xlim()[0] < 0
    still = compare_tasks(models, X, np.zeros(12), task=task, cv=3, random_state=0)
    assert "No task has a relative gain" in still.plot().ax_.texts[0].get_text()
