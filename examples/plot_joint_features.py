"""
Tasks that use the same features
================================

Fifteen clinics measure sixty markers on 25 patients each. The same five markers matter
in all clinics, with different coefficients. A lasso per clinic selects irrelevant
markers and misses relevant ones. :class:`~skmtl.linear_model.JointFeatureRegressorCV`
selects each marker for all clinics or for none.
"""

# %%
# The data are generated, so the relevant markers are known.

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
# Both models choose their strength by cross-validation, the lasso one per clinic. The
# penalty "mcp" does not shrink large coefficients, so it selects fewer irrelevant
# markers than "l21". ``one_standard_error=True`` takes the largest strength with an
# error within one standard error of the smallest.

joint = JointFeatureRegressorCV(penalty="mcp", one_standard_error=True, task_column=0)
joint.fit(X, outcome)
independent = IndependentTasks(LassoCV(cv=5), task_column=0).fit(X, outcome)
alone = np.array([model.coef_ for model in independent.estimators_])
for name, coef in {"independent": alone, "joint": joint.coef_}.items():
    error = np.sqrt(np.mean((coef - true_coef) ** 2))
    print(f"{name}: RMSE of the coefficients {error:.3f}")
print("relevant markers:", relevant)
print("selected markers:", joint.support_)

# %%
# Each row is a clinic, each column a marker. Independent models select different
# markers in each clinic; joint selection keeps whole columns.

figure, axes = plt.subplots(3, figsize=(8, 6), sharex=True, layout="constrained")
shown = {"true": true_coef, "independent": alone, "joint": joint.coef_}
for axis, (title, coef) in zip(axes, shown.items(), strict=True):
    image = axis.imshow(coef, cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
    axis.set(title=title, ylabel="clinic")
axes[-1].set(xlabel="marker")
figure.colorbar(image, ax=axes, label="coefficient")
plt.show()
