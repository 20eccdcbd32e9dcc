"""Tasks with a shared part and an own part per grouping."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skmtl._contracts import CoupledRelation
from skmtl.data import warn_of_restarts
from skmtl.problems.exact import GroupedStrengths
from skmtl.selection import GroupedLossSearch, GroupedSearch


@dataclass(frozen=True)
class NearMeans(CoupledRelation):
    """Tasks are sums of a shared part and an own part per grouping."""

    coupling: Any
    groupings: tuple[Any, ...]
    penalizes_intercepts = True

    @classmethod
    def of(cls, tasks, alpha, alpha_shared, alpha_intercept):
        """Return the relation, after a check of the strengths."""
        warn_of_restarts(tasks.groupings)
        names = [grouping.name for grouping in tasks.groupings]
        coef = [
            _read_one(each, tasks.n_features)
            for each in read_per_grouping("alpha", alpha, names)
        ]
        intercept = [
            _read_number(each)
            for each in read_per_grouping("alpha_intercept", alpha_intercept, names)
        ]
        strengths = GroupedStrengths(
            np.array(coef).reshape(len(names), tasks.n_features),
            np.array(intercept),
            float(alpha_shared),
        )
        return cls(strengths, tasks.groupings)

    def report(self, fit, tasks):
        posterior = fit.detail.posterior
        return {} if posterior is None else {"_posterior_of_groupings": posterior}


def search_groupings(options: Any, tasks: Any, lists: Any) -> GroupedSearch:
    """Return the search for strengths of numbers.

    Parameters
    ----------
    options : MeanRegularizedRegressorCV
        Method, folds, scoring and intercepts.
    tasks : TaskSet
        Tasks and their groupings.
    lists : tuple
        Strengths to choose from: own coefficients, shared part, own intercepts.

    Returns
    -------
    GroupedSearch
        The search.
    """
    return GroupedSearch(
        partial(NearMeans.of, tasks),
        tasks.groupings,
        lists,
        options.method,
        options.cv,
        options.fit_intercept,
        options.scoring,
    )


def refuse_options(structure: str, pattern: Any, noise: str) -> None:
    """Raise an error for options that several groupings do not have.

    Parameters
    ----------
    structure : str
        Structure of the strengths.
    pattern : ndarray or None
        Relative strengths of features.
    noise : {"auto", "common", "per_task"}
        Noise of the tasks.
    """
    if structure not in {"auto", "one"} or pattern is not None:
        raise ValueError(
            "alpha_structure must be 'auto' or 'one' if several columns declare the "
            "tasks, as each grouping then has one strength. Leave it at 'auto'."
        )
    if noise == "per_task":
        raise ValueError(
            "noise must be 'auto' or 'common' if several columns declare the tasks, "
            "got 'per_task'. Leave it at 'auto'."
        )


def search_losses_of_groupings(tasks: Any, lists: Any, options: Any) -> Any:
    """Return the search for strengths of classes.

    Parameters
    ----------
    tasks : TaskSet
        Tasks and their groupings.
    lists : tuple
        Strengths to choose from: own coefficients, shared part, own intercepts.
    options : tuple
        Method, folds and scoring.

    Returns
    -------
    GroupedLossSearch
        The search.
    """
    relation_at = partial(NearMeans.of, tasks)
    return GroupedLossSearch(relation_at, tasks.groupings, lists, *options)


def refuse_scope(tasks: Any, class_scope: str) -> None:
    """Raise an error for classes per task where tasks are sums of own parts.

    Parameters
    ----------
    tasks : TaskSet
        Tasks and their groupings.
    class_scope : {"all", "task"}
        Which classes may occur in a task.
    """
    if tasks.groupings and class_scope == "task":
        raise ValueError(
            "class_scope must be 'all' if several columns declare the tasks, got "
            "'task'. Use one task column."
        )


def read_per_grouping(parameter: str, value: Any, names: list[Any]) -> list[Any]:
    """Return the value of each grouping: from a mapping, or the same for all.

    Parameters
    ----------
    parameter : str
        Name of the parameter, for messages.
    value : mapping or object
        A value for every grouping, by its name in `task_column`; or one for all.
    names : list
        Names of the groupings.

    Returns
    -------
    list
        A value per grouping.
    """
    if not isinstance(value, Mapping):
        return [value] * len(names)
    if set(value) != set(names):
        raise ValueError(
            f"{parameter} must have a strength for every grouping, got {dict(value)}. "
            f"The groupings are {names}."
        )
    return [value[name] for name in names]


def refuse_batch(groupings: Sequence[Any]) -> None:
    """Raise an error for a batch of rows with several groupings.

    Parameters
    ----------
    groupings : sequence of Grouping
        Groupings of the rows.
    """
    if groupings:
        raise ValueError(
            "partial_fit needs one task column, got the groupings "
            f"{[grouping.name for grouping in groupings]}. Fit all rows at once."
        )


def refuse_mapping(parameter: str, value: Any) -> None:
    """Raise an error for strengths per grouping where there is one grouping.

    Parameters
    ----------
    parameter : str
        Name of the parameter.
    value : mapping or object
        Its value.
    """
    if isinstance(value, Mapping):
        raise ValueError(
            f"{parameter} may be a mapping only if several columns declare the tasks, "
            f"got {dict(value)} and one grouping. Give a number, or a list of columns "
            "as task_column."
        )


def _read_one(alpha, n_features):
    strengths = np.asarray(alpha, dtype=float)
    if strengths.ndim and strengths.shape != (n_features,):
        raise ValueError(
            "alpha must be one number or one per feature, of shape "
            f"({n_features},), got shape {strengths.shape}."
        )
    _refuse_negative("alpha", strengths)
    return np.broadcast_to(strengths, (n_features,))


def _read_number(alpha):
    _refuse_negative("alpha_intercept", np.asarray(alpha, dtype=float))
    return float(alpha)


def _refuse_negative(name, strengths):
    if not (strengths >= 0).all():
        raise ValueError(f"{name} must be 0 or more, got {strengths.min()}.")
