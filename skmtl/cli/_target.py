"""The column to predict: numbers, classes or counts."""

import numpy as np

from ._choices import METRICS
from ._columns import as_number, place
from ._errors import CommandError
from ._kinds import find_kind

_MANY = 20  # text with more values, all different, names rows and no classes


def read_target(column, source, kind="auto"):
    """Return the kind of a target, and its values, NaN where it is not known."""
    if kind == "auto":
        kind = "classes" if _names_classes(column) else "numbers"
    return kind, _READERS[kind](column, source)


def choose_metric(metric, kind):
    """Return a metric for a kind of target, the first unless one is named."""
    if metric is None:
        return METRICS[kind][0]
    if metric not in METRICS[kind]:
        raise CommandError(
            f"--metric {metric} is not for {kind}, as which the target is taken: use "
            f"{' or '.join(METRICS[kind])}, or say what it is with --kind"
        )
    return metric


def _names_classes(column):
    """Tell whether a column holds truths, words, or nothing but 0 and 1."""
    from pandas.api.types import is_numeric_dtype

    known = column.dropna()
    kind = find_kind(column)
    if kind == "number":
        return is_numeric_dtype(column.dtype) and set(known.unique()) == {0, 1}
    if kind == "category":
        return _are_wrong(known).all()
    return kind == "flag" and len(known) > 0


def _read_numbers(column, source):
    kind = find_kind(column)
    if kind == "number" or column.isna().all():
        return as_number(column)
    known = column.dropna()
    example = f"got {str(known.iloc[0])!r}"
    advice = {
        "flag": "this is a yes or no, leave out --kind to predict it as a class",
        "date": "turn dates into a number of days",
    }.get(kind, "only numbers and classes can be predicted, name another column")
    if kind == "category":
        wrong = _are_wrong(known)
        if not wrong.any():
            advice = "write decimals with a point"
        elif not wrong.all():
            example = f"got {str(known[wrong].iloc[0])!r} among numbers"
            advice = "correct it, leave it empty, or say --kind classes"
        else:
            advice = "leave out --kind to predict it as a class"
    raise CommandError(
        f"target {column.name!r} of {source} must hold numbers, {example}: {advice}"
    )


def _are_wrong(known):
    """Tell which texts are no numbers, be it with a comma."""
    import pandas as pd

    text = known.astype(str).str.replace(",", ".", regex=False)
    return pd.to_numeric(text, errors="coerce").isna()


def _read_classes(column, source):
    known, kind = column.dropna(), find_kind(column)
    if kind in (None, "date"):
        raise CommandError(
            f"target {column.name!r} of {source} must hold classes, got "
            f"{str(known.iloc[0])!r}: name another column"
        )
    if len(known) > _MANY and known.nunique() == len(known):
        raise CommandError(
            f"target {column.name!r} of {source} must hold classes, but is different "
            f"in each of {len(known)} rows: name another column"
        )
    known = known.map(bool) if kind == "flag" else _write_classes(known, kind)
    return known.astype(object).reindex(column.index)


def _write_classes(known, kind):
    """Return whole numbers as integers, anything else as text."""
    if kind == "number" and (as_number(known) == np.trunc(as_number(known))).all():
        return known.astype(np.int64)
    return known.map(str)


def _read_counts(column, source):
    values = _read_numbers(column, source)
    negative = values < 0
    if negative.any():
        raise CommandError(
            f"target {column.name!r} of {source} must not be negative to be counts, "
            f"got {values[negative].iloc[0]:g} in {place(column, negative)}: correct "
            "it, or say --kind numbers"
        )
    return values


_READERS = {"numbers": _read_numbers, "classes": _read_classes, "counts": _read_counts}
