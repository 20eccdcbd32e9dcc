"""Scores of classes and counts are those of scikit-learn on the rows of each task."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import parametrize
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    d2_tweedie_score,
    get_scorer,
    log_loss,
    mean_poisson_deviance,
    roc_auc_score,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    KFold,
    cross_validate,
)
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import IndependentTasks, make_task_pipeline
from skmtl.datasets import make_related_tasks
from skmtl.metrics import (
    make_task_scorer,
    score_classes,
    score_counts,
    score_predictions,
    score_probabilities,
    task_scores,
)
from skmtl.model_selection import TaskKFold

NAMES = np.array(["ant", "bee", "cat", "dog"])


def balanced_accuracy(y, z, weight):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        return balanced_accuracy_score(y, z, sample_weight=weight)


def one_vs_rest(y, p, classes, weight):
    """Return the mean AUC of the present classes; with two, that of the second."""
    chosen = [k for k in np.flatnonzero(np.isin(classes, y)) if k or len(classes) > 2]
    areas = [
        roc_auc_score(y == classes[k], p[:, k], sample_weight=weight) for k in chosen
    ]
    return np.mean(areas) if len(np.unique(y)) > 1 else np.nan


ORACLES = {
    "log_loss": lambda y, p, classes, v: log_loss(
        y, p, labels=classes, sample_weight=v
    ),
    "auc": one_vs_rest,
    "accuracy": lambda y, p, classes, v: accuracy_score(
        y, classes[p.argmax(axis=1)], sample_weight=v
    ),
    "balanced_accuracy": lambda y, p, classes, v: balanced_accuracy(
        y, classes[p.argmax(axis=1)], v
    ),
    "brier": lambda y, p, classes, v: brier_score_loss(
        y, p, labels=classes, sample_weight=v
    ),
}
SIGNS = {"log_loss": -1, "auc": 1, "accuracy": 1, "balanced_accuracy": 1, "brier": -1}
each_metric = pytest.mark.parametrize("metric", ORACLES)


def score_naively(metric, y, proba, codes, classes, weight):
    """Apply scikit-learn's function to the rows of each of four tasks."""
    groups = [np.flatnonzero((codes == t) & (weight > 0)) for t in range(4)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Only one class|A single label|y_pred cont")
        return [
            ORACLES[metric](y[i], proba[i], classes, weight[i]) if len(i) else np.nan
            for i in groups
        ]


@st.composite
def probabilities(draw):
    """Rows of tasks, some of them without rows, with one row, or with one class.

    There are ties, probabilities of exactly 0 and 1, and weights of 0.
    """
    n, n_classes = draw(st.integers(1, 25)), draw(st.integers(2, 4))
    proba = draw(arrays(float, (n, n_classes), elements=st.sampled_from([0, 1, 2, 5])))
    proba[np.arange(n), draw(arrays(int, n, elements=st.integers(0, 1)))] += 1
    y = draw(arrays(int, n, elements=st.integers(0, n_classes - 1)))
    codes = draw(arrays(int, n, elements=st.integers(0, 3)))
    weight = draw(arrays(float, n, elements=st.sampled_from([0, 1, 0.3, 50])))
    weight[0] = 1
    classes = draw(st.sampled_from([NAMES[:n_classes], np.arange(n_classes) * 2 - 1]))
    proba /= proba.sum(axis=1, keepdims=True)
    return classes[y], proba, codes, classes, weight


@each_metric
@given(rows=probabilities())
def test_scores_of_a_task_are_those_of_scikit_learn_on_its_rows(metric, rows):
    y, proba, codes, classes, weight = rows
    scores = score_probabilities(y, proba, codes, range(4), classes, weight)
    naive = score_naively(metric, *rows)
    np.testing.assert_allclose(scores.columns[metric], naive, rtol=1e-9)
    pooled = score_naively(metric, y, proba, 0 * codes, classes, weight)[0]
    np.testing.assert_allclose(scores.pooled[metric], pooled, rtol=1e-9)
    known = ~np.isnan(naive)
    assert scores.covered[metric] == known.sum()


@pytest.fixture
def drawn():
    """True classes, probabilities, codes, classes and weights of four mixed tasks."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat(np.arange(4), [20, 30, 60, 90]))
    proba = rng.dirichlet([1, 1, 1], 200)
    y = NAMES[[rng.choice(3, p=p) for p in proba]]
    return y, proba, codes, NAMES[:3], rng.integers(1, 4, size=200)


@pytest.mark.parametrize("weighs", [False, True])
def test_auc_of_several_classes_is_scikit_learns_one_vs_rest(weighs, drawn):
    y, proba, codes, classes, v = drawn
    weight = v if weighs else np.ones(200)
    scores = score_probabilities(
        y, proba, codes, range(4), classes, v if weighs else None
    )
    naive = [
        roc_auc_score(
            y[codes == t],
            proba[codes == t],
            labels=classes,
            multi_class="ovr",
            sample_weight=weight[codes == t],
        )
        for t in range(4)
    ]
    np.testing.assert_allclose(scores.columns["auc"], naive, rtol=1e-12)


@each_metric
def test_averages_are_over_tasks_by_number_by_weight_and_at_worst(metric, drawn):
    y, proba, codes, classes, v = drawn
    scores = score_probabilities(y, proba, codes, range(4), classes, v)
    naive = np.array(score_naively(metric, y, proba, codes, classes, v))
    weights = np.bincount(codes, v)
    assert scores.macro[metric] == pytest.approx(naive.mean())
    assert scores.weighted[metric] == pytest.approx(np.average(naive, weights=weights))
    worst = SIGNS[metric] * min(SIGNS[metric] * naive)
    assert scores.worst[metric] == pytest.approx(worst)


def test_integer_weights_are_repetitions(drawn):
    *rows, classes, v = drawn
    weighted = score_probabilities(*rows, range(4), classes, v)
    repeated = score_probabilities(
        *(np.repeat(a, v, axis=0) for a in rows), range(4), classes
    )
    for part in ("macro", "weighted", "worst", "pooled"):
        expected = getattr(repeated, part) | {"n": getattr(weighted, part).get("n")}
        found = getattr(weighted, part)
        assert {"n": None} | found == pytest.approx(expected)


def test_weights_of_very_different_sizes_leave_the_auc_exact(drawn):
    y, proba, codes, classes, v = drawn
    scale = np.array([1e-200, 1.0, 1e20, 1e200])[codes]
    scaled = score_probabilities(y, proba, codes, range(4), classes, v * scale)
    plain = score_probabilities(y, proba, codes, range(4), classes, v)
    np.testing.assert_allclose(scaled.columns["auc"], plain.columns["auc"], rtol=1e-12)


def test_single_precision_is_clipped_as_scikit_learn_does():
    proba = np.array([[0, 1], [1, 0], [0.25, 0.75]], dtype=np.float32)
    scores = score_probabilities([0, 1, 1], proba, [0, 1, 1], "ab", [0, 1])
    naive = [
        log_loss([0], proba[:1], labels=[0, 1]),
        log_loss([1, 1], proba[1:], labels=[0, 1]),
    ]
    np.testing.assert_allclose(scores.columns["log_loss"], naive, rtol=1e-6)


def test_predicted_classes_have_only_the_accuracies(drawn):
    y, proba, codes, classes, v = drawn
    z = classes[proba.argmax(axis=1)]
    whole = score_probabilities(y, proba, codes, range(4), classes, v)
    scores = score_classes(y, z, codes, range(4), v)
    assert list(scores.columns) == ["n", "accuracy", "balanced_accuracy"]
    for name, column in scores.columns.items():
        np.testing.assert_array_equal(column, whole.columns[name])


def test_explained_variance_does_not_exist_for_classes():
    scores = score_classes(["a", "b"], ["a", "b"], [0, 1], [0, 1])
    with pytest.raises(AttributeError, match="Got scores of classes"):
        scores.explained_variance  # noqa: B018


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_true": ["a", "z"]}, r"the classes \['a', 'b'\]. Got \['z'\].*stratify"),
        ({"y_true": ["a"]}, "inconsistent numbers of samples"),
        ({"y_true": [np.nan, 1.0]}, "y_true contains NaN"),
        ({"proba": [[0.5, 0.5], [0.5, 0.6]]}, "sum to 1 in each row.*1 to 1.1"),
        (
            {"proba": [[0.5, 0.5], [-0.5, 1.5]]},
            "must hold probabilities.*minimum of -0.5",
        ),
        ({"proba": [[1.0], [1.0]]}, "one column per class. Got 1 columns for 2"),
        ({"proba": [[np.nan, 1.0], [0.5, 0.5]]}, "proba contains NaN"),
        ({"classes": ["b", "a"]}, "classes must be sorted and distinct. Got"),
        ({"codes": [0, 1]}, "codes must be positions in tasks"),
    ],
)
def test_what_cannot_be_scored_is_refused(changes, message):
    arguments = {
        "y_true": ["a", "b"],
        "proba": [[0.5, 0.5], [0.5, 0.5]],
        "codes": [0, 0],
        "classes": ["a", "b"],
    } | changes
    with pytest.raises(ValueError, match=message):
        score_probabilities(**arguments, tasks=["east"])


@pytest.fixture
def frame():
    """Rows of four towns whose animals differ in frequency."""
    X, y = make_related_tasks(4, [22, 37, 29, 45], 3, as_frame=True, random_state=0)
    return X, NAMES[np.digitize(y, [-1.0, 1.0])]


def naive_table(model, X, y, task, metric):
    tasks, codes = np.unique(task, return_inverse=True)
    scores = score_probabilities(
        y,
        model.predict_proba(X),
        codes,
        tasks,
        model.classes_,
        y_pred=model.predict(X),
    )
    return scores.columns[metric]


@pytest.mark.parametrize(
    "convert", [lambda X: X, pl.from_pandas, np.asarray], ids=["pandas", "polars", "np"]
)
@each_metric
def test_a_classifier_is_scored_by_its_probabilities(metric, convert, frame):
    X, y = frame
    X = convert(X)
    for model in (LogisticRegression(), HistGradientBoostingClassifier(max_iter=5)):
        model.fit(X, y)
        scores = task_scores(model, X, y, task_column=3)
        assert list(scores.columns) == ["n", *SIGNS]
        np.testing.assert_array_equal(
            scores.columns[metric], naive_table(model, X, y, frame[0]["task"], metric)
        )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: make_task_pipeline(StandardScaler(), model, task_column="task"),
        lambda model: GridSearchCV(model, {"handle_unknown": ["shared"]}),
    ],
    ids=["alone", "pipeline", "search"],
)
def test_the_task_column_of_a_classifier_is_found_in_its_wrappers(wrap, frame):
    X, y = frame
    model = wrap(IndependentTasks(LogisticRegression(), task_column="task")).fit(X, y)
    found = task_scores(model, X, y)
    expected = naive_table(model, X, y, X["task"], "log_loss")
    np.testing.assert_array_equal(found.columns["log_loss"], expected)
    assert found.tasks.tolist() == [0, 1, 2, 3]


def test_a_classifier_fitted_with_the_keyword_is_given_the_labels_again(frame):
    X, y = frame
    features, task = X.drop(columns="task"), X["task"]
    by_keyword = IndependentTasks(LogisticRegression()).fit(features, y, task=task)
    by_column = IndependentTasks(LogisticRegression(), task_column="task").fit(X, y)
    scores = task_scores(by_keyword, features, y, task=task)
    assert scores.macro == task_scores(by_column, X, y).macro


def test_predictions_come_from_predict_not_from_probabilities(frame):
    X, y = frame
    y = y == "ant"
    inner = LogisticRegression()
    model = FixedThresholdClassifier(inner, threshold=0.9).fit(X, y)
    scores = task_scores(model, X, y, task_column="task")
    accuracies = [
        accuracy_score(y[rows], model.predict(X[rows]))
        for rows in (X["task"] == t for t in range(4))
    ]
    np.testing.assert_allclose(scores.columns["accuracy"], accuracies)
    plain = task_scores(inner.fit(X, y), X, y, task_column="task")
    assert plain.columns["accuracy"].tolist() != accuracies
    assert plain.macro["log_loss"] == scores.macro["log_loss"]


def test_a_classifier_without_probabilities_has_the_accuracies(frame):
    X, y = frame
    model = RidgeClassifier().fit(X, y)
    scores = task_scores(model, X, y, task_column="task")
    assert list(scores.columns) == ["n", "accuracy", "balanced_accuracy"]
    assert make_task_scorer("accuracy", task_column="task")(model, X, y) == (
        pytest.approx(scores.macro["accuracy"])
    )
    with pytest.raises(ValueError, match="Got RidgeClassifier; choose another metric"):
        make_task_scorer("log_loss", task_column="task")(model, X, y)


@pytest.fixture
def labels():
    """Features, three labels per row with missing values, and without."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    complete = (X @ rng.normal(size=(2, 3)) + rng.normal(size=(80, 3)) > 0).astype(int)
    return X, np.where(rng.random((80, 3)) < 0.3, np.nan, complete), complete


def forest():
    return RandomForestClassifier(5, max_depth=3, random_state=0)


class FixedLabels(ClassifierMixin, BaseEstimator):
    """A multi-output classifier with different classes per column."""

    classes_ = (np.array([0, 1]), np.array([1, 2]))

    def predict(self, X):
        return np.array([[0, 1], [1, 2]])

    def predict_proba(self, X):
        return [np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.7, 0.3], [0.4, 0.6]])]


