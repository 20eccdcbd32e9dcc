"""The plots of the page."""

import numpy as np

from ._svg import (
    LETTER,
    WIDTH,
    Scale,
    draw_bottom_axis,
    draw_diamond,
    draw_dots,
    draw_left_axis,
    draw_line,
    draw_path,
    draw_plot,
    draw_rectangle,
    draw_text,
    shorten,
    widen,
)

_MOST_ROWS, _MOST_FEATURES, _MOST_PANELS, _MOST_LINES = 30, 15, 6, 40
_MOST_TIPS = 600  # dots with a text of their own
_MANY = 300  # tasks beyond which coefficients are a box instead of dots
_WORST = 100  # percent: larger negative gains are cut, as they have no bound
_ROW, _LEFT, _TOP, _BOTTOM = 16.0, 46.0, 22.0, 36.0
_HEIGHT = 260.0  # of a plot without a row per task
_OUTER = 0.01  # share of tasks that do not decide the ends of an axis
_TWO_SIDED = 1.645  # standard errors of a 90 % interval
_BINS = 10  # of probabilities
_SQUARES, _SHADES = 26, 5  # per axis of a plot of densities
_FEW_POINTS = 400
_ALIKE = 1.5  # rows of the largest task per row of the smallest
_MANY_TIMES = 4  # rows of the largest task beyond which their axis has ratios
_QUANTILES = 0.05, 0.25, 0.5, 0.75, 0.95


def has_rows(n_tasks):
    """Return whether there are few enough tasks to draw a row for each."""
    return n_tasks <= _MOST_ROWS


def list_gains(comparison, model):
    """Return the gain of each task in percent, 0 if the baseline has no error."""
    return 100 * np.nan_to_num(comparison.task_relative_gains[comparison.find(model)])


def count_cut(comparison, model):
    """Count the tasks with a gain below the lower end of the plot."""
    return int((list_gains(comparison, model) < -_WORST).sum())


def plot_gains(comparison, model, alt):
    """Draw the gain of each task: in rows, or for many tasks against their rows."""
    gains = list_gains(comparison, model)
    hurt = np.isin(comparison.tasks, comparison.hurt(model))
    kinds = np.where(hurt, "orange", np.where(gains > 0, "blue", "grey"))
    names = [shorten(task) for task in comparison.tasks]
    titles = [
        f"{name}: {gain:+.1f} %, {n} rows"
        for name, gain, n in zip(names, gains, comparison.n_rows, strict=True)
    ]
    shown = np.maximum(gains, -_WORST)
    label = f"{comparison.metric_label}, % below that of {comparison.baseline}"
    if has_rows(len(gains)):
        order = np.argsort(-gains, kind="stable")
        left = _find_margin(names)
        low, high = widen(np.append(shown, 0))
        scale = Scale(low, high, left, WIDTH - 8)
        zero, bottom = float(scale.place(0)), _TOP + _ROW * len(order)
        parts = [draw_bottom_axis(scale, bottom, label, " %", _TOP)]
        for row, t in enumerate(order):
            y, end = _TOP + _ROW * row, float(scale.place(shown[t]))
            parts += [
                draw_text(left - 6, y + 12, names[t], "name", "end"),
                draw_rectangle(
                    min(zero, end), y + 3, abs(end - zero), 10, kinds[t], titles[t]
                ),
            ]
        parts.append(draw_line(zero, _TOP, zero, bottom, "axis"))
        return draw_plot(bottom + _BOTTOM, parts, alt)
    return _plot_many_gains(comparison.n_rows, shown, label, kinds, titles, alt)


