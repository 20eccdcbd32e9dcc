"""The abstractions that rooms agree on."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.linalg import norm

# Keeps a quotient finite where its divisor is zero.
TINY = np.finfo(float).tiny
# Strengths this much above the units of the problem leave nothing to be changed.
ENDLESS = 1e12
# What is left of a step where a penalty has a kink, and where it has none. With none,
# the first is reached this much later than the second.
_NOTHING, _HALF, _LATER = 1e-10, 0.5, 1e4
_N_HALVINGS = 50


class TaskBlocks(ABC):
    """Factored blocks ``B_t = S_t + D_t``: what a task sees of a quadratic problem.

    ``S_t`` is the curvature of the task's squared loss, ``D_t`` the diagonal of the
    strengths that pull it. Arrays have a row per task; a first axis of length 1 stands
    for all tasks alike.
    """

    @abstractmethod
    def solve(self, right):
        """Return ``B_t^-1 right_t``, shape (n_tasks, n_features)."""

    @abstractmethod
    def curve(self, coef):
        """Return ``S_t coef_t``, shape (n_tasks, n_features)."""

    @abstractmethod
    def clean(self, right):
        """Remove from ``right_t`` what rounding put outside the range of ``S_t``."""

    @abstractmethod
    def centre(self, n_tasks, rows, strength):
        """Return ``sum_t D_t B_t^-1 S_t + rows' rows + diag(strength)``, factored."""

    @abstractmethod
    def traces(self, n_tasks):
        """Return ``sum_t trace(B_t^-1 S_t)``."""

    @abstractmethod
    def spread(self, n_tasks):
        """Return ``sum_t S_t B_t^-1 D_t B_t^-1 S_t``, (n_features, n_features)."""

    @abstractmethod
    def shrinkage(self):
        """Return ``B_t^-1 S_t``, shape (n_tasks or 1, n_features, n_features)."""

    @abstractmethod
    def shrink(self, rows, tasks):
        """Return ``x' B_t^-1 S_t`` of rows (n_blocks, n_rows, n_features) of tasks."""

    @abstractmethod
    def log_determinants(self):
        """Return ``log |D_t^-1 B_t|``, shape (n_tasks or 1,)."""

    @abstractmethod
    def quadratics(self, rows, tasks):
        """Return ``x' B_t^-1 x`` of rows (n_blocks, n_rows, n_features) of tasks."""


class TaskData(ABC):
    """Rows of several tasks, as the gate hands them on."""

    @abstractmethod
    def moments(self, curvature=True):
        """Return the moments per task, without their matrices if not `curvature`."""

    @property
    @abstractmethod
    def shares_moments(self):
        """Whether one scatter of the features serves all tasks."""

    @property
    @abstractmethod
    def shares_rows(self):
        """Whether every task is observed on every row of X."""

    @abstractmethod
    def select(self, rows):
        """Return the same tasks on some rows of X."""

    @abstractmethod
    def weighted_groups(self):
        """Yield stacks of tasks with equally many rows, and their weights."""

    @abstractmethod
    def deal(self, n_splits):
        """Deal the rows of each task to folds in turn; return rows' folds."""

    @abstractmethod
    def mean_rows(self):
        """Return the mean number of rows that a block is built from."""

    @abstractmethod
    def roots(self, centred=True):
        """Return how many blocks there are, and stacks of rows that span them."""


class Coupling(ABC):
    """How tasks pull on each other quadratically."""

    @abstractmethod
    def precision(self, n_tasks):
        """Return the precision matrix over tasks of one feature, centre eliminated."""

    def pulls_intercepts(self):
        """Return whether intercepts are pulled, which `precision` does not say."""
        return False


@dataclass(frozen=True)
class Point:
    """Hold a variable with the value and the gradient of a smooth term there.

    Parameters
    ----------
    variable : ndarray
        Where.
    value : float
        The value there.
    gradient : ndarray
        The gradient there, in the shape of the variable.
    """

    variable: np.ndarray
    value: float
    gradient: np.ndarray


