"""The command `skmtl predict`."""

import sys

from sklearn.base import is_classifier

from .._text import show
from ._errors import CommandError, count_rows
from ._formulas import defuse_all
from ._progress import progress
from ._read import read_table
from ._store import load_model
from ._write import check_output, write_file

COLUMN = "prediction"
_TEXT = {"category", "date", "text"}  # kinds of columns that are read as text


def predict(arguments, argv):
    """Predict the rows of a table."""
    output = arguments.output and check_output(
        arguments.output, ".csv", "--output", [arguments.data, arguments.model]
    )
    with progress("Reading", arguments.quiet):
        model = load_model(arguments.model)
        kinds = model[0].kinds
        text = [name for name, kind in kinds.items() if kind in _TEXT]
        frame = read_table(arguments.data, text)
    _keep_columns(frame, model, arguments.data)
    with progress("Predicting", arguments.quiet):
        found = _predict(model, frame, arguments.data)
    if arguments.formulas == "quote":
        found = defuse_all(found)
    _write(frame.assign(**found), output)
    if not arguments.quiet:
        print(show(_summarise(model, frame, output)), file=sys.stderr)


def _keep_columns(frame, model, path):
    taken = [name for name in _name_columns(model) if name in frame.columns]
    if taken:
        raise CommandError(
            f"{path} has a column {taken[0]!r} already: rename it, as the predictions "
            "take this name"
        )


def _name_columns(model):
    """Return the names of what is predicted, a probability of each class with it."""
    classes = model.classes_ if is_classifier(model) else ()
    return [COLUMN, *(f"probability of {name}" for name in classes)]


def _predict(model, frame, path):
    """Return the columns that are predicted, by name."""
    try:
        columns = [model.predict(frame)]
        if is_classifier(model):
            columns += list(model.predict_proba(frame).T)
    except CommandError as error:
        raise CommandError(f"{path}: {error}") from None
    return dict(zip(_name_columns(model), columns, strict=True))


def _write(frame, output):
    if output is None:
        _print_table(frame)
        return
    content = frame.to_csv(index=False, lineterminator="\n")
    write_file(output, content.encode())


def _print_table(frame):
    """Print a table; a person's terminal is not steered by what is in its cells."""
    text = frame.to_csv(index=False, lineterminator="\n")
    if sys.stdout.isatty():
        text = "\n".join(map(show, text.split("\n")))
    sys.stdout.write(text)


def _summarise(model, frame, output):
    task_column = model[-1].task_column
    columns = model[0].transform(frame)
    new = ~columns[task_column].isin(model[-1].tasks_.tolist())
    text = f"Predicted {count_rows(len(frame))}"
    if new.any():
        n_tasks = columns[task_column][new].nunique()
        text += (
            f", {new.sum():,} of them of {n_tasks:,} {task_column} not seen in "
            "training, with what the tasks share"
        )
    return text + (f": {output}" if output else "")
