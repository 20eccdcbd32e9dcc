"""Drawing that the displays share: axes, colours, names of tasks, and clipping."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._gain_dots import write

# Orange and blue differ for every kind of colour vision; both greys and orange can be
# seen on light and on dark, and blue has a lighter shade for the latter.
ORANGE, GREY = "tab:orange", "0.55"
_BLUE_ON_LIGHT, _BLUE_ON_DARK = "tab:blue", "#7fc1ff"
MOST_NAMES = 30  # up to this many tasks, all are named
_N_EXTREMES = 6  # of more tasks, those named at each end
_LINES = 26  # lines of text that fit beside the axes
_MANY = 1500  # more points are stored as pixels in vector files
# Places of a name beside its point, and its alignment there.
_BESIDE = ((6, 0), (-6, 0), (0, 7), (0, -7), (6, 7), (-6, 7), (6, -7), (-6, -7))
_ALIGN_ACROSS = {-1: "right", 0: "center", 1: "left"}
_ALIGN_ALONG = {-1: "top", 0: "center", 1: "bottom"}
_REACH = 2.0  # values beyond this multiple of the usual range are drawn at the edge


def open_axes(ax: Any, width: float, height: float) -> Any:
    """Return the axes, or those of a new figure."""
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def height_of_rows(n_rows: int) -> float:
    """Return the height in inches of a figure with a row per task."""
    return 1.4 + 0.23 * min(max(n_rows, 5), _LINES)


def is_many(n_points: int) -> bool:
    """Return whether to rasterise the points of a plot."""
    return n_points > _MANY


def ink() -> Any:
    """Return the user's colour of text."""
    import matplotlib as mpl

    return mpl.rcParams["text.color"]


def is_dark() -> bool:
    """Return whether the user's background is dark."""
    import matplotlib as mpl
    from matplotlib.colors import to_rgb

    return bool(np.mean(to_rgb(mpl.rcParams["axes.facecolor"])) < 1 / 2)


def blue() -> str:
    """Return the colour of tasks on the user's background."""
    return _BLUE_ON_DARK if is_dark() else _BLUE_ON_LIGHT


def diverging() -> Any:
    """Return a colour map from blue to orange, with the background in the middle."""
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap

    paper = mpl.rcParams["axes.facecolor"]
    ends = ("#0b4f91", "#5f9fd4", paper, "#f0a04b", "#a8480a")
    if is_dark():  # on dark, large values are bright
        ends = ("#8cc8ff", "#2a6ca8", paper, "#b3641c", "#ffb86b")
    return LinearSegmentedColormap.from_list("skmtl", ends)


def usual_range(values: Array) -> tuple[float, float]:
    """Return limits that outliers do not set.

    Outliers are outside of the 10 % and 90 % quantiles by more than twice the distance
    between these.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.quantile(values, [0.1, 0.9])
    reach = _REACH * (high - low)
    if reach > 0:
        values = values[(values >= low - reach) & (values <= high + reach)]
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def clip_to(values: Array, limits: tuple[float, float]) -> tuple[Array, Array]:
    """Return values moved to the limits, and the mask of those beyond."""
    return np.clip(values, *limits), (values < limits[0]) | (values > limits[1])


def count_beyond(ax: Any, n_beyond: int, where: str = ", drawn at its edge") -> None:
    """Write how many values are beyond the axis."""
    if n_beyond:
        text = f"{n_beyond} beyond the axis{where}"
        ax.set_title(text, loc="right", fontsize="small", color=GREY)


def pick_names(n_tasks: int, wanted: Sequence[int] = ()) -> Array:
    """Return positions, in order of the plot, of the tasks to name."""
    if n_tasks <= MOST_NAMES:
        return np.arange(n_tasks)
    ends = [*range(_N_EXTREMES), *range(n_tasks - _N_EXTREMES, n_tasks)]
    most = max(_LINES - len(ends), 0)
    return np.unique([*ends, *list(wanted)[:most]])


def place_tasks(tasks: Array, order: Array, highlight: Any) -> list[int]:
    """Return the positions in the plot of tasks to name on request."""
    if highlight is None:
        return []
    labels = tasks[order].tolist()
    missing = [each for each in highlight if each not in labels]
    if missing:
        raise ValueError(
            f"highlight must have tasks of the model, got {missing[:5]}. It has "
            f"{len(labels)} tasks: {labels[:5]}..."
        )
    return [labels.index(each) for each in highlight]


def name_rows(ax: Any, labels: Array, chosen: Array, what: str) -> None:
    """Name rows of a plot beside its left axis, with lines where they are dense."""
    n = len(labels)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.5 - 0.012 * n, n - 0.5 + 0.012 * n)
    if len(chosen) == n:
        ax.set_yticks(np.arange(n), [write(label) for label in labels])
        return
    ax.set_yticks([])
    for i, y in zip(chosen, spread_out(chosen, n / _LINES, n - 1), strict=True):
        ax.annotate(
            write(labels[i]),
            (0, i),
            xytext=(-0.05, y),
            xycoords=ax.get_yaxis_transform(),
            textcoords=ax.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize="small",
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6},
        )
    ax.set_ylabel(f"{n} tasks, by {what}")


def spread_out(places: Array, gap: float, highest: float) -> Array:
    """Move sorted places apart, and keep them below the highest if they fit."""
    moved = np.array(places, dtype=float)
    for k in range(1, len(moved)):
        moved[k] = max(moved[k], moved[k - 1] + gap)
    top = max(highest, (len(moved) - 1) * gap)
    for k in range(len(moved) - 1, -1, -1):
        moved[k] = min(moved[k], top)
        top = moved[k] - gap
    return moved


def label_points(ax: Any, x: Array, y: Array, labels: Any, candidates: Any) -> list:
    """Name points, in the order of `candidates`, where a place without names is near.

    Of several places, the one that covers the fewest points is taken.
    """
    ax.figure.draw_without_rendering()  # fixes the axes, whose layout moves them
    points = ax.transData.transform(np.column_stack([x, y]))
    taken: list[Any] = []
    texts = []
    for i in candidates:
        places = [_write_beside(ax, (x[i], y[i]), labels[i], *at) for at in _BESIDE]
        free = [(text, box) for text, box in places if _is_free(ax, box, taken)]
        covered = [box.count_contains(points) for _, box in free]
        best = free[int(np.argmin(covered))] if free else (None, None)
        for text, _ in places:
            if text is not best[0]:
                text.remove()
        if free:
            texts.append(best[0])
            taken.append(best[1])
    return texts


def _write_beside(ax, point, label, dx, dy):
    """Write a label at some points from a point, and return its box."""
    text = ax.annotate(
        write(label),
        point,
        xytext=(dx, dy),
        textcoords="offset points",
        ha=_ALIGN_ACROSS[np.sign(dx)],
        va=_ALIGN_ALONG[np.sign(dy)],
        fontsize="small",
    )
    return text, text.get_window_extent().padded(2)


def _is_free(ax, box, taken):
    frame = ax.get_window_extent()
    inside = frame.contains(*box.min) and frame.contains(*box.max)
    return inside and not any(box.overlaps(other) for other in taken)


def tidy(ax: Any, *sides: str) -> None:
    """Remove the upper and the right spine, and others by name."""
    ax.spines[["top", "right", *sides]].set_visible(False)