@each_metric
def test_columns_of_labels_are_tasks_on_their_observed_rows(metric, labels):
    X, holes, complete = labels
    model = forest().fit(X, complete)
    scores = task_scores(model, X, pd.DataFrame(holes, columns=["c", "a", "b"]))
    assert scores.tasks.tolist() == ["c", "a", "b"]
    seen = ~np.isnan(holes)
    naive = [
        ORACLES[metric](
            holes[seen[:, t], t],
            model.predict_proba(X)[t][seen[:, t]],
            np.array([0, 1]),
            np.ones(seen[:, t].sum()),
        )
        for t in range(3)
    ]
    np.testing.assert_allclose(scores.columns[metric], naive, rtol=1e-9)
    score = make_task_scorer(metric, average="worst")(model, X, holes)
    assert score == pytest.approx(SIGNS[metric] * scores.worst[metric])


def test_probabilities_of_1_alone_are_those_of_two_classes(labels):
    X, holes, complete = labels
    model = ClassifierChain(LogisticRegression()).fit(X, complete)
    found = task_scores(model, X, holes).columns["brier"]
    squares = (model.predict_proba(X) - holes) ** 2
    np.testing.assert_allclose(found, np.nanmean(squares, axis=0))


def test_columns_may_have_different_classes():
    scores = task_scores(FixedLabels(), np.zeros((2, 1)), [[0, 1], [1, 2]])
    expected = [log_loss([0, 1], [0.1, 0.8]), log_loss([1, 2], [0.3, 0.6])]
    np.testing.assert_allclose(scores.columns["log_loss"], expected)


