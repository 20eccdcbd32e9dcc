"""Imports go to lower layers, and load no optional package.

To allow another import, change ``MAY_IMPORT`` in its own commit, and give the reason.
"""

import ast
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import skmtl

PACKAGE = Path(skmtl.__file__).parent

LAYER_1 = {"_contracts", "_numbers", "_compat", "_linalg", "_memory", "_text"}
LAYER_2 = {"data", "losses", "penalties", "couplings", "solvers", "datasets"}
# Ordered layers, 3 and 6: a later subpackage may import an earlier one.
LAYER_3 = [
    "targets",
    "metrics",
    "problems.rows",
    "problems.exact",
    "problems.newton",
    "problems.proximal",
    "problems",
    "selection.search",
    "selection.likelihood",
    "selection.squared_loss",
    "selection.noise",
    "selection.any_loss",
    "selection.groupings",
    "selection.paths",
    "selection",
]
LAYER_4 = "base"
LAYER_5 = {"linear_model", "kernel", "neural_network", "deep", "compose"}
LAYER_6 = ["model_selection", "inspection", "report", "cli"]
LAYERS_1_TO_4 = LAYER_1 | LAYER_2 | {*LAYER_3, LAYER_4}

MAY_IMPORT = {
    **{subpackage: set() for subpackage in LAYER_1},
    "_contracts": {"_numbers"},
    "_linalg": {"_numbers"},
    **dict.fromkeys(LAYER_2, LAYER_1),
    **{
        subpackage: LAYER_1 | LAYER_2 | {*LAYER_3[:k]}
        for k, subpackage in enumerate(LAYER_3)
    },
    LAYER_4: LAYER_1 | LAYER_2 | {*LAYER_3},
    **dict.fromkeys(LAYER_5, LAYERS_1_TO_4),
    # It trains the same networks of tasks, with another library.
    "deep": LAYERS_1_TO_4 | {"neural_network"},
    **{
        subpackage: LAYERS_1_TO_4 | LAYER_5 | {*LAYER_6[:k]}
        for k, subpackage in enumerate(LAYER_6)
    },
    "__main__": {"cli"},
    "__init__": set(),
}

# What may be imported when a module loads: the core dependencies, and what
# scikit-learn itself depends on. Anything else waits for the function that needs it.
CORE = {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl"}

# Its modules load this package; its ``__init__`` imports them on first use only.
NEEDS = {"deep": {"torch"}}

# What must not be loaded by importing any subpackage.
HEAVY = {"pandas", "polars", "pyarrow", "matplotlib", "rich", "skops", "torch", "dask"}


@dataclass(frozen=True)
class Import:
    """One imported name: ``skmtl.data.find_tasks``, where, and how deep."""

    subpackage: str
    name: str
    place: str
    at_module_level: bool

    @property
    def package(self):
        return self.name.partition(".")[0]

    @property
    def parent(self):
        return self.name.rpartition(".")[0] or self.name

    @property
    def target(self):
        """The subpackage that has the name; for names of the root, the name itself."""
        _, *parts = self.name.split(".")
        subpackages = [".".join(parts[:k]) for k in range(len(parts), 0, -1)]
        return next(
            (subpackage for subpackage in subpackages if subpackage in MAY_IMPORT),
            "".join(parts[:1]),
        )

    @property
    def is_private(self):
        parts = self.name.split(".")
        return any(part[0] == "_" and part[:2] != "__" for part in parts)


def _absolute_names(node, path):
    """Names that an import statement brings in, relative ones made absolute."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    # An absolute import has level 0, so none of the folders is taken.
    folders = ("skmtl", *path.relative_to(PACKAGE).parts)[: -node.level]
    base = ".".join((*folders, *filter(None, [node.module])))
    return [f"{base}.{alias.name}" for alias in node.names]


def _statements(node, at_module_level=True):
    """Yield the import statements below a node, and whether they run on import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_module_level
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        if isinstance(child, ast.expr):
            continue
        yield from _statements(child, at_module_level and not is_function)


def _subpackage(path):
    """The subpackage of a file: its folder, or its own name beside ``__init__``."""
    *folders, name = path.relative_to(PACKAGE).parts
    return ".".join(folders) or name.removesuffix(".py")


def read_imports(path, source):
    """List every import of one file, with its line."""
    return [
        Import(_subpackage(path), name, f"{path.name}:{node.lineno}", outer)
        for node, outer in _statements(ast.parse(source))
        for name in _absolute_names(node, path)
    ]


def is_not_allowed(found):
    """Whether an import is from a subpackage that is not allowed."""
    ours = found.package == "skmtl" and found.target not in {"__version__", ""}
    return ours and found.target not in MAY_IMPORT[found.subpackage] | {
        found.subpackage
    }


def is_early(found):
    """Whether importing this file loads an optional package."""
    known = CORE | {"skmtl"} | sys.stdlib_module_names
    known |= NEEDS.get(found.subpackage, set())
    return found.at_module_level and found.package not in known


def is_intrusive(found):
    """Whether an import takes a private name of another package or subpackage."""
    if found.package != "skmtl":
        return found.is_private and found.subpackage != "_compat"
    inner = found.name.split(".")[found.target.count(".") + 2 :]
    return found.target not in LAYER_1 | {found.subpackage} and any(
        part[0] == "_" and part[:2] != "__" for part in inner
    )


FILES = sorted(PACKAGE.rglob("*.py"))


@cache
def imports():
    """List the imports of all files."""
    return [found for path in FILES for found in read_imports(path, path.read_text())]


def test_every_subpackage_has_a_layer():
    assert {_subpackage(path) for path in FILES} <= set(MAY_IMPORT)


def test_imports_go_to_lower_layers():
    assert [found for found in imports() if is_not_allowed(found)] == []


def test_optional_packages_wait_for_the_function_that_needs_them():
    assert [found for found in imports() if is_early(found)] == []


def test_private_names_of_other_packages_and_subpackages_are_not_imported():
    assert [found for found in imports() if is_intrusive(found)] == []


def test_importing_every_subpackage_loads_no_optional_package():
    # scikit-learn loads some itself, where they are installed.
    core = {found.parent for found in imports() if found.package in CORE}
    subpackages = {f"skmtl.{_subpackage(path)}" for path in FILES}
    subpackages -= {"skmtl.__init__", "skmtl.__main__"}  # the second runs the command
    code = [
        "import sys",
        *(f"import {name}" for name in sorted(core)),
        "before = set(sys.modules)",
        *(f"import {name}" for name in sorted(subpackages)),
        f"print(*sorted({HEAVY!r} & (set(sys.modules) - before)))",
    ]
    run = [sys.executable, "-W", "error", "-c", "\n".join(code)]
    result = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.stderr) == ("", "")


