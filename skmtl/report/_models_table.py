"""The table of compared models, as text and as HTML."""

from collections.abc import Mapping

from skmtl._text import show, show_html
from skmtl.inspection import TaskComparison


def draw_models(comparison: TaskComparison) -> str:
    """Format the table of models as text.

    Parameters
    ----------
    comparison : TaskComparison
        Result of :func:`skmtl.inspection.compare_tasks`.

    Returns
    -------
    text : str
        One line per model: its error, its gain over the baseline with standard error,
        the number of tasks that it predicts better, and of tasks that it significantly
        hurts. A star marks the smallest error.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import compare_tasks
    >>> from skmtl.report import draw_models
    >>> X, y = make_related_tasks(n_tasks=10, n_samples=15, random_state=0)
    >>> comparison = compare_tasks(None, X, y, task_column=-1, random_state=0)
    >>> print(draw_models(comparison).splitlines()[0].split()[0])
    model
    """
    cells = [_head(comparison), *_list_models(comparison)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        [label.ljust(widths[0]), *map(str.rjust, values, widths[1:])]
        for label, *values in cells
    )
    return "\n".join("   ".join(line).rstrip() for line in lines)


def write_error(error: float) -> str:
    """Format an error with four digits, so that a column is easy to compare."""
    return f"{error:#.4g}".removesuffix(".")


def draw_models_html(
    comparison: TaskComparison, explanations: Mapping[str, str]
) -> str:
    """Format the table of models as HTML, with explanations under their names."""
    head = "".join(
        f'<th scope="col">{show_html(name)}</th>' for name in _head(comparison)
    )
    names = zip(comparison.models, _list_models(comparison), strict=True)
    rows = "".join(
        _draw_row(cells, explanations.get(name, ""), name == comparison.best)
        for name, cells in names
    )
    return (
        "<table><caption>Errors on held-out rows; smaller is better</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _draw_row(cells, explanation, is_best):
    label, *values = map(show_html, cells)
    more = f"<br><small>{show_html(explanation)}</small>" if explanation else ""
    kind = ' class="best"' if is_best else ""
    cells = "".join(f"<td>{value}</td>" for value in values)
    return f'<tr{kind}><th scope="row">{label}{more}</th>{cells}</tr>'


def _head(comparison):
    n_tasks = len(comparison.tasks)
    label = comparison.metric_label
    unseen = () if comparison.new_task_errors is None else (f"{label}, new tasks",)
    return (
        "model",
        label,
        *unseen,
        f"gain over {show(comparison.baseline)}",
        f"better in (of {n_tasks} tasks)",
        "hurts",
    )


def _list_models(comparison):
    return [_list_model(comparison, name) for name in comparison.models]


def _list_model(comparison, name):
    place = comparison.find(name)
    label = show(name)
    star = " *" if name == comparison.best else ""
    errors = [write_error(comparison.errors[place])]
    if comparison.new_task_errors is not None:
        errors.append(write_error(comparison.new_task_errors[place]))
    if name == comparison.baseline:
        return label + star, *errors, "", "", ""
    gain = 100 * comparison.relative_gains[place]
    standard_error = 100 * comparison.relative_standard_errors[place]
    return (
        label + star,
        *errors,
        f"{gain:+.1f} % ± {standard_error:.1f}",
        str(int((comparison.task_gains[place] > 0).sum())),
        str(len(comparison.hurt(name))),
    )
