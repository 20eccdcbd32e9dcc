"""Numeric features of dates."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import all_or_nothing

from ._table_transformer import TableTransformer

DATE_PARTS = ("year", "month", "weekday", "days")
_DAY = np.timedelta64(1, "D")


class DateFeatures(TableTransformer):
    """Turn dates into year, month, weekday and days since the first one.

    Weekdays count from 0, a Monday. Days have fractions if dates have times. A part
    that is constant in fit is left out; a missing date gives NaN.

    Attributes
    ----------
    start_ : ndarray of shape (n_columns,), dtype datetime64
        First date of each column; NaT if there is none.
    kept_ : ndarray of shape (n_columns, 4), dtype bool
        Which parts are in the output, in the order above.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns.

    See Also
    --------
    make_table_encoder : Uses it on the dates of a table.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmtl.compose import DateFeatures
    >>> X = pd.DataFrame({"born": pd.to_datetime(["2024-01-31", "2024-02-29"])})
    >>> dates = DateFeatures().fit(X)
    >>> dates.transform(X)
    array([[ 1.,  2.,  0.],
           [ 2.,  3., 29.]])
    >>> dates.get_feature_names_out().tolist()
    ['born month', 'born weekday', 'born days']
    """

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn the first date, and which parts vary.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Columns of datetimes without a time zone.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : DateFeatures
            The fitted transformer.
        """
        with all_or_nothing(self):
            validate_data(self, X, skip_check_array=True)
            self.start_ = np.array(
                [X[name].min() for name in X.columns], dtype="datetime64[us]"
            )
            parts = self._split(X)
            known = ~np.isnan(parts)
            low = np.where(known, parts, np.inf).min(axis=0)
            high = np.where(known, parts, -np.inf).max(axis=0)
            self.kept_ = low < high
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the parts.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Columns of datetimes without a time zone.

        Returns
        -------
        parts : ndarray of shape (n_rows, n_parts)
            The parts kept of each column, column by column.
        """
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        return self._split(X)[:, self.kept_]

    def get_feature_names_out(
        self, input_features: object = None
    ) -> NDArray[np.object_]:
        """Return the names of the parts.

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        names : ndarray of str objects
            As in "born month".
        """
        check_is_fitted(self)
        pairs = zip(*np.nonzero(self.kept_), strict=True)
        names = [f"{self.feature_names_in_[j]} {DATE_PARTS[k]}" for j, k in pairs]
        return np.array(names, dtype=object)

    def _split(self, X):
        """Return all parts, of shape (n_rows, n_columns, 4)."""
        columns = zip(map(X.__getitem__, X.columns), self.start_, strict=True)
        return np.stack([_split_column(*column) for column in columns], axis=1)


def _split_column(dates, start):
    days = (dates.to_numpy().astype("datetime64[us]") - start) / _DAY
    parts = (dates.dt.year, dates.dt.month, dates.dt.day_of_week, days)
    return np.column_stack([np.asarray(part, dtype=float) for part in parts])
