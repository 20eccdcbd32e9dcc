"""The matrix parameter x estimator: one name has one meaning.

Linear models may differ where ``DEFAULTS``, ``CONSTRAINTS`` and ``TYPES`` say why; all
networks are the same.
"""

import inspect
import re
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from discovered import CASES, each_of, fitted, public_estimators
from sklearn.base import clone

from skmtl.base import MomentRegressor

ROOM = "skmtl.linear_model."
LINEAR = [each for each in public_estimators() if each.__module__.startswith(ROOM)]
NETWORKS = [
    each for each in public_estimators() if each.__name__.startswith("MultiTaskMLP")
]
FITTED = [case for case in CASES if type(case.model) in LINEAR]
OF_MODELS = [*FITTED, *(case for case in CASES if case.is_network)]
SEARCHES = [case for case in FITTED if case.name.endswith("CV")]
ITERATIVE = [each for each in LINEAR if "tol" in inspect.signature(each).parameters]


def relation(estimator):
    return estimator.__module__.removeprefix(ROOM).split("_")[1]


def loss(estimator):
    return "squared" if issubclass(estimator, MomentRegressor) else "any"


def relation_and_loss(estimator):
    return relation(estimator), loss(estimator)


GROUPED = {
    "MeanRegularizedClassifier",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedPoissonRegressor",
    "MeanRegularizedPoissonRegressorCV",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
}


def search(estimator):
    return estimator.__name__.endswith("CV") and estimator.__module__


def centre(estimator):
    is_near_centre = relation(estimator) in {"mean", "mixed"}
    return is_near_centre, loss(estimator), search(estimator)


def centre_and_groupings(estimator):
    grouped = estimator.__name__ in GROUPED
    return centre(estimator), relation(estimator), grouped


# Where a parameter may differ: within each group it is the same. And why.
ON_THE_MEAN_LOSS = (
    "The penalty is added to the mean loss. At 1.0 most coefficients of classes and "
    "counts would be zero, so their default is a tenth of the regressor's."
)
CHOICES = "A relation has choices of its own."
OPTIMUM = (
    "Squared losses have a solution of least norm, which is computed exactly. Other "
    "losses need a ridge penalty for a finite optimum, and a finite ridge penalty."
)
CHOSEN = "A search chooses it, unless it is given."
NO_CENTRE = "Penalties have a centre only if a strength is given."
GROUPINGS = "With several groupings, a mapping may give a strength for each."
OPTIONAL = "The fused penalty is enough alone; the dirty model needs both strengths."
DEFAULTS = {
    "alpha": (relation_and_loss, ON_THE_MEAN_LOSS),
    "alpha_between": (loss, ON_THE_MEAN_LOSS),
    "alpha_fused": (loss, ON_THE_MEAN_LOSS),
    "alpha_intercept": (centre, CHOSEN),
    "alpha_joint": (relation_and_loss, f"{ON_THE_MEAN_LOSS} {OPTIONAL}"),
    "alpha_l1": (relation_and_loss, f"{ON_THE_MEAN_LOSS} {OPTIONAL}"),
    "alpha_outlier": (loss, ON_THE_MEAN_LOSS),
    "alpha_related": (loss, ON_THE_MEAN_LOSS),
    "alpha_ridge": (loss, OPTIMUM),
    "alpha_shared": (centre, f"{OPTIMUM} {NO_CENTRE} {CHOSEN}"),
    "alpha_within": (loss, ON_THE_MEAN_LOSS),
    "method": (lambda estimator: estimator, "Each target has criteria of its own."),
    "penalty": (relation, CHOICES),
    "scale_targets": (search, "A search compares both by held-out errors."),
}
CONSTRAINTS = {
    "alpha": (
        relation_and_loss,
        "A norm needs a positive strength. Couplings allow 0, infinity, a strength per "
        "feature or per task where they can be solved.",
    ),
    "alpha_intercept": (centre, f"{CHOSEN} {GROUPINGS}"),
    "alpha_joint": (relation, OPTIONAL),
    "alpha_l1": (relation, OPTIONAL),
    "alpha_shared": (centre, f"{OPTIMUM} {CHOSEN}"),
    "alphas": (centre_and_groupings, GROUPINGS),
    "method": DEFAULTS["method"],
    "penalty": (relation, CHOICES),
}
TYPES = {
    "alpha": (centre_and_groupings, f"{CONSTRAINTS['alpha'][1]} {GROUPINGS}"),
    "alpha_intercept": (centre_and_groupings, f"{CHOSEN} {GROUPINGS}"),
    "alpha_shared": (centre, CHOSEN),
    "alphas": (centre_and_groupings, GROUPINGS),
    "graph": (relation, "Groups have models of their own, which jumps do not allow."),
    "method": DEFAULTS["method"],
    "penalty": (relation, CHOICES),
}


def default(estimator, name):
    return repr(inspect.signature(estimator).parameters[name].default)


def constraint(estimator, name):
    """Return the words of a constraint, in alphabetical order."""
    options = estimator._parameter_constraints[name]
    if isinstance(options, str):
        return options
    return sorted(str(getattr(each, "options", each)) for each in options)


def documented_type(estimator, name):
    told = re.search(rf"^    {name} : (.*?)(?:, default=.*)?$", estimator.__doc__, re.M)
    return told[1] if told else "not documented"


