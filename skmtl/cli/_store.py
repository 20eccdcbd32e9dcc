"""Save fitted pipelines in files that run no code when loaded."""

import json
import re
import warnings
import zlib
from pathlib import Path
from zipfile import BadZipFile

import sklearn
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from skmtl import __version__

from ._archive import ArchiveError, bundle, check_size, pack, unpack
from ._command_errors import CommandError, need
from ._schema import ALLOWED, PROTOCOL, Checker, parse

FORMAT = 1  # increase when an older skmtl would misread a newer file
_MARK, _SCHEMA = "skmtl.json", "schema.json"
_LONGEST = 100  # most characters of a name in a message
_LONGEST_TEXT = 500  # most characters of a message
_AGAIN = "save it again with skmtl compare --save"
_DAMAGE = (  # errors that zipfile and skops raise for damaged files
    AttributeError,
    BadZipFile,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)


def dump_model(model: Pipeline) -> bytes:
    """Return a fitted pipeline as bytes that :func:`load_model` opens."""
    files = unpack(need("skops.io").dumps(model))
    schema = json.loads(files.pop(_SCHEMA))
    content = pack(
        {
            _MARK: json.dumps(_make_mark()).encode(),
            _SCHEMA: json.dumps(schema, separators=(",", ":")).encode(),
            **files,
        }
    )
    try:
        _open(unpack(content), content)
    except ArchiveError as error:
        raise CommandError(f"the model cannot be saved: its file {error}") from None
    return content


def load_model(path: str | Path) -> Pipeline:
    """Read a pipeline from a file written by `skmtl compare --save`.

    The content is checked against exact allowlists before any object is built, and
    skops gets only checked content.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise CommandError(f"{path} is not a file: give one written by compare --save")
    if not path.is_file():
        raise CommandError(
            f"{path} does not exist: make it with skmtl compare --save {path}"
        )
    content, mark = path.read_bytes(), {}
    try:
        files = unpack(content)
        mark = _read_mark(files)
        model = _open(files, content)
    except ArchiveError as error:
        text = _shorten(_explain(error, mark))
        joint = " " if text.endswith(", or") else ": "
        raise CommandError(f"{path} {text}{joint}{_AGAIN}") from None
    except _DAMAGE as error:
        raise CommandError(
            f"{path} is damaged, or was not saved by skmtl ({type(error).__name__}): "
            f"{_AGAIN}"
        ) from None
    _warn_of_versions(path, mark)
    return model


def _open(files, content):
    """Check the files, then build the model that they describe."""
    from ._saved import check_pipeline

    schema = parse(_SCHEMA, files[_SCHEMA])
    _check_protocol(schema)
    checker = Checker(files)
    checked = {**checker.copy(schema), "protocol": PROTOCOL}
    if checker.unknown:
        names = ", ".join(name[:_LONGEST] for name in sorted(checker.unknown)[:5])
        raise ArchiveError(f"holds types that skmtl does not save: {names}")
    check_size(sum(len(files[name]) for name in checker.used), content)
    arrays = {name: files[name] for name in checker.used}
    clean = bundle({_SCHEMA: json.dumps(checked).encode(), **arrays})
    with warnings.catch_warnings():  # _warn_of_versions warns once for all steps
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = need("skops.io").loads(clean, trusted=[*set().union(*ALLOWED.values())])
    check_pipeline(model)
    more = files.keys() - {_MARK, _SCHEMA, *checker.used}
    if more:
        raise ArchiveError(f"holds {min(more)[:_LONGEST]!r}, which skmtl did not save")
    return model


# The versions that wrote a file


def _make_mark():
    return {
        "format": FORMAT,
        "skmtl": __version__,
        "scikit-learn": sklearn.__version__,
    }


def _shorten(error):
    """Return a message, without its middle part if it is too long."""
    text = str(error)
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[: _LONGEST_TEXT - 2 * _LONGEST]}...{text[-_LONGEST:]}"


def _read_mark(files):
    """Return the versions that wrote a file; raise if they are newer."""
    kinds = {name: type(value) for name, value in _make_mark().items()}
    mark = parse(_MARK, files.get(_MARK, b"{}"))
    if not isinstance(mark, dict) or kinds != {k: type(mark.get(k)) for k in kinds}:
        schema = parse(_SCHEMA, files[_SCHEMA])
        name = schema.get("__class__") if isinstance(schema, dict) else schema
        raise ArchiveError(
            f"holds a {str(name)[:_LONGEST]} that skmtl did not save, or no version"
        )
    newer = _number(mark["skmtl"]) > _number(__version__)
    if newer or mark["format"] > FORMAT:
        raise ArchiveError(
            f"was saved by skmtl {mark['skmtl']}, newer than this skmtl {__version__}; "
            "upgrade skmtl, or"
        )
    return mark


def _number(version):
    """Return the numbers of a version, for comparison."""
    return [*map(int, re.findall(r"\d{1,9}", version.partition("dev")[0]))]


def _check_protocol(schema):
    protocol = schema.get("protocol") if isinstance(schema, dict) else None
    if type(protocol) is not int or protocol < PROTOCOL:
        raise ArchiveError("is damaged, or was not saved by skmtl (no protocol)")
    if protocol > PROTOCOL:
        raise ArchiveError(
            f"was saved with skops protocol {protocol}, but skmtl {__version__} reads "
            f"at most {PROTOCOL}; upgrade skmtl, or"
        )


def _explain(error, mark):
    """Return the error of a file, with the versions if they differ."""
    ours = _make_mark()
    if not mark or mark == ours:
        return error
    saved, here = (
        f"skmtl {each['skmtl']} with scikit-learn {each['scikit-learn']}"
        for each in (mark, ours)
    )
    return f"was saved by {saved}, and cannot be used by {here} (it {error})"


def _warn_of_versions(path, mark):
    found = mark["scikit-learn"]
    if found != sklearn.__version__:
        warnings.warn(
            f"{path} was saved with scikit-learn {found}, but {sklearn.__version__} is "
            f"installed: check its predictions, or {_AGAIN}",
            stacklevel=2,
        )
