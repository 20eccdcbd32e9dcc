"""Targets that are numbers."""

from dataclasses import dataclass, field

import numpy as np

from skmtl._contracts import Loss
from skmtl.data import multiply_rows, read_rows
from skmtl.losses import Squared

from ._target import Sample, Target, cast_models, float_type
from ._units import warn_of_units


@dataclass(frozen=True)
class NumericTarget(Target):
    """Targets that are numbers, with a loss of one output.

    Parameters
    ----------
    loss : Loss, default=Squared()
        Loss of a row.
    """

    loss: Loss = field(default_factory=Squared)

    def read(self, estimator, X, y, **given):
        return Sample(read_rows(estimator, X, y, **given))

    def prepare(self, sample, smooths):
        return sample.rows, self.loss, None

    def check_units(self, rows):
        warn_of_units(rows)

    def shape(self, sample, models, single):
        values = cast_models(models.drop_output_axis(), float_type(sample.rows.X))
        values["intercept_shared_"] = values["intercept_shared_"][()]
        if single:
            values["coef_"] = values["coef_"][0]
            values["intercept_"] = values["intercept_"][0]
        return values


class OutlierTarget(NumericTarget):
    """Targets that are numbers, some of them outliers, with Huber's loss."""

    def report(self, sample, models, fit):
        scale = fit.detail.scale
        limit = self.loss.epsilon * scale
        outliers = _find_outliers(sample.rows, models.drop_output_axis(), limit)
        return {"scale_": scale, "outliers_": outliers}


def _find_outliers(data, models, limit):
    """Return whether rows, or cells of a 2-d y, have residuals beyond a limit."""
    data = data.stacked() if data.shares_rows else data
    n_rows, n_tasks = data.X.shape[0], len(data.tasks)
    rows = np.arange(n_rows) if data.rows is None else data.rows
    codes = np.repeat(np.arange(n_tasks), np.diff(data.offsets))
    means = multiply_rows(data.X[rows], models.coef, codes) + models.intercept[codes]
    found = np.zeros((n_rows, n_tasks), dtype=bool)
    found[rows, codes] = np.abs(data.y - means) > limit
    return found if data.layout == "outputs" else found.any(axis=1)
