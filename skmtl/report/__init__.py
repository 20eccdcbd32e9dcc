"""Write the results of a comparison as text and as an HTML page."""

from ._centre import CentreView, view_centre
from ._models_table import draw_models
from ._report import Report

__all__ = ["CentreView", "Report", "draw_models", "view_centre"]
