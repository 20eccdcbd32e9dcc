"""Search strengths along a path, in folds of the rows."""

from dataclasses import dataclass

import numpy as np

from skmtl._contracts import Chosen, TaskSet
from skmtl.problems import pose, pose_moments
from skmtl.problems.proximal import into_parts
from skmtl.targets import seen_tasks

from ._folds import check_has_rows, fold_moments
from ._grids import read_grid, read_splits
from ._mean_grid import suggest_alphas
from ._path_scores import (
    choose,
    extend_path,
    fall,
    find_saturation,
    loose_tol,
    mean_squared_error,
    warn_of_path,
    warn_of_path_end,
)

_N_FOLDS = 5


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
        Where the path ends before it is extended.
    """

    alphas: object
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
    """

    relation_at: object
    grid: PathGrid
    cv: object
    one_standard_error: bool
    moves_all: bool = True
    refits_path: bool = False
    loosens: bool = True
    is_shared = True
    penalizes_intercepts = False

    def choose(self, study):
        """Return the relation at the best strength."""
        cv = _N_FOLDS if self.cv is None else self.cv
        splits = read_splits(cv, study.rows, study.X, study.y, study.task)
        problem = self._pose(study.rows, study)
        alphas = self._suggest(problem, study)

        def measure(alphas):
            folds = self._folds(problem, study, splits)
            return np.stack([self._errors(*fold, alphas, study) for fold in folds], 1)

        errors = measure(alphas)
        if self.grid.alphas is None:
            alphas, errors = extend_path(alphas, errors, measure, self.grid.eps is None)
        else:
            warn_of_path_end("alphas", alphas, errors)
        best = choose(errors, self.one_standard_error)
        relation = self.relation_at(float(alphas[best]), _tasks_of(study.rows))
        facts = {
            "alpha_": float(alphas[best]),
            "cv_results_": tabulate_path(alphas, errors),
            "best_index_": best,
            "best_score_": float(-errors[best].mean()),
        }
        if not self.refits_path:
            return Chosen(relation, facts)
        fits = list(
            self._fits(problem, _tasks_of(study.rows), alphas[: best + 1], study)
        )
        facts["n_iter_"] = sum(fit.n_iter for fit in fits)
        warn_of_path(fits[-1:], study.tol)
        return Chosen(relation, facts, fits[-1])

    def _pose(self, rows, study):
        relation = self.relation_at(1.0, _tasks_of(rows))
        return pose(rows, study.loss, relation, study.fit_intercept, study.targets)

    def _suggest(self, problem, study):
        """Return decreasing strengths, given or from zero coefficients on."""
        grid = self.grid
        if grid.alphas is not None:
            return read_grid(grid.alphas, "alphas")[::-1].copy()
        tasks = _tasks_of(study.rows)
        if problem.relation.is_coupling:
            return suggest_alphas(study.rows.moments(), grid.n_alphas)[::-1]
        eps = grid.default_eps if grid.eps is None else grid.eps
        return fall(self._alpha_max(problem, tasks, study), grid.n_alphas, eps)

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
        """Yield the problem and the tasks of each fold, and a function for errors."""
        rows = study.rows
        if problem.moments is None:
            for train, test in splits:
                training = rows.select(train)
                check_has_rows(training, rows.X.shape[0])
                held_out = rows.select(test)
                fold = self._pose(training, study)
                yield fold, _tasks_of(training), _measure_rows(held_out)
        else:
            for train, test in fold_moments(rows, splits):
                tasks = _tasks_of_moments(train)
                relation = self.relation_at(1.0, tasks)
                fold = pose_moments(train, None, relation, study.fit_intercept)
                yield fold, tasks, _measure_moments(test)

    def _errors(self, problem, tasks, measure, alphas, study):
        """Return the error at every strength of a path."""
        fits = list(self._fits(problem, tasks, alphas, study, self.loosens))
        warn_of_path(fits, study.tol)
        found = []
        for fit, alpha in zip(fits, alphas, strict=True):
            relation = self.relation_at(float(alpha), tasks)
            models = relation.extend(fit.models).first(len(tasks))
            found.append(measure(models.drop_output_axis()))
        return found

    def _fits(self, problem, tasks, alphas, study, loosens=False):
        """Yield the fit at each strength, started from those before it."""
        tol, before, last = study.tol, None, None
        tol = loose_tol(tol) if loosens else tol
        for alpha in alphas:
            start = last
            if before is not None and self.loosens:
                start = 2 * last - before
            relation = self.relation_at(float(alpha), tasks)
            fit = problem.at(relation).solve(start, tol, study.max_iter)
            before, last = last, fit.variable
            yield fit


def tabulate_path(alphas, errors):
    """Return the table of strengths and scores."""
    scores = -errors
    splits = {f"split{k}_test_score": each for k, each in enumerate(scores.T)}
    return {
        "alpha": alphas,
        "mean_test_score": scores.mean(axis=1),
        "std_test_score": np.std(scores, axis=1),
        **splits,
    }


def _tasks_of(rows):
    return TaskSet(rows.tasks, rows.orders, seen_tasks(rows), rows.X.shape[1])


def _tasks_of_moments(moments):
    seen = moments.weight > 0
    return TaskSet(moments.tasks, moments.orders, seen, moments.n_features)


def _measure_rows(rows):
    return lambda models: mean_squared_error(rows, models)


def _measure_moments(moments):
    def measure(models):
        squares = moments.squared_errors(models.coef, models.intercept)
        return float(squares.sum() / moments.weight.sum())

    return measure