def matrix(read, estimators):
    """Return the value of every parameter by name and estimator."""
    table = defaultdict(dict)
    for estimator in estimators:
        for name in inspect.signature(estimator).parameters:
            table[name][estimator] = read(estimator, name)
    return table


def differing(read, exceptions, estimators=LINEAR):
    """Return the rows of the matrix with several values in one group."""
    found = {}
    for name, row in matrix(read, estimators).items():
        group, _ = exceptions.get(name, (lambda estimator: "all", ""))
        values = defaultdict(lambda: defaultdict(list))
        for estimator, value in row.items():
            values[group(estimator)][str(value)].append(estimator.__name__)
        several = [dict(each) for each in values.values() if len(each) > 1]
        if several:
            found[name] = several
    return found


def fit(case):
    """Return the fitted model and, of a search for any model, the best."""
    model = fitted(case)
    return model, getattr(model, "best_estimator_", model)


each_fit = pytest.mark.parametrize("case", FITTED, ids=lambda case: case.name)
each_search = pytest.mark.parametrize("case", SEARCHES, ids=lambda case: case.name)


def each_with(parameter):
    return each_of(
        [case for case in OF_MODELS if parameter in case.model.get_params(deep=False)]
    )


def is_on_the_mean(name):
    return DEFAULTS[name][1].startswith(ON_THE_MEAN_LOSS)


READS = {
    "default": (default, DEFAULTS),
    "constraint": (constraint, CONSTRAINTS),
    "documented type": (documented_type, TYPES),
}
each_read = pytest.mark.parametrize("read, exceptions", READS.values(), ids=READS)


@each_read
def test_a_parameter_is_the_same_in_every_estimator(read, exceptions):
    assert differing(read, exceptions) == {}


@each_read
def test_an_exception_is_needed(read, exceptions):
    assert exceptions.keys() - differing(read, {}).keys() == set()


@pytest.mark.parametrize("read", [default, constraint, documented_type])
def test_a_parameter_is_the_same_in_every_network(read):
    assert differing(read, {}, NETWORKS) == {}


# Parameters of networks that linear models have with other types, and why.
OWN = {
    "losses": "Only networks recognise the kinds of targets.",
    "max_iter": "Linear models have a limit for each solver.",
    "sharing": "It names the shared layers.",
    "solver": "Networks choose among two algorithms, by name.",
}


def test_parameters_of_networks_are_those_of_linear_models():
    both = [*LINEAR, *NETWORKS]
    own = differing(constraint, {}, both).keys() - differing(constraint, {}).keys()
    assert own == OWN.keys()
    own = differing(documented_type, {}, both).keys()
    assert own - differing(documented_type, {}).keys() <= OWN.keys()


def test_every_parameter_has_a_constraint():
    for estimator in [*LINEAR, *NETWORKS]:
        parameters = inspect.signature(estimator).parameters
        assert estimator._parameter_constraints.keys() == parameters.keys()


@pytest.mark.parametrize("name", [name for name in DEFAULTS if is_on_the_mean(name)])
def test_a_strength_on_the_mean_loss_is_a_tenth_for_classes_and_counts(name):
    by_relation = defaultdict(set)
    for estimator, value in matrix(default, LINEAR)[name].items():
        by_relation[relation(estimator)].add(float(value))
    several = [sorted(each) for each in by_relation.values() if len(each) > 1]
    assert several
    for of_others, of_regressor in several:
        assert of_regressor == 10 * of_others


def test_tol_and_max_iter_have_one_default():
    for estimator in ITERATIVE:
        assert default(estimator, "tol") == repr(1e-6)
        assert default(estimator, "max_iter") == repr(None)


@each_fit
def test_a_fit_says_how_good_it_is(case):
    _, model = fit(case)
    assert np.isfinite(model.optimality_)
    assert model.optimality_ >= 0
    assert np.isfinite(model.objective_)
    assert model.n_iter_ >= 0


@each_search
def test_a_search_has_its_strength_in_its_table(case):
    search, _ = fit(case)
    table, best = search.cv_results_, search.best_index_
    assert np.all(table["alpha"][best] == search.alpha_)
    columns = () if np.ndim(best) == 0 else (np.arange(len(best)),)
    assert np.all(table["mean_test_score"][(best, *columns)] == search.best_score_)


@each_with("fit_intercept")
def test_without_fit_intercept_all_intercepts_are_zero(case):
    model = case.with_params(fit_intercept=False).fit(case.rows())
    assert not np.any(model.intercept_)
    assert not np.any(model.intercept_shared_)


@each_with("task_column")
def test_a_task_column_says_what_labels_say(case):
    column = case.with_params(task_column=-1)
    rows = case.rows()
    expected = case.answer(fit(case)[0], rows)
    for method, found in column.answer(column.fit(rows), rows).items():
        same = pd.testing.assert_frame_equal
        same(pd.DataFrame(found), pd.DataFrame(expected[method]), rtol=1e-6)


@each_with("handle_unknown")
def test_unseen_tasks_are_predicted_or_refused(case):
    model, rows = clone(case.model), case.rows()
    case.call(model, "fit", rows)
    unseen = case.rows(labels=(7, 8, 9))
    assert len(case.answer(model, unseen)["predict"]) == len(unseen.X)
    with pytest.raises(ValueError, match="seen"):
        case.answer(model.set_params(handle_unknown="error"), unseen)
