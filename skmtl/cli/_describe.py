"""What is said of a table: rows, tasks, features, and what was left out."""

import numpy as np

_NAMES = {
    "number": ("number", "numbers"),
    "flag": ("yes/no column", "yes/no columns"),
    "category": ("category", "categories"),
    "date": ("date", "dates"),
}
_SHOWN = 10


def describe_table(table):
    """Return facts about a table by name, in order."""
    counts = table.labels.value_counts().to_numpy()
    facts = {
        "Data": table.source,
        "Rows": f"{len(table.y):,}, to predict {table.target}: mean "
        f"{np.mean(table.y):.4g}, standard deviation {np.std(table.y):.4g}",
        "Tasks": f"{len(counts):,} of {table.task_column}, with {counts.min():,} to "
        f"{counts.max():,} rows each (median {np.median(counts):g})",
        "Features": "; ".join(_list_kinds(table.kinds)),
    }
    if table.unused_columns:
        facts["Not used"] = ", ".join(
            f"{name} ({why})" for name, why in table.unused_columns.items()
        )
    missing = [
        f"{n:,} rows without {name}" for name, n in table.unused_rows.items() if n
    ]
    if missing:
        facts["Left out"] = " and ".join(missing)
    return facts


def draw_facts(facts):
    """Draw facts as lines of text."""
    return "\n".join(f"{name}: {value}" for name, value in facts.items())


def _list_kinds(kinds):
    for kind, words in _NAMES.items():
        names = [name for name, its_kind in kinds.items() if its_kind == kind]
        if names:
            more = ", ..." * (len(names) > _SHOWN)
            word = words[len(names) > 1]
            yield f"{len(names)} {word} ({', '.join(names[:_SHOWN])}{more})"
