"""Base classes of linear models of tasks."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone

from skmtl._contracts import Array, Chosen, Relation, TaskSet
from skmtl.problems import pose
from skmtl.selection import Study, change_in_task_errors
from skmtl.targets import Sample, Target, report_scales, seen_tasks

from ._classifier import TaskClassifier
from ._convergence import warn_of_convergence
from ._regressor import TaskRegressor
from ._task_model import TaskModel
from ._unseen_tasks import Lookup, ModelsOfGroupings, ModelsOfNodes, ModelsOfTasks

# Rows with or without scales of targets, their study, and the strengths chosen.
Trial = tuple[Sample, Study, Chosen]


class LinearModel(TaskModel):
    """Linear models of tasks: a relation, a kind of target and a choice of strengths.

    A final class has its parameters and one method, `_relation`.
    """

    fit_intercept: bool
    coef_: Any
    intercept_: Any

    @abstractmethod
    def _relation(self, tasks: TaskSet) -> Any:
        """Return the relation of the tasks, or a search for its strengths."""

    def _learn(
        self, target: Any, sample: Sample, given: Mapping[str, Any], search: Any
    ) -> Mapping[str, Any]:
        """Fit the rows and return the fitted attributes by name."""
        rows = sample.rows
        seen, n_features = seen_tasks(rows), rows.X.shape[1]
        tasks = TaskSet(rows.tasks, rows.orders, seen, n_features, rows.groupings)
        relation = self._relation(tasks)
        if search is not None:
            relation = search.over(relation)
        option = vars(self).get("scale_targets", False)
        samples = target.try_scales(sample, option, self.fit_intercept)
        if relation.is_shared and all(each.scales is None for each in samples):
            target.check_units(rows)
        trials = [self._choose(target, each, relation, given) for each in samples]
        return self._learn_chosen(target, tasks, *_find_best(trials))

    def _choose(
        self, target: Target, sample: Sample, relation: Any, given: Mapping[str, Any]
    ) -> Trial:
        """Choose the strengths for rows, or keep the given ones."""
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
        if chosen.facts:
            target.check_size(rows)
        return sample, study, chosen

    def _learn_chosen(
        self, target: Target, tasks: TaskSet, sample: Sample, study: Study, chosen: Any
    ) -> Mapping[str, Any]:
        """Fit the rows at chosen strengths and return the fitted attributes by name."""
        fit: Any = chosen.fit
        kept: dict[str, Any] = {}
        if fit is None:
            loss, targets = study.loss, study.targets
            relation, with_intercept = chosen.relation, study.fit_intercept
            problem = pose(study.rows, loss, relation, with_intercept, targets)
            fit = self._solve(problem, tasks)
            kept = self._retain(problem.moments, fit)
        learnt = self._describe(target, sample, tasks, chosen.relation, fit)
        learnt = {**learnt, **kept, **chosen.facts}
        return learnt if sample.scales is None else sample.scales.restore_facts(learnt)

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
        if "scale_targets" in vars(self):
            learnt |= report_scales(sample.scales, len(tasks))
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
        if relation.groupings:
            learnt |= _describe_groupings(target, sample, relation, fit)
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

    @property
    def _lookup(self) -> Lookup:
        if "groupings_" in vars(self):
            return ModelsOfGroupings()
        graph = vars(self).get("_graph")
        return ModelsOfTasks() if graph is None else ModelsOfNodes(graph)

    def _read_queries(self, X: Any, task: Any) -> tuple[Any, Array | None]:
        """Return checked rows, and the position of each row's model."""
        return self._lookup.read(self, X, task)


def _find_best(trials: list[Trial]) -> Trial:
    """Return the trial with the smallest held-out errors; without them, the last."""
    first, last = trials[0], trials[-1]
    held_out, simpler = last[-1].held_out, first[-1].held_out
    if len(trials) == 1 or held_out is None or simpler is None:
        return last
    scaled = held_out().in_units(last[0].scales.factor)
    return last if change_in_task_errors(simpler(), scaled) < 0 else first


class LinearRegressor(LinearModel, TaskRegressor):
    """Linear regressors of tasks."""

    def _raw(self, X: Any, codes: Array | None) -> Array:
        """Return raw predictions, infinite or NaN if they overflow."""
        if codes is None:
            raw: Array = X @ self.coef_.T + self.intercept_
            return raw
        return self._lookup.raw(self, X, codes)


class LinearClassifier(LinearModel, TaskClassifier):
    """Linear classifiers of tasks, with the logistic or the multinomial loss."""

    def _raw(self, X: Any, codes: Array | None) -> Array:
        """Return scores, infinite or NaN if they overflow."""
        if codes is None:
            scores: Array = X @ self.coef_.T + self.intercept_
            return scores[:, 0] if self.coef_.shape[0] == 1 else scores
        return self._lookup.raw(self, X, codes)


def _describe_groupings(
    target: Target, sample: Sample, relation: Relation, fit: Any
) -> dict[str, Any]:
    """Return labels and own parts of each grouping, by attribute."""
    names = [grouping.name for grouping in relation.groupings]
    own = [target.shape(sample, each, single=False) for each in fit.detail.own]
    return {
        "groupings_": {each.name: each.labels for each in relation.groupings},
        "coef_groupings_": dict(zip(names, (v["coef_"] for v in own), strict=True)),
        "intercept_groupings_": dict(
            zip(names, (v["intercept_"] for v in own), strict=True)
        ),
    }
