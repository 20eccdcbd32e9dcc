"""Refuse standard deviations of a model without residuals."""

import numpy as np


class ExactFitError(ValueError):
    """The variance of the noise is unknown, as a model fits its rows exactly."""


def refuse_exact_fit(noise: float) -> None:
    """Raise an error if the rows leave no degree of freedom to the noise.

    Parameters
    ----------
    noise : float
        Variance of the noise, not finite if it is unknown.
    """
    if not np.isfinite(noise):
        raise ExactFitError(
            "Intervals and standard deviations need more rows than degrees of freedom, "
            "but the model fits its rows exactly. Raise alpha, or fit more rows."
        )
