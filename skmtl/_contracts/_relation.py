"""The contract of relations between tasks, for estimators and problems."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ._loss import Loss
from ._penalty import Penalty
from ._solver import Solver
from ._tasks import Coupling


@dataclass(frozen=True)
class TaskSet:
    """Labels of tasks, without their rows and targets.

    Parameters
    ----------
    labels : ndarray of shape (n_tasks,)
        Labels of the tasks, in the order of `coef_`.
    orders : tuple
        Orders declared by the containers of labels, such as ordered categories.
    seen : ndarray of shape (n_tasks,), dtype bool
        Whether a task has rows with weight.
    n_features : int
        Number of features.
    groupings : tuple of Grouping, default=()
        Groupings of the tasks, if several columns declare them.
    """

    labels: NDArray[Any]
    orders: tuple[Any, ...]
    seen: NDArray[np.bool_]
    n_features: int
    groupings: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


class Fit(Protocol):
    """The part of a solved problem that relations read."""

    @property
    def objective(self) -> float:
        """Value of the objective."""

    @property
    def optimality(self) -> float:
        """Relative distance from the optimum."""

    @property
    def n_iter(self) -> int:
        """Number of iterations."""

    @property
    def converged(self) -> bool:
        """Whether `optimality` is within the tolerance."""

    @property
    def coef(self) -> NDArray[np.float64]:
        """Penalised coefficients, (n_tasks * n_outputs, n_features)."""

    @property
    def parts(self) -> NDArray[np.float64]:
        """Parts of the coefficients, (n_parts, n_tasks * n_outputs, n_features)."""


@dataclass(frozen=True)
class Chosen:
    """A relation with chosen strengths, and the results of the search.

    Parameters
    ----------
    relation : Relation
        The relation.
    facts : mapping, default={}
        Fitted attributes of the search, by name.
    fit : Fit, default=None
        The fit of all rows, if the search has computed it.
    held_out : callable, default=None
        Returns the errors of held-out rows at the chosen strengths, if there was a
        search.
    """

    relation: Relation
    facts: Mapping[str, Any] = field(default_factory=dict)
    fit: Fit | None = None
    held_out: Callable[[], Any] | None = None


class Relation(ABC):
    """What tasks share, at given strengths: a coupling or a penalty."""

    is_coupling: ClassVar[bool]
    # Whether tasks influence each other, so that their targets must share a unit.
    is_shared: ClassVar[bool] = True
    # Whether intercepts are penalised, and so finite.
    penalizes_intercepts = False
    # Graph with the tasks as nodes, if there is one.
    graph: Any = None
    # Groupings of the tasks, if each has parameters of its own.
    groupings: tuple[Any, ...] = ()

    def choose(self, study: Any) -> Chosen:
        """Return the relation at the best strengths: itself, as these are fixed."""
        return Chosen(self)

    def extend(self, models: Any) -> Any:
        """Extend the models of tasks with rows to all nodes of the graph."""
        return models

    def report(self, fit: Fit, tasks: TaskSet) -> Mapping[str, Any]:
        """Return the fitted attributes of this relation, by name."""
        return {}

    def report_coef(self, fit: Fit) -> Mapping[str, Any]:
        """Return parts of the coefficients, by the name of their attribute."""
        return {}

    def report_nodes(self, coef: NDArray[Any]) -> Mapping[str, Any]:
        """Return the fitted attributes of all nodes, by name, given their `coef`."""
        return {}


@dataclass(frozen=True)
class Centre:
    """Strengths of a centre that tasks share.

    Coefficients are ``w_t = c + v_t``, and the penalty of a relation applies to the
    deviations ``v_t``.

    Parameters
    ----------
    alpha_shared : float, default=inf
        Strength of the ridge on the centre, ``alpha_shared / 2 ||c||^2``; infinite for
        no centre.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts, ``alpha_intercept / 2
        sum_t (b_t - b_s)^2``: 0 for none, infinite for one intercept.
    """

    alpha_shared: float = np.inf
    alpha_intercept: float = 0.0

    @property
    def is_absent(self) -> bool:
        """Whether there is no centre and intercepts are free."""
        return not self.has_coef and not self.alpha_intercept

    @property
    def has_coef(self) -> bool:
        """Whether the coefficients have a centre."""
        return self.alpha_shared < np.inf


class CoupledRelation(Relation):
    """Tasks coupled by a quadratic penalty on their differences."""

    is_coupling = True
    # The coupling, with its strengths.
    coupling: Coupling


class PenalizedRelation(Relation):
    """Tasks with a penalty on the matrix of their coefficients."""

    is_coupling = False
    # The penalty, with its strength.
    penalty: Penalty
    # Strength of a ridge in addition to the penalty.
    ridge = 0.0
    # Precision matrix of a coupling in addition to the penalty, (n_tasks, n_tasks).
    precision: Any = None
    # Centre that the penalty's coefficients deviate from, if there is one.
    centre: Centre | None = None
    # Whether the solver uses a working set of features.
    selects_features: ClassVar[bool] = False

    @abstractmethod
    def solver(self, loss: Loss, tol: float, max_iter: int | None) -> Solver:
        """Return the solver for a loss."""
