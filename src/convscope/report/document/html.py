"""The report's Markdown as one HTML page that needs no other file and no network."""

import io
import re
from base64 import b64encode
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from PIL import Image

from convscope.base import files, paths
from convscope.report.shared import pages

_CAPTION = re.compile(r"\*\*.*\*\* \(\[.*\]\(.*\)\)")


def render(text: str, reports: Path) -> str:
    """The page of the report that ``page.render`` made, with figures, styles and scripts inside.

    Raises:
        UserError: A figure is missing or is not a PNG file.
    """
    parser = MarkdownIt("commonmark", {"html": True}, renderer_cls=_Renderer).enable("table")
    tokens = parser.parse(text)
    starts = [at for at, token in enumerate(tokens) if token.tag == "h2" and token.nesting == 1]
    sections = []
    for start, end in pairwise([*starts, len(tokens)]):
        heading, _, anchor = tokens[start + 1].content.partition(' <a id="')
        body = parser.renderer.render(tokens[start + 3 : end], parser.options, {"reports": reports})
        parts = (anchor.removesuffix('"></a>'), parser.renderInline(heading), body)
        sections.append([Markup(part) for part in parts])
    title, _, subtitle = parser.renderInline(tokens[1].content).partition(": ")
    return pages.template("document/templates/page.html").render(
        title=Markup(title), subtitle=Markup(subtitle), sections=sections
    )


class _Renderer(RendererHTML):
    """Tables in boxes that scroll, pictures with their bytes, captions and rows that stand out."""

    def paragraph_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Mark the captions of tables and figures."""
        if _CAPTION.fullmatch(tokens[idx + 1].content):
            tokens[idx].attrSet("class", "caption")
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A picture with the bytes of its file, which a click enlarges."""
        source = unquote(str(tokens[idx].attrs["src"]))
        content, (width, height) = _png(env["reports"], source)
        alt = escape(self.renderInlineAsText(tokens[idx].children or [], options, env))
        return (
            f'<a class="enlarge" href="{quote(source)}" title="Enlarge">\n'
            f'<img src="data:image/png;base64,{b64encode(content).decode("ascii")}" alt="{alt}" '
            f'width="{width}" height="{height}"></a>'
        )

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A table in a box of its own that scrolls, named by the line before it."""
        name = escape(self.renderInlineAsText(tokens[idx - 2].children or [], options, env))
        return f'<div class="box" tabindex="0" role="region" aria-label="{name}">\n<table>\n'

    def table_close(self, *_: Any) -> str:
        """The end of what ``table_open`` began."""
        return "</table>\n</div>\n"

    def tr_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A row that is bold stands out: it is the best one, or the total."""
        end = next(at for at in range(idx, len(tokens)) if tokens[at].type == "tr_close")
        cells = [token.content for token in tokens[idx:end] if token.type == "inline"]
        if all(cell.startswith("**") and cell.endswith("**") for cell in cells):
            tokens[idx].attrSet("class", "total" if cells[0] == "**overall**" else "best")
        return self.renderToken(tokens, idx, options, env)


def _png(reports: Path, source: str) -> tuple[bytes, tuple[int, int]]:
    """A figure's bytes, and its width and height in pixels."""
    path, command = reports / source, paths.command_of(source)
    with files.reading(path, command):
        content = path.read_bytes()
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            picture.verify()
            return content, picture.size
    except (OSError, SyntaxError):
        raise files.damaged(path, command, "it is not a PNG file") from None
