"""Solve quadratic problems exactly, by structure."""

from ._inverse import Inverse
from ._spectral import Spectral

__all__ = ["Inverse", "Spectral"]
