"""Contracts of rows of tasks, couplings, and factored blocks of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Self

from ._arrays import Array


class TaskData(ABC):
    """Checked rows of several tasks."""

    @abstractmethod
    def moments(self, curvature: bool = True) -> Any:
        """Return the moments per task, with scatter matrices if `curvature`."""

    @property
    @abstractmethod
    def shares_moments(self) -> bool:
        """Whether all tasks have the same scatter matrix of the features."""

    @property
    @abstractmethod
    def shares_rows(self) -> bool:
        """Whether every task is observed on every row of X."""

    @abstractmethod
    def stacked(self) -> Any:
        """Return the same observations, grouped by task."""

    @abstractmethod
    def select(self, rows: Any) -> Self:
        """Return the same tasks on some rows of X."""

    @abstractmethod
    def weighted_groups(self) -> Iterator[Any]:
        """Yield stacks of tasks with the same number of rows, and their weights."""

    @abstractmethod
    def assign_folds(self, n_splits: int) -> Array:
        """Assign rows of each task to folds in turn; return the fold of each row."""

    @abstractmethod
    def mean_rows(self) -> float:
        """Return the mean number of rows of a block."""

    @abstractmethod
    def roots(self, centred: bool = True) -> tuple[int, Iterable[Any]]:
        """Return the number of blocks, and stacks of rows that span them."""


class Coupling(ABC):
    """A quadratic penalty on differences between tasks."""

    @abstractmethod
    def precision(self, n_tasks: int) -> Any:
        """Return the precision matrix between tasks of one feature.

        A centre is eliminated.
        """

    def penalizes_intercepts(self) -> bool:
        """Return whether intercepts are penalised too."""
        return False


class TaskBlocks(ABC):
    """Factored blocks ``B_t = S_t + D_t`` of tasks in a quadratic problem.

    ``S_t`` is the Hessian of the task's squared loss, ``D_t`` the diagonal matrix of
    its strengths. Arrays have a row per task; a first axis of length 1 holds for all
    tasks.
    """

    @abstractmethod
    def solve(self, right: Array) -> Array:
        """Return ``B_t^-1 right_t``, shape (n_tasks, n_features)."""

    @abstractmethod
    def curve(self, coef: Array) -> Array:
        """Return ``S_t coef_t``, shape (n_tasks, n_features)."""

    @abstractmethod
    def clean(self, right: Array) -> Array:
        """Project ``right_t`` onto the range of ``S_t``, to remove rounding errors."""

    @abstractmethod
    def centre(self, n_tasks: int, rows: Array, strength: Array) -> Any:
        """Return ``sum_t D_t B_t^-1 S_t + rows' rows + diag(strength)``, factored."""

    @abstractmethod
    def traces(self, n_tasks: int) -> float:
        """Return ``sum_t trace(B_t^-1 S_t)``."""

    @abstractmethod
    def spread(self, n_tasks: int) -> Array:
        """Return ``sum_t S_t B_t^-1 D_t B_t^-1 S_t``, (n_features, n_features)."""

    @abstractmethod
    def shrinkage(self) -> Array:
        """Return ``B_t^-1 S_t``, shape (n_tasks or 1, n_features, n_features)."""

    @abstractmethod
    def shrink(self, rows: Array, tasks: Array) -> Array:
        """Return ``x' B_t^-1 S_t`` of rows (n_blocks, n_rows, n_features) of tasks."""

    @abstractmethod
    def log_determinants(self) -> Array:
        """Return ``log |D_t^-1 B_t|``, shape (n_tasks or 1,)."""

    @abstractmethod
    def quadratics(self, rows: Array, tasks: Array) -> Array:
        """Return ``x' B_t^-1 x`` of rows (n_blocks, n_rows, n_features) of tasks."""

    @abstractmethod
    def curvatures(self) -> Array:
        """Return the diagonals of ``S_t``, shape (n_tasks or 1, n_features)."""

    @abstractmethod
    def select(self, tasks: Array) -> Self:
        """Return the blocks of some tasks, by position."""
