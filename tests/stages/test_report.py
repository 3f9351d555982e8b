import json
import re
import shutil
import subprocess
import sys

import pytest
from tests import toys
from tests.report.document import folders

from convscope import cli
from convscope.stages import report

NAMES = ("report.html", "report.md", "claims.json", "metrics.json")


@pytest.fixture
def project(here):
    folders.write(here / "reports")
    return here


def written(project):
    return [(project / "reports" / name).read_bytes() for name in NAMES]


def test_it_writes_a_page_its_text_and_the_claims_the_same_again_and_nothing_else(project):
    before = set(project.rglob("*"))
    report.run()
    assert set(project.rglob("*")) - before == {project / "reports" / name for name in NAMES}
    page, text, *records = written(project)
    assert page.startswith(b"<!DOCTYPE html>")
    assert text.startswith(b"# convscope")
    report.run()
    assert written(project) == [page, text, *records]


def test_the_claims_are_judged_by_the_same_files_and_name_their_data(project):
    folders.replace(
        project / "reports/train/baseline/by_lr_batch_size.csv",
        "lr,batch_size,train_accuracy,test_accuracy\n0.01,128,0.5,0.5\n0.01,256,0.5,0.25\n"
        "0.01,512,0.5,0.25\n0.001,128,0.5,0.25\n0.001,256,0.5,0.25\n0.001,512,0.5,0.25\n",
    )
    report.run()
    written = json.loads((project / "reports/claims.json").read_text("utf-8"))
    assert written["data"] == "cifar10"
    assert written["verdicts"] == {"holds": 1, "does not hold": 1, "not measured": 43}
    first = written["claims"][0]
    assert (first["number"], first["verdict"]) == (1, "holds")
    assert first["measured"]["lr 0.01, batch 128"] == 0.5
    metrics = json.loads((project / "reports/metrics.json").read_text("utf-8"))
    assert (metrics["claims_held"], metrics["claims_unmeasured"]) == (1, 43)
    assert metrics["claim_01_best_setting"] == "holds (one seed)"


def test_a_stage_that_has_not_run_leaves_the_earlier_report(project):
    report.run()
    before = written(project)
    shutil.rmtree(project / "reports/occlusion")
    assert "run `convscope occlusion`" in toys.refusal(report.run)
    assert written(project) == before


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
@pytest.mark.parametrize("command", ["report", "claims"])
def test_parameters_of_another_type_end_the_commands_in_one_line(command, used, project, capsys):
    (project / "params.yaml").touch()
    (project / "reports/filter-ablation/params.json").write_text(used)
    assert cli.main([command]) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert re.fullmatch(
        r"convscope: .*params\.json is damaged .*`convscope filter-ablation`.*\n", written.err
    )


def test_it_needs_neither_plotting_nor_torch(project):
    program = (
        "import sys; from convscope.stages import report; report.run(); "
        "assert not {'matplotlib', 'torch'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], cwd=project, check=True)
