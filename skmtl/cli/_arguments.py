"""The command line's arguments and options."""

import sys
from argparse import (
    Action,
    ArgumentParser,
    ArgumentTypeError,
    RawDescriptionHelpFormatter,
)
from itertools import pairwise
from typing import NoReturn

from skmtl import __version__

from ._choices import CANDIDATES, DEFAULT_MODELS, METRICS, MODELS
from ._command_errors import CommandError

_COMPARE = """\
Compare models with and without sharing between tasks by cross-validation, and
recommend one: the simplest within one standard error of the best. Without DATA, use
an example data set.

Numbers are predicted by ridge regressions, classes by logistic regressions, and
counts (with --kind counts) by Poisson regressions. A neural network and other models
are compared only if --models names them; linear models and networks choose their
strengths within their training rows. --save saves only the first five.

models:
""" + "\n".join(f"  {name:24}  {what}" for name, what in MODELS.items())
_COMPARE += """

short names: mean for "mean-regularised", intercepts for "pooled + task intercepts"

other models, in quotes, as in --models "mean,boosted trees":
"""
_COMPARE += "\n".join(f"  {name:26}  {what}" for name, what in CANDIDATES.items())

_PREDICT = """\
Predict every row of a table with a model saved by skmtl compare --save. Columns may be
in any order, and other columns are ignored. Rows of unseen tasks are predicted by the
shared part of the model. Classes come with their probabilities."""

_DATA = """table: a .csv, .tsv, .txt (also .gz), .xlsx or .parquet file, - for standard
input"""

_KINDS = {
    "category": "categories, such as codes",
    "number": "numbers, with other text read as missing",
    "date": "dates; COLUMN=%%d/%%m/%%Y gives their format",
}

_EXAMPLES = """\
examples:
  skmtl compare
  skmtl compare pupils.csv --task school --target score --report report.html
  skmtl compare pupils.parquet --task school --target score --save model.skops
  skmtl compare sales.csv --task shop --target sold --cv time day
  skmtl compare sales.csv --task shop --target sold --cv new-tasks
  skmtl compare pupils.csv --task school,class --target score
  skmtl compare patients.csv --task clinic --target recovered --metric brier
  skmtl predict model.skops new_pupils.csv --output predictions.csv
"""
_NEW_TASKS = "new-tasks"
_LARGEST_SEED = 2**32 - 1  # that NumPy accepts


class Parser(ArgumentParser):
    """A parser that raises a CommandError instead of exiting."""

    def parse_args(self, args=None, namespace=None):
        """Parse arguments, after joining the two values of ``--cv time COLUMN``."""
        args = sys.argv[1:] if args is None else list(args)
        for place, pair in enumerate(pairwise(args)):
            if pair == ("--cv", "time") and place + 2 < len(args):
                args[place + 1 : place + 3] = [f"time:{args[place + 2]}"]
                break
        return super().parse_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (see {self.prog} --help)")


