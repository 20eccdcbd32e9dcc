"""Draw plots as inline SVG, in the colours of the page, readable in the dark too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmtl._text import show, show_html

WIDTH = 380  # of the drawing: legible on a telephone, enlarged on wider screens
LETTER = 5.4  # width of a letter
_STEPS = np.array([1.0, 2.0, 5.0, 10.0])
_MOST_TICKS = 5
_LONGEST = 24
_THOUSAND, _MILLION = 1e3, 1e6  # numbers between them are written in full


@dataclass(frozen=True)
class Scale:
    """Places of numbers along an axis.

    Parameters
    ----------
    low, high : float
        Smallest and largest number.
    start, end : float
        Their places.
    is_log : bool, default=False
        Whether equal distances are equal ratios.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def place(self, values: ArrayLike) -> NDArray[np.floating]:
        """Return the places of numbers; those beyond the ends are moved to them."""
        given = np.clip(np.asarray(values, dtype=float), self.low, self.high)
        low, high = self.low, self.high
        if self.is_log:
            given, low, high = np.log(given), float(np.log(low)), float(np.log(high))
        share = (given - low) / (high - low if high > low else 1.0)
        found: NDArray[np.floating] = self.start + share * (self.end - self.start)
        return found

    def ticks(self) -> list[float]:
        """Return round numbers between the ends, or powers of ten."""
        if self.is_log and self.high >= 10 * self.low:
            return _find_powers(self.low, self.high)
        width = self.high - self.low
        if not width > 0:
            return [self.low]
        size = width / _MOST_TICKS
        power = 10.0 ** np.floor(np.log10(size))
        step = power * _STEPS[np.searchsorted(_STEPS, size / power * (1 - 1e-9))]
        first, last = np.ceil(self.low / step - 1e-9), np.floor(self.high / step + 1e-9)
        return [float(k * step) for k in np.arange(first, last + 1)]


def _find_powers(low, high):
    first, last = np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9)
    stride = max(1, int(np.ceil((last - first + 1) / _MOST_TICKS)))
    return [float(10.0**k) for k in np.arange(first, last + 1, stride)]


def widen(values: ArrayLike, share: float = 0.04) -> tuple[float, float]:
    """Return the range of numbers, a little wider; of equal ones, one to each side."""
    given = np.asarray(values, dtype=float)
    low, high = float(given.min()), float(given.max())
    room = share * (high - low) or max(abs(high), 1.0) * 0.5
    return low - room, high + room


def write_number(value: float) -> str:
    """Write the number of a tick."""
    value += 0.0  # -0 is 0
    is_long = _THOUSAND <= abs(value) < _MILLION
    text = f"{value:,.0f}" if is_long else f"{value:.3g}"
    return text.replace("-", "\u2212")


def shorten(name: object) -> str:
    """Shorten a name to what fits beside a plot."""
    text = show(name).replace("missingindicator_", "missing ")  # scikit-learn's word
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def draw_line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a straight line."""
    return (
        f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" '
        f'y2="{y2:.1f}"/>'
    )


def draw_path(x: ArrayLike, y: ArrayLike, kind: str, title: object = "") -> str:
    """Draw a line through points."""
    pairs = zip(np.asarray(x), np.asarray(y), strict=True)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs)
    return f'<polyline class="{kind}" points="{points}">{_tip(title)}</polyline>'


def draw_rectangle(
    x: float, y: float, width: float, height: float, kind: str, title: object = ""
) -> str:
    """Draw a rectangle."""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{height:.1f}">{_tip(title)}</rect>'
    )


def draw_dots(
    x: ArrayLike, y: ArrayLike, kind: str, titles: Sequence[object] | None = None
) -> str:
    """Draw dots: each with a text of its own, or all as one path."""
    pairs = list(zip(np.ravel(x), np.ravel(y), strict=True))
    if titles is None:
        path = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in pairs)
        return f'<path class="{kind} dots" d="{path}"/>' if path else ""
    return "".join(
        f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="3">{_tip(title)}</circle>'
        for (a, b), title in zip(pairs, titles, strict=True)
    )


def draw_diamond(x: float, y: float, kind: str, title: object = "") -> str:
    """Draw a diamond."""
    path = f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"
    return f'<path class="{kind}" d="{path}">{_tip(title)}</path>'


def draw_text(
    x: float, y: float, text: object, kind: str = "", anchor: str = "start"
) -> str:
    """Write text with its baseline at y."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{show_html(text)}</text>"
    )


def _tip(title):
    return f"<title>{show_html(title)}</title>" if title != "" else ""


def draw_bottom_axis(
    scale: Scale, y: float, label: object, unit: str = "", top: float | None = None
) -> str:
    """Draw numbers below a plot, faint lines up to `top`, and a label."""
    parts = []
    for tick in scale.ticks():
        x = float(scale.place(tick))
        if top is not None:
            parts.append(draw_line(x, top, x, y, "grid"))
        parts.append(draw_text(x, y + 13, write_number(tick) + unit, "tick", "middle"))
    middle = (scale.start + scale.end) / 2
    parts.append(draw_text(middle, y + 28, label, "label", "middle"))
    return "".join(parts)


def draw_left_axis(
    scale: Scale, x: float, label: object, unit: str = "", right: float = WIDTH
) -> str:
    """Draw numbers to the left of a plot, faint lines to `right`, and a label above."""
    parts = []
    for tick in scale.ticks():
        y = float(scale.place(tick))
        parts.append(draw_line(x, y, right, y, "grid"))
        parts.append(draw_text(x - 4, y + 4, write_number(tick) + unit, "tick", "end"))
    top = min(scale.start, scale.end)
    parts.append(draw_text(2, top - 8, label, "label"))
    return "".join(parts)


def draw_plot(height: float, parts: Sequence[str], alt: object) -> str:
    """Put the parts of a plot together; `alt` is what it shows, in words."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{show_html(alt)}">{"".join(parts)}</svg>'
    )


def draw_figure(plot: str, caption: object) -> str:
    """Put a caption below a plot."""
    return (
        '<figure><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Picture, may be scrolled">{plot}</div>'
        f"<figcaption>{show_html(caption)}</figcaption></figure>"
    )
