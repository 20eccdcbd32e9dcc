"""Model files that are hostile, damaged or of other versions are refused in one line.

A case is an edit of a genuine file, and the expected message.
"""

import io
import json
import zipfile

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("skops", reason="skops is not installed")

from skmtl.cli import main  # noqa: E402
from skmtl.cli._command_models import fit_model, make_models  # noqa: E402
from skmtl.cli._prepared_table import prepare_table  # noqa: E402
from skmtl.cli._store import dump_model, load_model  # noqa: E402


def make_table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(24, 2)), columns=["a", "y"])
    frame["town"] = np.tile(["n", "s", "w"], 8)
    return frame.assign(school=np.repeat(["ash", "birch"], 12))


@pytest.fixture(scope="module")
def genuine():
    """The parts of a saved file: schema and arrays, by name."""
    table = prepare_table(make_table(), "", "school", "y")
    (model,) = make_models(["mean-regularised"], table).values()
    content = dump_model(fit_model(model, table))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def files(genuine):
    return dict(genuine)


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "new.csv"
    make_table().to_csv(path, index=False)
    return path


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "marker"


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in dict(files).items():
                archive.writestr(name, content)
        return buffer.getvalue()


def refuse(capsys, csv, content):
    """Predict with a file of this content, and return the one-line error."""
    path = csv.with_name("model.skops")
    path.write_bytes(content)
    capsys.readouterr()
    assert main(["predict", str(path), str(csv)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"skmtl: error: {path} ")
    assert err.count("\n") == 1
    return err


# What a node may be. A new member is one line.


def node(loader, name, **more):
    module, _, of_class = name.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": of_class, **more}


def plain(value):
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def items(*values):
    return node("ListNode", "builtins.list", content=[*map(plain, values)])


def arguments(*nodes):
    return node("TupleNode", "builtins.tuple", content=[*nodes])


def nothing():
    return node(
        "DictNode",
        "builtins.dict",
        content={},
        key_types=node("ListNode", "builtins.list", content=[]),
    )


def partial(function):
    parts = {
        "func": node("FunctionNode", function),
        "args": arguments(),
        "kwds": nothing(),
        "namespace": plain(None),
    }
    return node("PartialNode", "functools.partial", content=parts)


def method(owner, name):
    parts = {"func": name, "obj": node("ObjectNode", owner, content=nothing())}
    return node("MethodNode", owner, content=parts)


def calls(name):
    return lambda touch: node("ConstructorFromReduceNode", name, content=touch)


STRANGE = {
    "subprocess.Popen": calls("subprocess.Popen"),
    "subprocess.check_output": calls("subprocess.check_output"),
    "sklearn.utils._testing.check_output": calls("sklearn.utils._testing.check_output"),
    "builtins.exec": calls("builtins.exec"),
    "os.system": lambda touch: node("FunctionNode", "os.system"),
    "sklearn.utils._testing.os.system": lambda touch: node(
        "FunctionNode", "sklearn.utils._testing.os.system"
    ),
    "functools.partial": lambda touch: partial("os.system"),
    "operator.methodcaller": lambda touch: node(
        "OperatorFuncNode", "operator.methodcaller", attrs=touch
    ),
    "skmtl.cli._table_columns.TableColumns": lambda touch: method(
        "skmtl.cli._table_columns.TableColumns", "fit"
    ),
    "numpy.load": lambda touch: node("FunctionNode", "numpy.load"),
    "numpy.save": lambda touch: node("FunctionNode", "numpy.save"),
    "numpy.fromfile": lambda touch: node("FunctionNode", "numpy.fromfile"),
    "numpy.exp": lambda touch: node("FunctionNode", "numpy.exp"),
    "scipy.special.expit": lambda touch: node("FunctionNode", "scipy.special.expit"),
    "scipy.io.loadmat": lambda touch: node("FunctionNode", "scipy.io.loadmat"),
    "joblib.load": lambda touch: node("FunctionNode", "joblib.load"),
    "sklearn.datasets._base.load_files": lambda touch: node(
        "FunctionNode", "sklearn.datasets._base.load_files"
    ),
    "skmtl.cli._main.main": lambda touch: node("FunctionNode", "skmtl.cli._main.main"),
    "skmtl.cli._encoder.make_steps": lambda touch: node(
        "FunctionNode", "skmtl.cli._encoder.make_steps"
    ),
    "builtins.eval": lambda touch: node("TypeNode", "builtins.eval"),
    "builtins.map": lambda touch: node("TypeNode", "builtins.map"),
    "numpy.memmap": lambda touch: node("TypeNode", "numpy.memmap"),
    "numpy.recarray": lambda touch: node(
        "NdArrayNode", "numpy.recarray", type="json", content=[], shape=arguments()
    ),
    "collections.OrderedDict": lambda touch: {
        **nothing(),
        "__module__": "collections",
        "__class__": "OrderedDict",
    },
    "collections.defaultdict": lambda touch: node(
        "DefaultDictNode",
        "collections.defaultdict",
        content={"main": nothing(), "default_factory": node("TypeNode", "os.system")},
    ),
    "builtins.bytes": lambda touch: node("BytesNode", "builtins.bytes", file="x"),
    "numpy.random.mtrand.RandomState": lambda touch: node(
        "RandomStateNode", "numpy.random.mtrand.RandomState", content=nothing()
    ),
    "sklearn.tree._tree.Tree": lambda touch: node(
        "TreeNode", "sklearn.tree._tree.Tree", content=nothing(), __reduce__={}
    ),
    "sklearn.pipeline.FeatureUnion": lambda touch: node(
        "ObjectNode", "sklearn.pipeline.FeatureUnion", content=nothing()
    ),
    "sklearn.model_selection._search.GridSearchCV": lambda touch: node(
        "ObjectNode", "sklearn.model_selection._search.GridSearchCV", content=nothing()
    ),
    "skmtl.compose._independent.IndependentTasks": lambda touch: node(
        "ObjectNode", "skmtl.compose._independent.IndependentTasks", content=nothing()
    ),
    "skmtl.compose._task_aware.TaskAware": lambda touch: node(
        "ObjectNode", "skmtl.compose._task_aware.TaskAware", content=nothing()
    ),
    "sklearn.base.BaseEstimator": lambda touch: node(
        "CachedNode", "sklearn.base.BaseEstimator"
    ),
    "quantile_forest._q.Q": lambda touch: node("NoSuchNode", "quantile_forest._q.Q"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_classes_that_skmtl_does_not_save_are_refused(capsys, csv, files, marker, name):
    touch = arguments(items("touch", str(marker)))
    schema = json.loads(files["schema.json"])
    schema["content"]["content"]["verbose"] = STRANGE[name](touch)
    files["schema.json"] = json.dumps(schema).encode()
    assert f"does not save: {name}:" in refuse(capsys, csv, zipped(files))
    assert not marker.exists()


# What may be where. Each edits the schema of a file that holds allowed names only.


def attributes(of):
    """Return the nodes of the attributes of an object, by name."""
    return of["content"]["content"]


def steps(schema):
    return [
        pair["content"][1] for pair in attributes(schema)["steps"]["content"]
    ]  # columns, encoder, model


def put(step, name, value):
    def edit(schema):
        owner = schema if step is None else steps(schema)[step]
        attributes(owner)[name] = value
        attributes_of = owner["content"]["key_types"]["content"]
        attributes_of.append(node("TypeNode", "builtins.str"))

    return edit


def take(step, name):
    def edit(schema):
        content = attributes(schema if step is None else steps(schema)[step])
        place = list(content).index(name)
        del content[name]
        owner = schema if step is None else steps(schema)[step]
        del owner["content"]["key_types"]["content"][place]

    return edit


def put_function(schema):
    """Give the function to the step that passes the task column on."""
    last = attributes(steps(schema)[1])["transformers_"]["content"][-1]
    name = "skmtl.compose._table_encoder.name_category"
    attributes(last["content"][1])["func"] = node("FunctionNode", name)


def exchange(one, other):
    def edit(schema):
        pairs = attributes(schema)["steps"]["content"]
        pairs[one]["content"][1] = pairs[other]["content"][1]

    return edit


def drop_step(schema):
    attributes(schema)["steps"]["content"].pop(1)


def nest(depth):
    def edit(schema):
        value = plain(1)
        for _ in range(depth):
            value = node("ListNode", "builtins.list", content=[value])
        attributes(schema)["verbose"] = value

    return edit


def put_json(text):
    def edit(schema):
        attributes(schema)["verbose"]["content"] = text

    return edit


def put_kind(schema):
    attributes(steps(schema)[0])["kinds"]["content"]["school"] = plain("spell")


def put_key(key, value):
    return lambda schema: schema.update({key: value})


NAMED = node("FunctionNode", "skmtl.compose._table_encoder.name_category")
TEXT = node("TypeNode", "builtins.str")
EDITS = [
    ("a function to apply", put_function, "holds <function name_category"),
    ("a method of a step", put(0, "transform", TEXT), "replaces TableColumns.trans"),
    ("a method that is text", put(2, "predict", plain("x")), "replaces MeanRegul"),
    ("a property", put(None, "classes_", plain("x")), "replaces Pipeline.classes_"),
    (
        "a function as attribute",
        put(2, "coef_", NAMED),
        "holds <function name_category",
    ),
    ("a class as attribute", put(2, "coef_", TEXT), "holds <class 'str'>"),
    ("a function as strategy", put(2, "alphas", NAMED), "holds <function name_cat"),
    ("a folder for a cache", put(None, "memory", plain("x")), "as pipeline.memory"),
    ("many processes", put(1, "n_jobs", plain(64)), "has 64 as pipeline.steps.en"),
    ("another first step", exchange(0, 1), "holds the steps"),
    ("another last step", exchange(2, 0), "ends in a TableColumns"),
    ("another encoder", exchange(1, 0), "has a TableColumns as pipeline.steps.encoder"),
    ("two steps", drop_step, "holds the steps"),
    (
        "no steps",
        put(None, "steps", plain(None)),
        "holds a Pipeline that skmtl did not",
    ),
    ("no first step", put(None, "steps", items()), "holds the steps , which"),
    ("another kind of column", put_kind, "holds no task column, unlike what skmtl"),
    ("no coefficients", take(2, "coef_"), "does not predict (AttributeError"),
    ("no tasks", take(2, "tasks_"), "does not predict (AttributeError"),
    ("no parameter", take(2, "method"), "lacks the parameter 'method' of pipeline"),
    ("another parameter", put(2, "coef_", plain("x")), "does not predict (ValueError"),
    ("infinite predictions", put(2, "coef_", plain(float("inf"))), "does not predict"),
    ("deep nodes", nest(100), "is nested too deeply to open"),
    ("very deep nodes", nest(300), "is nested too deeply to open"),
    ("deep JSON in a node", put_json("[" * 10**5), "is nested too deeply to open"),
    ("a list in a node", put_json("[1]"), "is damaged"),
    ("no JSON in a node", put_json("{"), "is damaged"),
    ("a number of many digits", put_json("9" * 5000), "is damaged"),
    ("no class", lambda schema: schema.pop("__class__"), "is damaged"),
    ("a class that is a number", put_key("__class__", 7), "is damaged"),
    ("an old protocol", put_key("protocol", 0), "is damaged"),
    ("a protocol that is true", put_key("protocol", True), "is damaged"),
    ("a newer protocol", put_key("protocol", 99), "reads at most 2"),
    ("more in a node", put_key("__reduce__", {}), "a ObjectNode with '__reduce__'"),
    ("another object", put_key("__class__", "FeatureUnion"), "not save: sklearn.pi"),
    ("content that is a list", put_key("content", []), "is damaged"),
]


@pytest.mark.parametrize(
    ("edit", "said"), [each[1:] for each in EDITS], ids=[each[0] for each in EDITS]
)
def test_a_pipeline_that_skmtl_did_not_save_is_refused(capsys, csv, files, edit, said):
    schema = json.loads(files["schema.json"])
    edit(schema)
    files["schema.json"] = json.dumps(schema).encode()
    assert said in refuse(capsys, csv, zipped(files))


def test_what_is_wrong_is_said_in_a_short_line(capsys, csv, files):
    schema = json.loads(files["schema.json"])
    put_key("a" * 10**6, {})(schema)
    files["schema.json"] = json.dumps(schema).encode()
    said = refuse(capsys, csv, zipped(files))
    assert "is damaged, or was not saved by skmtl" in said
    assert len(said) < 1000


def test_a_node_cannot_stand_for_another_by_its_id(tmp_path, files):
    """skops treats nodes with equal ids as one object; skmtl does not."""
    schema = json.loads(files["schema.json"])
    attributes(schema)["verbose"] = {**plain(True), "__id__": schema["__id__"]}
    files["schema.json"] = json.dumps(schema).encode()
    (tmp_path / "model.skops").write_bytes(zipped(files))
    with pytest.raises(ValueError, match=r"has True as pipeline.verbose"):
        load_model(tmp_path / "model.skops")


# Arrays


def numpy_file(array, **options):
    with io.BytesIO() as file:
        np.save(file, array, **options)
        return file.getvalue()


def head(shape, dtype="<f8"):
    """The header of an array without data."""
    with io.BytesIO() as file:
        about = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, about)
        return file.getvalue()


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


ARRAYS = [
    (
        "pickles",
        lambda marker: numpy_file(np.array([Touch(marker)])),
        "array of object",
    ),
    (
        "a record",
        lambda marker: numpy_file(np.zeros(2, "f8,i4")),
        "holds an array of [",
    ),
    (
        "raw bytes",
        lambda marker: numpy_file(np.zeros(2, "V8")),
        "holds an array of |V8",
    ),
    ("no letters", lambda marker: head((10**18,), "<U0"), "holds an array of <U0"),
    ("a lie", lambda marker: head((10**12,)), "does not have its declared size"),
    ("a great lie", lambda marker: head((2**62, 2**62)), "does not have its decl"),
    (
        "less than none",
        lambda marker: head((-1, -8)),
        "does not have its declared size",
    ),
    (
        "more than it says",
        lambda marker: numpy_file(np.ones(9)) + b"x",
        "its declared size",
    ),
    ("an archive", lambda marker: zipped({"a.npy": b""}), "is not an array"),
    ("nothing", lambda marker: b"", "is not an array"),
    ("a pickle", lambda marker: b"cos\nsystem\n(S'x'\ntR.", "is not an array"),
    ("NaN", lambda marker: numpy_file(np.full(2, np.nan)), "must be finite"),
]


@pytest.mark.parametrize(
    ("make", "said"), [each[1:] for each in ARRAYS], ids=[each[0] for each in ARRAYS]
)
def test_an_array_that_skmtl_did_not_save_is_refused(
    capsys, csv, files, marker, make, said
):
    schema = json.loads(files["schema.json"])
    name = attributes(steps(schema)[2])["intercept_"]["file"]
    files[name] = make(marker)
    assert said in refuse(capsys, csv, zipped(files))
    assert not marker.exists()


@pytest.mark.parametrize("attribute", ["coef_", "intercept_"])
def test_what_is_wrong_with_a_later_task_is_found(capsys, csv, files, attribute):
    schema = json.loads(files["schema.json"])
    name = attributes(steps(schema)[2])[attribute]["file"]
    first, second = np.load(io.BytesIO(files[name]))
    files[name] = numpy_file(np.array([first, second * np.nan]))
    assert "does not predict (ValueError: Predictions must be finite" in refuse(
        capsys, csv, zipped(files)
    )


# The archive around it


def mark(**changes):
    def edit(files):
        found = {**json.loads(files["skmtl.json"]), **changes}
        return zipped({**files, "skmtl.json": json.dumps(found)})

    return edit


def twice(files):
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w") as archive:
            [archive.writestr(name, files[name]) for name in files]
            with pytest.warns(UserWarning, match="Duplicate name"):
                archive.writestr("schema.json", files["schema.json"])
        return buffer.getvalue()


def declare(size):
    """Declare a wrong size for the first file of an archive."""

    def edit(files):
        content = bytearray(zipped(files))
        place = content.index(b"PK\x01\x02") + 24
        content[place : place + 4] = size.to_bytes(4, "little")
        return bytes(content)

    return edit


def replace(name, content, compression=zipfile.ZIP_DEFLATED):
    return lambda files: zipped({**files, name: content}, compression)


def crowd(files):
    return zipped({**files, **{f"{i}.npy": b"" for i in range(20_001)}}, 0)


BOMB = bytes(130 * 2**20)
ARCHIVES = [
    ("no archive", lambda files: b"no archive", "is damaged, or was not saved"),
    ("nothing", lambda files: b"", "is damaged, or was not saved by skmtl"),
    ("half of it", lambda files: zipped(files)[:900], "is damaged, or was not"),
    ("an archive of nothing", lambda files: zipped({}), "is damaged, or was not"),
    ("files twice", twice, "holds two files named 'schema.json'"),
    ("a way out", replace("../../x", b""), "holds '../../x', which skmtl did not save"),
    ("a path", replace("/etc/x", b""), "holds '/etc/x', which skmtl did not save"),
    ("an archive in it", replace("a.skops", zipped({})), "holds 'a.skops', which"),
    ("a bomb", replace("1.npy", BOMB), "is too large to open: "),
    ("a bomb as schema", replace("schema.json", BOMB), "is too large to open: "),
    (
        "a large schema",
        replace("schema.json", BOMB[: 2**25 + 1]),
        "is too large to open",
    ),
    ("a size that is too large", declare(2**32 - 2), "is too large to open: "),
    ("a size that is too small", declare(1), "is damaged"),
    ("many files", crowd, "it holds 20,0"),
    ("bzip2", replace("x", b"", zipfile.ZIP_BZIP2), "uses another compression"),
    ("lzma", replace("x", b"", zipfile.ZIP_LZMA), "uses another compression"),
    ("deep JSON", replace("schema.json", b"[" * 10**5), "is nested too deeply to open"),
    ("a list", replace("schema.json", b"[]"), "is damaged"),
    ("no JSON", replace("schema.json", b"\xff"), "is damaged"),
    ("a newer skmtl", mark(skmtl="99.0"), "skmtl 99.0, newer than this skmtl"),
    ("a newer format", mark(format=2), "newer than this skmtl"),
    ("a mark of another kind", mark(skmtl=["x"]), "or no version"),
    ("no mark", replace("skmtl.json", b"{}"), "holds a Pipeline that skmtl did not sa"),
    ("a deep mark", replace("skmtl.json", b"[" * 10**5), "is nested too deeply"),
]


@pytest.mark.full
@pytest.mark.parametrize(
    ("edit", "said"),
    [each[1:] for each in ARCHIVES],
    ids=[each[0] for each in ARCHIVES],
)
def test_an_archive_that_skmtl_did_not_write_is_refused(capsys, csv, files, edit, said):
    assert said in refuse(capsys, csv, edit(files))


# Versions


def test_an_older_file_that_no_longer_fits_says_so(capsys, csv, files):
    schema = json.loads(files["schema.json"])
    take(2, "method")(schema)
    files["schema.json"] = json.dumps(schema).encode()
    said = refuse(capsys, csv, mark(skmtl="0.0.1")(files))
    assert "was saved by skmtl 0.0.1 with scikit-learn" in said
    assert "(it lacks the parameter 'method' of pipeline.steps.model)" in said


def test_an_older_file_that_fits_is_used(tmp_path, csv, files):
    (tmp_path / "model.skops").write_bytes(mark(skmtl="0.0.1")(files))
    assert main(["predict", str(tmp_path / "model.skops"), str(csv)]) == 0


def test_a_file_from_another_scikit_learn_is_used_with_one_warning(
    capsys, tmp_path, csv, files
):
    (tmp_path / "model.skops").write_bytes(mark(**{"scikit-learn": "0.1"})(files))
    assert main(["predict", "--quiet", str(tmp_path / "model.skops"), str(csv)]) == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "was saved with scikit-learn 0.1, but" in said
