"""Facts about a table: rows, tasks, features, and columns that are not used."""

import numpy as np

from skmtl._text import show
from skmtl.data import list_task_columns

from ._command_errors import count_rows

_NAMES = {
    "number": ("number", "numbers"),
    "flag": ("yes/no column", "yes/no columns"),
    "category": ("category", "categories"),
    "date": ("date", "dates"),
}
_TOPICS = {
    "Codes": "{} read as categories: --number COLUMN reads one as numbers",
    "Maybe ids": "{} read as numbers: --drop COLUMN leaves one out",
    "Dates": "{} read as dates: --date COLUMN=%m/%d/%Y gives another format",
    "Numbers": "{} read as numbers: --category COLUMN reads one as text",
    "Missing": "{} read as missing",
    "Mixed": "{} read as categories: --number COLUMN reads such words as missing",
    "Many": "{}: only the 19 most frequent get a column each. --drop COLUMN leaves one "
    "out",
}
# What stands in the place of a missing value.
_FILLED = {
    "number": "the median, and a column that says so",
    "date": "the median, and a column that says so",
    "flag": "the more frequent, and a column that says so",
    "category": "a category of its own",
}
_SHOWN = 10


def describe_table(table):
    """Return facts about a table by name, in order."""
    counts = table.labels.value_counts().to_numpy()
    facts = {
        "Data": table.source,
        "Rows": f"{len(table.y):,}, to predict {table.target}: "
        f"{_describe_target(table)}",
        "Tasks": f"{len(counts):,} of {table.task_name}, with "
        f"{_describe_counts(counts)}",
        "Features": "; ".join(_list_kinds(table.kinds)),
    }
    for topic, texts in table.notes.items():
        facts[topic] = _TOPICS.get(topic, "{}").format(_abridge(texts))
    if table.unused_columns:
        reasons = [f"{name} ({why})" for name, why in table.unused_columns.items()]
        facts["Not used"] = _abridge(reasons)
    missing = [
        f"{count_rows(n)} without {name}" for name, n in table.unused_rows.items() if n
    ]
    if missing:
        facts["Left out"] = " and ".join(missing)
    return facts


def describe_columns(table):
    """Return what is known of every column of a table: a dict per column."""
    names = list_task_columns(table.task_column)
    roles = {table.target: f"target, {table.kind}"}
    roles |= dict.fromkeys(names, "task")
    roles |= {name: _NAMES[kind][0] for name, kind in table.kinds.items()}
    roles |= {name: f"left out: {why}" for name, why in table.unused_columns.items()}
    return [
        {"column": name, "read as": role, **_describe_missing(table, name)}
        for name, role in roles.items()
    ]


def _describe_missing(table, name):
    n_missing = table.unused_rows.get(name, 0)
    filled = "rows left out" if n_missing else ""
    if name in table.kinds:
        n_missing = int(table.X[name].isna().sum())
        filled = _FILLED[table.kinds[name]] if n_missing else ""
    return {"missing": f"{n_missing:,}" if n_missing else "", "then": filled}


def _describe_target(table):
    if table.kind != "classes":
        mean, spread = np.mean(table.y), np.std(table.y)
        return f"mean {mean:.4g}, standard deviation {spread:.4g}"
    classes, counts = np.unique(table.y, return_counts=True)
    shares = zip(classes, counts / len(table.y), strict=True)
    return _abridge([f"{name} {share:.1%}" for name, share in shares])


def _describe_counts(counts):
    if counts.min() == counts.max():
        return f"{count_rows(counts[0])} each"
    return f"{counts.min():,} to {counts.max():,} rows (median {np.median(counts):g})"


def draw_facts(facts):
    """Format facts as lines of text."""
    return "\n".join(f"{show(name)}: {show(value)}" for name, value in facts.items())


def _list_kinds(kinds):
    for kind, words in _NAMES.items():
        names = [name for name, its_kind in kinds.items() if its_kind == kind]
        if names:
            yield f"{len(names)} {words[len(names) > 1]} ({_abridge(names)})"


def _abridge(words):
    n_more = len(words) - _SHOWN
    more = f" and {n_more} more" if n_more > 0 else ""
    return ", ".join(words[:_SHOWN]) + more
