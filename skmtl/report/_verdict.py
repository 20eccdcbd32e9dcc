"""The answer, above everything else."""

from .._text import show_html


def draw_verdict(comparison):
    """Draw the answer in a few words, a sentence, and four numbers."""
    kind, words = _judge(comparison)
    numbers = "".join(
        f"<div><dt>{show_html(name)}</dt><dd>{show_html(value)}</dd></div>"
        for name, value in _list_numbers(comparison).items()
    )
    return (
        f'<div class="verdict {kind}"><strong>{words}</strong>'
        f"<p>{show_html(comparison.recommendation)}</p></div>"
        f'<dl class="numbers">{numbers}</dl>'
    )


def _judge(comparison):
    place = comparison.find(comparison.best_sharing)
    difference = comparison.differences[place]
    doubt = comparison.standard_errors[place]
    if not abs(difference) > doubt:
        return "unclear", "No clear difference"
    sure = abs(difference) > 2 * doubt
    if difference > 0:
        return "apart", "Sharing does not help" if sure else "Sharing seems not to help"
    return "shared", "Sharing helps" if sure else "Sharing seems to help"


def _list_numbers(comparison):
    best = comparison.best_sharing
    gain = 100 * comparison.relative_gains[comparison.find(best)]
    return {
        f"gain of '{best}' over '{comparison.baseline}'": f"{gain:+.1f} %",
        f"tasks that '{best}' hurts": str(len(comparison.hurt(best))),
        "tasks": f"{len(comparison.tasks):,}",
        "rows": f"{comparison.n_rows.sum():,}",
    }
