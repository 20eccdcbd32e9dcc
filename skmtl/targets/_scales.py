"""Scales of the tasks' targets, by which they are divided inside a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import gammainccinv, gammaincinv

from skmtl._contracts import Array

from ._spreads import Spreads
from ._variance_prior import VariancePrior

# Scale only if the scales of two tasks have a larger ratio: a smaller one makes little
# difference to what tasks learn from each other.
_LARGEST_RATIO = 3.0
# Probability that some interval of a task's variance misses it.
_LEVEL = 0.05


@dataclass(frozen=True)
class TargetScales:
    """A scale per task: a standard deviation, shrunk to the common one.

    Targets are divided after a common centre is subtracted, so that a constant that is
    added to all of them only adds to the predictions.

    Parameters
    ----------
    factor : ndarray of shape (n_tasks,)
        Scale of each task, positive.
    shared : float
        Scale of unseen tasks, and of tasks whose target does not vary.
    prior : VariancePrior or None
        Distribution of the variances; None if no target varies.
    centre : float, default=0.0
        Number that is subtracted from all targets first.
    """

    factor: Array
    shared: float
    prior: VariancePrior | None
    centre: float = 0.0

    @classmethod
    def of(cls, spreads: Spreads, has_intercept: bool = True) -> TargetScales:
        """Estimate the scales of tasks.

        Parameters
        ----------
        spreads : Spreads
            Spreads of the tasks' targets.
        has_intercept : bool, default=True
            Whether the model has an intercept. If so, the centre is the mean of the
            targets, weighted by the inverses of their variances, else 0.

        Returns
        -------
        TargetScales
            The scales; ones if no target varies.
        """
        _refuse_overflow(spreads)
        varies = spreads.varies & (spreads.weight > 1)
        factor = np.ones(len(varies))
        if not varies.any():
            return cls(factor, 1.0, None)
        freedom = spreads.weight[varies] - 1
        prior = VariancePrior.of(spreads.scatter[varies], freedom)
        shared = float(np.sqrt(prior.common))
        factor[:] = shared
        own = spreads.deviation[varies] ** 2
        factor[varies] = np.sqrt(prior.shrink(own, freedom))
        centre = 0.0
        if has_intercept:
            precision = spreads.weight * (shared / factor) ** 2
            centre = float(np.average(spreads.mean, weights=precision))
        return cls(factor, shared, prior, centre)

    def of_new_task(self, data: Any) -> TargetScales:
        """Return the scale of one new task, and the same shared one."""
        spreads = Spreads.of_rows(data, data.weight)
        factor = np.array([self.shared])
        if self.prior is not None and (spreads.varies & (spreads.weight > 1)).all():
            own, freedom = spreads.deviation**2, spreads.weight - 1
            factor = np.sqrt(self.prior.shrink(own, freedom))
        return replace(self, factor=factor)

    def divide(self, data: Any) -> Any:
        """Return rows with targets in units of these scales."""
        if data.shares_rows:
            return replace(data, Y=(data.Y - self.centre) / self.factor)
        factor = np.repeat(self.factor, np.diff(data.offsets))
        return replace(data, y=(data.y - self.centre) / factor)

    def divide_moments(self, moments: Any) -> Any:
        """Return moments of targets in units of these scales."""
        moments = replace(moments, y_mean=moments.y_mean - self.centre)
        return _scale_moments(moments, 1 / self.factor)

    def restore_facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return fitted attributes with moments and variances in the user's units."""
        restored = dict(facts)
        if "moments_" in facts:
            moments = _scale_moments(facts["moments_"], self.factor)
            moments = replace(moments, y_mean=moments.y_mean + self.centre)
            restored["moments_"] = moments
        if "noise_variance_" in facts:
            restored["noise_variance_"] = facts["noise_variance_"] * self.factor**2
        return restored

    def restore(self, models: Any) -> Any:
        """Return models in the user's units.

        Parameters
        ----------
        models : TaskModels
            Models of targets in units of these scales, with an axis of outputs; those
            of nodes without rows follow those of tasks.

        Returns
        -------
        TaskModels
            Models of the targets; the shared part and nodes without rows have the scale
            of unseen tasks.
        """
        factor = np.full(len(models.coef), self.shared)
        factor[: len(self.factor)] = self.factor
        return replace(
            models,
            coef=models.coef * factor[:, None, None],
            intercept=models.intercept * factor[:, None] + self.centre,
            coef_shared=models.coef_shared * self.shared,
            intercept_shared=models.intercept_shared * self.shared + self.centre,
        )

    def report(self) -> dict[str, Any]:
        """Return the fitted attributes of the scales, by name."""
        prior = self.prior
        return {
            "target_scale_": self.factor,
            "target_scale_shared_": self.shared,
            "target_centre_": self.centre,
            "_scale_prior": prior and (prior.log_common, prior.between),
        }


def choose_scales(
    option: Any, spreads: Spreads, has_intercept: bool
) -> list[TargetScales | None]:
    """Return the scales to try; None stands for no scales.

    Parameters
    ----------
    option : bool or "auto"
        Whether to scale. "auto" tries both if the scales of tasks differ by more than a
        factor of three.
    spreads : Spreads
        Spreads of the tasks' targets.
    has_intercept : bool
        Whether the model has an intercept.

    Returns
    -------
    list of (TargetScales or None)
        What to try, the simplest first.
    """
    if option == "auto":
        if not np.isfinite(spreads.scatter).all():
            return [None]
        if not _differ(spreads):
            return [None]
        return [None, TargetScales.of(spreads, has_intercept)]
    return [TargetScales.of(spreads, has_intercept)] if option else [None]


def _differ(spreads: Spreads) -> bool:
    """Return whether the deviations of two tasks certainly have a large ratio.

    Each variance has a confidence interval from the chi-squared distribution, with half
    the degrees of freedom, as if targets had a kurtosis of 5.
    """
    used = spreads.varies & (spreads.weight > 1)
    if used.sum() < 2:
        return False
    half, squares = (spreads.weight[used] - 1) / 4, spreads.scatter[used]
    level = _LEVEL / (2 * used.sum())
    lowest = squares / gammainccinv(half, level)
    highest = squares / gammaincinv(half, level)
    return bool(lowest.max() > _LARGEST_RATIO**2 * highest.min())


def report_scales(scales: TargetScales | None, n_tasks: int) -> dict[str, Any]:
    """Return the fitted attributes of scales, which are ones if there are none."""
    return (scales or TargetScales(np.ones(n_tasks), 1.0, None)).report()


def _scale_moments(moments: Any, factor: Array) -> Any:
    return replace(
        moments,
        y_mean=moments.y_mean * factor,
        xy=moments.xy * factor[:, None],
        yy=moments.yy * factor**2,
    )


def _refuse_overflow(spreads: Spreads) -> None:
    """Raise an error if the variance of a task's target overflows."""
    if not np.isfinite(spreads.scatter).all():
        task = int(np.isinf(spreads.scatter).argmax())
        raise ValueError(
            "scale_targets needs targets of finite variance, but that of the task at "
            f"position {task} overflows. Divide y by its largest absolute value, or "
            "set scale_targets=False."
        )
