"""Code that uses a recommended model, for the report."""

import shlex
from pathlib import Path

from ._choices import MODELS

# What to import, and how to make each model, by kind of target and name.
_ESTIMATORS = {
    "numbers": {
        "independent": ("MultiTaskRidgeCV", "MultiTaskRidgeCV()"),
        "pooled": ("MultiTaskRidgeCV", "PooledTasks(MultiTaskRidgeCV())"),
        "pooled + task intercepts": (
            "MeanRegularizedRegressorCV",
            'MeanRegularizedRegressorCV([float("inf")])',
        ),
        "mean-regularised": (
            "MeanRegularizedRegressorCV",
            "MeanRegularizedRegressorCV()",
        ),
    },
    "classes": {
        "mean-regularised": (
            "MeanRegularizedClassifierCV",
            "MeanRegularizedClassifierCV()",
        )
    },
    "counts": {
        "mean-regularised": (
            "MeanRegularizedPoissonRegressorCV",
            "MeanRegularizedPoissonRegressorCV()",
        )
    },
}
_READERS = {
    ".csv": "pd.read_csv({path!r})",
    ".tsv": 'pd.read_csv({path!r}, sep="\\t")',
    ".parquet": "pd.read_parquet({path!r})",
    ".xlsx": "pd.read_excel({path!r})",
}


def describe_usage(table, name, data, save):
    """Return code for a shell and for Python, by the words that introduce it.

    Parameters
    ----------
    table : Table
        Rows that the models were compared on.
    name : str
        Recommended model.
    data : str or None
        File of the table.
    save : Path or None
        File of the saved model.
    """
    usage = {}
    if save is not None:
        command = ["skmtl", "predict", str(save), "NEW.csv"]
        words = "Predict new rows with the saved model, in a shell:"
        usage[words] = shlex.join([*command, "--output", "predictions.csv"])
    elif name in MODELS and data not in (None, "-"):
        usage["Add to the command below, to save the model:"] = "--save model.skops"
    code = _write_python(table, name, data)
    if code is not None:
        usage["Fit the model and predict, in Python:"] = code
    return usage


def _write_python(table, name, data):
    made = _ESTIMATORS[table.kind].get(name)
    reader = _READERS.get(Path(data or "").suffix)
    if made is None or reader is None:
        return None
    imported, expression = made
    helpers = ["make_table_encoder", "make_task_pipeline"]
    helpers = ["PooledTasks", *helpers] if name == "pooled" else helpers
    dropped = [table.target, *table.unused_columns]
    return f"""\
import pandas as pd
from skmtl.compose import {", ".join(helpers)}
from skmtl.linear_model import {imported}

table = {reader.format(path=str(data))}.dropna(subset=[{table.target!r}])
X, y = table.drop(columns={dropped!r}), table[{table.target!r}]
model = make_task_pipeline(
    make_table_encoder(),
    {expression},
    task_column={table.task_column!r},
)
model.fit(X, y)
predictions = model.predict(X)"""
