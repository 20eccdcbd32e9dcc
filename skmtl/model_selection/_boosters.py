"""Boosted trees of all tasks, in a few sizes."""

from importlib.util import find_spec

from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from skmtl.compose import PooledTasks

# Numbers of trees and of leaves; which is best depends on the number of rows.
_SIZES = {"small": (150, 4), "medium": (300, 12), "large": (600, 31)}
_RATE = 0.05
# Rows of a leaf: tasks of five rows can still be separated.
_ROWS = 5
# scikit-learn's boosting stores the task in a byte.
_MOST_TASKS = 255
# Half of the features, but at least a few, are tried for each tree.
_FEATURE_SHARE = 0.8
_OBJECTIVES = {"numbers": "regression", "classes": None, "counts": "poisson"}
_LOSSES = {"numbers": "squared_error", "classes": "log_loss", "counts": "poisson"}


def make_boosters(kind, n_tasks):
    """Make boosted trees by name, with the task as one categorical column and without.

    LightGBM is used if it is installed, else scikit-learn.

    Parameters
    ----------
    kind : {"numbers", "classes", "counts"}
        Kind of target.
    n_tasks : int
        Number of tasks; with more than 255, scikit-learn's trees get the mean target of
        the task instead.

    Returns
    -------
    with_task, without_task : dict of str to PooledTasks
        Unfitted models.
    """
    has_lightgbm = find_spec("lightgbm") is not None
    make = _make_lightgbm if has_lightgbm else _make_histogram
    encoding = "category" if has_lightgbm or n_tasks <= _MOST_TASKS else "target"
    trees = {name: make(kind, *size) for name, size in _SIZES.items()}
    with_task = {
        f"boosting, {name}": PooledTasks(each, task_encoding=encoding)
        for name, each in trees.items()
    }
    without_task = {
        f"boosting without task, {name}": PooledTasks(each)
        for name, each in trees.items()
    }
    return with_task, without_task


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
        subsample=_FEATURE_SHARE,
        subsample_freq=1,
        colsample_bytree=_FEATURE_SHARE,
        n_jobs=1,
        random_state=0,
        deterministic=True,
        verbose=-1,
    )


def _make_histogram(kind, n_trees, n_leaves):
    is_class = kind == "classes"
    model = (
        HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    )
    return model(
        loss=_LOSSES[kind],
        max_iter=n_trees,
        max_leaf_nodes=n_leaves,
        learning_rate=_RATE,
        min_samples_leaf=_ROWS,
        l2_regularization=1.0,
        max_features=_FEATURE_SHARE,
        early_stopping=False,
        random_state=0,
    )
