"""Turn a table of numbers, text, dates and gaps into numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skmtl.data import list_task_columns

from ._date_features import DateFeatures

MISSING, RARE = "(missing)", "(rare)"
# Kinds of columns of a cast table, by those of their dtypes.
_KINDS = {"number": "f", "category": "O", "date": "M"}


def make_table_encoder(
    kinds: Mapping[str, str] | None = None,
    task_column: str | list[str] | None = None,
) -> Pipeline:
    """Make the transformer that turns a table into numbers, except its task column.

    Numbers are imputed by their median, with an indicator if some are missing, and
    standardised. Categories are one-hot encoded, with one column for missing ones, and
    one for rare and unseen ones. Dates become numbers (DateFeatures), true and false 1
    and 0.

    Parameters
    ----------
    kinds : dict of str to str, default=None
        Kind of each column but the task column: "number", "flag", "category" or "date".
        Columns not named are left out. None means all columns of the table in `fit`,
        and the types of the columns tell their kinds: numbers, true or false, dates;
        others, such as text, are categories.
    task_column : str or list of str, default=None
        Name of the task column, or of several, which come last and unchanged. None
        means that the transformer does not see it, as in
        :func:`~skmtl.compose.make_task_pipeline`.

    Returns
    -------
    encoder : Pipeline
        Transforms a pandas frame to another.

    See Also
    --------
    make_task_pipeline : Keeps the task column from the transformers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmtl.compose import make_table_encoder
    >>> X = pd.DataFrame({"town": list("aabb"), "age": [1.0, 2, 3, None]})
    >>> make_table_encoder().fit_transform(X).columns.tolist()
    ['age', 'missingindicator_age', 'town=a', 'town=b']

    With the task column, and kinds that the types do not tell:

    >>> X = X.assign(code=[1, 1, 2, 2], t=7)
    >>> encoder = make_table_encoder({"code": "category", "age": "number"}, "t")
    >>> encoder.fit_transform(X).columns.tolist()
    ['age', 'missingindicator_age', 'code=1', 'code=2', 't']
    """
    tasks = [] if task_column is None else list_task_columns(task_column)
    cast = FunctionTransformer(
        cast_table,
        kw_args={"kinds": kinds, "tasks": tasks},
        feature_names_out=_name_cast,
    )
    if kinds is None:
        found = {k: ColumnsOfKind(letter, tasks) for k, letter in _KINDS.items()}
        encoder = _encode(found, tasks)
    else:
        encoder = encode_columns(kinds, tasks)
    return make_pipeline(cast, encoder).set_output(transform="pandas")


def encode_columns(kinds: Mapping[str, str], tasks: list[str]) -> ColumnTransformer:
    """Make the encoder of columns that are cast already.

    Parameters
    ----------
    kinds : dict of str to str
        Kind of each column but the task columns.
    tasks : list of str
        Names of the task columns.

    Returns
    -------
    ColumnTransformer
        The encoder.
    """
    of_kind = {
        kind: [name for name, its_kind in kinds.items() if its_kind == kind]
        for kind in _ENCODERS
    }
    return _encode(of_kind, tasks)


def _encode(columns, tasks):
    """Make the encoder of columns by kind; the task columns come last."""
    steps = [
        (kind, _ENCODERS[kind](), names) for kind, names in columns.items() if names
    ]
    passed = [("task", "passthrough", tasks)] if tasks else []
    encoder = ColumnTransformer([*steps, *passed], verbose_feature_names_out=False)
    return encoder.set_output(transform="pandas")


@dataclass(frozen=True)
class ColumnsOfKind:
    """Select the columns of a cast table that have a kind, but not the task columns.

    Parameters
    ----------
    letter : str
        Kind of the dtype of the columns: "f", "M" or "O".
    leave : list of str
        Names of the task columns.
    """

    letter: str
    leave: list[str]

    def __call__(self, X: Any) -> list[str]:
        """Return the names of the columns."""
        names = [name for name in X.columns if name not in self.leave]
        return [name for name in names if X[name].dtype.kind == self.letter]


def needs_encoder(X: Any) -> bool:
    """Return whether a table has columns of other types than numbers, or gaps.

    Parameters
    ----------
    X : container
        Table without task columns. Only pandas frames can need an encoder.

    Returns
    -------
    bool
        Whether models need :func:`make_table_encoder` in front.
    """
    if not hasattr(X, "select_dtypes"):
        return False
    numbers = X.select_dtypes("number")
    has_others = numbers.shape[1] < X.shape[1]
    return has_others or bool(numbers.isna().to_numpy().any())


def cast_table(
    X: Any, kinds: Mapping[str, str] | None = None, tasks: Sequence[str] = ()
) -> Any:
    """Cast numbers and flags to floats, dates to datetimes, and the rest to text.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Table.
    kinds : dict of str to str, default=None
        Kind of each column but the task columns; None means that of its type.
    tasks : sequence of str, default=()
        Names of the task columns, which stay as they are.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
        Columns of floats, datetimes without a time zone, or text, with NaN or NaT where
        missing.
    """
    import pandas as pd

    if not isinstance(X, pd.DataFrame):
        raise TypeError(
            "make_table_encoder takes pandas frames, whose columns have types. Got "
            f"{type(X).__name__}; make it a pandas.DataFrame."
        )
    if kinds is None:
        kinds = {name: _find_kind(X[name]) for name in X.columns if name not in tasks}
    cast = {name: _CASTS[kind](X[name]) for name, kind in kinds.items()}
    return pd.DataFrame(cast | {name: X[name] for name in tasks}, index=X.index)


def _name_cast(transformer, names):
    """Return the names of the columns of a cast table."""
    kinds, tasks = transformer.kw_args["kinds"], transformer.kw_args["tasks"]
    if kinds is None:
        kinds = [name for name in names if name not in tasks]
    return [*kinds, *tasks]


def _find_kind(column):
    import pandas as pd

    types = pd.api.types
    if types.is_numeric_dtype(column) or types.is_timedelta64_dtype(column):
        return "number"
    return "date" if types.is_datetime64_any_dtype(column) else "category"


def _cast_number(column):
    if column.dtype.kind == "m":
        column = column.dt.total_seconds()
    return column.astype(np.float64)


def _cast_date(column):
    naive = column if column.dt.tz is None else column.dt.tz_convert(None)
    return naive.astype("datetime64[us]")


def _cast_category(column):
    text = column.astype(object).map(str, na_action="ignore")
    return text.where(column.notna(), np.nan)


_CASTS = {
    "number": _cast_number,
    "flag": _cast_number,
    "category": _cast_category,
    "date": _cast_date,
}


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
