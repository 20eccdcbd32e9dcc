"""Embed a figure in an HTML page."""

from base64 import b64encode
from io import BytesIO

from skmtl._text import show_html


def embed_figure(figure, alt, caption):
    """Return an HTML figure with an embedded picture, its alt text and caption."""
    with BytesIO() as file:
        # without the date, so that the same input gives the same page
        figure.savefig(file, format="svg", dpi=200, metadata={"Date": None})
        picture = b64encode(file.getvalue()).decode("ascii")
    return (
        f'<figure><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Picture, may be scrolled">'
        f'<img src="data:image/svg+xml;base64,{picture}" alt="{show_html(alt)}"></div>'
        f"<figcaption>{show_html(caption)}</figcaption></figure>"
    )
