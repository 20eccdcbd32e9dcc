"""Losses of rows, functions of the target and the raw prediction."""

from ._huber import Huber
from ._logistic import Logistic
from ._multinomial import Multinomial, contrasts
from ._poisson import Poisson
from ._squared import Squared

__all__ = ["Huber", "Logistic", "Multinomial", "Poisson", "Squared", "contrasts"]
