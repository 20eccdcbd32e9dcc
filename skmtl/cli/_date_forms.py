"""Detect the date format of a column."""

import re

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?", re.A)
_MONTHS = re.compile(r"\d\d(\d\d)-(\d\d)", re.A)
_THREE = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)(?:[ T](\d{1,2}:\d\d)(:\d\d)?)?", re.A
)
_YEAR_FIRST = re.compile(r"\d{4}([/.])\d{1,2}\1\d{1,2}", re.A)
_DIGITS = re.compile(r"(?:19|20)\d{6}", re.A)
_NAMED = {
    re.compile(r"\d{1,2} [A-Za-z]+ \d{4}"): ("%d %b %Y", "%d %B %Y"),
    re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{4}"): ("%d-%b-%Y",),
    re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{2}"): ("%d-%b-%y",),
    re.compile(r"[A-Za-z]+ \d{1,2}, \d{4}"): ("%b %d, %Y", "%B %d, %Y"),
}
_LAST_MONTH = 12
_SEVERAL = 5  # fewer numbers such as 20240131 are not read as dates


def find_form(values):
    """Return the date format of these texts: "" for ISO 8601, None if not dates.

    Days above 12 distinguish day from month; without any, the day comes first.
    """
    if not values:
        return None
    if _are_iso(values):
        return "" if _are_read(values, "ISO8601") else None
    forms = _list_forms(values)
    return next((form for form in forms if _are_read(values, form)), None)


def find_unambiguous(values, form):
    """Return a date that has only one reading, or None."""
    if not (form.startswith("%d") and "%m" in form):
        return values[0]
    swapped = zip(values, are_dates(values, _swap(form)), strict=True)
    return next((value for value, is_date in swapped if not is_date), None)


def _swap(form):
    return form.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")


def _are_iso(values):
    if all(_ISO.fullmatch(value) for value in values):
        return True
    found = [_MONTHS.fullmatch(value) for value in values]
    return all(found) and not all(  # seasons such as 2023-24, 2024-25
        int(each[2]) == (int(each[1]) + 1) % 100 for each in found
    )


def _list_forms(values):
    found = [_THREE.fullmatch(value) for value in values]
    if all(found):
        return _list_three(found)
    if all(_YEAR_FIRST.fullmatch(value) for value in values):
        return ["%Y/%m/%d", "%Y.%m.%d"]
    if len(values) >= _SEVERAL and all(_DIGITS.fullmatch(value) for value in values):
        return ["%Y%m%d"]
    for pattern, forms in _NAMED.items():
        if all(pattern.fullmatch(value) for value in values):
            return forms
    return []


def _list_three(found):
    """Return the format of day, month and year in the order that the days allow."""
    mark = found[0][2]
    short = len(found[0][4]) == len("24")
    if short and mark != "/":  # may be a version
        return []
    year = "%y" if short else "%Y"
    time = " %H:%M" if found[0][5] else ""
    time += ":%S" if found[0][6] else ""
    first = f"%d{mark}%m{mark}{year}{time}"
    day_first = all(int(each[3]) <= _LAST_MONTH for each in found)
    return [first] if day_first else [_swap(first)]


def _are_read(values, form):
    return all(are_dates(values, form))


def are_dates(values, form):
    """Return which texts are dates in this format."""
    import pandas as pd

    texts = pd.Series(list(values), dtype=object)
    dates = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
    return dates.notna().tolist()
