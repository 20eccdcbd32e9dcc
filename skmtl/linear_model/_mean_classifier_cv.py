"""Classification of tasks near a shared centre, with strengths chosen from the data."""

from numbers import Integral, Real

from sklearn.metrics import get_scorer_names

from skmtl._compat import Interval, StrOptions, fit_context
from skmtl._linalg import blas_threads_for
from skmtl.problems import deal_classes

from ._classifier import CLASSIFIER_CONSTRAINTS, ClassModel
from ._coupled import NEWTON_CONSTRAINTS
from ._held_out import FAST, HeldOutScore
from ._loss_search import (
    choose,
    pose_grid,
    tabulate_alone,
    tabulate_held_out,
    tabulate_likelihoods,
)
from ._mean_classifier import MeanRegularizedClassifier
from ._ridge_cv import read_splits

_N_FOLDS = 5


class MeanRegularizedClassifierCV(ClassModel):
    """Linear classifiers that stay near a shared centre, as near as the data say."""

    _parameter_constraints = {
        "alphas": ["array-like", None],
        "alphas_intercept": ["array-like", None],
        "method": [StrOptions({"cv", "laplace"})],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "alpha_shared": [Interval(Real, 0, None, closed="left")],
        "tol": NEWTON_CONSTRAINTS["tol"],
        "max_iter": NEWTON_CONSTRAINTS["max_iter"],
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas=None,
        *,
        alphas_intercept=None,
        method="cv",
        cv=None,
        scoring=None,
        alpha_shared=1.0,
        class_scope="all",
        class_weight=None,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-10,
        max_iter=100,
    ):
        self.alphas = alphas
        self.alphas_intercept = alphas_intercept
        self.method = method
        self.cv = cv
        self.scoring = scoring
        self.alpha_shared = alpha_shared
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, task=None):
        data, classes = self._read(X, y, sample_weight, task)
        with blas_threads_for(data.X.shape[1]):
            chosen = choose(self._table(data, classes, X, y, task))
            model = self._at(chosen["alpha_"], chosen["alpha_intercept_"])
            learnt = model._learn_classes(data, classes)
        return self._keep(data, {**learnt, **chosen})

    def _softens(self):
        """Return False: a pull, however weak, holds every intercept."""
        return False

    def _at(self, alpha, level):
        """Return an unfitted model of the same parameters, and these strengths."""
        model = MeanRegularizedClassifier(alpha, alpha_intercept=level)
        known, names = self.get_params(), model.get_params()
        return model.set_params(**{k: known[k] for k in names if k in known})

    def _table(self, data, classes, X, y, task):
        """Return the scores of all strengths."""
        datafit = self._pose_rows(data, len(classes))
        if (datafit.task_totals > 0).sum() == 1:
            return tabulate_alone()
        grid = pose_grid(datafit, self.alphas, self.alphas_intercept, self.alpha_shared)
        if self.method == "laplace":
            return tabulate_likelihoods(grid)
        splits = self._read_splits(data, X, y, task)
        if self.scoring in FAST:
            measure = FAST[self.scoring](datafit)
        else:
            measure = HeldOutScore(self.scoring, self._fitter(data, classes), X, y)
        return tabulate_held_out(grid, splits, measure)

    def _read_splits(self, data, X, y, task):
        """Return splits of the rows, by default of each class of each task in turn."""
        if self.cv is None or isinstance(self.cv, Integral):
            return deal_classes(data, _N_FOLDS if self.cv is None else self.cv)
        return read_splits(self.cv, data, X, y, task)

    def _fitter(self, data, classes):
        """Return a function that makes fitted models, as scorers need them."""
        names = "n_features_in_", "feature_names_in_"
        about = {name: vars(self)[name] for name in names if name in vars(self)}

        def fitted(objective, variable):
            models = objective.unpack(variable)
            model = self._at(1.0, 0.0)
            return model._keep(data, {**about, **self._describe(models, data, classes)})

        return fitted
