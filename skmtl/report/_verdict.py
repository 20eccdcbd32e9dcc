"""The verdict at the top of the page."""

from skmtl._text import show_html
from skmtl.inspection import TaskComparison, judge


def draw_verdict(comparison: TaskComparison) -> str:
    """Draw the verdict, the recommendation, and four numbers."""
    kind, words = judge(comparison)
    numbers = "".join(
        f"<div><dt>{show_html(name)}</dt><dd>{show_html(value)}</dd></div>"
        for name, value in _list_numbers(comparison).items()
    )
    return (
        f'<div class="verdict {kind}"><strong>{show_html(words)}</strong>'
        f"<p>{show_html(comparison.recommendation)}</p></div>"
        f'<dl class="numbers">{numbers}</dl>'
    )


def choose_model(comparison: TaskComparison) -> str:
    """Return the model with sharing to describe: the recommended one, or the best."""
    if comparison.recommended != comparison.baseline:
        return comparison.recommended
    return comparison.best_sharing


def _list_numbers(comparison):
    model = choose_model(comparison)
    gain = 100 * comparison.relative_gains[comparison.find(model)]
    return {
        f"gain of '{model}' over '{comparison.baseline}'": f"{gain:+.1f} %",
        f"tasks that '{model}' hurts": str(len(comparison.hurt(model))),
        "tasks": f"{len(comparison.tasks):,}",
        "rows": f"{comparison.n_rows.sum():,}",
    }
