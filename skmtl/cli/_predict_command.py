"""The command `skmtl predict`."""

import sys

import numpy as np
from sklearn.base import is_classifier

from skmtl._text import show

from ._command_errors import CommandError, count_rows
from ._formulas import quote_formulas
from ._prepared_table import join_labels, name_tasks
from ._progress import progress
from ._read_file import name_source, read_table
from ._sheet import write_record
from ._store import load_model
from ._task_labels import explain_new
from ._words import strip, write_value
from ._write_file import check_output, write_file

COLUMN = "prediction"
_ENDS = "lower end", "upper end"
_SHOWN = 3


def predict(arguments, argv):
    """Predict the rows of a table."""
    output = arguments.output
    if output is not None:
        inputs = [arguments.data, arguments.model]
        output = check_output(output, ".csv", "--output", inputs)
    source = name_source(arguments.data)
    with progress("Reading", arguments.quiet):
        model = load_model(arguments.model)
        sheet = read_table(arguments.data, model[0].task_columns, keep=True)
    _check_names(sheet.frame, model, source, arguments.interval is not None)
    with progress("Predicting", arguments.quiet):
        predictions = _predict(model, sheet.frame, source)
        if arguments.interval is not None:
            ends = _predict_interval(model, sheet.frame, arguments.interval)
            predictions |= ends
    if arguments.formulas == "quote":
        predictions = quote_formulas(predictions)
    _write(sheet.records, predictions, output)
    if not arguments.quiet:
        for line in _summarise(model, sheet, output):
            print(show(line), file=sys.stderr)


def _check_names(frame, model, path, has_interval):
    names = [*_name_columns(model), *(_ENDS if has_interval else ())]
    taken = [name for name in names if name in frame.columns]
    if taken:
        raise CommandError(
            f"{path} already has a column {taken[0]!r}, the name of a column of "
            "predictions: rename it"
        )


def _name_columns(model):
    """Return the names of the output: the prediction, and a probability per class."""
    classes = model.classes_ if is_classifier(model) else ()
    return [COLUMN, *(f"probability of {name}" for name in classes)]


def _predict(model, frame, path):
    """Return the columns of the output, by name."""
    try:
        columns = [model.predict(frame)]
        if is_classifier(model):
            columns += list(model.predict_proba(frame).T)
    except CommandError as error:
        raise CommandError(f"{path}: {error}") from None
    return dict(zip(_name_columns(model), columns, strict=True))


def _predict_interval(model, frame, coverage):
    """Return the ends of an interval around each prediction, by name."""
    try:
        rows = model[:-1].transform(frame)
        ends = model[-1].predict_interval(rows, coverage)
    except (AttributeError, ValueError) as error:
        raise CommandError(
            f"--interval cannot be given for the saved model ({error}): leave it out"
        ) from None
    return dict(zip(_ENDS, ends.T, strict=True))


def _write(records, predictions, output):
    """Write the lines of the table unchanged, with the predictions appended."""
    columns = [each.tolist() for each in predictions.values()]
    rows = [list(predictions), *zip(*columns, strict=True)]
    lines = zip(records, map(write_record, rows), strict=True)
    content = "".join(f"{line},{cells}\n" for line, cells in lines)
    if output is None:
        _print(content)
    else:
        write_file(output, content.encode())


def _print(content):
    """Print a table, with control characters escaped in a terminal."""
    if sys.stdout.isatty():
        content = "\n".join(map(show, content.split("\n")))
    sys.stdout.write(content)


def _summarise(model, sheet, output):
    """Yield the lines of the summary."""
    if sheet.notes:
        yield f"Read: {', '.join(sheet.notes)}"
    columns = model[0].transform(sheet.frame)
    yield _count_tasks(model, columns) + (f": {output}" if output else "")
    yield from _count_categories(model, columns)
    yield from _count_missing(sheet.frame, columns)


def _count_tasks(model, columns):
    text = f"Predicted {count_rows(len(columns))}"
    groupings = [
        (name, tasks, known, ~tasks.isin(known))
        for name, tasks, known in _list_labels(model[-1], columns)
    ]
    all_new = np.logical_and.reduce([new for *_, new in groupings])
    for name, tasks, known, new in groupings:
        if new.any():
            labels = tasks[new].unique()
            text += (
                f", {new.sum():,} of them from {len(labels):,} unseen {name}, "
                f"by {_describe_part(new, all_new)}{explain_new(labels, known)}"
            )
    return text


def _describe_part(new, all_new):
    """Describe the part of the model that predicts rows with a new label."""
    if not all_new.any():
        return "the other columns"
    if all_new[new].all():
        return "the shared part"
    rows = count_rows(all_new.sum())
    return f"the other columns, or the shared part if all are unseen ({rows})"


def _list_labels(model, columns):
    """List the names, the labels and the known labels of what may be unseen."""
    groupings = vars(model).get("groupings_")
    if groupings is None:
        name, tasks = model.task_column, join_labels(columns, model.task_column)
        return [(name_tasks(name), tasks, model.tasks_.tolist())]
    return [(name, columns[name], each.tolist()) for name, each in groupings.items()]


def _count_categories(model, columns):
    """Yield the unseen categories of each column."""
    for name, known, rare in _list_categories(model):
        cells = columns[name].dropna()
        new = cells[~cells.isin(known)]
        if len(new):
            words = new.unique()
            end = "rare categories" if rare else "no known category"
            yield (
                f"{count_rows(len(new))} with {len(words):,} unseen {name} "
                f"({_show(words)}), treated as {end}"
            )


def _count_missing(frame, columns):
    """Yield the words of each column that were read as missing."""
    for name in columns:
        cells = frame[name][columns[name].isna().to_numpy()]
        words = strip(cells).map(write_value, na_action="ignore").dropna()
        if len(words):
            rows = count_rows(len(words))
            yield f"{rows} of {name} read as missing ({_show(words.unique())})"


def _show(words):
    more = ", ..." * (len(words) > _SHOWN)
    return ", ".join(map(repr, words[:_SHOWN])) + more


def _list_categories(model):
    """Yield each category column, its known categories, and whether some are rare."""
    for name, transformer, columns in model[1].transformers_:
        if name == "category":
            encoder = transformer[-1]
            rare = [each is not None for each in encoder.infrequent_categories_]
            yield from zip(columns, encoder.categories_, rare, strict=True)
