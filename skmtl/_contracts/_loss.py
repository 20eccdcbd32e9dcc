"""Losses of samples."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from ._arrays import Array


class Loss(ABC):
    """What a sample costs: convex in its raw prediction ``z``, given its target ``y``.

    Both have a last axis: ``n_outputs`` raw predictions, and as many targets, or one
    per class. Formulas must neither overflow nor lose their digits where the value can
    be told; where it is beyond the largest number they say infinity, without a warning.
    Losses of one output keep float32.
    """

    # Numbers that predict one sample, and a bound of the curvature in any direction.
    n_outputs = 1
    largest_curvature = 1.0
    is_quadratic = False
    # Whether the scale of the residuals is estimated with the models.
    is_scaled = False
    # Whether means are exponentials, so that the best intercepts have a formula.
    has_log_link = False

    @abstractmethod
    def value(self, y: Array, z: Array) -> Array:
        """Return the loss of each sample, in the shape of z without its last axis."""

    @abstractmethod
    def gradient(self, y: Array, z: Array) -> Array:
        """Return the derivatives in z, in its shape."""

    @abstractmethod
    def hessian(self, y: Array, z: Array) -> Array:
        """Return the second derivatives in z, of shape (..., n_outputs, n_outputs)."""

    @abstractmethod
    def conjugate(self, y: Array, v: Array) -> Array:
        """Return the largest ``v . z - value(y, z)`` over z, infinite if unbounded."""

    @abstractmethod
    def mean(self, z: Array) -> Array:
        """Return the mean of the target, or the probabilities of the classes."""

    @abstractmethod
    def link(self, mean: Array) -> Array:
        """Return the raw prediction of a mean, the inverse of `mean`."""

    def majorant(self, y: Array, z: Array) -> Array:
        """Return the curvature to step by, the Hessian unless that may vanish.

        Parameters
        ----------
        y : ndarray of shape (..., n_targets)
            Targets.
        z : ndarray of shape (..., n_outputs)
            Raw predictions.

        Returns
        -------
        ndarray of shape (..., n_outputs, n_outputs)
            The curvature.
        """
        return self.hessian(y, z)

    @property
    def basis(self) -> Array | None:
        """Scores of classes per raw prediction, (n_classes, n_outputs), or None."""
        return None

    def majorant_product(self, y: Array, z: Array) -> Callable[[Array], Array]:
        """Return a function that multiplies by the curvature of `majorant`.

        Parameters
        ----------
        y : ndarray of shape (..., n_targets)
            Targets.
        z : ndarray of shape (..., n_outputs)
            Raw predictions.

        Returns
        -------
        callable
            Maps a step in the shape of z, or in that of the scores if there is a
            `basis`, to its product in the same shape.
        """
        bend = self.majorant(y, z)
        return lambda step: np.einsum("...kl,...l->...k", bend, step)

    def majorant_diagonal(self, y: Array, z: Array) -> Array:
        """Return the diagonal of the curvature of `majorant`, in scores if there are.

        Parameters
        ----------
        y : ndarray of shape (..., n_targets)
            Targets.
        z : ndarray of shape (..., n_outputs)
            Raw predictions.

        Returns
        -------
        ndarray of shape (..., n_outputs) or (..., n_classes)
            The diagonal.
        """
        found: Array = np.einsum("...kk->...k", self.majorant(y, z))
        return found


class ElementwiseLoss(Loss):
    """A loss of one raw prediction; `y` and `z` are arrays of one shape."""

    @abstractmethod
    def cost(self, y: Array, z: Array) -> Array:
        """Return the loss of each element."""

    @abstractmethod
    def slope(self, y: Array, z: Array) -> Array:
        """Return the derivative in each element."""

    @abstractmethod
    def curvature(self, y: Array, z: Array) -> Array:
        """Return the second derivative in each element."""

    @abstractmethod
    def dual_cost(self, y: Array, v: Array) -> Array:
        """Return the largest ``v z - cost(y, z)`` over z of each element."""

    def value(self, y: Array, z: Array) -> Array:
        return self.cost(y, z)[..., 0]

    def gradient(self, y: Array, z: Array) -> Array:
        return self.slope(y, z)

    def hessian(self, y: Array, z: Array) -> Array:
        return self.curvature(y, z)[..., None]

    def conjugate(self, y: Array, v: Array) -> Array:
        return self.dual_cost(y, v)[..., 0]
