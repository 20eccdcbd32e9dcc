"""Adam: steps scaled by moving averages of the gradient and its square."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Self

import numpy as np

from skmtl._contracts import Array

# Decay rates of the averages, and the lower bound of a step's divisor, as published.
_DECAY, _DECAY_OF_SQUARES, _LEAST = 0.9, 0.999, 1e-8


@dataclass
class Adam:
    """State of Adam, which updates parameters in place.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    mean : ndarray of shape (n_parameters,)
        Moving average of the gradient.
    square : ndarray of shape (n_parameters,)
        Moving average of its square.
    n_steps : int, default=0
        Number of steps so far.

    References
    ----------
    Kingma, D. P., Ba, J. (2015). Adam: A method for stochastic optimization.
    International Conference on Learning Representations.
    :doi:`10.48550/arXiv.1412.6980`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.solvers import Adam
    >>> adam, x = Adam.of(np.array([3.0]), learning_rate=0.1), np.array([3.0])
    >>> for _ in range(100):
    ...     adam.step(x, gradient=2 * x)
    >>> bool(abs(x[0]) < 0.1)
    True
    """

    learning_rate: float
    mean: Array
    square: Array
    n_steps: int = 0

    @classmethod
    def of(cls, variable: Array, learning_rate: float) -> Self:
        """Return the state before the first step.

        Parameters
        ----------
        variable : ndarray of shape (n_parameters,)
            Parameters.
        learning_rate : float
            Size of a step.

        Returns
        -------
        Adam
            The state.
        """
        return cls(learning_rate, np.zeros_like(variable), np.zeros_like(variable))

    def copy(self) -> Self:
        """Return a state that steps do not share.

        Returns
        -------
        Adam
            The copy.
        """
        return replace(self, mean=self.mean.copy(), square=self.square.copy())

    def step(self, variable: Array, gradient: Array) -> None:
        """Update the parameters in place.

        Parameters
        ----------
        variable : ndarray of shape (n_parameters,)
            Parameters.
        gradient : ndarray of shape (n_parameters,)
            Gradient of the objective; it is overwritten.
        """
        self.n_steps += 1
        self.mean *= _DECAY
        self.mean += (1 - _DECAY) * gradient
        self.square *= _DECAY_OF_SQUARES
        gradient *= gradient
        gradient *= 1 - _DECAY_OF_SQUARES
        self.square += gradient
        # The bias corrections of both averages, in the step and in its divisor.
        root = sqrt(1 - _DECAY_OF_SQUARES**self.n_steps)
        np.sqrt(self.square, out=gradient)
        gradient += _LEAST * root
        np.divide(self.mean, gradient, out=gradient)
        gradient *= self.learning_rate * root / (1 - _DECAY**self.n_steps)
        variable -= gradient
