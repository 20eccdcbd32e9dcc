"""The allowlist of classes, functions and node types in a model file.

skops describes a model by nodes, each with a loader and a class name. Its own trusted
lists are wide; this one has only what `skmtl compare --save` writes, and no loader that
calls, or reads attributes of, anything named in a file. To save a new class or function
in a pipeline, add its full name here.
"""

import json
from io import BytesIO

import numpy as np

from ._archive import ArchiveError

CLASSES = frozenset(
    {
        "sklearn.compose._column_transformer.ColumnTransformer",
        "sklearn.impute._base.MissingIndicator",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._encoders.OneHotEncoder",
        "sklearn.preprocessing._function_transformer.FunctionTransformer",
        "skmtl.cli._table_columns.TableColumns",
        "skmtl.compose._date_features.DateFeatures",
        "skmtl.compose._encodings.NoEncoding",
        "skmtl.compose._pooled.PooledTasks",
        "skmtl.data._moments.TaskMoments",
        "skmtl.linear_model._mean_classifier.MeanRegularizedClassifier",
        "skmtl.linear_model._mean.MeanRegularizedRegressorCV",
        "skmtl.linear_model._mean_glm.MeanRegularizedPoissonRegressor",
        "skmtl.linear_model._ridge.MultiTaskRidgeCV",
        "skmtl.losses._logistic.Logistic",
        "skmtl.losses._multinomial.Multinomial",
        "skmtl.losses._poisson.Poisson",
        "skmtl.losses._squared.Squared",
        "skmtl.neural_network._hard.HardSharing",
        "skmtl.neural_network._heads.Head",
        "skmtl.neural_network._heads.Units",
        "skmtl.neural_network._layers.Copies",
        "skmtl.neural_network._layers.PerTask",
        "skmtl.neural_network._mlp.MultiTaskMLPClassifier",
        "skmtl.neural_network._mlp.MultiTaskMLPRegressor",
        "skmtl.neural_network._network.Network",
        "skmtl.solvers._adam.Adam",
    }
)
FUNCTIONS = frozenset({"skmtl.compose._table_encoder.name_category"})

ALLOWED = {
    "DTypeNode": frozenset({"numpy.dtype"}),
    "DictNode": frozenset({"builtins.dict"}),
    "FunctionNode": FUNCTIONS,
    "JsonNode": frozenset({"builtins.str"}),
    "ListNode": frozenset({"builtins.list"}),
    # Older versions of scikit-learn store a StandardScaler's row count as int64.
    "NdArrayNode": frozenset({"numpy.float64", "numpy.int64", "numpy.ndarray"}),
    "ObjectNode": CLASSES,
    "SliceNode": frozenset({"builtins.slice"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "TypeNode": frozenset({"builtins.str", "numpy.float64"}),
}
PROTOCOL = 2  # of skops 0.11 and later
DEEPEST = 60  # nested nodes; a pipeline of skmtl has about 30
_KINDS = "biufcUMm"  # dtype kinds without pointers: numbers, text and dates
_HEAD = {"__class__", "__module__", "__loader__"}


def parse(name, text):
    """Parse JSON; raise if it is invalid or nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ArchiveError(f"is nested too deeply to open ({name})") from None
    except ValueError:
        raise ArchiveError(f"is damaged: {name} is not valid JSON") from None


class Checker:
    """Check the nodes of a model, and copy the checked parts for skops.

    Parameters
    ----------
    files : dict of str to bytes
        Arrays that nodes may refer to.

    Attributes
    ----------
    unknown : set of str
        Full names that are not on the allowlist.
    used : list of str
        Names of the files that nodes refer to, once for each.
    """

    def __init__(self, files):
        self.files, self.unknown, self.used = files, set(), []
        self._copiers = {
            "DTypeNode": {"content": self.copy},
            "DictNode": {"content": self._copy_values, "key_types": self.copy},
            "FunctionNode": {},
            "JsonNode": {"content": self._copy_json, "is_json": _keep_flag},
            "ListNode": {"content": self._copy_items},
            "ObjectNode": {"content": self.copy},
            "SliceNode": {"content": _keep_slice},
            "TupleNode": {"content": self._copy_items},
            "TypeNode": {},
        }

    def copy(self, node, depth=0):
        """Return a node without its id, so that it cannot stand for another."""
        if depth > DEEPEST:
            raise ArchiveError("is nested too deeply to open (schema.json)")
        loader, name = _read_head(node)
        copy = {key: node[key] for key in _HEAD}
        if name not in ALLOWED.get(loader, ()):
            self.unknown.add(name)
        if loader not in ALLOWED:  # raises later, whatever its content
            return copy
        is_array = loader == "NdArrayNode"
        copiers = self._read_array(node) if is_array else self._copiers[loader]
        for key in node.keys() - _HEAD - {"__id__", "protocol", "_skops_version"}:
            if key not in copiers:
                raise _damaged(f"a {loader} with {key!r}")
            copy[key] = copiers[key](node[key], depth + 1)
        return copy

    def _read_array(self, node):
        if node.get("type") == "json":
            return {"type": _keep, "content": self._copy_items, "shape": self.copy}
        return {"type": _keep, "file": self._keep_file}

    def _copy_items(self, items, depth):
        _check_type(items, list)
        return [self.copy(item, depth) for item in items]

    def _copy_values(self, values, depth):
        _check_type(values, dict)
        return {key: self.copy(value, depth) for key, value in values.items()}

    def _copy_json(self, text, depth):
        _check_type(text, str)
        if isinstance(parse("schema.json", text), dict | list):
            raise _damaged("a value that is neither number nor text")
        return text

    def _keep_file(self, name, depth):
        if not isinstance(name, str) or name not in self.files:
            raise _damaged(f"{name!r} is missing")
        self.used.append(name)
        check_array(name, self.files[name])
        return name


def check_array(name, content):
    """Check an array's size against its header before it is allocated."""
    file = BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = _READERS[version](file)
    except (KeyError, ValueError):
        raise _damaged(f"{name!r} is not an array") from None
    if dtype.kind not in _KINDS or not dtype.itemsize:
        raise ArchiveError(f"holds an array of {dtype}, which skmtl does not save")
    size = dtype.itemsize
    for length in shape:  # Python integers, which do not overflow
        size *= length
    if min(shape, default=0) < 0 or size != len(content) - file.tell():
        raise _damaged(f"{name!r} does not have its declared size")


def _read_head(node):
    _check_type(node, dict)
    if not all(isinstance(node.get(key), str) for key in _HEAD):
        raise _damaged("a node without a class")
    return node["__loader__"], f"{node['__module__']}.{node['__class__']}"


def _keep(value, depth):
    return value


def _keep_flag(value, depth):
    return value is True


def _keep_slice(ends, depth):
    _check_type(ends, dict)
    found = {key: ends.get(key) for key in ("start", "stop", "step")}
    if not all(end is None or type(end) is int for end in found.values()):
        raise _damaged("a slice without integers")
    return found


def _check_type(value, of_type):
    if not isinstance(value, of_type):
        raise _damaged(f"a {of_type.__name__} is missing")


def _damaged(what):
    return ArchiveError(f"is damaged, or was not saved by skmtl ({what})")


_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
