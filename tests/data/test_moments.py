from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skmtl.data import SharedRows, TaskRows, summarise

sizes_drawn = st.lists(st.integers(0, 12), min_size=1, max_size=8).filter(any)
seeds = st.integers(0, 10_000)
NAMES = ("weight", "x_mean", "y_mean", "xx", "xy", "yy")


def draw(sizes, n_features=3, seed=0, offset=0.0, weighted=False):
    """Return X, y, codes and weights of tasks of these sizes, rows mixed."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(size=(len(codes), n_features)) + offset
    y = rng.normal(size=len(codes)) + X[:, 0] - offset
    weight = rng.integers(0, 4, len(codes)).astype(float) if weighted else None
    return X, y, codes, weight


def naive(X, y, codes, weight=None):
    """Compute the moments of each task by the textbook, in extended precision."""
    X, y = X.astype(np.longdouble), y.astype(np.longdouble)
    weight = np.ones(len(y)) if weight is None else weight
    found = []
    for t in np.unique(codes):
        rows, w = codes == t, weight[codes == t]
        n = w.sum()
        share = w / max(n, 1e-300)
        x_mean, y_mean = share @ X[rows], share @ y[rows]
        dx, dy = X[rows] - x_mean, y[rows] - y_mean
        xx, xy, yy = (w * dx.T) @ dx, (w * dy) @ dx, (w * dy) @ dy
        found.append((n, x_mean, y_mean, xx, xy, yy))
    return [np.array(values, dtype=float) for values in zip(*found, strict=True)]


def assert_same(found, expected, rtol=1e-10, atol=1e-10):
    assert_array_equal(found.tasks, expected.tasks)
    for name in NAMES:
        assert_allclose(
            getattr(found.per_task(), name),
            getattr(expected.per_task(), name),
            rtol=rtol,
            atol=atol,
            err_msg=name,
        )


@given(
    sizes=sizes_drawn, n_features=st.integers(1, 5), seed=seeds, weighted=st.booleans()
)
def test_moments_are_those_of_the_textbook(sizes, n_features, seed, weighted):
    X, y, codes, weight = draw(sizes, n_features, seed, 2.0, weighted)
    found = summarise(X, y, codes, weight)
    assert_array_equal(found.tasks, np.unique(codes))
    for name, expected in zip(NAMES, naive(X, y, codes, weight), strict=True):
        heavy = found.weight > 0
        values = getattr(found, name)[heavy]
        assert_allclose(values, expected[heavy], rtol=1e-10, atol=1e-10, err_msg=name)


@given(
    sizes=sizes_drawn, seed=seeds, n_batches=st.integers(1, 5), weighted=st.booleans()
)
def test_batches_in_any_order_add_up_to_the_whole(sizes, seed, n_batches, weighted):
    X, y, codes, weight = draw(sizes, 3, seed, 5.0, weighted)
    rng = np.random.default_rng(seed)
    weight = np.ones(len(y)) if weight is None else weight
    parts = [p for p in np.array_split(rng.permutation(len(y)), n_batches) if len(p)]
    batches = [summarise(X[p], y[p], codes[p], weight[p]) for p in parts]
    total = batches[0]
    for batch in batches[1:]:
        total = batch + total
    assert_same(total, summarise(X, y, codes, weight))


@given(seed=seeds, sizes=sizes_drawn)
def test_addition_does_not_mind_brackets(seed, sizes):
    a, b, c = (summarise(*draw(sizes, 3, seed + k)[:3]) for k in range(3))
    assert_same((a + b) + c, a + (b + c))
    assert_same(a + b, b + a)


@given(sizes=sizes_drawn, seed=seeds)
def test_integer_weights_are_repetitions(sizes, seed):
    X, y, codes, weight = draw(sizes, 3, seed, 1.0, weighted=True)
    times = weight.astype(int)
    repeated = [np.repeat(values, times, axis=0) for values in (X, y, codes)]
    weighted = summarise(X, y, codes, weight)
    heavy = np.flatnonzero(weighted.weight > 0)
    assert_same(weighted.select(heavy), summarise(*repeated))


def test_chunks_are_the_whole(monkeypatch):
    """Tall tasks are cut into pieces, small ones stacked; neither is seen."""
    X, y, codes, weight = draw([3000, 1, 0, 40, 40, 7, 900], 4, weighted=True)
    whole = summarise(X, y, codes, weight)
    monkeypatch.setattr("skmtl.data._row_stacks.CACHE", 64)
    monkeypatch.setattr("skmtl.data._row_stacks._TALL", 12)
    assert_same(summarise(X, y, codes, weight), whole, 1e-9, 1e-9)
    order = np.argsort(codes, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=7))])
    rows = TaskRows(X, order, y[order], weight[order], offsets, np.arange(7))
    assert max(group.X.size for group in rows.groups()) <= 64
    assert len({*np.concatenate([g.rows.ravel() for g in rows.groups()])}) == len(y)


def test_shared_rows_have_the_moments_of_stacked_rows():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(500, 3)) + 7, rng.normal(size=(500, 4))
    data = SharedRows(X, Y, rng.random(500), np.arange(4))
    whole = data.moments()
    assert len(whole.xx) == 1
    stacked = data.stacked().moments()
    assert_same(whole, stacked, 1e-9)


@pytest.mark.parametrize("size", [2_000, 300_000])
def test_a_long_table_of_shared_rows_is_read_in_pieces(size):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(size, 2)) + 1e4, rng.normal(size=(size, 2))
    moments = SharedRows(X, Y, None, np.arange(2)).moments()
    assert_allclose(moments.xx[0], np.cov(X.T) * (size - 1), rtol=1e-8, atol=1e-6)
    assert_allclose(moments.x_mean[0], X.mean(axis=0))


@pytest.mark.parametrize("size", [5, 4000])
def test_an_offset_of_a_hundred_million_deviations_costs_no_more_than_it_must(size):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3 * size, 3)), rng.normal(size=3 * size)
    moved, codes = X + 1e8, np.repeat([0, 1, 2], size)
    plain = summarise(moved - 1e8, y, codes)
    found = summarise(moved, y, codes)
    halves = summarise(moved[::2], y[::2], codes[::2]) + summarise(
        moved[1::2], y[1::2], codes[1::2]
    )
    for moments in (found, halves):
        assert_allclose(moments.xx, plain.xx, rtol=1e-7, atol=1e-6 * size)
        assert_allclose(moments.xy, plain.xy, atol=1e-6 * size)


def test_float32_with_a_large_mean_keeps_its_digits():
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(400, 3)) + 1e4).astype(np.float32)
    y, codes = rng.normal(size=400), np.repeat([0, 1], 200)
    found = summarise(X, y, codes)
    expected = summarise(X.astype(float), y, codes)
    assert found.xx.dtype == np.float64
    assert_same(found, expected, rtol=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e5 / 3, -7e-5, 1e-300])
def test_a_constant_column_has_no_scatter(value):
    X, y, codes, _ = draw([7, 23, 100, 1], 3)
    X[:, 1] = value
    moments = summarise(X, y, codes)
    moments = moments + summarise(X[::3], y[::3], codes[::3])
    shared = SharedRows(X, y[:, None], None, np.arange(1)).moments()
    for some in (moments, shared):
        assert (some.xx[:, 1] == 0).all()
        assert (some.xx[:, :, 1] == 0).all()
        assert (some.xy[:, 1] == 0).all()


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csr_matrix])
def test_sparse_rows_are_dense_rows(make):
    X, y, codes, weight = draw([7, 0, 12, 1], 5, weighted=True)
    X = X * (np.random.default_rng(1).random(X.shape) > 0.6)
    dense = summarise(X, y, codes, weight)
    assert_same(summarise(make(X), y, codes, weight), dense)
    shared = SharedRows(X, y[:, None], weight, np.arange(1))
    assert_same(replace(shared, X=make(X)).moments(), shared.moments())


def test_tasks_without_rows_have_no_weight_and_zero_moments():
    X, y, codes, _ = draw([4, 0, 3, 0], 2)
    order = np.argsort(codes, kind="stable")
    offsets = np.array([0, 4, 4, 7, 7])
    found = TaskRows(X, order, y[order], None, offsets, np.arange(4)).moments()
    assert_array_equal(found.weight, [4, 0, 3, 0])
    assert_array_equal(found.xx[[1, 3]], 0)
    assert_same(found.select([0, 2]), summarise(X, y, codes))


def test_moments_without_matrices_are_the_same_but_for_them():
    X, y, codes, weight = draw([5, 12, 2], 3, weighted=True)
    order = np.argsort(codes, kind="stable")
    rows = TaskRows(
        X, order, y[order], weight[order], np.array([0, 5, 17, 19]), np.arange(3)
    )
    less, full = rows.moments(curvature=False), rows.moments()
    assert less.xx is None
    for name in ("weight", "x_mean", "y_mean", "xy", "yy"):
        assert_allclose(getattr(less, name), getattr(full, name))


def test_new_tasks_join_in_sorted_order():
    a = summarise(np.ones((2, 1)), np.arange(2.0), ["b", "d"])
    b = summarise(np.ones((2, 1)), np.arange(2.0), ["a", "c"])
    assert (a + b).tasks.tolist() == ["a", "b", "c", "d"]
    assert (a + b).y_mean.tolist() == [0, 0, 1, 1]


def test_shared_scatters_stay_shared_when_added():
    rng = np.random.default_rng(0)
    parts = [
        SharedRows(rng.normal(size=(9, 3)), rng.normal(size=(9, 4)), None, np.arange(4))
        for _ in range(2)
    ]
    total = parts[0].moments() + parts[1].moments()
    assert total.xx.shape == (1, 3, 3)
    stacked = parts[0].stacked().moments() + parts[1].stacked().moments()
    assert_same(total, stacked)
    assert_same(parts[0].moments() + parts[1].stacked().moments(), stacked)


@given(sizes=sizes_drawn, seed=seeds)
def test_scatter_about_zero_is_a_sum_of_squares(sizes, seed):
    X, y, codes, weight = draw(sizes, 3, seed, 1.0, weighted=True)
    found = summarise(X, y, codes, weight).about_zero()
    assert_array_equal(found.x_mean, 0)
    for t, task in enumerate(found.tasks):
        rows, w = X[codes == task], weight[codes == task]
        assert_allclose(found.xx[t], (w * rows.T) @ rows, rtol=1e-9, atol=1e-9)
        assert_allclose(found.xy[t], (w * y[codes == task]) @ rows, atol=1e-9)


@given(sizes=sizes_drawn, seed=seeds)
def test_squared_errors_are_those_of_the_rows(sizes, seed):
    X, y, codes, weight = draw(sizes, 3, seed, 1.0, weighted=True)
    moments = summarise(X, y, codes, weight)
    rng = np.random.default_rng(seed)
    coef, intercept = rng.normal(size=(len(sizes), 3)), rng.normal(size=len(sizes))
    left = y - (X * coef[codes]).sum(axis=1) - intercept[codes]
    expected = np.bincount(codes, weight * left**2, minlength=len(sizes))[moments.tasks]
    found = moments.squared_errors(coef[moments.tasks], intercept[moments.tasks])
    assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_a_prediction_taken_off_the_target_is_taken_off_the_moments():
    X, y, codes, weight = draw([5, 12, 2], 3, weighted=True)
    coef = np.array([1.0, -2.0, 0.5])
    found = summarise(X, y, codes, weight).minus_prediction(coef, 3.0)
    expected = summarise(X, y - X @ coef - 3, codes, weight)
    assert_same(found, expected)


def test_weights_of_tasks_multiply_those_of_rows():
    X, y, codes, weight = draw([5, 12, 2], 3, weighted=True)
    factor = np.array([2.0, 0.5, 3.0])
    found = summarise(X, y, codes, weight).weighted(factor)
    assert_same(found, summarise(X, y, codes, weight * factor[codes]))
    plain = summarise(X, y, codes)
    assert plain.weighted(None) is plain
    assert plain.weighted(np.ones(3)) is plain


# -- labels


def test_repeated_labels_are_refused():
    one = summarise(np.ones((2, 1)), np.ones(2), [0, 1])
    with pytest.raises(ValueError, match=r"must be distinct, got some twice"):
        replace(one, tasks=np.array([3, 3]))


def test_integers_do_not_merge_with_strings():
    X, y = np.ones((2, 1)), np.ones(2)
    numbers = summarise(X, y, [1, 2])
    words = summarise(X, y, ["1", "2"])
    message = r"all integers or all strings to be merged, got \[1, 2\]"
    with pytest.raises(ValueError, match=message):
        numbers + words


def test_other_features_do_not_merge():
    one = summarise(np.ones((2, 1)), np.ones(2), [1, 2])
    two = summarise(np.ones((2, 3)), np.ones(2), [1, 2])
    with pytest.raises(ValueError, match=r"same features to be added, got 1 and 3"):
        one + two


@given(n_tasks=st.integers(1, 400), seed=seeds)
def test_many_ragged_tasks_are_each_summed_once(n_tasks, seed):
    sizes = np.random.default_rng(seed).integers(1, 30, n_tasks)
    X, y, codes, _ = draw(sizes, 2, seed, 10.0)
    found = summarise(X, y, codes)
    assert_array_equal(found.weight, sizes)
    assert_allclose(found.y_mean, np.bincount(codes, y) / sizes, rtol=1e-9, atol=1e-12)


def test_moments_without_matrices_are_weighted_like_others():
    rng = np.random.default_rng(0)
    X, Y, factor = rng.normal(size=(9, 2)), rng.normal(size=(9, 3)), np.arange(3.0)
    rows = SharedRows(X, Y, None, np.arange(3), task_weight=factor)
    light, heavy = rows.moments(curvature=False), rows.moments()
    assert light.xx is None
    np.testing.assert_array_equal(light.xy, heavy.xy)
    np.testing.assert_array_equal(light.weight, heavy.weight)


@pytest.mark.parametrize("where", ["X", "y"])
@pytest.mark.parametrize("size", [1e80, 1e160, 1e300])
def test_numbers_whose_squares_overflow_are_refused(where, size):
    X, y, codes, _ = draw([5, 3], 2)
    X, y = {"X": (X * size, y), "y": (X, y * size)}[where]
    message = r"Sums of squares of X and y must be below .* Divide the column"
    with pytest.raises(ValueError, match=message):
        summarise(X, y, codes)
    with pytest.raises(ValueError, match=message):
        SharedRows(X, y[:, None], None, np.arange(1)).moments()


def test_columns_whose_squares_underflow_do_not_vary():
    X, y, codes, _ = draw([5, 3], 2)
    moments = summarise(X * np.array([1.0, 1e-120]), y, codes)
    assert (moments.xx[:, 1] == 0).all()
    assert (moments.xx[:, 0, 0] > 0).all()
