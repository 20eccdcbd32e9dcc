"""Labels of tasks as they stand in a table."""

from collections import Counter
from unicodedata import normalize

from ._words import WHOLE, is_empty

_SHOWN = 5


def find_label_kind(labels):
    """Return "whole" for labels that are whole numbers written in one way, or "text".

    Programs write a column of integers with gaps as 1.0, 2.0: so do not take 1.0 and 1
    for two tasks, unless the labels themselves do.
    """
    found = [WHOLE.fullmatch(label) for label in labels.unique()]
    points = {each is None or each[2] is not None for each in found}
    whole = all(found) and len(points) == 1
    return (
        "whole" if whole and len({each[1] for each in found}) == len(found) else "text"
    )


def describe_labels(labels, cells):
    """Say which labels may be mistakes, and which cells are one label."""
    counts = labels.value_counts()
    name = labels.name
    if cells.nunique() > len(counts):
        yield "Labels", f"{name} taken without the spaces around some of them"
    empty = [label for label in counts.index if is_empty(label)]
    if empty:
        shown = ", ".join(map(repr, empty))
        yield "Labels", f"{name} {shown} taken as a task, an empty cell is none"
    alike = Counter(map(fold, counts.index))
    twice = [label for label in counts.index if alike[fold(label)] > 1]
    if twice:
        shown = ", ".join(map(repr, sorted(twice)[:_SHOWN]))
        more = ", ..." * (len(twice) > _SHOWN)
        yield "Labels", f"{name} {shown}{more} taken as different tasks"


def explain_new(new, known):
    """Say which new labels differ from known ones in their writing only."""
    by_fold = {fold(label): label for label in map(str, known)}
    near = [(each, by_fold[fold(each)]) for each in new if fold(each) in by_fold]
    if not near:
        return ""
    return f" ({near[0][0]!r} is not {near[0][1]!r}: labels are text)"


def fold(label):
    """Return what is left of a label without zeros in front, point, case and spaces.

    And without marks that are not seen, such as that of a byte order, and the ways in
    which Unicode writes one letter.
    """
    text = " ".join(normalize("NFKC", str(label)).casefold().split())
    text = "".join(filter(str.isprintable, text)).strip()
    whole = WHOLE.fullmatch(text.lstrip("0") or "0")
    return whole[1] if whole else text
