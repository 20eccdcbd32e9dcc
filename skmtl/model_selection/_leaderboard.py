"""The table of a search."""

from dataclasses import dataclass

import numpy as np

from ._paired_losses import average_loss, compare_losses


@dataclass(frozen=True)
class Entry:
    """A line of the leaderboard.

    Parameters
    ----------
    candidate : str
        Name.
    loss : float
        Mean loss of held-out targets, NaN if there is none.
    difference, standard_error : float
        Mean difference from the loss of the best entry, and its standard error.
    seconds : float
        Time of the fits.
    n_folds : int
        Number of folds with predictions.
    dropped : str
        Reason for leaving the candidate out; empty if it was not.
    """

    candidate: str
    loss: float
    difference: float
    standard_error: float
    seconds: float
    n_folds: int
    dropped: str


def make_entries(trials, best, data):
    """Return a line per trial, the best first and those dropped last."""
    entries = [_make_entry(trial, best, data) for trial in trials]
    return sorted(entries, key=lambda each: (bool(each.dropped), each.loss))


def _make_entry(trial, best, data):
    name, n_folds = trial.candidate.name, len(trial.predictions)
    more = trial.seconds, n_folds, trial.dropped
    if n_folds == 0:
        return Entry(name, np.nan, np.nan, np.nan, *more)
    weight = data.target_weight
    differences = compare_losses(trial.loss, best.loss, weight, data.codes)
    return Entry(name, average_loss(trial.loss, weight), *differences, *more)


def tabulate_entries(entries):
    """Return the lines as a dict of arrays, which pandas reads as a frame."""
    return {
        name: np.array([getattr(each, name) for each in entries])
        for name in Entry.__dataclass_fields__
    }
