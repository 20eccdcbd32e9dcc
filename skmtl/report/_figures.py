"""Figures of gains, coefficients and paths."""

import warnings
from contextlib import contextmanager

import numpy as np

from skmtl._text import show

BLUE, ORANGE, GREY, INK = "#1f5fa8", "#b8460e", "#8a939c", "#1d2730"
_WIDTH = 4.8  # inches: legible on a telephone, enlarged on wider screens
_MOST_BARS, _MOST_FEATURES, _MOST_PANELS, _MOST_LINES = 30, 15, 6, 40
_MANY_POINTS = 1500
_WORST = 100  # percent: larger negative gains are cut, as they have no bound
_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "svg.hashsalt": "skmtl",
    "svg.fonttype": "none",  # the browser's fonts have more letters than matplotlib's
}


@contextmanager
def report_style():
    """Use the style of the report instead of the user's."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # raised inside matplotlib by its dependencies
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def _figure(height, **grid):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.subplots(**grid)


def plot_gains(comparison, model):
    """Draw the gain of each task: as bars, or for many tasks against their rows."""
    if draws_bars(comparison):
        return _plot_gain_bars(comparison, model)
    return _plot_gain_points(comparison, model)


def draws_bars(comparison):
    """Return whether there are few enough tasks to draw a bar for each."""
    return len(comparison.tasks) <= _MOST_BARS


def list_gains(comparison, model):
    """Return the gain of each task in percent, 0 if the baseline has no error."""
    return 100 * np.nan_to_num(comparison.task_relative_gains[comparison.find(model)])


def count_cut(comparison, model):
    """Count the tasks with a gain below the lower end of the plot."""
    return int((list_gains(comparison, model) < -_WORST).sum())


def _plot_gain_bars(comparison, model):
    gains = list_gains(comparison, model)
    order = np.argsort(gains, kind="stable")
    figure, ax = _figure(0.9 + 0.23 * len(order))
    ax.barh(
        np.arange(len(order)),
        np.maximum(gains[order], -_WORST),
        height=0.62,
        color=_colour_gains(comparison, model, gains)[order],
    )
    counts = comparison.n_rows
    labels = [f"{_label(comparison.tasks[t])}  ({counts[t]} rows)" for t in order]
    ax.set_yticks(np.arange(len(order)), labels)
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_xlabel(_label_gain(comparison))
    return figure


def _plot_gain_points(comparison, model):
    gains = list_gains(comparison, model)
    figure, ax = _figure(3.6)
    ax.scatter(
        comparison.n_rows,
        np.maximum(gains, -_WORST),
        c=_colour_gains(comparison, model, gains),
        s=14,
        alpha=0.7,
        linewidth=0,
        rasterized=len(gains) > _MANY_POINTS,
    )
    if comparison.n_rows.max() > 4 * comparison.n_rows.min():
        ax.set_xscale("log")
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_xlabel("rows of the task")
    ax.set_ylabel(_label_gain(comparison))
    return figure


def _colour_gains(comparison, model, gains):
    hurt = np.isin(comparison.tasks, comparison.hurt(model))
    return np.where(hurt, ORANGE, np.where(gains > 0, BLUE, GREY))


def _label_gain(comparison):
    name = comparison.metric_label
    return f"{name}, % below that of '{_label(comparison.baseline)}'"


def plot_coefficients(view):
    """Draw the coefficients of the tasks and of their centre."""
    features = choose_features(view)
    figure, ax = _figure(0.9 + 0.3 * len(features))
    places = np.arange(len(features))[::-1]
    own = view.coef[:, features]
    ax.scatter(
        own.ravel(),
        np.tile(places, len(own)),
        s=16,
        color=BLUE,
        alpha=max(0.15, min(0.6, 8 / len(own))),
        linewidth=0,
        label="tasks",
        rasterized=own.size > _MANY_POINTS,
    )
    shared = view.coef_shared[features]
    ax.scatter(shared, places, s=34, marker="D", color=ORANGE, label="shared", zorder=3)
    ax.set_yticks(places, [_label(view.features[j]) for j in features])
    ax.set_ylim(-0.6, len(features) - 0.4)
    ax.grid(axis="y", color=GREY, alpha=0.3, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_xlabel("coefficient")
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return figure


def choose_features(view):
    """Return the features with the largest coefficients, the largest first."""
    size = np.abs(view.coef_shared) + view.spread
    return np.argsort(-size, kind="stable")[:_MOST_FEATURES]


def plot_path(view):
    """Draw the coefficients of tasks against alpha, a panel per feature."""
    features = _choose_panels(view)
    n_rows = -(-len(features) // 2)
    figure, axes = _figure(
        0.9 + 1.6 * n_rows, nrows=n_rows, ncols=2, sharex=True, squeeze=False
    )
    lines = _choose_lines(view)
    colours, scale = _colour_rows(view.n_rows)
    for ax, j in zip(axes.flat, features, strict=False):
        for t in lines:
            ax.plot(view.alphas, view.path[:, t, j], color=colours[t], linewidth=0.9)
        ax.axvline(_mark(view), color=ORANGE, linewidth=1.2, linestyle="--")
        ax.set(xscale="log", title=_label(view.features[j]))
        ax.axhline(0, color=GREY, linewidth=0.6)
    for ax in axes.flat[len(features) :]:
        ax.set_visible(False)
    figure.supxlabel("alpha: strength of partial pooling", size=9)
    figure.supylabel("coefficients of the tasks", size=9)
    if scale is not None:
        ends = view.n_rows.min(), view.n_rows.max()
        bar = figure.colorbar(
            scale,
            ax=axes,
            label="rows of the task",
            location="top",
            aspect=50,
            ticks=ends,
            format="%d",
        )
        bar.minorticks_off()
    return figure


def _choose_panels(view):
    """Return the features that differ most between tasks, here or along the path."""
    spread = view.spread
    if not spread.any():
        spread = view.path.std(axis=1).mean(axis=0)
    return np.argsort(-spread, kind="stable")[:_MOST_PANELS]


def _choose_lines(view):
    """Return a sample of the tasks, from few rows to many."""
    order = np.argsort(view.n_rows, kind="stable")
    picked = np.linspace(0, len(order) - 1, min(_MOST_LINES, len(order)))
    return order[np.unique(picked.astype(int))]


def _colour_rows(n_rows):
    """Return a colour for each task, and their scale if row counts differ."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, to_rgba

    if n_rows.min() == n_rows.max():
        return np.tile(to_rgba(BLUE), (len(n_rows), 1)), None
    scale = ScalarMappable(LogNorm(n_rows.min(), n_rows.max()), "viridis_r")
    return scale.to_rgba(n_rows), scale


def _mark(view):
    """Return the chosen alpha, clipped to the ends of the path."""
    return np.clip(view.alpha, view.alphas[0], view.alphas[-1])


def _label(name, most=24):
    """Shorten a name, and escape it for matplotlib's mathematical text."""
    name = show(name).replace("missingindicator_", "missing ")  # scikit-learn's word
    name = name if len(name) <= most else f"{name[: most - 1]}…"
    return name.replace("$", r"\$")
