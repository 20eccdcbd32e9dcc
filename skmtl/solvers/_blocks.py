"""Contracts of smooth terms that working sets and block methods minimise."""

from abc import ABC, abstractmethod

from skmtl._contracts import Array, Point, Smooth


class Restrictable(Smooth):
    """A term that can be restricted to some features, with the others at zero."""

    @abstractmethod
    def restrict(self, features: Array) -> "Restrictable":
        """Return the term of these features, a BlockQuadratic if it is quadratic."""

    @property
    def is_ordered(self) -> bool:
        """Whether solvers may take the features in their order."""
        return True


class HasQuadraticModel(Restrictable):
    """A term that is not quadratic, with a quadratic model at every point."""

    @abstractmethod
    def model(self, point: Point) -> "BlockQuadratic":
        """Return a model with the same gradient and about the same Hessian at a point.

        Its value may differ by a constant, so that it is well above zero.
        """


class Shrunk(ABC):
    """Minimum of a quadratic term plus a ridge with a variance per feature.

    Attributes
    ----------
    variances : ndarray of shape (n_features,)
        Variances, 0 or more. The coefficients of a feature of variance 0 are 0.
    value : float
        The minimum.
    residual : ndarray of shape (n_tasks, n_features)
        Negative gradient of the term at the minimiser.
    """

    variances: Array
    value: float
    residual: Array

    @property
    def coef(self) -> Array:
        """The minimiser, (n_tasks, n_features)."""
        coef: Array = self.variances * self.residual
        return coef

    @abstractmethod
    def curvature(self, features: Array) -> Array:
        """Return the Hessian of the minimum with respect to some variances."""


class BlockQuadratic(Restrictable):
    """A quadratic term for block coordinate descent; a block is a slice of features.

    The caller keeps a state next to the variable and updates both together. The state
    is a linear function of the variable: predictions of rows, or its product with the
    Hessian.
    """

    @property
    @abstractmethod
    def blocks(self) -> list[slice]:
        """Slices of the features, in order."""

    @property
    @abstractmethod
    def is_compact(self) -> bool:
        """Whether features are so few that one Hessian of all of them is cheap."""

    @property
    @abstractmethod
    def is_ordered(self) -> bool:
        """Whether curvatures are similar, or features are sorted by curvature."""

    @property
    @abstractmethod
    def scales(self) -> Array:
        """Largest curvature along each feature, (n_features,)."""

    def shrunk(self, variances: Array) -> "Shrunk | None":
        """Minimise the term plus ``1/2 sum_j ||W[:, j]||^2 / variances_j``.

        None if that is slow.
        """
        return None

    @abstractmethod
    def state_at(self, W: Array) -> Array:
        """Return the state at W, one array."""

    @abstractmethod
    def value_at(self, W: Array, state: Array) -> float:
        """Return the value at W without its gradient."""

    @abstractmethod
    def point(self, W: Array, state: Array) -> Point:
        """Return the Point at W."""

    @abstractmethod
    def block_gradient(self, W: Array, state: Array, block: slice) -> Array:
        """Return the gradient along the features of a block, (n_tasks, size)."""

    @abstractmethod
    def update(self, state: Array, block: slice, step: Array) -> None:
        """Update the state in place after a step of a block of the variable."""

    @abstractmethod
    def hessian(self, block: slice) -> Array:
        """Return the Hessian within a block, (n_tasks or 1, size, size)."""
