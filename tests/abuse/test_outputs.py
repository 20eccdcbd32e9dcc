"""Files are written completely or not at all, however the write ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import skmtl
from skmtl.cli import main
from skmtl.cli._command_errors import CommandError
from skmtl.cli._write_file import check_output, write_file


@pytest.fixture
def output(tmp_path):
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")
    return path


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def refuse(*arguments):
    raise OSError(28, "No space left on device")


def interrupt(*arguments):
    raise KeyboardInterrupt


ENDS = [
    ("os.replace", refuse, CommandError),
    ("os.fsync", refuse, CommandError),
    ("os.fchmod", refuse, CommandError),
    ("os.replace", interrupt, KeyboardInterrupt),
    ("os.fsync", interrupt, KeyboardInterrupt),
]


@pytest.mark.parametrize(("step", "end", "error"), ENDS, ids=range(len(ENDS)))
def test_a_failed_write_leaves_the_old_file_intact(
    output, monkeypatch, step, end, error
):
    monkeypatch.setattr(step, end)
    with pytest.raises(error):
        write_file(output, b"after")
    assert names(output.parent) == ["out.csv"]
    assert output.read_bytes() == b"before"


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o664, 0o755])
def test_the_mode_of_a_file_is_kept(output, mode):
    output.chmod(mode)
    write_file(output, b"after")
    assert output.stat().st_mode & 0o7777 == mode
    assert output.read_bytes() == b"after"


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_a_new_file_has_the_mode_that_the_process_gives(tmp_path, mask):
    before = os.umask(mask)
    write_file(tmp_path / "new.csv", b"new")
    os.umask(before)
    assert (tmp_path / "new.csv").stat().st_mode & 0o777 == 0o666 & ~mask


def test_what_a_link_points_to_is_written(output, tmp_path):
    (tmp_path / "folder").mkdir()
    first, second = tmp_path / "folder" / "a.csv", tmp_path / "b.csv"
    first.symlink_to("../out.csv")
    second.symlink_to("folder/a.csv")
    output.chmod(0o640)
    write_file(second, b"after")
    assert output.read_bytes() == b"after"
    assert output.stat().st_mode & 0o777 == 0o640
    assert (os.readlink(first), os.readlink(second)) == ("../out.csv", "folder/a.csv")
    assert names(first.parent) == ["a.csv"]


def test_a_link_to_nothing_makes_the_file(tmp_path):
    (tmp_path / "a.csv").symlink_to("b.csv")
    write_file(tmp_path / "a.csv", b"new")
    assert (tmp_path / "b.csv").read_bytes() == b"new"
    assert (tmp_path / "a.csv").is_symlink()


def test_a_device_is_written_to_and_stays(tmp_path):
    (tmp_path / "null.csv").symlink_to(os.devnull)
    check_output(tmp_path / "null.csv", ".csv", "--output")
    write_file(tmp_path / "null.csv", b"new")
    (tmp_path / "full.csv").symlink_to("/dev/full")
    with pytest.raises(CommandError, match="cannot be written: No space left"):
        write_file(tmp_path / "full.csv", b"new")
    assert os.path.exists("/dev/full")


def test_a_file_name_of_maximum_length_is_written(tmp_path):
    path = tmp_path / f"{'a' * 251}.csv"
    check_output(path, ".csv", "--output")
    write_file(path, b"new")
    assert path.read_bytes() == b"new"


def test_the_check_leaves_nothing_and_changes_nothing(output):
    check_output(output, ".csv", "--output")
    check_output(output.with_name("new.csv"), ".csv", "--output")
    assert names(output.parent) == ["out.csv"]
    assert output.read_bytes() == b"before"


def test_a_file_that_cannot_be_written_to_is_refused_first(output, monkeypatch):
    before = os.access
    monkeypatch.setattr(
        "os.access", lambda path, how: before(path, how) and Path(path).is_dir()
    )
    with pytest.raises(CommandError, match="is not writable"):
        check_output(output, ".csv", "--output")


# Signals

RUN = """
import os, signal, sys
from skmtl.cli import _compare_command, main
from skmtl.cli._write_file import write_file

def write(arguments, argv):
    write_file(sys.argv[1], b"after")

def wait(number):
    print(os.listdir(os.path.dirname(sys.argv[1])), flush=True)
    sys.stdin.read()

# The parent may ignore signals, as nohup does.
for each in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
os.fsync, _compare_command.compare = wait, write
sys.exit(main(["compare"]))
"""


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "interrupted"),
        pytest.param(signal.SIGTERM, 143, "ended by SIGTERM", marks=pytest.mark.full),
        pytest.param(signal.SIGHUP, 129, "ended by SIGHUP", marks=pytest.mark.full),
    ],
)
def test_a_signal_leaves_no_part_of_a_file(output, number, code, said):
    argv = [sys.executable, "-c", RUN, str(output)]
    env = {**os.environ, "PYTHONPATH": str(Path(skmtl.__file__).parents[1])}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(argv, env=env, text=True, **pipes) as process:
        assert ".part" in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(timeout=60) == code
        assert process.stderr.read() == f"skmtl: error: {said}\n"
    assert names(output.parent) == ["out.csv"]
    assert output.read_bytes() == b"before"


def test_handlers_of_signals_are_put_back(capsys):
    before = signal.getsignal(signal.SIGTERM)
    main(["--version"])
    assert signal.getsignal(signal.SIGTERM) is before
