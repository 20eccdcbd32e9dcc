"""Time contenders in turn, and print the results and the versions.

Import this before NumPy: it limits linear algebra to one thread.
"""

import gc
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402 - the threads are set first

import skmtl  # noqa: E402

QUICK = "--quick" in sys.argv


def option(name):
    """Return the value of a command-line option, or None."""
    return dict(zip(sys.argv, sys.argv[1:], strict=False)).get(name)


def installed(*packages):
    """Return the installed ones of these packages."""
    return [name for name in packages if _version(name) is not None]


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def related_tasks(n_tasks, n_rows, n_features, correlation=0.0):
    """Draw rows (n_tasks, n_rows, n_features) and targets of tasks near a centre."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_tasks, n_rows, n_features))
    if correlation:
        X *= np.sqrt(1 - correlation)
        X += np.sqrt(correlation) * rng.normal(size=(n_tasks, n_rows, 1))
    own = 0.5 * rng.normal(size=(n_tasks, n_features, 1))
    coef, intercept = rng.normal(size=(n_features, 1)) + own, rng.normal(size=n_tasks)
    y = np.matmul(X, coef)[:, :, 0] + intercept[:, None]
    return X, y + rng.normal(size=y.shape)


def draw_sizes(rng, n_tasks, n_rows, is_ragged):
    """Return the number of rows of each task: equal, or log-normal and at least 2."""
    if not is_ragged:
        return np.full(n_tasks, n_rows)
    drawn = rng.lognormal(sigma=0.7, size=n_tasks)
    return np.maximum(2, np.rint(n_rows * drawn / drawn.mean())).astype(int)


def cpu_seconds(work):
    """Return the processor time of one call, and its result."""
    gc.collect()
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


class Report:
    """Print times, and compare figures with their budgets."""

    def __init__(self, title, *packages):
        self.failed = False
        names = ("numpy", "scipy", "scikit-learn", *packages)
        versions = ", ".join(f"{name} {version(name)}" for name in names)
        versions += f", skmtl {skmtl.__version__}"
        print(f"{title}\n{'-' * len(title)}")
        print(f"{_processor()}, {os.cpu_count()} cores, one thread used")
        print(f"Python {platform.python_version()}, {versions}\n")

    def time(self, contenders, repeats, slow=()):
        """Run contenders in turn; return the median and the last result of each.

        Those in `slow` run at most five times.
        """
        seconds = {name: [] for name in contenders}
        results = {}
        for k in range(1 if QUICK else repeats):
            for name, work in contenders.items():
                if k < 5 or name not in slow:
                    taken, results[name] = cpu_seconds(work)
                    seconds[name].append(taken)
        self.table(seconds)
        return {name: np.median(taken) for name, taken in seconds.items()}, results

    def table(self, figures, unit="CPU s"):
        """Print the median and the range of each row of figures."""
        width = max(map(len, figures))
        print(f"{unit:{width}}  {'median':>9} {'min':>9} {'max':>9}  runs")
        for name, values in figures.items():
            middle, low, high = np.median(values), min(values), max(values)
            print(
                f"{name:{width}}  {middle:9.4g} {low:9.4g} {high:9.4g}  {len(values)}"
            )
        print()

    def agree(self, what, difference, tolerance):
        """Stop if two results differ by more than a tolerance."""
        print(f"{what}: {difference:.1e} (allowed {tolerance:.0e})")
        if not difference <= tolerance:
            sys.exit("The answers differ, so their times cannot be compared.")

    def at_least(self, what, figure, budget):
        """Compare a figure with its lower bound."""
        self._judge(what, figure, budget, figure >= budget, "at least")

    def at_most(self, what, figure, budget):
        """Compare a figure with its upper bound."""
        self._judge(what, figure, budget, figure <= budget, "at most")

    def _judge(self, what, figure, budget, passed, side):
        self.failed |= not passed
        print(
            f"{'PASS' if passed else 'FAIL'}  {what}: {figure:.3g} ({side} {budget:g})"
        )

    def finish(self):
        """Exit with status 1 if a budget was missed, unless sizes were tiny."""
        print("\n--quick: sizes are tiny, so these figures mean nothing." * QUICK)
        sys.exit(self.failed and not QUICK)


def in_fresh_process(function, *arguments):
    """Call a function of the script in a new interpreter."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_megabytes(work):
    """Return the peak memory of a call above the memory before it (Linux)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _memory("VmRSS")
    work()
    return (_memory("VmHWM") - before) / 1024


def _memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def _processor():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(": ")[2] for line in lines if "model name" in line]
    return models[0] if models else platform.processor() or platform.machine()
