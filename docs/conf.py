"""How Sphinx builds the site: ``sphinx-build -W docs docs/_build/html``."""

import re
from importlib.util import find_spec

import skmtl

project = "skmtl"
author = "The skmtl developers"
copyright = "The skmtl developers"
version = release = skmtl.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = "skmtl"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_show_sourcelink = False
html_theme_options = {"show_prev_next": False, "show_toc_level": 2}

autosummary_generate = True
autosummary_ignore_module_all = False  # a room's page lists what its __all__ lists
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}
numpydoc_show_class_members = False  # the template of a class lists them

# Examples that need PyTorch.
_of_torch = r"plot_convolution\.py"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "ignore_pattern": r"__init__\.py" if find_spec("torch") else _of_torch,
    "abort_on_example_error": True,
    "reset_modules": ("matplotlib",),
    "show_memory": False,
    "show_signature": False,
}


def _skip_what_scikit_learn_documents(app, what, name, member, skip, options):
    ours = getattr(member, "__module__", "skmtl") or "skmtl"
    return skip or not ours.startswith("skmtl")


def _quote_fitted_names_in_shapes(app, what, name, obj, options, lines):
    """Keep ``n_features_in_`` in a shape from being read as the name of a link."""
    lines[:] = [re.sub(r"\((\w+_),\)", r"(`\1`,)", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", _quote_fitted_names_in_shapes)
    app.connect("autodoc-skip-member", _skip_what_scikit_learn_documents)
