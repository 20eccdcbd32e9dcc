"""Kinds of task labels, and the checks of labels."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array

RULE = "task labels must be all booleans, all integers or all strings"
_SEPARATOR = "/"


class MissingLabelError(ValueError):
    """A row has no task label."""

    @classmethod
    def at(cls, where: str = "") -> Self:
        """Return the error; `where` is the place of the row, if known."""
        return cls(
            f"Input task contains NaN{where}: every row must belong to a task. Drop "
            "the rows without a label, or give them a label of their own."
        )


def as_integers(labels: Array) -> Array:
    """Convert floats to integers; raise if one is fractional or too large."""
    if np.isnan(labels).any():
        raise MissingLabelError.at()
    if np.isinf(labels).any():
        raise ValueError(f"Input task contains infinity: {RULE}.")
    fractions = np.trunc(labels) != labels
    if fractions.any():
        raise ValueError(_explain_fractions(labels[fractions][0]))
    largest = float(np.abs(labels).max(initial=0))
    if largest >= 2.0**63:
        raise ValueError(explain_large(largest))
    digits = np.finfo(labels.dtype).nmant + 1
    if largest >= 2.0**digits:
        raise ValueError(_explain_rounded(largest, labels.dtype, digits))
    return labels.astype(np.int64)


def _explain_fractions(label):
    return (
        f"{RULE}, got the non-integer float {float(label)!r}. The task column was "
        f"probably scaled by an earlier pipeline step: wrap the transformers in "
        f"skmtl.compose.TaskAware, or let a ColumnTransformer pass it through."
    )


def _explain_rounded(label, dtype, digits):
    return (
        f"{RULE}, got {label:.0f} as {dtype}, which rounds integers from 2**{digits} "
        "on, so different labels may have become equal. Separate the labels from the "
        "features: in a dataframe, as task=, or as strings."
    )


def explain_large(label: float) -> str:
    """Return the message for an integer that exceeds 64 bits."""
    return f"{RULE} that fit 64 bits, got {label!r}. Use strings instead."


def as_labels(distinct: Any) -> Array:
    """Convert distinct labels to an array of bool, int64 or str."""
    if not len(distinct):
        return np.empty(0, dtype=np.int64)
    if isinstance(distinct, np.ndarray):
        return as_integers(distinct)
    kind = check_kinds(distinct)
    if kind == "str":
        strings = [str(label) for label in distinct]
        array = np.array(strings)  # drops trailing NUL characters
        return array if array.tolist() == strings else np.array(strings, dtype=object)
    if kind == "bool":
        return np.array(distinct, dtype=bool)
    if kind == "float":
        return as_integers(np.array(distinct))
    try:
        return np.array([int(label) for label in distinct], dtype=np.int64)
    except OverflowError:
        raise ValueError(explain_large(max(distinct, key=abs))) from None


def check_kinds(labels: Any) -> str:
    """Return the kind of the labels; raise if there are several.

    Check this before any comparison or conversion: in Python 1, 1.0 and True are equal.
    """
    types = dict.fromkeys(map(type, labels))
    examples = [
        next(label for label in labels if type(label) is each) for each in types
    ]
    kinds = {_kind_of(label): label for label in examples}
    if len(kinds) > 1:
        shown = " and ".join(repr(label) for label in kinds.values())
        raise ValueError(f"{RULE}, got both: {shown}. Convert them to one kind.")
    return next(iter(kinds))


def kind_of_tasks(tasks: Array) -> str:
    """Return the kind of an array of distinct labels."""
    return tasks.dtype.kind if tasks.dtype.kind in "bi" else "str"


def _kind_of(label):
    if isinstance(label, str):
        return "str"
    if isinstance(label, (bool, np.bool_)):
        return "bool"
    if isinstance(label, Integral):
        return "int"
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        raise MissingLabelError.at()
    if isinstance(label, Real):
        as_integers(np.array([label], dtype=getattr(label, "dtype", float)))
        return "float"
    raise ValueError(explain_kind(f"{label!r} of type {type(label).__name__}"))


def explain_kind(got: object) -> str:
    """Return the message for labels of another kind."""
    return f"{RULE}, got {got}. Convert the labels with astype(str)."


def join_label(label: Any) -> Any:
    """Join the parts of a nested label; return a plain label unchanged.

    Parameters
    ----------
    label : tuple, str, int or bool
        Parts of the label, in the order of the task columns, or a plain label.

    Returns
    -------
    label : str, int or bool
        The parts joined by slashes, as in `tasks_`.

    Examples
    --------
    >>> from skmtl.data import join_label
    >>> join_label(("Ash", 7)), join_label("Elm")
    ('Ash/7', 'Elm')
    """
    if not isinstance(label, tuple):
        return label
    return join_parts(as_labels([part]).tolist()[0] for part in label)


def split_label(label: str) -> list[str]:
    """Split the label of several columns into its parts, the inverse of `join_label`.

    Parameters
    ----------
    label : str
        Parts joined by slashes, as in `tasks_`.

    Returns
    -------
    list of str
        The parts as text.

    Examples
    --------
    >>> from skmtl.data import join_label, split_label
    >>> split_label(join_label(("a/b", 7)))
    ['a/b', '7']
    """
    found = [""]
    characters = iter(label)
    for each in characters:
        if each == _SEPARATOR:
            found.append("")
        else:
            found[-1] += next(characters, "") if each == "\\" else each
    return found


def join_parts(parts: Iterable[Any]) -> str:
    """Join parts with slashes, and escape slashes in parts to keep labels unique."""
    texts = (str(part).replace("\\", "\\\\") for part in parts)
    return _SEPARATOR.join(text.replace(_SEPARATOR, "\\/") for text in texts)
