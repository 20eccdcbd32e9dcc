"""Every public name says what it is for, and shows it."""

import ast
import doctest
import inspect
import re
from collections import Counter
from functools import cache, wraps
from pathlib import Path
from unittest.mock import patch

import pytest
import sklearn
from rooms import find_rooms
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version
from vocabulary import WORDS, lines, word

numpydoc = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed")

LEFT_OUT = {
    "GL01": "the summary stands on the line of the quotes, as ruff formats it",
    "ES01": "a summary that says it all needs no second paragraph",
    "SA01": "the user guide says which model is next of kin",
    "RT02": "a returned value may have a name",
}
LEFT_OUT_OF_METHODS = LEFT_OUT | {"EX01": "the example of the class shows them"}
LEFT_OUT_OF_PARTS = LEFT_OUT | {
    "EX01": "the estimators made of a part show it, its tests show it alone",
    "PR01": "below the gate, a method of one line may need no list of parameters",
    "RT01": "the summary says what is returned",
    "YD01": "or yielded",
}
PARTS = tuple(f"skmtl.{room}" for room in ("couplings", "data", "penalties", "solvers"))

API = Path(__file__).parents[2] / "docs" / "api.rst"

# Exist after fit on some data, or with some penalties, only.
SOMETIMES = {
    "classes_",
    "coef_groupings_",
    "cross_stitch_",
    "feature_names_in_",
    "groupings_",
    "intercept_groupings_",
    "task_log_variances_",
    "validation_loss_curve_",
}

# Their names are for the other rooms, not for users.
INTERNAL = {"base", "problems", "selection", "targets"}

ROOMS = find_rooms(left_out=INTERNAL)
PUBLIC = {
    f"{room.__name__}.{name}": getattr(room, name, None)
    for room in ROOMS
    for name in getattr(room, "__all__", [])
}
CLASSES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isroutine(value)}
ESTIMATORS = {
    name: value
    for name, value in CLASSES.items()
    if issubclass(value, BaseEstimator) and hasattr(value, "fit")
}
MODELS = {
    name
    for name in ESTIMATORS
    if name.startswith(("skmtl.linear_model.", "skmtl.neural_network.MultiTask"))
}
# A method that several classes inherit stands here once.
METHODS = {
    function: f"{name}.{method}"
    for name, value in CLASSES.items()
    for method, function in inspect.getmembers(value, inspect.isfunction)
    if function.__module__.startswith("skmtl") and not method.startswith("_")
}
METHODS = {name: function for function, name in METHODS.items()}

each_room = pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)


def _each(names):
    return pytest.mark.parametrize("name", sorted(names))


def _faults(name, left_out):
    left_out = LEFT_OUT_OF_PARTS if name.startswith(PARTS) else left_out
    errors = numpydoc.validate(name)["errors"]
    return [f"{code}: {text}" for code, text in errors if code not in left_out]


@cache
def _fitted_in_example(name):
    """Run the example of a class and return the instances that it fits."""
    estimator, fitted = CLASSES[name], []

    @wraps(estimator.fit)
    def fit(self, *args, **kwargs):
        fitted.append(self)
        return unwatched(self, *args, **kwargs)

    unwatched = estimator.fit
    (example,) = doctest.DocTestFinder(recurse=False).find(estimator, name)
    with patch.object(estimator, "fit", fit):
        doctest.DocTestRunner(verbose=False).run(example, out=lambda text: None)
    return [each for each in fitted if _learnt(each)]


def _learnt(estimator):
    """Names of what fit stored."""
    names = vars(estimator)
    return {name for name in names if name.endswith("_") and not name.startswith("_")}


def _documented(name):
    doc = numpydoc.get_doc_object(CLASSES[name])
    return {name for entry in doc["Attributes"] for name in entry.name.split(", ")}