def make_parser() -> Parser:
    """Make the parser of the whole command."""
    parser = Parser(
        prog="skmtl",
        description="Does it help to learn tasks together, and which model is best?",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"skmtl {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_compare(commands)
    _add_predict(commands)
    return parser


def _add_compare(commands):
    add = _add_command(commands, "compare", "compare models on a table", _COMPARE)
    commands.choices["compare"].set_defaults(time=None, hold_out_tasks=False)
    add("data", nargs="?", metavar="DATA", help=_DATA)
    add(
        "--task",
        metavar="COLUMN",
        help="column with the task of each row, or several, as in school,class",
    )
    add("--target", metavar="COLUMN", help="column to predict")
    add(
        "--kind",
        choices=["auto", *METRICS],
        default="auto",
        help="kind of the target; auto (the default) reads text, true and false, and "
        "columns of only 0 and 1 as classes, and other numbers as numbers",
    )
    add(
        "--models",
        default=",".join(DEFAULT_MODELS),
        metavar="NAME,NAME",
        help="models to compare, by default %(default)s",
    )
    add(
        "--drop",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN",
        help="columns to leave out",
    )
    for kind, what in _KINDS.items():
        add(
            f"--{kind}",
            nargs="+",
            action="extend",
            default=[],
            metavar="COLUMN",
            help=f"columns to read as {what}",
        )
    add(
        "--cv",
        type=_read_cv,
        action=_Folds,
        default=5,
        metavar="N | new-tasks | time COLUMN",
        help="number of folds, default 5; new-tasks, to test on whole tasks that were "
        "not trained on; or time and a column of dates or numbers, to train on earlier "
        "rows and test on later ones (a number may be given too)",
    )
    add(
        "--new-tasks",
        action="store_true",
        help="also show the error for tasks never seen, beside that for known tasks",
    )
    add(
        "--metric",
        choices=[name for names in METRICS.values() for name in names],
        help="error to compare, by default rmse for numbers, log_loss for classes and "
        "poisson_deviance for counts",
    )
    add("--report", metavar="FILE", help="write a report, a .html file")
    add(
        "--tasks-csv",
        metavar="FILE",
        help="write the errors and the gain of each task, a .csv file",
    )
    add(
        "--json",
        action="store_true",
        help="print the comparison as JSON, and nothing else",
    )
    add("--save", metavar="FILE", help="save the recommended model, a .skops file")
    add(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="seed of the folds, default 0",
    )
    add(
        "--n-jobs",
        type=_n_jobs,
        metavar="N",
        help="number of processes, default 1; -1 is one per processor",
    )
    add("--quiet", action="store_true", help="show no progress")


class _Folds(Action):
    """Store the number of folds, the time column and new-tasks separately."""

    def __call__(self, parser, namespace, values, option_string=None):
        if values == _NEW_TASKS:
            namespace.hold_out_tasks = True
        else:
            setattr(namespace, "cv" if isinstance(values, int) else "time", values)


def _read_cv(text):
    if text == _NEW_TASKS:
        return text
    kind, _, column = text.partition(":")
    if kind == "time" and column:
        return column
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(
            f"must be a number of folds, new-tasks or time COLUMN, got {text!r}"
        ) from None


def _add_predict(commands):
    add = _add_command(commands, "predict", "predict with a saved model", _PREDICT)
    add("model", metavar="MODEL", help="saved model, a .skops file")
    add("data", metavar="DATA", help=_DATA)
    add(
        "--output",
        metavar="FILE",
        help="write a .csv file; by default the table is printed",
    )
    add(
        "--interval",
        type=_coverage,
        metavar="SHARE",
        help="add the ends of an interval that holds this share of the targets, such "
        "as 0.9",
    )
    add(
        "--formulas",
        choices=["quote", "keep"],
        default="quote",
        help="quote (the default) puts a ' before predicted classes that a spreadsheet "
        "would run as a formula, such as =1+2; keep leaves them unchanged; columns of "
        "the table never change",
    )
    add("--quiet", action="store_true", help="show no progress, and no summary")


def _seed(text):
    value = _read_integer(text)
    if value is None or not 0 <= value <= _LARGEST_SEED:
        raise ArgumentTypeError(
            f"must be an integer from 0 to {_LARGEST_SEED}, got {text!r}"
        )
    return value


def _coverage(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise ArgumentTypeError(
            f"must be a number above 0 and below 1, such as 0.9, got {text!r}"
        )
    return value


def _n_jobs(text):
    value = _read_integer(text)
    if not value:
        raise ArgumentTypeError(
            "must be a nonzero integer, such as 1, or -1 for one per processor, got "
            f"{text!r}"
        )
    return value


def _read_integer(text):
    """Parse an integer; return None if the text is not one."""
    try:
        return int(text)
    except ValueError:
        return None


def _add_command(commands, name, help_, description):
    parser = commands.add_parser(
        name,
        help=help_,
        description=description,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser.add_argument