@each_metric
def test_with_one_task_a_scorer_is_that_of_scikit_learn(metric, frame):
    X, y = frame
    X = X.assign(task=0)
    name = {"log_loss": "neg_log_loss", "auc": "roc_auc", "brier": "neg_brier_score"}
    y = y == "ant"
    model = LogisticRegression().fit(X, y)
    scorer = make_task_scorer(metric, task_column="task")
    expected = get_scorer(name.get(metric, metric))(model, X, y)
    assert scorer(model, X, y) == pytest.approx(expected)


@pytest.mark.full
@parametrize("convert", {"pandas": pd.DataFrame, "polars": pl.from_pandas}, ["pandas"])
@each_metric
def test_pickled_scorers_work_in_dicts_and_searches(metric, convert, frame):
    X, y = frame
    model = IndependentTasks(LogisticRegression(), task_column="task")
    scoring = {
        average: make_task_scorer(metric, average=average)
        for average in ("macro", "weighted", "worst")
    }
    cv = TaskKFold(3, task_column="task")
    search = GridSearchCV(
        model,
        {"estimator": [DummyClassifier(), LogisticRegression()]},
        cv=cv,
        scoring=pickle.loads(pickle.dumps(scoring)),
        refit="macro",
        error_score="raise",
    ).fit(convert(X), y)
    assert search.best_index_ == 1
    train, test = next(cv.split(X))
    model.fit(X.iloc[train], y[train])
    scores = task_scores(model, X.iloc[test], y[test])
    for average in scoring:
        expected = SIGNS[metric] * getattr(scores, average)[metric]
        found = search.cv_results_[f"split0_test_{average}"][1]
        assert found == pytest.approx(expected)


