"""Train networks of tasks by Adam and by L-BFGS.

scikit-learn's MLPRegressor does the same work on a complete 2-d y: the same layers,
batches and passes. So does a loop in PyTorch with one output layer for all tasks, if it
is installed. With ``--threshold``, both solvers run at their defaults on more and more
rows, also of School with ``--data school.npz``: the evidence for ``solver="auto"``.
"""

from _harness import QUICK, Report, in_fresh_process, installed, option, peak_megabytes

# isort: split

import sys
import time
import warnings
from itertools import pairwise

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


def draw(n_rows, n_tasks=N_TASKS):
    """Draw targets of all tasks from shared features that are not linear."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(N_FEATURES, 8)) / 2
    last = rng.normal(size=(8, n_tasks))
    X = rng.normal(size=(n_rows, N_FEATURES))
    Y = np.tanh(X @ first) @ last
    return X, Y + 0.1 * rng.normal(size=Y.shape)


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


def fit_peer(X, y, **settings):
    """Train scikit-learn's network."""
    return MLPRegressor(**{**SETTINGS, **settings}).fit(X, y)


def fit_torch(X, Y):
    """Train the same network by a loop in PyTorch."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes = [N_FEATURES, *SETTINGS["hidden_layer_sizes"], Y.shape[1]]
    layers = [torch.nn.Linear(*pair) for pair in pairwise(sizes)]
    parts = [part for layer in layers for part in (layer, torch.nn.ReLU())]
    network = torch.nn.Sequential(*parts[:-1])
    adam = torch.optim.Adam(network.parameters(), weight_decay=1 / Y.size)
    X, Y = torch.from_numpy(X), torch.from_numpy(Y)
    for _ in range(PASSES):
        for rows in torch.randperm(len(X)).split(SETTINGS["batch_size"]):
            adam.zero_grad()
            ((network(X[rows]) - Y[rows]) ** 2).mean().backward()
            adam.step()
    return network


def fit_deep(X, Y):
    """Train the same network by our estimator in PyTorch."""
    from skmtl.deep import TorchMultiTaskRegressor

    settings = {name: value for name, value in SETTINGS.items() if name != "solver"}
    return TorchMultiTaskRegressor(device="cpu", **settings).fit(X, Y)


def fits_in_torch(X, Y):
    """Return the contenders in PyTorch, if it is installed."""
    if not installed("torch"):
        return {}
    import torch  # noqa: F401 - so that imports are not timed

    from skmtl import deep

    found = {"PyTorch loop, float32": lambda: fit_torch(X, Y)}
    if hasattr(deep, "TorchMultiTaskRegressor"):
        found["skmtl.deep, float32"] = lambda: fit_deep(X, Y)
    return found


def compare_passes(report):
    """Compare the time of passes over the rows of 20 tasks."""
    X, Y = draw(N_ROWS)
    X32, Y32 = X.astype(np.float32), Y.astype(np.float32)
    holes = np.where(np.random.default_rng(2).random(Y.shape) < 0.3, np.nan, Y32)
    contenders = {
        "MLPRegressor": lambda: fit_peer(X, Y),
        "skmtl": lambda: fit(X, Y),
        "skmtl, float32": lambda: fit(X32, Y32),
        "skmtl, float32, 30 % not observed": lambda: fit(X32, holes),
        **fits_in_torch(X32, Y32),
    }
    seconds, models = report.time(contenders, repeats=7)
    found = [r2_score(Y, models[name].predict(X)) for name in ("MLPRegressor", "skmtl")]
    print(f"R2 on training rows after {PASSES} passes: {found[0]:.3f}, {found[1]:.3f}")
    peer, single = seconds["MLPRegressor"], seconds["skmtl, float32"]
    report.at_most("skmtl / MLPRegressor", seconds["skmtl"] / peer, 0.7)
    report.at_most("the same, float32", single / peer, 0.5)
    for name in [name for name in seconds if name.endswith(" float32")][1:]:
        report.at_most(f"skmtl, float32 / {name}", single / seconds[name], 0.35)


def compare_settings(report):
    """Print the times of passes over other layouts, and other numbers of tasks."""
    contenders = {}
    for n_tasks in (2, 20, 139):
        X, Y = draw(N_ROWS, n_tasks)
        for size in (200, 1024):
            name = f"{n_tasks} tasks, batches of {size}"
            data = {"X": X, "y": Y, "batch_size": size}
            contenders[f"MLPRegressor, {name}"] = lambda data=data: fit_peer(**data)
            contenders[f"skmtl, {name}"] = lambda data=data: fit(**data)
    for n_tasks in (20, 1000):
        data = draw_rows(N_ROWS, n_tasks)
        name = f"{n_tasks} tasks, a task per row"
        contenders[f"MLPRegressor, one output, {name}"] = lambda data=data: fit_peer(
            *data[:2]
        )
        contenders[f"skmtl, {name}"] = lambda data=data: fit(*data)
    report.time(contenders, repeats=3)


def compare_solvers(report):
    """Compare the times of L-BFGS and Adam to the same objective."""
    X, y, task = draw_rows(400 if QUICK else 2000, N_TASKS)
    settings = {"max_iter": 100, "activation": "tanh"}
    goal = fit(X, y, task, **{**settings, "solver": "lbfgs"}).loss_
    settings["max_iter"] = 20 if QUICK else 3000

    def reach(solver):
        stop = lambda iteration, loss, held: loss <= goal  # noqa: E731
        return fit(X, y, task, **{**settings, "solver": solver, "callback": stop})

    contenders = {"L-BFGS": lambda: reach("lbfgs"), "Adam": lambda: reach("adam")}
    seconds, models = report.time(contenders, repeats=3)
    print(f"goal {goal:.4g}, Adam's objective {models['Adam'].loss_:.4g}")
    print(f"Adam / L-BFGS: {seconds['Adam'] / seconds['L-BFGS']:.3g}\n")


def memory(name):
    """Return the peak memory of a fit, without the data."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, Y = draw(N_ROWS)
    run = {"MLPRegressor": fit_peer, "skmtl": fit}[name]
    return peak_megabytes(lambda: run(X, Y))