def _plot_many_gains(n_rows, gains, label, kinds, titles, alt):
    """Draw a dot per task, against its rows or, if these are alike, its rank."""
    down = Scale(*widen(np.append(gains, 0)), _HEIGHT, _TOP)
    values, word = n_rows, "rows of the task"
    if n_rows.max() <= _ALIKE * n_rows.min():
        values, word = np.argsort(np.argsort(gains)) + 1, "tasks, by their gain"
    is_log = bool(values.max() > _MANY_TIMES * values.min()) and values is n_rows
    ends = (values.min(), values.max()) if is_log else widen(values)
    scale = Scale(*map(float, ends), _LEFT + 6, WIDTH - 8, is_log)
    parts = [
        draw_left_axis(down, _LEFT, label, " %"),
        draw_bottom_axis(scale, _HEIGHT, word),
    ]
    zero = float(down.place(0))
    parts.append(draw_line(_LEFT, zero, WIDTH, zero, "axis"))
    x, y = scale.place(values), down.place(gains)
    has_tips = len(x) <= _MOST_TIPS
    for kind in ("grey", "blue", "orange"):
        where = np.flatnonzero(kinds == kind)
        tips = [titles[t] for t in where] if has_tips else None
        parts.append(draw_dots(x[where], y[where], kind, tips))
    return draw_plot(_HEIGHT + _BOTTOM, parts, alt)


def _find_margin(names):
    """Return the room that names need at the left."""
    return 10 + LETTER * max(map(len, names), default=0)


def plot_levels(levels, alt):
    """Draw the observed and the predicted level of each task, sorted."""
    names = [shorten(each) for each in levels.tasks]
    order = np.argsort(-levels.observed, kind="stable")
    half = _TWO_SIDED * np.nan_to_num(levels.standard_error)
    ends = np.concatenate(
        [levels.observed - half, levels.observed + half, levels.predicted]
    )
    middle = np.concatenate([levels.observed, levels.predicted])
    outer = np.quantile(ends, [_OUTER, 1 - _OUTER])
    low, high = widen([*np.quantile(middle, [0, 1]), *outer])
    rows = has_rows(len(order))
    left = _find_margin(names) if rows else 10.0
    step = _ROW if rows else (_HEIGHT - _TOP) / len(order)
    bottom = _TOP + step * len(order)
    scale = Scale(low, high, left, WIDTH - 8)
    parts = [draw_bottom_axis(scale, bottom, levels.label, "", _TOP)]
    y = np.empty(len(order))
    y[order] = _TOP + step * (np.arange(len(order)) + 0.5)
    first, last = (
        scale.place(levels.observed - half),
        scale.place(levels.observed + half),
    )
    parts.append(_draw_whiskers(first, last, y))
    shared = float(scale.place(levels.overall))
    parts.append(draw_line(shared, _TOP, shared, bottom, "mark"))
    titles = [
        f"{name}: observed {observed:.4g}, predicted {predicted:.4g}, {n} rows"
        for name, observed, predicted, n in zip(
            names, levels.observed, levels.predicted, levels.n_rows, strict=True
        )
    ]
    tips = titles if len(order) <= _MOST_TIPS else None
    parts.append(draw_dots(scale.place(levels.observed), y, "grey", tips))
    parts.append(draw_dots(scale.place(levels.predicted), y, "blue", tips))
    if rows:
        places = zip(y, names, strict=True)
        parts += [
            draw_text(left - 6, at + 4, name, "name", "end") for at, name in places
        ]
    return draw_plot(bottom + _BOTTOM, parts, alt)


def _draw_whiskers(first, last, y):
    pieces = zip(first, last, y, strict=True)
    path = "".join(f"M{a:.1f} {at:.1f}H{b:.1f}" for a, b, at in pieces)
    return f'<path class="whisker" d="{path}"/>'


def choose_features(view):
    """Return the features with the largest coefficients, the largest first."""
    size = np.abs(view.coef_shared) + view.spread
    return np.argsort(-size, kind="stable")[:_MOST_FEATURES]


def has_boxes(view):
    """Return whether there are too many tasks to draw a dot for each."""
    return len(view.coef) > _MANY


