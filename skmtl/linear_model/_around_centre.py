"""Penalised relations of deviations from a centre, with penalised intercepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skmtl._compat import StrOptions
from skmtl._contracts import Centre, PenalizedRelation
from skmtl.base import UNBOUNDED
from skmtl.selection import CentreSearch
from skmtl.solvers import Fista

CENTRE_CONSTRAINTS: dict[str, list[Any]] = {
    "alpha_shared": UNBOUNDED,
    "alpha_intercept": UNBOUNDED,
}
# The strength that a search chooses.
AUTO = "auto"
CENTRE_SEARCH_CONSTRAINTS: dict[str, list[Any]] = {
    name: [StrOptions({AUTO}), *each] for name, each in CENTRE_CONSTRAINTS.items()
}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class AroundCentre(PenalizedRelation):
    """A penalised relation of deviations from a centre, with penalised intercepts.

    Parameters
    ----------
    relation : PenalizedRelation
        Relation of the deviations.
    centre : Centre
        Strengths of the centre.
    """

    relation: PenalizedRelation
    centre: Centre

    @property
    def is_shared(self):
        return True

    @property
    def penalizes_intercepts(self):
        return self.centre.alpha_intercept > 0

    @property
    def graph(self):
        return self.relation.graph

    @property
    def penalty(self):
        return self.relation.penalty

    @property
    def ridge(self):
        return self.relation.ridge

    @property
    def precision(self):
        return self.relation.precision

    def solver(self, loss, tol, max_iter):
        # The centre couples features, so that no working set is a problem of its own.
        if self.relation.selects_features:
            return Fista(tol, max_iter or _MAX_ITER)
        return self.relation.solver(loss, tol, max_iter)

    def extend(self, models):
        return self.relation.extend(models)

    def report(self, fit, tasks):
        return self.relation.report(fit, tasks)

    def report_coef(self, fit):
        return self.relation.report_coef(fit)

    def report_nodes(self, coef):
        return self.relation.report_nodes(coef)


def around_centre(relation, alpha_shared, alpha_intercept):
    """Return a relation around a centre, or itself if the centre is absent."""
    return _around(relation, Centre(alpha_shared, alpha_intercept))


def _around(relation, centre):
    return relation if centre.is_absent else AroundCentre(relation, centre)


def search_centre(path, alpha_shared, alpha_intercept):
    """Return the search of a strength around a centre; "auto" searches that too."""
    given = (
        None if isinstance(each, str) else each
        for each in (alpha_shared, alpha_intercept)
    )
    return CentreSearch(path, _around, *given)
