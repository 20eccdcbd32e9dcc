"""The column to predict: numbers, classes or counts."""

import numpy as np

from ._choices import METRICS
from ._column_kinds import find_kind
from ._command_errors import CommandError, count_rows
from ._table_columns import as_number, place
from ._words import CODE, drop_words, is_empty, strip

_EXACT = 2.0**53  # larger floats cannot represent every integer
_SHOWN = 3
_MANY = 20  # a column with more values, all distinct, does not hold classes


def read_target(column, source, kind="auto", typed=True):
    """Return the kind of a target, its values (NaN if missing), and notes."""
    if kind == "auto":
        kind = "classes" if _holds_classes(column, typed) else "numbers"
    values = _READERS[kind](column, source, typed)
    blank = column[values.isna() & column.notna()]
    if blank.empty:
        return kind, values, []
    words = ", ".join(map(repr, strip(blank).unique()[:_SHOWN]))
    note = f"{column.name} ({words} in {count_rows(len(blank))})"
    return kind, values, [("Missing", note)]


def choose_metric(metric, kind):
    """Return a metric for a kind of target, the first unless one is named."""
    if metric is None:
        return METRICS[kind][0]
    if metric not in METRICS[kind]:
        raise CommandError(
            f"--metric {metric} is not for {kind}, the kind of the target: use "
            f"{' or '.join(METRICS[kind])}, or give another --kind"
        )
    return metric


def _holds_classes(column, typed):
    """Return whether a column holds booleans, words, or only 0 and 1."""
    from pandas.api.types import is_numeric_dtype

    known = drop_words(column).dropna()
    kind = find_kind(column, typed)
    if kind == "number":
        usable = not typed or is_numeric_dtype(column.dtype)
        return usable and len(known) > 0 and set(_as_numbers(known)) == {0, 1}
    if kind == "category":
        codes = not typed and known.map(lambda cell: bool(CODE.fullmatch(cell))).any()
        return codes or _are_not_numbers(known).all()
    return kind == "flag" and len(known) > 0


def _as_numbers(known):
    """Return numbers, NaN where a cell is not a number."""
    import pandas as pd

    return pd.to_numeric(known, errors="coerce").astype(float)


def _read_numbers(column, source, typed):
    kind = find_kind(column, typed)
    if kind == "number" or column.isna().all():
        return as_number(column)
    if kind == "category" and not typed and not _are_not_numbers(column.dropna()).any():
        return as_number(column)  # with leading zeros
    known = column.dropna()
    example = f"got {str(known.iloc[0])!r}"
    advice = {
        "flag": "this is a yes or no, leave out --kind to predict it as a class",
        "date": "turn dates into a number of days",
    }.get(kind, "only numbers and classes can be predicted, name another column")
    if kind == "category":
        wrong = _are_not_numbers(known)
        if not wrong.any():
            advice = "write decimals with a point"
        elif not wrong.all():
            example = f"got {str(known[wrong].iloc[0])!r} among numbers"
            advice = "correct it, leave it empty, or add --kind classes"
        else:
            advice = "leave out --kind to predict it as a class"
    raise CommandError(
        f"target {column.name!r} of {source} must hold numbers, {example}: {advice}"
    )


def _are_not_numbers(known):
    """Return which texts are not numbers, with a decimal point or comma."""
    import pandas as pd

    text = known.astype(str).str.replace(",", ".", regex=False)
    return pd.to_numeric(text, errors="coerce").isna()


def _read_classes(column, source, typed):
    known, kind = strip(column).dropna(), find_kind(column, typed)
    known = known[[not isinstance(v, str) or not is_empty(v) for v in known]]
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
    write = _write_flags if kind == "flag" else _write_classes
    return write(known).astype(object).reindex(column.index)


def _write_flags(known):
    """Return text unchanged, unless true is spelled in two ways."""
    if known.map(type).eq(str).all() and known.nunique() <= len((True, False)):
        return known
    return known.map(lambda value: str(value).casefold() == "true")


def _write_classes(known):
    """Return integers, or text if some are not integers."""
    values = _as_numbers(known)
    codes = known.map(lambda cell: bool(CODE.fullmatch(str(cell)))).any()
    if not codes and (values.abs() < _EXACT).all() and (values % 1 == 0).all():
        return values.astype(np.int64)
    return known.map(lambda value: value if isinstance(value, str) else str(value))


def _read_counts(column, source, typed):
    values = _read_numbers(column, source, typed)
    negative = values < 0
    if negative.any():
        raise CommandError(
            f"target {column.name!r} of {source} must not be negative to be counts, "
            f"got {values[negative].iloc[0]:g} in {place(column, negative)}: correct "
            "it, or use --kind numbers"
        )
    return values


_READERS = {"numbers": _read_numbers, "classes": _read_classes, "counts": _read_counts}
