"""Search of the strengths of several groupings, squared loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import minimize

from skmtl._contracts import Array, Chosen
from skmtl.problems import unpack_groupings
from skmtl.problems.exact import (
    Columns,
    GroupedDesign,
    GroupedRows,
    GroupedSystem,
    SingularError,
)

from ..search import (
    SolvedModels,
    Study,
    held_out_measure,
    read_splits,
    refuse_empty_folds,
    refuse_scoring,
)
from ..squared_loss import LIKELIHOOD, SCORE, Results
from ._reml import GroupedLikelihood
from ._strengths import Slots

# Bounds and starts of log strengths, relative to the units.
_LOWEST, _HIGHEST = -15.0, 15.0
_STARTS = -3.0, -1.0, 1.0
# Try infinity for a strength above this factor of its unit.
_LARGE = 1e2
# What the criterion exceeds its start by where equations are singular.
_WALL = 1e6
# First and last step of log strengths in a search without gradients.
_STEPS = 1.0, 0.4, 0.15
# Prefer an infinite strength unless the error rises by this, relative and divided by
# the number of rows.
_SLACK = 0.05
_TOL = 1e-13


@dataclass(frozen=True)
class GroupedFits:
    """Fits of the same rows at several strengths.

    Parameters
    ----------
    rows : GroupedRows
        Observations.
    slots : Slots
        The strengths.
    fit_intercept : bool
        Whether there are intercepts.
    """

    rows: GroupedRows
    slots: Slots
    fit_intercept: bool

    @cached_property
    def _designs(self) -> dict[Any, Any]:
        return {}

    def at(self, values: Sequence[float]) -> GroupedLikelihood:
        """Return the fit at some strengths."""
        strengths = self.slots.strengths(values)
        finite = tuple(np.isfinite(values))
        if finite not in self._designs:
            columns = Columns.of(strengths, self.fit_intercept)
            design = GroupedDesign.of(self.rows, columns)
            self._designs[finite] = design, design.products(self.rows.weight)
        design, products = self._designs[finite]
        system = GroupedSystem(products, strengths.raised(self.rows))
        return GroupedLikelihood(design, system, strengths)


@dataclass(frozen=True)
class FoldErrors:
    """Errors of fits to training rows on held-out rows, one per fold.

    Parameters
    ----------
    fits : sequence of GroupedFits
        Fits of training rows.
    errors : sequence of callable
        Errors of a fit on the held-out rows of each fold.
    """

    fits: Sequence[GroupedFits]
    errors: Sequence[Callable[[GroupedLikelihood], float]]

    def __call__(self, values: Sequence[float]) -> Array:
        """Return the error of each fold, NaN where it cannot be solved."""
        pairs = zip(self.fits, self.errors, strict=True)
        return np.array([_try_error(error, fits, values) for fits, error in pairs])


def _try_error(error, fits, values):
    try:
        return error(fits.at(values))
    except SingularError:
        return np.nan


class Tries:
    """Criteria of the strengths tried so far; each is computed once.

    Parameters
    ----------
    criterion : callable
        Function of strengths: a number, or one per fold.
    """

    def __init__(self, criterion: Callable[..., Any]) -> None:
        self._criterion = criterion
        self.known: dict[tuple[float, ...], Any] = {}

    def __call__(self, values: Any) -> float:
        """Return the mean criterion, infinite if it is NaN."""
        key = tuple(map(float, values))
        if key not in self.known:
            try:
                self.known[key] = self._criterion(key)
            except SingularError:
                self.known[key] = np.nan
        mean = float(np.mean(self.known[key]))
        return np.inf if np.isnan(mean) else mean


@dataclass(frozen=True)
class GroupedSearch:
    """Choose the strengths of several groupings by likelihood or held-out errors.

    Parameters
    ----------
    relation_at : callable
        Returns the relation at strengths: per grouping, of the shared part, of own
        intercepts per grouping.
    groupings : sequence of Grouping
        Groupings of the tasks.
    given : sequence of (mapping, array-like or None)
        Strengths to choose from: of own coefficients, of the shared part, of own
        intercepts.
    method : {"loo", "gcv", "cv", "reml"}
        Criterion.
    cv : int, splitter, iterable or None
        The folds of method "cv".
    fit_intercept : bool
        Whether there are intercepts.
    scoring : str, callable or None
        Score of held-out rows; None for the negative mean squared error.
    """

    relation_at: Callable[..., Any]
    groupings: Sequence[Any]
    given: Sequence[Any]
    method: str
    cv: Any
    fit_intercept: bool
    scoring: Any = None
    is_shared = True
    penalizes_intercepts = True

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        if self.method != "cv":
            refuse_scoring(self.scoring, "method", self.method, "'cv'")
        rows = GroupedRows.of(study.rows)
        rows.refuse_huge()
        names = [grouping.name for grouping in self.groupings]
        slots = Slots.of(names, self.given, rows, self.fit_intercept)
        fits = GroupedFits(rows, slots, self.fit_intercept)
        self._refuse_few_rows(rows, slots)
        by_likelihood = Tries(lambda values: fits.at(values).criterion / 2)
        values = maximize_likelihood(fits, by_likelihood)
        tries = by_likelihood
        if self.method != "reml":
            tries = Tries(self._criterion(fits, study))
            values = descend(tries, values, slots, _SLACK / rows.weight.sum())
        if any(each is not None and len(each) > 1 for each in slots.lists):
            values = pick_from_lists(tries, values, slots)
        facts = self._facts(tries, values, slots, fits)
        strengths = [facts[f"alpha{part}_"] for part in ("", "_shared", "_intercept")]
        return Chosen(self.relation_at(*strengths), facts)

    def _criterion(self, fits, study):
        if self.method == "loo":
            return lambda values: fits.at(values).left_out_error()
        if self.method == "gcv":
            return lambda values: fits.at(values).generalised_error()
        return self._fold_errors(fits, study)

    def _fold_errors(self, fits, study):
        """Return the errors of folds as a function of strengths."""
        splits = read_splits(self.cv, study)
        parts = [[study.rows.select(rows) for rows in pair] for pair in splits]
        pairs = [[GroupedRows.of(part) for part in pair] for pair in parts]
        weights = (part.weight.any() for pair in pairs for part in pair)
        refuse_empty_folds(weights, len(splits))
        training = [
            GroupedFits(train, fits.slots, self.fit_intercept) for train, _ in pairs
        ]
        if self.scoring is None:
            errors = [_squared_error_on(held_out) for _, held_out in pairs]
        else:
            measure = held_out_measure(study, self.scoring)
            errors = [self._error_on(measure(rows)) for _, rows in splits]
        return FoldErrors(training, errors)

    def _error_on(self, score):
        """Return the negative score of a fit as a function."""

        def error(fit: GroupedLikelihood) -> float:
            layout, parts = fit.system.layout, fit.solved.parts
            models, _ = unpack_groupings(layout, parts, self.groupings)
            return -score(SolvedModels(models, self.fit_intercept))

        return error

    def _facts(self, tries, values, slots, fits):
        """Return the fitted attributes of the search, by name."""
        fit, chosen = fits.at(values), slots.by_name(values)
        by_reml = self.method == "reml"
        table = tabulate(tries, values, slots, *([LIKELIHOOD] * by_reml))
        sigma2 = fit.noise_variance if by_reml else fit.posterior.noise_variance
        return {
            **chosen,
            **table,
            "sigma2_": float(sigma2),
            "method_": self.method,
            "tau2_": {name: sigma2 / a for name, a in chosen["alpha_"].items()},
            "tau2_intercept_": {
                name: sigma2 / a for name, a in chosen["alpha_intercept_"].items()
            },
        }

    def _refuse_few_rows(self, rows, slots):
        shared = slots.lists[-1]
        if shared is not None and shared[0] == 0 < shared[-1] and self.method == "reml":
            raise ValueError(
                "alphas_shared must not mix 0 with other strengths for method='reml', "
                f"as their likelihoods are not comparable, got {shared.tolist()}. "
                "Leave out 0, or give only 0."
            )
        n_unpenalized = rows.X.shape[1] + self.fit_intercept
        if shared is None or shared[0] > 0 or rows.weight.sum() > n_unpenalized:
            return
        raise ValueError(
            "An unpenalised shared part needs more rows than features, got rows of "
            f"total weight {rows.weight.sum():g} and {rows.X.shape[1]} features. Leave "
            "alphas_shared at None."
        )


def _squared_error_on(held_out):
    """Return the squared error on held-out rows as a function of a fit."""

    def error(fit: GroupedLikelihood) -> float:
        design = GroupedDesign(held_out, fit.system.layout)
        residual = held_out.y - design.forward(fit.solved.parts)[:, 0]
        return float(held_out.weight @ residual**2 / held_out.weight.sum())

    return error


def maximize_likelihood(fits: GroupedFits, tries: Tries) -> Array:
    """Return the strengths with the largest restricted likelihood.

    Parameters
    ----------
    fits : GroupedFits
        Fits of the rows.
    tries : Tries
        Criteria of strengths; those of the path are added.

    Returns
    -------
    ndarray of shape (n_slots,)
        The strengths.
    """
    slots = fits.slots
    starts = [slots.start(np.exp(step)) for step in _STARTS]
    free = ~slots.is_fixed
    if not free.any():
        return starts[0]
    values = min(starts, key=tries)
    values = _climb(fits, tries, values, free)
    for k in np.argsort(slots.units / values):
        if not free[k] or values[k] < _LARGE * slots.units[k]:
            continue
        simpler = values.copy()
        simpler[k] = np.inf
        still = free & np.isfinite(simpler)
        if still.any():
            simpler = _climb(fits, tries, simpler, still)
        if tries(simpler) <= tries(values) + 1e-9 * abs(tries(values)):
            values, free = simpler, still
    return values


def _climb(fits, tries, values, free):
    """Maximise the likelihood over the finite strengths that are free."""
    values, units, first = values.copy(), fits.slots.units[free], tries(values)
    wall = _WALL + (2 * abs(first) if np.isfinite(first) else 0.0)

    def value(logs):
        values[free] = units * np.exp(logs)
        fit = fits.at(values)
        try:
            criterion, gradient = fit.criterion, fit.gradient()[free]
        except SingularError:  # a wall, from which the line search turns back
            return wall, np.zeros(len(logs))
        tries.known[tuple(map(float, values))] = criterion / 2
        return criterion, gradient

    found = minimize(
        value,
        np.log(values[free] / units),
        jac=True,
        method="L-BFGS-B",
        bounds=[(_LOWEST, _HIGHEST)] * int(free.sum()),
        options={"ftol": _TOL, "gtol": 1e-6, "maxiter": 200},
    )
    values[free] = units * np.exp(found.x)
    return values


def tabulate(
    tries: Tries, values: Array, slots: Slots, name: str = SCORE
) -> dict[str, Any]:
    """Return the table of a search as fitted attributes, the chosen strengths last.

    Parameters
    ----------
    tries : Tries
        Criteria of strengths.
    values : ndarray of shape (n_slots,)
        The chosen strengths.
    slots : Slots
        Names of the strengths.
    name : str, default="mean_test_score"
        Column of the scores.

    Returns
    -------
    dict
        `cv_results_`, `best_index_` and `best_score_`.
    """
    tries(values)
    known = dict(tries.known)
    key = tuple(map(float, values))
    known[key] = known.pop(key)
    columns = slots.columns(np.array(list(known)))
    scores = -np.array(list(known.values()))
    if scores.ndim == 1:
        results = Results(columns, scores, name)
    else:
        results = Results.of_folds(columns, scores.T)
    best = len(known) - 1
    return {
        "cv_results_": results.table,
        "best_index_": best,
        "best_score_": float(results.scores[best]),
    }


def descend(
    tries: Tries,
    values: Array,
    slots: Slots,
    slack: float,
    steps: Sequence[float] = _STEPS,
) -> Array:
    """Minimise a criterion along each log strength in turn, without gradients.

    Parameters
    ----------
    tries : Tries
        Criteria of strengths.
    values : ndarray of shape (n_slots,)
        Start.
    slots : Slots
        The strengths.
    slack : float
        Relative increase of the criterion at which infinite strengths are preferred.
    steps : sequence of float
        Steps of log strengths, the largest first.

    Returns
    -------
    ndarray of shape (n_slots,)
        The best strengths.
    """
    free = ~slots.is_fixed
    for step in steps:
        for k in np.flatnonzero(free):
            if np.isinf(values[k]):
                values = _try(tries, values, k, [slots.units[k] * _LARGE])
            else:
                values = _search_along(tries, values, k, step)
    for k in np.argsort(slots.units / values):
        if free[k] and np.isfinite(values[k]):
            simpler = values.copy()
            simpler[k] = np.inf
            best = tries(values)
            if tries(simpler) <= best + slack * abs(best):
                values = simpler
    return values


def _search_along(tries, values, k, step):
    """Return the best of three strengths and of the minimum of their parabola."""
    at = values[k]
    sides = [at * np.exp(-step), at * np.exp(step)]
    low, middle, high = (
        tries(_replace(values, k, v)) for v in (sides[0], at, sides[1])
    )
    bend = low + high - 2 * middle
    candidates = sides
    if np.isfinite(bend) and bend > 0:
        move = np.clip((low - high) / (2 * bend), -3.0, 3.0)
        candidates = [*sides, at * np.exp(step * move)]
    elif low < middle or high < middle:
        way = -1.0 if low < high else 1.0
        candidates = [*sides, at * np.exp(3 * way * step)]
    return _try(tries, values, k, candidates)


def _try(tries, values, k, candidates):
    """Return the strengths with the best of some values in one place."""
    options = [values, *(_replace(values, k, each) for each in candidates)]
    return min(options, key=tries)


def _replace(values, k, value):
    changed = values.copy()
    changed[k] = value
    return changed


def pick_from_lists(tries: Tries, values: Array, slots: Slots) -> Array:
    """Choose strengths from lists, in turn, where there are lists.

    Parameters
    ----------
    tries : Tries
        Criteria of strengths.
    values : ndarray of shape (n_slots,)
        Strengths; those without a list do not change.
    slots : Slots
        The lists.

    Returns
    -------
    ndarray of shape (n_slots,)
        The best strengths.
    """
    values = values.copy()
    for k, each in enumerate(slots.lists):
        if each is not None:
            nearest = np.argmin(np.abs(np.log(each) - np.log(values[k])))
            values[k] = each[nearest if np.isfinite(values[k]) else -1]
    for _ in range(3):
        before = values
        for k, each in enumerate(slots.lists):
            if each is not None:
                values = _try(tries, values, k, each)
        if np.array_equal(before, values):
            break
    return values
