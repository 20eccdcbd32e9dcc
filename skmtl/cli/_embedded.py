"""The example data of the command."""

from ._command_errors import need

SOURCE = "442 diabetes patients (embedded data: load_diabetes of scikit-learn)"
TASK, TARGET = "group", "progression"
ABOUT = (
    "no file was named, so this is an example on real data (Efron et al., 2004): "
    "progression of diabetes after a year, predicted from ten measurements; the tasks "
    "are groups of patients by sex (coded 1 and 2 in the data) and age"
)
_ENDS = [0, 29, 39, 49, 59, 200]
_AGES = ["under 30", "30 to 39", "40 to 49", "50 to 59", "60 and over"]


def load_embedded():
    """Return a frame of patients, grouped by sex and age."""
    need("pandas")
    import pandas as pd
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(as_frame=True, scaled=False).frame
    ages = pd.cut(frame["age"], _ENDS, labels=_AGES).astype(str)
    sex = frame["sex"].astype(int).astype(str)
    frame = frame.rename(columns={"target": TARGET})
    return frame.assign(**{TASK: "sex " + sex + ", " + ages})
