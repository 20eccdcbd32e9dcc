"""Displays of tasks: their data, and what can be read in them."""

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.base import is_regressor

from skmtl.compose import make_task_pipeline
from skmtl.datasets import make_related_tasks
from skmtl.inspection import (
    CalibrationByTaskDisplay,
    CoefficientHeatmapDisplay,
    ExplanationDisplay,
    ResidualsByTaskDisplay,
    ShrinkagePathDisplay,
    TaskCoefficientsDisplay,
    TaskCovarianceDisplay,
    TaskMapDisplay,
    TaskPartialDependenceDisplay,
)
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidge,
    mean_regularized_path,
)

matplotlib = pytest.importorskip("matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")
pytest.importorskip("pandas")


@pytest.fixture(autouse=True)
def _close():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def _draw_data(n_tasks, n_features=4):
    rng = np.random.default_rng(0)
    sizes = np.maximum(rng.lognormal(2.5, 0.6, n_tasks).astype(int), 3)
    names = np.array([f"Elm Street {i}" for i in range(n_tasks)])
    X, y = make_related_tasks(
        n_tasks, sizes, n_features, task_names=names, as_frame=True, random_state=0
    )
    return X, y


def _fit(n_tasks, n_features=4):
    X, y = _draw_data(n_tasks, n_features)
    model = MeanRegularizedRegressor(task_column="task", alpha_intercept=0.5)
    return model.fit(X, y), X, y


DRAW = {
    "coefficients": lambda m, X, y: TaskCoefficientsDisplay.from_estimator(m, "x1"),
    "heat": lambda m, X, y: CoefficientHeatmapDisplay.from_estimator(m),
    "map": lambda m, X, y: TaskMapDisplay.from_estimator(m),
    "covariance": lambda m, X, y: TaskCovarianceDisplay.from_estimator(m),
    "residuals": lambda m, X, y: ResidualsByTaskDisplay.from_estimator(m, X, y),
    "dependence": lambda m, X, y: TaskPartialDependenceDisplay.from_estimator(
        m, X, "x1", n_points=4
    ),
    "explanation": lambda m, X, y: ExplanationDisplay.from_estimator(m, X),
    "calibration": lambda m, X, y: CalibrationByTaskDisplay.from_predictions(
        y > 0, 1 / (1 + np.exp(-y)), task=X["task"]
    ),
}
each_display = pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)


def _boxes(ax):
    ax.figure.canvas.draw()
    ticks = [
        tick.label1
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks()
        if axis.get_view_interval()[0] <= tick.get_loc() <= axis.get_view_interval()[1]
    ]
    texts = [*ax.texts, *ticks]
    # Without the lines to them, which the extent of an annotation includes.
    extent = matplotlib.text.Text.get_window_extent
    return [extent(each) for each in texts if each.get_text()]


@pytest.mark.parametrize("n_tasks", [2, 30, pytest.param(139, marks=pytest.mark.full)])
@each_display
def test_labels_do_not_overlap(draw, n_tasks):
    ax = draw(*_fit(n_tasks)).ax_
    pairs = combinations(_boxes(ax), 2)
    assert [pair for pair in pairs if pair[0].overlaps(pair[1])] == []


@each_display
def test_text_has_the_colours_of_the_users_style(draw):
    with plt.style.context("dark_background"):
        ax = draw(*_fit(3)).ax_
        texts = [ax.xaxis.label, ax.yaxis.label, *ax.get_yticklabels()]
        colours = {each.get_color() for each in texts}
    assert colours == {"white"}


@each_display
def test_it_draws_on_given_axes(draw):
    display = draw(*_fit(3))
    _, ax = plt.subplots()
    assert display.plot(ax=ax).ax_ is ax
    assert display.figure_ is ax.figure


