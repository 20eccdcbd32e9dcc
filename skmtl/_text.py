"""Escape control characters in untrusted text."""

import re
from html import escape

# Control characters (C0, DEL, C1), line separators, bidirectional marks, byte order
# marks, surrogates, and characters that XML forbids. Joiners stay: scripts and emoji
# need them.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\ufffe\uffff]"
)


def show(text: object) -> str:
    r"""Return text with control characters escaped, as in ``\x1b``.

    Labels can then neither control a terminal nor break a page or a figure.
    """
    return _CONTROL.sub(_escape, str(text))


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def show_html(text: object) -> str:
    """Return text as HTML, with control characters escaped."""
    return escape(show(text))
