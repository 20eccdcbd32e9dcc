"""The recommendation of a comparison, in one sentence."""

from math import isnan

import numpy as np

_NAMED = 3  # hurt tasks that are named
_CLEAR = 2  # standard errors beyond which a difference is stated without "seems"


def judge(comparison):
    """Return which models predict better, by the standard error of the difference.

    Returns "shared", "independent" or "unclear", and the verdict in words: "unclear"
    within one standard error, "seems" up to two. The words are about sharing or, if the
    models do not differ in sharing only, about the model.
    """
    place = comparison.find(comparison.best_sharing)
    difference = comparison.differences[place]
    standard_error = comparison.standard_errors[place]
    near = comparison.near_best
    if isnan(standard_error) or {comparison.baseline, comparison.best_sharing} <= {
        *near
    }:
        return "unclear", "No clear difference"
    clear = abs(difference) > _CLEAR * standard_error
    kind = "independent" if comparison.baseline in near else "shared"
    return kind, _say_verdict(comparison, kind, clear)


def _say_verdict(comparison, kind, clear):
    model = comparison.recommended if kind == "shared" else comparison.best_sharing
    verbs = _HELPS if _is_about_sharing(comparison, model) else _PREDICTS
    subject = _name_subject(comparison, model)
    return f"{subject[0].upper()}{subject[1:]} {verbs[kind, clear]}"


_HELPS = {
    ("shared", True): "helps",
    ("shared", False): "seems to help",
    ("independent", False): "seems not to help",
    ("independent", True): "does not help",
}
_PREDICTS = {
    ("shared", True): "predicts better",
    ("shared", False): "seems to predict better",
    ("independent", False): "seems not to predict better",
    ("independent", True): "does not predict better",
}


def _is_about_sharing(comparison, model):
    contrasts = comparison.differs_by_sharing
    return contrasts is None or contrasts[comparison.find(model)]


def _name_subject(comparison, model):
    """Return what the gain of a model over the baseline is due to."""
    return "sharing" if _is_about_sharing(comparison, model) else repr(model)


def _name_best(comparison):
    """Return a name of the best model but the baseline, and why it is named."""
    best = comparison.best_sharing
    about = _is_about_sharing(comparison, best)
    return f"{best!r}, the best {'model with sharing' if about else 'other model'},"


def recommend(comparison):
    """Return the model to use, its gain, and the tasks that it hurts."""
    kind, words = judge(comparison)
    if isnan(comparison.standard_errors[comparison.find(comparison.best_sharing)]):
        return _say_unknown(comparison, comparison.best_sharing)
    return _SENTENCES[kind](comparison, words) + _say_near(comparison) + "."


def _say_unknown(comparison, best):
    return (
        f"Compare on more folds: with a single fold, the {_state(comparison, best)} of "
        f"{_name_best(comparison)} and the "
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


def _say_independent(comparison, words):
    best = comparison.best_sharing
    return (
        f"Use {comparison.baseline!r}: the {_state(comparison, best)} of "
        f"{_name_best(comparison)} is "
        f"{_state_gain(comparison, best, 'above')} its own; "
        f"{_begin_low(words)}, and hurts {_list_hurt(comparison, best)}"
    )


def _say_unclear(comparison, words):
    best = comparison.best_sharing
    return (
        f"{words}: the {_state(comparison, best)} of {_name_best(comparison)} is "
        "within one standard error of that of "
        f"{comparison.baseline!r} (a gain of {_state_signed(comparison, best)}), and "
        f"{_name_subject(comparison, best)} hurts {_list_hurt(comparison, best)}"
    )


_SENTENCES = {
    "shared": _say_shared,
    "independent": _say_independent,
    "unclear": _say_unclear,
}


def _say_near(comparison):
    """Return a clause on the models near the best, if there are several."""
    near = [repr(name) for name in comparison.near_best]
    if len(near) == 1:
        return ""
    return (
        f"; {', '.join(near[:-1])} and {near[-1]} do not differ clearly, use "
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
    error = 100 * comparison.relative_standard_errors[place]
    return f"{gain:.2g} % (standard error {error:.2g} %) {side}"


def _state_signed(comparison, model):
    place = comparison.find(model)
    gain = 100 * comparison.relative_gains[place]
    error = 100 * comparison.relative_standard_errors[place]
    return f"{gain:.2g} %, standard error {error:.2g} %"


def _list_hurt(comparison, model):
    hurt = comparison.hurt(model).tolist()
    n_tasks = len(comparison.tasks)
    n_tested = int((~np.isnan(comparison.p_values[comparison.find(model)])).sum())
    if not n_tested:
        return (
            f"an unknown number of the {n_tasks} tasks, as a test needs two rows of "
            "each"
        )
    if not hurt and n_tested < n_tasks:
        return f"none of the {n_tested} tasks with two rows or more significantly"
    if not hurt:
        return f"none of the {n_tasks} tasks significantly"
    names = ", ".join(map(repr, hurt[:_NAMED]))
    if len(hurt) > _NAMED:
        names += f" and {len(hurt) - _NAMED} more"
    return f"{len(hurt)} of the {n_tasks} tasks significantly: {names}"
