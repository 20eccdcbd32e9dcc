"""The command `skmtl compare`."""

import shlex
import sys
from dataclasses import replace
from functools import partial

import numpy as np

from skmtl._text import show
from skmtl.inspection import compare_tasks
from skmtl.report import Report, draw_models, view_centre

from ._choices import CANDIDATES, MODELS
from ._command_errors import CommandError, check_column, need
from ._command_models import fit_model, make_models, read_names, refuse_unsaved
from ._describe import describe_columns, describe_table, draw_facts
from ._embedded import ABOUT, SOURCE, TARGET, TASK, load_embedded
from ._folds import describe_folds, make_folds
from ._prepared_table import prepare_table
from ._progress import progress
from ._read_file import name_source, read_table
from ._store import dump_model
from ._target import choose_metric
from ._task_labels import check_distinct
from ._usage import describe_usage
from ._write_file import check_output, write_file

_NAMED = 3  # harmed tasks to list, at most
_FEWEST = 6  # rows outside the largest class, so that inner folds have two classes


def compare(arguments, argv):
    """Compare models on a table, print the result, and write the requested files."""
    names = read_names(arguments.models)
    report, save, tasks_csv = _check_outputs(arguments)
    _check_cv(arguments)
    if save:
        refuse_unsaved(names)
    with progress("Reading the table", arguments.quiet):
        table = _read_table(arguments)
    metric = choose_metric(arguments.metric, table.kind)
    _check_folds(arguments, table)
    _check_classes(table)
    n_folds, hold_out_tasks = arguments.cv, arguments.hold_out_tasks
    folds, same_times = make_folds(table, n_folds, hold_out_tasks, arguments.seed)
    facts = describe_table(table)
    facts |= describe_folds(table, n_folds, same_times, hold_out_tasks)
    if arguments.data is None:
        facts["About"] = ABOUT
    say = _be_silent if arguments.json else partial(print, flush=True)
    say(draw_facts(facts))
    models = make_models(names, table)
    what = f"Comparing {len(names)} models over {arguments.cv} folds"
    with progress(what, arguments.quiet):
        comparison = _compare(models, table, metric, folds, arguments)
    if arguments.json:
        print(comparison.to_json(), flush=True)
    say(f"\n{draw_models(comparison)}\n\n{comparison.recommendation}")
    if save:
        name = comparison.recommended
        with progress("Fitting the model to all rows", arguments.quiet):
            write_file(save, dump_model(fit_model(models[name], table)))
        say(show(f"Saved {name!r}{_describe_harm(comparison, name)}: {save}"))
    if tasks_csv:
        tasks = comparison.tasks_frame().to_csv(lineterminator="\n")
        write_file(tasks_csv, tasks.encode())
        say(show(f"Wrote the tasks: {tasks_csv}"))
    if report:
        with progress("Drawing the report", arguments.quiet):
            usage = describe_usage(table, comparison.recommended, arguments.data, save)
            page = _draw_page(table, facts, comparison, argv, usage)
            write_file(report, page.encode())
        say(show(f"Wrote the report: {report}"))


def _be_silent(text):
    """Say nothing."""


def _check_cv(arguments):
    """Check that only one way of making folds is given."""
    if arguments.hold_out_tasks and (arguments.time or arguments.new_tasks):
        other = "--cv time" if arguments.time else "--new-tasks"
        raise CommandError(f"--cv new-tasks and {other} exclude each other: give one")


def _describe_harm(comparison, name):
    """Describe a saved model, and list the tasks that it significantly harms."""
    hurt = comparison.hurt(name).tolist()
    if not hurt or name == comparison.baseline:
        return ", fitted to all rows"
    more = f" and {len(hurt) - _NAMED} more" * (len(hurt) > _NAMED)
    return (
        f", fitted to all rows, which hurts {len(hurt)} of the "
        f"{len(comparison.tasks)} tasks ({', '.join(map(repr, hurt[:_NAMED]))}{more})"
    )


def _check_outputs(arguments):
    """Check that the output files can be written, before the work begins."""
    report, save = arguments.report, arguments.save
    inputs = [arguments.data] if arguments.data else []
    if report is not None:
        report = check_output(report, ".html", "--report", inputs)
    if save is not None:
        need("skops.io")
        save = check_output(save, ".skops", "--save", inputs)
    tasks_csv = arguments.tasks_csv
    if tasks_csv is not None:
        tasks_csv = check_output(tasks_csv, ".csv", "--tasks-csv", inputs)
    return report, save, tasks_csv


