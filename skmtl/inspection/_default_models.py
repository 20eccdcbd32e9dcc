"""The models to compare: the default ones, their names, their task column."""

from collections.abc import Mapping, Sequence

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import make_task_pipeline, move_to_end
from skmtl.model_selection import make_candidates, make_first_step, make_regressors

from ._default_glms import make_class_models, make_count_models

# From independent to pooled.
_NUMBER_NAMES = (
    *("independent", "pooled", "pooled + task intercepts"),
    "mean-regularised",
)


def default_models(
    task_column: str | int | Sequence[str | int] | None = None,
    *,
    preprocessor: BaseEstimator | None = None,
    kind: str = "numbers",
) -> dict[str, Pipeline]:
    """Make the models that are compared by default, from independent to pooled.

    - ``"independent"``: a ridge regression per task, each with its own alpha;
    - ``"pooled"``: one ridge regression of all rows, which ignores the task;
    - ``"pooled + task intercepts"``: the same coefficients for all tasks, and an
      intercept per task, shrunk towards their mean;
    - ``"mean-regularised"``: partial pooling, a linear model per task whose
      coefficients and intercept are shrunk towards their mean.

    Each chooses its regularisation strengths within its training rows.

    For classes they are logistic regressions, for counts Poisson regressions. Their
    independent models have one alpha for all tasks; for a task with a single class, or
    only zeros, they predict a smoothed class frequency or rate. If there is a task
    column, their strengths are chosen by cross-validated log loss or Poisson deviance;
    without one, they are 1.

    Parameters
    ----------
    task_column : str, int or list of them, default=None
        Column of X with the task of each row. None means that ``task=`` or the columns
        of `y` give the tasks.
    preprocessor : transformer, default=None
        First step of each model; it does not see the task column. None means
        ``StandardScaler()``.
    kind : {"numbers", "classes", "counts"}, default="numbers"
        Kind of target.

    Returns
    -------
    models : dict of str to Pipeline
        Unfitted models by name.

    Examples
    --------
    >>> from skmtl.inspection import default_models
    >>> list(default_models("school"))
    ['independent', 'pooled', 'pooled + task intercepts', 'mean-regularised']
    """
    first = StandardScaler() if preprocessor is None else preprocessor
    if kind not in _MAKERS:
        raise ValueError(f"kind must be one of {list(_MAKERS)}. Got {kind!r}.")
    models = _MAKERS[kind](None if task_column is None else move_to_end(task_column))
    return {
        name: _join([clone(first), model], task_column)
        for name, model in models.items()
    }


def _make_number_models(task_column):
    models = make_regressors()
    return {
        name: models[name].set_params(task_column=task_column) for name in _NUMBER_NAMES
    }


_MAKERS = {
    "numbers": _make_number_models,
    "classes": make_class_models,
    "counts": make_count_models,
}


def name_models(estimators):
    """Return estimators by name; those in a list are named after their class.

    Names of built-in models stand for themselves.
    """
    if any(hasattr(estimators, each) for each in ("fit", "shape", "upper")):
        raise TypeError(
            "estimators must be a mapping from names to estimators, a list of "
            f"estimators and names, or None. Got {type(estimators).__name__}; write "
            "compare_tasks([first, second], X, y), or compare_tasks(None, X, y) for "
            "the default models."
        )
    if not isinstance(estimators, Mapping):
        estimators = _number_names([(_name_one(each), each) for each in estimators])
    if len(estimators) <= 1:
        raise ValueError(
            "estimators must hold at least two models, including the baseline. "
            f"Got {list(estimators)}; add one."
        )
    return dict(estimators)


def list_estimators(named):
    """Return the estimators by name, without names of built-in models."""
    return {
        name: each for name, each in (named or {}).items() if not isinstance(each, str)
    }


def fill_models(named, data, task_column):
    """Return estimators by name, with built-in models in the place of their names.

    Parameters
    ----------
    named : mapping of str to estimator or str, or None
        Estimators, and names of built-in models; None means the default models.
    data : Rows
        Rows; their kind of target says which models suit.
    task_column : str, int, list of them or None
        Column of X with the task of each row.

    Returns
    -------
    dict of str to estimator
        Unfitted models by name.
    """
    first = make_first_step(data)
    default = default_models(task_column, preprocessor=first, kind=data.kind)
    if named is None:
        return default
    if len(list_estimators(named)) == len(named):
        return dict(named)
    known = {each.name: each.estimator for each in make_candidates(data)} | default
    return {name: _find_model(each, known) for name, each in named.items()}


def _find_model(model, known):
    if not isinstance(model, str):
        return model
    if model not in known:
        raise ValueError(
            f"estimators must be estimators, or names of built-in models among "
            f"{list(known)}. Got {model!r}."
        )
    return known[model]


def choose_baseline(baseline: str | None, names: Sequence[str]) -> str:
    """Return the name of the baseline, by default that of the independent models."""
    if baseline is None:
        return "independent" if "independent" in names else names[0]
    if baseline not in names:
        raise ValueError(
            f"baseline must be the name of a model. Got {baseline!r}; the models are "
            f"{list(names)}."
        )
    return baseline


def _join(steps, task_column):
    if task_column is None:
        return make_pipeline(*steps)
    return make_task_pipeline(*steps, task_column=task_column)


def _name_one(estimator):
    """Return the name of a model in a list: itself, or that of its class."""
    if isinstance(estimator, str):
        return estimator
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return type(estimator).__name__


def _number_names(named):
    """Return a dict by name, with a number added to repeated names."""
    names = [name for name, _ in named]
    return {
        name if names.count(name) == 1 else f"{name}-{names[: i + 1].count(name)}": each
        for i, (name, each) in enumerate(named)
    }
