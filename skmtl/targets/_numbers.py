"""Targets that are numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array, Loss
from skmtl._linalg import refuse_tiny
from skmtl.data import multiply_rows, read_rows
from skmtl.losses import Squared

from ._scales import choose_scales
from ._spreads import Spreads
from ._target import Sample, Target, cast_models, float_type
from ._units import warn_of_units


@dataclass(frozen=True)
class NumericTarget(Target):
    """Targets that are numbers, with a loss of one raw prediction.

    Parameters
    ----------
    loss : Loss, default=Squared()
        Loss of a row.
    """

    loss: Loss = field(default_factory=Squared)

    def read(self, estimator: Any, X: Any, y: Any, **given: Any) -> Sample:
        return Sample(read_rows(estimator, X, y, **given))

    def prepare(self, sample: Sample, smooths: bool) -> tuple[Any, Loss, None]:
        scales = sample.scales
        rows = sample.rows if scales is None else scales.divide(sample.rows)
        return rows, self.loss, None

    def try_scales(
        self, sample: Sample, option: Any, has_intercept: bool
    ) -> list[Sample]:
        rows = sample.rows
        if rows.groupings and option is True:
            raise ValueError(
                "scale_targets must be False or 'auto' if several columns declare the "
                "tasks, as a row then has several. Divide y before the fit."
            )
        if rows.groupings or not option:
            return [sample]
        spreads = Spreads.of_rows(rows, rows.weight).only(rows.task_weight)
        found = choose_scales(option, spreads, has_intercept)
        return [replace(sample, scales=scales) for scales in found]

    def check_units(self, rows: Any) -> None:
        warn_of_units(rows)

    def check_size(self, rows: Any) -> None:
        refuse_tiny(rows.Y if rows.shares_rows else rows.y)

    def shape(self, sample: Sample, models: Any, single: bool) -> dict[str, Any]:
        if sample.scales is not None:
            models = sample.scales.restore(models)
        only = models.drop_output_axis()
        values: dict[str, Any] = cast_models(only, float_type(sample.rows.X))
        values["intercept_shared_"] = values["intercept_shared_"][()]
        if single:
            values["coef_"] = values["coef_"][0]
            values["intercept_"] = values["intercept_"][0]
        return values

    def shape_parts(
        self, sample: Sample, parts: Mapping[str, Any], single: bool
    ) -> Mapping[str, Any]:
        if sample.scales is not None:
            factor = sample.scales.factor[:, None]
            parts = {name: part * factor for name, part in parts.items()}
        return super().shape_parts(sample, parts, single)


class OutlierTarget(NumericTarget):
    """Targets that are numbers with outliers, for Huber's loss."""

    def report(self, sample: Sample, models: Any, fit: Any) -> dict[str, Any]:
        scale = fit.detail.scale
        loss: Any = self.loss
        limit = loss.epsilon * scale
        outliers = _find_outliers(sample.rows, models.drop_output_axis(), limit)
        return {"scale_": scale, "outliers_": outliers}


def _find_outliers(data: Any, models: Any, limit: float) -> Array:
    """Find rows, or cells of a 2-d y, with residuals beyond a limit."""
    data = data.stacked()
    n_rows, n_tasks = data.X.shape[0], len(data.tasks)
    rows = np.arange(n_rows) if data.rows is None else data.rows
    codes = np.repeat(np.arange(n_tasks), np.diff(data.offsets))
    means = multiply_rows(data.X[rows], models.coef, codes) + models.intercept[codes]
    found: Array = np.zeros((n_rows, n_tasks), dtype=bool)
    found[rows, codes] = np.abs(data.y - means) > limit
    return found if data.layout == "outputs" else np.any(found, axis=1)
