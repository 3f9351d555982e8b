"""report: what the stages wrote -> reports/report.html and reports/report.md."""

from convscope import files, workspace
from convscope.report import html, markdown, study


def run() -> None:
    """Write the study's report, as a page and as Markdown.

    Raises:
        UserError: A stage has not run, or one of its files is missing or damaged.
    """
    document = study.document(workspace.REPORTS)
    page, text = html.render(document), markdown.render(document)
    files.write_text(workspace.REPORTS / "report.html", page)
    files.write_text(workspace.REPORTS / "report.md", text)
