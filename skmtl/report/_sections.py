"""The sections of the page."""

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from skmtl import __version__
from skmtl._text import show_html

from ._levels import list_residuals, measure_levels, read_held_out
from ._models_table import draw_models_html
from ._plots import (
    choose_features,
    count_cut,
    has_boxes,
    has_rows,
    list_gains,
    plot_calibration,
    plot_coefficients,
    plot_gains,
    plot_levels,
    plot_path,
    plot_predictions,
    plot_residuals,
)
from ._svg import draw_figure
from ._tasks_table import draw_tasks
from ._verdict import choose_model

_MOST_NAMED = 200
_LEVEL = 0.05
_ENDS = 3  # tasks that are named as the lowest and the highest


def _draw_models(report):
    n_folds = report.comparison.fold_errors.shape[1]
    table = draw_models_html(report.comparison, report.explanations)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Models">{table}'
        f"</div><p>* smallest error. Each model predicted rows that it was not fitted "
        f"on, in {n_folds} folds. The error is the mean "
        "over tasks, every task counting the same; ± is the standard error of the gain "
        "over folds. A model <em>hurts</em> a task if it predicts the task "
        "significantly worse than "
        f"<em>{show_html(report.comparison.baseline)}</em>, by a paired test adjusted "
        f"for the number of tasks (significance level {_LEVEL:.0%}).</p>"
    )


def _draw_gains(report):
    comparison = report.comparison
    model = choose_model(comparison)
    gains = list_gains(comparison, model)
    best, worst = gains.argmax(), gains.argmin()
    alt = (
        f"Gain of each of {len(gains)} tasks, from {gains[worst]:.0f} % "
        f"({comparison.tasks[worst]}) to {gains[best]:.0f} % "
        f"({comparison.tasks[best]}); {(gains > 0).sum()} are positive."
    )
    plot = plot_gains(comparison, model, alt)
    picture = draw_figure(plot, _explain_gains(comparison, model))
    return picture + _list_hurt(comparison, model) + draw_tasks(comparison, model)


def _explain_gains(comparison, model):
    side = "To the right of" if has_rows(len(comparison.tasks)) else "Above"
    n_cut = count_cut(comparison, model)
    cut = f" {n_cut} drawn at -100 % are lower than that." if n_cut else ""
    return (
        f"{side} the line, blue: predicted better by {model} than by "
        f"{comparison.baseline}. Grey: predicted worse, but not significantly. Orange: "
        f"hurt, significantly worse.{cut}"
    )


def _list_hurt(comparison, model):
    hurt = comparison.hurt(model)
    if not len(hurt):
        return (
            f"<p><strong>No task is hurt</strong> by "
            f"<em>{show_html(model)}</em>, as far as the test detects. In tasks with "
            "few rows it detects only large effects.</p>"
        )
    names = ", ".join(show_html(str(name)) for name in hurt[:_MOST_NAMED])
    return f"<p><strong>Hurt by <em>{show_html(model)}</em>:</strong> {names}.</p>"


def _draw_levels(report):
    comparison = report.comparison
    model, held = comparison.recommended, _read(report)
    levels = measure_levels(comparison, held, report.target)
    order = np.argsort(levels.observed, kind="stable")
    low, high = order[0], order[-1]
    alt = (
        f"The {levels.label} of {len(order)} tasks, from {levels.observed[low]:.4g} "
        f"({levels.tasks[low]}) to {levels.observed[high]:.4g} ({levels.tasks[high]}); "
        f"over all rows {levels.overall:.4g}."
    )
    names = "" if has_rows(len(order)) else _name_ends(levels.tasks[order])
    caption = (
        f"Grey: the {levels.label} of each task, with a line of 90 % confidence. Blue: "
        f"the mean of its held-out predictions by {model}. Dashed: all rows.{names}"
    )
    return draw_figure(plot_levels(levels, alt), caption)


def _name_ends(tasks):
    low, high = map(str, tasks[:_ENDS]), map(str, tasks[::-1][:_ENDS])
    return f" Lowest: {', '.join(low)}. Highest: {', '.join(high)}."


def _draw_quality(report):
    held, model = _read(report), report.comparison.recommended
    targets, predictions = held.targets, held.predictions
    if held.is_class:
        alt = (
            f"Calibration of the probability of {held.label}: predicted "
            f"{predictions.mean():.3g} on average, observed {targets.mean():.3g}."
        )
        plot = plot_calibration(predictions, targets, held.label, alt)
        caption = (
            f"Rows are grouped by the probability of {held.label} that {model} "
            "predicted without having seen them. On the dashed line, it occurs as "
            "often as predicted; vertical lines are 90 % confidence."
        )
        return draw_figure(plot, caption)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.corrcoef(targets, predictions)[0, 1]
    alt = f"Observed against predicted values; their correlation is {correlation:.2f}."
    plot = plot_predictions(targets, predictions, report.target, alt)
    caption = (
        f"Held-out rows, predicted by {model}. On the dashed line, predictions are "
        "right. Darker squares have more rows."
    )
    return draw_figure(plot, caption)


