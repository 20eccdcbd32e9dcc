"""Tasks without rows are nodes that minimise the same objective."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import minimize
from sklearn.model_selection import cross_val_predict

from skmtl.linear_model import (
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedRegressor,
    PathSearchCV,
)
from skmtl.model_selection import LeaveOneTaskOut

N_TASKS, ABSENT = 6, 3
rng = np.random.default_rng(0)
task = np.repeat(np.arange(N_TASKS), [7, 5, 9, 6, 4, 8])
X = rng.normal(1, 1, size=(len(task), 2))
y = X[:, 0] * task - X[:, 1] + 3 * task + 0.5 * rng.normal(size=len(task))
NAMES = np.array(["f", "b", "e", "a", "d", "c"])

A = np.triu(rng.uniform(size=(6, 6)) * (rng.uniform(size=(6, 6)) < 0.8), 1)
A = A + A.T
CHAIN = np.diag(np.ones(5), 1) + np.diag(np.ones(5), -1)
PARENTS = dict(zip(range(6), "xxyyzz", strict=True)) | dict.fromkeys("xyz", "top")
PLACES = {t: [t**1.5] for t in range(6)}
GRAPHS = {
    "labels": list(range(6)),
    "edges": [(t, t + 1, 0.5 + t) for t in range(5)] + [(0, 3)],
    "array": A,
    "sparse": sparse.csr_array(A),
    "complete array": 0.7 * (np.ones((6, 6)) - np.eye(6)),
    "parents": PARENTS,
    "paths": {t: ("top", f"x{t % 3}") for t in range(6)},
    "knn": "knn",
}
each_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS.keys())


def precision_of(model):
    """Return the Laplacian: tasks in their order, then groups."""
    adjacency = model.adjacency_.toarray()
    return np.diag(adjacency.sum(axis=1)) - adjacency


def solve_densely(laplacian, rest, alpha, ridge):
    """Minimise over all nodes and the intercepts of tasks with rows."""
    n_nodes = len(laplacian)
    size, seen = 2 * n_nodes, np.unique(task[rest])
    H, right = np.zeros((size + 6, size + 6)), np.zeros(size + 6)
    H[:size, :size] = alpha * np.kron(laplacian, np.eye(2))
    for t in seen:
        H[[2 * t, 2 * t + 1], [2 * t, 2 * t + 1]] += ridge
    for row, value, t in zip(X[rest], y[rest], task[rest], strict=True):
        place, z = [2 * t, 2 * t + 1, size + t], np.append(row, 1.0)
        H[np.ix_(place, place)] += np.outer(z, z)
        right[place] += z * value
    found = np.linalg.lstsq(H, right, rcond=1e-13)[0]
    return found[:size].reshape(-1, 2), found[size:]


def spread(laplacian, values, seen):
    """Return values of all nodes, hidden ones in the limit of a vanishing penalty."""
    weak = 1e-9 * laplacian + np.diag(seen.astype(float))
    return np.linalg.solve(weak, np.where(seen, values, 0.0))


@each_graph
@pytest.mark.parametrize("ridge", [0.0, 0.8])
def test_a_task_without_rows_minimises_the_objective(graph, ridge):
    model = GraphRegularizedRegressor(graph, 2.0, alpha_ridge=ridge)
    model.set_params(descriptors=PLACES, n_neighbors=2)
    laplacian = precision_of(model.fit(X, y, task=task))
    rest = task != ABSENT
    coef, intercept = solve_densely(laplacian, rest, 2.0, ridge)
    seen = np.isin(np.arange(len(laplacian)), task[rest])
    padded = np.append(intercept, np.zeros(len(laplacian) - 6))
    level = spread(laplacian, padded, seen)[ABSENT]
    model.fit(X[rest], y[rest], task=task[rest])
    assert ABSENT not in model.tasks_
    found = model.predict(X, task=np.full(len(X), ABSENT))
    assert_allclose(found, X @ coef[ABSENT] + level, atol=1e-6)
    assert_allclose(model.coef_, coef[model.tasks_], atol=1e-8)


@each_graph
def test_missing_rows_equal_rows_of_zero_weight(graph):
    rest = task != ABSENT
    model = GraphRegularizedRegressor(graph, 2.0, alpha_ridge=0.8)
    model.set_params(descriptors=PLACES, n_neighbors=2)
    absent = model.fit(X[rest], y[rest], task=task[rest]).predict(X, task=task)
    weighted = model.fit(X, y, task=task, sample_weight=1.0 * rest)
    assert_allclose(weighted.predict(X, task=task), absent, atol=1e-7)


@each_graph
def test_classes_of_a_task_without_rows_minimise_the_objective(graph):
    labels, rest = y > np.median(y), task != ABSENT
    model = GraphRegularizedClassifier(graph, 2.0, alpha_ridge=0.5)
    model.set_params(descriptors=PLACES, n_neighbors=2)
    laplacian = precision_of(model.fit(X, labels, task=task))
    model.fit(X[rest], labels[rest], task=task[rest])
    seen = np.isin(np.arange(len(laplacian)), task[rest])
    # A task that lacks a class gets one pseudo-row with both classes.
    share, sign = labels[rest].mean(), labels[rest].astype(float)
    for t in np.unique(task[rest]):
        own = task[rest] == t
        mix = np.isin(sign[own].mean(), [0, 1]) / (own.sum() + 1)
        sign[own] = (1 - mix) * sign[own] + mix * share

    def objective(variable):
        W, b = variable[:-6].reshape(-1, 2), variable[-6:]
        z = (X[rest] * W[task[rest]]).sum(axis=1) + b[task[rest]]
        loss = (np.logaddexp(0, z) - sign * z).sum()
        ridge = 0.5 / 2 * (W[seen] ** 2).sum()
        slope = 1 / (1 + np.exp(-z)) - sign
        G, g = 2.0 * laplacian @ W + 0.5 * seen[:, None] * W, np.zeros(6)
        np.add.at(G, task[rest], slope[:, None] * X[rest])
        np.add.at(g, task[rest], slope)
        value = loss + 2.0 / 2 * np.vdot(W, laplacian @ W) + ridge
        return value, np.append(G.ravel(), g)

    start = np.zeros(2 * len(laplacian) + 6)
    best = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    coef, intercept = best.x[:-6].reshape(-1, 2), best.x[-6:]
    padded = np.append(intercept, np.zeros(len(laplacian) - 6))
    level = spread(laplacian, padded, seen)[ABSENT]
    found = model.decision_function(X, task=np.full(len(X), ABSENT))
    assert_allclose(found, X @ coef[ABSENT] + level, atol=1e-4)


@pytest.mark.full
def test_every_form_of_chain_predicts_a_left_out_task_alike():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b"]).assign(task=NAMES[task])
    category = pandas.Categorical(NAMES[task], categories=NAMES, ordered=True)
    pairs = list(pairwise(NAMES))
    by_label = pandas.DataFrame(CHAIN, index=NAMES, columns=NAMES)
    cv = LeaveOneTaskOut(task_column="task")
    plain = GraphRegularizedRegressor(list(NAMES), task_column="task")
    expected = cross_val_predict(plain, frame, y, cv=cv)
    labelled = {"task_column": "task", "labels": NAMES}
    for model in [
        GraphRegularizedRegressor(pairs, task_column="task"),
        GraphRegularizedRegressor(by_label, task_column="task"),
        GraphRegularizedRegressor(CHAIN, **labelled),
        GraphRegularizedRegressor(sparse.csr_array(CHAIN), **labelled),
    ]:
        found = cross_val_predict(model, frame, y, cv=cv)
        assert_allclose(found, expected, atol=1e-8)
    ordered = GraphRegularizedRegressor("chain", task_column="task")
    found = cross_val_predict(ordered, frame.assign(task=category), y, cv=cv)
    assert_allclose(found, expected, atol=1e-8)


def test_an_array_without_labels_for_tasks_without_rows_is_refused():
    rest = task != ABSENT
    model = GraphRegularizedRegressor(A)
    with pytest.raises(
        ValueError, match=r"got shape \(6, 6\).* pass labels, or a frame"
    ):
        model.fit(X[rest], y[rest], task=NAMES[task[rest]])
    model.set_params(labels=NAMES[:5])
    with pytest.raises(ValueError, match="labels must name every task once"):
        model.fit(X[rest], y[rest], task=NAMES[task[rest]])
    model.set_params(graph="knn", labels=None, descriptors=np.ones((6, 1)))
    with pytest.raises(ValueError, match=r"for each of the 5 tasks, got 6\. .* labels"):
        model.fit(X[rest], y[rest], task=NAMES[task[rest]])


MODELS = [
    GraphRegularizedRegressor(alpha=3.0),
    FusedRegressor(0.05, tol=1e-10),
    GraphRegularizedClassifier(alpha=3.0),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


def fit_some(model, names, rest=None):
    """Fit on some tasks, and return what gives their raw predictions."""
    rest = slice(None) if rest is None else rest
    classes = hasattr(model, "predict_proba")
    target = y > np.median(y) if classes else y
    model.fit(X[rest], target[rest], task=names[task[rest]])
    raw = model.decision_function if classes else model.predict
    return lambda label: raw(X, task=[label] * len(X))


WEEKS = np.array(["week8", "week9", "week10", "week11", "week12", "week13"])


@each_model
def test_a_new_label_in_a_chain_gets_its_neighbours_mean(model):
    at = fit_some(model.set_params(handle_unknown="shared"), WEEKS, task != ABSENT)
    assert_allclose(at("week14"), at("week13"), rtol=1e-12)
    assert_allclose(at("week0"), at("week8"), rtol=1e-12)
    between = (at("week10") + at("week12")) / 2
    assert_allclose(at("week11"), between, atol=1e-12)
    at = fit_some(model, np.arange(8, 14), task != ABSENT)
    assert_allclose(at(99), at(13), rtol=1e-12)
    assert_allclose(at(11), (at(10) + at(12)) / 2, atol=1e-12)


@each_model
def test_a_new_label_is_refused_if_asked_and_a_node_is_not(model):
    at = fit_some(model.set_params(handle_unknown="error"), WEEKS)
    with pytest.raises(ValueError, match=r"not seen in fit: \['week99'\]"):
        at("week99")
    later = type(model)(**{**model.get_params(), "graph": [*WEEKS, "week14"]})
    at = fit_some(later, WEEKS)
    assert_allclose(at("week14"), at("week13"), rtol=1e-12)
    assert later.tasks_.tolist() == sorted(WEEKS)
    assert later.nodes_.tolist() == [*later.tasks_, "week14"]
    assert later.order_.tolist() == [*WEEKS, "week14"]


@each_model
def test_a_list_has_no_place_for_an_unlisted_label(model):
    model = type(model)(**{**model.get_params(), "graph": list(WEEKS)})
    at = fit_some(model.set_params(handle_unknown="shared"), WEEKS)
    shared = X @ np.squeeze(model.coef_shared_) + model.intercept_shared_
    assert_allclose(at("week14"), shared)


def test_naming_a_later_task_changes_nothing():
    now = GraphRegularizedRegressor(list(WEEKS), alpha_ridge=1.0)
    later = GraphRegularizedRegressor([*WEEKS, "week14", "week15"], alpha_ridge=1.0)
    now.fit(X, y, task=WEEKS[task])
    later.fit(X, y, task=WEEKS[task])
    assert_allclose(later.coef_, now.coef_, rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_class_without_rows_equals_its_school(alpha):
    classes = np.array(["s0c0", "s0c1", "s0c2", "s1c0", "s1c1", "s1c2"])
    parents = {name: name[:2] for name in [*classes, "s0c9", "s2c0"]}
    model = GraphRegularizedRegressor(parents, alpha=alpha).fit(
        X, y, task=classes[task]
    )
    assert model.groups_.tolist() == ["s0", "s1", "s2"]
    school = X @ model.coef_groups_[0] + model.intercept_[:3].mean()
    for label in ["s0c9", "s0"]:
        assert_allclose(model.predict(X, task=[label] * len(X)), school, rtol=1e-9)
    # School s2 has no rows: it gets the mean of the others and the common intercept.
    both = X @ model.coef_groups_[:2].mean(axis=0) + model.intercept_shared_
    for label in ["s2c0", "never named"]:
        assert_allclose(model.predict(X, task=[label] * len(X)), both, rtol=1e-9)


def test_a_multiclass_task_without_rows_gets_its_neighbours_mean():
    kinds, rest = np.arange(len(y)) % 3, task != 5
    model = GraphRegularizedClassifier(list(range(6)), class_scope="task")
    model.fit(X[rest], kinds[rest], task=task[rest])
    last, after = (model.predict_proba(X, task=[t] * len(X)) for t in (4, 5))
    assert model.coef_nodes_.shape == (6, 3, 2)
    assert_allclose(after, last, rtol=1e-10)


def test_an_order_with_a_task_without_rows_is_the_order_without_it():
    rest = task != ABSENT
    known = FusedRegressor(0.1, graph=[0, 1, 2, 4, 5], alpha_l1=0.1, tol=1e-11)
    known.fit(X[rest], y[rest], task=task[rest])
    named = FusedRegressor(0.1, graph=range(6), alpha_l1=0.1, tol=1e-11)
    named.fit(X[rest], y[rest], task=task[rest])
    assert_allclose(named.coef_, known.coef_, rtol=1e-10)
    between = (named.coef_[2] + named.coef_[3]) / 2
    assert_allclose(named.coef_nodes_[-1], between, rtol=1e-12)
    weighted = FusedRegressor(0.1, graph=range(6), alpha_l1=0.1, tol=1e-11)
    weighted.fit(X, y, task=task, sample_weight=1.0 * rest)
    assert_allclose(weighted.coef_[ABSENT], between, atol=1e-7)


@pytest.mark.full
def test_a_search_measures_tasks_left_out_as_predict_does():
    cv = list(LeaveOneTaskOut().split(X, y, groups=task))
    search = PathSearchCV(FusedRegressor(tol=1e-9), alphas=[0.1], cv=cv)
    score = search.fit(X, y, task=task).best_score_
    errors = []
    for train, test in cv:
        model = FusedRegressor(0.1, graph=range(6), tol=1e-9)
        model.fit(X[train], y[train], task=task[train])
        found = model.predict(X[test], task=task[test])
        errors.append(np.mean((y[test] - found) ** 2))
    assert_allclose(-score, np.mean(errors), rtol=1e-4)
