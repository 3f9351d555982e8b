import json
import shutil
import subprocess
import sys

import pytest
from tests.report import folders

from convscope.base.errors import UserError
from convscope.stages import report


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders.write(tmp_path / "reports")
    return tmp_path


NAMES = ("report.html", "report.md", "claims.json")


def test_it_writes_a_page_its_text_and_the_claims_and_nothing_else(project):
    before = set(project.rglob("*"))
    report.run()
    reports = project / "reports"
    assert set(project.rglob("*")) - before == {reports / name for name in NAMES}
    assert (reports / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (reports / "report.md").read_text("utf-8").startswith("# convscope")


def test_the_claims_are_judged_by_the_same_files_and_name_their_data(project):
    folders.replace(
        project / "reports/train/baseline/by_lr_batch_size.csv",
        "lr,batch_size,train_accuracy,test_accuracy\n0.01,128,0.5,0.5\n0.01,256,0.5,0.25\n"
        "0.01,512,0.5,0.25\n0.001,128,0.5,0.25\n0.001,256,0.5,0.25\n0.001,512,0.5,0.25\n",
    )
    report.run()
    written = json.loads((project / "reports/claims.json").read_text("utf-8"))
    assert written["data"] == "digits"
    assert written["verdicts"] == {"holds": 1, "does not hold": 0, "not measured": 19}
    first = written["claims"][0]
    assert (first["number"], first["verdict"]) == (1, "holds")
    assert first["measured"]["lr 0.01, batch 128"] == 0.5


def test_it_writes_the_same_bytes_again(project):
    report.run()
    first = [(project / "reports" / name).read_bytes() for name in NAMES]
    report.run()
    again = [(project / "reports" / name).read_bytes() for name in NAMES]
    assert again == first


def test_it_reads_nothing_outside_reports(project):
    report.run()
    assert [path.name for path in project.iterdir()] == ["reports"]


def test_a_stage_that_has_not_run_leaves_the_earlier_report(project):
    report.run()
    before = [(project / "reports" / name).read_bytes() for name in NAMES]
    shutil.rmtree(project / "reports/occlusion")
    with pytest.raises(UserError, match="run `convscope occlusion`"):
        report.run()
    assert [(project / "reports" / name).read_bytes() for name in NAMES] == before


@pytest.mark.parametrize(
    "used",
    [
        '{"analysis": 7}',
        '{"filter_ablation": "word"}',
        '{"analysis": {"net": "net4"}, "filter_ablation": {"filters": 7}}',
        '{"analysis": {"net": "net4"}, "filter_ablation": {"filters": {"conv1": 7}}}',
        "[]",
    ],
)
def test_parameters_of_another_type_are_refused_before_claims_are_judged(used, project):
    (project / "reports/filter-ablation/params.json").write_text(used)
    with pytest.raises(UserError, match=r"params\.json is damaged .*`convscope filter-ablation`"):
        report.run()


def test_it_needs_neither_plotting_nor_torch(project):
    program = (
        "import sys; from convscope.stages import report; report.run(); "
        "assert not {'matplotlib', 'torch'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], cwd=project, check=True)
