"""Uncertainty of predictions with several groupings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._grouped_design import GroupedStrengths
from ._grouped_fit import GroupedSystem

# Fewer degrees of freedom left are rounding errors.
_NONE = 1e-9
# Work on so many numbers of rows' covariances at a time.
_CHUNK = 2**21


@dataclass(frozen=True)
class GroupedPosterior:
    """Variances of predictions, relative to that of the noise.

    Parameters
    ----------
    system : GroupedSystem
        Normal equations of the rows.
    given : GroupedStrengths
        Strengths as given, possibly 0, for labels without rows.
    loss : float
        Weighted sum of squared residuals of the rows.
    """

    system: GroupedSystem
    given: GroupedStrengths
    loss: float

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Effective number of parameters: the sum of the leverages of the rows."""
        system, layout = self.system, self.system.layout
        found = system.shared.rank - float(
            system.penalties[2][:, 0] @ np.diag(system.shared.inverse)
        )
        for g, sums in enumerate(system.traces()):
            strengths = layout.columns.strengths(system.strengths, g)
            found += layout.sizes[g] - float(strengths @ sums)
        return found

    @property
    def freedom_left(self) -> float:
        """Weight of the rows minus `degrees_of_freedom`."""
        return float(self.system.products.weight - self.degrees_of_freedom)

    @property
    def noise_variance(self) -> float:
        """Squared residuals per degree of freedom left; infinite if none is."""
        left = self.freedom_left
        return self.loss / left if left > _NONE else np.inf

    def variance(self, X: Any, codes: Array) -> Array:
        """Return the variances of the predictions of rows.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_rows, n_features)
            Features.
        codes : ndarray of shape (n_rows, n_groupings)
            Position of each label, -1 for an unseen label.

        Returns
        -------
        ndarray of shape (n_rows,)
            The variances.
        """
        found = np.empty(X.shape[0])
        of_row = codes[:, self.system.layout.large]
        order = np.argsort(of_row, kind="stable")
        ranks = of_row[order]
        self._fill(found, order[ranks < 0], X, codes, None)
        if not self.system.layout.sizes[self.system.layout.large]:
            self._fill(found, order[ranks >= 0], X, codes, None)
            return found
        for labels, eliminated, crossed in self.system.chunks():
            ends = np.searchsorted(ranks, [labels.start, labels.stop])
            rows = order[ends[0] : ends[1]]
            self._fill(found, rows, X, codes, (labels.start, eliminated, crossed))
        return found

    def _fill(self, found, rows, X, codes, chunk):
        """Compute the variances of some rows, in pieces."""
        n_own = 1 + sum(map(len, self._columns_of(codes[:1])[1]))
        step = max(1, _CHUNK // (n_own**2 + self.system.layout.n_rest // 8 + 1))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            found[some] = self._variance(X[some], codes[some], chunk)

    def _variance(self, X, codes, chunk):
        """Return the variances of rows whose large labels are in one chunk."""
        layout, system = self.system.layout, self.system
        values, columns = self._rest(X, codes)
        left = layout.shared_values(X)
        if columns.size:
            variance = self._within_rest(values, columns)
            of_shared = system.rest_of_shared[columns]
            left = left - np.einsum("ij,ijk->ik", values, of_shared)
        else:
            variance = np.zeros(len(codes))
        if chunk is not None:
            own = layout.own_values(X, layout.large)
            place = codes[:, layout.large]
            variance += self._within_large(own, place, values, columns, chunk)
            of_shared = system.large_of_shared.reshape(
                len(system.inverses), own.shape[1], left.shape[1]
            )
            left = left - np.einsum("ij,ijk->ik", own, of_shared[place])
        variance += np.einsum("ij,ij->i", left @ system.shared.inverse, left)
        return variance + self.unseen(X, codes).sum(axis=1)

    def _columns_of(self, codes):
        """Return masks of known labels, and columns of the rest, for each grouping."""
        layout = self.system.layout
        masks, columns = [], []
        for g in layout.rest:
            width = layout.columns.width(g)
            known = codes[:, g] >= 0
            first = layout.places[g].start + np.where(known, codes[:, g], 0) * width
            masks.append(known)
            columns.append(first[:, None] + np.arange(width))
        return masks, columns

    def _rest(self, X, codes):
        """Return the values and the columns of the rest, for each row."""
        layout = self.system.layout
        masks, columns = self._columns_of(codes)
        values = [
            layout.own_values(X, g) * known[:, None]
            for g, known in zip(layout.rest, masks, strict=True)
        ]
        empty = np.zeros((len(codes), 0))
        return np.hstack([empty, *values]), np.hstack([empty, *columns]).astype(int)

    @cached_property
    def _inverse(self):
        return self.system.core.inverse

    def _within_rest(self, values, columns):
        inverse = self._inverse[columns[:, :, None], columns[:, None, :]]
        return np.einsum("ij,ijk,ik->i", values, inverse, values, optimize=True)

    def _within_large(self, own, place, values, columns, chunk):
        """Return what the large grouping adds: its own variance and covariances."""
        start, eliminated, crossed = chunk
        blocks = crossed @ eliminated.swapaxes(1, 2)
        blocks = blocks[place - start] + self.system.inverses[place]
        variance = np.einsum("ij,ijk,ik->i", own, blocks, own, optimize=True)
        if columns.size:
            across = crossed[
                (place - start)[:, None, None],
                np.arange(own.shape[1])[:, None],
                columns[:, None, :],
            ]
            mixed = np.einsum("ij,ijk,ik->i", own, across, values, optimize=True)
            variance -= 2 * mixed
        return variance

    def unseen(self, X: Any, codes: Array) -> Array:
        """Return the variances of the own parts of unseen labels.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_rows, n_features)
            Features.
        codes : ndarray of shape (n_rows, n_groupings)
            Position of each label, -1 for an unseen label.

        Returns
        -------
        ndarray of shape (n_rows, n_groupings)
            The variances, zero for known labels.
        """
        layout, found = self.system.layout, np.zeros(codes.shape)
        for g in range(codes.shape[1]):
            unseen = codes[:, g] < 0
            if unseen.any():
                own = layout.own_values(X[unseen], g)
                each = layout.columns.strengths(self.given, g)
                with np.errstate(divide="ignore", invalid="ignore"):
                    part = np.where(own == 0, 0.0, own**2 / each)
                found[unseen, g] = part.sum(axis=1)
        return found