def _draw_residuals(report):
    found = list_residuals(report.comparison, _read(report))
    names, residuals = zip(*found, strict=True)
    label = f"observed minus predicted {report.target}".rstrip()
    alt = f"Errors of the {len(names)} tasks predicted worst; the first is {names[0]}."
    caption = (
        f"The tasks that {report.comparison.recommended} predicts worst, the worst "
        "first: half of the errors of their rows are in the box, 90 % on the line. A "
        "box beside zero shows a task that is predicted too low or too high as a whole."
    )
    return draw_figure(plot_residuals(names, residuals, label, alt), caption)


def _read(report):
    return read_held_out(report.comparison, report.comparison.recommended)


def _draw_coefficients(report):
    view = report.view
    features = choose_features(view)
    first = features[0]
    own = view.coef[:, first]
    alt = (
        f"Coefficients of {len(features)} features: the shared part, and each task. "
        f"The largest is {view.features[first]}, shared {view.coef_shared[first]:.3g}, "
        f"tasks {own.min():.3g} to {own.max():.3g}."
    )
    n_hidden = len(view.features) - len(features)
    rest = (
        f" Not shown: {n_hidden} features with smaller coefficients."
        if n_hidden
        else ""
    )
    caption = (
        "Change of the prediction when a number grows by its standard deviation, or "
        "when a category applies, in the partial pooling model. The closer the blue "
        "dots (tasks) are to the orange diamond (shared part), the more similar the "
        f"tasks are.{_explain_boxes(view)}{rest}"
    )
    return draw_figure(plot_coefficients(view, alt), caption)


def _explain_boxes(view):
    if not has_boxes(view):
        return ""
    return " Half of the tasks are in the box, 90 % on the line."


def _draw_path(report):
    view = report.view
    chosen = "infinite" if np.isinf(view.alpha) else f"{view.alpha:.3g}"
    alt = (
        "Coefficients of the tasks as alpha, the strength of partial pooling, grows: "
        f"different at {view.alphas[0]:.2g}, the same at {view.alphas[-1]:.2g}."
    )
    caption = (
        "Each line is a task. At the left, tasks are independent; at the right, all "
        "have the same coefficient. Tasks with few rows move first. The dashed line is "
        f"the strength chosen from the data: alpha = {chosen}."
    )
    return draw_figure(plot_path(view, alt), caption)


def _draw_data(report):
    return _draw_facts(report.facts) + _draw_columns(report.columns)


def _draw_columns(columns):
    """Draw the table of the columns as they were read, if they are known."""
    if not columns:
        return ""
    names = list(columns[0])
    head = "".join(f'<th scope="col">{show_html(name)}</th>' for name in names)
    body = "".join(_draw_column(list(each.values())) for each in columns)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Columns">'
        '<table class="words"><caption>Every column of the table</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _draw_column(cells):
    name, *values = map(show_html, cells)
    rest = "".join(f"<td>{value}</td>" for value in values)
    return f'<tr><th scope="row">{name}</th>{rest}</tr>'


def _draw_usage(report):
    return "".join(
        f"<p>{show_html(words)}</p><pre><code>{_write_code(code)}</code></pre>"
        for words, code in report.usage.items()
    )


def _write_code(code):
    return "\n".join(map(show_html, code.split("\n")))


def _draw_origin(report):
    command = f"<pre><code>{show_html(report.command)}</code></pre>"
    packages = ("scikit-learn", "numpy", "scipy", "pandas")
    versions = {name: _find_version(name) for name in packages}
    facts = {"skmtl": __version__, "Python": platform.python_version(), **versions}
    return (command if report.command else "") + _draw_facts(facts)


def _find_version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _draw_facts(facts):
    items = "".join(
        f"<dt>{show_html(name)}</dt><dd>{show_html(value)}</dd>"
        for name, value in facts.items()
    )
    return f'<dl class="facts">{items}</dl>'


def choose_sections(report):
    """Return the name, title and function of each section of a report."""
    held = _read(report)
    is_class = held is not None and held.is_class
    wanted = {
        "levels": held is not None,
        "quality": held is not None,
        "residuals": held is not None and not is_class,
        "coefficients": report.view is not None,
        "path": report.view is not None,
        "usage": bool(report.usage),
        "data": bool(report.facts or report.columns),
    }
    return [each for each in _SECTIONS if wanted.get(each[0], True)]


_SECTIONS = (
    ("models", "Which model predicts best?", _draw_models),
    ("gains", "Which tasks gain?", _draw_gains),
    ("levels", "How do the tasks differ in level?", _draw_levels),
    ("coefficients", "What do the tasks share?", _draw_coefficients),
    ("path", "How much sharing?", _draw_path),
    ("quality", "How good are the predictions?", _draw_quality),
    ("residuals", "Which tasks are predicted worst?", _draw_residuals),
    ("usage", "How to use the model", _draw_usage),
    ("data", "The data", _draw_data),
    ("origin", "How this page was made", _draw_origin),
)
