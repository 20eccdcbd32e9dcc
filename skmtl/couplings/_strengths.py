"""Strengths with which tasks are pulled, as arrays."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Strengths:
    """Say how strongly each coefficient is pulled, and to what.

    Minimised, beside the loss, is ``sum_tj alpha_t pattern_j (w_tj - w_sj)^2 +
    sum_j centre_j w_sj^2 + intercept sum_t (b_t - b_s)^2``.

    Parameters
    ----------
    alpha : ndarray of shape (n_tasks or 1,)
        Strength per task.
    pattern : ndarray of shape (n_features,)
        Factor per feature; finite, and positive where alpha acts.
    centre : ndarray of shape (n_features,)
        Strength that pulls the centre to zero; infinite holds it there.
    intercept : float
        Strength that pulls the intercepts together; infinite makes them one.
    holds_intercept : bool, default=False
        Whether the shared intercept is held at zero.
    """

    alpha: np.ndarray
    pattern: np.ndarray
    centre: np.ndarray
    intercept: float
    holds_intercept: bool = False

    @property
    def own(self):
        """Strengths per task and feature, shape (n_tasks or 1, n_features)."""
        return self.alpha[:, None] * self.pattern

    @property
    def pinned(self):
        """Whether the centre is held at zero."""
        return bool(np.isinf(self.centre).all()) and len(self.centre) > 0