def _read_table(arguments):
    """Return the table given by the arguments, or the embedded one."""
    if arguments.data is not None:
        sheet = read_table(arguments.data, _split_task(arguments.task))
        frame, typed, notes = sheet.frame, sheet.typed, sheet.notes
        source = name_source(arguments.data)
        for option in ("task", "target"):
            _check_option(arguments, option, frame)
        task, target = arguments.task, arguments.target
        if task not in frame.columns:
            task = check_distinct(_split_task(task))
    elif arguments.task or arguments.target:
        raise CommandError(
            "--task and --target are columns of a table: name the table too, as in "
            "skmtl compare FILE, or leave them out to use embedded data"
        )
    else:
        frame, typed, notes = load_embedded(), True, []
        source, task, target = SOURCE, TASK, TARGET
    table = prepare_table(
        frame,
        source,
        task,
        target,
        arguments.drop,
        arguments.kind,
        typed=typed,
        requested_kinds=_read_requested_kinds(arguments, list(frame.columns), source),
        time=arguments.time,
    )
    return replace(
        table, notes={"Read": notes, **table.notes} if notes else table.notes
    )


def _split_task(text):
    """Return the column, then its parts between commas, if there are several."""
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    return parts if len(parts) > 1 else [text]


def _read_requested_kinds(arguments, names, source):
    """Return the kind and date format that the user gave, by column."""
    requested_kinds = {}
    for kind in ("category", "number", "date"):
        for text in getattr(arguments, kind):
            name, form = text, None
            if kind == "date" and text not in names and "=%" in text:
                name, _, form = text.partition("=")
            check_column(name, names, f"--{kind}", source)
            if name in requested_kinds or name in arguments.drop:
                raise CommandError(
                    f"--{kind} {name!r} is also given in "
                    f"--{requested_kinds.get(name, ['drop'])[0]}: give it once"
                )
            requested_kinds[name] = kind, form
    return requested_kinds


def _check_option(arguments, option, frame):
    if getattr(arguments, option) is None:
        more = ", ..." * (len(frame.columns) > 10)
        raise CommandError(
            f"--{option} is missing: add --{option} COLUMN, {arguments.data} has the "
            f"columns {', '.join(frame.columns[:10])}{more}"
        )


def _check_folds(arguments, table):
    n_folds, n_rows = arguments.cv, len(table.y)
    if not 2 <= n_folds <= n_rows:
        raise CommandError(
            f"--cv {n_folds} must be between 2 and the number of rows, {n_rows}: "
            "choose another number of folds"
        )


def _check_classes(table):
    """Check that folds, and inner folds, can contain two classes."""
    if table.kind != "classes":
        return
    classes, counts = np.unique(table.y, return_counts=True)
    if counts.min() == 1:
        raise CommandError(
            f"class {str(classes[counts.argmin()])!r} of --target {table.target!r} has "
            "1 row, which cannot be in both training and test sets: leave the row out, "
            "or merge the class with another"
        )
    n_rare = counts.sum() - counts.max()
    if n_rare < _FEWEST:
        raise CommandError(
            f"--target {table.target!r} must have at least {_FEWEST} rows that are not "
            f"{str(classes[counts.argmax()])!r} to compare models, got {n_rare}: "
            "collect more rows"
        )


def _compare(models, table, metric, folds, arguments):
    # The columns of the table are cast already; the first step would cast them again.
    without_casts = {name: model[1:] for name, model in models.items()}
    try:
        return compare_tasks(
            without_casts,
            table.X,
            table.y,
            task_column=table.task_column,
            cv=folds,
            metric=metric,
            new_tasks=arguments.new_tasks,
            n_jobs=_limit_jobs(arguments.n_jobs, len(models) * arguments.cv),
            random_state=arguments.seed,
        )
    except ValueError as error:  # names the model, the fold and the reason
        raise CommandError(f"{table.source}: {error}") from error


def _limit_jobs(n_jobs, n_fits):
    """Limit processes to one per fit, as joblib would start all of them."""
    return n_jobs if n_jobs is None else min(n_jobs, n_fits)


def _draw_page(table, facts, comparison, argv, usage):
    words = sys.argv[1:] if argv is None else argv
    return Report(
        title=f"Predict {table.target} for each {table.task_name}",
        comparison=comparison,
        view=_view(table) if _has_centre(table) else None,
        facts=facts,
        explanations=MODELS | CANDIDATES,
        subtitle=f"Does it help to learn {table.labels.nunique():,} tasks together?",
        command=shlex.join(["skmtl", *words]),
        target=table.target,
        columns=describe_columns(table),
        usage=usage,
    ).to_html()


def _has_centre(table):
    """Return whether the tasks have one centre, around which they can be drawn."""
    return table.kind == "numbers" and len(table.task_kinds) == 1


def _view(table):
    name = "mean-regularised"
    model = make_models([name], table)[name].fit(table.X, table.y)
    return view_centre(model, table.X, table.y)
