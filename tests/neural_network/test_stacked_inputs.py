"""Inputs of tasks with different features."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, issparse

from skmtl.losses import contrasts
from skmtl.neural_network import MultiTaskMLP, stack_inputs

RNG = np.random.default_rng(0)
INPUTS = {"sound": RNG.normal(size=(12, 3)), "image": RNG.normal(size=(9, 2))}
CLASSES = {"sound": np.arange(12) % 3, "image": np.arange(9) % 4}
N_ROWS = 12 + 9


def relu(z):
    return np.maximum(z, 0)


def softmax(scores):
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


class Dense:
    """A layer as Keras has it: a kernel (n_inputs, n_outputs) and a bias."""

    def __init__(self, kernel, bias, activation):
        self.kernel, self.bias, self.activation = kernel, bias, activation

    def __call__(self, inputs):
        return self.activation(inputs @ self.kernel + self.bias)


def copy_layers(params):
    """Return two private layers, a shared one, and two heads with softmax."""
    first, encoding = params["trunk_weight_0"][0], params["trunk_encoding"][0]
    bias = params["trunk_bias_0"][0]
    # Tasks with fewer classes come first in a network.
    private = {
        "sound": Dense(first[:, :3].T, bias + encoding[0], relu),
        "image": Dense(first[:, 3:].T, bias + encoding[1], relu),
    }
    shared = Dense(params["trunk_weight_1"][0].T, params["trunk_bias_1"][0], relu)
    names = {"sound": "head_{}", "image": "head_{}_1"}
    heads = {}
    for label, name in names.items():
        basis = contrasts(CLASSES[label].max() + 1)
        kernel = basis @ params[name.format("weight")][0]
        bias = basis @ params[name.format("bias")][0]
        heads[label] = Dense(kernel.T, bias, softmax)
    return private, shared, heads


def test_stacked_inputs_are_a_network_with_private_first_layers():
    X, task = stack_inputs(INPUTS)
    y = np.concatenate([CLASSES[label] for label in INPUTS])
    model = MultiTaskMLP(
        dict.fromkeys(INPUTS, "multinomial"),
        (5, 4),
        alpha=0.0,
        task_encoding=True,
        normalize_y=False,
        callback=lambda iteration, *losses: iteration == 8,
        random_state=0,
    ).fit(X, y, task=task)
    private, shared, heads = copy_layers(model.parameters_)
    predicted = model.predict_proba(X, task=task)
    loss = 0.0
    for label, inputs in INPUTS.items():
        proba = heads[label](shared(private[label](inputs)))
        # Both multiply the same matrices, in another order: only rounding differs.
        found = predicted[label][task == label]
        assert_allclose(found, proba, rtol=0, atol=1e-12)
        codes = CLASSES[label]
        loss -= np.log(proba[np.arange(len(codes)), codes]).sum() / N_ROWS
    assert_allclose(model.loss_, loss, rtol=0, atol=1e-12)


def test_columns_of_arrays_are_private():
    X, task = stack_inputs(INPUTS)
    assert_array_equal(X[:12, :3], INPUTS["sound"])
    assert_array_equal(X[12:, 3:], INPUTS["image"])
    assert not X[:12, 3:].any()
    assert not X[12:, :3].any()
    assert_array_equal(task, ["sound"] * 12 + ["image"] * 9)


def test_sparse_inputs_give_a_sparse_matrix():
    X, _ = stack_inputs({**INPUTS, "image": csr_array(INPUTS["image"])})
    assert issparse(X)
    assert X.format == "csr"
    assert_array_equal(X.toarray(), stack_inputs(INPUTS)[0])


@pytest.mark.parametrize("library", [pd, pl])
def test_dataframes_share_columns_of_equal_names(library):
    frames = {
        7: library.DataFrame({"age": [1, 2], "left": [3.0, 4.0]}),
        5: library.DataFrame({"right": [5.0], "age": [6]}),
    }
    X, task = stack_inputs(frames)
    assert type(X) is library.DataFrame
    assert list(X.columns) == ["age", "left", "right"]
    assert X.to_numpy().tolist() == [[1, 3, 0], [2, 4, 0], [6, 0, 5]]
    assert task.tolist() == [7, 7, 5]


def test_float32_and_rows_of_one_task_are_kept():
    X, task = stack_inputs({"a": np.ones((2, 1), np.float32), "b": np.zeros((0, 3))})
    assert X.shape == (2, 4)
    assert task.tolist() == ["a", "a"]
    halves = {label: X.astype(np.float32) for label, X in INPUTS.items()}
    assert stack_inputs(halves)[0].dtype == np.float32


def test_nested_labels_are_joined():
    inputs = {("Ash", 1): np.ones((1, 1)), ("Elm", 2): np.ones((1, 1))}
    assert stack_inputs(inputs)[1].tolist() == ["Ash/1", "Elm/2"]


TWICE = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"])


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        ([np.ones((2, 1))], TypeError, "must map each task to its features, got a l"),
        ({}, ValueError, "at least one task, got none"),
        ({"a": np.ones(2)}, ValueError, "Expected 2D array"),
        ({"a": TWICE, "b": np.ones((1, 1))}, TypeError, "all dataframes or no data"),
        ({"a": TWICE}, ValueError, "one column of each name, got 2 of 'x'"),
        ({"a": np.ones((1, 1)), 1: np.ones((1, 1))}, ValueError, "Convert them to one"),
    ],
)
def test_unclear_inputs_raise_an_error(inputs, error, words):
    with pytest.raises(error, match=words):
        stack_inputs(inputs)
