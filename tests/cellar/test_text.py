"""Untrusted text cannot control a terminal or break a page."""

import numpy as np
import pytest

from skmtl._text import show, show_html
from skmtl.inspection import compare_tasks
from skmtl.linear_model import MultiTaskRidge


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\r\n\tb\x00\x7f", r"a\r\n\tb\x00\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("evil\u202etxt.exe\u2066", r"evil\u202etxt.exe\u2066"),
        ("a\u2028b\ufeff", r"a\u2028b\ufeff"),
        ("\ud800\uffff", r"\ud800\uffff"),
    ],
)
def test_control_characters_are_escaped(text, shown):
    assert show(text) == shown


@pytest.mark.parametrize("text", ["é 校 ß", "شكرا", "👩\u200d👧", r"C:\x1b", "a b", 7])
def test_other_text_is_left_alone(text):
    assert show(text) == str(text)


def test_html_is_escaped_too():
    assert show_html("<b>\x1b") == r"&lt;b&gt;\x1b"


def test_control_characters_in_model_names_are_escaped():
    task = np.repeat(["\x1b[31m", "b"], 6)
    X = np.arange(24.0).reshape(12, 2) % 7
    models = {"\x1b]0;x\x07": MultiTaskRidge(), "\u202eb": MultiTaskRidge(2.0)}
    found = compare_tasks(models, X, X[:, 0], task=task, cv=2, random_state=0)
    for text in (repr(found), found._repr_html_()):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
