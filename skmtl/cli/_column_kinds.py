"""Detect the kind of each column of a table."""

import datetime
import numbers
import re
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

from ._command_errors import CommandError, count_rows
from ._date_forms import are_dates, find_form, find_unambiguous
from ._words import CODE, NUMBER, WHOLE, is_empty, is_no_value, read_floats, write_value

_MOSTLY = 0.9  # with this share of numeric cells, a few words mean "missing"
_FEW_WORDS = 2
_SEVERAL = 5  # fewest distinct numbers in a numeric column that also has words
_HALF = 0.5  # from this share of numeric cells on, a category gets a note
_SHOWN = 3
_DAYS = 19000101, 20991231  # range of integers that may be dates
_YEAR = 4  # digits; a date has at least as many


@dataclass(frozen=True)
class Reading:
    """How to read a column.

    Parameters
    ----------
    kind : {"number", "flag", "category", "date"} or None
        None if the column cannot be used.
    form : str, default=None
        Format of dates; None for ISO 8601.
    words : tuple of str, default=()
        Words that mean missing, in addition to the usual ones.
    notes : tuple of (str, str), default=()
        Notes to print: pairs of topic and text.
    """

    kind: str | None
    form: str | None = None
    words: tuple = ()
    notes: tuple = ()


def find_kind(column, typed=True):
    """Return "number", "flag", "category", "date", or None if it cannot be used."""
    return read_kind(column, typed).kind


def read_kind(column, typed=True, requested=None, form=None):
    """Find the kind of a column from its dtype, or else from its cells.

    `requested` is the kind, and `form` the date format, that the user gave, if any.
    """
    if requested == "category":
        return Reading("category")
    return _read_typed(column, requested, form) or _read_objects(
        column, typed, requested, form
    )


def _read_typed(column, requested, form):
    """Find the kind by the dtype, or return None."""
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return Reading(requested or "flag")
    if types.is_complex_dtype(column.dtype):
        return Reading(None)
    if types.is_datetime64_any_dtype(column.dtype):
        return Reading(requested or "date")
    if types.is_numeric_dtype(column.dtype):
        return _read_numbers(column, requested, form)
    is_category = isinstance(column.dtype, types.CategoricalDtype)
    return Reading("category") if is_category and requested is None else None


def _read_numbers(column, requested, form):
    """Distinguish numbers from dates such as 20240131."""
    if requested == "number":
        return Reading("number")
    known = column.dropna()
    if requested is None and not known.between(*_DAYS).all():
        return Reading("number")
    texts = [write_value(value) for value in known.unique()]
    form = form or find_form(texts)
    if requested == "date":
        return _read_as_dates(column.name, Counter(texts), form, Counter())
    if form:
        return _read_dates(column.name, Counter(texts), form, Counter(), Counter())
    return Reading("number")


def _read_objects(column, typed, requested, form):
    """Find the kind by the values of an object column."""
    values = column.dropna().tolist()
    if not values:
        return Reading(requested or "number")
    if not typed and requested is None and _are_plain_numbers(values):
        return Reading("number")
    if all(isinstance(value, str) for value in values):
        return _read_text(column.name, values, typed, requested, form)
    kinds = (
        (bool, "flag"),
        ((numbers.Real, Decimal), "number"),
        (datetime.date, "date"),
    )
    for of_type, kind in kinds:
        if all(isinstance(value, of_type) for value in values):
            return Reading(requested or kind)
    mixed = (str, numbers.Real, Decimal)
    if not all(isinstance(value, mixed) for value in values):
        return Reading(None)
    return _read_text(column.name, [*map(write_value, values)], True, requested, form)


def _are_plain_numbers(values):
    """Return whether all are numbers, and neither codes nor dates (a fast path)."""
    numbers = read_floats(values)
    if numbers is None or any(map(CODE.match, values)):
        return False
    low, high = _DAYS
    return bool(((numbers < low) | (numbers > high)).any())


def _read_text(name, values, typed, requested, form):
    values, blanks = _count(values)
    if requested == "number":
        return _read_as_number(name, values, blanks)
    if requested == "date":
        return _read_as_dates(name, values, form, blanks)
    if not values:
        return Reading("category" if blanks else "number")
    if all(value.casefold() in ("true", "false") for value in values):
        return Reading("flag", notes=_describe_missing(name, blanks))
    return _read_words(name, values, blanks, typed)


