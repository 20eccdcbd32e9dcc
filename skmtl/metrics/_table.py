"""Format a small table of numbers as text and as HTML."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skmtl._text import show, show_html

_SHOWN = 10  # longer tables show only their first and last lines


# Labels, and values by name of the column.
Lines = Iterable[tuple[str, Mapping[str, Any]]]


def abridge(n_lines: int) -> list[int | None]:
    """Return the positions of the lines to show, with None for those left out."""
    if n_lines <= _SHOWN:
        return list(range(n_lines))
    half = _SHOWN // 2 - 1
    return [*range(half), None, *range(n_lines - half, n_lines)]


def draw_text(title: str, header: Sequence[str], lines: Lines) -> str:
    """Format a table as text: `lines` are labels and values by column name."""
    cells = [["", *header], *_write_cells(header, lines)]
    cells = [[show(cell) for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = (
        [label.ljust(widths[0]), *map(str.rjust, values, widths[1:])]
        for label, *values in cells
    )
    return "\n".join([show(title), *("  ".join(row).rstrip() for row in rows)])


def draw_html(title: str, header: Sequence[str], lines: Lines) -> str:
    """Format the table of :func:`draw_text` as HTML."""
    head = "".join(f"<th>{show_html(name)}</th>" for name in ("", *header))
    rows = (
        f"<tr><th>{show_html(label)}</th>"
        + "".join(f"<td>{value}</td>" for value in values)
        + "</tr>"
        for label, *values in _write_cells(header, lines)
    )
    return (
        f"<table><caption>{show_html(title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _write_cells(header, lines):
    return [
        [label, *(_write(values[name]) if name in values else "" for name in header)]
        for label, values in lines
    ]


def _write(value):
    return str(value) if isinstance(value, int) else f"{value:.4g}"
