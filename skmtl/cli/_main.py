"""The command `skmtl`."""

import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from contextlib import contextmanager, suppress

from skmtl._text import show

from ._arguments import make_parser
from ._command_errors import CommandError

_BAD_INPUT, _INTERRUPTED, _PIPE_CLOSED = 2, 130, 141
_SIGNALED = 128  # plus the signal's number, as in shells


class _Stopped(BaseException):
    """A signal to terminate, raised so that partial files are cleaned up."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `skmtl`.

    Errors that the user can correct are printed to standard error in one line that
    begins with ``skmtl: error:``. Any other exception is a defect, with a traceback.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None means those of the process.

    Returns
    -------
    status : int
        Exit status: 0 for success, 2 for invalid input or output that cannot be
        written, 130 if interrupted, 128 plus its number for another signal.

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
        with _stop_on_signals():
            return _run(argv)
    except (CommandError, MemoryError, KeyboardInterrupt, _Stopped) as error:
        return _fail(*_describe_end(error))
    except (OSError, UnicodeEncodeError) as error:
        _drop_output()
        closed = isinstance(error, BrokenPipeError)  # as when piped to head
        return _PIPE_CLOSED if closed else _fail(_describe_fault(error), _BAD_INPUT)


def _run(argv):
    _check_streams()
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as end:  # --help, --version
        sys.stdout.flush()
        return end.code
    from ._compare_command import compare
    from ._predict_command import predict

    commands = {"compare": compare, "predict": predict}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for category in (DeprecationWarning, FutureWarning):  # for programmers
            warnings.simplefilter("ignore", category)
        commands[arguments.command](arguments, argv)
    sys.stdout.flush()
    for message in dict.fromkeys(str(each.message) for each in caught):
        _print_error(f"skmtl: warning: {_join_lines(message)}")
    return 0


def _check_streams():
    """Check that the output streams are open."""
    if sys.stderr is None:  # closed by the caller; print would use stdout instead
        sys.stderr = io.StringIO()
    if sys.stdout is None:
        raise CommandError(
            "standard output is closed: keep it open, or redirect it with >FILE"
        )


@contextmanager
def _stop_on_signals():
    """Turn terminating signals into an exception, so that partial files are removed."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    numbers = [
        getattr(signal, name)
        for name in ("SIGTERM", "SIGHUP")
        if in_main_thread and hasattr(signal, name)
    ]
    ours = [each for each in numbers if signal.getsignal(each) is signal.SIG_DFL]
    for number in ours:  # ignored signals stay ignored, as under nohup
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _stop(number, frame):
    raise _Stopped(number)


def _describe_end(error):
    """Return the message and exit status for an early end."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", _INTERRUPTED
    if isinstance(error, _Stopped):
        number = error.args[0]
        return f"ended by {signal.Signals(number).name}", _SIGNALED + number
    if isinstance(error, MemoryError):
        return f"out of memory {error}", _BAD_INPUT
    return error, _BAD_INPUT


def _describe_fault(error):
    """Return the message for a file or stream that cannot be read or written."""
    if isinstance(error, UnicodeEncodeError):
        return (
            f"the output cannot be written as {error.encoding}: set "
            "PYTHONIOENCODING=utf-8"
        )
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _drop_output():
    """Discard buffered output, which Python would try to flush at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message, status):
    _print_error(f"skmtl: error: {_join_lines(message)}")
    return status


def _print_error(line):
    with suppress(OSError):  # standard error is closed
        print(line, file=sys.stderr, flush=True)


def _join_lines(message):
    return show(" ".join(str(message).split()))
