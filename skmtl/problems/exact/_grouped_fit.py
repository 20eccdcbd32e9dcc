"""Exact equations of several groupings: eliminate the large one, factor the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite, diagonals, invert

from ._grouped_core import Core, block_diagonal, factor_core
from ._grouped_design import GroupedProducts, GroupedStrengths, Layout

# Work on so many numbers of dense blocks at a time.
_CHUNK = 2**22

# Parameters, or right sides: large, rest, shared; each (n_parameters, n_outputs).
Parts = tuple[Array, Array, Array]


@dataclass(frozen=True)
class GroupedSystem:
    """Normal equations of a shared part and own parts of several groupings.

    With ``A_l = G_l + D`` for the labels of the large grouping, ``B`` its products with
    the rest and ``C`` those of the rest, the rest has the matrix ``C + D - sum_l B_l
    A_l^-1 B_l'``, which is factored, and the shared part what the rest leaves.

    Parameters
    ----------
    products : GroupedProducts
        Weighted products of the columns.
    strengths : GroupedStrengths
        Positive strengths, infinite only where the layout has no columns.
    """

    products: GroupedProducts
    strengths: GroupedStrengths

    @property
    def layout(self) -> Layout:
        """Parameters and their places."""
        return self.products.layout

    @cached_property
    def penalties(self) -> Parts:
        """Strengths of the parameters: large, rest, shared; 0 for the intercept."""
        return self.strengths.per_label(self.layout)

    @cached_property
    def _matrices(self):
        blocks = self.products.blocks.copy()
        diagonals(blocks)[:] += self.penalties[0].reshape(blocks.shape[:2])
        return blocks

    @cached_property
    def inverses(self) -> Array:
        """Inverses of the large grouping's blocks, (n_labels, width, width)."""
        return invert(self._matrices)

    @cached_property
    def eliminated(self) -> Any:
        """Coefficients of the rest in the large grouping, a sparse matrix."""
        return sparse.csr_matrix(
            block_diagonal(self.inverses) @ self.products.cross.T.tocsr()
        )

    def _apply(self, right):
        """Multiply by the inverses of the large grouping's blocks."""
        n_labels, width = self.inverses.shape[:2]
        parts = right.reshape(n_labels, width, right.shape[1])
        return (self.inverses @ parts).reshape(right.shape)

    @cached_property
    def core(self) -> Core:
        """Factors of the rest."""
        products = self.products
        ridge = sparse.diags(self.penalties[1][:, 0], format="csr")
        matrix = products.rest + ridge - products.cross @ self.eliminated
        width = self.layout.columns.width
        groups = [(self.layout.places[g], width(g)) for g in self.layout.rest]
        return factor_core(sparse.csr_matrix(matrix), groups)

    @cached_property
    def _rest_shared(self):
        """Products of the rest with the shared columns, once large is eliminated."""
        products = self.products
        return products.rest_shared - self.eliminated.T @ products.large_shared

    @cached_property
    def rest_of_shared(self) -> Array:
        """Coefficients of the shared columns in the rest, (n_rest, n_shared)."""
        return self.core.solve(self._rest_shared)

    @cached_property
    def large_of_shared(self) -> Array:
        """Coefficients of the shared columns in the large grouping."""
        own = self._apply(self.products.large_shared)
        return own - self.eliminated @ self.rest_of_shared

    @cached_property
    def shared(self) -> Semidefinite:
        """Curvature that is left for the shared part, factored."""
        products = self.products
        left = products.shared + np.diag(self.penalties[2][:, 0])
        left = left - products.large_shared.T @ self._apply(products.large_shared)
        return Semidefinite(left - self._rest_shared.T @ self.rest_of_shared)

    def solve(self, right: Parts) -> Parts:
        """Return the parameters that solve the equations."""
        large, rest, shared = right
        apart = self._apply(large)
        rest = self.core.solve(rest - self.eliminated.T @ large)
        shared = shared - self.products.large_shared.T @ apart
        shared = self.shared.solve(shared - self._rest_shared.T @ rest)
        own = apart - self.eliminated @ rest - self.large_of_shared @ shared
        return own, rest - self.rest_of_shared @ shared, shared

    def penalize(self, parts: Parts) -> Parts:
        """Multiply parameters by their strengths."""
        large, rest, shared = self.penalties
        return large * parts[0], rest * parts[1], shared * parts[2]

    def penalty(self, parts: Parts) -> float:
        """Return the penalty of parameters, without a factor of a half."""
        return dot(self.penalize(parts), parts)

    @cached_property
    def own_log_determinant(self) -> float:
        """Log determinant of the own parts' equations, relative to their strengths."""
        found = np.linalg.slogdet(self._matrices)[1].sum() if self.inverses.size else 0
        strengths = sum(np.log(each).sum() for each in self.penalties[:2])
        return float(found + self.core.log_determinant - strengths)

    def traces(self) -> list[Array]:
        """Return sums of the diagonal of the inverse of the equations over labels.

        Returns
        -------
        list of ndarray of shape (width,)
            Sums for the own columns of each grouping: variances relative to the noise.
        """
        known, layout = self.shared.inverse, self.layout
        large = diagonals(self.inverses).copy().ravel()
        large += _quadratic(self.large_of_shared, known)
        rest = _quadratic(self.rest_of_shared, known)
        totals = []
        for g, n_labels in enumerate(layout.n_labels):
            is_large, width = g == layout.large, layout.columns.width(g)
            own = large if is_large else rest[layout.places.get(g, slice(0))]
            spread = self._spread if is_large else self._spread_of_rest
            more = [spread(g, k) for k in range(width * (layout.n_rest > 0))]
            sums = own.reshape(n_labels, width).sum(axis=0)
            totals.append(sums + np.array(more) if more else sums)
        return totals

    def _spread_of_rest(self, grouping, column):
        """Return variances of a column of the rest, summed over labels."""
        chosen = np.zeros(self.layout.n_rest)
        width = self.layout.columns.width(grouping)
        chosen[self.layout.places[grouping]][column::width] = 1.0
        return self.core.trace(sparse.diags(chosen, format="csc"))

    def _spread(self, grouping, column):
        """Return variances of a large column due to the rest, summed over labels."""
        part = self.eliminated[column :: self.inverses.shape[1]]
        return self.core.trace(sparse.csc_matrix(part.T @ part))

    def chunks(self) -> Iterator[tuple[slice, Array, Array]]:
        """Yield labels of the large grouping, and dense blocks of covariances.

        Yields
        ------
        labels : slice
            Some labels.
        eliminated : ndarray of shape (n_some, width, n_rest)
            Their part of `eliminated`.
        crossed : ndarray of shape (n_some, width, n_rest)
            The same times the inverse of the rest.
        """
        n_labels, width = self.inverses.shape[:2]
        n_rest = self.layout.n_rest
        step = max(1, _CHUNK // max(1, width * n_rest))
        for start in range(0, n_labels, step):
            labels = slice(start, min(start + step, n_labels))
            part = self.eliminated[labels.start * width : labels.stop * width]
            shape = labels.stop - labels.start, width, n_rest
            crossed = (part @ self.core.inverse).reshape(shape)
            yield labels, part.toarray().reshape(shape), crossed


def dot(left: Parts, right: Parts) -> float:
    """Return the inner product of parameters."""
    return float(sum(np.vdot(a, b) for a, b in zip(left, right, strict=True)))


def _quadratic(rows, matrix):
    """Return ``r M r'`` for each row."""
    return np.einsum("ij,ij->i", rows @ matrix, rows)
