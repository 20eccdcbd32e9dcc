"""What a comparison recommends, in one sentence."""

from math import isnan

import numpy as np

_NAMED = 3  # hurt tasks that are named


def recommend(comparison):
    """Say which model to use, how much it gains, and what it hurts."""
    best = comparison.best_sharing
    place = comparison.find(best)
    difference = comparison.differences[place]
    doubt = comparison.standard_errors[place]
    if isnan(doubt):
        return _say_unknown(comparison, best)
    if abs(difference) <= doubt:
        return _say_unclear(comparison, best)
    if difference > 0:
        return _say_apart(comparison, best)
    return _say_shared(comparison, best)


def _say_unknown(comparison, best):
    return (
        f"Compare on more folds: on a single one, the {_state(comparison, best)} of "
        f"{best!r}, the best model that shares, and the "
        f"{_state(comparison, comparison.baseline)} of {comparison.baseline!r} have no "
        f"standard error."
    )


def _say_shared(comparison, best):
    return (
        f"Use {best!r}: its {_state(comparison, best)} is "
        f"{_state_gain(comparison, best, 'below')} that of {comparison.baseline!r}, "
        f"and sharing hurts {_list_hurt(comparison, best)}."
    )


def _say_apart(comparison, best):
    return (
        f"Use {comparison.baseline!r}: the {_state(comparison, best)} of {best!r}, the "
        f"best model that shares, is {_state_gain(comparison, best, 'above')} its own, "
        f"and sharing hurts {_list_hurt(comparison, best)}."
    )


def _say_unclear(comparison, best):
    return (
        f"No clear difference: the {_state(comparison, best)} of {best!r}, the best "
        f"model that shares, is within one standard error of that of "
        f"{comparison.baseline!r} (a gain of {_state_signed(comparison, best)}), and "
        f"sharing hurts {_list_hurt(comparison, best)}."
    )


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
