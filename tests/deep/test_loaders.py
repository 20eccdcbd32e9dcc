"""Fits from a loader per task, for data beyond the memory."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from drawn_tasks import SHORT, batches_of, draw  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from skmtl.deep import (  # noqa: E402
    TorchMultiTask,
    TorchMultiTaskClassifier,
    TorchMultiTaskRegressor,
)
from skmtl.deep._feeds import alternate, one_after_another  # noqa: E402

LOSSES = {0: "squared", 1: "poisson", 2: "multinomial"}
KINDS = {
    "numbers": TorchMultiTaskRegressor(),
    "raw numbers": TorchMultiTaskRegressor(normalize_y=False),
    "counts": TorchMultiTaskRegressor(loss="poisson"),
    "two": TorchMultiTaskClassifier(class_weight="balanced"),
    "three": TorchMultiTaskClassifier(class_scope="task"),
    "mixed": TorchMultiTask(LOSSES, task_weight={0: 1.0, 1: 2.0, 2: 0.5}),
}


def stay(parameters):
    """Return an optimiser that changes nothing."""
    return torch.optim.SGD(parameters, lr=0.0)


def draw_kind(kind):
    return draw("counts") if kind == "mixed" else draw(kind.removeprefix("raw "))


@parametrize("kind", list(KINDS), short=["three"])
def test_loaders_have_the_objective_of_rows_in_memory(kind):
    X, y, task = draw_kind(kind)
    params = {**SHORT, "optimizer": stay, "n_iter_no_change": 1}
    model = clone(KINDS[kind]).set_params(**params)
    expected = model.fit(X, y, task=task).loss_
    found = model.fit_loaders(batches_of(X, y, task)).loss_
    # The mean of the steps is the objective, summed in another order.
    assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_loaders_predicts_rows(kind):
    X, y, task = draw_kind(kind)
    model = clone(KINDS[kind]).set_params(**{**SHORT, "n_iter_no_change": 40})
    model.fit_loaders(batches_of(X, y, task))
    assert model.score(X, y, task=task) > 0.5
    assert model.n_features_in_ == X.shape[1]
    assert len(model.predict(X, task=2)) == len(X)


@pytest.mark.full
def test_loaders_of_pytorch_are_read_with_the_seed_of_the_model():
    X, y, task = draw()

    def loaders():
        return {
            t: DataLoader(
                TensorDataset(torch.tensor(X[task == t]), torch.tensor(y[task == t])),
                batch_size=8,
                shuffle=True,
            )
            for t in range(3)
        }

    model = TorchMultiTaskRegressor(**SHORT)
    curves = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        curves.append(model.fit_loaders(loaders()).loss_curve_)
    assert curves[0] == curves[1]


@pytest.mark.full
def test_images_are_rows_of_pixels_in_predictions():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(40, 1, 4, 4)).astype(np.float32)
    y = images[:, 0, 0, 0]

    def trunk(n_features):
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten())

    model = TorchMultiTaskRegressor(trunk, **SHORT)
    model.fit_loaders({"a": [(images, y)], "b": [(images[:20], y[:20])]})
    rows = images.reshape(40, -1)
    assert model.predict(rows, task="a").shape == (40,)
    assert model.predict(rows, task="a").dtype == np.float32
    assert model.shared_features(rows, task="b").shape == (40, 8)


@pytest.mark.full
def test_whole_numbers_become_floats():
    pixels = np.arange(60, dtype=np.uint8).reshape(12, 5)
    loader = [(torch.tensor(pixels), torch.arange(12.0))]
    model = TorchMultiTaskRegressor(**SHORT).fit_loaders({0: loader, 1: loader})
    assert {each.dtype for each in model.state_.values()} == {np.dtype(np.float32)}


@pytest.mark.full
def test_tasks_may_have_classes_of_their_own():
    X, y, task = draw("three")
    words = np.where(X[:, 0] > 0, "high", "low")
    loaders = batches_of(X, y, task)
    loaders[2] = batches_of(X, words, task)[2]
    losses = dict.fromkeys(range(3), "multinomial")
    model = TorchMultiTask(losses, **SHORT).fit_loaders(loaders)
    assert model.classes_[2].tolist() == ["high", "low"]
    assert model.classes_[1].tolist() == np.unique(y[task == 1]).tolist()


@pytest.mark.full
def test_a_fit_after_loaders_reads_its_own_columns():
    X, y, task = draw()
    model = TorchMultiTaskRegressor(**SHORT).fit_loaders(batches_of(X, y, task))
    wide = np.concatenate([X, X], axis=1)
    model.fit(wide, y, task=task)
    assert model.n_features_in_ == 8
    again = model.fit_loaders(batches_of(X, y, task))
    assert again.n_features_in_ == 4


@pytest.mark.full
def test_tasks_are_in_the_order_of_their_labels():
    X, y, task = draw()
    loaders = batches_of(X, y, task)
    mixed = {label: loaders[label] for label in (2, 0, 1)}
    first = TorchMultiTaskRegressor(**SHORT).fit_loaders(loaders)
    other = TorchMultiTaskRegressor(**SHORT).fit_loaders(mixed)
    assert_array_equal(other.predict(X, task=task), first.predict(X, task=task))


def test_batches_alternate_in_proportion_to_the_lengths():
    assert alternate([4, 2]) == [0, 1, 0, 0, 1, 0]
    assert alternate([1, 1, 1]) == [0, 1, 2]
    assert one_after_another([2, 1]) == [0, 0, 1]


@pytest.mark.full
@pytest.mark.parametrize(
    ("batching", "expected"),
    [("sequential", [0, 0, 0, 1, 2]), ("joint", [0, 1, 2, 0, 0])],
)
def test_an_epoch_reads_all_batches(batching, expected):
    X, y, _ = draw()
    read = []

    class Loader(list):
        def __init__(self, label, n_batches):
            super().__init__([(X[i::3], y[i::3]) for i in range(n_batches)])
            self.label = label

        def __iter__(self):
            for batch in super().__iter__():
                read.append(self.label)
                yield batch

    loaders = {label: Loader(label, n) for label, n in enumerate([3, 1, 1])}
    model = TorchMultiTaskRegressor(**{**SHORT, "n_iter_no_change": 1})
    model.set_params(batching=batching).fit_loaders(loaders)
    # The first pass reads the targets.
    assert read[:5] == [0, 0, 0, 1, 2]
    assert sorted(read[5:10]) == [0, 0, 0, 1, 2]
    assert read[5:10] == {"joint": [0, 0, 1, 2, 0]}.get(batching, expected)


# -- refused

ROWS = np.zeros((4, 2), np.float32)


@pytest.mark.full
@pytest.mark.parametrize(
    ("loaders", "text"),
    [
        ({0: []}, "loader of task 0 must yield rows, got none"),
        ({0: [ROWS]}, "task 0 must yield pairs of rows and targets, got ndarray"),
        ({0: [(1, 2, 3)]}, "must yield pairs of rows and targets, got tuple"),
        (
            {0: [(ROWS, np.arange(4))], 1: [(ROWS[:, :1], np.arange(4))]},
            r"must have one shape, got \(2,\) of task 0, \(1,\) of task 1",
        ),
        (
            {0: [(ROWS, np.arange(4))], "a": [(ROWS, np.arange(4))]},
            r"all strings or all numbers, to loaders, got the labels \[0, 'a'\]",
        ),
        ({}, r"got the labels \[\]"),
    ],
)
def test_loaders_of_another_form_are_refused(loaders, text):
    with pytest.raises(ValueError, match=text):
        TorchMultiTaskRegressor(**SHORT).fit_loaders(loaders)


@pytest.mark.full
@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"task_column": 0}, "needs task_column=None, got 0"),
        ({"early_stopping": True}, "early_stopping=True needs rows in memory"),
        ({"aggregator": "mgda"}, "aggregator compares tasks in each batch"),
        ({"input_shape": (2, 2)}, r"input_shape=\(2, 2\) must be .* got \(4,\)"),
    ],
)
def test_parameters_that_do_not_fit_loaders_are_refused(params, text):
    model = TorchMultiTaskRegressor(**SHORT, **params)
    with pytest.raises(ValueError, match=text):
        model.fit_loaders(batches_of(*draw()))


@pytest.mark.full
def test_a_target_that_the_first_pass_had_not_is_refused():
    X, y, _ = draw("three")

    class Loader:
        passes = 0

        def __iter__(self):
            self.passes += 1
            yield X, y if self.passes == 1 else y + 7

    losses = {0: "multinomial", 1: "multinomial"}
    model = TorchMultiTask(losses, **SHORT)
    with pytest.raises(ValueError, match="task 1 must yield the same targets"):
        model.fit_loaders({0: [(X, y)], 1: Loader()})
