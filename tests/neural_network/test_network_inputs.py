"""Networks take the rows, labels, weights and batches that other models take."""

import io
import pickle

import joblib
import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from skops import io as skops_io

from skmtl.neural_network import (
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(36, 3))
TASK = np.repeat([4, 5, 6], 12)
SCORE = X[:, 0] + 0.5 * X[:, 1] + (TASK - 5) / 2
CLASS = np.array(["a", "b", "c"])[np.digitize(SCORE, [-0.6, 0.6])]
COLUMNS = np.stack([SCORE, -SCORE, SCORE + X[:, 2]], axis=1)
COLUMNS[::5, 1] = np.nan
SMALL = {"hidden_layer_sizes": (4,), "random_state": 0, "tol": 0.05}
SHARINGS = ["hard", "soft", "cross_stitch", "mmoe", "independent"]
SOLVERS = {
    "lbfgs": {"solver": "lbfgs"},
    "adam": {"solver": "adam", "learning_rate_init": 0.03},
}
TARGETS = {
    "numbers": (MultiTaskMLPRegressor(**SMALL), SCORE, {"task": TASK}),
    "classes": (MultiTaskMLPClassifier(**SMALL), CLASS, {"task": TASK}),
    "mixed": (MultiTaskMLP(**SMALL), SCORE, {"task": TASK}),
    "columns": (MultiTaskMLPRegressor(**SMALL), COLUMNS, {}),
}
each_sharing = parametrize("sharing", SHARINGS, short=["cross_stitch"])
each_solver = pytest.mark.parametrize("solver", SOLVERS)
each_target = pytest.mark.parametrize("target", TARGETS)
BATCHES = MultiTaskMLPRegressor(**SMALL, **SOLVERS["adam"])
OF_CLASSES = MultiTaskMLPClassifier(**SMALL, **SOLVERS["adam"])


def predictions(model, X, labels):
    """Return predictions as numbers: of classes, their probabilities."""
    name = "predict_proba" if hasattr(model, "classes_") else "predict"
    name = "predict" if isinstance(getattr(model, "classes_", None), dict) else name
    return getattr(model, name)(X, **labels)


@each_sharing
@each_solver
@each_target
def test_float32_rows_have_float32_parameters_and_predictions(target, solver, sharing):
    model, y, labels = TARGETS[target]
    model = clone(model).set_params(sharing=sharing, **SOLVERS[solver])
    model.fit(X.astype(np.float32), y, **labels)
    dtypes = {each.dtype for each in model.parameters_.values()}
    assert dtypes == {np.dtype(np.float32)}
    assert predictions(model, X.astype(np.float32), labels).dtype == np.float32


def test_a_warm_start_has_the_dtype_of_its_rows():
    model = clone(BATCHES).set_params(warm_start=True).fit(X, SCORE, task=TASK)
    model.fit(X.astype(np.float32), SCORE, task=TASK)
    assert model.parameters_["head_weight"].dtype == np.float32


@each_sharing
@each_solver
@each_target
def test_sparse_rows_are_dense_rows(target, solver, sharing):
    model, y, labels = TARGETS[target]
    model = clone(model).set_params(sharing=sharing, **SOLVERS[solver])
    expected = predictions(model.fit(X, y, **labels), X, labels)
    rows = sparse.csr_array(X)
    found = predictions(model.fit(rows, y, **labels), rows, labels)
    # Sums of products in another order, over at most a hundred iterations.
    assert_allclose(found, expected, atol=1e-6)


SHAPES = {
    "one row": (X[:1], SCORE[:1], TASK[:1]),
    "one column": (X[:, :1], SCORE, TASK),
    "one task": (X, SCORE, np.full(36, 4)),
    "a constant column": (X * [0, 1, 1] + [9, 0, 0], SCORE, TASK),
    "zeros": (0 * X, SCORE, TASK),
}


@pytest.mark.full
@pytest.mark.parametrize("sharing", SHARINGS)
@each_solver
@pytest.mark.parametrize("shape", SHAPES)
def test_few_rows_columns_and_tasks_have_finite_predictions(shape, solver, sharing):
    rows, y, task = SHAPES[shape]
    model = clone(BATCHES).set_params(sharing=sharing, **SOLVERS[solver])
    assert np.isfinite(model.fit(rows, y, task=task).predict(rows, task=task)).all()


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_one_column_of_y_is_one_task():
    model = clone(BATCHES).fit(X, SCORE[:, None])
    assert model.n_tasks_ == 1
    assert_array_equal(model.predict(X), clone(model).fit(X, SCORE).predict(X))


@each_solver
@pytest.mark.parametrize("sharing", SHARINGS)
def test_huge_features_are_refused_and_change_nothing(solver, sharing):
    model = clone(BATCHES).set_params(sharing=sharing, **SOLVERS[solver])
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match=r"training diverges.* Scale the features"):
        model.fit(X * 1e300, SCORE, task=TASK)
    assert pickle.dumps(model) == before


