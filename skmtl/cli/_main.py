"""The command `skmtl`."""

import os
import sys
import warnings

from ._arguments import make_parser
from ._errors import CommandError

_BAD_INPUT, _INTERRUPTED, _PIPE_CLOSED = 2, 130, 141


def main(argv=None):
    """Run the command `skmtl`.

    What a user can mend is said in one line that begins with ``skmtl: error:``, on the
    standard error. Anything else that goes wrong is a defect, and shows where.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None means those of the process.

    Returns
    -------
    status : int
        Exit status: 0 if all went well, 2 for bad input, 130 if interrupted.

    Examples
    --------
    >>> from skmtl.cli import main
    >>> main(["compare", "--cv", "2", "--models", "independent,mean"])
    ... # doctest: +ELLIPSIS
    Data: 442 diabetes patients (embedded data: load_diabetes of scikit-learn)
    ...
    0
    """
    try:
        return _run(argv)
    except CommandError as error:
        return _fail(error, _BAD_INPUT)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:  # as when piped to head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED


def _run(argv):
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as end:  # --help, --version
        return end.code
    from ._compare import compare
    from ._predict import predict

    commands = {"compare": compare, "predict": predict}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for category in (DeprecationWarning, FutureWarning):  # for programmers
            warnings.simplefilter("ignore", category)
        commands[arguments.command](arguments, argv)
    sys.stdout.flush()
    for message in dict.fromkeys(str(each.message) for each in caught):
        print(f"skmtl: warning: {_join_lines(message)}", file=sys.stderr)
    return 0


def _fail(message, status):
    print(f"skmtl: error: {_join_lines(message)}", file=sys.stderr)
    return status


def _join_lines(message):
    return " ".join(str(message).split())
