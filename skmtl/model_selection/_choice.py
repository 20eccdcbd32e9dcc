"""The choice of a search: one candidate, or the stack."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._leaderboard import make_entries, tabulate_entries
from ._paired_losses import compare_losses
from ._stack import choose_members, stack_trials
from ._trials import Trial, find_best

# The best of many candidates is better than the stack by chance, if by less than this
# many standard errors.
_CLEARLY = 2.0


@dataclass(frozen=True)
class Choice:
    """The models to predict with.

    Parameters
    ----------
    name : str
        Name of the candidate, or "stack".
    members : list of Trial
        Models with a positive weight.
    weights : ndarray of shape (n_members,)
        Their weights, of sum 1.
    """

    name: str
    members: list[Trial]
    weights: NDArray[np.floating]


def choose(trials, data, splits, metric, stack):
    """Choose by one standard error.

    Parameters
    ----------
    trials : list of Trial
        Trials, the simplest candidate first.
    data : Rows
        Rows.
    splits : list of (train, held_out)
        Folds.
    metric : Metric
        Loss of a row.
    stack : bool or "auto"
        Whether to choose the stack; with "auto", unless a candidate is better by more
        than two standard errors.

    Returns
    -------
    choice : Choice
        The choice.
    weights : dict of str to float
        Weights of the stack, if there is one.
    leaderboard : dict of str to ndarray
        Table of all trials.
    """
    best = find_best(trials, data)
    alone = _choose_simplest(trials, best, data)
    choice = Choice(alone.candidate.name, [alone], np.ones(1))
    members = choose_members(trials, data) if stack else []
    if not members:  # candidates without a family are not stacked
        return choice, {}, _tabulate(trials, data)
    weights, stacked = stack_trials(members, data, splits, metric)
    if stack is True or _is_near(stacked, best, data, _CLEARLY):
        used = np.flatnonzero(weights)
        choice = Choice("stack", [members[k] for k in used], weights[used])
    names = [each.candidate.name for each in members]
    named = dict(zip(names, weights.tolist(), strict=True))
    return choice, named, _tabulate([*trials, stacked], data)


def _choose_simplest(trials, best, data):
    """Return the first trial within one standard error of the best."""
    left = (trial for trial in trials if not trial.dropped)
    return next(trial for trial in left if _is_near(trial, best, data))


def _is_near(trial, best, data, n_errors=1.0):
    """Return whether a trial is within standard errors of another, or better."""
    weight = data.target_weight
    difference, error = compare_losses(trial.loss, best.loss, weight, data.codes)
    return difference <= n_errors * error


def _tabulate(trials, data):
    best = find_best(trials, data)
    return tabulate_entries(make_entries(trials, best, data))
