"""The page itself: the template, the scripts of web/ joined into one, and what the page holds."""

import json
import re
from importlib.resources import files as resources
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from convscope.report.shared import pages

_IMPORT = re.compile(r'^import (\{.*?\}) from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:class|const|function\*?) (\w+))", re.MULTILINE)


def render(content: dict[str, Any], introduction: str) -> str:
    """The page that shows what ``content.gather`` found; it needs no other file and no network."""
    return pages.template("explorer/web/page.html").render(
        net=content["net"],
        side=content["side"],
        introduction=introduction,
        content=_embedded(content),
        worker=Markup(script("worker")),
        script=Markup(script("main")),
    )


def leading_to(report: str, page: str) -> str:
    """The page with its link to the report, report.html beside it, leading to another place."""
    return page.replace('href="report.html"', f'href="{quote(report)}"')


def script(name: str) -> str:
    """A module of web/ and those that it imports, each once and before what needs it.

    Modules are plain ones, which an editor and node understand; a page that may not load anything
    needs them in one piece. Each becomes a function's body, which keeps its names to itself.
    """
    texts: dict[str, str] = {}

    def add(module: str) -> None:
        text = (resources("convscope.report.explorer") / "web" / f"{module}.js").read_text("utf-8")
        for _, needed in _IMPORT.findall(text):
            if needed not in texts:
                add(needed)
        body = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = $\2;\n", text))
        exported = ", ".join(found for _, found in _EXPORT.findall(text))
        texts[module] = f"const ${module} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"

    add(name)
    return '"use strict";\n' + "".join(texts.values())


def _embedded(content: dict[str, Any]) -> Markup:
    """JSON for inside a script element, which no name of a class can end."""
    return Markup(json.dumps(content, separators=(",", ":")).replace("<", "\\u003c"))