def test_intervals_of_coefficients_are_those_of_the_mixed_model():
    """The covariance of all coefficients, inverted as one dense matrix."""
    model, X, _ = _fit(3, n_features=2)
    a, noise = np.array([1.0, 1.0, 0.5]), model._noise_variance(model._posterior())
    shown = [
        TaskCoefficientsDisplay.from_estimator(model, feature, coverage=0.9).intervals
        for feature in ("x0", "x1", None)
    ]
    found = np.array([each[:, 1] - each[:, 0] for each in shown]).T / (2 * 1.6448536)
    rows = np.column_stack([X[["x0", "x1"]], np.ones(len(X))])
    codes = X["task"].str[-1].astype(int).to_numpy()
    hessian = np.zeros((12, 12))
    for t in range(3):
        own, G = slice(3 * t, 3 * t + 3), rows[codes == t].T @ rows[codes == t]
        hessian[own, own] = G + np.diag(a)
        hessian[own, 9:] = hessian[9:, own] = -np.diag(a)
        hessian[9:, 9:] += np.diag(a)
    expected = np.sqrt(noise * np.diag(np.linalg.inv(hessian))[:9]).reshape(3, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "model", [MeanRegularizedClassifier(), MeanRegularizedPoissonRegressor()]
)
def test_intervals_of_two_classes_and_of_counts_are_those_of_the_curvature(model):
    """From small steps, of the variance that `predict_interval` uses."""
    X, y = _draw_data(3, n_features=2)
    target = np.round(np.exp(np.clip(y, -2, 2))) if is_regressor(model) else y > 0
    model.set_params(alpha_intercept=0.5, alpha_shared=0.1, task_column="task")
    model.fit(X, target)
    shown = TaskCoefficientsDisplay.from_estimator(model, "x1", coverage=0.9).intervals
    at_zero = model._raw_variances(np.zeros((1, 2)))[:, 0]
    both = model._raw_variances(np.array([[0.0, 1.0], [0.0, -1.0]])).sum(axis=1)
    expected = 2 * 1.6448536 * np.sqrt(both / 2 - at_zero)
    np.testing.assert_allclose(np.diff(shown)[:, 0], expected, rtol=1e-5)


def test_models_without_a_posterior_have_no_intervals():
    X, y = _draw_data(3)
    model = MultiTaskRidge(task_column="task").fit(X, y)
    display = TaskCoefficientsDisplay.from_estimator(model)
    assert display.intervals is None
    np.testing.assert_array_equal(display.values, model.intercept_)


def test_a_highlighted_task_among_many_is_named():
    model, _, _ = _fit(60)
    display = TaskCoefficientsDisplay.from_estimator(
        model, 0, highlight=["Elm Street 7"]
    )
    assert "Elm Street 7" in {each.get_text() for each in display.ax_.texts}


def test_an_unknown_highlight_is_refused():
    model, _, _ = _fit(3)
    with pytest.raises(ValueError, match="highlight must have tasks of the model"):
        TaskMapDisplay.from_estimator(model, highlight=["Oak"])


def test_an_outlier_is_at_the_edge_and_counted():
    values = np.append(np.linspace(-1, 1, 40), 1e6)
    display = TaskCoefficientsDisplay(
        tasks=np.arange(41), values=values, intervals=None, shared=0.0, name="x"
    ).plot()
    assert display.ax_.get_xlim()[1] < 2
    assert display.ax_.get_title(loc="right").startswith("1 beyond the axis")


def test_the_path_is_that_of_the_function():
    model, X, y = _fit(4)
    display = ShrinkagePathDisplay.from_estimator(model, X, y, features=["x2"])
    expected = mean_regularized_path(X, y, alpha_intercept=0.5, task_column="task")
    np.testing.assert_array_equal(display.path.coef, expected.coef)
    assert display.alpha == 1.0
    assert [each.get_title(loc="left") for each in display.axes_] == ["x2"]


def test_a_path_needs_a_regressor_near_a_centre():
    X, y = _draw_data(3)
    with pytest.raises(TypeError, match="MultiTaskRidge"):
        model = MultiTaskRidge(task_column="task").fit(X, y)
        ShrinkagePathDisplay.from_estimator(model, X, y)


def test_neighbours_in_the_table_are_more_similar_than_in_any_rotation():
    model, _, _ = _fit(6)
    display = CoefficientHeatmapDisplay.from_estimator(model)
    distance = squareform(pdist(model.coef_))
    order = display.order_
    length = distance[order[:-1], order[1:]].sum()
    assert sorted(order) == list(range(6))
    shuffles = np.random.default_rng(0).permuted(np.tile(np.arange(6), (50, 1)), axis=1)
    lengths = distance[shuffles[:, :-1], shuffles[:, 1:]].sum(axis=1)
    assert length <= np.median(lengths)


def test_symmetric_coefficients_are_no_distances():
    values = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]])
    display = CoefficientHeatmapDisplay(
        tasks=np.arange(3), features=np.array(["a", "b", "c"]), values=values
    ).plot()
    assert sorted(display.order_) == [0, 1, 2]


def test_many_tasks_are_ordered_along_the_main_direction():
    values = np.outer(np.random.default_rng(0).permutation(500), [3.0, 4.0])
    display = CoefficientHeatmapDisplay(
        tasks=np.arange(500), features=np.array(["a", "b"]), values=values
    ).plot()
    steps = np.diff(values[display.order_, 0])
    assert (steps > 0).all() or (steps < 0).all()


def test_the_map_keeps_distances_if_there_are_two_features():
    model, _, _ = _fit(5, n_features=2)
    display = TaskMapDisplay.from_estimator(model)
    np.testing.assert_allclose(pdist(display.points), pdist(model.coef_))
    np.testing.assert_allclose(display.shares.sum(), 1)


