"""What searches of the strengths of classes and of counts have in common."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from skmtl._compat import StrOptions
from skmtl._contracts import Array
from skmtl.base import CLASSIFIER_CONSTRAINTS, COMMON_CONSTRAINTS, SCORING
from skmtl.selection import MeanLossSearch

from ._mean import STRUCTURE, NearMean, read_structure, task_covariance
from ._mean_groupings import (
    refuse_mapping,
    refuse_options,
    search_losses_of_groupings,
)


class SearchOfLosses:
    """Mixin for models that choose the strengths of losses near a shared centre."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alphas": ["array-like", Mapping, None],
        "alphas_shared": ["array-like", None],
        "alphas_intercept": ["array-like", Mapping, None],
        "method": [StrOptions({"cv", "laplace"})],
        "cv": ["cv_object"],
        "scoring": SCORING,
        "alpha_structure": STRUCTURE,
        "tol": CLASSIFIER_CONSTRAINTS["tol"],
        "max_iter": CLASSIFIER_CONSTRAINTS["max_iter"],
        **COMMON_CONSTRAINTS,
    }

    def _relation(self, tasks):
        lists = self.alphas, self.alphas_shared, self.alphas_intercept
        options = self.method, self.cv, self.scoring
        structure = read_structure(self.alpha_structure, tasks.n_features)
        if tasks.groupings:
            refuse_options(*structure, "common")
            return search_losses_of_groupings(tasks, lists, options)
        refuse_mapping("alphas", self.alphas)
        refuse_mapping("alphas_intercept", self.alphas_intercept)
        relation_at = partial(NearMean.drawn, tasks, fit_intercept=self.fit_intercept)
        return MeanLossSearch(relation_at, *lists, *options, *structure)

    @property
    def coef_covariance_(self) -> Array:
        """Covariance of the tasks around the centre."""
        check_is_fitted(self)
        return task_covariance(self)
