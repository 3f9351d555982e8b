"""report: what the stages wrote -> reports/report.html, report.md, claims.json, metrics.json."""

from convscope.base import consistency, files, paths
from convscope.report.document import html, page
from convscope.study import claims


def run() -> None:
    """Write the study's report, as a page and as Markdown, and its judged claims, twice.

    claims.json has all of them, metrics.json the verdicts alone, which ``dvc metrics`` compares.

    Raises:
        UserError: A stage has not run, one of its files is missing or damaged, or stages were not
            made from one another.
    """
    consistency.require_consistent(paths.REPORTS)
    judged = claims.judge(paths.REPORTS)
    text = page.render(paths.REPORTS, judged)
    shown = html.render(text, paths.REPORTS)
    record = claims.to_json(judged, *claims.measured_on(paths.REPORTS))
    files.write_text(paths.REPORTS / "report.html", shown)
    files.write_text(paths.REPORTS / "report.md", text)
    files.write_json(paths.REPORTS / "claims.json", record)
    files.write_json(paths.REPORTS / "metrics.json", claims.to_metrics(judged))
