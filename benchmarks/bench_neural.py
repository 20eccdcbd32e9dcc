"""Train networks of 20 tasks by Adam and by L-BFGS.

scikit-learn's MLPRegressor does the same work on a complete 2-d y: the same layers,
batches and passes. TorchMultiTaskRegressor trains the same network in PyTorch, if it is
installed. With ``--threshold``, both solvers run at their defaults on ever more rows:
the evidence for ``solver="auto"``.
"""

from _harness import QUICK, Report, in_fresh_process, installed, peak_megabytes

# isort: split

import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor

from skmtl.neural_network import MultiTaskMLPRegressor

N_ROWS, N_FEATURES, N_TASKS = (1200, 5, 3) if QUICK else (20_000, 30, 20)
PASSES = 2 if QUICK else 10
SETTINGS = {
    "hidden_layer_sizes": (64, 64),
    "solver": "adam",
    "batch_size": 200,
    "max_iter": PASSES,
    "tol": 0.0,
    "n_iter_no_change": 1000,
    "random_state": 0,
}


def draw(n_rows, n_tasks=N_TASKS, dtype=float):
    """Draw targets of all tasks from shared features that are not linear."""
    rng = np.random.default_rng(0)
    first, last = rng.normal(size=(N_FEATURES, 8)), rng.normal(size=(8, n_tasks))
    X = rng.normal(size=(n_rows, N_FEATURES))
    shared = np.tanh(X @ first / 2)
    Y = shared @ last + 0.1 * rng.normal(size=(n_rows, n_tasks))
    return X.astype(dtype), Y.astype(dtype)


def draw_rows(n_rows, n_tasks):
    """Draw one task for each row; sizes of tasks are log-normal."""
    X, Y = draw(n_rows, n_tasks)
    rng = np.random.default_rng(1)
    shares = rng.lognormal(size=n_tasks)
    task = rng.choice(n_tasks, size=n_rows, p=shares / shares.sum())
    task[:n_tasks] = np.arange(n_tasks)
    return X, Y[np.arange(n_rows), task], task


def fit(X, y, task=None, **settings):
    """Train our network."""
    return MultiTaskMLPRegressor(**{**SETTINGS, **settings}).fit(X, y, task=task)


def fit_torch(X, y, **settings):
    """Train the same network in PyTorch."""
    from skmtl.deep import TorchMultiTaskRegressor

    torch_settings = {**SETTINGS, **settings}
    del torch_settings["solver"]
    return TorchMultiTaskRegressor(device="cpu", **torch_settings).fit(X, y)


def memory(name):
    """Return the peak memory of a fit, without the data."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, Y = draw(N_ROWS)
    model = MLPRegressor(**SETTINGS) if name == "MLPRegressor" else None
    return peak_megabytes(lambda: (fit if model is None else model.fit)(X, Y))


def compare_passes(report):
    """Compare the time of a pass over the rows."""
    X, Y = draw(N_ROWS)
    X32, Y32 = X.astype(np.float32), Y.astype(np.float32)
    holes = np.where(np.random.default_rng(2).random(Y.shape) < 0.3, np.nan, Y32)
    few, many = draw_rows(N_ROWS, N_TASKS), draw_rows(N_ROWS, 3 if QUICK else 1000)
    one_output = few[:2]
    contenders = {
        "MLPRegressor": lambda: MLPRegressor(**SETTINGS).fit(X, Y),
        "skmtl": lambda: fit(X, Y),
        "skmtl, float32": lambda: fit(X32, Y32),
        "skmtl, float32, 30 % not observed": lambda: fit(X32, holes),
        "MLPRegressor, one output": lambda: MLPRegressor(**SETTINGS).fit(*one_output),
        "skmtl, a task per row": lambda: fit(*few),
        "skmtl, 1000 tasks, a task per row": lambda: fit(*many),
        "MLPRegressor, batches of 1024": lambda: MLPRegressor(
            **{**SETTINGS, "batch_size": 1024}
        ).fit(X, Y),
        "skmtl, batches of 1024": lambda: fit(X, Y, batch_size=1024),
    }
    if installed("torch"):
        import torch

        torch.set_num_threads(1)
        contenders["PyTorch, float32"] = lambda: fit_torch(X32, Y32)
    seconds, models = report.time(contenders, repeats=5)
    found = [r2_score(Y, models[name].predict(X)) for name in ("MLPRegressor", "skmtl")]
    print(f"R2 on training rows after {PASSES} passes: {found[0]:.3f}, {found[1]:.3f}")
    peer = seconds["MLPRegressor"]
    report.at_most("a pass, skmtl / MLPRegressor", seconds["skmtl"] / peer, 0.7)
    single = seconds["skmtl, float32"]
    report.at_most("a pass in float32, skmtl / MLPRegressor", single / peer, 0.5)
    if "PyTorch, float32" in seconds:
        ratio = single / seconds["PyTorch, float32"]
        report.at_most("a pass in float32, skmtl / PyTorch", ratio, 0.35)


def compare_solvers(report):
    """Compare the times of L-BFGS and Adam to the same objective."""
    X, y, task = draw_rows(400 if QUICK else 2000, N_TASKS)
    settings = {"max_iter": 100, "tol": 0.0, "activation": "tanh"}
    goal = fit(X, y, task, solver="lbfgs", **settings).loss_
    settings["max_iter"] = 20 if QUICK else 3000

    def reach(solver):
        stop = lambda iteration, loss, held: loss <= goal  # noqa: E731
        return fit(X, y, task, solver=solver, callback=stop, **settings)

    contenders = {
        "L-BFGS": lambda: reach("lbfgs"),
        "Adam": lambda: reach("adam"),
    }
    seconds, models = report.time(contenders, repeats=3)
    print(f"goal {goal:.4g}, Adam's objective {models['Adam'].loss_:.4g}")
    print(
        f"to this objective, Adam / L-BFGS: {seconds['Adam'] / seconds['L-BFGS']:.3g}"
    )


def compare_at_defaults():
    """Print the time and the score on new rows of both solvers."""
    print("rows      solver  CPU s  iterations  objective  R2 on new rows")
    X_new, y_new, task_new = draw_rows(20_000, N_TASKS)
    for n_rows in (2000, 5000, 10_000, 20_000, 40_000, 80_000):
        X, y, task = draw_rows(20_000 + n_rows, N_TASKS)
        X, y, task = X[20_000:], y[20_000:], task[20_000:]
        for solver in ("lbfgs", "adam"):
            start = time.process_time()
            model = MultiTaskMLPRegressor(solver=solver, random_state=0)
            model.fit(X, y, task=task)
            taken = time.process_time() - start
            score = r2_score(y_new, model.predict(X_new, task=task_new))
            print(
                f"{n_rows:<9} {solver:6} {taken:6.2f} {model.n_iter_:11} "
                f"{model.loss_:10.4g} {score:10.3f}"
            )


def main():
    """Compare passes, solvers and memory."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    packages = installed("torch")
    report = Report("Networks of 20 tasks, two hidden layers of 64", *packages)
    if "--threshold" in sys.argv:
        compare_at_defaults()
        return
    compare_passes(report)
    compare_solvers(report)
    peaks = {
        name: [in_fresh_process(memory, name)] for name in ("MLPRegressor", "skmtl")
    }
    report.table(peaks, "peak MB of a fit")
    report.finish()


if __name__ == "__main__":
    main()
