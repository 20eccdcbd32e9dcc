"""The base class of all linear models of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, clone

from skmtl._compat import Documented
from skmtl._contracts import Array, Relation, TaskSet
from skmtl._linalg import calculation
from skmtl.problems import pose
from skmtl.selection import Study
from skmtl.targets import Sample, Target, check_fit_is_finite, seen_tasks

from ._convergence import warn_of_convergence
from ._unseen_tasks import ModelsOfNodes, ModelsOfTasks


class TaskModel(Documented, MultiOutputMixin, BaseEstimator, ABC):
    """Linear models of tasks: a relation, a kind of target and a choice of strengths.

    A final class has its parameters and one method, `_relation`.
    """

    # Parameters of every final class.
    fit_intercept: bool
    task_column: Any
    handle_unknown: str
    task_weight: Any
    # Fitted attributes.
    coef_: Any
    intercept_: Any
    tasks_: Array
    n_tasks_: int
    # How tasks were declared in `fit`.
    _layout: str

    __metadata_request__fit = {"task": True}
    __metadata_request__predict = {"task": True}
    __metadata_request__score = {"task": True}

    @abstractmethod
    def _relation(self, tasks: TaskSet) -> Any:
        """Return the relation of the tasks, or a search for its strengths."""

    @abstractmethod
    def _target(self) -> Target:
        """Return the kind of the targets."""

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        task: Any,
        search: Any = None,
        **more: Any,
    ) -> Self:
        """Read rows, pose and solve the problem, and store the fitted attributes.

        If given, a search replaces the relation and chooses its strengths.
        """
        target = self._target()
        given = {"sample_weight": sample_weight, "task": task, **more}
        sample = target.read(self, X, y, task_weight=self.task_weight, **given)
        arguments = {"X": X, "y": y, "task": task, "exposure": more.get("exposure")}
        with calculation(sample.rows.X.shape[1]):
            return self._store(sample, self._learn(target, sample, arguments, search))

    def _learn(
        self, target: Any, sample: Sample, given: Mapping[str, Any], search: Any
    ) -> Mapping[str, Any]:
        """Fit the rows and return the fitted attributes by name."""
        rows = sample.rows
        tasks = TaskSet(rows.tasks, rows.orders, seen_tasks(rows), rows.X.shape[1])
        relation = self._relation(tasks)
        if search is not None:
            relation = search.over(relation)
        if relation.is_shared:
            target.check_units(rows)
        smooths = self.fit_intercept and not relation.penalizes_intercepts
        rows, loss, targets = target.prepare(sample, smooths)
        study = Study(
            rows,
            loss,
            self.fit_intercept,
            targets,
            **given,
            make_model=self._model_maker(target, sample),
            prepare_part=partial(target.prepare_part, sample, targets, smooths),
            **self._solver_parameters(),
        )
        chosen = relation.choose(study)
        fit: Any = chosen.fit
        kept: dict[str, Any] = {}
        if fit is None:
            problem = pose(rows, loss, chosen.relation, self.fit_intercept, targets)
            fit = self._solve(problem, tasks)
            kept = self._retain(problem.moments, fit)
        learnt = self._describe(target, sample, tasks, chosen.relation, fit)
        return {**learnt, **kept, **chosen.facts}

    def _retain(self, moments: Any, fit: Any) -> dict[str, Any]:
        """Return attributes that `partial_fit` and standard deviations need."""
        return {}

    def _solver_parameters(self) -> dict[str, Any]:
        """Return the parameters `tol` and `max_iter` by name, if the model has them."""
        return {k: vars(self)[k] for k in ("tol", "max_iter") if k in vars(self)}

    def _solve(self, problem: Any, tasks: TaskSet) -> Any:
        """Solve a problem, and warn if the solver has not converged."""
        fit = problem.solve(self._start(tasks), **self._solver_parameters())
        warn_of_convergence(fit)
        return fit

    def _start(self, tasks: TaskSet) -> Any:
        """Return the start of the solver: for a warm start, the previous solution."""
        if not vars(self).get("warm_start") or "_variable" not in vars(self):
            return None
        known, variable = self._variable
        return variable if np.array_equal(known, tasks.labels) else None

    def _describe(
        self,
        target: Target,
        sample: Sample,
        tasks: TaskSet,
        relation: Relation,
        fit: Any,
    ) -> Mapping[str, Any]:
        """Return the fitted attributes of a solved problem by name."""
        models = relation.extend(fit.models)
        own, single = models.first(len(tasks)), sample.rows.layout == "single"
        learnt = {
            "tasks_": tasks.labels,
            "n_tasks_": len(tasks),
            **target.shape(sample, own, single),
            **target.report(sample, own, fit),
            "objective_": fit.objective,
            "optimality_": fit.optimality,
            "n_iter_": fit.n_iter,
        }
        if fit.dual_gap is not None:
            learnt["dual_gap_"] = fit.dual_gap
        if "warm_start" in vars(self) and fit.variable is not None:
            learnt["_variable"] = tasks.labels, fit.variable
        learnt |= target.shape_parts(sample, relation.report_coef(fit), single)
        if relation.graph is not None:
            nodes = target.shape(sample, models, single=False)
            learnt |= {
                "nodes_": relation.graph.nodes,
                "order_": relation.graph.order,
                "coef_nodes_": nodes["coef_"],
                "intercept_nodes_": nodes["intercept_"],
                "_graph": relation.graph,
                **relation.report_nodes(nodes["coef_"]),
            }
        return {**learnt, **relation.report(fit, tasks)}

    def _model_maker(self, target: Target, sample: Sample) -> Callable[[Any], Any]:
        """Return a function that makes a fitted estimator of models, for scorers."""
        names = "n_features_in_", "feature_names_in_"
        columns = {name: vars(self)[name] for name in names if name in vars(self)}
        tasks = sample.rows.tasks

        def make(models: Any) -> Any:
            single = sample.rows.layout == "single"
            learnt = {
                "tasks_": tasks,
                "n_tasks_": len(tasks),
                **target.shape(sample, models, single),
                **target.report_kind(sample),
            }
            return clone(self)._store(sample, {**columns, **learnt})

        return make

    def _store(self, sample: Sample, learnt: Mapping[str, Any]) -> Self:
        """Replace the fitted attributes of an earlier fit."""
        check_fit_is_finite(learnt, sample.rows)
        for name in vars(self).get("_learnt", ()):
            self.__dict__.pop(name, None)
        self._layout, self._learnt = sample.rows.layout, tuple(learnt)
        for name, value in learnt.items():
            setattr(self, name, value)
        return self

    @property
    def _lookup(self) -> ModelsOfTasks | ModelsOfNodes:
        graph = vars(self).get("_graph")
        return ModelsOfTasks() if graph is None else ModelsOfNodes(graph)

    def _read_queries(self, X: Any, task: Any) -> tuple[Any, Array | None]:
        """Return checked rows, and the position of each row's model."""
        return self._lookup.read(self, X, task)

    def _models_at(self, codes: Array) -> tuple[Array, Array]:
        """Return coefficients and intercepts by position; -1 is the shared part."""
        return self._lookup.models(self, codes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.task_column is not None:
            tags.input_tags.categorical = True
            tags.input_tags.string = True
            tags.target_tags.multi_output = False
        return tags
