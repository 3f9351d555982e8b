"""report: what the stages wrote -> reports/report.html, report.md and claims.json."""

from convscope.base import files, paths
from convscope.report import findings, html, markdown, study
from convscope.study import claims


def run() -> None:
    """Write the study's report, as a page and as Markdown, and its judged claims.

    Raises:
        UserError: A stage has not run, or one of its files is missing or damaged.
    """
    judged = claims.judge(paths.REPORTS)
    document = study.document(paths.REPORTS, judged)
    page, text = html.render(document), markdown.render(document)
    measured_on = claims.data_name(paths.REPORTS), claims.archive_md5(paths.REPORTS)
    record = claims.to_json(judged, *measured_on)
    files.write_text(paths.REPORTS / "report.html", page)
    files.write_text(paths.REPORTS / "report.md", text)
    files.write_json(paths.REPORTS / findings.SOURCE, record)
