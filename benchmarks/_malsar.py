"""Run MALSAR from a folder given on the command line: ``--malsar DIR``.

MALSAR needs GNU Octave (``octave-cli`` on the path) and is not part of this project. A
file passes the tasks. Only the call is timed, in Octave's processor time, with one
thread. MALSAR starts at zero and stops when its objective reaches a goal.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _harness import option
from scipy.io import loadmat, savemat

_SCRIPT = """
addpath(genpath('{folder}'));
load('tasks.mat');
opts = struct('init', 2, 'tFlag', 2, 'tol', goal, 'maxIter', max_iter);
opts.rho_L2 = ridge;
seconds = zeros(1, repeats);
for k = 1:repeats
  start = cputime;
  [W, values] = {call};
  seconds(k) = cputime - start;
end
n_iter = numel(values);
save('-v7', 'found.mat', 'W', 'seconds', 'n_iter');
"""


@dataclass(frozen=True)
class Run:
    """Time of a call of MALSAR, and its coefficients (n_tasks, n_features)."""

    seconds: list
    coef: np.ndarray
    n_iter: int


def find_malsar():
    """Return the folder of MALSAR, or None if there is no option."""
    named = option("--malsar")
    if named is None:
        print("MALSAR is not run: name its folder by --malsar, with Octave on the path")
        return None
    folder = Path(named).resolve()
    if not any(folder.rglob("init_opts.m")) or shutil.which("octave-cli") is None:
        sys.exit(f"--malsar needs octave-cli and MALSAR's init_opts.m below {folder}.")
    print(_octave("printf('MALSAR in Octave %s, %s', version, version('-blas'))"))
    return folder


def run_malsar(folder, call, X, y, goal, repeats=3, max_iter=20_000, **values):
    """Call a function of MALSAR on tasks until its objective reaches a goal.

    The call may use the tasks ``X`` and ``Y``, the other arguments, and ``opts``.
    """
    tasks = {"X": _cell(X), "Y": _cell([np.reshape(part, (-1, 1)) for part in y])}
    settings = {"goal": goal, "repeats": repeats, "max_iter": max_iter, "ridge": 0.0}
    with TemporaryDirectory() as place:
        savemat(Path(place, "tasks.mat"), {**tasks, **settings, **values})
        _octave(_SCRIPT.format(folder=folder, call=call), place)
        found = loadmat(Path(place, "found.mat"))
    n_iter = int(found["n_iter"].item())
    if n_iter >= max_iter:
        print(f"MALSAR did not arrive in {max_iter} iterations")
    return Run(found["seconds"].ravel().tolist(), found["W"].T, n_iter)


def _cell(parts):
    cell = np.empty((1, len(parts)), dtype=object)
    for t, part in enumerate(parts):
        cell[0, t] = np.asarray(part, dtype=float)
    return cell


def _octave(code, place=None):
    command = ["octave-cli", "--norc", "--quiet", "--eval", code]
    done = subprocess.run(
        command, cwd=place, env=os.environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"Octave failed:\n{done.stderr}")
    return done.stdout.strip()