def plot_coefficients(view, alt):
    """Draw the coefficients of the tasks and of their centre, a row per feature."""
    features = choose_features(view)
    own, shared = view.coef[:, features], view.coef_shared[features]
    names = [shorten(view.features[j]) for j in features]
    outer = np.quantile(own, [_OUTER, 1 - _OUTER], axis=0)
    low, high = widen([*outer.ravel(), *shared, 0])
    left, row = _find_margin(names), 1.4 * _ROW
    bottom = _TOP + row * len(features)
    scale = Scale(low, high, left, WIDTH - 8)
    zero = float(scale.place(0))
    parts = [draw_bottom_axis(scale, bottom, "coefficient", "", _TOP)]
    parts.append(draw_line(zero, _TOP, zero, bottom, "axis"))
    has_tips = len(own) * len(features) <= _MOST_TIPS
    boxes = scale.place(np.quantile(own, _QUANTILES, axis=0).T)
    for k, name in enumerate(names):
        y = _TOP + row * (k + 0.5)
        parts.append(draw_text(left - 6, y + 4, name, "name", "end"))
        x = scale.place(own[:, k])
        pairs = zip(view.tasks, own[:, k], strict=True)
        tips = [f"{name}, {task}: {value:.3g}" for task, value in pairs]
        if has_boxes(view):
            low, first, _, third, high = map(float, boxes[k])
            parts.append(draw_line(low, y, high, y, "range"))
            parts.append(draw_rectangle(first, y - 5, third - first, 10, "blue faint"))
        else:
            rows = np.full(len(x), y)
            parts.append(draw_dots(x, rows, "blue faint", tips if has_tips else None))
        at, text = float(scale.place(shared[k])), f"{name}, shared: {shared[k]:.3g}"
        parts.append(draw_diamond(at, y, "orange", text))
    return draw_plot(bottom + _BOTTOM, parts, alt)


