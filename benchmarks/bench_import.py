"""Import the package, fit for the first time, and print the help (rows 10 and 25).

Each import and each first fit runs in a new interpreter.
"""

from _harness import QUICK, Report, cpu_seconds, in_fresh_process, related_tasks

# isort: split

import os
import subprocess
import sys

import numpy as np
from sklearn.linear_model import Ridge

from skmtl.linear_model import MeanRegularizedRegressor

IMPORTS = {
    "import skmtl": "import skmtl",
    "import sklearn.base": "import sklearn.base",
    "a model of skmtl": "from skmtl.linear_model import MeanRegularizedRegressor",
    "a model of scikit-learn": "from sklearn.linear_model import Ridge",
}
HELP = "from skmtl.cli import main; main(['--help'])"
TIMER = "import time; t = time.process_time(); {}; print(time.process_time() - t)"
MODELS = {"skmtl": MeanRegularizedRegressor(), "Ridge": Ridge()}
SIZES = {"1000 x 200 x 50": (1000, 200, 50), "20 x 50 x 10": (20, 50, 10)}


def import_seconds(statement):
    """Return the processor time of an import, with compiled bytecode."""
    command = [sys.executable, "-c", TIMER.format(statement)]
    keep = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    run = subprocess.run(command, capture_output=True, check=True, env=keep)
    return float(run.stdout.split()[-1])


def first_and_warm(model, size):
    """Return the processor times of the first fit and of the median later fit."""
    X, y = related_tasks(*size)
    rows, target = X.reshape(-1, X.shape[2]), y.ravel()
    task = {"task": np.repeat(np.arange(len(X)), X.shape[1])}
    if isinstance(model, Ridge):
        task = {}
    np.ones(2**26)  # touch new memory first, which is slow for any caller
    fits = [lambda: model.fit(rows, target, **task)] * 10
    first, *others = [cpu_seconds(fit)[0] for fit in fits]
    return first, np.median(others)


def main():
    """Compare imports with scikit-learn's, and first fits with later ones."""
    report = Report("Import, and first fit")
    rounds = range(1 if QUICK else 15)
    times = [{name: import_seconds(s) for name, s in IMPORTS.items()} for _ in rounds]
    taken = {name: [one[name] for one in times] for name in IMPORTS}
    report.table(taken, "CPU s of an import")
    ours, base, model, peer = (np.median(values) for values in taken.values())
    report.at_most("row 10, import skmtl / sklearn.base", ours / base, 1.1)
    report.at_most("row 10, import a model, skmtl / scikit-learn", model / peer, 1.1)
    seconds = [import_seconds(HELP) for _ in rounds]
    report.table({"skmtl --help": seconds})
    report.at_most("row 25, skmtl --help, CPU s", np.median(seconds), 0.3)
    print()
    for name, size in SIZES.items():
        ratios = {}
        for label, model in MODELS.items():
            pairs = [in_fresh_process(first_and_warm, model, size) for _ in rounds[:9]]
            first, warm = zip(*pairs, strict=True)
            report.table({f"{label}, first": first, f"{label}, warm": warm})
            ratios[label] = np.median(np.divide(first, warm))
            print(f"      {name}, {label}, first / warm: {ratios[label]:.3g}\n")
        report.at_most(f"row 10, first / warm, {name}", ratios["skmtl"], 1.3)
    report.finish()


if __name__ == "__main__":
    main()
