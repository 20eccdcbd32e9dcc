"""What a comparison recommends, in one sentence."""

from math import isnan

import numpy as np

_NAMED = 3  # hurt tasks that are named
_SURE = 2  # standard errors


def judge(comparison):
    """Return whether sharing helps, by the standard errors of the difference.

    Returns a kind, "shared", "apart" or "unclear", and the verdict in words: below one
    standard error "unclear", from two on without "seems".
    """
    place = comparison.find(comparison.best_sharing)
    difference = comparison.differences[place]
    doubt = comparison.standard_errors[place]
    near = comparison.near_best
    if isnan(doubt) or {comparison.baseline, comparison.best_sharing} <= {*near}:
        return "unclear", "No clear difference"
    sure = abs(difference) > _SURE * doubt
    if comparison.baseline in near:
        return "apart", "Sharing does not help" if sure else "Sharing seems not to help"
    return "shared", "Sharing helps" if sure else "Sharing seems to help"


def recommend(comparison):
    """Return which model to use, its gain, and the tasks that it hurts."""
    kind, words = judge(comparison)
    if isnan(comparison.standard_errors[comparison.find(comparison.best_sharing)]):
        return _say_unknown(comparison, comparison.best_sharing)
    return _SENTENCES[kind](comparison, words) + _say_near(comparison) + "."


def _say_unknown(comparison, best):
    return (
        f"Compare on more folds: on a single fold, the {_state(comparison, best)} of "
        f"{best!r}, the best model that shares, and the "
        f"{_state(comparison, comparison.baseline)} of {comparison.baseline!r} have no "
        "standard error."
    )


def _say_shared(comparison, words):
    chosen = comparison.recommended
    return (
        f"Use {chosen!r}: its {_state(comparison, chosen)} is "
        f"{_state_gain(comparison, chosen, 'below')} that of {comparison.baseline!r}; "
        f"{_begin_low(words)}, and hurts {_list_hurt(comparison, chosen)}"
    )


def _say_apart(comparison, words):
    best = comparison.best_sharing
    return (
        f"Use {comparison.baseline!r}: the {_state(comparison, best)} of {best!r}, the "
        f"best model that shares, is {_state_gain(comparison, best, 'above')} its own; "
        f"{_begin_low(words)}, and hurts {_list_hurt(comparison, best)}"
    )


def _say_unclear(comparison, words):
    best = comparison.best_sharing
    return (
        f"{words}: the {_state(comparison, best)} of {best!r}, the best "
        f"model that shares, is within one standard error of that of "
        f"{comparison.baseline!r} (a gain of {_state_signed(comparison, best)}), and "
        f"sharing hurts {_list_hurt(comparison, best)}"
    )


_SENTENCES = {"shared": _say_shared, "apart": _say_apart, "unclear": _say_unclear}


def _say_near(comparison):
    """Return the part of the sentence on models near the best, if there are several."""
    near = [repr(name) for name in comparison.near_best]
    if len(near) == 1:
        return ""
    return (
        f"; {', '.join(near[:-1])} and {near[-1]} cannot be told apart, use "
        f"{comparison.recommended!r}, the simplest"
    )


def _begin_low(words):
    return words[0].lower() + words[1:]


def _state(comparison, model):
    error = comparison.errors[comparison.find(model)]
    return f"{comparison.metric_label} of {error:.4g}"


def _state_gain(comparison, model, side):
    place = comparison.find(model)
    gain = abs(100 * comparison.relative_gains[place])
    doubt = 100 * comparison.relative_standard_errors[place]
    return f"{gain:.2g} % (standard error {doubt:.2g} %) {side}"


def _state_signed(comparison, model):
    place = comparison.find(model)
    gain = 100 * comparison.relative_gains[place]
    doubt = 100 * comparison.relative_standard_errors[place]
    return f"{gain:.2g} %, standard error {doubt:.2g} %"


def _list_hurt(comparison, model):
    hurt = comparison.hurt(model).tolist()
    n_tasks = len(comparison.tasks)
    n_tested = int((~np.isnan(comparison.p_values[comparison.find(model)])).sum())
    if not n_tested:
        return (
            f"an unknown number of the {n_tasks} tasks, as a test needs two rows each"
        )
    if not hurt and n_tested < n_tasks:
        return f"none of the {n_tested} tasks of two rows or more significantly"
    if not hurt:
        return f"none of the {n_tasks} tasks significantly"
    names = ", ".join(map(repr, hurt[:_NAMED]))
    if len(hurt) > _NAMED:
        names += f" and {len(hurt) - _NAMED} more"
    return f"{len(hurt)} of the {n_tasks} tasks significantly: {names}"
