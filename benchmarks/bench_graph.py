"""Fit 500 tasks on a graph of 1500 edges (row 8), and chains of up to 10,000 tasks.

The peer of row 8 is MALSAR (``--malsar DIR``), until its objective is within 1e-8 of
the best. It gets the edges as a sparse matrix, which is faster than a dense one.

scikit-learn's Ridge minimises the same objective on a sparse design with the tasks'
blocks and a row ``sqrt(alpha) (w_sj - w_tj)`` for each edge and feature. It gets rows
centred by task; building its design is not timed.
"""

from _harness import QUICK, Report, related_tasks

# isort: split

import numpy as np
from _malsar import find_malsar, run_malsar
from scipy import sparse
from sklearn.linear_model import Ridge

from skmtl.linear_model import GraphRegularizedRegressor

ALPHA, ALPHA_RIDGE = 100.0, 0.1
TOL = 1e-8
SIZE, N_EDGES = ((20, 30, 5), 40) if QUICK else ((500, 200, 50), 1500)
CHAINS = (50, 100) if QUICK else (1000, 10_000)


def draw_graph(n_tasks, n_edges):
    """Return the adjacency of a ring with further random edges."""
    low, high = np.triu_indices(n_tasks, k=1)
    around = (high - low == 1) | (high - low == n_tasks - 1)
    others = np.random.default_rng(0).permutation(np.flatnonzero(~around))
    edges = np.append(np.flatnonzero(around), others[: n_edges - n_tasks])
    ends = (low[edges], high[edges])
    upper = sparse.coo_array((np.ones(n_edges), ends), shape=(n_tasks, n_tasks))
    return sparse.csr_array(upper + upper.T)


def augment(X, adjacency):
    """Return the design whose squared residuals are the loss and the coupling."""
    n_tasks, n_rows, n_features = X.shape
    columns = n_features * np.arange(n_tasks)[:, None] + np.arange(n_features)
    columns = np.repeat(columns, n_rows, axis=0).ravel()
    ends = np.arange(n_tasks * n_rows + 1) * n_features
    loss = sparse.csr_array((X.ravel(), columns, ends))
    root = np.sqrt(ALPHA) * incidence(adjacency)
    coupling = sparse.kron(root, sparse.eye_array(n_features))
    return sparse.csr_array(sparse.vstack([loss, coupling]))


def incidence(adjacency):
    """Return a row for each edge: 1 at one end, -1 at the other."""
    upper = sparse.triu(adjacency).tocoo()
    edge, sign, shape = np.arange(upper.nnz), np.ones(upper.nnz), (upper.nnz, SIZE[0])
    ends = [sparse.csr_array((sign, (edge, end)), shape) for end in upper.coords]
    return ends[0] - ends[1]


def centred(values):
    """Return values minus their means by task."""
    return values - values.mean(axis=1, keepdims=True)


def objective(X, y, adjacency, coef):
    """Return the objective at the best intercepts, from its definition."""
    left = centred(y - np.matmul(X, coef[:, :, None])[:, :, 0])
    ends = sparse.triu(adjacency).tocoo().coords
    gap = coef[ends[0]] - coef[ends[1]]
    return (left**2).sum() + ALPHA * (gap**2).sum() + ALPHA_RIDGE * (coef**2).sum()


def compare_on_a_graph(report):
    """Compare times at equal objective on a random graph."""
    X, y = related_tasks(*SIZE)
    rows, target = X.reshape(-1, X.shape[2]), y.ravel()
    task = np.repeat(np.arange(len(X)), X.shape[1])
    adjacency = draw_graph(SIZE[0], N_EDGES)
    design = augment(centred(X), adjacency)
    augmented = np.pad(centred(y).ravel(), (0, design.shape[0] - y.size))

    def ours():
        model = GraphRegularizedRegressor(adjacency, ALPHA, alpha_ridge=ALPHA_RIDGE)
        return model.fit(rows, target, task=task)

    def peer(solver):
        ridge = Ridge(ALPHA_RIDGE, solver=solver, tol=1e-8, fit_intercept=False)
        return ridge.fit(design, augmented)

    seconds, models = report.time(
        {
            "skmtl": ours,
            "Ridge(sparse_cg, tol=1e-8)": lambda: peer("sparse_cg"),
            "Ridge(lsqr, tol=1e-8)": lambda: peer("lsqr"),
        },
        repeats=9,
        slow=("Ridge(sparse_cg, tol=1e-8)", "Ridge(lsqr, tol=1e-8)"),
    )
    first, *peers = seconds
    best = objective(X, y, adjacency, models[first].coef_)
    for name in peers:
        coef = models[name].coef_.reshape(len(X), -1)
        value = objective(X, y, adjacency, coef)
        report.agree(f"objective, {name}", abs(value / best - 1), TOL)
    fastest = min(seconds[name] for name in peers)
    report.at_least("Ridge / skmtl", fastest / seconds[first], 1)
    malsar = find_malsar()
    if malsar is not None:
        compare_with_malsar(report, malsar, X, y, adjacency, best, seconds[first])


def compare_with_malsar(report, malsar, X, y, adjacency, best, seconds):
    """Time MALSAR, whose objective is half of ours, until it is as good."""
    call, goal = "Least_SRMTL(X, Y, R, rho, 0, opts)", best / 2 * (1 + TOL)
    given = {"R": incidence(adjacency).T, "rho": ALPHA / 2, "ridge": ALPHA_RIDGE / 2}
    run = run_malsar(malsar, call, centred(X), centred(y), goal, repeats=5, **given)
    report.table({"MALSAR": run.seconds})
    excess = objective(X, y, adjacency, run.coef) / best - 1
    report.agree(f"objective, MALSAR, {run.n_iter} steps", excess, TOL)
    ratio = np.median(run.seconds) / seconds
    report.at_least("row 8, MALSAR / skmtl", ratio, 35)


def grow_a_chain(report):
    """Compare the time per task of a short chain and a long one."""
    X, y = related_tasks(CHAINS[1], 30, 5 if QUICK else 20)

    def fit(n_tasks):
        task = np.repeat(np.arange(n_tasks), 30)
        rows = X[:n_tasks].reshape(-1, X.shape[2])
        model = GraphRegularizedRegressor("chain", ALPHA)
        return model.fit(rows, y[:n_tasks].ravel(), task=task)

    names = {f"chain of {n} tasks": n for n in CHAINS}
    works = {name: lambda n=n: fit(n) for name, n in names.items()}
    seconds, _ = report.time(works, repeats=5)
    short, long = (seconds[name] / n for name, n in names.items())
    report.at_most("time per task, long / short", long / short, 2)


def main():
    """Run both comparisons."""
    report = Report("Tasks near their neighbours")
    compare_on_a_graph(report)
    print()
    grow_a_chain(report)
    report.finish()


if __name__ == "__main__":
    main()
