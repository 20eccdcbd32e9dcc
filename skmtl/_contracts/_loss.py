"""Contracts of losses."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from ._arrays import Array


class Loss(ABC):
    """The loss of a row, convex in the raw prediction ``z`` given the target ``y``.

    Both have a last axis: ``n_outputs`` raw predictions, and as many targets, or one
    per class. Formulas must keep all digits of a value that a float can hold. Larger
    values are infinity, without a warning. Losses of one output keep float32.
    """

    # Number of raw predictions of a row.
    n_outputs = 1
    # Upper bound of the second derivative in any direction.
    largest_curvature = 1.0
    is_quadratic = False
    # Whether the scale of the residuals is estimated with the models.
    is_scaled = False
    # Whether means are exponentials, so that optimal intercepts have a formula.
    has_log_link = False
    # Mean exposure in the weights of rows; 1 if they have none.
    mean_exposure = 1.0

    @abstractmethod
    def value(self, y: Array, z: Array) -> Array:
        """Return the loss of each row, in the shape of z without its last axis."""

    @abstractmethod
    def gradient(self, y: Array, z: Array) -> Array:
        """Return the derivatives with respect to z, in its shape."""

    @abstractmethod
    def hessian(self, y: Array, z: Array) -> Array:
        """Return the Hessian with respect to z, (..., n_outputs, n_outputs)."""

    @abstractmethod
    def conjugate(self, y: Array, v: Array) -> Array:
        """Return the supremum of ``v . z - value(y, z)`` over z, perhaps infinity."""

    @abstractmethod
    def mean(self, z: Array) -> Array:
        """Return the mean of the target, or the probabilities of the classes."""

    @abstractmethod
    def link(self, mean: Array) -> Array:
        """Return the raw prediction of a mean, the inverse of `mean`."""

    def majorant(self, y: Array, z: Array) -> Array:
        """Return the Hessian, or a larger curvature where it may be zero.

        Parameters
        ----------
        y : ndarray of shape (..., n_targets)
            Targets.
        z : ndarray of shape (..., n_outputs)
            Raw predictions.

        Returns
        -------
        ndarray of shape (..., n_outputs, n_outputs)
            The curvature of a majoriser.
        """
        return self.hessian(y, z)

    @property
    def basis(self) -> Array | None:
        """Map from raw predictions to class scores, (n_classes, n_outputs), or None."""
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
            Maps a step in the shape of z, or of the class scores if there is a
            `basis`, to its product in the same shape.
        """
        curvature = self.majorant(y, z)
        return lambda step: np.einsum("...kl,...l->...k", curvature, step)

    def majorant_diagonal(self, y: Array, z: Array) -> Array:
        """Return the diagonal of the curvature, for class scores if there are any.

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
        diagonal: Array = np.einsum("...kk->...k", self.majorant(y, z))
        return diagonal


class ElementwiseLoss(Loss):
    """A loss of one raw prediction; `y` and `z` are arrays of the same shape."""

    @abstractmethod
    def cost(self, y: Array, z: Array) -> Array:
        """Return the loss of each element."""

    @abstractmethod
    def slope(self, y: Array, z: Array) -> Array:
        """Return the derivative of each element."""

    @abstractmethod
    def curvature(self, y: Array, z: Array) -> Array:
        """Return the second derivative of each element."""

    @abstractmethod
    def dual_cost(self, y: Array, v: Array) -> Array:
        """Return the supremum of ``v z - cost(y, z)`` over z, for each element."""

    def value(self, y: Array, z: Array) -> Array:
        return self.cost(y, z)[..., 0]

    def gradient(self, y: Array, z: Array) -> Array:
        return self.slope(y, z)

    def hessian(self, y: Array, z: Array) -> Array:
        return self.curvature(y, z)[..., None]

    def conjugate(self, y: Array, v: Array) -> Array:
        return self.dual_cost(y, v)[..., 0]
