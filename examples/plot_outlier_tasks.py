"""
Outlier tasks
=============

Thirty machines wear in a similar way: the coefficients of each are a multiple of one
pattern. Three machines were repaired with other parts, and differ. A low-rank model is
distorted by these three. :class:`~skmtl.linear_model.RobustRegressor` gives them their
own coefficients, names them, and estimates the pattern from the others.
"""

# %%
# The data are generated, so the outlier tasks are known.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import LowRankRegressor, RobustRegressor
from skmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
n_machines, n_rows, n_features = 30, 20, 10
repaired = [4, 11, 23]
true_coef = np.outer(rng.uniform(0.5, 1.5, n_machines), rng.normal(size=n_features))
true_coef[repaired] = 1.5 * rng.normal(size=(len(repaired), n_features))
machine = np.repeat(np.arange(n_machines), n_rows)
load = rng.normal(size=(len(machine), n_features))
wear = (load * true_coef[machine]).sum(axis=1) + rng.normal(
    scale=1.5, size=len(machine)
)
X = np.column_stack([machine, load])

# %%
# Cross-validation chooses the strength of the shared part in a low-rank model. At this
# strength, more and more outlier tasks appear as `alpha_outlier` decreases.

search = GridSearchCV(
    LowRankRegressor(task_column=0),
    {"alpha": np.geomspace(0.3, 3, 7)},
    cv=TaskKFold(5, task_column=0),
).fit(X, wear)
alpha = search.best_params_["alpha"]
robust = RobustRegressor(alpha, task_column=0, warm_start=True)
alphas = alpha * np.linspace(1, 0.6, 21)
parts = np.array(
    [robust.set_params(alpha_outlier=a).fit(X, wear).coef_outlier_ for a in alphas]
)
own = np.linalg.norm(parts, axis=2)

# %%
# The first three outlier tasks are the three repaired machines. The coefficients are
# more accurate than those of the low-rank model.

model = RobustRegressor(alpha, 0.8 * alpha, task_column=0).fit(X, wear)
print(f"outlier tasks: {model.outlier_tasks_.tolist()}")
for fitted in (search.best_estimator_, model):
    error = np.sqrt(np.mean((fitted.coef_ - true_coef) ** 2))
    gap = fitted.dual_gap_ / fitted.objective_
    print(
        f"{type(fitted).__name__}: RMSE of the coefficients {error:.3f}, gap {gap:.0e}"
    )

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
lines = axes.plot(alphas, own, color="tab:blue", linewidth=1)
for machine in repaired:
    lines[machine].set(color="tab:orange", linewidth=2)
axes.legend([lines[repaired[0]], lines[0]], ["repaired", "the others"])
axes.set(
    xlim=alphas[[0, -1]], xlabel="alpha_outlier", ylabel="norm of the outlier part"
)
plt.show()
