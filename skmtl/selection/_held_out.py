"""Measure models with any loss on rows left out."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import get_scorer

from skmtl._compat import safe_indexing
from skmtl.losses import contrasts
from skmtl.problems.newton import Datafit


@dataclass(frozen=True)
class HeldOutLoss:
    """Score solutions by the mean loss of test rows, negated.

    Parameters
    ----------
    datafit : Datafit
        Losses of all rows.
    """

    datafit: Datafit

    def __call__(self, test):
        """Return what scores the solution of an objective on these rows of X."""
        held_out = self.datafit.select(test)
        total = held_out.task_totals.sum()

        def score(objective, variable):
            raw = held_out.predict(objective.coefs(variable))
            return -self.lost(held_out, raw) / total

        return score

    def lost(self, held_out, raw):
        """Return what the predictions cost, all rows together."""
        return held_out.value(raw)


@dataclass(frozen=True)
class HeldOutErrors(HeldOutLoss):
    """Score solutions by the share of test rows whose class is right."""

    def __call__(self, test):
        score = super().__call__(test)
        return lambda objective, variable: 1 + score(objective, variable)

    def lost(self, held_out, raw):
        pairs = zip(held_out.stacks(), raw, strict=True)
        wrong = [stack.weight[_misses(stack.y, z)].sum() for stack, z in pairs]
        return float(np.sum(wrong))


def _misses(y, z):
    """Return whether another class is more probable than the right one."""
    if y.shape[-1] == 1:
        return ((z > 0) != (y == 1))[..., 0]
    scores = z @ contrasts(y.shape[-1]).T
    scores[np.isnan(y)] = -np.inf
    return scores.argmax(axis=-1) != np.nan_to_num(y).argmax(axis=-1)


@dataclass(frozen=True)
class HeldOutScore:
    """Score solutions by a scorer of scikit-learn, called with a fitted model.

    Parameters
    ----------
    scoring : str or callable
        The scorer.
    fitted : callable
        Makes a fitted model of an objective and its solution.
    X, y : array-like
        All rows, as `fit` was given them.
    """

    scoring: object
    fitted: object
    X: object
    y: object

    def __call__(self, test):
        """Return what scores the solution of an objective on these rows of X."""
        scorer = get_scorer(self.scoring)
        X, y = safe_indexing(self.X, test), safe_indexing(self.y, test)

        def score(objective, variable):
            return scorer(self.fitted(objective, variable), X, y)

        return score


# Scores that need no fitted model.
FAST = {None: HeldOutLoss, "neg_log_loss": HeldOutLoss, "accuracy": HeldOutErrors}