class Smooth(ABC):
    """A convex term of an objective that has a gradient: data and loss, together."""

    @property
    @abstractmethod
    def shape(self):
        """Shape of the variable, (n_tasks, n_features) unless it has several parts."""

    @abstractmethod
    def at(self, W):
        """Return the Point at W."""

    @abstractmethod
    def lipschitz(self):
        """Return an upper bound of the curvature in any direction."""

    @abstractmethod
    def dual_value(self, point, limit):
        """Return the largest dual value among multiples of the residuals at a point.

        Multiples are between ``-limit`` and `limit`, where the gradient of that many
        residuals is within the penalty's dual ball.
        """

    def ahead(self, point, before, momentum):
        """Return the Point at ``W + momentum * (W - W_before)``, from both points."""
        W = point.variable
        return self.at(W + momentum * (W - before.variable))

    def value(self, W):
        """Return the value at W as a float."""
        return self.at(W).value

    def gradient(self, W):
        """Return the gradient at W, in its shape."""
        return self.at(W).gradient

    def zero(self):
        """Return the Point at zero."""
        return self.at(np.zeros(self.shape))


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

    @abstractmethod
    def value(self, y, z):
        """Return the loss of each sample, in the shape of z without its last axis."""

    @abstractmethod
    def gradient(self, y, z):
        """Return the derivatives in z, in its shape."""

    @abstractmethod
    def hessian(self, y, z):
        """Return the second derivatives in z, of shape (..., n_outputs, n_outputs)."""

    @abstractmethod
    def conjugate(self, y, v):
        """Return the largest ``v . z - value(y, z)`` over z, infinite if unbounded."""

    @abstractmethod
    def mean(self, z):
        """Return the mean of the target, or the probabilities of the classes."""

    @abstractmethod
    def link(self, mean):
        """Return the raw prediction of a mean, the inverse of `mean`."""

    def bend(self, y, z):
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
    def basis(self):
        """Scores of classes per raw prediction, (n_classes, n_outputs), or None."""
        return None

    def bend_along(self, y, z):
        """Return a function that multiplies by the curvature of `bend`.

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
        bend = self.bend(y, z)
        return lambda step: np.einsum("...kl,...l->...k", bend, step)

    def bend_diagonal(self, y, z):
        """Return the diagonal of the curvature of `bend`, in scores if there are.

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
        return np.einsum("...kk->...k", self.bend(y, z))


class ElementwiseLoss(Loss):
    """A loss of one raw prediction; `y` and `z` are arrays of one shape."""

    @abstractmethod
    def cost(self, y, z):
        """Return the loss of each element."""

    @abstractmethod
    def slope(self, y, z):
        """Return the derivative in each element."""

    @abstractmethod
    def curvature(self, y, z):
        """Return the second derivative in each element."""

    @abstractmethod
    def dual_cost(self, y, v):
        """Return the largest ``v z - cost(y, z)`` over z of each element."""

    def value(self, y, z):
        return self.cost(y, z)[..., 0]

    def gradient(self, y, z):
        return self.slope(y, z)

    def hessian(self, y, z):
        return self.curvature(y, z)[..., None]

    def conjugate(self, y, v):
        return self.dual_cost(y, v)[..., 0]