@each_metric
def test_a_search_works_with_incomplete_labels(metric, labels):
    X, holes, _ = labels
    search = GridSearchCV(
        IndependentTasks(LogisticRegression()),
        {"estimator": [DummyClassifier(), LogisticRegression()]},
        scoring=make_task_scorer(metric),
        error_score="raise",
        cv=KFold(3),
    ).fit(X, holes)
    assert search.best_index_ == 1


def test_a_task_of_one_class_is_left_out_of_the_auc(frame):
    X, y = frame
    y = (y == "ant") & (X["task"] > 0).to_numpy()
    model = LogisticRegression().fit(X, y)
    scorer = make_task_scorer("auc", task_column="task")
    others = X["task"] > 0
    assert scorer(model, X, y) == pytest.approx(scorer(model, X[others], y[others]))
    with pytest.raises(ValueError, match="auc two classes"):
        scorer(model, X[~others], y[~others])


@given(
    y=arrays(int, 20, elements=st.integers(0, 6)),
    z=arrays(float, 20, elements=st.floats(1e-6, 1e3)),
    weight=arrays(float, 20, elements=st.sampled_from([0.5, 1.0, 40.0])),
)
def test_scores_of_counts_are_those_of_scikit_learn_on_the_rows_of_a_task(y, z, weight):
    codes = np.repeat(range(3), [1, 7, 12])
    y[1:3] = [2, 5]  # two values at least, where scikit-learn would divide by 0
    y[8:10] = [0, 1]
    scores = score_counts(y, z, codes, range(3), weight)
    groups = [codes == t for t in range(3)]
    deviances = [
        mean_poisson_deviance(y[i], z[i], sample_weight=weight[i]) for i in groups
    ]
    np.testing.assert_allclose(
        scores.columns["poisson_deviance"], deviances, rtol=1e-9, atol=1e-12
    )
    explained = [
        d2_tweedie_score(y[i], z[i], sample_weight=weight[i], power=1)
        for i in groups[1:]
    ]
    np.testing.assert_allclose(
        scores.columns["d2_poisson"], [np.nan, *explained], rtol=1e-9, atol=1e-9
    )
    whole = d2_tweedie_score(y, z, sample_weight=weight, power=1)
    assert scores.pooled["d2_poisson"] == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_a_mean_of_zero_has_infinite_deviance_for_a_positive_count():
    y, z = [0, 0, 0, 3], [0.0, 0.0, 0.0, 1.0]
    scores = score_counts(y, z, [0, 0, 1, 1], range(2))
    assert scores.columns["poisson_deviance"][0] == 0
    assert np.isnan(scores.columns["d2_poisson"][0])
    wrong = score_counts(y, z[::-1], [0, 0, 1, 1], range(2))
    assert wrong.columns["poisson_deviance"][1] == np.inf
    assert wrong.worst["d2_poisson"] == -np.inf


