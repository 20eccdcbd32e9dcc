"""
Does sharing help? Two answers
==============================

:func:`~skmtl.inspection.compare_tasks` fits models with and without sharing on the same
folds and says which to use, and which tasks sharing hurts. Here it answers for tasks
that are related and have few rows, and for tasks that have rows enough.
"""

# %%
# Many related tasks
# ------------------
#
# Fifty tasks with ten to thirty rows each, generated around a shared centre.

import numpy as np
from sklearn.datasets import load_diabetes

from skmtl.datasets import make_related_tasks
from skmtl.inspection import compare_tasks

sizes = np.random.default_rng(0).integers(10, 31, size=50)
X, y = make_related_tasks(
    n_tasks=50, n_samples=sizes, n_features=5, as_frame=True, random_state=0
)
comparison = compare_tasks(None, X, y, task_column="task", random_state=0)
comparison

# %%
# The gain of each task, with its standard error. A single task's gain is uncertain:
# what counts is the mean, and whether a task is clearly hurt.

display = comparison.plot()

# %%
# Few tasks with rows enough
# --------------------------
#
# The diabetes data that scikit-learn ships: 442 patients, and how far their disease had
# gone a year later. Does a model per age group need the other groups?

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X["decade"] = (X["age"] // 10).clip(2, 6).astype(int)
comparison = compare_tasks(None, X, y, task_column="decade", random_state=0)
comparison

# %%
# With 44 to 125 patients in a group, sharing and not sharing do about the same.

display = comparison.plot()