class Penalty(ABC):
    """A term of an objective that is known by its proximal step.

    It has its strength as a parameter `alpha`, which `value` and `prox` include.
    """

    certificate = "kkt"
    # Number of parts that the coefficients are the sum of, on a first axis if several.
    n_parts = 1

    @abstractmethod
    def value(self, W):
        """Return the value at W, of shape (n_tasks, n_features), as a float."""

    @abstractmethod
    def prox(self, W, step):
        """Return the V that minimises ``1/2 ||V - W||^2 + step * value(V)``."""

    def alpha_max(self, smooth):
        """Return the `alpha` beyond which a higher one does not change the solution.

        All strengths of the penalty grow with it in proportion, which is to say that
        steps do. What the longest step from zero leaves is not counted. Where every
        step leaves a share, as those of squares do, it is the strength that leaves
        half.
        """
        return self._saturate(smooth, smooth.zero())

    def _saturate(self, smooth, point):
        """Return that strength from a point that is best at an endless one."""
        curvature = max(smooth.lipschitz(), TINY)
        moved = point.variable - point.gradient / curvature
        units = max(curvature, norm(point.gradient))

        def step(alpha):
            return self.prox(moved, alpha / self.alpha / curvature)

        return least_strength(step, moved, ENDLESS * units)

    def optimality(self, smooth, point):
        """Return the gradient that is left at a point, relative to the one at zero.

        It is ``L ||W - prox(W - gradient / L, 1 / L)||``, zero where W is stationary.
        """
        curvature = max(smooth.lipschitz(), TINY)
        W = point.variable
        stepped = self.prox(W - point.gradient / curvature, 1 / curvature)
        start = norm(smooth.zero().gradient)
        return float(curvature * norm(W - stepped) / max(start, TINY))


class Norm(Penalty):
    """A penalty that is `alpha` times a norm, so that a dual value bounds the optimum.

    ``W = 0`` is best if and only if ``dual_norm(gradient at zero) <= alpha``.
    """

    certificate = "dual_gap"

    @abstractmethod
    def dual_norm(self, G):
        """Return the largest ``<G, W>`` among the W with ``value(W) <= alpha``."""

    def alpha_max(self, smooth):
        """Return the least `alpha` at which all coefficients are zero."""
        return float(self.dual_norm(smooth.zero().gradient))

    def optimality(self, smooth, point):
        """Return the duality gap at a point, relative to the objective at zero."""
        size = float(self.dual_norm(point.gradient))
        limit = float(self.alpha) / max(size, TINY)
        objective = point.value + self.value(point.variable)
        gap = max(objective - smooth.dual_value(point, limit), 0.0)
        return float(gap / max(smooth.zero().value, TINY))


def least_strength(step, moved, endless):
    """Return the least strength at which a proximal step goes as far as it ever does.

    Where it never does, the strength at which half of the way is left.

    Parameters
    ----------
    step : callable
        Of a strength, returns the step from `moved`.
    moved : ndarray
        Where the step begins.
    endless : float
        A strength that is more than enough.

    Returns
    -------
    float
        The strength.
    """
    settled = step(endless)
    whole = norm(moved - settled)
    if whole <= _NOTHING * norm(moved):
        return 0.0

    def left(alpha):
        return norm(step(alpha) - settled)

    kink = _halve(lambda alpha: left(alpha) <= _NOTHING * whole, endless)
    bend = _halve(lambda alpha: left(alpha) <= _HALF * whole, endless)
    return bend if kink > _LATER * bend else kink


def _halve(holds, highest):
    """Return the least number for which a claim holds, by bisection of its log."""
    low, high = np.log(highest) - 3 * np.log(ENDLESS), np.log(highest)
    for _ in range(_N_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(np.exp(middle)) else (middle, high)
    return float(np.exp(high))


@dataclass(frozen=True)
class Solution:
    """Say what a solver found, and how near it is to the best.

    Parameters
    ----------
    variable : ndarray
        Where the objective is smallest.
    objective : float
        Its value there.
    optimality : float
        What the penalty says of it: the duality gap relative to the objective at zero,
        or the gradient that is left relative to the one at zero.
    n_iter : int
        Number of iterations.
    converged : bool
        Whether `optimality` is within the tolerance.
    """

    variable: np.ndarray
    objective: float
    optimality: float
    n_iter: int
    converged: bool


class Solver(ABC):
    """An algorithm that minimises ``smooth + penalty`` and knows nothing else."""

    @abstractmethod
    def minimize(self, smooth, penalty, start):
        """Return the Solution found from the variable `start`."""
