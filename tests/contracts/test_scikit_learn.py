"""scikit-learn's own checks hold for every estimator; the short suite tries some."""

from functools import cache

import pytest
import sklearn
from cases import parametrize
from discovered import public_estimators
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_checks as checks
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from skmtl.compose import (
    ConformalTasks,
    CurvedTasks,
    IndependentTasks,
    KernelBasis,
    PooledTasks,
    SharedPlusSpecific,
    SplineBasis,
    TaskAware,
    TaskFeatureAugmenter,
)
from skmtl.couplings import ToMean
from skmtl.kernel import (
    MeanRegularizedKernelRegressor,
    MeanRegularizedKernelRegressorCV,
)
from skmtl.linear_model import (
    ClusteredClassifier,
    ClusteredPoissonRegressor,
    ClusteredRegressor,
    DirtyClassifier,
    DirtyPoissonRegressor,
    DirtyRegressor,
    FusedClassifier,
    FusedPoissonRegressor,
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedPoissonRegressor,
    GraphRegularizedRegressor,
    JointFeatureClassifier,
    JointFeaturePoissonRegressor,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LinearTaskRegressor,
    LowRankClassifier,
    LowRankPoissonRegressor,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedHuberRegressor,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedPoissonRegressorCV,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MixedTaskModel,
    MultiTaskLogisticRegression,
    MultiTaskPoissonRegressor,
    MultiTaskRidge,
    MultiTaskRidgeCV,
    PathSearchCV,
    RobustClassifier,
    RobustPoissonRegressor,
    RobustRegressor,
)
from skmtl.model_selection import NegativeTransferGuard, TaskModelSearch
from skmtl.neural_network import (
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
    SharedFeatures,
)
from skmtl.penalties import L1
from skmtl.solvers import Fista


class NumberModel(MixedTaskModel):
    """Predict floats, as scikit-learn's checks compare predictions as numbers."""

    def predict(self, X, task=None):
        """Predict numbers."""
        return super().predict(X, task).astype(float)


class NumberNetwork(MultiTaskMLP):
    """The same for a network."""

    def predict(self, X, task=None):
        """Predict numbers."""
        return super().predict(X, task).astype(float)


