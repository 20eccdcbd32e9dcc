"""
A few tasks that are not like the others
========================================

Thirty machines age alike: the coefficients of each are a multiple of one pattern. Three
of them were repaired with other parts. A model of few directions bends to fit these
three; :class:`~skmtl.linear_model.RobustRegressor` gives them coefficients of their
own, names them, and keeps what the others share.
"""

# %%
# The data are generated, so that it is known which machines are odd.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import LowRankRegressor, RobustRegressor
from skmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
n_machines, n_rows, n_features = 30, 20, 10
odd = [4, 11, 23]
true_coef = np.outer(rng.uniform(0.5, 1.5, n_machines), rng.normal(size=n_features))
true_coef[odd] = 1.5 * rng.normal(size=(len(odd), n_features))
machine = np.repeat(np.arange(n_machines), n_rows)
load = rng.normal(size=(len(machine), n_features))
wear = (load * true_coef[machine]).sum(axis=1) + rng.normal(
    scale=1.5, size=len(machine)
)
X = np.column_stack([machine, load])

# %%
# The strength of what is shared is chosen by cross-validation, for a model without
# outliers. At that strength, outlier tasks appear as `alpha_outlier` falls.

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
# The first three to appear are the three that were repaired, and what the others share
# is learnt without them.

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
for machine in odd:
    lines[machine].set(color="tab:orange", linewidth=2)
axes.legend([lines[odd[0]], lines[0]], ["repaired", "the others"])
axes.set(xlim=alphas[[0, -1]], xlabel="alpha_outlier", ylabel="length of its own part")
plt.show()
