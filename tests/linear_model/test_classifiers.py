"""Classifiers of tasks against scikit-learn, other people's optima, and each other."""

import numpy as np
import pandas as pd
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from reference_problem import N_TASKS, SIZES, draw_problem
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_predict

from skmtl.linear_model import GraphRegularizedClassifier, MeanRegularizedClassifier

EXACT = {"tol": 1e-12, "max_iter": 10_000, "solver": "newton-cg"}
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
each_kind = pytest.mark.parametrize("n_classes", [2, 3, 5])
SCORINGS = ["neg_log_loss", "roc_auc_ovr", "accuracy", None]


def draw(n_classes, n_tasks=5, n_rows=60, n_features=4):
    rng = np.random.default_rng(n_classes)
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.normal(0.3, 1, size=(len(task), n_features))
    coef = rng.normal(size=(n_features, n_classes))
    coef = coef + 0.5 * rng.normal(size=(n_tasks, n_features, n_classes))
    score = np.einsum("ij,ijk->ik", X, coef[task]) + rng.gumbel(
        size=(len(X), n_classes)
    )
    return X, score.argmax(axis=1), task


def augment(X, task):
    """Return each row beside a copy of itself in the columns of its task."""
    own = np.zeros((len(X), task.max() + 1, X.shape[1]))
    own[np.arange(len(X)), task] = X
    return np.hstack([X, own.reshape(len(X), -1)])


@each_kind
def test_one_task_is_logistic_regression(n_classes):
    # Tasks and centre share the pull to zero: 1 / (1 / 3 + 1 / 6) = 2.
    X, y, _ = draw(n_classes)
    model = MeanRegularizedClassifier(alpha=3.0, alpha_shared=6.0).fit(X, y)
    expected = LogisticRegression(C=0.5, **EXACT).fit(X, y)
    assert_allclose(model.coef_, expected.coef_, **CLOSE)
    assert_allclose(model.intercept_, expected.intercept_, **CLOSE)
    assert_allclose(model.decision_function(X), expected.decision_function(X), **CLOSE)
    assert_allclose(model.predict_proba(X), expected.predict_proba(X), **CLOSE)


@each_kind
def test_an_infinite_pull_pools_the_tasks(n_classes):
    X, y, task = draw(n_classes)
    model = MeanRegularizedClassifier(np.inf, alpha_intercept=np.inf)
    model.fit(X, y, task=task)
    expected = LogisticRegression(**EXACT).fit(X, y)
    found = np.reshape(model.coef_, (5, *expected.coef_.shape))
    assert_allclose(found, np.stack([expected.coef_] * 5), **CLOSE)
    assert_allclose(model.predict_proba(X, task), expected.predict_proba(X), **CLOSE)


@each_kind
def test_a_pinned_centre_leaves_tasks_apart(n_classes):
    X, y, task = draw(n_classes)
    model = MeanRegularizedClassifier(alpha=2.0, alpha_shared=1e12)
    model.fit(X, y, task=task)
    apart = LogisticRegression(C=0.5, **EXACT).fit(X[task == 3], y[task == 3])
    found = model.predict_proba(X[task == 3], task[task == 3])
    assert_allclose(found, apart.predict_proba(X[task == 3]), **CLOSE)


def test_no_pull_leaves_tasks_apart():
    X, y, task = draw(2)
    model = MeanRegularizedClassifier(alpha=0.0).fit(X, y, task=task)
    apart = LogisticRegression(C=np.inf, **EXACT).fit(X[task == 3], y[task == 3])
    assert_allclose(model.coef_[3], apart.coef_[0], rtol=1e-4)
    assert_allclose(model.intercept_[3], apart.intercept_[0], rtol=1e-4)
    pooled = LogisticRegression(C=np.inf, **EXACT).fit(X, y)
    assert_allclose(model.coef_shared_, pooled.coef_[0], rtol=1e-4)
    assert_allclose(model.intercept_shared_, pooled.intercept_[0], rtol=1e-4)


@each_kind
def test_it_is_logistic_regression_on_augmented_features(n_classes):
    X, y, task = draw(n_classes)
    model = MeanRegularizedClassifier(alpha=1.0, alpha_intercept=np.inf)
    model.fit(X, y, task=task)
    design = augment(X, task)
    expected = LogisticRegression(**EXACT).fit(design, y)
    found = model.predict_proba(X, task)
    assert_allclose(found, expected.predict_proba(design), rtol=1e-4)
    shared = np.reshape(model.coef_shared_, (-1, 4))
    assert_allclose(shared, expected.coef_[:, :4], rtol=1e-4, atol=1e-5)


def test_intercepts_are_pulled_as_coefficients_of_a_column_of_ones():
    X, y, task = draw(2)
    ones = np.ones((len(X), 1))
    model = MeanRegularizedClassifier(alpha_intercept=3.0).fit(X, y, task=task)
    # The shared intercept is free: a common one, beside those pulled to it.
    design = np.hstack([augment(X, task), augment(ones / np.sqrt(3.0), task)[:, 1:]])
    expected = LogisticRegression(**EXACT).fit(design, y)
    found = model.predict_proba(X, task)
    assert_allclose(found, expected.predict_proba(design), rtol=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        # rho, rho_l2 = 0.1, 0.01 beside losses whose pulls are not halved.
        MeanRegularizedClassifier(alpha=0.22, alpha_shared=N_TASKS * 0.022),
        GraphRegularizedClassifier("complete", 0.2 / N_TASKS, alpha_ridge=0.02),
    ],
    ids=str,
)
def test_a_graph_of_all_tasks_is_that_of_rmtl(model):
    # RMTL 0.9, LR_Graph, in R 4.2, at a tolerance of 1e-13. It minimises the ridge
    # 0.01 ||W||^2 too, and reports the objective without.
    problem = draw_problem()
    model.set_params(task_weight=dict(enumerate(1 / SIZES)))
    model.fit(problem.X, problem.label, task=problem.task)
    z = model.decision_function(problem.X, problem.task)
    losses = np.logaddexp(0, -problem.label * z)
    W = model.coef_
    found = (losses / SIZES[problem.task]).sum()
    found += 0.1 * ((W - W.mean(axis=0)) ** 2).sum()
    assert found == pytest.approx(1.9949303831, rel=1e-9)


