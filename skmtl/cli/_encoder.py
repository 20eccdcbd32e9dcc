"""Preprocessing of a table, except its task column."""

from collections import Counter
from collections.abc import Mapping

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmtl.data import list_task_columns

from ._dates import PARTS, DateFeatures

MISSING, RARE = "(missing)", "(rare)"


def make_table_encoder(
    kinds: Mapping[str, str], task_column: str | list[str]
) -> ColumnTransformer:
    """Make the transformer that turns a table into numbers, except its task column.

    Numbers are imputed by their median, with an indicator if some are missing, and
    standardised. Categories are one-hot encoded, with one column for missing ones, and
    one for rare and unseen ones. Dates become numbers (DateFeatures), true and false 1
    and 0. The task column is last and unchanged.

    Parameters
    ----------
    kinds : dict of str to str
        Kind of each column but the task column: "number", "flag", "category" or "date".
        Columns not named are left out.
    task_column : str or list of str
        Name of the task column, or of several.

    Returns
    -------
    encoder : ColumnTransformer
        Transforms a pandas frame made by :class:`TableColumns` to another.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmtl.cli import make_table_encoder
    >>> X = pd.DataFrame({"town": list("aabb"), "age": [1.0, 2, 3, None], "t": 7})
    >>> encoder = make_table_encoder({"town": "category", "age": "number"}, "t")
    >>> encoder.fit_transform(X).columns.tolist()
    ['age', 'missingindicator_age', 'town=a', 'town=b', 't']
    """
    of_kind = {
        kind: [name for name, its_kind in kinds.items() if its_kind == kind]
        for kind in _ENCODERS
    }
    steps = [
        (kind, _ENCODERS[kind](), names) for kind, names in of_kind.items() if names
    ]
    encoder = ColumnTransformer(
        [*steps, ("task", "passthrough", list_task_columns(task_column))],
        verbose_feature_names_out=False,
    )
    return encoder.set_output(transform="pandas")


def make_steps(columns):
    """Make the preprocessing steps of a model; the first selects the columns."""
    tasks = columns.task_columns
    features = {k: v for k, v in columns.kinds.items() if k not in tasks}
    encoder = make_table_encoder(features, tasks)
    return [("columns", columns), ("encoder", encoder)]


def find_clash(X, kinds):
    """Return a name that two columns of the encoded table would have, or None."""
    names = [*X.columns, *(f"missingindicator_{name}" for name in kinds)]
    for name, kind in kinds.items():
        if kind == "category":
            names += [name_category(name, value) for value in X[name].unique()]
        if kind == "date":
            names += [f"{name} {part}" for part in PARTS]
    return next((name for name, count in Counter(names).items() if count > 1), None)


def name_category(name: str, category: object) -> str:
    """Name the column of a category."""
    return f"{name}={RARE if category == 'infrequent_sklearn' else category}"


def _number():
    impute = SimpleImputer(
        strategy="median", add_indicator=True, keep_empty_features=True
    )
    return make_pipeline(impute, StandardScaler())


def _flag():
    return SimpleImputer(
        strategy="most_frequent", add_indicator=True, keep_empty_features=True
    )


def _category():
    return make_pipeline(
        SimpleImputer(strategy="constant", fill_value=MISSING),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=2,
            max_categories=20,
            sparse_output=False,
            feature_name_combiner=name_category,
        ),
    )


def _date():
    return make_pipeline(DateFeatures(), *(step for _, step in _number().steps))


_ENCODERS = {"number": _number, "flag": _flag, "category": _category, "date": _date}
