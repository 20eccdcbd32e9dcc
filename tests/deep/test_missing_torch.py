"""The subpackage without PyTorch."""

import sys

import pytest

import skmtl
from skmtl import deep


@pytest.fixture
def planted(monkeypatch):
    """Make a name public whose module is not loaded yet."""
    monkeypatch.setitem(deep._MODULES, "Planted", "._losses")
    monkeypatch.delitem(sys.modules, "skmtl.deep._losses", raising=False)


def test_a_public_name_without_pytorch_says_how_to_install_it(planted, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    text = r"^skmtl\.deep needs PyTorch: pip install 'skmtl\[torch\]'\.$"
    with pytest.raises(ImportError, match=text):
        _ = deep.Planted


def test_another_missing_package_is_not_taken_for_pytorch(planted, monkeypatch):
    monkeypatch.setitem(deep._MODULES, "Planted", "._missing")
    with pytest.raises(ModuleNotFoundError, match="_missing"):
        _ = deep.Planted


def test_public_names_are_listed_before_they_are_imported(planted):
    assert "Planted" in dir(deep)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'skmtl\.deep' has no attribute 'Net'"):
        _ = deep.Net


def test_the_subpackage_is_an_attribute_of_the_package():
    assert skmtl.deep is deep