def _planted(subpackage):
    return PACKAGE.joinpath(*subpackage.split("."), "_planted.py")


@pytest.mark.parametrize(
    ("rule", "subpackage", "line"),
    [
        (is_not_allowed, "losses", "from skmtl.data import TaskRows"),
        (is_not_allowed, "losses", "from ..penalties import L21"),
        (is_not_allowed, "losses", "from .. import solvers"),
        (is_not_allowed, "data", "import skmtl.linear_model._ridge"),
        (
            is_not_allowed,
            "problems",
            "def f():\n    from ..linear_model import MultiTaskRidge",
        ),
        (
            is_not_allowed,
            "compose",
            "class A:\n    def f(self):\n        import skmtl.model_selection",
        ),
        (is_early, "report", "import matplotlib.pyplot as plt"),
        (is_early, "cli", "try:\n    import rich\nexcept ImportError:\n    pass"),
        (is_early, "data", "class A:\n    from pandas import DataFrame"),
        (is_early, "neural_network", "import torch"),
        (is_not_allowed, "neural_network", "from ..deep import _losses"),
        (is_not_allowed, "deep", "from ..linear_model import MultiTaskRidge"),
        (is_intrusive, "data", "from sklearn.utils._param_validation import Interval"),
        (is_intrusive, "data", "from sklearn.base import _fit_context"),
        (is_intrusive, "data", "import sklearn.utils._mask"),
        (is_intrusive, "data", "def f():\n    import scipy._lib"),
        (is_intrusive, "cli", "from skmtl.data._task_codes import find_tasks"),
        (is_intrusive, "cli", "from skmtl.data import _tasks"),
        (is_intrusive, "compose", "from ..problems.exact._factor import bound"),
        (is_not_allowed, "problems.exact", "from skmtl.problems.newton import Datafit"),
    ],
)
def test_a_planted_defect_is_found(rule, subpackage, line):
    assert any(map(rule, read_imports(_planted(subpackage), line)))


@pytest.mark.parametrize(
    ("subpackage", "line"),
    [
        ("linear_model", "from ..problems import pose"),
        ("linear_model", "from . import _ridge"),
        ("linear_model", "from ._ridge import MultiTaskRidge"),
        ("report", "from skmtl import __version__, inspection"),
        ("report", "def f():\n    import matplotlib.pyplot as plt"),
        ("report", "from sklearn import __version__"),
        ("deep", "from torch import nn"),
        ("deep", "from skmtl.neural_network import MultiTaskMLPRegressor"),
        ("_compat", "from sklearn.base import _fit_context"),
        ("data", "from sklearn.utils.validation import validate_data"),
    ],
)
def test_an_allowed_import_passes(subpackage, line):
    found = read_imports(_planted(subpackage), line)
    assert not any(
        rule(each)
        for rule in (is_not_allowed, is_early, is_intrusive)
        for each in found
    )
