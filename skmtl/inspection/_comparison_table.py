"""The table of models in the text of a comparison."""

import numpy as np

_HEADER = {
    "error": "error",
    "row_error": "by row",
    "new_task_error": "new tasks",
    "difference": "difference",
    "standard_error": "std. error",
    "relative_gain": "gain",
    "relative_standard_error": "+/-",
    "n_helped": "helped",
    "n_hurt": "hurt",
    "fit_time": "fit (s)",
}
_COMPARED = ("difference", "std. error", "gain", "+/-", "helped", "hurt")


def describe(comparison):
    """Summarise a comparison in one line."""
    n_folds = comparison.fold_errors.shape[1]
    return (
        f"TaskComparison: {len(comparison.tasks)} tasks, "
        f"{comparison.n_rows.sum()} rows, {n_folds} folds, {comparison.metric}, "
        f"baseline {comparison.baseline!r}"
    )


def tabulate(comparison):
    """Return columns by name, one entry per model."""
    unseen = comparison.new_task_errors
    return {
        "error": comparison.errors,
        "row_error": comparison.row_errors,
        **({} if unseen is None else {"new_task_error": unseen}),
        "difference": comparison.differences,
        "standard_error": comparison.standard_errors,
        "relative_gain": comparison.relative_gains,
        "relative_standard_error": comparison.relative_standard_errors,
        "n_helped": (comparison.task_gains > 0).sum(axis=1),
        "n_hurt": np.array([len(comparison.hurt(name)) for name in comparison.models]),
        "fit_time": comparison.fit_times.mean(axis=1),
    }


def write_lines(comparison):
    """Return the header and a line per model; the baseline has no differences."""
    table = tabulate(comparison)
    header = tuple(_HEADER[name] for name in table)
    columns = [column.tolist() for column in table.values()]
    lines = []
    for name, *values in zip(comparison.models, *columns, strict=True):
        line = dict(zip(header, values, strict=True))
        if name == comparison.baseline:
            line = {key: line[key] for key in line if key not in _COMPARED}
        lines.append((name, line))
    return header, lines
