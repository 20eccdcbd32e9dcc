"""Scores of solutions on held-out rows: a loss, an error, or a scorer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial, update_wrapper
from inspect import signature
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from sklearn.metrics import get_scorer

from skmtl._compat import safe_indexing
from skmtl._contracts import Array
from skmtl.data import spread_label
from skmtl.losses import contrasts
from skmtl.problems.newton import Datafit

from ._study import Study

# Methods that scorers call without the task of each row.
_METHODS = "predict", "predict_proba", "predict_log_proba", "decision_function", "score"


class Solved(Protocol):
    """A solution that can be scored."""

    @property
    def coefs(self) -> Array:
        """Coefficients and intercepts, (n_tasks, n_outputs, n_columns)."""

    @property
    def models(self) -> Any:
        """The same as TaskModels."""


# Returns the score of a solution, larger is better.
Score = Callable[[Solved], Any]


@dataclass(frozen=True)
class SolvedObjective:
    """Solution of an objective.

    Parameters
    ----------
    objective : CoupledTasks
        The objective.
    variable : ndarray
        Its minimum.
    rotation : Rotation, default=None
        Coordinates of the features in the objective; None for the features themselves.
    """

    objective: Any
    variable: Array
    rotation: Any = None

    @property
    def coefs(self) -> Array:
        """Coefficients and intercepts, (n_tasks, n_outputs, n_columns)."""
        coefs = self.objective.coefs(self.variable)
        if self.rotation is None:
            return coefs
        return self.rotation.leave(coefs, self.objective.datafit.fit_intercept)

    @property
    def models(self) -> Any:
        """The same as TaskModels."""
        found = self.objective.unpack(self.variable)
        return found if self.rotation is None else found.turned(self.rotation)


@dataclass(frozen=True)
class SolvedModels:
    """Linear models of tasks.

    Parameters
    ----------
    models : TaskModels
        The models.
    fit_intercept : bool
        Whether they have intercepts.
    """

    models: Any
    fit_intercept: bool

    @property
    def coefs(self) -> Array:
        """Coefficients and intercepts, (n_tasks, n_outputs, n_columns)."""
        found: Array = self.models.columns(self.fit_intercept)
        return found


@dataclass(frozen=True)
class HeldOutLoss:
    """Score solutions by the negative mean loss of test rows, all weights applied.

    Parameters
    ----------
    datafit : Datafit
        Losses of all rows.
    """

    datafit: Datafit

    def __call__(self, test: Array) -> Score:
        """Return a function that scores a solution on these rows of X."""
        held_out = self.datafit.select(test)
        total = held_out.task_totals.sum()

        def score(solved):
            return -self.total(held_out, held_out.predict(solved.coefs)) / total

        return score

    def total(self, held_out: Datafit, raw: Any) -> float:
        """Return the weighted sum of the losses of all rows."""
        return held_out.value(raw)


class HeldOutAccuracy(HeldOutLoss):
    """Score solutions by the share of test rows with the right class."""

    def __call__(self, test: Array) -> Score:
        score = super().__call__(test)
        return lambda solved: 1 + score(solved)

    def total(self, held_out: Datafit, raw: Any) -> float:
        """Return the weighted number of wrong classes."""
        return _sum_rows(held_out, raw, _is_wrong)


class HeldOutDeviation(HeldOutLoss):
    """Score solutions by the negative mean absolute error of test rows.

    It is for losses that estimate the scale of residuals in each fit, as their values
    at different scales are not comparable.
    """

    def total(self, held_out: Datafit, raw: Any) -> float:
        """Return the weighted sum of the absolute errors."""
        return _sum_rows(held_out, raw, lambda y, z: np.abs(y - z)[..., 0])


class HeldOutDeviance(HeldOutLoss):
    """Score solutions by the negative mean deviance of test rows.

    It is twice the loss above that of perfect predictions.
    """

    def total(self, held_out: Datafit, raw: Any) -> float:
        """Return the weighted sum of the deviances."""
        loss: Any = held_out.loss

        def deviance(y, z):
            return 2 * (loss.cost(y, z) + loss.dual_cost(y, np.zeros_like(y)))[..., 0]

        with np.errstate(over="ignore"):
            return _sum_rows(held_out, raw, deviance)


def _sum_rows(held_out, raw, cost):
    pairs = zip(held_out.stacks(), raw, strict=True)
    return float(sum((stack.weight * cost(stack.y, z)).sum() for stack, z in pairs))


def _is_wrong(y, z):
    """Return whether another class is more probable than the right one."""
    if y.shape[-1] == 1:
        return ((z > 0) != (y == 1))[..., 0]
    scores = z @ contrasts(y.shape[-1]).T
    scores[np.isnan(y)] = -np.inf
    return scores.argmax(axis=-1) != np.nan_to_num(y).argmax(axis=-1)


@dataclass(frozen=True)
class HeldOutScore:
    """Score solutions by a scorer of scikit-learn.

    Parameters
    ----------
    scoring : str or callable
        The scorer; it is called with a fitted model.
    study : Study
        All rows, and the arguments of `fit`.
    """

    scoring: Any
    study: Study

    def __call__(self, test: Array) -> Score:
        """Return a function that scores a solution on these rows of X."""
        score = self._score_on(test)
        return lambda solved: score(self.study.make_model(solved.models))

    def or_worst(self, test: Array) -> Score:
        """Return the same function, with minus infinity in place of NaN."""
        score = self(test)
        return lambda solved: _or_worst(score(solved))

    @cached_property
    def _arguments(self):
        """X, y, task and exposure of all rows that were given, to be indexed."""
        study, y = self.study, self.study.y
        if isinstance(y, np.ma.MaskedArray):
            y = y.astype(float).filled(np.nan) if y.mask.any() else y.data
        given = {
            "X": study.X.tocsr() if sparse.issparse(study.X) else study.X,
            "y": y,
            "task": spread_label(study.task, study.rows.X.shape[0]),
            "exposure": study.exposure,
        }
        return {name: each for name, each in given.items() if each is not None}

    def of_each_task(self, test: Array) -> Score:
        """Return a function that scores a solution on the test rows of each task.

        It returns an array (n_tasks,): NaN for tasks without test rows, and minus
        infinity where the scorer returns NaN.
        """
        rows = self.study.rows
        by_task = self._score_columns if rows.layout == "outputs" else self._score_tasks
        scores = by_task(np.arange(rows.X.shape[0])[test])

        def score(solved):
            model = self.study.make_model(solved.models)
            return np.array(
                [np.nan if each is None else _or_worst(each(model)) for each in scores]
            )

        return score

    def _score_tasks(self, test):
        rows = self.study.rows
        codes = np.empty(rows.X.shape[0], dtype=int)
        order = slice(None) if rows.rows is None else rows.rows
        codes[order] = np.repeat(np.arange(len(rows.tasks)), np.diff(rows.offsets))
        parts = [test[codes[test] == t] for t in range(len(rows.tasks))]
        return [self._score_on(part) if len(part) else None for part in parts]

    def _score_columns(self, test):
        Y = np.asarray(self._arguments["y"], dtype=float)
        parts = [test[~np.isnan(column[test])] for column in Y.T]
        return [
            self._score_on(part, column) if len(part) else None
            for column, part in enumerate(parts)
        ]

    def _score_on(self, test, column=None):
        """Return a function that scores a model on rows, or on one column of y."""
        scorer = get_scorer(self.scoring)
        given = {k: safe_indexing(each, test) for k, each in self._arguments.items()}
        X, y = given.pop("X"), given.pop("y")
        if column is not None:
            y = np.asarray(y, dtype=float)[:, column]
            return lambda model: float(scorer(_OfColumn(model, column), X, y))
        if not given:
            return lambda model: float(scorer(model, X, y))
        return lambda model: float(scorer(_AtRows(model, given), X, y))


def _or_worst(score):
    """Return minus infinity for a score that is NaN."""
    return -np.inf if np.isnan(score) else score


class _AtRows:
    """A fitted model whose methods need no `task` or `exposure`, for scorers."""

    def __init__(self, model, given):
        self._model, self._given = model, given

    def __getattr__(self, name):
        value = getattr(self._model, name)
        if name not in _METHODS:
            return value
        known = signature(value).parameters
        given = {key: each for key, each in self._given.items() if key in known}
        # Scorers read the name of a method.
        return update_wrapper(partial(value, **given), value)

    def __sklearn_tags__(self):
        return self._model.__sklearn_tags__()


class _OfColumn:
    """A fitted model that predicts one column of y."""

    def __init__(self, model, column):
        self._model, self._column = model, column

    def predict(self, X):
        return self._model.predict(X)[:, self._column]

    def __sklearn_tags__(self):
        return self._model.__sklearn_tags__()


# Scores that need no fitted model.
_FAST = {"neg_log_loss": HeldOutLoss, "accuracy": HeldOutAccuracy}


def held_out_measure(study: Study, scoring: Any) -> Callable[[Array], Score]:
    """Return a function of test rows that returns a score of solutions.

    Parameters
    ----------
    study : Study
        Rows and loss.
    scoring : str, callable or None
        The score; None for the negative mean loss, or what is comparable in its place.

    Returns
    -------
    callable
        Called with test rows of X, it returns a function of a Solved.
    """
    # Scorers need not be hashable.
    is_fast = isinstance(scoring, str) and scoring in _FAST
    if scoring is not None and not (is_fast and study.targets is not None):
        return HeldOutScore(scoring, study)
    targets = without_pseudo_rows(study.targets)
    rows = study.rows.stacked()
    datafit = Datafit(rows, study.loss, study.fit_intercept, targets)
    if scoring is not None:
        return _FAST[scoring](datafit)
    if study.loss.is_scaled:
        return HeldOutDeviation(datafit)
    if study.loss.has_log_link:
        return HeldOutDeviance(datafit)
    return HeldOutLoss(datafit)


def without_pseudo_rows(targets: Any) -> Any:
    """Return targets to measure losses by: without pseudo-rows, or None."""
    return None if targets is None else targets.without_pseudo_rows()


def refuse_scoring(scoring: Any, name: str, got: str | None, needed: str) -> None:
    """Raise an error for a scorer with a criterion without held-out rows.

    Parameters
    ----------
    scoring : str, callable or None
        The score.
    name : str
        Parameter of the criterion.
    got : str or None
        Its value.
    needed : str
        A value with held-out rows.
    """
    if scoring is not None:
        raise ValueError(
            f"scoring needs held-out rows, got {name}={got!r}. Set {name}={needed}, or "
            "leave scoring at None."
        )
