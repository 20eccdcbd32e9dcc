"""Search of the strengths of a centre, and of a relation's strength around it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Centre, Chosen, Relation
from skmtl.couplings import ToMean

from ..any_loss import MeanLossSearch
from ..search import Study
from ..squared_loss import MeanSearch
from ._path_search import PathSearch

# A path around a centre starts without deviations, near its optimum, and ends after
# this many strengths without a smaller error.
_PATIENCE = 4
# Its smallest strength, relative to the largest, before it is extended.
_EPS = 1e-3
# A centre must decrease the held-out error by this share; smaller gains are chance.
_GAIN = 1e-3


@dataclass(frozen=True)
class CentreSearch:
    """Choose whether tasks deviate from a centre, then the strength of the deviations.

    Strengths of the centre and of intercepts are those that mean regularisation chooses
    for the same rows. They are compared with no centre and free intercepts by held-out
    errors along a coarse path, and the better ones get the whole path.

    Parameters
    ----------
    path : PathSearch
        Search of the strength without centre.
    around : callable
        Returns a relation around a Centre.
    alpha_shared, alpha_intercept : float or None
        Strengths of the centre and of the intercepts; None chooses.
    """

    path: PathSearch
    around: Callable[..., Any]
    alpha_shared: float | None
    alpha_intercept: float | None

    def over(self, relation: Relation) -> "CentreSearch":
        """Return the search of the strength of a relation."""
        if relation.is_coupling:
            raise ValueError(
                "alpha_shared and alpha_intercept can be chosen for models with a "
                "penalty, got one with a coupling. Leave both at None, or use a "
                "MeanRegularized model that ends in CV."
            )
        return replace(self, path=self.path.over(relation))

    @property
    def is_shared(self) -> bool:
        """Whether tasks influence each other."""
        return self.path.is_shared

    @property
    def penalizes_intercepts(self) -> bool:
        """Whether intercepts are penalised at every strength."""
        return bool(self.alpha_intercept)

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        centres = self._candidates(study)
        best = centres[0]
        if len(centres) > 1:
            splits = self.path.split(study)
            errors = [self._at(each).least_error(study, splits) for each in centres]
            is_better = errors[-1] < (1 - _GAIN) * errors[0]
            best = centres[-1] if is_better else centres[0]
        chosen = self._at(best).choose(study)
        more = {
            "alpha_shared_": float(best.alpha_shared),
            "alpha_intercept_": float(best.alpha_intercept),
        }
        return replace(chosen, facts={**chosen.facts, **more})

    def _at(self, centre):
        """Return the search of the strength around a centre."""
        relation_at, around = self.path.relation_at, self.around

        def around_at(alpha, tasks):
            return around(relation_at(alpha, tasks), centre)

        at_centre = replace(self.path, relation_at=around_at)
        if not centre.has_coef:
            return at_centre
        rough = {"patience": _PATIENCE, "refits_path": False, "loosens": True}
        eps = min(self.path.grid.default_eps, _EPS)
        return replace(
            at_centre, grid=replace(self.path.grid, default_eps=eps), **rough
        )

    def _candidates(self, study):
        """Return the centres to compare, the simplest first."""
        shared, pull = self.alpha_shared, self.alpha_intercept
        if not study.fit_intercept:
            pull = 0.0
        if shared is not None and pull is not None:
            return [Centre(shared, pull)]
        found = self._suggest(study)
        shared = [np.inf, found.alpha_shared] if shared is None else 2 * [shared]
        pull = [0.0, found.alpha_intercept] if pull is None else 2 * [pull]
        pairs = zip(shared, pull, strict=True)
        return [Centre(*pair) for pair in dict.fromkeys(pairs)]

    def _suggest(self, study):
        """Return the strengths of mean regularisation, in the units of the path.

        Where scatter matrices of the features would be large, the cost of a centre is
        too high for a search, and there is none.
        """
        scale = self.path.scale(study)
        if scale is None or len(study.rows.tasks) < 2:
            return Centre()
        chosen = _search_mean(study).choose(study).facts
        strengths = chosen["alpha_shared_"], chosen["alpha_intercept_"]
        return Centre(*(float(scale * each) for each in strengths))


def _search_mean(study):
    """Return the search of the strengths of mean regularisation."""
    if study.loss.is_quadratic:
        return MeanSearch(
            ToMean, None, None, None, "loo", None, "one", study.fit_intercept
        )
    return MeanLossSearch(ToMean, None, None, None, "cv", None, None)
