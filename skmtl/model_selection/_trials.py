"""Candidates tried fold by fold, without those that are hopeless or too slow."""

import logging
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from ._candidates import Candidate
from ._cross_prediction import find_cause, predict_fold
from ._fold_errors import measure_errors
from ._paired_losses import average_loss, compare_losses

_logger = logging.getLogger("skmtl")
# A candidate behind the best by this many standard errors will not be chosen.
_HOPELESS = 3.0
# In the stack, little is lost if a similar model takes its place.
_HOPELESS_IN_FAMILY = 2.0


@dataclass(frozen=True)
class Trial:
    """A candidate, and what it has predicted so far.

    Parameters
    ----------
    candidate : Candidate
        Name, family and unfitted estimator.
    predictions : tuple of ndarray, default=()
        Predictions of the held-out rows, one array per fold.
    loss : ndarray of shape (n_targets,) or None, default=None
        Loss of each target; NaN where not held out yet.
    seconds : float, default=0.0
        Time of the fits.
    dropped : str, default=""
        Reason for leaving the candidate out; empty if it is still in.
    """

    candidate: Candidate
    predictions: tuple[Any, ...] = ()
    loss: Any = None
    seconds: float = 0.0
    dropped: str = ""


def try_candidates(candidates, data, splits, metric, n_jobs, deadline):
    """Fit candidates fold by fold, and predict the held-out rows.

    After each fold, candidates behind the best of all by three standard errors are
    dropped. If there is a stack, it is two standard errors behind the best of their
    family, or none for those that cannot be in the stack. The first candidate is never
    dropped; an error in its fits is raised.

    Parameters
    ----------
    candidates : list of Candidate
        Candidates, the default model first.
    data : Rows
        Rows.
    splits : list of (train, held_out)
        Folds.
    metric : Metric
        Loss of a row.
    n_jobs : int or None
        Number of fits in parallel.
    deadline : float
        Time, by the monotonic clock, after which only the first candidate is fitted.

    Returns
    -------
    list of Trial
        Trials, in the order of the candidates.
    """
    trials = [Trial(each) for each in candidates]
    for fold, split in enumerate(splits):
        asked = [k for k, trial in enumerate(trials) if not trial.dropped]
        answers = Parallel(n_jobs=n_jobs)(
            delayed(_attempt)(
                trials[k].candidate,
                data,
                metric.method,
                fold,
                split,
                deadline if k else np.inf,
                not k,
            )
            for k in asked
        )
        for k, answer in zip(asked, answers, strict=True):
            trials[k] = _extend(trials[k], answer, data, splits, metric.loss)
        trials[1:] = _drop_hopeless(trials, data)[1:]
        _log_fold(trials, data, fold, len(splits))
    return trials


def _attempt(candidate, data, method, fold, split, deadline, must_succeed):
    """Return the predictions of a fold or None, the time, and the reason for None."""
    if monotonic() > deadline:
        return None, 0.0, "time budget used up"
    start = monotonic()
    try:
        prediction, seconds = predict_fold(
            candidate.name, candidate.estimator, data, method, fold, *split
        )
    except ValueError as error:
        if must_succeed:
            raise find_cause(error) from None
        return None, monotonic() - start, str(error)
    return prediction, seconds, ""


def _extend(trial, answer, data, splits, loss):
    """Return a trial with the predictions of another fold."""
    prediction, seconds, reason = answer
    seconds += trial.seconds
    if prediction is None:
        return replace(trial, seconds=seconds, dropped=reason)
    predictions = (*trial.predictions, prediction)
    errors = measure_errors(data, splits[: len(predictions)], predictions, loss)
    return replace(trial, predictions=predictions, loss=errors.loss, seconds=seconds)


def _drop_hopeless(trials, data):
    """Drop candidates that are behind the best by several standard errors.

    Those of a family are compared with the best of it, as this one is in the stack.
    If there are families, a candidate without one will only be chosen if it is clearly
    better than a mean of others: it is dropped as soon as it is behind.
    """
    families = {trial.candidate.family for trial in trials if not trial.dropped}
    best = {
        family: find_best([t for t in trials if t.candidate.family == family], data)
        for family in families - {""}
    }
    best[""] = find_best(trials, data)
    has_stack = len(best) > 1
    return [
        trial
        if trial.dropped
        else _judge(trial, best[trial.candidate.family], data, has_stack)
        for trial in trials
    ]


def _judge(trial, best, data, has_stack):
    """Return a trial, dropped if it is too far behind the best."""
    weight = data.target_weight
    difference, error = compare_losses(trial.loss, best.loss, weight, data.codes)
    margin = _HOPELESS
    if has_stack:
        margin = _HOPELESS_IN_FAMILY if trial.candidate.family else 0.0
    if difference <= (margin * error if margin else 0.0):
        return trial
    return replace(trial, dropped=f"worse after fold {len(trial.predictions)}")


def find_best(trials, data):
    """Return the trial of smallest mean loss among those not dropped."""
    left = [trial for trial in trials if not trial.dropped]
    return min(left, key=lambda trial: average_loss(trial.loss, data.target_weight))


def _log_fold(trials, data, fold, n_folds):
    best = find_best(trials, data)
    _logger.info(
        "Fold %d of %d: %d candidates left, the best is %r with a mean loss of %.6g",
        fold + 1,
        n_folds,
        sum(not trial.dropped for trial in trials),
        best.candidate.name,
        average_loss(best.loss, data.target_weight),
    )
