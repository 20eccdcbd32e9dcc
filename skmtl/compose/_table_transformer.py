"""The base class of table transformers."""

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin

from skmtl._compat import Documented, all_or_nothing


class TableTransformer(Documented, TransformerMixin, BaseEstimator):
    """Base class of table transformers; a failed fit changes nothing."""

    def fit_transform(self, X: Any, y: object = None, **params: object) -> Any:
        """Fit to a table and transform it; if that raises, nothing changes.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Table.
        y : object, default=None
            Ignored.
        **params : dict of str to object
            Parameters of `fit`.

        Returns
        -------
        X_new : {DataFrame, ndarray}
            Result of `transform`.
        """
        with all_or_nothing(self):
            return super().fit_transform(X, y, **params)