def test_targets_of_infinite_variance_are_refused():
    with pytest.raises(ValueError, match=r"finite variance.* Divide y"):
        clone(BATCHES).fit(X, SCORE * 1e300, task=TASK)


@pytest.mark.parametrize(
    "labels",
    [np.array(["north", "south", "west"])[TASK - 4], TASK == 5, TASK.astype(str)],
    ids=["words", "booleans", "digits"],
)
def test_labels_are_words_booleans_or_integers(labels):
    model = clone(BATCHES).fit(X, SCORE, task=labels)
    assert_array_equal(model.tasks_, np.unique(labels))
    assert model.predict(X, task=labels).shape == (36,)


def test_labels_that_are_dates_are_refused():
    with pytest.raises(ValueError, match=r"Convert the labels with astype\(str\)"):
        clone(BATCHES).fit(X, SCORE, task=np.datetime64("2024-01-01") + TASK)


# Weights of cells


@each_solver
def test_a_cell_of_weight_zero_is_not_observed(solver):
    weight = RNG.integers(0, 3, size=COLUMNS.shape).astype(float)
    model = clone(BATCHES).set_params(**SOLVERS[solver])
    found = model.fit(X, COLUMNS, sample_weight=weight).predict(X)
    y = np.where(weight > 0, COLUMNS, np.nan)
    assert_allclose(model.fit(X, y, sample_weight=weight).predict(X), found)


# Batches


def test_a_batch_may_lack_tasks_and_classes():
    model = clone(OF_CLASSES).partial_fit(X, CLASS, task=TASK)
    some = (TASK == 4) & (CLASS != "c")
    model.partial_fit(X[some], CLASS[some], task=TASK[some])
    assert model.predict_proba(X, task=TASK).shape == (36, 3)


def test_a_batch_may_lack_columns_of_y():
    model, y = clone(BATCHES).partial_fit(X, COLUMNS), COLUMNS[:4].copy()
    y[:, 1] = np.nan
    model.partial_fit(X[:4], y)
    assert model.predict(X).shape == (36, 3)


def test_the_first_batch_may_lack_classes_that_are_declared():
    some, classes = CLASS == "a", ["a", "b", "c"]
    model = clone(OF_CLASSES).partial_fit(
        X[some], CLASS[some], task=TASK[some], classes=classes
    )
    some = np.isin(TASK, model.tasks_)
    model.partial_fit(X[some], CLASS[some], task=TASK[some], classes=classes)
    assert_array_equal(model.classes_, classes)


def test_later_batches_have_the_declared_classes():
    model = clone(OF_CLASSES).partial_fit(X, CLASS, task=TASK)
    with pytest.raises(ValueError, match="classes must be those of the first batch"):
        model.partial_fit(X, CLASS, task=TASK, classes=["a", "b"])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_later_batches_keep_to_the_classes_of_each_task(n_classes):
    y = np.digitize(SCORE, [0.0, 0.6][: n_classes - 1])
    model = clone(OF_CLASSES).set_params(class_scope="task")
    model.partial_fit(X, np.where(TASK == 5, 0, y), task=TASK)
    found = model.predict_proba(X, task=TASK)
    assert_array_equal(found[TASK == 5, 0], 1.0)
    with pytest.raises(ValueError, match="got 1 in task 5"):
        model.partial_fit(X, np.where(TASK == 5, 1, y), task=TASK)


def test_a_refused_batch_changes_nothing():
    model = clone(BATCHES).partial_fit(X, SCORE, task=TASK)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="training diverges"):
        model.partial_fit(X * 1e200, SCORE, task=TASK)
    assert pickle.dumps(model) == before


# Other tools


@each_target
@pytest.mark.parametrize("keep", ["pickle", "joblib", "skops"])
def test_networks_are_kept(target, keep):
    model, y, labels = TARGETS[target]
    model = clone(model).set_params(**SOLVERS["adam"]).fit(X, y, **labels)
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
    found, expected = (predictions(each, X, labels) for each in (again, model))
    assert_array_equal(found, expected)


def test_labels_are_routed():
    column = np.column_stack([X, TASK])
    expected = cross_validate(
        MultiTaskMLPRegressor(**SMALL, task_column=-1), column, SCORE
    )
    with config_context(enable_metadata_routing=True):
        found = cross_validate(
            MultiTaskMLPRegressor(**SMALL), X, SCORE, params={"task": TASK}
        )
    assert_allclose(found["test_score"], expected["test_score"])


@pytest.mark.full
@each_target
def test_a_search_tries_sharings(target):
    model, y, labels = TARGETS[target]
    folds = KFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(model, {"sharing": SHARINGS}, cv=folds, error_score="raise")
    with config_context(enable_metadata_routing=True):
        search.fit(X, y, **labels)
    assert np.isfinite(search.best_score_)
