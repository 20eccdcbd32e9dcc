"""Say what a sample costs, given its target and its raw prediction."""

from ._huber import Huber
from ._logistic import Logistic
from ._multinomial import Multinomial, contrasts
from ._poisson import Poisson
from ._squared import Squared

__all__ = ["Huber", "Logistic", "Multinomial", "Poisson", "Squared", "contrasts"]