def _entries(name):
    """Return the documented type, without the default, and text by name."""
    doc = numpydoc.get_doc_object(CLASSES[name])
    return {
        each.name: (each.type.partition(", default=")[0], " ".join(each.desc).split())
        for each in doc["Parameters"] + doc["Attributes"]
    }


def _unlike_the_vocabulary(name):
    """Return the entries to paste in place of those that differ."""
    estimator, pasted = CLASSES[name], []
    for each, told in _entries(name).items():
        if each in WORDS:
            kind, text = word(estimator, each)
            if told != (kind, text.split()):
                pasted.append(lines(estimator, each))
    return "\n".join(pasted)


@each_room
def test_a_room_opens_with_one_sentence(room):
    assert inspect.getdoc(room).partition("\n\n")[0].endswith(".")


@each_room
def test_a_room_lists_its_public_names(room):
    assert [name for name in room.__all__ if not hasattr(room, name)] == []


@each_room
def test_a_room_has_a_page_on_the_site(room):
    assert f"   {room.__name__}\n" in API.read_text(encoding="utf-8")


@_each(CLASSES | FUNCTIONS)
def test_a_public_name_is_documented(name):
    assert _faults(name, LEFT_OUT) == []


@_each(CLASSES | FUNCTIONS)
def test_a_default_is_the_documented_one(name):
    actual = inspect.signature(PUBLIC[name]).parameters
    for each in numpydoc.get_doc_object(PUBLIC[name])["Parameters"]:
        told = re.fullmatch(r".*default=(None|True|False|[-'\"\d].*)", each.type)
        for parameter in each.name.split(", ") if told else ():
            assert actual[parameter].default == ast.literal_eval(told[1]), parameter


@_each(MODELS)
def test_a_shared_name_is_worded_as_in_the_vocabulary(name):
    assert (pasted := _unlike_the_vocabulary(name)) == "", f"Paste:\n{pasted}"


def test_names_of_three_estimators_are_in_the_vocabulary():
    users = Counter(each for name in MODELS for each in _entries(name))
    assert {name for name, count in users.items() if count > 2} - WORDS.keys() == set()


@_each(METHODS)
def test_a_public_method_has_or_inherits_a_docstring(name):
    assert inspect.getdoc(METHODS[name])


@_each(name for name, method in METHODS.items() if method.__doc__)
def test_a_public_method_is_documented(name):
    assert _faults(name, LEFT_OUT_OF_METHODS) == []


@pytest.mark.full
@_each(name for name in ESTIMATORS if _documented(name))
def test_the_example_of_an_estimator_fits_it(name):
    assert _fitted_in_example(name)


@pytest.mark.full
@_each(ESTIMATORS)
def test_what_fit_learns_is_documented(name):
    learnt = set().union(*map(_learnt, _fitted_in_example(name)))
    assert learnt - _documented(name) == set()


@pytest.mark.full
@_each(name for name in ESTIMATORS if _documented(name))
def test_what_is_documented_is_there_after_fit(name):
    found = {each for fitted in _fitted_in_example(name) for each in dir(fitted)}
    assert _documented(name) - found - SOMETIMES == set()


@_each({name for name in ESTIMATORS if not name.startswith("skmtl.cli.")})
def test_a_notebook_shows_parameters_and_links_to_the_page(name):
    page = _example_of(ESTIMATORS[name])._repr_html_()
    assert f"/api/generated/{name}.html" in page
    described = parse_version(sklearn.__version__) >= parse_version("1.8")
    assert ("param-doc-description" in page) == described


def _example_of(estimator):
    """Return an unfitted estimator, its required arguments stood in for."""
    required = [
        parameter.name
        for parameter in inspect.signature(estimator).parameters.values()
        if parameter.default is parameter.empty
    ]
    names = "estimator", "shared", "specific"
    given = dict.fromkeys(names, LinearRegression()) | {"transformer": StandardScaler()}
    return estimator(**{name: given.get(name, 0) for name in required})
