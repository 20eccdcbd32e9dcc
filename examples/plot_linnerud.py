"""
Tasks as columns of Y: three targets of the same people
=======================================================

The Linnerud data of scikit-learn have twenty men: the features are numbers of chin-ups,
sit-ups and jumps, and the targets are weight, waist and pulse. The targets are three
tasks on the same rows, so they are the columns of `Y`. Values may be missing.
"""

# %%
# The targets have different units, so they are standardised: coefficients in one unit
# can have a common centre. A fifth of the values is removed at random.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_linnerud
from sklearn.preprocessing import scale

from skmtl.linear_model import MeanRegularizedRegressorCV, MultiTaskRidge

men = load_linnerud(as_frame=True)
X = men.data.apply(scale)
Y = men.target.apply(scale)
Y = Y.mask(np.random.default_rng(0).random(Y.shape) < 0.2)
Y.head()

# %%
# Twenty rows give noisy coefficients for each target alone. The mean-regularised model
# shrinks the three tasks towards their centre.

independent = MultiTaskRidge(alpha=0).fit(X, Y)
shared = MeanRegularizedRegressorCV().fit(X, Y)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), sharey=True, layout="constrained")
for axis, model, title in zip(
    axes, [independent, shared], ["independent", "near a shared centre"], strict=True
):
    for place, task, coef in zip([-0.25, 0, 0.25], Y.columns, model.coef_, strict=True):
        axis.bar(np.arange(3) + place, coef, width=0.25, label=task)
    axis.set_xticks(np.arange(3), X.columns)
    axis.set_title(title)
axes[0].set_ylabel("coefficient")
axes[0].legend(loc="lower right")
plt.show()
