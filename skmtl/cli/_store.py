"""Keep fitted pipelines in files that run no code when they are opened."""

import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile

from sklearn.pipeline import Pipeline

from ._columns import TableColumns
from ._errors import CommandError, need

_TRUSTED = ("skmtl.", "sklearn.", "numpy.dtype")
_DAMAGE = (
    AttributeError,
    BadZipFile,
    EOFError,
    ImportError,
    KeyError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    zlib.error,
)


def dump_model(model):
    """Return a fitted pipeline as bytes."""
    return need("skops.io").dumps(model, compression=ZIP_DEFLATED)


def load_model(path):
    """Read a pipeline that holds no types but our own and scikit-learn's."""
    path = Path(path)
    if not path.is_file():
        raise CommandError(
            f"{path} does not exist: make it with skmtl compare --save {path}"
        )
    io = need("skops.io")
    content = path.read_bytes()
    try:
        types = io.get_untrusted_types(data=content)
        strange = [name for name in types if not name.startswith(_TRUSTED)]
        model = None if strange else io.loads(content, trusted=types)
    except _DAMAGE as error:
        raise CommandError(
            f"{path} is damaged, or no file that skmtl saved ({type(error).__name__}): "
            "make it anew with skmtl compare --save"
        ) from None
    if strange:
        raise CommandError(
            f"{path} holds types that are not of skmtl or scikit-learn and is "
            f"not opened: {', '.join(strange[:5])}; make it with skmtl compare --save"
        )
    _check_model(model, path)
    return model


def _check_model(model, path):
    if isinstance(model, Pipeline) and isinstance(model[0], TableColumns):
        return
    raise CommandError(
        f"{path} holds a {type(model).__name__} that skmtl did not save: make it with "
        "skmtl compare --save"
    )
