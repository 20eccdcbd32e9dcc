"""
Tasks for which the same features matter
========================================

Fifteen clinics measure sixty markers on 25 patients each. Five markers matter, the same
everywhere, though not with the same weight. A clinic alone, by the lasso, picks markers
that happen to fit and misses some that matter;
:class:`~skmtl.linear_model.JointFeatureRegressorCV` keeps or drops a marker for all
clinics at once.
"""

# %%
# The data are generated, so that the markers that matter are known.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LassoCV

from skmtl.compose import IndependentTasks
from skmtl.linear_model import JointFeatureRegressorCV

rng = np.random.default_rng(0)
n_clinics, n_patients, n_markers = 15, 25, 60
relevant = np.array([3, 11, 20, 34, 48])
true_coef = np.zeros((n_clinics, n_markers))
true_coef[:, relevant] = rng.normal(size=(n_clinics, len(relevant)))

clinic = np.repeat(np.arange(n_clinics), n_patients)
markers = rng.normal(size=(len(clinic), n_markers))
outcome = (markers * true_coef[clinic]).sum(axis=1) + rng.normal(size=len(clinic))
X = np.column_stack([clinic, markers])

# %%
# Both choose their strength by cross-validation, the lasso one per clinic. The penalty
# "mcp" leaves large coefficients as they are, so that it need not keep more markers to
# make up for what it shrinks; ``one_standard_error`` takes the largest strength that
# predicts about as well as the best one.

joint = JointFeatureRegressorCV(penalty="mcp", one_standard_error=True, task_column=0)
joint.fit(X, outcome)
apart = IndependentTasks(LassoCV(cv=5), task_column=0).fit(X, outcome)
alone = np.array([model.coef_ for model in apart.estimators_])
for name, coef in {"each alone": alone, "joint": joint.coef_}.items():
    error = np.sqrt(np.mean((coef - true_coef) ** 2))
    print(f"{name}: RMSE of the coefficients {error:.3f}")
print("markers that matter:", relevant)
print("markers selected:   ", joint.support_)

# %%
# Each row is a clinic, each column a marker. Selection by one's own rows scatters;
# joint selection leaves columns.

figure, axes = plt.subplots(3, figsize=(8, 6), sharex=True, layout="constrained")
shown = {"true": true_coef, "each alone": alone, "joint": joint.coef_}
for axis, (title, coef) in zip(axes, shown.items(), strict=True):
    image = axis.imshow(coef, cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
    axis.set(title=title, ylabel="clinic")
axes[-1].set(xlabel="marker")
figure.colorbar(image, ax=axes, label="coefficient")
plt.show()
