"""The HTML page of a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from skmtl._text import show_html
from skmtl.inspection import TaskComparison

from ._centre import CentreView
from ._script import SCRIPT
from ._sections import choose_sections
from ._style_sheet import STYLE
from ._verdict import draw_verdict


@dataclass(frozen=True, eq=False)
class Report:
    """Write the results of a comparison as one self-contained HTML page.

    The page embeds its pictures, style and script, and loads nothing. It shows the
    verdict, the models, the gain of each task in a table to sort and search, the levels
    of the tasks, their coefficients and the path of these, predictions against what was
    observed (for classes, the calibration), the tasks predicted worst, the data, and
    how the page was made. It follows the browser's light or dark mode, and prints.

    Parameters
    ----------
    title : str
        Title of the page.
    comparison : TaskComparison
        Result of :func:`skmtl.inspection.compare_tasks`.
    view : CentreView or None, default=None
        Coefficients of the partial pooling model; None leaves out their sections, as
        for classes.
    facts : dict of str to str, default={}
        Facts about the data, in order.
    explanations : dict of str to str, default={}
        Explanation of each model, by name.
    subtitle : str, default="Does it help to learn the tasks together?"
        Line below the title.
    command : str, default=""
        Command that wrote the page.
    target : str, default="target"
        Name of what is predicted.
    columns : sequence of dict of str to str, default=()
        What is known of each column of the table, its name first; the keys are the
        head of the table.
    usage : dict of str to str, default={}
        Code that uses the model, by the words that introduce it.

    See Also
    --------
    view_centre : Computes `view`.
    skmtl.inspection.compare_tasks : Computes `comparison`.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import compare_tasks
    >>> from skmtl.report import Report
    >>> X, y = make_related_tasks(n_tasks=5, as_frame=True, random_state=0)
    >>> comparison = compare_tasks(None, X, y, task_column="task", cv=2)
    >>> Report("Generated tasks", comparison).to_html()[:15]
    '<!DOCTYPE html>'
    """

    title: str
    comparison: TaskComparison
    view: CentreView | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    explanations: Mapping[str, str] = field(default_factory=dict)
    subtitle: str = "Does it help to learn the tasks together?"
    command: str = ""
    target: str = "target"
    columns: Sequence[Mapping[str, str]] = ()
    usage: Mapping[str, str] = field(default_factory=dict)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """Return the page, and write it to a file.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write; None writes none.

        Returns
        -------
        page : str
            HTML.
        """
        sections = "\n".join(
            f'<section id="{name}"><h2>{show_html(title)}</h2>\n{draw(self)}</section>'
            for name, title, draw in choose_sections(self)
        )
        page = _PAGE.format(
            title=show_html(self.title),
            subtitle=show_html(self.subtitle),
            style=STYLE,
            script=SCRIPT,
            verdict=draw_verdict(self.comparison),
            sections=sections,
        )
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page


_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="soft">{subtitle}</p>
</header>
<main>
{verdict}
{sections}
</main>
<footer class="soft"><p>Written by skmtl. This page works offline.</p></footer>
<script>{script}</script>
</body>
</html>
"""
