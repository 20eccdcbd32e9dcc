"""What block methods ask of a quadratic term: blocks of features, and their view."""

from abc import abstractmethod

from skmtl._contracts import Smooth


class Restrictable(Smooth):
    """A term that can be restricted to some features, the others at zero."""

    @abstractmethod
    def restrict(self, features):
        """Return the term of these features; as BlockQuadratic, if it is quadratic."""


class HasQuadraticModel(Restrictable):
    """A term that is not quadratic, and has a quadratic model at every point."""

    @abstractmethod
    def model(self, point):
        """Return Blocks of the same gradient and about the same curvature there.

        Their value may differ by a constant, so that it is well above zero.
        """


class BlockQuadratic(Restrictable):
    """A quadratic term whose features are visited block by block.

    Its state is a linear function of the variable that is kept beside it: predictions
    of rows, or products with the Hessian. Whoever moves the variable moves the state.
    """

    @property
    @abstractmethod
    def blocks(self):
        """Slices of the features, in order."""

    @property
    @abstractmethod
    def is_compact(self):
        """Whether features are so few that Hessians of all of them are at hand."""

    @property
    @abstractmethod
    def is_ordered(self):
        """Whether curvatures are alike, or features come in their order."""

    @property
    @abstractmethod
    def scales(self):
        """Largest curvature along each feature, (n_features,)."""

    @abstractmethod
    def state_at(self, W):
        """Return the state at W, one array."""

    @abstractmethod
    def value_at(self, W, state):
        """Return the value at W without its gradient."""

    @abstractmethod
    def point(self, W, state):
        """Return the Point at W."""

    @abstractmethod
    def block_gradient(self, W, state, block):
        """Return the gradient along the features of a block, (n_tasks, size)."""

    @abstractmethod
    def update(self, state, block, step):
        """Move the state along with a step of a block of the variable."""

    @abstractmethod
    def hessian(self, block):
        """Return the Hessian within a block, (n_tasks or 1, size, size)."""
