"""
A convolutional trunk with two heads, trained alternately on two data sets
==========================================================================

Two data sets of images have different labels: one has the ten digits, the other five
groups of digits. A trunk of convolutions learns from both, with a head of ten classes
and a head of five. Each task has a loader of its own, as for images that do not fit
into memory, and training alternates between the loaders. It needs PyTorch:
``pip install "skmtl[torch]"``.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from skmtl.deep import TorchMultiTask

torch.set_num_threads(1)  # faster for images this small

# %%
# Two data sets
# -------------
#
# Few images have the label of their digit, many have only that of its group: 0 and 1,
# 2 and 3, and so on. The images are 8 x 8 pixels, with one channel.

images, digit = load_digits(return_X_y=True)
images = (images / 16).reshape(-1, 1, 8, 8).astype(np.float32)
group = digit // 2

order = np.random.default_rng(0).permutation(len(images))
with_digit, with_group, test = np.split(order, [80, 1000])


def make_loader(rows, labels):
    """Return batches of 50 images with their labels, in random order."""
    data = TensorDataset(torch.tensor(images[rows]), torch.tensor(labels[rows]))
    return DataLoader(data, batch_size=50, shuffle=True)


loaders = {
    "digit": make_loader(with_digit, digit),
    "group": make_loader(with_group, group),
}

# %%
# The network
# -----------
#
# A trunk is any module that maps images to rows of features. The estimator adds a head
# for each task, with as many outputs as the task has classes.


def make_trunk(n_features):
    """Return two convolutions, with 128 features at the end."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    )


model = TorchMultiTask(
    {"digit": "multinomial", "group": "multinomial"},
    trunk=make_trunk,
    alpha=0.1,
    learning_rate_init=0.005,
    max_iter=200,
    tol=0.01,
    random_state=0,
)
model.fit_loaders(loaders)
model.state_["heads.layers.0.weight"].shape, model.state_["heads.layers.1.weight"].shape

# %%
# Does the second data set help the first?
# ----------------------------------------
#
# Predictions take rows of pixels and the label of the task.


def measure(model, task, labels):
    """Return the fraction of test images with the right label."""
    rows = images[test].reshape(len(test), -1)
    return np.mean(model.predict(rows, task=task) == labels)


test_labels = {"digit": digit[test], "group": group[test]}
accuracies = {"own networks": [], "shared trunk": []}
for task, loader in loaders.items():
    own = TorchMultiTask(**{**model.get_params(), "losses": {task: "multinomial"}})
    own.fit_loaders({task: loader})
    accuracies["own networks"].append(measure(own, task, test_labels[task]))
    accuracies["shared trunk"].append(measure(model, task, test_labels[task]))
for name, (of_digit, of_group) in accuracies.items():
    print(f"{name}: digit {of_digit:.3f}, group {of_group:.3f}")

# %%
# The digits have 80 labelled images of their own, and gain from the 920 images of the
# other data set; the groups have enough images, and gain nothing.

fig, axis = plt.subplots(figsize=(6, 3.5))
for shift, (name, values) in enumerate(accuracies.items()):
    axis.bar(np.arange(2) + 0.35 * shift, values, 0.35, label=name)
axis.set_xticks(np.arange(2) + 0.175, ["digit, 80 images", "group, 920 images"])
axis.set(ylabel="accuracy on test images", ylim=(0.8, 1.0))
axis.legend(loc="lower right")
fig.tight_layout()

# %%
# CIFAR-10 and CIFAR-100
# ----------------------
#
# Larger images need no other estimator: their loaders yield images of shape
# (n_rows, 3, 32, 32), and the heads get 10 and 100 classes. With ``torchvision``::
#
#     from torchvision.datasets import CIFAR10, CIFAR100
#     from torchvision.models import resnet18
#     from torchvision.transforms import ToTensor
#
#     def loader(dataset):
#         data = dataset("data", download=True, transform=ToTensor())
#         return DataLoader(data, batch_size=128, shuffle=True, num_workers=4)
#
#     def trunk(n_features):
#         module = resnet18()
#         module.fc = nn.Identity()
#         return module
#
#     losses = {"cifar10": "multinomial", "cifar100": "multinomial"}
#     model = TorchMultiTask(losses, trunk=trunk, device="auto", max_iter=30)
#     model.fit_loaders({"cifar10": loader(CIFAR10), "cifar100": loader(CIFAR100)})
#
# Both data sets have 50,000 images, so their batches alternate. With
# ``batching="sequential"`` a pass trains the first task and then the second, and the
# network forgets part of the first.
