"""explore: a network, live on a page -> reports/explore.html, and reports/explore/."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from convscope.base import consistency, files, paths, runtime
from convscope.base.report_folder import Finished, reporting
from convscope.config import params_file
from convscope.config.params_file import Params
from convscope.data import pictures
from convscope.nets import trained
from convscope.nets.trained import Subject
from convscope.report.explorer import content, page
from convscope.report.explorer.findings import Analyses

PAGE = paths.REPORTS / "explore.html"
ANALYSES = ("occlusion", "filter-ablation", "filter-identify")


def run() -> None:
    """Write the page of the analyzed network: it runs there, and shows what the analyses found.

    Raises:
        UserError: A parameter, the data set, the model or the folder of an analysis is missing or
            wrong, or they were not made from one another.
    """
    params = params_file.load()
    subject, analyses = _analyzed(params)
    kernels = params_file.need(params.kernels, "kernels")
    analysis = params_file.need(params.analysis, "analysis")
    settings = params_file.need(params.explore, "explore")
    used = {
        "kernels": kernels,
        "analysis": analysis.model_dump(mode="json"),
        "explore": settings.model_dump(mode="json"),
    }
    with reporting(paths.REPORTS / "explore", used, subject.made_from) as report:
        found, text = _page(params, subject, analyses)
        report.table("images", pd.DataFrame(content.listed(found)))
        report.metrics({"images": len(found["images"]), "kilobytes": len(text.encode()) / 1000})
        files.write_text(PAGE, text)


def show(own: Sequence[Path], target: Path) -> None:
    """Write the same page with a person's own pictures to another file.

    Raises:
        UserError: As for ``run``, or a picture cannot be read.
    """
    shown = [pictures.read(path) for path in own]
    params = params_file.load()
    subject, analyses = _analyzed(params)
    report = os.path.relpath(paths.REPORTS / "report.html", target.parent)
    files.write_text(target, page.leading_to(report, _page(params, subject, analyses, shown)[1]))


def _analyzed(params: Params) -> tuple[Subject, Analyses]:
    """The analyzed network and the analyses of it."""
    analysis = params_file.need(params.analysis, "analysis")
    folders = [Finished(paths.REPORTS, name).require() for name in ANALYSES]
    subject = trained.load_subject(analysis.net)
    consistency.require_made_from(folders, subject.made_from)
    return subject, Analyses(*folders)


def _page(
    params: Params, subject: Subject, analyses: Analyses, own: Sequence[Tensor] = ()
) -> tuple[dict[str, Any], str]:
    """What the page holds, and the page."""
    analysis = params_file.need(params.analysis, "analysis")
    settings = params_file.need(params.explore, "explore")
    with runtime.deterministic(analysis.threads, params_file.need(params.kernels, "kernels")):
        found = content.gather(
            analysis.net, subject.module, subject.dataset, analyses, settings.images, own
        )
    return found, page.render(found, content.introduction(found, subject.dataset))