# Fits are compared to 1e-7, which a larger tol cannot guarantee.
SHARP = {"tol": 1e-12}
# Few tight steps: what two ways of rounding make of many of them differs by more.
NETWORK = {
    "hidden_layer_sizes": 8,
    "activation": "tanh",
    "tol": 0.0,
    "max_iter": 15,
    "random_state": 0,
}
ADAM = {**NETWORK, "solver": "adam", "max_iter": 100, "learning_rate_init": 0.02}
SQUARED = dict.fromkeys(range(10), "squared")
# One estimator per base class, and one that reads a task column.
SOME = [
    MeanRegularizedRegressor(),
    MultiTaskRidge(task_column=0),
    MeanRegularizedClassifier(),
]
OTHERS = [
    MultiTaskRidgeCV(),
    MeanRegularizedPoissonRegressor(),
    JointFeatureRegressor(0.1, **SHARP),
    MultiTaskRidge(),
    MultiTaskRidgeCV(cv=3),
    MultiTaskRidgeCV(task_column=-1),
    MeanRegularizedRegressor(alpha_shared=1.0, alpha_intercept=1.0),
    MeanRegularizedRegressor(task_column=0),
    MeanRegularizedRegressor(alpha_intercept=1.0, task_column=-1),
    MeanRegularizedRegressorCV(),
    MeanRegularizedRegressorCV(method="reml"),
    # Strengths sought continuously differ by more than the checks allow.
    MeanRegularizedRegressorCV(
        [0.01, 1.0],
        alphas_shared=[0.01],
        alphas_intercept=[0.01],
        method="cv",
        cv=2,
    ),
    MeanRegularizedRegressorCV(task_column=0),
    MeanRegularizedHuberRegressor(),
    MeanRegularizedHuberRegressor(fit_intercept=False),
    MeanRegularizedPoissonRegressor(alpha_intercept=1.0),
    MeanRegularizedPoissonRegressorCV(),
    MeanRegularizedPoissonRegressorCV(method="laplace"),
    GraphRegularizedRegressor(),
    ClusteredRegressor(),
    FusedRegressor(),
    JointFeatureRegressor(0.1, penalty="scad", positive=True, **SHARP),
    JointFeatureRegressor(0.1, penalty="linf", **SHARP),
    JointFeatureRegressorCV(n_alphas=3, cv=2, **SHARP),
    LowRankRegressor(0.1, **SHARP),
    LowRankRegressorCV(n_alphas=3, cv=2),
    RobustRegressor(0.1, 0.08, **SHARP),
    DirtyRegressor(0.1, 0.08, **SHARP),
    LinearTaskRegressor(),
    LinearTaskRegressor(L1(0.1), coupling=ToMean(3.0), solver=Fista(**SHARP)),
    MeanRegularizedKernelRegressor(),
    MeanRegularizedKernelRegressor(kernel="laplacian", alpha_intercept=1.0),
    MeanRegularizedKernelRegressor(kernel=["linear", "poly"], task_column=0),
    # Strengths sought continuously differ by more than the checks allow.
    MeanRegularizedKernelRegressorCV(alpha=1.0, alpha_shared=1.0, gamma="scale"),
    MeanRegularizedKernelRegressorCV(method="loo", task_column=0),
    MultiTaskMLPRegressor(**NETWORK),
    MultiTaskMLPRegressor(**ADAM),
    MultiTaskMLPRegressor(sharing="cross_stitch", **NETWORK),
    MultiTaskMLPRegressor(sharing="mmoe", task_column=0, **NETWORK),
    MultiTaskMLPRegressor(loss="poisson", **NETWORK),
    MultiTaskMLPClassifier(**NETWORK),
    MultiTaskMLPClassifier(**ADAM),
    MultiTaskMLPClassifier(sharing="soft", class_scope="task", **NETWORK),
    NumberNetwork(SQUARED, **NETWORK),
    NumberNetwork(SQUARED, **ADAM),
    PathSearchCV(LowRankRegressor(), 3, cv=2),
    PathSearchCV(MeanRegularizedRegressor(), 3),
    PathSearchCV(JointFeatureClassifier(), 3, cv=2),
    PathSearchCV(MeanRegularizedClassifier(), 3, cv=2),
    PathSearchCV(MeanRegularizedPoissonRegressor(), 3, cv=2),
    NumberModel(SQUARED),
    NumberModel(SQUARED, sharing="features", alpha=0.1, tol=1e-10),
    MeanRegularizedClassifier(alpha_intercept=1.0, class_scope="task"),
    MeanRegularizedClassifier(task_column=0),
    MeanRegularizedClassifierCV(),
    MeanRegularizedClassifierCV(method="laplace"),
    GraphRegularizedClassifier(),
    JointFeatureClassifier(),
    JointFeatureClassifier(penalty="mcp"),
    LowRankClassifier(),
    ClusteredClassifier(),
    ClusteredPoissonRegressor(),
    DirtyClassifier(),
    DirtyPoissonRegressor(),
    FusedClassifier(),
    FusedPoissonRegressor(),
    GraphRegularizedPoissonRegressor(),
    JointFeaturePoissonRegressor(),
    LowRankPoissonRegressor(),
    MultiTaskLogisticRegression(),
    MultiTaskPoissonRegressor(),
    RobustClassifier(),
    RobustPoissonRegressor(),
]
SEARCH = {"shared": MeanRegularizedRegressor(), "apart": MultiTaskRidge()}
CLASS_SEARCH = {"pooled": PooledTasks(LogisticRegression())}
WRAPPERS = [
    IndependentTasks(),
    PooledTasks(),
    PooledTasks(task_intercepts=True),
    IndependentTasks(LogisticRegression()),
    PooledTasks(LogisticRegression()),
    IndependentTasks(DecisionTreeClassifier(random_state=0)),
    PooledTasks(DecisionTreeClassifier(random_state=0)),
    IndependentTasks(task_column=0),
    PooledTasks(task_column=0),
    IndependentTasks(LogisticRegression(), task_column=0),
    PooledTasks(LogisticRegression(), task_column=0, task_intercepts=True),
    TaskAware(StandardScaler(), task_column=0),
    TaskAware(StandardScaler(), task_column=-1),
    NegativeTransferGuard(
        MeanRegularizedRegressor(),
        independent=MultiTaskRidge(),
        pooled=PooledTasks(),
        cv=2,
    ),
    TaskModelSearch(SEARCH, cv=2),
    TaskModelSearch(CLASS_SEARCH, task_type="classification", cv=2),
    TaskModelSearch(SEARCH, cv=2, task_column=0),
    SharedFeatures(MultiTaskMLPRegressor(**NETWORK)),
    SharedFeatures(MultiTaskMLPRegressor(task_column=0, **NETWORK)),
    ConformalTasks(task_cv=2),
    CurvedTasks(MeanRegularizedRegressor(), basis=SplineBasis(3)),
    CurvedTasks(MeanRegularizedClassifier(), basis=SplineBasis(3)),
    SharedPlusSpecific(Ridge(), MeanRegularizedRegressor(), cv=2),
    SharedPlusSpecific(
        LogisticRegression(), MeanRegularizedClassifier(), order="shared_first", cv=2
    ),
    TaskFeatureAugmenter(),
    KernelBasis(5),
    SplineBasis(3),
]
# They take frames only, or have no rows of scikit-learn's checks.
LEFT_OUT = {"DateFeatures", "TableColumns"}

