import shutil
import subprocess
import sys

import pytest
from tests.report import folders

from convscope.errors import UserError
from convscope.stages import report


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders.write(tmp_path / "reports")
    return tmp_path


def test_it_writes_a_page_and_its_text_and_nothing_else(project):
    before = set(project.rglob("*"))
    report.run()
    reports = project / "reports"
    assert set(project.rglob("*")) - before == {reports / "report.html", reports / "report.md"}
    assert (reports / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (reports / "report.md").read_text("utf-8").startswith("# convscope")


def test_it_writes_the_same_bytes_again(project):
    report.run()
    first = [(project / "reports" / name).read_bytes() for name in ("report.html", "report.md")]
    report.run()
    again = [(project / "reports" / name).read_bytes() for name in ("report.html", "report.md")]
    assert again == first


def test_it_reads_nothing_outside_reports(project):
    report.run()
    assert [path.name for path in project.iterdir()] == ["reports"]


def test_a_stage_that_has_not_run_leaves_the_earlier_report(project):
    report.run()
    page = (project / "reports/report.html").read_bytes()
    shutil.rmtree(project / "reports/occlusion")
    with pytest.raises(UserError, match="run `convscope occlusion`"):
        report.run()
    assert (project / "reports/report.html").read_bytes() == page


def test_it_needs_no_plotting(project):
    program = (
        "import sys; from convscope.stages import report; report.run(); "
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=project, check=True)
