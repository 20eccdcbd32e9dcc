"""Order labels as their container declares, or by the numbers and dates in them."""

import heapq
import re
from bisect import bisect_left
from fractions import Fraction
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._calendar import read_dates
from ._containers import is_instance
from ._labels import as_labels

# A number in a label: optional thousands separators, decimals and exponent; at most as
# many digits as int() accepts.
_NUMBER = re.compile(
    r"(?P<sign>[-+\u2212])?"
    r"(?P<digits>[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9,])|[0-9]{1,4000})"
    r"(?P<parts>(?:\.[0-9]{1,4000})*)"
    r"(?P<power>[eE][-+][0-9]{1,3}(?!\w))?"
)
# A hyphen after one of these is a minus sign; after a digit it is a separator.
_BEFORE_SIGN = frozenset(" \t([{:;,=/<>~-\u2013\u00b1")
_VERSION = re.compile(r"\bv(er(sion)?)?\.?\s*$", re.IGNORECASE)


def declared_orders(labels: Any, tasks: Array) -> tuple[tuple, ...]:
    """Return the order that the container of the labels declares, if any.

    pandas' ordered categoricals, polars' enumerations and pyarrow's ordered
    dictionaries declare one; unordered categoricals do not.

    Parameters
    ----------
    labels : array-like of shape (n_rows,)
        Label of each row.
    tasks : ndarray of shape (n_tasks,)
        The distinct labels.

    Returns
    -------
    tuple of tuple
        Empty, or one order of all categories, including those without rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmtl.data import declared_orders, encode_tasks
    >>> sizes = pd.Categorical(["S", "L"], categories=["S", "M", "L"], ordered=True)
    >>> declared_orders(sizes, encode_tasks(sizes)[0])
    (('S', 'M', 'L'),)
    """
    categories = _categories(labels)
    if categories is None or not len(tasks):
        return ()
    texts = tasks.dtype.kind not in "bi"
    same_kind = [label for label in categories if _is_label(label, texts)]
    return (tuple(as_labels(same_kind).tolist()),)


def _is_label(category, texts):
    if texts or isinstance(category, str):
        return texts and isinstance(category, str)
    whole = isinstance(category, Real) and category == category // 1
    return whole or isinstance(category, np.bool_)


def _categories(labels):
    """Return the categories of an ordered container, else None."""
    dtype = getattr(labels, "dtype", None)
    if is_instance(labels, "pandas", "Series", "Index", "Categorical"):
        return list(dtype.categories) if getattr(dtype, "ordered", False) else None
    if is_instance(labels, "polars", "Series"):
        is_enum = is_instance(dtype, "polars", "Enum")
        return dtype.categories.to_list() if is_enum else None
    if is_instance(labels, "pyarrow", "ChunkedArray", "DictionaryArray"):
        return _dictionary(labels)
    return None


def _dictionary(labels):
    """Return the ordered dictionary of a pyarrow array, else None."""
    if not getattr(labels.type, "ordered", False):
        return None
    if is_instance(labels, "pyarrow", "ChunkedArray"):
        labels = labels.unify_dictionaries()
        return labels.chunk(0).dictionary.to_pylist() if labels.num_chunks else None
    return labels.dictionary.to_pylist()


def order_labels(labels: Array, orders: tuple[tuple, ...] = ()) -> Array:
    """Sort labels by declared orders, or by the numbers and dates in them.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        Distinct labels.
    orders : tuple of tuple, default=()
        Declared orders, which must agree and together include every label. The numbers
        in labels order those that the orders leave open.

    Returns
    -------
    ndarray of shape (n_ordered,)
        All labels, including labels that only the orders have.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import order_labels
    >>> order_labels(np.array(["week1", "week10", "week2"])).tolist()
    ['week1', 'week2', 'week10']
    """
    if not orders:
        return labels[_sorted_places(labels)]
    known = dict.fromkeys(label for order in orders for label in order)
    missing = [label for label in labels.tolist() if label not in known]
    if missing:
        raise ValueError(
            f"The ordered categories must include all tasks; missing: {missing[:5]}. "
            "Use the same categories for their rows, or pass the order."
        )
    merged = orders[0] if len(orders) == 1 else _merge(orders, list(known))
    return as_labels(list(merged))


