"""Text that others wrote, shown without the characters that steer what shows it."""

import re
from html import escape

# Controls (C0, DEL, C1), ends of lines, marks of direction, byte order marks, halves of
# characters, and what no XML may hold. Joiners stay: scripts and emoji need them.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\ufffe\uffff]"
)


def show(text):
    r"""Return a text in which such characters are escaped as in ``\x1b``.

    A terminal is then not steered by the labels of a table, nor is a page or a picture
    made ill-formed.
    """
    return _STEERING.sub(_escape, str(text))


def _escape(match):
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def show_html(text):
    """Return a text as HTML, with such characters escaped."""
    return escape(show(text))
