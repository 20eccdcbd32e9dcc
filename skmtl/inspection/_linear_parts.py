"""Read coefficients, and their names, from a fitted linear model of tasks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmtl._contracts import Array
from skmtl.data import list_task_columns


@dataclass(frozen=True, repr=False)
class LinearParts:
    """Coefficients of tasks, with an axis for classes, of length 1 without them."""

    model: Any  # last step, fitted
    before: Any  # earlier steps of a pipeline, or None
    tasks: Array
    features: tuple[str, ...]
    classes: Array | None
    coef: Array  # (n_tasks, n_outputs, n_features)
    intercept: Array  # (n_tasks, n_outputs)
    coef_shared: Array  # (n_outputs, n_features)
    intercept_shared: Array  # (n_outputs,)

    @property
    def has_intercept(self) -> bool:
        """Whether the model was fitted with intercepts."""
        return bool(vars(self.model).get("fit_intercept", True))

    def transform(self, X: Any) -> Any:
        """Return rows as the model sees them."""
        return X if self.before is None else self.before.transform(X)

    def place_class(self, label: Any) -> int:
        """Return the position of a class; None means the last one."""
        if label is None:
            return self.coef.shape[1] - 1
        known = [] if self.classes is None else self.classes.tolist()
        if label not in known:
            raise ValueError(
                f"label must be a class of the model, got {label!r}. It has an own "
                f"set of coefficients for each of {known}."
            )
        return known.index(label)

    def place_feature(self, feature: Any) -> int:
        """Return the position of a feature, by name or position."""
        if isinstance(feature, str) and feature in self.features:
            return self.features.index(feature)
        is_position = isinstance(feature, int | np.integer)
        if is_position and -len(self.features) <= feature < len(self.features):
            return int(feature)
        raise ValueError(
            f"feature must be a name or position of a feature, got {feature!r}. This "
            f"model has {len(self.features)} features: {list(self.features[:5])}..."
        )


def find_model(estimator: Any) -> tuple[Any, Any]:
    """Return the fitted model within searches and pipelines, and the steps before."""
    before = None
    while True:
        if isinstance(estimator, Pipeline):
            steps = list(estimator.steps[:-1])
            if before is not None:
                steps = [*before.steps, *steps]
            before = Pipeline(steps) if steps else None
            estimator = estimator.steps[-1][1]
        elif "best_estimator_" in vars(estimator):
            estimator = estimator.best_estimator_
        else:
            return estimator, before


def read_linear_parts(estimator: Any) -> LinearParts:
    """Return the coefficients of an estimator, or raise a TypeError without them."""
    model, before = find_model(estimator)
    check_is_fitted(model)
    coef = getattr(model, "coef_", None)
    if coef is None or isinstance(coef, dict) or not hasattr(model, "coef_shared_"):
        raise TypeError(
            "The model must have coefficients of tasks (coef_ and coef_shared_), as "
            "those of skmtl.linear_model, or be a pipeline or a search that ends in "
            f"one, got {type(model).__name__}."
        )
    shared = np.atleast_2d(model.coef_shared_)
    n_tasks, (n_outputs, n_features) = len(model.tasks_), shared.shape
    return LinearParts(
        model=model,
        before=before,
        tasks=np.asarray(model.tasks_),
        features=_name_features(model, before, n_features),
        classes=model.classes_ if n_outputs > 1 else None,
        coef=np.reshape(coef, (n_tasks, n_outputs, n_features)),
        intercept=np.reshape(model.intercept_, (n_tasks, n_outputs)),
        coef_shared=shared,
        intercept_shared=np.atleast_1d(model.intercept_shared_),
    )


def _name_features(model, before, n_features):
    names = getattr(model, "feature_names_in_", None)
    if names is None and before is not None:
        names = _names_of_steps(before)
    if names is None:
        return tuple(f"x{j}" for j in range(n_features))
    kept = [str(name) for name in names]
    for place in _place_columns(model.task_column, kept):
        kept[place] = ""
    kept = [name for name in kept if name]
    if len(kept) != n_features:
        return tuple(f"x{j}" for j in range(n_features))
    return tuple(kept)


def _names_of_steps(before):
    try:
        return before.get_feature_names_out()
    except (AttributeError, ValueError):  # a step has no names for its output
        return None


def _place_columns(task_column, names):
    """Return the positions of the task columns among the names."""
    if task_column is None:
        return []
    columns = list_task_columns(task_column)
    return [
        names.index(column) if isinstance(column, str) else column
        for column in columns
        if column in names or not isinstance(column, str)
    ]
