"""Numbers with decimal commas or thousands separators."""

import re

from ._words import is_no_value

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.A)
_COMMA = re.compile(r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)?,\d+(e[+-]?\d+)?", re.I | re.A)
_DOTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.A)
_POINT = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.I | re.A)
_PLAIN = re.compile(r"[+-]?\d+", re.A)
_MOSTLY = 0.9  # a column of numbers has at least this share of numeric cells


def read_decimals(columns, separator):
    """Convert decimal commas, and remove thousands separators.

    Takes lists of text by name. Returns the changed lists, and a note on the commas.
    If "1,234" is ambiguous, nothing changes.
    """
    if not any("," in "".join(values) for values in columns.values()):
        return {}, None
    cells = {name: _distinct(values) for name, values in columns.items()}
    commas = {
        name: known
        for name, known in cells.items()
        if any("," in cell for cell in known) and _are_numbers(known)
    }
    if not commas:
        return {}, None
    if _are_decimal(commas, cells, separator):
        chosen = [*commas, *(name for name in cells if _have_dots(cells[name]))]
        changed = {name: list(map(_read_comma, columns[name])) for name in chosen}
        return changed, "decimals with a comma"
    if _are_grouped(commas, cells):
        changed = {name: list(map(_read_groups, columns[name])) for name in commas}
        return changed, f"thousands with a comma ({', '.join(commas)})"
    return {}, None


def _distinct(values):
    return {value.strip() for value in set(values) if not is_no_value(value.strip())}


def _are_numbers(known):
    forms = (_PLAIN, _COMMA, _GROUPED, _DOTS, _POINT)
    right = sum(any(form.fullmatch(cell) for form in forms) for cell in known)
    return right >= _MOSTLY * len(known)


def _are_decimal(commas, cells, separator):
    """Return whether commas are decimal: some must be, or ";" separates cells."""
    if any(map(_has_comma, commas.values())):
        return True
    return separator == ";" and not _are_grouped(commas, cells)


def _has_comma(known):
    return any(
        _COMMA.fullmatch(cell) and not _GROUPED.fullmatch(cell) for cell in known
    )


def _are_grouped(commas, cells):
    """Return whether commas separate thousands: two in a cell, or decimal points."""
    if any(_has_comma(known) for known in commas.values()):
        return False
    sure = any(
        _GROUPED.fullmatch(cell) and ("." in cell or cell.count(",") > 1)
        for known in commas.values()
        for cell in known
    )
    return sure or any(
        _POINT.fullmatch(cell) and not _DOTS.fullmatch(cell)
        for known in cells.values()
        for cell in known
    )


def _have_dots(known):
    """Return whether a column has points, all of them between thousands."""
    dotted = [cell for cell in known if "." in cell]
    return bool(dotted) and all(
        (_DOTS.fullmatch(cell) if "." in cell else _PLAIN.fullmatch(cell))
        for cell in known
    )


def _read_comma(cell):
    text = cell.strip()
    if _COMMA.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(".", "") if _DOTS.fullmatch(text) else cell


def _read_groups(cell):
    text = cell.strip()
    return text.replace(",", "") if _GROUPED.fullmatch(text) else cell
