"""Trees as candidates: boosted ones of all tasks or of each, and forests."""

from functools import partial
from importlib.util import find_spec

from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from skmtl.compose import IndependentTasks, PooledTasks

# Numbers of trees and of leaves; which is best depends on the number of rows.
_SIZES = {"small": (150, 4), "": (300, 12), "large": (600, 31)}
_RATE = 0.05
# Rows of a leaf: a task of five rows can still be separated.
_ROWS = 5
# scikit-learn's boosting stores the task in a byte.
_MOST_TASKS = 255
# Share of the features, and of the rows, that a tree may use.
_SHARE = 0.8
_OBJECTIVES = {"numbers": "regression", "classes": None, "counts": "poisson"}
_LOSSES = {"numbers": "squared_error", "classes": "log_loss", "counts": "poisson"}
_FOREST = {"n_estimators": 300, "min_samples_leaf": 2, "random_state": 0}


def make_trees(data):
    """Make boosted trees by name, with the task as one categorical column and without.

    LightGBM is used if it is installed, else scikit-learn. If tasks are columns of `y`,
    there are also boosted trees per task, and a forest with all tasks in its leaves.

    Parameters
    ----------
    data : Rows
        Rows.

    Returns
    -------
    models, families : dict of str to estimator, dict of str to str
        Unfitted models and their families, by name.
    """
    models, families = {}, {}
    for family, wrap in _list_wrappers(data).items():
        for size, numbers in _SIZES.items():
            name = f"{size} {family}".lstrip()
            models[name] = wrap(_make_booster(data, *numbers))
            families[name] = family
    if data.layout == "outputs" and data.kind != "counts":
        has_classes = data.kind == "classes"
        forest = RandomForestClassifier if has_classes else RandomForestRegressor
        models["forest"], families["forest"] = forest(**_FOREST), "forest"
    return models, families


def _list_wrappers(data):
    """Return what makes boosted trees a model of tasks, by family."""
    small = _has_lightgbm() or len(data.tasks) <= _MOST_TASKS
    encoding = "category" if small else "target"
    with_task = partial(PooledTasks, task_encoding=encoding)
    if data.layout == "outputs":
        return {"boosted trees per task": IndependentTasks, "boosted trees": with_task}
    return {"boosted trees without task": PooledTasks, "boosted trees": with_task}


def _has_lightgbm():
    return find_spec("lightgbm") is not None


def _make_booster(data, n_trees, n_leaves):
    make = _make_lightgbm if _has_lightgbm() else _make_histogram
    return make(data.kind, n_trees, n_leaves)


def _make_lightgbm(kind, n_trees, n_leaves):
    from lightgbm import LGBMClassifier, LGBMRegressor

    model = LGBMClassifier if kind == "classes" else LGBMRegressor
    return model(
        objective=_OBJECTIVES[kind],
        n_estimators=n_trees,
        num_leaves=n_leaves,
        learning_rate=_RATE,
        min_child_samples=_ROWS,
        # The defaults, for large groups, would ignore small tasks.
        min_data_per_group=_ROWS,
        cat_smooth=1.0,
        cat_l2=1.0,
        reg_lambda=1.0,
        subsample=_SHARE,
        subsample_freq=1,
        colsample_bytree=_SHARE,
        n_jobs=1,
        random_state=0,
        deterministic=True,
        verbose=-1,
    )


def _make_histogram(kind, n_trees, n_leaves):
    has_classes = kind == "classes"
    model = HistGradientBoostingRegressor
    if has_classes:
        model = HistGradientBoostingClassifier
    return model(
        loss=_LOSSES[kind],
        max_iter=n_trees,
        max_leaf_nodes=n_leaves,
        learning_rate=_RATE,
        min_samples_leaf=_ROWS,
        l2_regularization=1.0,
        max_features=_SHARE,
        early_stopping=False,
        random_state=0,
    )
