"""The table of models in the text of a comparison."""

import json

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


def tabulate_tasks(comparison, model):
    """Return columns by name, one entry per task, by the evidence of harm."""
    model = model or comparison.best_sharing
    place = comparison.find(model)
    order = np.argsort(comparison.p_values[place], kind="stable")
    columns = {
        "task": comparison.tasks,
        "n_rows": comparison.n_rows,
        "baseline_error": comparison.task_errors[comparison.find(comparison.baseline)],
        "error": comparison.task_errors[place],
        "gain": comparison.task_gains[place],
        "relative_gain": comparison.task_relative_gains[place],
        "p_value": comparison.p_values[place],
        "adjusted_p_value": comparison.adjusted_p_values[place],
        "hurt": np.isin(comparison.tasks, comparison.hurt(model)),
    }
    return {name: column[order] for name, column in columns.items()}


def write_json(comparison):
    """Return a comparison as JSON."""
    models = {"model": np.array(comparison.models), **tabulate(comparison)}
    found = {
        "metric": comparison.metric,
        "baseline": comparison.baseline,
        "recommended": comparison.recommended,
        "verdict": comparison.verdict,
        "recommendation": comparison.recommendation,
        "models": _list_objects(models),
        "tasks": _list_objects(tabulate_tasks(comparison, None)),
    }
    return json.dumps(found, ensure_ascii=False, default=str)


def _list_objects(columns):
    """Return a dict per row; numbers that are not finite are None."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        {name: _finite(value) for name, value in zip(columns, row, strict=True)}
        for row in rows
    ]


def _finite(value):
    return None if isinstance(value, float) and not np.isfinite(value) else value


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
