"""Discover every public estimator, with suitable rows for each.

New estimators are found automatically; required arguments go into ``ARGUMENTS``.
"""

import inspect
import pickle
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from cases import parametrize
from rooms import find_rooms
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skmtl.compose import PooledTasks, SplineBasis, make_task_pipeline
from skmtl.linear_model import (
    JointFeatureClassifier,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultiTaskLogisticRegression,
    MultiTaskPoissonRegressor,
    MultiTaskRidge,
)
from skmtl.neural_network import MultiTaskMLPRegressor

LABELS = 4, 5, 6
# Small networks of few steps; a large tol stops the training.
SMALL = {"hidden_layer_sizes": (4,), "random_state": 0, "tol": 0.01}
LBFGS = SMALL | {"solver": "lbfgs"}
ADAM = SMALL | {"solver": "adam", "learning_rate_init": 0.03}
STOPPED = {"early_stopping": True, "validation_fraction": 0.2}
# A large tol stops a network of PyTorch without a warning.
SIX_PASSES = {"tol": 1e9, "n_iter_no_change": 5, "random_state": 0}
# Few candidates of a search, without searches of their own.
SHORT_SEARCH = {"shared": MeanRegularizedRegressor(), "apart": MultiTaskRidge()}
SHORT_GUARD = {
    "independent": MultiTaskRidge(),
    "pooled": PooledTasks(),
    "cv": 2,
    "random_state": 0,
}
SHORT_CLASS_SEARCH = {
    "shared": MeanRegularizedClassifier(),
    "pooled": PooledTasks(LogisticRegression()),
}
# Required arguments of classes, variants of wrappers, and shorter searches.
ARGUMENTS = {
    "CurvedTasks": [
        {"estimator": MeanRegularizedRegressor(), "basis": SplineBasis(3)},
        {"estimator": MeanRegularizedClassifier(), "basis": SplineBasis(3)},
    ],
    "IndependentTasks": [{}, {"estimator": LogisticRegression()}],
    "JointFeatureRegressorCV": [{"n_alphas": 5, "cv": 2}],
    "LowRankRegressorCV": [{"n_alphas": 5, "cv": 2}],
    "MeanRegularizedClassifierCV": [{"alphas": [0.1, 10.0], "cv": 2}],
    "MeanRegularizedPoissonRegressorCV": [{"alphas": [0.1, 10.0], "cv": 2}],
    "MixedTaskModel": [
        {"losses": {4: "squared", 5: "logistic", 6: "poisson"}},
        {"losses": dict.fromkeys(LABELS, "logistic"), "sharing": "features"},
    ],
    "MultiTaskMLP": [
        LBFGS,
        ADAM | {"sharing": "cross_stitch"} | STOPPED,
        LBFGS | {"losses": dict.fromkeys(LABELS, "logistic")},
    ],
    "MultiTaskMLPClassifier": [
        LBFGS | {"sharing": "soft"},
        ADAM | {"sharing": "mmoe"},
        LBFGS | {"sharing": "independent", "class_scope": "task"} | STOPPED,
    ],
    "MultiTaskMLPRegressor": [
        LBFGS,
        ADAM | {"sharing": "soft", "weighting": "uncertainty"} | STOPPED,
        LBFGS | {"sharing": "cross_stitch"},
        ADAM | {"head_hidden_layer_sizes": (2,), "head_penalty": 1.0},
        LBFGS | {"sharing": "mmoe", "loss": "poisson"},
    ],
    "NegativeTransferGuard": [
        SHORT_GUARD | {"estimator": MeanRegularizedRegressor()},
        {
            "estimator": MeanRegularizedClassifier(),
            "independent": PooledTasks(LogisticRegression()),
            "pooled": PooledTasks(LogisticRegression(C=0.1)),
            "cv": 2,
            "random_state": 0,
        },
    ],
    "PathSearchCV": [
        {"estimator": MultiTaskRidge(), "n_alphas": 3, "eps": 1e-9, "cv": 2},
        {"estimator": MultiTaskLogisticRegression(), "n_alphas": 3, "cv": 2},
        {"estimator": JointFeatureClassifier(), "n_alphas": 3, "cv": 2},
        {"estimator": MultiTaskPoissonRegressor(), "n_alphas": 3, "cv": 2},
    ],
    "PooledTasks": [
        {},
        {"task_intercepts": True},
        {"estimator": LogisticRegression(), "task_intercepts": True},
    ],
    "SharedFeatures": [
        {"estimator": MultiTaskMLPRegressor(**LBFGS)},
        {"estimator": MultiTaskMLPRegressor(**ADAM, task_column=-1)},
    ],
    "SharedPlusSpecific": [
        {"shared": Ridge(), "specific": MeanRegularizedRegressor(), "cv": 2},
        {
            "shared": LogisticRegression(),
            "specific": MeanRegularizedClassifier(),
            "order": "shared_first",
            "cv": 2,
        },
    ],
    "TableColumns": [{"kinds": {"x0": "number"}}],
    "TorchMultiTask": [{**SIX_PASSES, "hidden_layer_sizes": 5}],
    "TorchMultiTaskClassifier": [{**SIX_PASSES, "hidden_layer_sizes": 5}],
    "TorchMultiTaskRegressor": [
        {**SIX_PASSES, "hidden_layer_sizes": 5},
        {**SIX_PASSES, "hidden_layer_sizes": 5, "sharing": "soft"},
        {**SIX_PASSES, "hidden_layer_sizes": 5, "sharing": "ple"},
    ],
    "TaskModelSearch": [
        {"candidates": SHORT_SEARCH, "cv": 2, "random_state": 0},
        {
            "candidates": SHORT_CLASS_SEARCH,
            "cv": 2,
            "random_state": 0,
            "task_type": "classification",
        },
    ],
    "TaskAware": [{"transformer": StandardScaler(), "task_column": -1}],
}
# Estimators made by functions.
MADE = [
    make_task_pipeline(StandardScaler(), MeanRegularizedRegressor(), task_column=-1),
    make_task_pipeline(StandardScaler(), task_column=-1),
]
OF_FRAMES = "DateFeatures", "TableColumns"
WRITERS = "fit", "partial_fit", "adapt", "fit_transform", "fit_predict"


