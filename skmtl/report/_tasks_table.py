"""A table of all tasks that can be sorted and searched."""

import json
from typing import Any

import numpy as np

from skmtl._text import show, show_html
from skmtl.inspection import TaskComparison

from ._models_table import write_error
from ._plots import list_gains

_SHOWN = 20  # tasks per page, and without a script
_LOWEST = -1000  # percent: lower gains are not written out


def draw_tasks(comparison: TaskComparison, model: str) -> str:
    """Draw the table: the first tasks as HTML, all of them as data for the script."""
    columns, rows = _list_columns(comparison, model), _list_rows(comparison, model)
    head = "".join(
        f'<th scope="col" aria-sort="none"><button type="button">{show_html(name)}'
        "</button></th>"
        for name in columns
    )
    body = "".join(map(_draw_row, rows[:_SHOWN]))
    data = json.dumps([[text for text, _ in row] for row in rows])
    keys = json.dumps([[key for _, key in row] for row in rows])
    n_tasks = len(rows)
    more = f"; the first {_SHOWN} here" if n_tasks > _SHOWN else ""
    return (
        '<div class="tasks" data-size="' + str(_SHOWN) + '">'
        '<p class="tools" hidden><label>Search a task '
        '<input type="search"></label> <span class="count" role="status"></span></p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Tasks"><table>'
        f"<caption>{comparison.metric_label} of all {n_tasks:,} tasks, those with the "
        f'most evidence of harm first<span class="still">{more}</span></caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        '<p class="pages" hidden><button type="button">Previous</button> '
        '<span></span> <button type="button">Next</button></p>'
        f'<script type="application/json">{_escape(f"[{data},{keys}]")}</script></div>'
    )


def _escape(text):
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


def _list_columns(comparison, model):
    baseline, model = show(comparison.baseline), show(model)
    return "task", "rows", baseline, model, "gain", "p-value of harm", "verdict"


def _list_rows(comparison, model):
    """Return a text and a key to sort by for each cell of each task."""
    gains, place = list_gains(comparison, model), comparison.find(model)
    base = comparison.task_errors[comparison.find(comparison.baseline)]
    error, p_values = comparison.task_errors[place], comparison.p_values[place]
    hurt = np.isin(comparison.tasks, comparison.hurt(model))
    order = np.argsort(p_values, kind="stable")
    return [
        (
            (show(comparison.tasks[t]), _order(comparison.tasks[t])),
            (f"{comparison.n_rows[t]:,}", int(comparison.n_rows[t])),
            (write_error(base[t]), _number(base[t])),
            (write_error(error[t]), _number(error[t])),
            (_write_gain(gains[t]), _number(gains[t])),
            (_write_p(p_values[t]), _number(p_values[t])),
            _judge(hurt[t], gains[t]),
        )
        for t in order
    ]


def _order(label: Any) -> Any:
    """Return a number for labels that are numbers, so that 10 comes after 9."""
    return _number(label) if isinstance(label, (int, float, np.number)) else show(label)


def _number(value):
    return None if np.isnan(value) else float(f"{value:.6g}")


def _write_gain(gain):
    return "below -1,000 %" if gain < _LOWEST else f"{gain:+,.1f} %"


def _write_p(value):
    return "" if np.isnan(value) else f"{value:.2g}"


def _judge(is_hurt, gain):
    if is_hurt:
        return "hurt", 2
    return ("better", 0) if gain > 0 else ("unclear", 1)


def _draw_row(cells):
    (name, _), *rest = cells
    kind = ' class="hurt"' if rest[-1][0] == "hurt" else ""
    values = "".join(f"<td>{show_html(text)}</td>" for text, _ in rest)
    return f'<tr{kind}><th scope="row">{show_html(name)}</th>{values}</tr>'
