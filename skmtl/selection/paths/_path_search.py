"""Search of a strength along a path, in folds of the rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np

from skmtl._contracts import Chosen, Relation, TaskSet
from skmtl.problems import pose, pose_moments
from skmtl.problems.newton import Datafit
from skmtl.problems.proximal import into_parts
from skmtl.targets import seen_tasks

from ..any_loss import mean_curvatures
from ..search import (
    N_FOLDS,
    SolvedModels,
    Splits,
    Study,
    fold_moments,
    has_rows,
    held_out_measure,
    read_grid,
    read_shuffled_splits,
    read_splits,
    refuse_empty_folds,
)
from ..squared_loss import (
    Results,
    deal_observations,
    fold_errors,
    split_observations,
    suggest_alphas,
)
from ._path_scores import (
    choose,
    descending_path,
    extend_path,
    find_saturation,
    loose_tol,
    mean_error,
    mean_squared_error,
    warn_of_path,
    warn_of_path_end,
)

# Strengths of couplings of any loss, relative to the mean curvature of a task's loss.
_STRONGEST, _WEAKEST = 1e4, 1e-3
# End of a path of any loss before it is extended, relative to its largest strength.
_EPS_OF_LOSSES = 1e-2
# A coarse path has every third strength, and ends after so many that are not better.
_EVERY, _PATIENCE = 3, 2
# Tolerance of fits along a coarse path.
_ROUGH = 1e-4
# Largest number of iterations of fits along a path that may end early: such fits are
# warm-started, and weak penalties would take very many.
_MANY = 300


@dataclass(frozen=True)
class PathGrid:
    """Decreasing strengths to choose from.

    Parameters
    ----------
    alphas : array-like or None
        The strengths; None computes them from the rows.
    n_alphas : int
        Number of computed strengths.
    eps : float or None
        Smallest relative to the largest; None extends the path while errors fall.
    default_eps : float, default=1e-3
        Smallest relative to the largest before the path is extended.
    """

    alphas: Any
    n_alphas: int
    eps: float | None
    default_eps: float = 1e-3


@dataclass(frozen=True)
class PathSearch:
    """Choose the strength of a relation by cross-validation along a path.

    Parameters
    ----------
    relation_at : callable
        Returns the relation of tasks at a strength.
    grid : PathGrid
        The strengths.
    cv : int, splitter, iterable or None
        The folds.
    one_standard_error : bool
        Whether to choose the largest strength within one standard error of the best.
    moves_all : bool, default=True
        Whether all strengths of the relation change in proportion.
    refits_path : bool, default=False
        Whether the final fit is warm-started along the path.
    loosens : bool, default=True
        Whether fits of folds have a looser tolerance.
    scoring : str, callable or None, default=None
        Score of held-out rows; None for the negative mean loss.
    patience : int or None, default=None
        The path ends after this many strengths without a smaller error; None for never.
    is_shared, penalizes_intercepts : bool
        Those of the relation.
    """

    relation_at: Callable[..., Any]
    grid: PathGrid
    cv: Any
    one_standard_error: bool
    moves_all: bool = True
    refits_path: bool = False
    loosens: bool = True
    scoring: Any = None
    patience: int | None = None
    is_shared: bool = True
    penalizes_intercepts: bool = False

    def over(self, relation: Relation) -> "PathSearch":
        """Return the search of the strength of a relation."""
        if relation.groupings:
            raise ValueError(
                "A path of strengths needs one task column, got the groupings "
                f"{[each.name for each in relation.groupings]}. Use "
                "MeanRegularizedRegressorCV or MeanRegularizedClassifierCV."
            )
        return replace(
            self,
            is_shared=relation.is_shared,
            penalizes_intercepts=relation.penalizes_intercepts,
        )

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strength."""
        splits = self.split(study)
        problem = self._pose(study.rows, study.targets, study)
        alphas = self._suggest(problem, study)

        def measure(alphas):
            folds = self._folds(problem, study, splits)
            if self.patience is not None:
                return self._walk(folds, alphas, study, self.patience)
            return np.stack([self._errors(*fold, alphas, study) for fold in folds], 1)

        errors = measure(alphas)
        alphas = alphas[: len(errors)]
        if self.grid.alphas is None:
            extends = self.grid.eps is None
            alphas, errors = extend_path(alphas, errors, measure, extends)
            alphas = alphas[: len(errors)]
        else:
            warn_of_path_end("alphas", alphas, errors)
        results = Results.of_folds({"alpha": alphas}, -errors.T)
        best = choose(errors, self.one_standard_error)
        facts, tasks = results.facts(best), _tasks_of(study.rows)
        relation = self.relation_at(facts["alpha_"], tasks)
        held_out = partial(self._held_out, study, facts["alpha_"])
        if not self.refits_path:
            return Chosen(relation, facts, held_out=held_out)
        fits = list(self._fits(problem, tasks, alphas[: best + 1], study))
        facts["n_iter_"] = sum(fit.n_iter for fit in fits)
        warn_of_path(fits[-1:], study.tol)
        return Chosen(relation, facts, fits[-1], held_out)

    def _held_out(self, study, alpha):
        """Return the errors of held-out rows at a strength."""
        rows, cv = study.rows, self.cv
        if cv is None or isinstance(cv, Integral):
            parts = deal_observations(rows, cv or N_FOLDS)
        else:
            parts = split_observations(rows, self.split(study))

        def fit_part(part):
            training, targets = study.prepare_part(part)
            tasks = _tasks_of(training)
            relation = self.relation_at(float(alpha), tasks)
            problem = self._pose(training, targets, study).at(relation)
            fit = problem.solve(None, loose_tol(study.tol), study.max_iter)
            return relation.extend(fit.models).first(len(tasks)).drop_output_axis()

        return fold_errors(rows, ((fit_part(part), test) for part, test in parts))

    def least_error(self, study: Study, splits: Any) -> float:
        """Return the smallest held-out error along a coarse path, in rough fits."""
        problem = self._pose(study.rows, study.targets, study)
        alphas = self._suggest(problem, study)[::_EVERY]
        folds = self._folds(problem, study, splits)
        rough = replace(study, tol=max(study.tol, _ROUGH))
        return float(mean_error(self._walk(folds, alphas, rough, _PATIENCE)).min())

    def _walk(self, folds, alphas, study, patience):
        """Return errors of all folds until `patience` strengths are not better."""
        few = replace(study, max_iter=min(study.max_iter or _MANY, _MANY))
        walks = [self._errors_of(*fold, alphas, few) for fold in folds]
        errors: list[Any] = []
        for each in zip(*walks, strict=True):
            errors.append(each)
            mean = mean_error(np.array(errors))
            if len(mean) - 1 - int(mean.argmin()) == patience:
                break
        return np.array(errors)

    def scale(self, study: Study) -> float | None:
        """Return the factor of the losses; None if scatter matrices are too large."""
        problem = self._pose(study.rows, study.targets, study)
        return problem.scale

    def split(self, study: Study) -> Splits:
        """Return the folds; rows are shuffled unless the loss is squared."""
        read = read_splits if study.loss.is_quadratic else read_shuffled_splits
        return read(self.cv, study)

    def _pose(self, rows, targets, study):
        relation = self.relation_at(1.0, _tasks_of(rows))
        return pose(rows, study.loss, relation, study.fit_intercept, targets)

    def _suggest(self, problem, study):
        """Return decreasing strengths, given or from zero coefficients."""
        grid = self.grid
        if grid.alphas is not None:
            return read_grid(grid.alphas, "alphas")[::-1].copy()
        tasks = _tasks_of(study.rows)
        if self.relation_at(1.0, tasks).is_coupling:
            return _suggest_coupling(study, grid.n_alphas)
        eps = grid.eps
        if eps is None:
            # Weak penalties on classes and counts cost many iterations.
            eps = grid.default_eps if study.loss.is_quadratic else _EPS_OF_LOSSES
        return descending_path(
            self._alpha_max(problem, tasks, study), grid.n_alphas, eps
        )

    def _alpha_max(self, problem, tasks, study):
        """Return the strength beyond which the solution does not change."""
        relation, loss = problem.relation, problem.loss
        if self.moves_all:
            penalty = relation.penalty
            highest = penalty.alpha_max(into_parts(loss, penalty.n_parts))
            return highest / penalty.alpha
        solver = relation.solver(study.loss, study.tol, study.max_iter)
        return find_saturation(
            loss, lambda a: self.relation_at(a, tasks).penalty, solver
        )

    def _folds(self, problem, study, splits):
        """Yield the problem, the tasks and the error function of each fold."""
        rows = study.rows
        if problem.moments is None or self.scoring is not None:
            measure = self._measure(study)
            for train, test in splits:
                training, targets = study.prepare_part(rows.select(train))
                parts = training, rows.select(test)
                refuse_empty_folds(map(has_rows, parts), len(splits))
                fold = self._pose(training, targets, study)
                yield fold, _tasks_of(training), measure(test)
        else:
            for train, test in fold_moments(rows, splits):
                tasks = _tasks_of_moments(train)
                relation = self.relation_at(1.0, tasks)
                fold = pose_moments(train, None, relation, study.fit_intercept)
                yield fold, tasks, _measure_moments(test)

    def _measure(self, study):
        """Return a function of test rows that returns an error function."""
        if self.scoring is None and study.loss.is_quadratic:
            return lambda test: _measure_rows(study.rows.select(test))
        score_on = held_out_measure(study, self.scoring)

        def measure(test):
            score = score_on(test)
            return lambda models: -score(SolvedModels(models, study.fit_intercept))

        return measure

    def _errors(self, problem, tasks, measure, alphas, study):
        """Return the error at every strength of a path."""
        fits = list(self._fits(problem, tasks, alphas, study, self.loosens))
        warn_of_path(fits, study.tol)
        return list(self._measure_fits(fits, tasks, measure, alphas))

    def _errors_of(self, problem, tasks, measure, alphas, study):
        """Yield the error at every strength of a path."""
        fits = self._fits(problem, tasks, alphas, study)
        return self._measure_fits(fits, tasks, measure, alphas)

    def _measure_fits(self, fits, tasks, measure, alphas):
        """Yield the errors of fits."""
        for alpha, fit in zip(alphas, fits, strict=True):
            relation = self.relation_at(float(alpha), tasks)
            yield measure(relation.extend(fit.models).first(len(tasks)))

    def _fits(self, problem, tasks, alphas, study, loosens=False):
        """Yield the fit at each strength, started from those before it."""
        before, last = None, None
        tol = loose_tol(study.tol) if loosens else study.tol
        for alpha in alphas:
            start = last
            if before is not None and self.loosens:
                start = 2 * last - before
            relation = self.relation_at(float(alpha), tasks)
            fit = problem.at(relation).solve(start, tol, study.max_iter)
            before, last = last, fit.variable
            yield fit


def _tasks_of(rows):
    return TaskSet(rows.tasks, rows.orders, seen_tasks(rows), rows.X.shape[1])


def _tasks_of_moments(moments):
    seen = moments.weight > 0
    return TaskSet(moments.tasks, moments.orders, seen, moments.n_features)


def _suggest_coupling(study, n_alphas):
    """Return decreasing strengths of a coupling, in units of a loss's curvature."""
    if study.loss.is_quadratic or study.loss.is_scaled:
        return suggest_alphas(study.rows.moments(), n_alphas)[::-1]
    rows = study.rows.stacked()
    datafit = Datafit(rows, study.loss, study.fit_intercept, study.targets)
    curvature, _ = mean_curvatures(datafit)
    return curvature * np.geomspace(_STRONGEST, _WEAKEST, n_alphas)


def _measure_rows(rows):
    return lambda models: mean_squared_error(rows, models.drop_output_axis())


def _measure_moments(moments):
    def measure(models):
        only = models.drop_output_axis()
        squares = moments.squared_errors(only.coef, only.intercept)
        return float(squares.sum() / moments.weight.sum())

    return measure
