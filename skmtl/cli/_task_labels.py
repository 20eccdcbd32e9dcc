"""Task labels in a table."""

from collections import Counter
from unicodedata import normalize

from ._command_errors import CommandError
from ._words import WHOLE, is_empty

_SHOWN = 5


def check_distinct(columns):
    """Check that the task columns are distinct; return them, or the only one."""
    if len(columns) == 1:
        return columns[0]
    if "" in columns or len(set(columns)) < len(columns):
        raise CommandError(
            f"--task {','.join(columns)!r} must name each column once: give one "
            "column, or several with commas between them, as in school,class"
        )
    return columns


def find_label_kind(labels):
    """Return "whole" if all labels are integers in one format, else "text".

    Programs write integers with missing values as 1.0, 2.0, so 1.0 and 1 are one task,
    unless the table has both.
    """
    found = [WHOLE.fullmatch(label) for label in labels.unique()]
    points = {each is None or each[2] is not None for each in found}
    whole = all(found) and len(points) == 1
    return (
        "whole" if whole and len({each[1] for each in found}) == len(found) else "text"
    )


def describe_labels(labels, cells):
    """Yield notes on labels that may be mistakes, and on stripped spaces."""
    counts = labels.value_counts()
    name = labels.name
    if cells.nunique() > len(counts):
        yield "Labels", f"{name}: surrounding spaces removed from some"
    empty = [label for label in counts.index if is_empty(label)]
    if empty:
        shown = ", ".join(map(repr, empty))
        yield "Labels", f"{name} {shown} read as a task; only empty cells are missing"
    n_folded = Counter(map(fold, counts.index))
    twice = [label for label in counts.index if n_folded[fold(label)] > 1]
    if twice:
        shown = ", ".join(map(repr, sorted(twice)[:_SHOWN]))
        more = ", ..." * (len(twice) > _SHOWN)
        yield "Labels", f"{name} {shown}{more} read as different tasks"


def explain_new(new, known):
    """Return a hint if a new label is a spelling variant of a known one."""
    by_fold = {fold(label): label for label in map(str, known)}
    near = [(each, by_fold[fold(each)]) for each in new if fold(each) in by_fold]
    if not near:
        return ""
    return f" ({near[0][0]!r} is not {near[0][1]!r}: labels are text)"


def fold(label):
    """Normalise a label: no leading zeros, decimal point, case or extra spaces.

    Invisible characters are dropped, and equivalent Unicode forms are unified.
    """
    text = " ".join(normalize("NFKC", str(label)).casefold().split())
    text = "".join(filter(str.isprintable, text)).strip()
    whole = WHOLE.fullmatch(text.lstrip("0") or "0")
    return whole[1] if whole else text
