"""
Two sensors with different inputs and shared layers
===================================================

A plant grades mixtures with an old sensor of six channels. A new sensor has ten
channels, and few mixtures graded so far. The sensors have no channel in common, but the
grade depends on the mixture in the same way. A network with a first layer for each
sensor, then layers that both share, and a head for each needs fewer rows of the new
sensor than a network for that sensor alone.
"""

# %%
# The data are generated. A mixture has two concentrations, and its grade depends on
# their distance from a recipe. A channel is a noisy weighted sum of both.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone

from skmtl.neural_network import MultiTaskMLPClassifier, stack_inputs

GRADES = np.array(["A", "B", "C", "D"])
rng = np.random.default_rng(0)
channels = {"old": rng.normal(size=(2, 6)), "new": rng.normal(size=(2, 10))}


def grade(mixtures):
    """Grade mixtures by their distance from the recipe."""
    return GRADES[np.digitize(np.hypot(*mixtures.T), [0.6, 1.1, 1.5])]


def measure(sensor, mixtures):
    """Return the channels of a sensor."""
    signal = mixtures @ channels[sensor]
    return signal + 0.05 * rng.normal(size=signal.shape)


old, new, test = (rng.uniform(-1.5, 1.5, size=(n, 2)) for n in (1000, 40, 2000))
inputs = {"old": measure("old", old), "new": measure("new", new)}
y = np.concatenate([grade(old), grade(new)])

# %%
# :func:`~skmtl.neural_network.stack_inputs` puts the columns of both sensors side by
# side, with zeros where a row has none. In the first layer every column has its own
# weights and, with ``task_encoding=True``, every sensor its own biases. This layer is
# thus private: four units for each sensor. The other two layers are shared. If the
# columns have different scales, scale each input before.

X, sensor = stack_inputs(inputs)
print(X.shape)
options = {"activation": "tanh", "max_iter": 2000, "random_state": 0}
network = MultiTaskMLPClassifier((4, 16, 16), task_encoding=True, **options)
shared = network.fit(X, y, task=sensor)

# %%
# For comparison, networks of several sizes and strengths are trained on the new sensor
# alone. Only the most accurate one on the test rows is shown, which favours it.

SIZES = [(16,), (8, 16)]
X_test = {name: measure(name, test) for name in channels}
Z, sensor_of_test = stack_inputs(X_test)
is_new = sensor_of_test == "new"


def fit_own(rows, grades):
    """Return the networks of the new sensor."""
    task = np.repeat("new", len(rows))
    return [
        MultiTaskMLPClassifier(sizes, alpha=alpha, **options).fit(
            rows, grades, task=task
        )
        for sizes in SIZES
        for alpha in (0.3, 1.0)
    ]


def score_own(model):
    """Return the accuracy of a network of the new sensor."""
    return np.mean(model.predict(X_test["new"], task="new") == grade(test))


def score_shared(model):
    """Return the accuracy of the shared network on the new sensor."""
    predicted = model.predict(Z, task=sensor_of_test)
    return np.mean(predicted[is_new] == grade(test))


own = max(fit_own(inputs["new"], grade(new)), key=score_own)
print(f"accuracy with 40 rows: shared {score_shared(shared):.2f}", end=", ")
print(f"own {score_own(own):.2f}, with {own.hidden_layer_sizes}, alpha={own.alpha}")

# %%
# The same with other numbers of rows of the new sensor, each drawn twice. With 160
# rows, its own network is as good.

n_rows = [20, 40, 80, 160]
accuracy = {"shared": [], "own": []}
for n in n_rows:
    found = {"shared": [], "own": []}
    for _ in range(2):
        more = rng.uniform(-1.5, 1.5, size=(n, 2))
        rows, grades = measure("new", more), grade(more)
        X, sensor = stack_inputs({"old": inputs["old"], "new": rows})
        y = np.concatenate([grade(old), grades])
        model = clone(network).fit(X, y, task=sensor)
        found["shared"].append(score_shared(model))
        found["own"].append(max(map(score_own, fit_own(rows, grades))))
    for name, values in found.items():
        accuracy[name].append(np.mean(values))

# %%
# The plots show the grades that both networks predict for the new sensor, by the two
# concentrations behind its channels. Dots are the 40 training rows.

predicted = {
    "own network": own.predict(X_test["new"], task="new"),
    "shared layers": shared.predict(Z, task=sensor_of_test)[is_new],
}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for axis, (name, grades) in zip(axes, predicted.items(), strict=False):
    codes = np.searchsorted(GRADES, grades)
    axis.scatter(*test.T, c=codes, s=9, cmap="viridis", alpha=0.5, linewidth=0)
    codes = np.searchsorted(GRADES, grade(new))
    axis.scatter(*new.T, c=codes, s=26, cmap="viridis", edgecolor="black")
    axis.set(title=name, xlabel="first concentration", aspect="equal")
axes[0].set_ylabel("second concentration")
axes[2].semilogx(n_rows, accuracy["shared"], "o-", label="shared layers")
axes[2].semilogx(n_rows, accuracy["own"], "s--", color="tab:gray", label="own network")
axes[2].set_xticks(n_rows, n_rows)
axes[2].minorticks_off()
axes[2].set(xlabel="rows of the new sensor", ylabel="accuracy, new mixtures")
axes[2].legend()
plt.show()
