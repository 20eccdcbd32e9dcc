"""Solve quadratic problems exactly, by structure."""

from ._conjugate_gradients import pull_together
from ._elimination import eliminate, plan_elimination
from ._inverse import Inverse
from ._spectral import Spectral

__all__ = ["Inverse", "Spectral", "eliminate", "plan_elimination", "pull_together"]
