"""Choose a strength for each of 2000 outputs on one design (row 3).

scikit-learn's RidgeCV(alpha_per_target=True) does the same work: exact leave-one-out
errors of every output at 20 strengths, and a fit of each output at its best.
"""

from _harness import QUICK, Report, in_fresh_process, peak_megabytes

# isort: split

import numpy as np
from sklearn.linear_model import RidgeCV

from skmtl.linear_model import MultiTaskRidgeCV

SIZE = (60, 5, 10) if QUICK else (5000, 500, 2000)
ALPHAS = np.geomspace(1, 1e6, 20)


def draw(n_rows, n_features, n_tasks):
    """Draw outputs whose best strengths differ widely."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    coef = rng.normal(size=(n_features, n_tasks)) * np.geomspace(0.003, 0.3, n_tasks)
    return X, X @ coef + rng.normal(size=(n_rows, n_tasks)) + rng.normal(size=n_tasks)


MODELS = {
    "skmtl MultiTaskRidgeCV": lambda: MultiTaskRidgeCV(ALPHAS),
    "RidgeCV(alpha_per_target=True)": lambda: RidgeCV(ALPHAS, alpha_per_target=True),
}


def memory(name):
    """Return the peak memory of a fit, without the data."""
    X, Y = draw(*SIZE)
    return peak_megabytes(lambda: MODELS[name]().fit(X, Y))


def objective(X, Y, model):
    """Return each output's penalised squared error, from its definition."""
    left = Y - X @ model.coef_.T - model.intercept_
    return (left**2).sum(axis=0) + model.alpha_ * (model.coef_**2).sum(axis=1)


def main():
    """Compare times and memory at equal choices and equal objective."""
    X, Y = draw(*SIZE)
    report = Report("Ridge with a strength per output, by exact leave-one-out")
    contenders = {
        name: lambda make=make: make().fit(X, Y) for name, make in MODELS.items()
    }
    seconds, models = report.time(contenders, repeats=5, slow=contenders)
    peaks = {name: [in_fresh_process(memory, name)] for name in MODELS}
    report.table(peaks, "peak MB of a fit")
    ours, peer = models.values()
    n_different = (ours.alpha_ != peer.alpha_).sum()
    values, counts = np.unique(peer.alpha_, return_counts=True)
    print(f"strengths chosen: {len(values)}, the commonest {counts.max()} times")
    report.agree("outputs that got another strength", n_different, 0)
    gap = np.abs(objective(X, Y, ours) / objective(X, Y, peer) - 1).max()
    report.agree("objective", gap, 1e-10)
    first, second = MODELS
    report.at_least("row 3, RidgeCV / skmtl", seconds[second] / seconds[first], 4)
    report.at_most(
        "row 3, memory, skmtl / RidgeCV", peaks[first][0] / peaks[second][0], 0.5
    )
    report.finish()


if __name__ == "__main__":
    main()
