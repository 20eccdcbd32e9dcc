"""
From independent models to one pooled model
===========================================

Six of twelve tasks have 8 rows, and six have 60. The strength `alpha` shrinks their
coefficients towards a shared centre: on the left of the plot the tasks are independent,
on the right they have equal coefficients. The error is lowest in between.
:class:`~skmtl.linear_model.MeanRegularizedRegressorCV` chooses a strength close to the
best from the training rows alone.
"""

# %%
# The data are generated, so there are enough new rows to measure the error.

import matplotlib.pyplot as plt
import numpy as np

from skmtl.datasets import make_related_tasks
from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV

sizes = np.repeat([8, 60], 6)
X, y = make_related_tasks(
    n_tasks=12,
    n_samples=sizes + 500,
    n_features=4,
    spread=0.8,
    noise=2,
    as_frame=True,
    random_state=3,
)
seen = X.groupby("task").cumcount() < sizes[X["task"]]
X_new, y_new = X[~seen], y[~seen]
X, y = X[seen], y[seen]

# %%
# Fit a model per strength, and one that chooses the strength.

alphas = np.geomspace(1e-1, 1e4, 61)
models = [
    MeanRegularizedRegressor(alpha=a, task_column="task").fit(X, y) for a in alphas
]
coefficients = np.array([model.coef_[:, 0] for model in models])
errors = [np.sqrt(np.mean((y_new - model.predict(X_new)) ** 2)) for model in models]
chosen = MeanRegularizedRegressorCV(task_column="task").fit(X, y)

# %%
# Tasks with few rows (orange) move to the centre at smaller strengths than tasks with
# many rows (blue).

figure, (above, below) = plt.subplots(
    2, sharex=True, figsize=(7, 5), height_ratios=[3, 2], layout="constrained"
)
few = above.plot(alphas, coefficients[:, :6], color="tab:orange")
many = above.plot(alphas, coefficients[:, 6:], color="tab:blue")
above.legend([few[0], many[0]], ["a task with 8 rows", "a task with 60 rows"])
above.set(ylabel="coefficient of one feature", xscale="log", xlim=alphas[[0, -1]])
below.plot(alphas, errors, color="black")
below.set(ylabel="error on new rows (RMSE)", xlabel="independent  ←  alpha  →  pooled")
for axis in (above, below):
    axis.axvline(chosen.alpha_, color="gray", linestyle="--")
    axis.spines[["top", "right"]].set_visible(False)
below.annotate(
    "chosen from training rows",
    (chosen.alpha_, max(errors)),
    xytext=(6, -8),
    textcoords="offset points",
)
plt.show()
