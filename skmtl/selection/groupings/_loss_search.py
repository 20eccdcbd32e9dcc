"""Search of the strengths of several groupings, any loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array, Chosen, Loss
from skmtl.problems import read_goals, unpack_groupings
from skmtl.problems.exact import GroupedRows
from skmtl.problems.newton import GroupedLosses
from skmtl.solvers import Newton

from ..search import (
    SolvedModels,
    Study,
    held_out_measure,
    read_shuffled_splits,
    refuse_scoring,
)
from ..squared_loss import LIKELIHOOD
from ._search import Tries, descend, pick_from_lists, tabulate
from ._strengths import Slots

# First and last steps of log strengths.
_STEPS = 2.0, 1.0, 0.4
# Scores need fewer digits than the final fit.
_SOLVER = Newton(tol=1e-8)
# Prefer an infinite strength unless the mean loss rises by this, relatively.
_SLACK = 1e-5


@dataclass(frozen=True)
class LossFits:
    """Fits of the same rows at several strengths, each from the last solution.

    Parameters
    ----------
    rows : GroupedRows
        Observations.
    loss : Loss
        Loss of a row.
    goals : ndarray of shape (n_samples, n_targets)
        Targets of the loss.
    slots : Slots
        The strengths.
    fit_intercept : bool
        Whether there are intercepts.
    """

    rows: GroupedRows
    loss: Loss
    goals: Array
    slots: Slots
    fit_intercept: bool
    _known: dict[Any, Any] = field(default_factory=dict)

    def at(self, values: Sequence[float]) -> tuple[GroupedLosses, Array]:
        """Return the losses at some strengths, and their minimum."""
        strengths = self.slots.strengths(values)
        finite = tuple(np.isfinite(values))
        if finite in self._known:
            losses, start = self._known[finite]
            losses = losses.at_strengths(strengths)
        else:
            losses = GroupedLosses.of(
                self.rows, self.loss, self.goals, strengths, self.fit_intercept
            )
            start = losses.start()
        solution = _SOLVER.minimize(losses, start)
        self._known[finite] = losses, solution.variable
        return losses, solution.variable

    def likelihood(self, values: Sequence[float]) -> float:
        """Return the Laplace approximation of the log likelihood."""
        losses, variable = self.at(values)
        point = losses.at(variable)
        system = losses.system(point)
        total = system.own_log_determinant + system.shared.log_determinant
        shared = values[-1]
        n_flat = system.shared.rank
        if 0 < shared < np.inf:
            n_coef = len(system.layout.centre)
            total -= n_coef * np.log(shared)
            n_flat -= n_coef
        return float(-point.value - total / 2 + n_flat * np.log(2 * np.pi) / 2)


@dataclass(frozen=True)
class GroupedLossSearch:
    """Choose the strengths of several groupings by held-out scores or likelihood.

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
    method : {"cv", "laplace"}
        Criterion.
    cv : int, splitter, iterable or None
        The folds of method "cv".
    scoring : str, callable or None
        Score of held-out rows; None for the negative mean loss.
    """

    relation_at: Callable[..., Any]
    groupings: Sequence[Any]
    given: Sequence[Any]
    method: str
    cv: Any
    scoring: Any
    is_shared = True
    penalizes_intercepts = True

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        fits = self._pose(study)
        slots = fits.slots
        by_likelihood = self.method == "laplace"
        if by_likelihood:
            refuse_scoring(self.scoring, "method", self.method, "'cv'")
            _refuse_several_classes(study.loss)
            tries = Tries(lambda values: -fits.likelihood(values))
        else:
            tries = Tries(self._fold_errors(fits, study))
        values = descend(tries, slots.start(), slots, _SLACK, _STEPS)
        if any(each is not None and len(each) > 1 for each in slots.lists):
            values = pick_from_lists(tries, values, slots)
        facts = {
            **slots.by_name(values),
            **tabulate(tries, values, slots, *([LIKELIHOOD] * by_likelihood)),
        }
        facts["tau2_"] = {name: 1 / a for name, a in facts["alpha_"].items()}
        facts["tau2_intercept_"] = {
            name: 1 / a for name, a in facts["alpha_intercept_"].items()
        }
        strengths = [facts[f"alpha{part}_"] for part in ("", "_shared", "_intercept")]
        return Chosen(self.relation_at(*strengths), facts)

    def _pose(self, study):
        """Return fits of all rows, with the units of the loss."""
        rows, names = GroupedRows.of(study.rows), [g.name for g in self.groupings]
        rows.refuse_huge()
        goals = read_goals(study.rows, study.targets)
        slots = Slots.of(names, self.given, rows, study.fit_intercept)
        mean = np.average(goals, axis=0, weights=rows.weight)[None]
        with np.errstate(divide="ignore"):
            bent = study.loss.hessian(mean, np.nan_to_num(study.loss.link(mean)))
        unit = float(np.mean(np.diagonal(bent[0])))
        slots = replace(slots, units=slots.units * (unit if unit > 0 else 1.0))
        return LossFits(rows, study.loss, goals, slots, study.fit_intercept)

    def _fold_errors(self, fits, study):
        """Return the negative scores of folds as a function of strengths."""
        measure = held_out_measure(study, self.scoring)
        pairs = []
        for train, test in read_shuffled_splits(self.cv, study):
            part, targets = study.prepare_part(study.rows.select(train))
            rows, goals = GroupedRows.of(part), read_goals(part, targets)
            pairs.append(
                (replace(fits, rows=rows, goals=goals, _known={}), measure(test))
            )

        def errors(values: Sequence[float]) -> Array:
            return np.array(
                [-score(self._solve(some, values)) for some, score in pairs]
            )

        return errors

    def _solve(self, fits, values):
        losses, variable = fits.at(values)
        parts, layout = losses.split(variable), losses.design.layout
        models, _ = unpack_groupings(layout, parts, self.groupings)
        return SolvedModels(models, fits.fit_intercept)


def _refuse_several_classes(loss):
    if loss.n_outputs > 1:
        raise ValueError(
            "method='laplace' needs two classes if several columns declare the tasks, "
            f"got {loss.n_outputs + 1}. Use method='cv'."
        )
