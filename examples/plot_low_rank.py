"""
Tasks of low rank
=================

Forty customers rate products with twelve features. The coefficients of each customer
are a combination of two tastes, so all lie in a plane. 15 ratings are too few to
estimate the twelve coefficients of a customer alone.
:class:`~skmtl.linear_model.LowRankRegressor` estimates the plane from all customers,
and the position of each customer in it.
"""

# %%
# The data are generated, so the true coefficients are known.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import LowRankRegressor, MultiTaskRidgeCV
from skmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
n_customers, n_ratings, n_features = 40, 15, 12
kind = np.repeat([0, 1, 2], [14, 13, 13])
tastes = rng.normal(size=(2, n_features))
mix = np.array([[1.5, 0.2], [0.2, 1.5], [-1.0, -1.0]])[kind]
mix = mix + 0.3 * rng.normal(size=mix.shape)
true_coef = mix @ tastes

customer = np.repeat(np.arange(n_customers), n_ratings)
features = rng.normal(size=(len(customer), n_features))
rating = (features * true_coef[customer]).sum(axis=1) + 2 * rng.normal(
    size=len(customer)
)
X = np.column_stack([customer, features])

# %%
# Cross-validation chooses the strength; every fold holds out some ratings of each
# customer.

search = GridSearchCV(
    LowRankRegressor(task_column=0),
    {"alpha": np.geomspace(0.5, 8, 7)},
    cv=TaskKFold(4, task_column=0),
).fit(X, rating)
low_rank = search.best_estimator_
independent = MultiTaskRidgeCV(task_column=0).fit(X, rating)
for name, model in {"independent": independent, "low rank": low_rank}.items():
    error = np.sqrt(np.mean((model.coef_ - true_coef) ** 2))
    print(f"{name}: RMSE of the coefficients {error:.2f}")
print(f"rank {low_rank.rank_} at alpha = {low_rank.alpha:.2f}")

# %%
# With ``squared=True``, the model learns the covariance of the tasks; the correlations
# show the three kinds of customers. So does the position of each customer along the two
# leading directions.

related = LowRankRegressor(0.05, squared=True, task_column=0).fit(X, rating)
spread = np.sqrt(np.diag(related.task_covariance_))
correlation = related.task_covariance_ / np.outer(spread, spread)
directions = np.linalg.svd(low_rank.coef_, full_matrices=False)[2][:2]
position = low_rank.coef_ @ directions.T

figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 4), layout="constrained")
for group, marker in zip(range(3), "os^", strict=True):
    left.plot(*position[kind == group].T, marker, label=f"kind {group}")
left.set(xlabel="first direction", ylabel="second direction", title="map of the tasks")
left.legend()
image = right.imshow(correlation, cmap="RdBu_r", vmin=-1, vmax=1)
right.set(xlabel="customer", ylabel="customer", title="correlation of tasks")
figure.colorbar(image, ax=right, label="correlation")
plt.show()
