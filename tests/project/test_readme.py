"""What the README shows runs as it stands."""

import re
from pathlib import Path

import pytest

from skmtl import linear_model

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
LINKS = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)


def test_the_examples_run_one_after_the_other():
    names = {"__name__": "readme"}
    for block in BLOCKS:
        exec(compile(block, README.name, "exec"), names)


def test_the_links_lead_somewhere():
    assert [link for link in LINKS if not (README.parent / link).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "docs/user_guide/models.rst"])
def test_every_estimator_is_named(page):
    text = (README.parent / page).read_text(encoding="utf-8")
    estimators = {name for name in linear_model.__all__ if name[0].isupper()}
    estimators.remove("CoefficientPath")
    assert [name for name in sorted(estimators) if f"{name}`" not in text] == []
