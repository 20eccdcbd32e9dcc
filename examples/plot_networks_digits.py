"""
Few labels of one task, many of easier tasks
============================================

Reading digits from images needs labels. Here only 20 images are labelled with their
digit. 900 others are labelled with groups of digits only, which are cheaper to get:
five tasks, each with the ten digits in three groups. A network with a trunk that all
tasks share, :class:`~skmtl.neural_network.MultiTaskMLP`, learns features of images from
the five tasks and reads digits from these features.
"""

# %%
# The images are from scikit-learn. The first column of Y is the digit, the other five
# are the groups. A label that is missing is None. No image has both.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skmtl.neural_network import MultiTaskMLP, MultiTaskMLPClassifier

images, digits = load_digits(return_X_y=True)
images = images / 16


def draw(n_labelled, seed):
    """Split the images at random, and label some by digit and 900 by groups."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits))
    by_digit = [order[digits[order] == digit] for digit in range(10)]
    few = np.concatenate([rows[: n_labelled // 10] for rows in by_digit])
    rest = order[~np.isin(order, few)]
    grouped, new = rest[:900], rest[900:]
    Y = np.full((n_labelled + 900, 6), None)
    Y[:n_labelled, 0] = digits[few]
    for column in range(1, 6):
        group_of_digit = rng.permutation(10) % 3
        Y[n_labelled:, column] = group_of_digit[digits[grouped]]
    return images[np.concatenate([few, grouped])], Y, images[new], digits[new]


X, Y, X_new, digit_new = draw(20, seed=0)
print(Y[[0, 1, 20, 21]])

# %%
# All six tasks have classes, so the loss of each is "multinomial". The network predicts
# all of them for new images.

losses = dict.fromkeys(range(6), "multinomial")
network = MultiTaskMLP(losses, 40, random_state=0).fit(X, Y)
print("new images:", digit_new[:8])
print("predicted: ", network.predict(X_new)[:8, 0])

# %%
# Three other methods show what sharing contributes. Two of them learn from the images
# with a digit only: a network of the same size, and logistic regression. The third
# shares features that are linear: a network whose hidden units have no nonlinear
# activation.


def fit_shared(X, Y, activation):
    """Return a function that predicts digits with a trunk that all tasks share."""
    network = MultiTaskMLP(losses, 40, activation=activation, random_state=0)
    network.fit(X, Y)
    return lambda X_new: network.predict(X_new)[:, 0]


def measure(n_labelled, seed):
    """Return the accuracy of each method on new images."""
    X, Y, X_new, digit_new = draw(n_labelled, seed)
    few, digit = X[:n_labelled], Y[:n_labelled, 0].astype(int)
    own = MultiTaskMLPClassifier(40, random_state=0).fit(few, digit, task=0)
    predict = {
        "shared network": fit_shared(X, Y, "relu"),
        "shared linear features": fit_shared(X, Y, "identity"),
        "own network": lambda X_new: own.predict(X_new, task=0),
        "own linear model": LogisticRegression().fit(few, digit).predict,
    }
    return {name: np.mean(each(X_new) == digit_new) for name, each in predict.items()}


sizes = [20, 40, 100]
found = {size: [measure(size, seed) for seed in range(3)] for size in sizes}
methods = list(found[20][0])
accuracy = np.array([[list(each.values()) for each in found[size]] for size in sizes])
for size, scores in zip(sizes, accuracy.mean(axis=1), strict=True):
    print(
        f"{size:3} digits:", dict(zip(methods, scores.round(2).tolist(), strict=True))
    )

# %%
# With 20 labelled digits the shared network reads many more new images correctly. The
# more digits are labelled, the smaller the difference. With 20 labelled digits, most of
# the gain is due to shared features that are linear; with 100 labelled digits, little
# is. A network of its own is no better than a linear model.

colours = ["tab:blue", "tab:orange", "tab:green", "tab:gray"]
figure, (left, right) = plt.subplots(
    ncols=2, figsize=(9.5, 3.8), layout="constrained", width_ratios=[1.2, 1]
)
for place, colour in enumerate(colours):
    scores = accuracy[:, :, place]
    left.plot(scores[0], [place] * 3, "o", color=colour, alpha=0.6)
    left.plot(scores[0].mean(), place, "|", color=colour, markersize=22)
    right.plot(sizes, scores.mean(axis=1), "o-", color=colour, label=methods[place])
left.set_yticks(range(4), methods)
left.set(ylim=(3.6, -0.6), xlabel="accuracy on new images")
left.set_title("20 labelled digits: three draws and their mean", fontsize="medium")
right.set(xscale="log", xlabel="labelled digits", ylabel="mean accuracy")
right.set_xticks(sizes, sizes)
right.minorticks_off()
right.set_title("more labelled digits", fontsize="medium")
right.legend()
plt.show()