def solve(X, y, task, pull, n_classes):
    """Minimise softmax losses and a pull by a quasi-Newton method."""
    n_tasks, n_features = task.max() + 1, X.shape[1]
    shape = n_tasks, n_classes, n_features + 1
    rows = np.hstack([X, np.ones((len(X), 1))])

    def objective(flat):
        V = flat.reshape(shape)
        z = np.einsum("ij,ikj->ik", rows, V[task])
        every = logsumexp(z, axis=1)
        left = np.exp(z - every[:, None])
        left[np.arange(len(y)), y] -= 1
        slope = np.zeros(shape)
        np.add.at(slope, task, left[:, :, None] * rows[:, None])
        value, moved = pull(V[:, :, :-1])
        slope[:, :, :-1] += moved
        return (every - z[np.arange(len(y)), y]).sum() + value, slope.ravel()

    options = {"maxiter": 10_000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-8}
    start = np.zeros(int(np.prod(shape)))
    return minimize(objective, start, jac=True, method="L-BFGS-B", options=options).fun


def test_a_chain_of_multinomial_tasks_ends_where_another_solver_does():
    X, y, task = draw(3)

    def pull(W):
        gap = np.diff(W, axis=0)
        slope = np.zeros_like(W)
        slope[1:] += 2.0 * gap
        slope[:-1] -= 2.0 * gap
        return (gap**2).sum() + 0.25 * (W**2).sum(), slope + 0.5 * W

    model = GraphRegularizedClassifier("chain", 2.0, alpha_ridge=0.5)
    model.fit(X, y, task=task)
    assert model.objective_ == pytest.approx(solve(X, y, task, pull, 3), rel=1e-8)


def test_a_hierarchy_pulls_tasks_through_their_groups():
    X, y, task = draw(2)
    parents = {0: "left", 1: "left", 2: "right", 3: "right", 4: "right"}
    parents |= {"left": "top", "right": "top"}
    model = GraphRegularizedClassifier(parents, 1e6, alpha_ridge=0.1)
    model.fit(X, y, task=task)
    assert model.groups_.tolist() == ["left", "right", "top"]
    assert_allclose(model.coef_, np.stack([model.coef_shared_] * 5), atol=1e-3)


def test_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(200), 100)
    X = rng.normal(size=(len(task), 3))
    coef = [1.0, -1.0, 0.5] + 0.5 * rng.normal(size=(200, 3))
    chance = expit((X * coef[task]).sum(axis=1) + rng.normal(size=200)[task])
    y = rng.random(len(task)) < chance
    model = MeanRegularizedClassifier(alpha=4.0, alpha_intercept=1.0)
    half = rng.random(len(task)) < 0.5
    model.fit(X[half], y[half], task=task[half])
    found = model.predict_proba(X[~half], task[~half])[:, 1]
    true, predicted = calibration_curve(y[~half], found, n_bins=10)
    assert np.abs(true - predicted).max() < 0.04
    assert log_loss(y[~half], found) < log_loss(y[~half], chance[~half]) + 0.04


def as_frame(X, y, task):
    frame = pd.DataFrame(X, columns=list("abcd"))
    return frame.assign(task=[f"t{label}" for label in task]), np.array(list("xyz"))[y]


def test_it_is_calibrated_by_scikit_learn():
    frame, y = as_frame(*draw(3))
    model = MeanRegularizedClassifier(task_column="task")
    wrapped = CalibratedClassifierCV(model, cv=3).fit(frame, y)
    # Scores of minus infinity once made such a wrapper right one time in ten.
    assert wrapped.score(frame, y) > 0.6


@pytest.mark.full
@parametrize("scoring", SCORINGS, short=SCORINGS[:1])
def test_it_is_searched_by_scikit_learn(scoring):
    frame, y = as_frame(*draw(3))
    model = MeanRegularizedClassifier(task_column="task")
    search = GridSearchCV(model, {"alpha": [0.1, 10.0]}, scoring=scoring, cv=3)
    search.fit(frame, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    found = cross_val_predict(search, frame, y, method="predict_proba")
    assert found.shape == (len(y), 3)


def test_a_scorer_reads_the_probabilities_of_outputs():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    Y = (X @ rng.normal(size=(3, 4)) + rng.logistic(size=(80, 4)) > 0).astype(int)
    search = GridSearchCV(
        MeanRegularizedClassifier(), {"alpha": [0.1, 1.0]}, scoring="roc_auc"
    )
    assert search.fit(X, Y).best_score_ > 0.6


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf, None, "1"])
def test_a_class_weight_that_is_no_weight_is_refused(weight):
    X, y = np.arange(4.0)[:, None], [0, 1, 0, 1]
    model = MeanRegularizedClassifier(class_weight={0: weight})
    with pytest.raises(ValueError, match="class_weight must give numbers, 0 or more"):
        model.fit(X, y, task=[0, 0, 1, 1])


def test_weights_that_leave_one_class_are_refused():
    X, y = np.arange(4.0)[:, None], [0, 1, 0, 1]
    model = MeanRegularizedClassifier(class_weight={0: 0})
    with pytest.raises(ValueError, match="at least two classes with weight above 0"):
        model.fit(X, y, task=[0, 0, 1, 1])
