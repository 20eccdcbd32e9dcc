"""Products and factorisations of all tasks on a GPU, transfers included.

The library has no GPU code. This script shows whether the GPU at hand is at least five
times as fast. Without a GPU that PyTorch can use, it says so, and only checks on the
processor that both ways agree.
"""

from _harness import QUICK, Report, installed

# isort: split

import time

import numpy as np

SIZE = (20, 12, 4) if QUICK else (20_000, 100, 64)  # tasks, rows, features
RATIO = 5.0


def solve_here(X, y):
    """Return a ridge fit of each task by NumPy."""
    across = X.swapaxes(1, 2)
    gram = across @ X + np.eye(X.shape[2])
    return np.linalg.solve(gram, across @ y[:, :, None])[:, :, 0]


def solve_there(X, y, device):
    """Return the same by PyTorch on a device: sent, solved and fetched."""
    import torch

    X, y = (torch.from_numpy(each).to(device) for each in (X, y))
    gram = X.mT @ X + torch.eye(X.shape[2], dtype=X.dtype, device=device)
    factor = torch.linalg.cholesky(gram)
    found = torch.cholesky_solve(X.mT @ y[:, :, None], factor)
    return found[:, :, 0].cpu().numpy()


def wall_seconds(work, repeats=5):
    """Return the median elapsed time of a call after a first one."""
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return np.median(found)


def main():
    """Print the times, and whether the budget is met."""
    report = Report("Grams and factorisations on a GPU", *installed("torch"))
    if not installed("torch"):
        print("PyTorch is not installed.")
        return
    import torch

    has_gpu = torch.cuda.is_available()
    rng = np.random.default_rng(0)
    X = rng.normal(size=SIZE if has_gpu else (20, *SIZE[1:]))
    y = rng.normal(size=X.shape[:2])
    device = "cuda" if has_gpu else "cpu"
    difference = np.abs(solve_there(X, y, device) - solve_here(X, y)).max()
    report.agree("coefficients, largest difference", difference, 1e-8)
    if not has_gpu:
        print("PyTorch finds no GPU, so nothing is timed.")
        return
    here = wall_seconds(lambda: solve_here(X, y))
    there = wall_seconds(lambda: solve_there(X, y, device))
    print(f"{torch.cuda.get_device_name()}: {there:.3f} s, the processor {here:.3f} s")
    report.at_least("times as fast", here / there, RATIO)
    report.finish()


if __name__ == "__main__":
    main()
