"""Solve quadratic problems exactly, by structure, and others by steps."""

from ._conjugate_gradients import pull_together
from ._elimination import eliminate, plan_elimination
from ._fista import Fista
from ._inverse import Inverse
from ._spectral import Spectral

__all__ = [
    "Fista",
    "Inverse",
    "Spectral",
    "eliminate",
    "plan_elimination",
    "pull_together",
]
