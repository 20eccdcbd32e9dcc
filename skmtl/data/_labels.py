"""What a label of a task may be."""

from numbers import Integral, Real

import numpy as np

RULE = "task labels must be all integers or all strings"
MISSING = (
    "Input task contains NaN: every row must belong to a task. Drop the rows without "
    "a label, or give them a label of their own."
)


def as_integers(labels):
    """Convert floats that hold integers."""
    if np.isnan(labels).any():
        raise ValueError(MISSING)
    if np.isinf(labels).any():
        raise ValueError(f"Input task contains infinity: {RULE}.")
    fractions = np.trunc(labels) != labels
    if fractions.any():
        raise ValueError(_explain_fractions(labels[fractions][0]))
    largest = float(np.abs(labels).max(initial=0))
    if largest >= 2.0**63:
        raise ValueError(explain_large(largest))
    return labels.astype(np.int64)


def _explain_fractions(label):
    return (
        f"{RULE}, got the non-integer float {float(label)!r}. The task column was "
        f"probably scaled by an earlier pipeline step: wrap the transformers in "
        f"skmtl.compose.TaskAware, or let a ColumnTransformer pass it through."
    )


def explain_large(label):
    return f"{RULE} that fit 64 bits, got {label!r}. Use strings instead."


def as_labels(distinct):
    """Check distinct labels, and hold them in an array of int64 or str."""
    if not distinct:
        return np.empty(0, dtype=np.int64)
    kinds = {_kind_of(label): label for label in distinct}
    if len(kinds) > 1:
        examples = " and ".join(repr(label) for label in kinds.values())
        raise ValueError(f"{RULE}, got both: {examples}. Convert them to one kind.")
    if "str" in kinds:
        strings = [str(label) for label in distinct]
        array = np.array(strings)  # which drops a trailing NUL
        return array if array.tolist() == strings else np.array(strings, dtype=object)
    try:
        return np.array([int(label) for label in distinct], dtype=np.int64)
    except OverflowError:
        raise ValueError(explain_large(max(distinct, key=abs))) from None


def _kind_of(label):
    if isinstance(label, str):
        return "str"
    if isinstance(label, (Integral, np.bool_)):
        return "int"
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        raise ValueError(MISSING)
    if isinstance(label, Real):
        as_integers(np.array([label], dtype=float))
        return "int"
    raise ValueError(explain_kind(f"{label!r} of type {type(label).__name__}"))


def explain_kind(got):
    return f"{RULE}, got {got}. Convert the labels with astype(str)."