def _spread(n, most):
    """Return up to `most` of n positions, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def plot_path(view, alt):
    """Draw the coefficients of tasks against alpha, a panel per feature."""
    features = _choose_panels(view)
    order = np.argsort(view.n_rows, kind="stable")
    lines = order[_spread(len(order), _MOST_LINES)]
    width, height = WIDTH / 2, 124.0
    parts = []
    for k, j in enumerate(features):
        left, top = width * (k % 2), 8 + height * (k // 2)
        across = Scale(
            float(view.alphas[0]),
            float(view.alphas[-1]),
            left + 38,
            left + width - 8,
            True,
        )
        down = Scale(*widen(view.path[:, lines, j]), top + height - 34, top + 18)
        parts.append(draw_text(left + 38, top + 10, shorten(view.features[j]), "name"))
        parts += _draw_panel_axes(across, down, left, top + height - 34)
        x = across.place(view.alphas)
        for t in lines:
            title = f"{shorten(view.tasks[t])}, {view.n_rows[t]} rows"
            parts.append(draw_path(x, down.place(view.path[:, t, j]), "curve", title))
        mark = float(across.place(np.clip(view.alpha, view.alphas[0], view.alphas[-1])))
        parts.append(draw_line(mark, top + 18, mark, top + height - 34, "mark"))
    bottom = 8 + height * -(-len(features) // 2)
    parts.append(
        draw_text(
            WIDTH / 2, bottom + 8, "alpha: strength of sharing", "label", "middle"
        )
    )
    return draw_plot(bottom + 16, parts, alt)


def _draw_panel_axes(across, down, left, bottom):
    """Draw two ticks on each axis of a small panel."""
    ticks, values = across.ticks(), down.ticks()
    parts = [
        draw_text(
            float(across.place(tick)), bottom + 12, _write_power(tick), "tick", "middle"
        )
        for tick in ticks[:: max(1, len(ticks) - 1)]
    ]
    for tick in values[:: max(1, len(values) - 1)]:
        y = float(down.place(tick))
        parts.append(draw_line(left + 38, y, across.end, y, "grid"))
        parts.append(draw_text(left + 34, y + 4, f"{tick:.2g}", "tick", "end"))
    return parts


def _write_power(value):
    return (
        f"{value:.0e}".replace("e+0", "e").replace("e-0", "e\u2212").replace("1e0", "1")
    )


def _choose_panels(view):
    """Return the features that differ most between tasks, here or along the path."""
    spread = view.spread
    if not spread.any():
        spread = view.path.std(axis=1).mean(axis=0)
    return np.argsort(-spread, kind="stable")[:_MOST_PANELS]


def plot_predictions(targets, predictions, label, alt):
    """Draw held-out predictions against what was observed: dots, or a density."""
    both = np.concatenate([targets, predictions])
    low, high = widen(np.quantile(both, [_OUTER / 4, 1 - _OUTER / 4]))
    side = _HEIGHT - _TOP
    across = Scale(low, high, _LEFT + 6, _LEFT + 6 + 1.2 * side)
    down = Scale(low, high, _HEIGHT, _TOP)
    parts = [
        draw_left_axis(down, _LEFT, f"observed {label}", right=across.end),
        draw_bottom_axis(across, _HEIGHT, f"predicted {label}"),
    ]
    if len(targets) <= _FEW_POINTS:
        x, y = across.place(predictions), down.place(targets)
        parts.append(draw_dots(x, y, "blue faint"))
    else:
        parts += _draw_density(predictions, targets, across, down)
    parts.append(draw_line(across.start, down.start, across.end, down.end, "mark"))
    return draw_plot(_HEIGHT + _BOTTOM, parts, alt)


def _draw_density(x, y, across, down):
    """Draw squares, the darker the more points are in them."""
    ends = (across.low, across.high), (down.low, down.high)
    x, y = (np.clip(each, *end) for each, end in zip((x, y), ends, strict=True))
    counts, *_ = np.histogram2d(x, y, bins=_SQUARES, range=ends)
    width = (across.end - across.start) / _SQUARES
    height = (down.start - down.end) / _SQUARES
    share = np.sqrt(counts / counts.max())
    shades = np.ceil(share * _SHADES).astype(int)
    return [
        draw_rectangle(
            across.start + i * width,
            down.start - (j + 1) * height,
            width,
            height,
            f"shade{shades[i, j]}",
            f"{counts[i, j]:,.0f} rows",
        )
        for i, j in zip(*np.nonzero(shades), strict=True)
    ]


def plot_calibration(probability, happened, label, alt):
    """Draw how often a class occurred against its predicted probability."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    used = np.flatnonzero(counts)
    predicted = np.bincount(bins, probability, _BINS)[used] / counts[used]
    observed = np.bincount(bins, happened, _BINS)[used] / counts[used]
    half = _TWO_SIDED * np.sqrt(observed * (1 - observed) / counts[used])
    across = Scale(0.0, 1.0, _LEFT + 6, _LEFT + 6 + 1.2 * (_HEIGHT - _TOP))
    down = Scale(0.0, 1.0, _HEIGHT, _TOP)
    x = across.place(predicted)
    low, high = down.place(observed - half), down.place(observed + half)
    whiskers = zip(x, low, high, strict=True)
    path = "".join(f"M{at:.1f} {a:.1f}V{b:.1f}" for at, a, b in whiskers)
    tips = [
        f"predicted {p:.1%}, observed {o:.1%}, {n:,} rows"
        for p, o, n in zip(predicted, observed, counts[used], strict=True)
    ]
    parts = [
        draw_left_axis(down, _LEFT, f"share of {label}", right=across.end),
        draw_bottom_axis(across, _HEIGHT, f"predicted probability of {label}"),
        draw_line(across.start, down.start, across.end, down.end, "mark"),
        f'<path class="whisker" d="{path}"/>',
        draw_dots(x, down.place(observed), "blue", tips),
    ]
    return draw_plot(_HEIGHT + _BOTTOM, parts, alt)


def plot_residuals(names, residuals, label, alt):
    """Draw where the residuals of tasks lie: 90 % on a line, half in a box."""
    quantiles = np.array([np.quantile(each, _QUANTILES) for each in residuals])
    names = [shorten(name) for name in names]
    left, bottom = _find_margin(names), _TOP + _ROW * len(names)
    scale = Scale(*widen(np.append(quantiles, 0)), left, WIDTH - 8)
    zero = float(scale.place(0))
    parts = [draw_bottom_axis(scale, bottom, label, "", _TOP)]
    parts.append(draw_line(zero, _TOP, zero, bottom, "axis"))
    for k, (name, row) in enumerate(zip(names, scale.place(quantiles), strict=True)):
        low, first, middle, third, high = map(float, row)
        y = _TOP + _ROW * k
        title = f"{name}: median {quantiles[k, 2]:.3g}, {len(residuals[k])} rows"
        parts += [
            draw_text(left - 6, y + 12, name, "name", "end"),
            draw_line(low, y + 8, high, y + 8, "whisker"),
            draw_rectangle(first, y + 4, third - first, 8, "blue", title),
            draw_line(middle, y + 2, middle, y + 14, "axis"),
        ]
    return draw_plot(bottom + _BOTTOM, parts, alt)
