"""
Which tasks gain from sharing, and which lose
=============================================

Forty wards measure the same quantity, many on few patients. Models that share between
wards learn from all of them. But the device of one ward reverses the sign, so sharing
hurts this ward. :func:`~skmtl.inspection.compare_tasks` measures whether sharing helps,
which model is best, and which ward it hurts.
"""

# %%
# The data are generated. The number of patients increases from 12 in the first ward to
# 90 in the last.

import matplotlib.pyplot as plt
import numpy as np

from skmtl.datasets import make_related_tasks
from skmtl.inspection import compare_tasks

X, y = make_related_tasks(
    n_tasks=40,
    n_samples=np.linspace(12, 90, 40).astype(int),
    n_features=6,
    spread=0.2,
    noise=2,
    task_names=[f"ward {number}" for number in range(1, 41)],
    as_frame=True,
    random_state=1,
)
X = X.rename(columns={"task": "ward"})
y = y.where(X["ward"] != "ward 35", -y)

# %%
# None compares four models, from one per ward to one for all. All are fitted on the
# same five folds, and each fold has rows of every ward.

comparison = compare_tasks(None, X, y, task_column="ward", random_state=0)
comparison

# %%
# *gain* is the relative reduction of the error, with its standard error. *helped*
# counts wards with a smaller error than their independent model. *hurt* counts wards
# with a significantly larger error: each ward is tested, with a correction for the
# number of wards. The last line is the recommendation.
#
# The wards with the smallest gains:

comparison.tasks_frame().sort_values("gain").head().round(3)

# %%
# The mean-regularised model shrinks wards towards their centre, but less if a ward has
# many patients, so it hurts the ward that differs only a little. The pooled model has
# the same coefficients in all wards and hurts this ward much more: its red diamond lies
# outside the axis and is drawn at the edge.

comparison.plot(model="pooled + task intercepts")
plt.show()

# %%
# With fewer tasks, the plot names all of them. These are the ten wards with the fewest
# patients, which gain most.

small = X["ward"].isin([f"ward {number}" for number in range(1, 11)])
compare_tasks(None, X[small], y[small], task_column="ward", random_state=0).plot()
plt.show()