def _count(values):
    """Count each distinct text, separately those that mean missing."""
    known, blanks = Counter(), Counter()
    for text, n in Counter(values).items():
        word = text.strip()
        if not is_empty(word):
            (blanks if is_no_value(word) else known)[word] += n
    return known, blanks


def _read_words(name, values, blanks, typed):
    """Distinguish dates, numbers, codes and categories."""
    form, others = _find_form(values)
    if form is not None:
        return _read_dates(name, values, form, others, blanks)
    return (_read_typed_words if typed else _read_untyped)(name, values, blanks)


def _read_typed_words(name, values, blanks):
    """Read text as numbers only if some have decimals: integers may be codes."""
    found = _read_untyped(name, values, blanks)
    if found.kind == "category" or all(map(WHOLE.fullmatch, values)):
        return Reading("category")
    note = ("Numbers", f"{name} (text that holds numbers)")
    return replace(found, notes=(note, *found.notes))


def _read_untyped(name, values, blanks):
    """Distinguish numbers, codes and categories."""
    codes = [value for value in values if CODE.fullmatch(value)]
    if codes:
        note = ("Codes", f"{name} (leading zeros, as in {codes[0]})")
        return Reading("category", notes=(note,))
    others = Counter({v: n for v, n in values.items() if not NUMBER.fullmatch(v)})
    if _are_few(others, values):
        notes = _describe_missing(name, blanks + others)
        return Reading("number", words=tuple(others), notes=notes)
    share = 1 - others.total() / values.total()
    if share < _HALF:
        return Reading("category")
    what = f"{name} (numbers, but {_show(others)})"
    return Reading("category", notes=(("Mixed", what),))


def _are_few(others, values):
    """Return whether the other words are few, so that they mean "missing"."""
    if not others:
        return True
    few = others.total() <= (1 - _MOSTLY) * values.total()
    different = len(values) - len(others) >= _SEVERAL
    return few and different and len(others) <= _FEW_WORDS


def _find_form(values):
    """Return the date format, and the few words that are not dates."""
    others = Counter({v: n for v, n in values.items() if not _has_a_year(v)})
    if not _are_few(others, values):
        return None, Counter()
    return find_form([value for value in values if value not in others]), others


def _has_a_year(value):
    return sum(map(str.isdigit, value)) >= _YEAR


def _read_as_number(name, values, blanks):
    others = Counter({v: n for v, n in values.items() if not NUMBER.fullmatch(v)})
    if len(others) == len(values):
        raise CommandError(
            f"--number {name!r} must hold numbers, got {_show(others)}: omit the option"
        )
    notes = _describe_missing(name, blanks + others)
    return Reading("number", words=tuple(others), notes=notes)


def _read_dates(name, values, form, others, blanks):
    """Read dates in a known format, and other words as missing."""
    notes = (*_describe_dates(name, list(values - others), form),)
    notes += _describe_missing(name, blanks + others)
    return Reading("date", form or None, tuple(others), notes)


def _read_as_dates(name, values, form, blanks):
    """Read dates at the user's request; raise an error if there are none."""
    if form is None:
        form, others = _find_form(values)
    else:
        known = zip(values, _are_dates(name, values, form), strict=True)
        others = Counter(
            {value: values[value] for value, is_date in known if not is_date}
        )
    if form is None or len(others) == len(values):
        raise CommandError(
            f"--date {name!r} must hold dates in a known format, got {_show(values)}: "
            f"give the format, as in --date {name}=%d/%m/%Y"
        )
    return _read_dates(name, values, form, others, blanks)


def _are_dates(name, values, form):
    try:
        return are_dates(values, form)
    except (
        ValueError,
        re.error,
    ) as error:  # pandas compiles it to a regular expression
        raise CommandError(
            f"--date {name}={form} is not a valid date format, {error}: give one such "
            f"as --date {name}=%d/%m/%Y"
        ) from None


def _describe_dates(name, values, form):
    if not form:
        return ()
    sure = find_unambiguous(values, form)
    why = "day first by default" if sure is None else f"as {sure}"
    return (("Dates", f"{name} ({why})"),)


def _describe_missing(name, blanks):
    return (("Missing", f"{name} ({_show(blanks)})"),) if blanks else ()


def _show(counts):
    """List the most frequent words, and the number of rows."""
    words = [word for word, _ in counts.most_common(_SHOWN)]
    more = ", ..." * (len(counts) > _SHOWN)
    shown = ", ".join(map(repr, words))
    return f"{shown}{more} in {count_rows(counts.total())}"
