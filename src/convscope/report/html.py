"""A report as one HTML page that needs no other file and no network."""

from base64 import b64encode
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from convscope.report.document import Document
from convscope.report.wording import spans


def render(document: Document) -> str:
    """A report as HTML, with its figures, styles and scripts inside.

    Args:
        document: The report.

    Returns:
        The page. Its links to files are relative to reports/.
    """
    environment = Environment(
        loader=PackageLoader("convscope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda content: b64encode(content).decode("ascii")
    environment.filters["path"] = quote
    environment.filters["prose"] = _prose
    return environment.get_template("report.html").render(document=document)


def _prose(text: str) -> Markup:
    """A text with what stands between backticks as code."""
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if is_code else escape(piece)
        for piece, is_code in spans(text)
    )