def _merge(orders, labels):
    """Merge orders by a topological sort; break ties by the numbers in labels."""
    array = as_labels(labels)
    rank = {array[i].item(): k for k, i in enumerate(_sorted_places(array))}
    names = list(rank)
    after, n_before = {r: set() for r in rank.values()}, [0] * len(rank)
    for order in orders:
        for first, second in pairwise(order):
            if rank[second] not in after[rank[first]]:
                after[rank[first]].add(rank[second])
                n_before[rank[second]] += 1
    ready, merged = [r for r, n in enumerate(n_before) if n == 0], []
    while ready:
        here = heapq.heappop(ready)
        merged.append(names[here])
        for there in after[here]:
            n_before[there] -= 1
            if n_before[there] == 0:
                heapq.heappush(ready, there)
    if len(merged) < len(names):
        held = [name for name, n in zip(names, n_before, strict=True) if n > 0]
        raise ValueError(
            "The orders of the batches must agree, got orders that contradict each "
            f"other on {held[:5]}. Use the same ordered categories or columns in all "
            "batches."
        )
    return merged


def place_labels(ordered: Array, new: Array) -> Array:
    """Count the labels that precede each new one, by the numbers in them.

    Parameters
    ----------
    ordered : ndarray of shape (n_labels,)
        Labels, as `order_labels` sorts them without declared orders.
    new : ndarray of shape (n_new,)
        Labels that are not among them, of the same kind.

    Returns
    -------
    ndarray of shape (n_new,), dtype intp
        Number of labels before each; -1 for a label that is no date if all others are.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import place_labels
    >>> place_labels(np.array(["week1", "week2", "week10"]), np.array(["week7"]))
    array([2])
    """
    if ordered.dtype.kind in "bi":
        return np.searchsorted(ordered, new).astype(np.intp)
    known, texts = ordered.tolist(), new.tolist()
    read = _choose_parser(known)
    keys = [(read(text), text) for text in known]
    found = [read(text) for text in texts]
    places = [
        -1 if key is None else bisect_left(keys, (key, text))
        for key, text in zip(found, texts, strict=True)
    ]
    return np.array(places, dtype=np.intp)


def _sorted_places(labels):
    if labels.dtype.kind in "bi":
        return np.argsort(labels, kind="stable")
    texts = labels.tolist()
    read = _choose_parser(texts)
    keys = [(read(text), text) for text in texts]
    return np.array(sorted(range(len(texts)), key=keys.__getitem__), dtype=np.intp)


def _choose_parser(texts):
    """Return the function from a label to its sort key, given all labels."""
    return read_dates(texts) or _read_numbers(texts)


def _read_numbers(texts):
    """Return a parser of decimals, or of versions where 1.1 and 1.10 would be equal."""
    split = {text: _split(text) for text in texts}
    # With T0, T-1 is minus one; with week-2, week-1 is not.
    plain = {
        (k, before)
        for pieces in split.values()
        for k, (before, sign, _, _, _) in enumerate(pieces)
        if sign in ("", "+")
    }
    decimal, dotted = _Numbers(plain, False), _Numbers(plain, True)
    n_keys = len({decimal(text) for text in texts})
    if n_keys == len(texts) or n_keys == len({dotted(text) for text in texts}):
        return decimal
    return dotted


class _Numbers:
    """Parser of labels into alternating texts and numbers."""

    def __init__(self, plain, dotted):
        self.plain = plain
        self.dotted = dotted

    def __call__(self, text):
        """Return the key of a label."""
        key, end = [], 0
        for k, (before, sign, number, is_sign, stop) in enumerate(_split(text)):
            negative = sign not in ("", "+") and (
                is_sign or (_is_lettered(before) and (k, before) in self.plain)
            )
            hyphen = "" if negative or sign == "+" else sign
            key += [_tidy(before + hyphen), self._value(before, number, negative)]
            end = stop
        return (*key, _tidy(text[end:]))

    def _value(self, before, number, negative):
        whole, *parts = number.split(".")
        if parts and (len(parts) > 1 or self.dotted or _VERSION.search(before)):
            return tuple(int(part.split("e")[0]) for part in (whole, *parts))
        value = Fraction(number)
        return (-value if negative else value,)


def _is_lettered(before):
    return bool(before) and not before[-1].isdigit()


def _split(text):
    """Split a label into pieces, each a number with the text before it.

    A piece is (text, sign or hyphen, number, whether it must be a sign, end of the
    number).
    """
    pieces, end = [], 0
    for found in _NUMBER.finditer(text):
        sign = found["sign"] or ""
        before = text[end : found.start()]
        previous = text[found.start() - 1] if found.start() else " "
        digits = found["digits"].replace(",", "")
        number = digits + found["parts"] + (found["power"] or "").lower()
        is_sign = bool(sign) and previous in _BEFORE_SIGN
        pieces.append((before, sign, number, is_sign, found.end()))
        end = found.end()
    return pieces


def _tidy(text):
    return " ".join(text.casefold().split())