CONTINUOUS = "first column of this check's X is continuous, cannot be a task column"
OF_COLUMNS = {
    "check_sample_weight_equivalence_on_dense_data": CONTINUOUS,
    "check_sample_weight_equivalence_on_sparse_data": CONTINUOUS,
}
OF_CLASSIFIERS = {"check_classifiers_one_label_sample_weights": CONTINUOUS}
OF_OWN_CLASSIFIERS = OF_CLASSIFIERS | {
    "check_class_weight_classifiers": CONTINUOUS,
    "check_decision_proba_consistency": CONTINUOUS,
}
EARLY = parse_version(sklearn.__version__) < parse_version("1.7.2")
INTEGERS = "scikit-learn 1.7.0 subtracts in place from integers, gone in 1.7.2"
OF_EARLY = {"check_positive_only_tag_during_fit": INTEGERS} if EARLY else {}
# It draws targets below zero, whatever the tags say.
OF_COUNTS = {"check_regressor_multioutput": "draws targets below 0"}


def of_torch(estimator):
    """Return whether a class is checked in tests/deep, which needs PyTorch."""
    return estimator.__module__.startswith("skmtl.deep")


def expect(estimator):
    """Name the checks that an estimator cannot pass, and why."""
    if get_tags(estimator).target_tags.positive_only:
        return OF_COUNTS
    if isinstance(estimator, SharedFeatures):
        return expect(estimator.estimator)
    has_column = getattr(estimator, "task_column", None) is not None
    if isinstance(estimator, TaskAware) or not has_column:
        return {}
    if not is_classifier(estimator):
        return OF_COLUMNS | OF_EARLY
    is_wrapper = isinstance(estimator, (IndependentTasks, PooledTasks))
    known = OF_CLASSIFIERS if is_wrapper else OF_OWN_CLASSIFIERS
    return OF_COLUMNS | OF_EARLY | known


def each_check(estimators):
    """Parametrize by estimators and scikit-learn's checks of them."""
    mark = parametrize_with_checks(estimators, expected_failed_checks=expect).mark
    # An estimator has some 60 checks, and its id takes longer than some of them.
    ids = cache(mark.kwargs["ids"])
    return pytest.mark.parametrize(*mark.args, ids=ids)


@each_check(SOME)
def test_conventions_hold_for_some(estimator, check):
    check(estimator)


# Networks of few steps warn that their loss still falls.
@pytest.mark.filterwarnings("ignore:The loss still falls")
@pytest.mark.full
@each_check(OTHERS)
def test_conventions_hold_for_all(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@each_check(WRAPPERS[:1])
def test_conventions_hold_for_a_wrapper(estimator, check):
    check(estimator)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
@each_check(WRAPPERS[1:])
def test_conventions_hold_for_all_wrappers(estimator, check):
    check(estimator)


@parametrize(
    "estimator",
    [*SOME[:2], MultiTaskRidgeCV(), MeanRegularizedRegressorCV(), *WRAPPERS],
    short=[SOME[1], WRAPPERS[1], WRAPPERS[11]],
)
@pytest.mark.parametrize(
    "check",
    [
        checks.check_dataframe_column_names_consistency,
        checks.check_param_validation,
        checks.check_inplace_ensure_writeable,
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_conventions_that_are_not_yielded_hold(estimator, check):
    check(type(estimator).__name__, estimator)


def test_every_public_estimator_is_checked():
    checked = {type(each) for each in [*SOME, *OTHERS, *WRAPPERS]}
    names = {base.__name__ for each in checked for base in each.__mro__}
    public = {each.__name__ for each in public_estimators() if not of_torch(each)}
    assert public - LEFT_OUT <= names
