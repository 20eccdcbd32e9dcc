"""Which kind each column of a table is."""

import datetime
import numbers
import re
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

from ._date_forms import are_dates, find_form, find_sure
from ._errors import CommandError, count_rows
from ._words import CODE, NUMBER, WHOLE, is_empty, is_no_value, read_floats, write_value

_MOSTLY = 0.9  # of the cells are numbers if few words beside them mean "missing"
_FEW_WORDS = 2
_SEVERAL = 5  # different numbers, so that words beside them are no categories
_HALF = 0.5
_SHOWN = 3
_DAYS = 19000101, 20991231  # numbers that may be dates
_YEAR = 4  # digits of a date at the least


@dataclass(frozen=True)
class Reading:
    """Say what a column is taken for.

    Parameters
    ----------
    kind : {"number", "flag", "category", "date"} or None
        None is what cannot be used.
    form : str, default=None
        How dates are written, if not as 2024-01-31.
    words : tuple of str, default=()
        Words that are taken for missing, besides the usual ones.
    notes : tuple of (str, str), default=()
        What is to be said about it: topics and texts.
    """

    kind: str | None
    form: str | None = None
    words: tuple = ()
    notes: tuple = ()


def find_kind(column, typed=True):
    """Return "number", "flag", "category", "date", or None for what cannot be used."""
    return read_kind(column, typed).kind


def read_kind(column, typed=True, wish=None, form=None):
    """Find out what a column is, from its type or, if it has none, from its cells.

    A `wish` for a kind, or for a form of dates, is followed where it can be.
    """
    if wish == "category":
        return Reading("category")
    return _read_typed(column, wish, form) or _read_objects(column, typed, wish, form)


def _read_typed(column, wish, form):
    """Find out what the type of a column says, if anything."""
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return Reading(wish or "flag")
    if types.is_complex_dtype(column.dtype):
        return Reading(None)
    if types.is_datetime64_any_dtype(column.dtype):
        return Reading(wish or "date")
    if types.is_numeric_dtype(column.dtype):
        return _read_numbers(column, wish, form)
    is_category = isinstance(column.dtype, types.CategoricalDtype)
    return Reading("category") if is_category and wish is None else None


def _read_numbers(column, wish, form):
    """Tell numbers from dates as 20240131."""
    if wish == "number":
        return Reading("number")
    known = column.dropna()
    if wish is None and not known.between(*_DAYS).all():
        return Reading("number")
    texts = [write_value(value) for value in known.unique()]
    form = form or find_form(texts)
    if wish == "date":
        return _read_as_dates(column.name, Counter(texts), form, Counter())
    if form:
        return _read_dates(column.name, Counter(texts), form, Counter(), Counter())
    return Reading("number")


def _read_objects(column, typed, wish, form):
    """Look at the values of a column of text, or of anything."""
    values = column.dropna().tolist()
    if not values:
        return Reading(wish or "number")
    if not typed and wish is None and _are_plain_numbers(values):
        return Reading("number")
    if all(isinstance(value, str) for value in values):
        return _read_text(column.name, values, typed, wish, form)
    kinds = (
        (bool, "flag"),
        ((numbers.Real, Decimal), "number"),
        (datetime.date, "date"),
    )
    for of_type, kind in kinds:
        if all(isinstance(value, of_type) for value in values):
            return Reading(wish or kind)
    mixed = (str, numbers.Real, Decimal)
    if not all(isinstance(value, mixed) for value in values):
        return Reading(None)
    return _read_text(column.name, [*map(write_value, values)], True, wish, form)


def _are_plain_numbers(values):
    """Tell in haste whether all are numbers, and neither codes nor dates."""
    numbers = read_floats(values)
    if numbers is None or any(map(CODE.match, values)):
        return False
    low, high = _DAYS
    return bool(((numbers < low) | (numbers > high)).any())


def _read_text(name, values, typed, wish, form):
    values, blanks = _count(values)
    if wish == "number":
        return _read_as_number(name, values, blanks)
    if wish == "date":
        return _read_as_dates(name, values, form, blanks)
    if not values:
        return Reading("category" if blanks else "number")
    if all(value.casefold() in ("true", "false") for value in values):
        return Reading("flag", notes=_describe_missing(name, blanks))
    return _read_words(name, values, blanks, typed)


def _count(values):
    """Count the different texts that say something, and those that say "missing"."""
    known, blanks = Counter(), Counter()
    for text, n in Counter(values).items():
        word = text.strip()
        if not is_empty(word):
            (blanks if is_no_value(word) else known)[word] += n
    return known, blanks


