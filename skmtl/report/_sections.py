"""The sections of the page."""

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from skmtl import __version__
from skmtl._text import show_html

from ._embed import embed_figure
from ._figures import (
    choose_features,
    count_cut,
    draws_bars,
    list_gains,
    plot_coefficients,
    plot_gains,
    plot_path,
    report_style,
)
from ._models_table import draw_models_html, write_error
from ._verdict import choose_model

_MOST_TASKS = 200
_LEVEL = 0.05
_HURT = ' class="hurt"'


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
    with report_style():
        figure = plot_gains(comparison, model)
        picture = embed_figure(figure, alt, _explain_gains(comparison, model))
    return picture + _list_hurt(comparison, model) + _draw_tasks(comparison, model)


def _explain_gains(comparison, model):
    side = "To the right of" if draws_bars(comparison) else "Above"
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
    names = ", ".join(show_html(str(name)) for name in hurt[:_MOST_TASKS])
    return f"<p><strong>Hurt by <em>{show_html(model)}</em>:</strong> {names}.</p>"


def _draw_tasks(comparison, model):
    gains = list_gains(comparison, model)
    order = np.argsort(gains, kind="stable")[:_MOST_TASKS]
    base = comparison.task_errors[comparison.find(comparison.baseline)]
    error = comparison.task_errors[comparison.find(model)]
    hurt = np.isin(comparison.tasks, comparison.hurt(model))
    names = ("task", "rows", comparison.baseline, model, "gain", "")
    head = "".join(f'<th scope="col">{show_html(name)}</th>' for name in names)
    rows = "".join(
        f"<tr{_HURT if hurt[t] else ''}>"
        f'<th scope="row">{show_html(str(comparison.tasks[t]))}</th>'
        f"<td>{comparison.n_rows[t]}</td><td>{write_error(base[t])}</td><td>{write_error(error[t])}</td>"
        f"<td>{gains[t]:+,.1f} %</td><td>{'hurt' if hurt[t] else ''}</td></tr>"
        for t in order
    )
    return (
        f"<details><summary>{_title_tasks(len(gains))}</summary>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Tasks"><table>'
        f"<caption>{comparison.metric_label} of each task, smallest gain first"
        f"</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        "</details>"
    )


def _title_tasks(n_tasks):
    if n_tasks <= _MOST_TASKS:
        return f"Table of all {n_tasks} tasks"
    return f"Table of the {_MOST_TASKS} of {n_tasks:,} tasks with the smallest gain"


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
    with report_style():
        return embed_figure(
            plot_coefficients(view),
            alt,
            "Change of the prediction when a number grows by its standard deviation, "
            "or when a category applies, in the partial pooling model. The closer the "
            "blue dots (tasks) are to the orange diamond (shared part), the more "
            f"similar the tasks are.{rest}",
        )


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
    with report_style():
        return embed_figure(plot_path(view), alt, caption)


def _draw_data(report):
    return _draw_facts(report.facts)


def _draw_origin(report):
    command = f"<pre><code>{show_html(report.command)}</code></pre>"
    packages = ("scikit-learn", "numpy", "scipy", "pandas", "matplotlib")
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
    centre = _ABOUT_CENTRE if report.view is not None else ()
    return (*_ABOUT_MODELS, *centre, *_ABOUT_DATA)


_ABOUT_MODELS = (
    ("models", "Which model predicts best?", _draw_models),
    ("gains", "Which tasks gain?", _draw_gains),
)
_ABOUT_CENTRE = (
    ("coefficients", "What do the tasks share?", _draw_coefficients),
    ("path", "How much sharing?", _draw_path),
)
_ABOUT_DATA = (
    ("data", "The data", _draw_data),
    ("origin", "How this page was made", _draw_origin),
)
