"""
Shared features, and exceptions
===============================

In twenty shops, three features affect sales everywhere. In some shops, one more feature
matters. Joint selection adds the exceptions of one shop to all shops; selection in each
shop alone ignores that three features are common.
:class:`~skmtl.linear_model.DirtyRegressor` combines both.
"""

# %%
# The data are generated, so the true coefficients are known.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import DirtyRegressor, LinearTaskRegressor
from skmtl.model_selection import TaskKFold
from skmtl.penalties import L1, L21

rng = np.random.default_rng(0)
n_shops, n_rows, n_features = 20, 30, 25
true_coef = np.zeros((n_shops, n_features))
true_coef[:, [2, 9, 17]] = rng.normal(1, 0.4, size=(n_shops, 3))
for shop in range(0, n_shops, 3):
    true_coef[shop, rng.integers(n_features)] += 3
shop = np.repeat(np.arange(n_shops), n_rows)
features = rng.normal(size=(len(shop), n_features))
sales = (features * true_coef[shop]).sum(axis=1) + 1.5 * rng.normal(size=len(shop))
X = np.column_stack([shop, features])

# %%
# Cross-validation chooses the strengths of each model. The first two models are
# :class:`~skmtl.linear_model.LinearTaskRegressor` with a penalty.

folds = TaskKFold(3, task_column=0)
strengths = np.geomspace(0.1, 1, 6)
independent = LinearTaskRegressor(L1(), task_column=0)
joint = LinearTaskRegressor(L21(), task_column=0)
dirty = DirtyRegressor(task_column=0)
both = {"alpha_joint": strengths, "alpha_l1": strengths}
searches = {
    "each shop alone": GridSearchCV(
        independent, {"penalty__alpha": strengths}, cv=folds
    ),
    "same features": GridSearchCV(joint, {"penalty__alpha": strengths}, cv=folds),
    "with exceptions": GridSearchCV(dirty, both, cv=folds),
}
models = {
    name: search.fit(X, sales).best_estimator_ for name, search in searches.items()
}
for name, model in models.items():
    error = np.sqrt(np.mean((model.coef_ - true_coef) ** 2))
    print(f"{name}: RMSE of the coefficients {error:.3f}")

# %%
# A shared feature is a column of coefficients; an exception is a single cell.

dirty = models["with exceptions"]
shared = dirty.coef_ - dirty.coef_specific_
pictures = {"true": true_coef, "shared": shared, "exceptions": dirty.coef_specific_}
figure, axes = plt.subplots(
    ncols=3, figsize=(9, 3.5), sharey=True, layout="constrained"
)
for axis, (title, values) in zip(axes, pictures.items(), strict=True):
    image = axis.imshow(values, cmap="RdBu_r", vmin=-3, vmax=3, aspect="auto")
    axis.set(title=title, xlabel="feature")
axes[0].set(ylabel="shop")
figure.colorbar(image, ax=axes, label="coefficient")
plt.show()