def _read_words(name, values, blanks, typed):
    """Tell dates, numbers, codes and categories apart."""
    form, strange = _find_form(values)
    if form is not None:
        return _read_dates(name, values, form, strange, blanks)
    return (_read_typed_words if typed else _read_untyped)(name, values, blanks)


def _read_typed_words(name, values, blanks):
    """Keep text of digits, which its type says it is, but not decimal numbers."""
    found = _read_untyped(name, values, blanks)
    if found.kind == "category" or all(map(WHOLE.fullmatch, values)):
        return Reading("category")
    note = ("Numbers", f"{name} (text that holds numbers)")
    return replace(found, notes=(note, *found.notes))


def _read_untyped(name, values, blanks):
    """Tell numbers, codes and categories apart."""
    codes = [value for value in values if CODE.fullmatch(value)]
    if codes:
        note = ("Codes", f"{name} (digits with leading zeros, as {codes[0]})")
        return Reading("category", notes=(note,))
    strange = Counter({v: n for v, n in values.items() if not NUMBER.fullmatch(v)})
    if _are_few(strange, values):
        notes = _describe_missing(name, blanks + strange)
        return Reading("number", words=tuple(strange), notes=notes)
    share = 1 - strange.total() / values.total()
    if share < _HALF:
        return Reading("category")
    what = f"{name} (numbers, but {_show(strange)})"
    return Reading("category", notes=(("Mixed", what),))


def _are_few(strange, values):
    """Tell whether a few words among many numbers can only mean "missing"."""
    if not strange:
        return True
    few = strange.total() <= (1 - _MOSTLY) * values.total()
    different = len(values) - len(strange) >= _SEVERAL
    return few and different and len(strange) <= _FEW_WORDS


def _find_form(values):
    """Return how the dates are written, and the few words among them."""
    strange = Counter({v: n for v, n in values.items() if not _has_a_year(v)})
    if not _are_few(strange, values):
        return None, Counter()
    return find_form([value for value in values if value not in strange]), strange


def _has_a_year(value):
    return sum(map(str.isdigit, value)) >= _YEAR


def _read_as_number(name, values, blanks):
    strange = Counter({v: n for v, n in values.items() if not NUMBER.fullmatch(v)})
    if len(strange) == len(values):
        raise CommandError(
            f"--number {name!r} holds no number, got {_show(strange)}: leave it out"
        )
    notes = _describe_missing(name, blanks + strange)
    return Reading("number", words=tuple(strange), notes=notes)


def _read_dates(name, values, form, strange, blanks):
    """Read dates of a known form, other words as missing."""
    notes = (*_describe_dates(name, list(values - strange), form),)
    notes += _describe_missing(name, blanks + strange)
    return Reading("date", form or None, tuple(strange), notes)


def _read_as_dates(name, values, form, blanks):
    """Read dates because the user said so."""
    if form is None:
        form, strange = _find_form(values)
    else:
        known = zip(values, _are_dates(name, values, form), strict=True)
        strange = Counter(
            {value: values[value] for value, is_date in known if not is_date}
        )
    if form is None or len(strange) == len(values):
        raise CommandError(
            f"--date {name!r} holds no dates that are understood, got {_show(values)}: "
            f"say how they are written, as in --date {name}=%d/%m/%Y"
        )
    return _read_dates(name, values, form, strange, blanks)


def _are_dates(name, values, form):
    try:
        return are_dates(values, form)
    except (ValueError, re.error) as error:  # pandas makes a pattern of it
        raise CommandError(
            f"--date {name}={form} is no way to write dates, {error}: write it as in "
            f"--date {name}=%d/%m/%Y"
        ) from None


def _describe_dates(name, values, form):
    if not form:
        return ()
    sure = find_sure(values, form)
    why = "the day first, as nothing says otherwise" if sure is None else f"as {sure}"
    return (("Dates", f"{name} ({why})"),)


def _describe_missing(name, blanks):
    return (("Missing", f"{name} ({_show(blanks)})"),) if blanks else ()


def _show(counts):
    """Say which words there are, and in how many rows."""
    words = [word for word, _ in counts.most_common(_SHOWN)]
    more = ", ..." * (len(counts) > _SHOWN)
    shown = ", ".join(map(repr, words))
    return f"{shown}{more} in {count_rows(counts.total())}"
