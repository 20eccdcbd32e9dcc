"""Several groupings: a shared part and own parts, with naive versions as oracles."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import minimize
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.preprocessing import StandardScaler

from skmtl.compose import PooledTasks, make_task_pipeline
from skmtl.inspection import compare_tasks
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedHuberRegressor,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    PathSearchCV,
)
from skmtl.metrics import task_scores

RNG = np.random.default_rng(0)
N_ROWS = 120
FRAME = pd.DataFrame(
    {
        "school": RNG.choice(["Ash", "Elm", "Fir", "Oak"], N_ROWS),
        "p": RNG.normal(size=N_ROWS) + 1,
        "child": RNG.integers(0, 9, N_ROWS),
        "q": RNG.normal(size=N_ROWS),
    }
)
COLUMNS = ["school", "child"]
X = FRAME[["p", "q"]].to_numpy()
LEVEL = FRAME["school"].map({"Ash": 1.0, "Elm": -1.0, "Fir": 0.2, "Oak": 0.5})
RAW = (LEVEL + (0.5 + 0.1 * FRAME["child"]) * FRAME["p"]).to_numpy()
Y = RAW + 0.3 * RNG.normal(size=N_ROWS)
KINDS = RAW + RNG.logistic(size=N_ROWS) > 1
COUNTS = RNG.poisson(np.exp(0.5 * RAW)).astype(float)
WEIGHT = RNG.uniform(0.5, 2.0, N_ROWS)
STRENGTHS = {
    "alpha": {"school": 0.7, "child": [0.9, np.inf]},
    "alpha_intercept": {"school": 1.0, "child": 2.0},
    "alpha_shared": 0.3,
}


def dense(fit_intercept=True):
    """Return all columns in one matrix, and their strengths."""
    columns, strengths = [X], [np.full(2, 0.3)]
    for name in COLUMNS:
        own = pd.get_dummies(FRAME[name]).to_numpy(float)
        alphas = np.broadcast_to(STRENGTHS["alpha"][name], 2)
        for feature in np.flatnonzero(np.isfinite(alphas)):
            columns.append(own * X[:, [feature]])
            strengths.append(np.full(own.shape[1], alphas[feature]))
        columns.append(own * fit_intercept)
        strengths.append(np.full(own.shape[1], STRENGTHS["alpha_intercept"][name]))
    columns.append(np.full((N_ROWS, 1), float(fit_intercept)))
    strengths.append(np.zeros(1) if fit_intercept else np.ones(1))
    return np.hstack(columns), np.concatenate(strengths)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_fit_solves_the_normal_equations(fit_intercept):
    model = MeanRegularizedRegressor(
        **STRENGTHS, fit_intercept=fit_intercept, task_column=COLUMNS
    )
    model.fit(FRAME, Y, sample_weight=WEIGHT)
    design, strengths = dense(fit_intercept)
    matrix = design.T @ (WEIGHT[:, None] * design) + np.diag(strengths)
    solution = np.linalg.solve(matrix, design.T @ (WEIGHT * Y))
    residual = Y - design @ solution
    assert_allclose(model.predict(FRAME), design @ solution, rtol=1e-9, atol=1e-9)
    objective = WEIGHT @ residual**2 + strengths @ solution**2
    assert model.objective_ == pytest.approx(objective, rel=1e-10)
    assert model.optimality_ < 1e-12
    leverage = np.einsum("ij,ji->i", design, np.linalg.solve(matrix, design.T))
    left = WEIGHT.sum() - WEIGHT @ leverage
    _, std = model.predict(FRAME, return_std=True)
    assert_allclose(std**2, WEIGHT @ residual**2 / left * (1 + leverage), rtol=1e-9)


def test_tasks_are_combinations_and_sums_of_their_parts():
    model = MeanRegularizedRegressor(task_column=COLUMNS).fit(FRAME, Y)
    assert model.coef_.shape == (model.n_tasks_, 2)
    task = model.tasks_.tolist().index("Elm/3")
    schools, children = model.groupings_["school"], model.groupings_["child"]
    assert (schools.tolist(), children.tolist()) == (
        ["Ash", "Elm", "Fir", "Oak"],
        list(range(9)),
    )
    total = model.coef_shared_ + model.coef_groupings_["school"][1]
    assert_allclose(model.coef_[task], total + model.coef_groupings_["child"][3])
    level = model.intercept_shared_ + model.intercept_groupings_["school"][1]
    level += model.intercept_groupings_["child"][3]
    assert_allclose(model.intercept_[task], level)
    assert task_scores(model, FRAME, Y).tasks.tolist() == model.tasks_.tolist()


MODELS = {
    "numbers": (MeanRegularizedRegressor(), Y),
    "classes": (MeanRegularizedClassifier(tol=1e-8), KINDS),
    "three classes": (
        MeanRegularizedClassifier(tol=1e-8),
        KINDS.astype(int) + (X[:, 1] > 0),
    ),
    "counts": (MeanRegularizedPoissonRegressor(tol=1e-8), COUNTS),
}


@pytest.mark.parametrize(("model", "target"), MODELS.values(), ids=MODELS)
def test_one_grouping_with_parameters_is_the_model_of_one_column(model, target):
    one = clone(model).set_params(alpha=2.0, alpha_intercept=1.5, alpha_shared=0.5)
    one.set_params(task_column="school").fit(FRAME.drop(columns="child"), target)
    two = clone(model).set_params(
        alpha={"school": 2.0, "child": np.inf},
        alpha_intercept={"school": 1.5, "child": np.inf},
        alpha_shared=0.5,
        task_column=COLUMNS,
    )
    two.fit(FRAME, target)
    assert two.objective_ == pytest.approx(one.objective_, rel=1e-9)
    assert_allclose(two.coef_shared_, one.coef_shared_, rtol=1e-6, atol=1e-6)
    own = two.coef_groupings_["school"] + two.coef_shared_
    assert_allclose(own, one.coef_, rtol=1e-6, atol=1e-6)


def test_infinite_strengths_pool_all_rows():
    pooled = MeanRegularizedRegressor(
        np.inf, alpha_intercept=np.inf, alpha_shared=0.5, task_column=COLUMNS
    )
    pooled.fit(FRAME, Y)
    ridge = Ridge(0.5).fit(X, Y)
    assert_allclose(pooled.coef_shared_, ridge.coef_)
    assert_allclose(pooled.predict(FRAME), ridge.predict(X))
    _, std = pooled.predict(FRAME.assign(child=99), return_std=True)
    assert_allclose(std, pooled.predict(FRAME, return_std=True)[1])
    nothing = {"alphas": [np.inf], "alphas_intercept": [np.inf]}
    for method in ("loo", "reml"):
        search = MeanRegularizedRegressorCV(
            **nothing, method=method, task_column=COLUMNS
        )
        assert not search.fit(FRAME, Y).intercept_groupings_["child"].any()


def test_losses_reach_their_minimum():
    design, strengths = dense()
    losses = {
        "classes": (
            MeanRegularizedClassifier(**STRENGTHS, task_column=COLUMNS, tol=1e-9),
            KINDS.astype(float),
            lambda z: np.logaddexp(0, z),
            lambda z: 1 / (1 + np.exp(-z)),
        ),
        "counts": (
            MeanRegularizedPoissonRegressor(**STRENGTHS, task_column=COLUMNS, tol=1e-9),
            COUNTS,
            np.exp,
            np.exp,
        ),
    }
    for model, y, value, slope in losses.values():
        found = minimize(
            lambda v: (
                np.sum(value(design @ v) - y * (design @ v)) + strengths @ v**2 / 2,  # noqa: B023
                design.T @ (slope(design @ v) - y) + strengths * v,  # noqa: B023
            ),
            np.zeros(design.shape[1]),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-8},
        )
        assert model.fit(FRAME, y).objective_ == pytest.approx(found.fun, rel=1e-9)


def test_an_unseen_label_falls_back_on_the_other_groupings():
    model = MeanRegularizedRegressor(**STRENGTHS, task_column=COLUMNS).fit(FRAME, Y)
    new = pd.DataFrame(
        {"school": ["Elm", "Yew"], "p": [0.3, 0.3], "child": [99, 99], "q": [1.0, 1.0]}
    )
    x = np.array([0.3, 1.0])
    shared = x @ model.coef_shared_ + model.intercept_shared_
    own = (
        x @ model.coef_groupings_["school"][1] + model.intercept_groupings_["school"][1]
    )
    found, std = model.predict(new, return_std=True)
    assert_allclose(found, [shared + own, shared])
    assert std[1] > std[0]
    model.set_params(handle_unknown="error")
    with pytest.raises(ValueError, match=r"labels not seen in fit: \[99\]"):
        model.predict(new.head(1))


@pytest.mark.full
@parametrize("seed", [0, 2, 3], short=[3])
def test_a_search_passes_over_strengths_at_which_equations_are_singular(seed):
    rng, n_rows = np.random.default_rng(seed), 20
    wide = pd.DataFrame(rng.normal(size=(n_rows, n_rows))).rename(columns="x{}".format)
    y = wide["x0"] + rng.normal(size=n_rows)
    table = wide.assign(s=np.arange(n_rows) % 5, c=np.arange(n_rows) % 3)
    model = MeanRegularizedRegressorCV(task_column=["s", "c"]).fit(table, y)
    assert np.isfinite(model.predict(table)).all()
    assert np.mean((model.predict(table) - y) ** 2) < 1.5 * np.var(y)


def test_few_labels_leave_the_variance_of_an_unseen_one_uncertain():
    model = MeanRegularizedRegressor(**STRENGTHS, task_column=COLUMNS).fit(FRAME, Y)
    new = FRAME.head(3).assign(school="Yew")
    ends, (_, std) = (
        model.predict_interval(new, coverage=0.9),
        model.predict(new, return_std=True),
    )
    half = (ends[:, 1] - ends[:, 0]) / 2
    # Between the quantiles for the residuals, and for the differences of 4 schools.
    assert (half > 1.05 * norm.ppf(0.95) * std).all()
    assert (half < student.ppf(0.95, 3) * std).all()
    single = FRAME.assign(school="Ash")
    model.fit(single, Y)
    assert np.isinf(model.predict_interval(new)).all()
    assert np.isfinite(model.predict_interval(single)).all()


def test_columns_and_keyword_declare_the_same_groupings():
    column = MeanRegularizedRegressor(task_column=COLUMNS).fit(FRAME, Y)
    expected, labels = column.predict(FRAME), FRAME[COLUMNS]
    for task in (labels, pl.from_pandas(labels), labels.to_numpy()):
        model = MeanRegularizedRegressor().fit(X, Y, task=task)
        assert_allclose(model.predict(X, task=task), expected)
    rows = [tuple(row) for row in labels.to_numpy()]
    assert_allclose(model.predict(X, task=rows), expected)
    with pytest.raises(ValueError, match="task must have the 2 columns of fit, got 1"):
        model.predict(X, task=FRAME["school"])
    by_position = MeanRegularizedRegressor(task_column=[0, -2])
    by_position.fit(FRAME.to_numpy(), Y)
    assert_allclose(by_position.predict(FRAME.to_numpy()), expected)
    single = FRAME.astype({"p": np.float32, "q": np.float32})
    small = MeanRegularizedRegressor(task_column=COLUMNS).fit(single, Y)
    assert small.coef_.dtype == small.coef_groupings_["child"].dtype == np.float32
    thin = MeanRegularizedRegressor().fit(sparse.csr_array(X), Y, task=labels)
    assert_allclose(thin.predict(sparse.csr_array(X), task=labels), expected, rtol=1e-6)


def test_a_tuple_is_a_grouping_by_combination():
    nested = MeanRegularizedRegressor(
        alpha=np.inf, alpha_intercept=1.0, task_column=["school", ("school", "child")]
    )
    nested.fit(FRAME, Y)
    joined = FRAME.assign(pupil=FRAME["school"] + "/" + FRAME["child"].astype(str))
    plain = clone(nested).set_params(task_column=["school", "pupil"])
    plain.fit(joined.drop(columns="child"), Y)
    assert_allclose(nested.predict(FRAME), plain.predict(joined.drop(columns="child")))
    assert list(nested.groupings_) == ["school", ("school", "child")]
    alone = MeanRegularizedRegressor(task_column=[("school", "child")]).fit(FRAME, Y)
    assert not hasattr(alone, "groupings_")


def test_labels_that_start_again_are_named_in_a_warning():
    counts = {"Ash": 2, "Elm": 3, "Fir": 5, "Oak": 6}
    rows = [(s, c, v) for s, n in counts.items() for c in range(n) for v in range(3)]
    table = pd.DataFrame(rows, columns=["school", "child", "x"])
    y = np.arange(len(table), dtype=float)
    model = MeanRegularizedRegressor(task_column=COLUMNS)
    with pytest.warns(UserWarning, match=r"use \('school', 'child'\) in the place of"):
        model.fit(table, y)
    model.set_params(task_column=["school", ("school", "child")]).fit(table, y)
    assert model.n_tasks_ == 16


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": {"school": 1.0}}, "alpha must have a strength for every grouping"),
        ({"alpha_intercept": {"child": 1.0, "x": 1.0}}, "alpha_intercept must have a"),
        ({"alpha": [1.0, 2.0, 3.0]}, r"of shape \(2,\), got shape \(3,\)"),
        ({"alpha": {"school": -1.0, "child": 1.0}}, "alpha must be 0 or more, got -1"),
        ({"alpha_intercept": {"school": 1, "child": -2}}, "must be 0 or more, got -2"),
        ({"alpha": {"school": 1.0}, "task_column": "school"}, "alpha may be a mapping"),
    ],
)
def test_wrong_strengths_are_refused(params, message):
    table = FRAME.assign(child=FRAME["child"].astype(float))
    model = MeanRegularizedRegressor(**{"task_column": COLUMNS, **params})
    with pytest.raises(ValueError, match=message):
        model.fit(table, Y)


def test_what_needs_one_task_column_says_so():
    model = MeanRegularizedRegressor(task_column=COLUMNS)
    with pytest.raises(ValueError, match="partial_fit needs one task column, got"):
        model.partial_fit(FRAME, Y)
    model.fit(FRAME, Y)
    with pytest.raises(ValueError, match="adapt needs one task column, but this model"):
        model.adapt(FRAME.head(3), Y[:3])
    scoped = MeanRegularizedClassifier(class_scope="task", task_column=COLUMNS)
    with pytest.raises(ValueError, match="class_scope must be 'all' if several"):
        scoped.fit(FRAME, KINDS)
    search = MeanRegularizedRegressorCV(
        alpha_structure="per_feature", task_column=COLUMNS
    )
    with pytest.raises(ValueError, match="alpha_structure must be 'auto' or 'one' if"):
        search.fit(FRAME, Y)
    with pytest.raises(ValueError, match="A path of strengths needs one task column"):
        PathSearchCV(model).fit(FRAME, Y)
    with pytest.raises(ValueError, match="alpha may be a mapping only if"):
        MeanRegularizedHuberRegressor(alpha={"a": 1.0}, task_column=COLUMNS).fit(
            FRAME, Y
        )


def test_other_tools_take_several_groupings():
    model = MeanRegularizedRegressor(alpha_intercept=1.0, task_column=COLUMNS)
    scores = cross_val_score(model, FRAME, Y, cv=3)
    assert (scores > 0.5).all()
    grid = [{"school": a, "child": 1.0} for a in (0.1, 10.0)]
    search = GridSearchCV(model, {"alpha": grid}, cv=3).fit(FRAME, Y)
    assert search.best_params_["alpha"] in grid
    pipeline = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressor(), task_column=[0, (0, 2)]
    )
    assert pipeline[-1].task_column == [-2, (-2, -1)]
    pipeline.fit(FRAME.to_numpy(), Y)
    assert list(pipeline[-1].groupings_) == [-2, (-2, -1)]
    compared = compare_tasks([model, PooledTasks()], FRAME, Y, cv=2)
    assert len(compared.tasks) == model.fit(FRAME, Y).n_tasks_
    again = pickle.loads(pickle.dumps(model))
    _, std = model.predict(FRAME, return_std=True)
    assert_allclose(again.predict(FRAME, return_std=True)[1], std)


@pytest.mark.parametrize(
    "method",
    ["reml", *(pytest.param(m, marks=pytest.mark.full) for m in ("loo", "gcv", "cv"))],
)
def test_the_search_finds_strengths_that_no_neighbour_beats(method):
    levels = {"alphas": {"school": [np.inf]}, "alphas_shared": [1.0]}
    model = MeanRegularizedRegressorCV(**levels, method=method, task_column=COLUMNS)
    model.fit(FRAME, Y)
    table = model.cv_results_
    name = "log_likelihood" if method == "reml" else "mean_test_score"
    assert model.best_score_ == table[name][model.best_index_]
    assert model.alpha_["school"] == np.inf
    assert model.alpha_shared_ == 1.0
    near = []
    for factor in (0.7, 1 / 0.7):
        moved = {
            "alphas": {"school": [np.inf], "child": [factor * model.alpha_["child"]]},
            "alphas_intercept": {k: [v] for k, v in model.alpha_intercept_.items()},
            "alphas_shared": [1.0],
        }
        near.append(clone(model).set_params(**moved).fit(FRAME, Y).best_score_)
    assert max(near) <= model.best_score_ + 1e-4 * abs(model.best_score_)
    fixed = MeanRegularizedRegressor(
        model.alpha_,
        alpha_intercept=model.alpha_intercept_,
        alpha_shared=1.0,
        task_column=COLUMNS,
    )
    assert_allclose(fixed.fit(FRAME, Y).predict(FRAME), model.predict(FRAME))


def test_leave_one_out_errors_are_those_of_refits():
    given = {
        "alphas": {"school": [0.7], "child": [0.9]},
        "alphas_intercept": {"school": [1.0], "child": [2.0]},
        "alphas_shared": [0.3],
    }
    table, y = FRAME.head(20), Y[:20]
    model = MeanRegularizedRegressorCV(**given, task_column=COLUMNS).fit(table, y)
    one = MeanRegularizedRegressor(
        {"school": 0.7, "child": 0.9},
        alpha_intercept={"school": 1.0, "child": 2.0},
        alpha_shared=0.3,
        task_column=COLUMNS,
    )
    errors = []
    for row in range(20):
        kept = np.arange(20) != row
        left = one.fit(table[kept], y[kept]).predict(table[~kept])
        errors.append((y[row] - left[0]) ** 2)
    assert -model.best_score_ == pytest.approx(np.mean(errors), rel=1e-8)


@pytest.mark.full
def test_folds_and_lists_of_a_search_are_checked():
    search = MeanRegularizedRegressorCV([np.inf], method="cv", cv=GroupKFold(3))
    found = search.fit(X, Y, task=FRAME[COLUMNS])
    joined = FRAME["school"] + "/" + FRAME["child"].astype(str)
    splits = list(GroupKFold(3).split(X, Y, joined))
    other = clone(search).set_params(cv=splits).fit(X, Y, task=FRAME[COLUMNS])
    assert found.best_score_ == other.best_score_
    reml = MeanRegularizedRegressorCV(
        alphas_shared=[0.0, 1.0], method="reml", task_column=COLUMNS
    )
    with pytest.raises(ValueError, match="alphas_shared must not mix 0 with other"):
        reml.fit(FRAME, Y)
    few = MeanRegularizedRegressorCV(alphas_shared=[0.0], task_column=COLUMNS)
    with pytest.raises(ValueError, match="needs more rows than features, got rows of"):
        few.fit(FRAME.head(3), Y[:3])


@pytest.mark.full
def test_lists_are_chosen_from():
    model = MeanRegularizedRegressorCV(
        [0.1, 1.0, np.inf], alphas_intercept=[0.5, 5.0], task_column=COLUMNS
    )
    model.fit(FRAME, Y)
    assert set(model.alpha_.values()) <= {0.1, 1.0, np.inf}
    assert set(model.alpha_intercept_.values()) <= {0.5, 5.0}


@pytest.mark.full
@pytest.mark.parametrize("method", ["laplace", "cv"])
def test_strengths_of_classes_are_chosen(method):
    model = MeanRegularizedClassifierCV(
        {"school": [np.inf]}, method=method, cv=3, task_column=COLUMNS
    )
    model.fit(FRAME, KINDS)
    assert model.alpha_["school"] == np.inf
    assert model.score(FRAME, KINDS) > 0.7
    name = "log_likelihood" if method == "laplace" else "mean_test_score"
    assert model.best_score_ == pytest.approx(
        np.nanmax(model.cv_results_[name]), rel=0.01
    )


@pytest.mark.full
def test_more_than_two_classes_have_held_out_scores_only():
    three = KINDS.astype(int) + (X[:, 1] > 0)
    model = MeanRegularizedClassifierCV(
        [np.inf], method="laplace", scoring=None, cv=2, task_column=COLUMNS
    )
    with pytest.raises(ValueError, match="'laplace' needs two classes if several"):
        model.fit(FRAME, three)
    model.set_params(method="cv", scoring="accuracy").fit(FRAME, three)
    assert model.predict_proba(FRAME).shape == (N_ROWS, 3)