@dataclass(frozen=True)
class Rows:
    """Training rows of an estimator, and rows to predict."""

    X: object
    y: object = None
    task: object = None
    weight: object = None

    def of(self, rows):
        return Rows(*(None if v is None else v[rows] for v in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Case:
    """An unfitted estimator, and how it is called."""

    name: str
    model: BaseEstimator

    @property
    def kind(self):
        """Kind of the target: numbers, classes, counts, mixed, nothing or frames."""
        if type(self.model).__name__ in OF_FRAMES:
            return "frames"
        if not hasattr(self.model, "predict"):
            required = get_tags(self.model).target_tags.required
            return "numbers" if required else "nothing"
        if "losses" in self.model.get_params():
            return "mixed"
        if is_classifier(self.model):
            return "classes"
        positive = get_tags(self.model).target_tags.positive_only
        return "counts" if positive else "numbers"

    @property
    def is_network(self):
        """Whether it is a neural network."""
        rooms = "skmtl.neural_network", "skmtl.deep"
        return type(self.model).__module__.startswith(rooms)

    @property
    def has_inner(self):
        """Whether it fits estimators of scikit-learn."""
        return type(self.model).__module__.startswith("skmtl.compose")

    @property
    def is_of_torch(self):
        """Whether it needs PyTorch."""
        return type(self.model).__module__.startswith("skmtl.deep")

    @property
    def has_column(self):
        """Whether the task is the last column of X."""
        return any(
            name.endswith("task_column") and value is not None
            for name, value in self.model.get_params().items()
        )

    @property
    def takes_labels(self):
        """Whether the task is given as task=."""
        return self.accepts("task") and not self.has_column

    def accepts(self, name, method="fit"):
        return name in inspect.signature(getattr(self.model, method)).parameters

    def with_params(self, **params):
        """Return the case with those of the parameters that the model has."""
        known = self.model.get_params()
        params = {name: value for name, value in params.items() if name in known}
        return replace(self, model=clone(self.model).set_params(**params))

    def rows(self, seed=0, n_features=3, labels=LABELS):
        """Draw eight rows of each of three tasks, mixed."""
        rng = np.random.default_rng(seed)
        task = rng.permutation(np.repeat(labels, 8))
        X = rng.normal(size=(24, n_features)) + 0.5
        score = X[:, 0] + 0.3 * (task - np.mean(labels)) + rng.normal(size=24)
        y = {
            "numbers": score,
            "classes": np.where(score > np.median(score), "yes", "no"),
            "counts": np.floor(np.exp(0.5 * score)),
            "mixed": (score > np.median(score)).astype(float),
        }.get(self.kind)
        if self.kind == "frames":
            return Rows(_frame(X, type(self.model).__name__))
        return Rows(X, y, task)

    def call(self, model, method, rows):
        """Call a method that takes rows, with what it accepts of them."""
        given = {"y": rows.y, "sample_weight": rows.weight}
        given = {name: v for name, v in given.items() if v is not None}
        X = rows.X
        if self.has_column:
            X = np.column_stack([X, rows.task])
        elif rows.task is not None and self.takes_labels:
            given["task"] = rows.task
        return getattr(model, method)(X, **given)

    def fit(self, rows):
        return self.call(clone(self.model), "fit", rows)

    def answer(self, model, rows):
        """Return all predictions of a fitted model for rows, by method."""
        rows = replace(rows, y=None, weight=None)
        names = "predict", "predict_proba", "transform"
        names = [name for name in names if hasattr(model, name)]
        return {name: numbers(self.call(model, name, rows)) for name in names}

    @property
    def writers(self):
        return [name for name in WRITERS if hasattr(self.model, name)]


@cache
def fitted(case):
    """Return a case fitted to its rows; a test that changes it must copy it."""
    return case.fit(case.rows())


def numbers(answer):
    """Return a prediction as one array, of floats if possible."""
    if isinstance(answer, dict):
        answer = list(answer.values()) or [np.zeros((0, 0))]
    array = np.concatenate(answer, 1) if isinstance(answer, list) else answer
    array = array.toarray() if sparse.issparse(array) else array
    array = array.to_numpy() if isinstance(array, pd.DataFrame) else array
    try:
        return np.asarray(array).astype(float)
    except ValueError:
        return np.asarray(array)


def state(model):
    """Return all attributes of a model and of its parts, for comparison."""
    return pickle.dumps(model)


def copy(model):
    return pickle.loads(pickle.dumps(model))


def refuses(call, *args):
    """Return whether a call raises."""
    try:
        call(*args)
    except Exception:
        return True
    return False


def _frame(X, name):
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    if name == "DateFeatures":
        return frame.apply(
            lambda x: pd.Timestamp("2024-01-31") + pd.to_timedelta(x, "D")
        )
    return frame


def public_estimators():
    """Yield the classes with a fit that the rooms list in ``__all__``."""
    for room in find_rooms():
        for value in (getattr(room, name) for name in getattr(room, "__all__", [])):
            is_one = inspect.isclass(value) and issubclass(value, BaseEstimator)
            if is_one and not inspect.isabstract(value) and hasattr(value, "fit"):
                yield value


def lacking(estimator):
    """Return the required arguments of a class that ``ARGUMENTS`` does not give."""
    parameters = inspect.signature(estimator).parameters.values()
    required = {each.name for each in parameters if each.default is each.empty}
    return sorted(required - ARGUMENTS.get(estimator.__name__, [{}])[0].keys())


def explain_lacking(estimators):
    """Return what must be added to ``ARGUMENTS``, a line per class."""
    return [
        f"Add {each.__name__!r}: [{{{', '.join(f'{name!r}: ...' for name in names)}}}] "
        f"to ARGUMENTS in tests/contracts/discovered.py."
        for each in estimators
        if (names := lacking(each))
    ]


def _cases():
    for estimator in public_estimators():
        variants = ARGUMENTS.get(estimator.__name__, [{}])
        for number, arguments in enumerate(variants if not lacking(estimator) else []):
            name = estimator.__name__ + (f"-{number}" if number else "")
            yield Case(name, estimator(**arguments))
    for model in MADE:
        yield Case("-".join(["make_task_pipeline", *model.named_steps]), model)


def first_ones(cases):
    """Return the first case of each relation, which is a module, and kind of target.

    Networks of PyTorch are not among them: all their contracts are in the full run.
    """
    first = {}
    cases = [case for case in cases if not case.is_of_torch]
    for case in sorted(cases, key=lambda case: case.kind != "numbers"):
        module = type(case.model).__module__.removesuffix("_cv")
        first.setdefault(module.removesuffix("_classifier"), case)
        first.setdefault((module.split(".")[1], case.kind), case)
    return list(first.values())


def each_of(cases):
    """Parametrize by cases; only the first of each relation are in the short suite."""
    return parametrize("case", cases, first_ones(cases), ids=lambda case: case.name)


CASES = list(_cases())
ENTRIES = {
    f"{case.name}-{method}": (case, method) for case in CASES for method in case.writers
}
