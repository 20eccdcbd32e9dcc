"""Base class of linear regressors that are fitted to moments."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from numpy.typing import ArrayLike

from skmtl._compat import fit_context
from skmtl._contracts import Relation, TaskSet
from skmtl._linalg import calculation
from skmtl.data import TaskMoments, read_task_weight
from skmtl.problems import pose_moments
from skmtl.targets import Sample, Spreads, TargetScales, choose_scales

from ._linear_model import LinearRegressor


class MomentRegressor(LinearRegressor):
    """Regressors with the squared loss and given strengths, with `partial_fit`.

    Moments of the rows add up over batches, so `partial_fit` keeps no rows.
    """

    @abstractmethod
    def _relation(self, tasks: TaskSet) -> Relation:
        """Return the relation of the tasks."""

    def _retain(self, moments: TaskMoments | None, fit: Any) -> dict[str, Any]:
        if moments is not None:
            return {"moments_": moments}
        return {"_fit_of_rows": fit.detail} if fit.is_exact else {}

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Learn from a further batch; the result equals a fit to all batches.

        Batches may be in any order, and may have new tasks. Hyper-parameters may change
        between batches.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the batch, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target of the batch.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `fit`.

        Returns
        -------
        self : object
            The model of all batches so far.
        """
        begun = hasattr(self, "_layout")
        if begun and not hasattr(self, "moments_"):
            raise ValueError(
                "partial_fit must follow partial_fit, or a fit that kept moments. This "
                "fit had fewer rows per task than features, or a large sparse X, and "
                "kept none. Clone the model and pass every batch to partial_fit."
            )
        given = {"sample_weight": sample_weight, "task": task}
        sample = self._target().read(self, X, y, reset=not begun, **given)
        self._refuse_batch(sample)
        with calculation(sample.rows.X.shape[1]):
            moments = sample.rows.moments()
            moments = self.moments_ + moments if begun else moments
            return self._store(sample, self._learn_moments(sample, moments))

    def _refuse_batch(self, sample: Sample) -> None:
        """Raise an error for batches that moments of tasks do not describe."""

    def _learn_moments(self, sample: Sample, moments: TaskMoments) -> Mapping[str, Any]:
        """Fit the moments and return the fitted attributes by name."""
        scales = self._scale(moments)
        sample = replace(sample, scales=scales)
        scaled = moments if scales is None else scales.divide_moments(moments)
        tasks, relation, problem = self._pose_moments(scaled)
        fit = self._solve(problem, tasks)
        learnt = self._describe(self._target(), sample, tasks, relation, fit)
        return {**learnt, **self._retain(moments, fit)}

    def _scale(self, moments: TaskMoments) -> TargetScales | None:
        """Return the scales of the targets, if there are any."""
        option = vars(self).get("scale_targets", False)
        factor = read_task_weight(self.task_weight, moments.tasks, moments.weight)
        spreads = Spreads.of_moments(moments).only(factor)
        return choose_scales(option, spreads, self.fit_intercept)[-1]

    def _pose_moments(self, moments: TaskMoments) -> tuple[TaskSet, Relation, Any]:
        """Return the tasks, their relation, and the problem of their moments."""
        factor = read_task_weight(self.task_weight, moments.tasks, moments.weight)
        weight = moments.weight if factor is None else factor * moments.weight
        labels, orders = moments.tasks, moments.orders
        tasks = TaskSet(labels, orders, weight > 0, moments.n_features)
        relation = self._relation(tasks)
        problem = pose_moments(moments, factor, relation, self.fit_intercept)
        return tasks, relation, problem
