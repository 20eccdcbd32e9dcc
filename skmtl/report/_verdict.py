"""The answer, above everything else."""

from html import escape


def draw_verdict(comparison):
    """Draw the answer in a few words, a sentence, and four numbers."""
    kind, words = _judge(comparison)
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in _list_numbers(comparison).items()
    )
    return (
        f'<div class="verdict {kind}"><strong>{words}</strong>'
        f"<p>{escape(comparison.recommendation)}</p></div>"
        f'<dl class="numbers">{numbers}</dl>'
    )


def _judge(comparison):
    place = comparison.find(comparison.best_sharing)
    difference = comparison.differences[place]
    if not abs(difference) > comparison.standard_errors[place]:
        return "unclear", "No clear difference"
    if difference > 0:
        return "apart", "Sharing does not help on these data"
    return "shared", "Sharing helps on these data"


def _list_numbers(comparison):
    best = comparison.best_sharing
    gain = 100 * comparison.relative_gains[comparison.find(best)]
    return {
        f"gain of {best} over {comparison.baseline}": f"{gain:+.1f} %",
        f"tasks that {best} hurts": str(len(comparison.hurt(best))),
        "tasks": f"{len(comparison.tasks):,}",
        "rows": f"{comparison.n_rows.sum():,}",
    }
