"""The charts that dvc.yaml lists, on a page that needs no network.

DVC's own page of them loads its drawing library, Vega, from a CDN.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from convscope.base import files
from convscope.base.errors import UserError
from convscope.report.shared import pages

TEMPLATE = Path(".dvc/tmp/plots.html")


def show(revisions: Sequence[str]) -> None:
    """Have DVC write the charts of the revisions, or of the files as they are, to dvc_plots/.

    Raises:
        UserError: DVC or vl-convert-python is not installed, or DVC does not know a revision.
    """
    files.write_text(TEMPLATE, template())
    command = ["plots", "diff" if revisions else "show", *revisions]
    run = [sys.executable, "-m", "dvc", *command, "--html-template", str(TEMPLATE)]
    if code := subprocess.run(run, check=False).returncode:
        raise UserError(f"`dvc {' '.join(command)}` failed with code {code}: what it says is above")


def template() -> str:
    """The page around DVC's charts, with Vega inside.

    Raises:
        UserError: vl-convert-python is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise UserError(
            "vl-convert-python is not installed: run `make install`, or `dvc plots show`, whose "
            "page needs a network"
        ) from None
    vega = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return pages.template("shared/plots.html").render(vega=Markup(vega))