def train_at_defaults(train, held, solver):
    """Fit at the defaults; return the seconds and losses so far, and the new R2."""
    curve = []
    start = time.process_time()

    def record(iteration, loss, validation_loss):
        curve.append((time.process_time() - start, loss))

    model = MultiTaskMLPRegressor(solver=solver, random_state=0, callback=record)
    model.fit(*train[:2], task=train[2])
    return np.array(curve), r2_score(held[1], model.predict(held[0], task=held[2]))


def reach(curve, loss):
    """Return the seconds until the loss was reached."""
    return curve[np.argmax(curve[:, 1] <= loss), 0]


def compare_at_defaults(name, rows, n_held, sizes):
    """Compare both solvers on more and more rows, the first of them held out."""
    held = [each[:n_held] for each in rows]
    print(f"{name}: L-BFGS | Adam (equal: to the higher of both last losses)")
    print("rows      CPU s           equal, CPU s    iterations   R2 on new rows")
    for n_rows in sizes:
        train = [each[n_held : n_held + n_rows] for each in rows]
        known = np.isin(held[2], train[2])
        seen = [each[known] for each in held]
        curves, scores = zip(
            *(train_at_defaults(train, seen, solver) for solver in ("lbfgs", "adam")),
            strict=True,
        )
        goal = max(curve[:, 1].min() for curve in curves)
        total = " | ".join(f"{curve[-1, 0]:6.2f}" for curve in curves)
        equal = " | ".join(f"{reach(curve, goal):6.2f}" for curve in curves)
        count = " | ".join(f"{len(curve):4}" for curve in curves)
        found = " | ".join(f"{score:.3f}" for score in scores)
        print(f"{n_rows:<8} {total} {equal}  {count}  {found}", flush=True)


def show_threshold():
    """Compare both solvers at their defaults, on drawn rows and on School."""
    sizes = (200,) if QUICK else (1000, 3000, 10_000, 20_000, 40_000, 100_000)
    n_held = 200 if QUICK else 10_000
    rows = draw_rows(n_held + max(sizes), N_TASKS)
    compare_at_defaults("drawn rows of 20 tasks", rows, n_held, sizes)
    if option("--data") is not None:
        data = np.load(option("--data"))
        X, y, task = data["X"], data["y"], data["task"]
        order = np.random.default_rng(0).permutation(len(y))
        X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)
        rows = X[order], y[order], task[order]
        compare_at_defaults("School", rows, 4000, (1000, 3000, 6000, 11_362))


def main():
    """Compare passes, solvers and memory."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    report = Report("Networks, two hidden layers of 64", *installed("torch"))
    if "--threshold" in sys.argv:
        show_threshold()
        return
    compare_passes(report)
    compare_settings(report)
    compare_solvers(report)
    peaks = {
        name: [in_fresh_process(memory, name)] for name in ("MLPRegressor", "skmtl")
    }
    report.table(peaks, "peak MB of a fit")
    report.finish()


if __name__ == "__main__":
    main()
