"""Detect numeric columns that are ids or codes."""

import re

import numpy as np

FEW = 20  # a column with more values, all distinct, identifies rows
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ID = re.compile(r"id|ids|identifier|uuid|guid|key|index|idx|no|nr|num|number|isbn|ssn")
_GLUED_ID = re.compile(r"[a-z]+id")
_NO_ID = re.compile(
    r".*(acid|solid|[lq]uid|grid|humid|covid|valid|oid|bid|apid|lipid|hybrid|vivid)"
    r"|(un|re|pre)?paid|aid|raid|said|kid|mid|lid|amid|arid"
)
_CODE = re.compile(
    r"codes?|[a-z]+codes?|zip|plz|postal|fips|icd|naics|sic|ean|sku|region|district"
    r"|county|province|ward|department|dept|branch|type|category|group|cluster|species"
    r"|nationality|country|ethnicity|race|religion|occupation"
)
_DIGITS, _ENOUGH = 6, 50  # ids have at least this many digits, in this many rows
_HALF = 0.5
_DENSE = 2  # numbers are consecutive if their range is below this times their count


def name_codes(column, kind, labels):
    """Return how to treat an id or code column and why, or None for other columns.

    One of ("drop", reason), ("category", description) or ("number", description).
    """
    known = column.dropna()
    if kind not in ("number", "category") or len(known) == 0:
        return None
    if kind == "number" and (known != np.trunc(known)).any():
        return None
    why = _identifies_rows(known, kind) or _duplicates_tasks(column, kind, labels)
    if why is not None:
        return "drop", why
    if kind == "number" and known.nunique() > _DENSE and _is_code(known.name):
        return "category", f"{known.name} ({known.nunique()} whole numbers)"
    if kind == "number" and FEW < known.nunique() == len(known):
        return "number", f"{known.name} (a different whole number in each row)"
    return None


def _is_id(name):
    last = _find_last_word(name)
    return _ends_in_id(last) or bool(_ID.fullmatch(last))


def _is_code(name):
    last = _find_last_word(name)
    return _ends_in_id(last) or last in ("id", "ids") or bool(_CODE.fullmatch(last))


def _find_last_word(name):
    words = [word.lower() for word in _WORDS.findall(str(name))]
    return next((word for word in reversed(words) if not word.isdigit()), "")


def _ends_in_id(word):
    """Return whether a word ends in "id" for identifier: childid does, paid not."""
    return bool(_GLUED_ID.fullmatch(word)) and not _NO_ID.fullmatch(word)


def _identifies_rows(known, kind):
    """Return why a column must identify rows, or None."""
    n_values = known.nunique()
    if n_values <= FEW:
        return None
    if n_values == len(known):
        if kind == "category":
            return "text that differs in every row"
        if _is_id(known.name) or _is_code(known.name) or _are_serial_numbers(known):
            return f"an id, unique per row: --number {known.name} keeps it"
    if _is_id(known.name) and n_values >= _HALF * len(known):
        return f"an id with few rows per value: --category {known.name} keeps it"
    return None


def _are_serial_numbers(known):
    """Return whether distinct numbers are consecutive, or all have 6 digits or more."""
    low, high = known.abs().min(), known.abs().max()
    if known.max() - known.min() < _DENSE * len(known):
        return True
    digits = np.floor(np.log10(max(low, 1))), np.floor(np.log10(max(high, 1)))
    return len(known) >= _ENOUGH and digits[0] == digits[1] >= _DIGITS - 1


def _duplicates_tasks(column, kind, labels):
    """Return why a column duplicates the task labels, or None."""
    if column.isna().any():
        return None
    n_tasks = labels.nunique()
    if column.nunique() != n_tasks or n_tasks == len(labels):
        return None
    if (column.groupby(labels.to_numpy()).nunique() > 1).any():
        return None
    span = kind == "number" and column.max() - column.min()
    named = kind == "category" or _is_id(column.name) or _is_code(column.name)
    if named or span < _DENSE * n_tasks:
        return f"names the same tasks as {labels.name}: --{kind} {column.name} keeps it"
    return None
