"""Columns that name rows, tasks or categories by whole numbers."""

import re

import numpy as np

FEW = 20  # text with more values, all different, is a name and no category
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
_DIGITS, _ENOUGH = 6, 50  # numbers of so many digits, in so many rows
_HALF = 0.5
_DENSE = 2  # numbers are counted through if so many times their number spans them


def name_codes(column, kind, labels):
    """Say what becomes of a column that names something, and why, else None.

    One of ("drop", why), ("category", what it holds) and ("number", what it holds).
    """
    known = column.dropna()
    if kind not in ("number", "category") or len(known) == 0:
        return None
    if kind == "number" and (known != np.trunc(known)).any():
        return None
    why = _name_rows(known, kind) or _name_tasks(column, kind, labels)
    if why is not None:
        return "drop", why
    if kind == "number" and known.nunique() > _DENSE and _is_code(known.name):
        return "category", f"{known.name} ({known.nunique()} whole numbers)"
    if kind == "number" and FEW < known.nunique() == len(known):
        return "number", f"{known.name} (another whole number in each row)"
    return None


def _is_id(name):
    last = _find_last_word(name)
    return _is_glued(last) or bool(_ID.fullmatch(last))


def _is_code(name):
    last = _find_last_word(name)
    return _is_glued(last) or last in ("id", "ids") or bool(_CODE.fullmatch(last))


def _find_last_word(name):
    words = [word.lower() for word in _WORDS.findall(str(name))]
    return next((word for word in reversed(words) if not word.isdigit()), "")


def _is_glued(word):
    """Tell whether a word is one such as childid, not one such as paid."""
    return bool(_GLUED_ID.fullmatch(word)) and not _NO_ID.fullmatch(word)


def _name_rows(known, kind):
    """Say why values name single rows, if they do."""
    n_values = known.nunique()
    if n_values <= FEW:
        return None
    if n_values == len(known):
        if kind == "category":
            return "text, different in every row"
        if _is_id(known.name) or _is_code(known.name) or _are_counted(known):
            return f"an id, another number in each row: --number {known.name} keeps it"
    if _is_id(known.name) and n_values >= _HALF * len(known):
        return f"an id of few rows each: --category {known.name} keeps it"
    return None


def _are_counted(known):
    """Tell whether different numbers count the rows, or are all of many digits."""
    low, high = known.abs().min(), known.abs().max()
    if known.max() - known.min() < _DENSE * len(known):
        return True
    digits = np.floor(np.log10(max(low, 1))), np.floor(np.log10(max(high, 1)))
    return len(known) >= _ENOUGH and digits[0] == digits[1] >= _DIGITS - 1


def _name_tasks(column, kind, labels):
    """Say why values name the tasks, if they do."""
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
        return f"names the tasks as {labels.name} does: --{kind} {column.name} keeps it"
    return None
