"""The defaults of all targets."""

import numpy as np
import pytest
from bare import Bare

from skmtl.targets import (
    ClassTarget,
    CountTarget,
    NumericTarget,
    PerTaskTarget,
    Sample,
    Target,
    float_type,
)

TASK = np.repeat([4, 5], 12)
X = np.random.default_rng(0).normal(size=(24, 2))
TARGETS = {
    "numbers": NumericTarget(),
    "classes": ClassTarget("all", None),
    "counts": CountTarget(),
    "kinds": PerTaskTarget({4: "squared", 5: "logistic"}),
}
Y = (X[:, 0] > 0) * 1
each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@each_target
def test_reading_groups_rows_by_task_and_writes_the_columns_only(target):
    model = Bare()
    sample = target.read(model, X, Y, task=TASK)
    assert isinstance(sample, Sample)
    assert sample.rows.tasks.tolist() == [4, 5]
    assert sample.rows.offsets.tolist() == [0, 12, 24]
    assert vars(model) == {"task_column": None, "n_features_in_": 2}


@each_target
def test_reading_leaves_the_arguments_as_they_were(target):
    given = X.copy(), Y.copy(), TASK.copy()
    target.read(Bare(), given[0], given[1], task=given[2], sample_weight=np.ones(24))
    for values, kept in zip(given, (X, Y, TASK), strict=True):
        assert np.array_equal(values, kept)


@each_target
def test_a_refused_target_leaves_the_estimator_as_it_was(target):
    model = Bare()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        target.read(model, X, Y[:9], task=TASK)
    assert vars(model) == {"task_column": None}


@each_target
def test_weights_of_zero_and_missing_rows_give_the_same_losses(target):
    kept = np.arange(24) % 3 > 0
    some = target.read(Bare(), X[kept], Y[kept], task=TASK[kept])
    weighted = target.read(Bare(), X, Y, task=TASK, sample_weight=1.0 * kept)
    rows, left = target.prepare(weighted, True)[0], target.prepare(some, True)[0]
    used = rows.weight > 0
    assert rows.y[used].tolist() == left.y.tolist()


@pytest.mark.parametrize("name", ["classes", "counts", "kinds"])
def test_only_numbers_have_units(name, recwarn):
    sample = TARGETS[name].read(Bare(), X, Y, task=TASK)
    TARGETS[name].check_units(sample.rows)
    assert len(recwarn) == 0


@each_target
def test_parts_of_coefficients_lose_the_axis_of_a_single_task(target):
    sample = target.read(Bare(), X.astype(np.float32), Y, task=TASK)
    parts = {"coef_part_": np.arange(4.0).reshape(2, 2)}
    whole = target.shape_parts(sample, parts, single=False)["coef_part_"]
    one = target.shape_parts(sample, parts, single=True)["coef_part_"]
    assert whole.dtype == one.dtype == np.float32
    assert whole.tolist() == [[0, 1], [2, 3]]
    assert one.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.int32, np.float64)],
)
def test_models_are_float32_only_for_float32(dtype, expected):
    assert float_type(np.zeros(2, dtype=dtype)) == expected


def test_a_target_needs_read_prepare_and_shape():
    with pytest.raises(TypeError, match=r"prepare.*read.*shape"):
        Target()
