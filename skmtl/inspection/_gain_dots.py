"""Draw one dot per task, sorted by gain, so that none hides another."""

from dataclasses import dataclass

import numpy as np

from skmtl._text import show

_MAX_TICKS = 30  # up to this many tasks, the axis names all
_MAX_NAMES = 12  # of more tasks, at most this many hurt ones
_LINES = 32  # lines of text that fit on the axis
_LONGEST = 30  # characters of a label
_LOWEST = -1.0  # lower gains are drawn at the edge, so that the others stay legible
_STYLE = {
    "helped": {"color": "tab:blue", "marker": "o"},
    "unsure": {"color": "0.6", "marker": "o"},
    "hurt": {"color": "tab:red", "marker": "D"},
}
_LABEL = {
    "helped": "sharing helps",
    "unsure": "worse, not significantly",
    "hurt": "sharing hurts (significant)",
}


@dataclass(frozen=True)
class Dots:
    """Values of each task to draw, all of shape (n_tasks,), sorted by gain."""

    tasks: np.ndarray
    gains: np.ndarray
    standard_errors: np.ndarray
    n_rows: np.ndarray
    hurt: np.ndarray

    @property
    def height(self):
        """Height of a figure in inches."""
        return 1.6 + 0.24 * min(max(len(self.tasks), 5), 24)

    @property
    def x(self):
        return np.maximum(self.gains, _LOWEST)

    def groups(self):
        """Return the mask of each non-empty group of tasks."""
        masks = {
            "helped": (self.gains >= 0) & ~self.hurt,
            "unsure": (self.gains < 0) & ~self.hurt,
            "hurt": self.hurt,
        }
        return {name: mask for name, mask in masks.items() if mask.any()}

    def area(self, n_rows):
        """Return the area of a dot, which grows with the number of rows."""
        low, high = np.sqrt(self.n_rows.min()), np.sqrt(self.n_rows.max())
        fraction = (np.sqrt(n_rows) - low) / max(high - low, 1)
        return (20 + 100 * fraction) / (2 if self.are_many else 1)

    @property
    def are_many(self):
        """Whether there are too many tasks to name all."""
        return len(self.tasks) > _MAX_TICKS


def sort_dots(tasks, gains, standard_errors, n_rows, hurt):
    """Sort the tasks by gain, and drop those without a gain."""
    order = np.argsort(gains)
    order = order[~np.isnan(gains[order])]
    return Dots(
        *(each[order] for each in (tasks, gains, standard_errors, n_rows, hurt))
    )


def write(label):
    """Shorten a label, and escape it for matplotlib's mathematical text."""
    text = show(label)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    return text.replace("$", r"\$")


def draw_nothing(ax):
    """Write a text that no task has a gain to draw."""
    ax.set_axis_off()
    text = "No task has a relative gain: errors without sharing are 0 or unknown."
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)


def draw_dots(ax, dots):
    """Draw dots, and whiskers of one standard error."""
    ax.axvline(0, color="0.3", linewidth=1)
    y = np.arange(len(dots.tasks))
    left, right = dots.gains - dots.standard_errors, dots.gains + dots.standard_errors
    ax.hlines(y, left, right, color="0.85", linewidth=1, zorder=1)
    for name, group in dots.groups().items():
        area = dots.area(dots.n_rows[group])
        ax.scatter(dots.x[group], y[group], area, zorder=3, **_STYLE[name])
    _limit(ax, dots)


def name_tasks(ax, dots):
    """Name every task at the axis; if there are many, only those that sharing hurts."""
    hurt = np.flatnonzero(dots.hurt)
    if dots.are_many:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(dots.tasks)} tasks, by gain")
        _annotate(ax, dots, hurt)
        return
    ax.set_yticks(np.arange(len(dots.tasks)), [write(task) for task in dots.tasks])
    ax.tick_params(axis="y", length=0)
    for i in hurt:
        ax.get_yticklabels()[i].set_color(_STYLE["hurt"]["color"])
    for i in np.flatnonzero(dots.gains < _LOWEST):
        text = f"{dots.gains[i]:.0%}"
        ax.annotate(text, (_LOWEST, i), (8, 0), textcoords="offset points", va="center")


def explain_dots(ax, dots):
    """Add a legend of colours and sizes beside the axes."""
    handles = [
        ax.scatter([], [], 40, label=_LABEL[name], **_STYLE[name])
        for name in dots.groups()
    ]
    shown = np.quantile(dots.n_rows, [0, 0.5, 1], method="nearest")
    handles += [
        ax.scatter([], [], dots.area(n), "none", edgecolors="0.4", label=f"{n} rows")
        for n in np.unique(shown)
    ]
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        frameon=False,
        borderaxespad=0,
    )


def _limit(ax, dots):
    # A task of one row has no standard error.
    errors = np.nan_to_num(dots.standard_errors)
    low = max(min((dots.gains - errors).min(), 0), _LOWEST)
    high = min(max((dots.gains + errors).max(), 0), 1)
    room = 0.06 * max(high - low, 0.01)
    ax.set_xlim(low - room, high + room)
    edge = 0.5 + 0.015 * len(dots.tasks)
    ax.set_ylim(-edge, len(dots.tasks) - 1 + edge)


def _annotate(ax, dots, hurt):
    """Name tasks at the right edge, with lines to their dots."""
    gap, place = len(dots.tasks) / _LINES, -np.inf
    style = {"ha": "right", "va": "center", "fontsize": "small", "color": "tab:red"}
    for i in hurt[:_MAX_NAMES]:
        place = max(i, place + gap)
        ax.annotate(
            f"{write(dots.tasks[i])} ({dots.gains[i]:.0%})",
            (dots.x[i], i),
            xytext=(0.99, place),
            textcoords=("axes fraction", "data"),
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.6},
            **style,
        )
    if len(hurt) > _MAX_NAMES:
        text = f"and {len(hurt) - _MAX_NAMES} more"
        ax.text(0.99, place + gap, text, transform=ax.get_yaxis_transform(), **style)
