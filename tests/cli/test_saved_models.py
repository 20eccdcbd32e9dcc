"""Every model that the command saves can be opened, and nothing else."""

import io
import json
import zipfile
from functools import cache

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_array_equal

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("skops", reason="skops is not installed")

from skmtl.cli._archive import ArchiveError, pack, unpack  # noqa: E402
from skmtl.cli._command_models import MODELS, fit_model, make_models  # noqa: E402
from skmtl.cli._prepared_table import prepare_table  # noqa: E402
from skmtl.cli._schema import ALLOWED  # noqa: E402
from skmtl.cli._store import dump_model, load_model  # noqa: E402


def make_frame(holes):
    """A table with a column of every kind, with or without missing values."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-30") + pd.to_timedelta(np.arange(48), "D")
    frame = pd.DataFrame(
        {
            "hours": rng.normal(size=48),
            "town": rng.choice(["n", "s", "w"], 48),
            "born": days.strftime("%Y-%m-%d"),
            "meals": rng.random(48) < 0.5,
        }
    )
    return frame.mask(rng.random(frame.shape) < 0.1) if holes else frame


LABELS = {"text": np.repeat(["ash", "birch", "elm"], 16), "integer": [1, 2, 30] * 16}
TARGETS = {
    "numbers": np.linspace(0, 1, 48) ** 2,
    "classes": np.tile(["yes", "no", "no"], 16),
    "three classes": np.tile(["yes", "no", "no", "perhaps"], 12),
    "counts": np.tile([0, 1, 4, 2], 12),
}
# Each kind of target with each model; labels and holes vary along.
TABLES = {
    "numbers": ("text", True, "auto"),
    "classes": ("integer", False, "auto"),
    "counts": ("text", False, "counts"),
}
CASES = [(target, name) for target in TABLES for name in MODELS]
TABLES["three classes"] = ("text", False, "auto")
# A network holds the losses of its heads and, after Adam, the state of Adam.
OPTIONS = {
    "default": {},
    "adam": {"model__estimator__solver": "adam", "model__estimator__tol": 1.0},
}
CASES += [("three classes", "mlp"), ("numbers", "mlp", "adam")]


@cache
def save(target, name, options="default"):
    """Return a frame, a model fitted to it, and the content of its file."""
    labels, holes, kind = TABLES[target]
    frame = make_frame(holes).assign(school=LABELS[labels], y=TARGETS[target])
    table = prepare_table(frame, "", "school", "y", kind=kind)
    model = make_models([name], table)[name].set_params(**OPTIONS[options])
    model = fit_model(model, table)
    return frame, model, dump_model(model)


def list_nodes(node):
    """Yield loader and full name of every node in a schema."""
    values = node.values() if isinstance(node, dict) else node
    if isinstance(node, dict) and "__loader__" in node:
        yield node["__loader__"], f"{node['__module__']}.{node['__class__']}"
    for each in values:
        yield from list_nodes(each) if isinstance(each, dict | list) else ()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.full if case[1] != "independent" else [])
        for case in CASES
    ],
    ids="-".join,
)
def test_every_model_is_opened_as_it_was_saved(tmp_path, case):
    frame, model, content = save(*case)
    (tmp_path / "model.skops").write_bytes(content)
    loaded = load_model(tmp_path / "model.skops")
    new = frame.assign(school=[*LABELS[TABLES[case[0]][0]][:-1], 99])
    assert_array_equal(loaded.predict(new), model.predict(new))


@pytest.mark.full
def test_a_saved_model_of_groupings_says_that_it_has_no_intervals():
    frame = make_frame(holes=False)[["hours"]].assign(y=TARGETS["numbers"])
    frame = frame.assign(school=LABELS["text"], pair=list("ab") * 24)
    table = prepare_table(frame, "", ["school", "pair"], "y")
    (model,) = make_models(["mean-regularised"], table).values()
    saved = fit_model(model, table)
    columns = saved[:-1].transform(frame)
    with pytest.raises(ValueError, match="skmtl compare --save leave them out"):
        saved[-1].predict_interval(columns)
    with pytest.raises(ValueError, match="equations of all groupings"):
        saved[-1].predict(columns, return_std=True)


@pytest.mark.full
def test_the_allowlist_is_exactly_what_is_saved():
    """If this fails, a saved pipeline holds another class: see cli/_schema.py."""
    found = set()
    for case in CASES:
        with zipfile.ZipFile(io.BytesIO(save(*case)[2])) as archive:
            found |= {*list_nodes(json.loads(archive.read("schema.json")))}
    allowed = {(loader, name) for loader in ALLOWED for name in ALLOWED[loader]}
    assert found | {("NdArrayNode", "numpy.int64")} == allowed


def test_a_highly_compressible_file_is_stored_uncompressed():
    """The size limit thus never refuses a genuine file."""
    files = {"schema.json": b"{}", "1.npy": bytes(40 * 2**20)}
    content = pack(files)
    assert len(content) > len(files["1.npy"])
    assert unpack(content) == files


@pytest.mark.full
def test_a_model_that_could_not_be_opened_is_not_saved():
    _, model, _ = save("numbers", "mean-regularised")
    model[-1].coef_, before = np.full_like(model[-1].coef_, np.nan), model[-1].coef_
    with pytest.raises(ValueError, match="cannot be saved: its file holds a model"):
        dump_model(model)
    model[-1].coef_ = before


@pytest.mark.full
@pytest.mark.parametrize("name", ["trunk_weight_0", "head_weight"])
def test_a_network_that_does_not_predict_is_not_saved(name):
    _, model, _ = save("numbers", "mlp")
    params = model[-1].parameters_
    for broken in (np.full_like(params[name], np.nan), params[name][..., :1]):
        model[-1].parameters_ = {**params, name: broken}
        with pytest.raises(ValueError, match="its file holds a model that"):
            dump_model(model)
    model[-1].parameters_ = params


@pytest.mark.parametrize("size", [-1, 10**9])
def test_sizes_are_checked_before_anything_is_unpacked(size, monkeypatch):
    content = bytearray(pack({"1.npy": b"x"}))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = (size % 2**32).to_bytes(4, "little")
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with pytest.raises(ArchiveError, match="is too large to open: 0 kB that unpack to"):
        unpack(bytes(content))


@parametrize("name", ["independent", "mean-regularised"], short=["independent"])
def test_models_of_several_task_columns_are_saved(name, tmp_path):
    rng = np.random.default_rng(0)
    frame = make_frame(False).assign(
        school=rng.choice(["ash", "elm", "oak/1"], 48), score=rng.normal(size=48)
    )
    frame["class"] = frame["school"] + rng.choice(list("ab"), 48)
    table = prepare_table(frame, "a table", ["school", "class"], "score")
    fitted = fit_model(make_models([name], table)[name], table)
    path = tmp_path / "model.skops"
    path.write_bytes(dump_model(fitted))
    new = frame.assign(**{"class": "new"})
    opened = load_model(path)
    assert_array_equal(opened.predict(new), fitted.predict(new))
    assert opened[0].task_columns == ["school", "class"]
