"""Sort keys for labels that are dates, months, weekdays, weeks or quarters."""

import re
from collections.abc import Callable, Sequence
from typing import Any

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_WEEKDAYS = (
    *("monday", "tuesday", "wednesday", "thursday", "friday"),
    *("saturday", "sunday"),
)
_MONTH_OF = {name[:3]: n for n, name in enumerate(_MONTHS, 1)}
_MONTH_OF |= {name: n for n, name in enumerate(_MONTHS, 1)} | {"sept": 9}
_DAY_OF = {name[:3]: n for n, name in enumerate(_WEEKDAYS)}
_DAY_OF |= {name: n for n, name in enumerate(_WEEKDAYS)}
_DAY_OF |= {"tues": 1, "thurs": 3}

_MON = "(?P<month>" + "|".join(sorted(_MONTH_OF, key=len, reverse=True)) + r")\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|[nr]d|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
_TIME = r"(?:[t\s,]+(?P<time>[0-9]{1,2}(?::[0-9]{2}){1,2}(?:\.[0-9]+)?))?"
# Formats with the month as a word; "Jan-24" is a month, "Jan 24" a day.
_WORDED_PATTERNS = [
    rf"{_DAY}[\W_]*{_MON}[\W_]*{_YEAR}{_TIME}",
    rf"{_MON}[\W_]*{_DAY}[\W_]+{_YEAR}{_TIME}",
    rf"{_MON}[\W_]*{_YEAR}",
    rf"{_YEAR}[\W_]*{_MON}(?:[\W_]*{_DAY})?{_TIME}",
    rf"{_MON}(?:-|\s*['\u2019])(?P<year>[0-9]{{2}})",
    rf"{_MON}[\W_]+{_DAY}",
    rf"{_DAY}[\W_]*{_MON}",
]
_WORDED = [re.compile(pattern, re.IGNORECASE) for pattern in _WORDED_PATTERNS]
_NUMERIC = re.compile(
    rf"(?P<a>[0-9]{{1,2}})(?P<by>[./\-\s])(?P<b>[0-9]{{1,2}})(?P=by){_YEAR}{_TIME}",
    re.IGNORECASE,
)
# "Q1 2024", "week 3 of 2024", "3/2024".
_PERIOD = re.compile(
    r"(?P<before>\D*)(?P<period>[0-9]{1,2})(?P<between>\D+)(?P<year>(?:19|20)[0-9]{2})"
)
_MOST_PERIODS = 53


def read_dates(texts: Sequence[str]) -> Callable[[str], Any] | None:
    """Return a sort key for labels that are all dates, or None.

    Dates that begin with the year are excluded: their numbers sort correctly.
    """
    parsers: list[Callable] = [_read_month, _read_weekday, *map(_Worded, _WORDED)]
    for parser in parsers:
        if _reads(parser, texts):
            return parser
    period = _Period(texts)
    if _reads(period, texts):
        return period
    return _read_numeric(texts)


def _reads(parser, texts):
    """Return whether there are labels, and a parser reads all of them."""
    return bool(texts) and all(parser(text) is not None for text in texts)


def _read_month(text):
    return _MONTH_OF.get(text.strip(" .").casefold())


def _read_weekday(text):
    return _DAY_OF.get(text.strip(" .").casefold())


class _Worded:
    """Parser of dates with the month as a word."""

    def __init__(self, pattern):
        self.pattern = pattern

    def __call__(self, text):
        """Return the date, or None."""
        found = self.pattern.fullmatch(text.strip())
        if not found:
            return None
        parts = found.groupdict()
        date = int(parts.get("year") or 0), _MONTH_OF[parts["month"].casefold()]
        return (*date, int(parts.get("day") or 0), *_clock(parts.get("time")))


class _Period:
    """Parser of weeks and quarters, with the number before the year."""

    def __init__(self, texts):
        found = [_PERIOD.fullmatch(text.strip()) for text in texts[:1]]
        self.frame = _frame(found[0]) if found and found[0] else None

    def __call__(self, text):
        """Return the year and the number, or None."""
        found = _PERIOD.fullmatch(text.strip())
        if not found or _frame(found) != self.frame:
            return None
        period = int(found["period"])
        return (int(found["year"]), period) if period <= _MOST_PERIODS else None


def _frame(found):
    return found["before"].casefold(), found["between"].casefold()


class _Numeric:
    """Parser of dates of three numbers, the year last."""

    def __init__(self, day_first):
        self.day_first = day_first

    def __call__(self, text):
        """Return the date, or None."""
        found = _NUMERIC.fullmatch(text.strip())
        if not found:
            return None
        pair = int(found["a"]), int(found["b"])
        day, month = pair if self.day_first else pair[::-1]
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return None
        return (int(found["year"]), month, day, *_clock(found["time"]))


def _read_numeric(texts):
    """Return a parser of dates of three numbers; raise if day and month are unclear."""
    first, second = _Numeric(day_first=True), _Numeric(day_first=False)
    by_day, by_month = _reads(first, texts), _reads(second, texts)
    if not (by_day and by_month):
        return first if by_day else second if by_month else None
    dotted = all("." in text for text in texts)
    if dotted or sorted(texts, key=first) == sorted(texts, key=second):
        return first
    raise ValueError(
        "Task labels that are dates must have a clear order, got labels whose day and "
        f"month are ambiguous: {texts[:2]}. Write them as 2024-02-01, use an ordered "
        "categorical, or give the order."
    )


def _clock(time):
    return tuple(float(part) for part in (time or "0").split(":"))
