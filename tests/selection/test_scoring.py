"""Scores of searches: against grid searches and cross-validation of scikit-learn."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import log_loss, mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

import skmtl.linear_model as rooms
from skmtl.couplings import ToMean
from skmtl.linear_model import (
    JointFeatureClassifier,
    JointFeaturePoissonRegressor,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LinearTaskRegressor,
    LowRankPoissonRegressor,
    LowRankRegressorCV,
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedHuberRegressor,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskPoissonRegressor,
    MultiTaskRidge,
    MultiTaskRidgeCV,
    PathSearchCV,
)

pytestmark = pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")

N_TASKS = 4
SHARP = {"tol": 1e-9}


def draw(kind, n_rows=40, seed=0):
    """Return X with the task as column 0, and numbers, classes or counts."""
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.repeat(np.arange(N_TASKS), n_rows))
    X = rng.normal(size=(len(task), 3)) + 0.5
    coef = rng.normal(0.5, 0.4, (N_TASKS, 3))
    raw = (X * coef[task]).sum(axis=1) + task / 4 - 0.5
    y = {
        "numbers": raw + rng.normal(size=len(raw)),
        "classes": (rng.random(len(raw)) < expit(raw)).astype(int),
        "three": np.digitize(raw + rng.logistic(size=len(raw)), [-0.5, 1.0]),
        "counts": rng.poisson(np.exp(raw / 2)).astype(float),
    }[kind]
    return np.column_stack([task, X]), y


def relations(kind):
    """Make a model of every relation for a kind of target."""
    ending = {"classes": "Classifier", "counts": "PoissonRegressor"}[kind]
    names = [name for name in rooms.__all__ if name.endswith(ending)]
    if kind == "classes":
        names.append("MultiTaskLogisticRegression")
    models = {name: getattr(rooms, name) for name in names}
    graphs = {"graph": "chain"}
    return {
        name: model(**(graphs if "graph" in model().get_params() else {}))
        if "Graph" not in name
        else model("chain")
        for name, model in models.items()
    }


SCORES = {"classes": "neg_log_loss", "counts": "neg_mean_poisson_deviance"}
MODELS = {
    name: (kind, model) for kind in SCORES for name, model in relations(kind).items()
}
SHORT = ["JointFeatureClassifier", "MeanRegularizedPoissonRegressor"]


@pytest.mark.full
@parametrize("case", MODELS, SHORT)
def test_scores_of_classes_and_counts_are_those_of_a_grid_search(case):
    kind, model = case
    X, y = draw(kind)
    model = clone(model).set_params(task_column=0, **SHARP)
    folds = list(KFold(3).split(X))
    search = PathSearchCV(model, 3, eps=0.05, cv=folds).fit(X, y)
    first, *others = search.best_params_
    ratios = {name: model.get_params()[name] for name in others}
    main = model.get_params()[first]
    grid = [
        {first: [alpha]}
        | {name: [alpha * each / main] for name, each in ratios.items()}
        for alpha in search.cv_results_["alpha"]
    ]
    theirs = GridSearchCV(model, grid, cv=folds, scoring=SCORES[kind]).fit(X, y)
    for name in ["mean_test_score", "std_test_score", "split1_test_score"]:
        expected = theirs.cv_results_[name]
        assert_allclose(search.cv_results_[name], expected, rtol=2e-3, atol=1e-5)
    assert search.best_index_ == theirs.best_index_
    assert search.score(X, y) == pytest.approx(search.best_estimator_.score(X, y))


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc_ovr"])
@parametrize("kind", ["classes", "three"], short=["three"])
@parametrize("labels", [False, True], short=[True])
def test_scorers_are_those_of_cross_validation(scoring, kind, labels):
    X, y = draw(kind)
    folds = list(KFold(3).split(X))
    model = MeanRegularizedClassifier(task_column=0)
    search = PathSearchCV(clone(model), alphas=[0.5, 20.0], cv=folds, scoring=scoring)
    if labels:
        search.set_params(estimator__task_column=None)
        search.fit(X[:, 1:], y, task=X[:, 0].astype(int))
    else:
        search.fit(X, y)
    for k, alpha in enumerate(search.cv_results_["alpha"]):
        expected = cross_val_score(
            clone(model).set_params(alpha=alpha), X, y, cv=folds, scoring=scoring
        )
        found = [search.cv_results_[f"split{j}_test_score"][k] for j in range(3)]
        assert_allclose(found, expected, rtol=1e-3)


SQUARED = [
    MeanRegularizedRegressorCV(method="cv"),
    MultiTaskRidgeCV(alpha_per_task=False),
    JointFeatureRegressorCV(n_alphas=5, tol=1e-9),
    LowRankRegressorCV(n_alphas=5, tol=1e-9),
    PathSearchCV(MeanRegularizedRegressor(), 5),
]


@parametrize(
    "search", SQUARED, short=SQUARED[2::2], ids=lambda search: type(search).__name__
)
def test_a_scorer_of_squared_errors_gives_the_scores_of_none(search):
    X, y = draw("numbers")
    given = {"task": X[:, 0].astype(int)}
    folds = list(KFold(4).split(X))  # of equal sizes
    plain = clone(search).set_params(cv=folds).fit(X[:, 1:], y, **given)
    scored = clone(search).set_params(cv=folds, scoring="neg_mean_squared_error")
    scored.fit(X[:, 1:], y, **given)
    # A continuous search tries other strengths after the grid.
    n_equal = 5
    for name in ["alpha", "mean_test_score"]:
        found, expected = scored.cv_results_[name], plain.cv_results_[name]
        expected = np.asarray(expected)[:n_equal]
        assert_allclose(np.asarray(found)[:n_equal], expected, rtol=1e-5)


@pytest.mark.full
@pytest.mark.parametrize("search", SQUARED, ids=lambda s: type(s).__name__)
def test_another_scorer_chooses_by_its_own_scores(search):
    X, y = draw("numbers")
    folds = list(KFold(3).split(X))
    scoring = "neg_mean_absolute_error"
    search = clone(search).set_params(cv=folds, scoring=scoring)
    search.fit(X[:, 1:], y, task=X[:, 0].astype(int))
    assert search.best_score_ == pytest.approx(
        search.cv_results_["mean_test_score"].max()
        if search.cv_results_["mean_test_score"].ndim == 1
        else search.cv_results_["mean_test_score"][:, 0].max()
    )


@pytest.mark.full
def test_strengths_per_task_are_scored_on_the_rows_of_their_task():
    X, y = draw("numbers")
    folds = list(KFold(4).split(X))
    search = MultiTaskRidgeCV([0.1, 10.0, 1000.0], cv=folds, task_column=0)
    scored = clone(search).set_params(scoring="r2").fit(X, y)
    for t in range(N_TASKS):
        for k, alpha in enumerate(scored.cv_results_["alpha"]):
            scores = []
            for train, test in folds:
                model = MultiTaskRidge(alpha, task_column=0).fit(X[train], y[train])
                rows = test[X[test, 0] == t]
                scores.append(model.score(X[rows], y[rows]))
            found = scored.cv_results_["mean_test_score"][k, t]
            assert found == pytest.approx(np.mean(scores))


def test_strengths_per_column_are_scored_on_its_cells():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    Y = X @ rng.normal(size=(3, 2)) + rng.normal(size=(60, 2))
    Y[::7, 1] = np.nan
    folds = list(KFold(3).split(X))
    given = {"alphas": [0.1, 10.0, 1000.0], "cv": folds, "scoring": "r2"}
    both = MultiTaskRidgeCV(**given).fit(X, Y)
    first = MultiTaskRidgeCV(**given).fit(X, Y[:, 0])
    assert both.alpha_[0] == first.alpha_
    found = both.cv_results_["mean_test_score"]
    assert_allclose(found[:, 0], first.cv_results_["mean_test_score"])
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "search",
    [MeanRegularizedRegressorCV(), MultiTaskRidgeCV()],
    ids=lambda s: type(s).__name__,
)
def test_a_criterion_without_held_out_rows_takes_no_scorer(search):
    X, y = draw("numbers")
    search = clone(search).set_params(scoring="r2", task_column=0)
    with pytest.raises(ValueError, match="scoring needs held-out rows, got"):
        search.fit(X, y)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:The targets of tasks should have")
def test_residuals_of_unknown_scale_are_scored_by_absolute_errors():
    X, y = draw("numbers")
    y[::9] += 50
    folds = list(KFold(3).split(X))
    model = MeanRegularizedHuberRegressor(task_column=0)
    search = PathSearchCV(model, alphas=[1.0, 30.0], cv=folds).fit(X, y)
    for k, alpha in enumerate(search.cv_results_["alpha"]):
        expected = cross_val_score(
            clone(model).set_params(alpha=alpha),
            X,
            y,
            cv=folds,
            scoring="neg_mean_absolute_error",
        )
        found = search.cv_results_["mean_test_score"][k]
        assert found == pytest.approx(expected.mean(), rel=1e-3)


@pytest.mark.parametrize("scope", ["all", "task"])
@pytest.mark.parametrize("model", [JointFeatureClassifier, MeanRegularizedClassifier])
def test_a_fold_in_which_a_task_lacks_a_class_has_finite_scores(model, scope):
    X, y = draw("classes")
    rows = np.flatnonzero(X[:, 0] == 0)
    y[rows] = 1
    y[rows[:3]] = 0
    rest = np.setdiff1d(np.arange(len(y)), rows[:3])
    folds = [(rest, rows[:10]), (np.delete(np.arange(len(y)), rows[3:20]), rows[3:20])]
    model = model(task_column=0, class_scope=scope)
    search = PathSearchCV(model, 3, cv=folds).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_search_weighs_held_out_losses():
    X, y = draw("classes")
    weight = np.random.default_rng(1).integers(1, 4, len(y)).astype(float)
    folds = list(KFold(2).split(X))
    model = MeanRegularizedClassifier(5.0, task_column=0)
    search = PathSearchCV(model, alphas=[5.0], cv=folds)
    search.fit(X, y, sample_weight=weight)
    for k, (train, test) in enumerate(folds):
        model.fit(X[train], y[train], sample_weight=weight[train])
        expected = log_loss(
            y[test], model.predict_proba(X[test]), sample_weight=weight[test]
        )
        found = -search.cv_results_[f"split{k}_test_score"][0]
        assert found == pytest.approx(expected, rel=1e-4)


def test_exposures_reach_the_model_of_counts():
    X, y = draw("counts")
    exposure = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    model = MeanRegularizedPoissonRegressor(3.0, task_column=0)
    search = PathSearchCV(model, alphas=[3.0]).fit(X, y, exposure=exposure)
    expected = model.fit(X, y, exposure=exposure).predict(X, exposure=exposure)
    assert_allclose(search.predict(X, exposure=exposure), expected, rtol=1e-6)
    assert search.score(X, y, exposure=exposure) == pytest.approx(
        model.score(X, y, exposure=exposure)
    )


def test_a_search_is_what_its_model_is():
    X, y = draw("classes")
    search = PathSearchCV(JointFeatureClassifier(task_column=0), 3)
    assert is_classifier(search)
    assert not is_regressor(search)
    assert is_regressor(PathSearchCV(JointFeaturePoissonRegressor()))
    search.fit(X, y)
    best = search.best_estimator_
    assert_array_equal(search.classes_, [0, 1])
    for method in ["predict_proba", "predict_log_proba", "decision_function"]:
        assert_array_equal(getattr(search, method)(X), getattr(best, method)(X))
    assert not hasattr(PathSearchCV(JointFeatureRegressor()), "predict_proba")


@pytest.mark.parametrize(
    "search",
    [
        PathSearchCV(MeanRegularizedClassifier(), alphas=[1.0, 2.0]),
        MeanRegularizedClassifierCV([1.0, 2.0], alphas_shared=[1.0]),
        MeanRegularizedRegressorCV([1.0, 2.0], alphas_shared=[1.0], method="cv"),
    ],
    ids=lambda s: type(s).__name__,
)
def test_scores_that_are_never_numbers_are_refused(search):
    X, y = draw("classes")
    search = clone(search).set_params(scoring=lambda model, X, y: np.nan)
    with pytest.raises(ValueError, match="scoring must give a number"):
        search.fit(X[:, 1:], y, task=X[:, 0].astype(int))


def test_a_fold_without_counts_of_a_task_is_smoothed_as_a_fit_is():
    X = np.random.default_rng(0).normal(size=(20, 1))
    y, task = np.r_[np.ones(10), np.zeros(9), 3.0], np.repeat([0, 1], 10)
    train, test = np.arange(19), np.array([19])
    search = PathSearchCV(MultiTaskPoissonRegressor(), alphas=[1.0], cv=[(train, test)])
    search.fit(X, y, task=task)
    model = MultiTaskPoissonRegressor(1.0).fit(X[train], y[train], task=task[train])
    mean = model.predict(X[test], task=task[test])
    expected = -mean_poisson_deviance(y[test], mean)
    assert search.best_score_ == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("per_task", [False, True])
def test_a_score_that_is_nan_is_the_worst(per_task):
    X, y = draw("numbers")

    def score(model, X, y):
        small = np.abs(model.coef_).sum() < 1
        return -np.mean((model.predict(X) - y) ** 2) if small else np.nan

    given = {"cv": 4, "alpha_per_task": per_task, "task_column": 0}
    search = MultiTaskRidgeCV([1.0, 1e4], scoring=score, **given).fit(X, y)
    assert_array_equal(search.alpha_, 1e4)


@pytest.mark.parametrize(
    "search",
    [
        MultiTaskRidgeCV([1.0, 2.0], cv=3),
        MultiTaskRidgeCV([1.0, 2.0], cv=3, alpha_per_task=False),
        MeanRegularizedRegressorCV([1.0, 2.0], alphas_shared=[1.0], method="cv"),
        JointFeatureRegressorCV(n_alphas=3),
    ],
    ids=repr,
)
def test_scores_that_are_all_nan_are_refused(search):
    X, y = draw("numbers")
    search = clone(search).set_params(scoring=lambda model, X, y: np.nan, task_column=0)
    with pytest.raises(ValueError, match="scoring must give a number"):
        search.fit(X, y)


def test_scorers_of_counts_know_the_exposures():
    X, y = draw("counts")
    exposure = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    folds = list(KFold(3).split(X))
    model = MeanRegularizedPoissonRegressor(3.0, task_column=0)
    scoring = "neg_mean_poisson_deviance"
    search = PathSearchCV(model, alphas=[3.0], cv=folds, scoring=scoring)
    search.fit(X, y, exposure=exposure)
    for k, (train, test) in enumerate(folds):
        fitted = clone(model).fit(X[train], y[train], exposure=exposure[train])
        mean = fitted.predict(X[test], exposure=exposure[test])
        found = -search.cv_results_[f"split{k}_test_score"][0]
        assert found == pytest.approx(mean_poisson_deviance(y[test], mean), rel=1e-3)


@pytest.mark.parametrize(
    "model", [JointFeaturePoissonRegressor, LowRankPoissonRegressor]
)
def test_the_unit_of_exposure_does_not_matter(model):
    X, y = draw("counts")
    exposure = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    years = model(0.05, task_column=0, **SHARP).fit(X, y, exposure=exposure)
    days = model(0.05, task_column=0, **SHARP).fit(X, y, exposure=365 * exposure)
    assert np.abs(years.coef_).max() > 0.1
    assert_allclose(days.coef_, years.coef_, rtol=1e-3, atol=1e-5)


def test_masked_cells_are_not_scored():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    hidden = rng.random(Y.shape) < 0.2
    masked = np.ma.MaskedArray(np.where(hidden, 1e3, Y), hidden)
    search = MultiTaskRidgeCV([1.0, 9.0], cv=5, scoring="neg_mean_squared_error")
    found = search.fit(X, masked).best_score_
    assert_array_equal(found, search.fit(X, np.where(hidden, np.nan, Y)).best_score_)


def test_a_full_2d_y_is_searched_with_shuffled_folds():
    X, y = draw("numbers")
    Y = y.reshape(-1, N_TASKS)
    search = PathSearchCV(MeanRegularizedHuberRegressor(), alphas=[1.0, 5.0])
    assert search.fit(X[: len(Y), 1:], Y).alpha_ in (1.0, 5.0)


def test_a_chosen_model_adapts_to_a_new_task():
    X, y = draw("numbers")
    search = PathSearchCV(MeanRegularizedRegressor(), alphas=[1.0])
    best = search.fit(X[:, 1:], y, task=X[:, 0].astype(int)).best_estimator_
    assert best.adapt(X[:4, 1:], y[:4], task=9).n_tasks_ == N_TASKS + 1


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (PathSearchCV(MultiTaskRidge(), param="tol"), "param must name a strength"),
        (PathSearchCV(MultiTaskRidge({0: 1, 1: 2, 2: 1, 3: 1})), "alpha must be a pos"),
        (PathSearchCV(MultiTaskRidge(), cv=[]), "cv must give at least one fold"),
    ],
    ids=["param", "alpha", "cv"],
)
def test_searches_that_cannot_be_are_refused(search, message):
    X, y = draw("numbers")
    with pytest.raises(ValueError, match=message):
        search.fit(X[:, 1:], y, task=X[:, 0].astype(int))


def test_exposures_of_numbers_are_refused():
    X, y = draw("numbers")
    search = PathSearchCV(MeanRegularizedRegressor(task_column=0))
    with pytest.raises(ValueError, match="exposure needs a model of counts"):
        search.fit(X, y, exposure=np.ones(len(y)))


def test_a_strength_of_a_coupling_is_searched_by_its_name():
    X, y = draw("numbers")
    model = LinearTaskRegressor(coupling=ToMean(1.0), task_column=0)
    search = PathSearchCV(model, alphas=[1.0, 10.0], param="coupling__alpha")
    assert search.fit(X, y).best_params_ == {"coupling__alpha": search.alpha_}