def test_counts_keep_the_measures_of_numbers():
    y, z = [0, 4, 2, 9], [1.0, 3.0, 2.5, 7.0]
    counts = score_counts(y, z, [0, 0, 1, 1], range(2))
    numbers = score_predictions(y, z, [0, 0, 1, 1], range(2))
    assert numbers.macro.items() <= counts.macro.items()
    assert counts.explained_variance == numbers.explained_variance


@pytest.fixture
def counts():
    X, y = make_related_tasks(4, [22, 37, 29, 45], 3, as_frame=True, random_state=0)
    return X, np.random.default_rng(0).poisson(np.exp(y / 4))


@pytest.mark.parametrize(
    "model",
    [
        PoissonRegressor(),
        make_pipeline(StandardScaler(), PoissonRegressor()),
        GridSearchCV(PoissonRegressor(), {"alpha": [1.0]}),
        IndependentTasks(PoissonRegressor(), task_column="task"),
    ],
    ids=["alone", "pipeline", "search", "per task"],
)
def test_regressors_of_positive_targets_are_scored_as_counts(model, counts):
    X, y = counts
    scores = task_scores(model.fit(X, y), X, y, task_column="task")
    expected = score_counts(y, model.predict(X), X["task"], range(4))
    assert scores.macro == expected.macro
    plain = task_scores(model, X, y, task_column="task", counts=False)
    assert "d2_poisson" not in plain.columns


def test_any_regressor_is_scored_as_counts_on_request(counts):
    X, y = counts
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=5).fit(X, y)
    assert "d2_poisson" not in task_scores(model, X, y, task_column="task").columns
    scores = task_scores(model, X, y, task_column="task", counts=True)
    for metric, sign in (("poisson_deviance", -1), ("d2_poisson", 1)):
        scorer = make_task_scorer(metric, task_column="task")
        assert scorer(model, X, y) == pytest.approx(sign * scores.macro[metric])


def test_negative_counts_are_refused(counts):
    X, y = counts
    with pytest.raises(ValueError, match=r"y_pred must not be negative.*counts=False"):
        score_counts([0, 1], [-1.0, 1.0], [0, 0], "a")
    with pytest.raises(ValueError, match=r"y_true must not be negative.*Got -7"):
        task_scores(Ridge().fit(X, y), X, y - y - 7, task_column="task", counts=True)


def test_an_unseen_class_is_named():
    X = np.array([[0, 0.0], [0, 1.0], [0, 2.0], [0, 3.0], [0, 4.0], [0, 5.0]])
    y = np.array(["a", "b", "a", "b", "c", "c"])
    scoring = make_task_scorer("log_loss", task_column=0)
    with pytest.raises(ValueError, match=r"the classes \['a', 'b'\]. Got \['c', 'c"):
        cross_validate(
            LogisticRegression(),
            X,
            y,
            cv=[([0, 1, 2, 3], [4, 5])],
            scoring=scoring,
            error_score="raise",
        )
