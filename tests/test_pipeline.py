"""The pipeline as a user runs it: ``dvc repro`` in a copy of the project, shrunk.

Its programs are forked, see ``warm``; the tests of the torture start them as a user does.
"""

import json
import os
import re
import shutil
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from math import prod

import pytest

from convscope.base import files
from convscope.comparison.answer import MARKER
from convscope.data import datasets
from convscope.nets import zoo
from tests import archive_samples as samples
from tests import projects, recipe, warm, workflow
from tests.base.test_kernels import MOVING
from tests.torture.state import locked

pytestmark = pytest.mark.pipeline

TRAIN = [f"train@net{n}" for n in (1, 2, 3, 4)]
ANALYSES = ["evaluate", "occlusion", "filter-ablation", "filter-identify"]
ALL = ["download", "baseline", *TRAIN, *ANALYSES, "explore", "report"]
# all stages of one process, so that it imports torch once
STAGES = """
import sys
{first}
from convscope.cli import main
assert main.__doc__ is None
sys.exit(max(main(stage.split("@")) for stage in sys.argv[1:]))
"""
WITHOUT = """
sys.modules.update(dict.fromkeys(["dvc", "mlflow"]))  # None: they cannot be imported
import sqlalchemy  # once, not in each process that would track a stage
import os
os.umask(0o077)
"""
# in every process convscope runs as by `python -OO`, which would compile all other packages anew;
# only the claims, whose docstrings are their statements, keep them
STRIPPED = """
from importlib.machinery import SourceFileLoader
as_it_stands = SourceFileLoader.get_code
def get_code(self, name):
    if not name.startswith("convscope") or name.startswith("convscope.study.claims"):
        return as_it_stands(self, name)
    return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True, optimize=2)
SourceFileLoader.get_code = get_code
"""
SHELL = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "TZ": "Pacific/Kiritimati",
    "PYTHONHASHSEED": "7",
    "COLUMNS": "1",
    "MPLBACKEND": "svg",
}
# one core, little memory, and listings of folders in the opposite order: settings that Linux has
LESS = """
import os, resource
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
scandir, listdir = os.scandir, os.listdir
class Reversed:
    def __init__(self, found): self.found, self.entries = found, list(found)[::-1]
    def __iter__(self): return iter(self.entries)
    def __next__(self): return self.entries.pop(0)
    def __enter__(self): return self
    def __exit__(self, *_): self.found.close()
    def close(self): self.found.close()
os.scandir = lambda *path: Reversed(scandir(*path))
os.listdir = lambda *path: listdir(*path)[::-1]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory, empty_store):
    """A copy of the project in which the pipeline has run once, from nothing but a store."""
    copy = projects.fresh(tmp_path_factory.mktemp("clone"), warm.programs())
    shutil.copyfile(empty_store, copy.folder / "mlflow.db")
    assert sorted(copy.repro()) == sorted(ALL)
    return copy


@pytest.fixture
def other(tmp_path):
    """Another copy, in which nothing has run."""
    return projects.fresh(tmp_path / "clone", warm.programs())


def outputs(project):
    """The bytes of everything that the stages wrote, by path."""
    return projects.contents(project.folder, "data", "models", "reports")


def trained(project, skip=0):
    """The runs that logs/timings.csv names, without its first lines."""
    lines = (project.folder / "logs/timings.csv").read_text().splitlines()
    return [run for line in lines[max(skip, 1) :] if (run := line.split(",")[1])]


def rows(project, query):
    with sqlite3.connect(project.folder / "mlflow.db") as database:
        return database.execute(query).fetchall()


def test_a_second_run_does_nothing(project):
    assert project.repro() == []


def test_nothing_temporary_is_left(project):
    left = [path.relative_to(project.folder) for path in project.folder.rglob("*.partial*")]
    assert [path for path in left if path.parts[0] not in (".git", ".dvc")] == []


def test_every_stage_is_one_finished_run_in_mlflow_with_a_child_for_each_point(project):
    runs = rows(project, "select name, status from runs where lifecycle_stage = 'active'")
    assert {status for _, status in runs} == {"FINISHED"}
    names = [name for name, _ in runs]
    assert sorted(name for name in names if name in ALL) == sorted(ALL)
    grids = projects.shrunk()["nets"].values()
    points = sum(prod(len(v) for v in grid.values() if isinstance(v, list)) for grid in grids)
    assert len(names) - len(ALL) == points
    epochs = rows(project, "select count(*) from metrics where key = 'epoch/test_accuracy'")
    assert epochs == [(points * 2,)]


def test_publishing_again_adds_nothing(project):
    before = rows(project, "select run_uuid from runs order by 1")
    done = project.run("convscope", "publish")
    assert done.returncode == 0, done.stderr
    assert "created" not in done.stdout
    assert rows(project, "select run_uuid from runs order by 1") == before


def test_results_are_kept_while_dvc_records_them(project, tmp_path):
    keep = ("convscope", "keep", str(tmp_path / "kept"))
    source = project.folder / "src/convscope/report/document/text.py"
    text = source.read_text()
    source.write_text(f"{text}# changed\n")
    refused = project.run(*keep)
    source.write_text(text)
    assert refused.returncode == 2
    assert "dvc.lock does not record the results of report" in refused.stderr
    done = project.run(*keep)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept/reports/claims.json").is_file()


def test_a_change_of_net3s_dropout_retrains_net3_alone_and_only_the_new_point(project):
    before = locked(project.folder)
    params = projects.shrunk()
    params["nets"]["net3"]["dropout_rate"] = [0.1, 0.5]
    project.write_params(params)
    timings = project.folder / "logs/timings.csv"
    known = len(timings.read_text().splitlines())
    # what is tracked is another test's
    ran = project.repro(MLFLOW_TRACKING_URI=projects.NO_SERVER)
    assert sorted(ran) == ["evaluate", "report", "train@net3"]
    new = trained(project, known)
    assert new
    assert all("-d0.5-" in run for run in new)
    assert locked(project.folder)["train@net1"] == before["train@net1"]
    known = len(timings.read_text().splitlines())
    project.write_params(projects.shrunk())
    project.repro()
    assert locked(project.folder) == before
    assert trained(project, known) == []


def test_runs_side_by_side_without_dvc_and_mlflow_give_the_same_bytes(project, other, tmp_path):
    """A machine that only lends its GPU needs neither; its shell and umask change no byte.

    Nor do its cores, its memory, and the order in which it lists folders.
    """
    first = WITHOUT + (LESS if sys.platform == "linux" else "")
    files.write_text(tmp_path / "stripped/sitecustomize.py", STRIPPED)
    found_first = os.pathsep.join(map(str, (tmp_path / "stripped", other.folder / "src")))
    lent = {"CONVSCOPE_WORKERS": "2", "PYTHONPATH": found_first, **MOVING, **SHELL}
    done = other.run(sys.executable, "-c", STAGES.format(first=first), *ALL, **lent)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("run `convscope publish`") == len(ALL)
    expected, found = outputs(project), outputs(other)
    assert [name for name in expected if found.get(name) != expected[name]] == []
    assert found.keys() == expected.keys()
    assert len(found) > 60


def test_a_clone_with_the_cache_pulled_trains_only_new_points(project, other, tmp_path):
    remote = str(tmp_path / "remote")
    for command in (["remote", "add", "-d", "local", remote], ["push", "-q"]):
        assert project.run("dvc", *command).returncode == 0
    for name in ("dvc.lock", ".dvc/config"):
        shutil.copyfile(project.folder / name, other.folder / name)
    params = projects.shrunk()
    params["nets"]["net1"]["l1_oc"] = [4, 6, 8]
    other.write_params(params)
    pulled = other.run("dvc", "pull", "-q")
    assert pulled.returncode == 0, pulled.stderr
    # DVC goes on without a server
    assert other.repro("train@net1", MLFLOW_TRACKING_URI=projects.NO_SERVER) == ["train@net1"]
    assert [run.split("-")[0] for run in trained(other)] == ["l1_oc8"]


def test_a_network_is_added_by_the_recipe(project, tmp_path):
    shutil.copytree(project.folder, tmp_path / "clone", symlinks=True)
    copy = projects.Project(tmp_path / "clone", project.programs)
    recipe.add_network(copy)
    # what stands before these is made anew from kept runs by `dvc repro`, which takes its time
    wanted = ("train@net5", "evaluate", "report")
    ran = copy.repro("--single-item", *wanted, MLFLOW_TRACKING_URI=projects.NO_SERVER)
    assert sorted(ran) == ["evaluate", "report", "train@net5"]
    report = (copy.folder / "reports/report.md").read_text(encoding="utf-8")
    assert recipe.SENTENCE in report.replace("\\", "")
    tested = json.loads((copy.folder / "reports/evaluate/metrics.json").read_text())
    assert "net5_test_accuracy" in tested
    explained = copy.run("convscope", "explain").stdout.splitlines()
    assert [line.split()[2] for line in explained if line.startswith("net5 ")] == ["reuse"]
    assert explained[-1].endswith(f"{len(explained) - 1} to reuse, 0 to resume, 0 to train")
    assert copy.run("convscope", "claims").returncode == 0


@workflow.needs_jq
def test_ci_answers_a_change_in_its_summary_and_in_one_comment(project, tmp_path):
    shutil.copytree(project.folder, tmp_path / "clone", symlinks=True)
    copy = projects.Project(tmp_path / "clone", project.programs)
    workflow.commit(copy)
    params = projects.shrunk()
    params["nets"]["net1"]["l1_oc"] = [4, 5]
    copy.write_params(params)
    workflow.commit(copy)
    ci = workflow.Runner(copy, tmp_path)
    for line in workflow.SHELL:
        done = ci.run(line)
        turned = line.startswith(".ci/compare") and "held and no longer do" in done.stdout
        # make ends with 2 where a command of its own ends with 1
        assert done.returncode == 2 * turned, done.stdout + done.stderr
    assert re.fullmatch(r"kind=[\w-]+\n", ci.output.read_text())
    summary = ci.summary.read_text(encoding="utf-8")
    assert summary.startswith(f"{MARKER}\n## HEAD^1 (")
    assert "| `nets.net1.l1_oc` | `[4, 6]` | `[4, 5]` |" in summary
    assert "| net1 | 1 | new: l1\\_oc 5 |" in summary
    assert "s | none | none |\n" in summary
    assert "| `train@net1`, `evaluate`, `report` | 1 run, " in summary
    assert (copy.folder / "comparison/after/reports/report.html").is_file()
    ((_, comment),) = ci.comments()
    assert comment.startswith(summary)
    assert comment.endswith(f"[both reports and all figures]({workflow.ARTIFACT})\n")


def test_two_at_once_one_works_and_the_other_says_so(other):
    with ThreadPoolExecutor(2) as pool:
        untracked = {"MLFLOW_TRACKING_URI": projects.NO_SERVER}
        both = [pool.submit(other.run, "dvc", "repro", "download", **untracked) for _ in range(2)]
    done = [each.result() for each in both]
    assert 0 in [each.returncode for each in done], done
    refused = [each.stdout + each.stderr for each in done if each.returncode]
    assert all("lock" in text or "busy" in text for text in refused)
    assert other.repro("download") == []


def test_an_experiment_takes_cifar10_from_any_archive(other, tmp_path):
    archive = samples.written(tmp_path / "toy.tar.gz", samples.packed(samples.binary_members()))
    source = f"{{url: '{archive.as_uri()}', md5: {files.digest(archive)}}}"
    small = [f"nets.{net}.batch_size=[5]" for net in zoo.NETS]
    choices = ("data=cifar10", f"data.archives=[{source}]", "data.train_images=10", *small)
    sets = [word for choice in choices for word in ("-S", choice)]
    done = other.run("dvc", "exp", "run", "download", *sets, MLFLOW_TRACKING_URI=projects.NO_SERVER)
    assert done.returncode == 0, done.stdout + done.stderr
    dataset = datasets.load(other.folder / "data/dataset.safetensors")
    assert (dataset.classes[0], len(dataset.train_images)) == ("plane", 10)
    assert dataset.url == "file:toy.tar.gz"
    assert str(tmp_path) not in (other.folder / "reports/download/params.json").read_text()


def test_metrics_are_numbers_that_dvc_shows(project):
    done = project.run("dvc", "metrics", "show", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)[""]["data"]
    tested = shown["reports/evaluate/metrics.json"]["data"]
    assert set(tested) == {f"net{n}_test_accuracy" for n in (1, 2, 3, 4)}