def test_a_map_of_one_feature_has_a_second_direction_of_zero():
    model, _, _ = _fit(5, n_features=1)
    display = TaskMapDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.points[:, 1], 0)


def test_correlations_of_tasks_are_cosines_of_their_own_parts():
    model, _, _ = _fit(4)
    found = TaskCovarianceDisplay.from_estimator(model).correlations
    own = model.coef_ - model.coef_shared_
    expected = 1 - squareform(pdist(own, "cosine"))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_correlations_of_features_are_those_of_the_fit():
    X, y = _draw_data(20, n_features=2)
    model = MeanRegularizedRegressorCV(
        task_column="task", alpha_structure="covariance"
    ).fit(X, y)
    found = TaskCovarianceDisplay.from_estimator(model, of="features").correlations
    covariance = model.coef_covariance_
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    np.testing.assert_allclose(found[0, 1], expected)


def test_only_tasks_and_features_have_correlations():
    model, _, _ = _fit(3)
    with pytest.raises(ValueError, match="of must be 'tasks' or 'features'"):
        TaskCovarianceDisplay.from_estimator(model, of="rows")


def test_exact_probabilities_have_no_calibration_error():
    proba = np.repeat([0.0, 0.25, 0.75, 1.0], 4)
    y = [0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1]
    display = CalibrationByTaskDisplay.from_predictions(y, proba, task=[7] * 16)
    np.testing.assert_allclose(display.errors, 0)
    np.testing.assert_allclose(display.curve[:, 0], display.curve[:, 1])


def test_the_calibration_of_a_classifier_is_that_of_its_probabilities():
    X, y = _draw_data(4)
    classes = np.where(y > 0, "up", "down")
    model = MeanRegularizedClassifier(task_column="task").fit(X, classes)
    found = CalibrationByTaskDisplay.from_estimator(model, X, classes, label="down")
    expected = CalibrationByTaskDisplay.from_predictions(
        y <= 0, model.predict_proba(X)[:, 0], task=X["task"]
    )
    np.testing.assert_array_equal(found.errors, expected.errors)
    with pytest.raises(ValueError, match="label must be a class"):
        CalibrationByTaskDisplay.from_estimator(model, X, classes, label="left")


def test_residuals_are_those_of_pandas():
    model, X, y = _fit(5)
    display = ResidualsByTaskDisplay.from_estimator(model, X, y)
    groups = (y - model.predict(X)).groupby(X["task"])
    np.testing.assert_allclose(display.quantiles[:, 2], groups.median())
    expected = groups.apply(lambda each: np.sqrt((each**2).mean()))
    np.testing.assert_allclose(display.root_mean_squares, expected)


def test_columns_of_y_are_tasks_with_residuals():
    X, y = np.arange(6.0)[:, None], np.column_stack([np.arange(6.0), np.ones(6)])
    y[0, 1] = np.nan
    model = MultiTaskRidge().fit(X, y)
    display = ResidualsByTaskDisplay.from_estimator(model, X, y)
    assert display.n_rows.tolist() == [6, 5]


def test_residuals_of_counts_may_be_standardised():
    display = ResidualsByTaskDisplay.from_predictions(
        [6.0, 2.0], [4.0, 4.0], task=[0, 0], kind="pearson"
    )
    np.testing.assert_allclose(display.root_mean_squares, [1.0])
    with pytest.raises(ValueError, match="kind must be"):
        ResidualsByTaskDisplay.from_predictions([1.0], [1.0], task=[0], kind="deviance")


def test_the_slope_of_the_dependence_of_a_linear_model_is_its_coefficient():
    X, y = _draw_data(3)
    from sklearn.preprocessing import StandardScaler

    pipeline = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressor(), task_column="task"
    ).fit(X, y)
    display = TaskPartialDependenceDisplay.from_estimator(pipeline, X, "x2")
    slopes = np.diff(display.curves[:, [0, -1]])[:, 0] / np.ptp(display.grid)
    expected = pipeline[-1].coef_[:, 2] / X["x2"].std(ddof=0)
    np.testing.assert_allclose(slopes, expected)


def test_the_dependence_of_an_unknown_feature_is_refused():
    model, X, _ = _fit(3)
    with pytest.raises(ValueError, match="feature must be a column of X"):
        TaskPartialDependenceDisplay.from_estimator(model, X, "height")


def test_bars_of_an_explanation_add_up_to_the_prediction():
    model, X, _ = _fit(3, n_features=20)
    display = ExplanationDisplay.from_estimator(model, X, row=4)
    total = display.shared.sum() + display.own.sum()
    np.testing.assert_allclose(total, model.predict(X)[4])
    lengths = sum(each.get_width() for each in display.ax_.patches)
    np.testing.assert_allclose(lengths, total)
