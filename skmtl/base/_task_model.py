"""The base class of all models of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator, MultiOutputMixin

from skmtl._compat import Documented
from skmtl._contracts import Array
from skmtl._linalg import calculation
from skmtl.data import find_tasks, join_label, read_queries
from skmtl.targets import Sample, Target, check_fit_is_finite


class TaskModel(Documented, MultiOutputMixin, BaseEstimator, ABC):
    """Models of tasks that read the same rows: linear models and networks."""

    # Parameters of every final class.
    task_column: Any
    handle_unknown: str
    task_weight: Any
    # Fitted attributes.
    tasks_: Array
    n_tasks_: int
    # How tasks were declared in `fit`.
    _layout: str
    # What comparisons of models say of a gain: does the model share, is it a network?
    _shares_tasks: bool = True
    _is_network: bool = False

    __metadata_request__fit = {"task": True}
    __metadata_request__predict = {"task": True}
    __metadata_request__score = {"task": True}

    @abstractmethod
    def _target(self) -> Target:
        """Return the kind of the targets."""

    @abstractmethod
    def _learn(
        self, target: Any, sample: Sample, given: Mapping[str, Any], search: Any
    ) -> Mapping[str, Any]:
        """Fit the rows and return the fitted attributes by name."""

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        task: Any,
        search: Any = None,
        **more: Any,
    ) -> Self:
        """Read rows, learn from them, and store the fitted attributes.

        If given, a search replaces the relation and chooses its strengths.
        """
        target = self._target()
        given = {"sample_weight": sample_weight, "task": task, **more}
        sample = target.read(self, X, y, task_weight=self.task_weight, **given)
        arguments = {"X": X, "y": y, "task": task, "exposure": more.get("exposure")}
        with calculation(self._matrix_size(sample)):
            return self._store(sample, self._learn(target, sample, arguments, search))

    def _matrix_size(self, sample: Sample) -> int:
        """Return the size of the matrices of a fit."""
        size: int = sample.rows.X.shape[1]
        return size

    def _store(self, sample: Sample, learnt: Mapping[str, Any]) -> Self:
        """Replace the fitted attributes of an earlier fit."""
        check_fit_is_finite(learnt, sample.rows)
        for name in vars(self).get("_learnt", ()):
            self.__dict__.pop(name, None)
        self._layout, self._learnt = sample.rows.layout, tuple(learnt)
        for name, value in learnt.items():
            setattr(self, name, value)
        return self

    def _read_queries(self, X: Any, task: Any) -> tuple[Any, Array | None]:
        """Return checked rows, and the position of each row's model."""
        return read_queries(self, X, task)

    def _read_new_task(
        self, target: Target, X: Any, y: Any, sample_weight: Any, task: Any
    ) -> Sample:
        """Return the rows of one task that is not among `tasks_`."""
        if self._layout not in ("column", "keyword"):
            raise ValueError(
                "adapt needs a model with a task label on every row, got one fitted "
                f"with layout {self._layout!r}. Fit with task_column or task=."
            )
        if task is not None:
            task = join_label(task)
        given = {"sample_weight": sample_weight, "task": task}
        sample = target.read(self, X, y, reset=False, **given)
        labels = sample.rows.tasks
        known = find_tasks(labels, self.tasks_) >= 0
        if len(labels) != 1 or known.any():
            raise ValueError(
                "adapt takes the rows of one new task, got tasks "
                f"{labels[:5].tolist()}; this model has {labels[known][:5].tolist()}. "
                "Use partial_fit for known tasks."
            )
        return sample

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.task_column is not None:
            tags.input_tags.categorical = True
            tags.input_tags.string = True
            tags.target_tags.multi_output = False
        return tags
