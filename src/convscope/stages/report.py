"""report: what the stages wrote -> reports/report.html, report.md and claims.json."""

from convscope import claims, files, workspace
from convscope.report import findings, html, markdown, study


def run() -> None:
    """Write the study's report, as a page and as Markdown, and its judged claims.

    Raises:
        UserError: A stage has not run, or one of its files is missing or damaged.
    """
    judged = claims.judge(workspace.REPORTS)
    document = study.document(workspace.REPORTS, judged)
    page, text = html.render(document), markdown.render(document)
    measured_on = claims.data_name(workspace.REPORTS), claims.archive_md5(workspace.REPORTS)
    record = claims.to_json(judged, *measured_on)
    files.write_text(workspace.REPORTS / "report.html", page)
    files.write_text(workspace.REPORTS / "report.md", text)
    files.write_json(workspace.REPORTS / findings.SOURCE, record)
