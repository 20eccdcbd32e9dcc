"""The steps of a model that turn a table of the command into numbers."""

from collections import Counter

from skmtl.compose import DATE_PARTS, encode_columns, name_category


def make_steps(columns):
    """Make the preprocessing steps of a model; the first selects the columns."""
    tasks = columns.task_columns
    features = {k: v for k, v in columns.kinds.items() if k not in tasks}
    return [("columns", columns), ("encoder", encode_columns(features, tasks))]


def find_clash(X, kinds):
    """Return a name that two columns of the encoded table would have, or None."""
    names = [*X.columns, *(f"missingindicator_{name}" for name in kinds)]
    for name, kind in kinds.items():
        if kind == "category":
            names += [name_category(name, value) for value in X[name].unique()]
        if kind == "date":
            names += [f"{name} {part}" for part in DATE_PARTS]
    return next((name for name, count in Counter(names).items() if count > 1), None)
