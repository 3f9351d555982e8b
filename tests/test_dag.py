"""dvc.yaml against the code: sources by the imports, params by running stages with nothing else."""

import copy
import importlib
import re
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import grimp
import pytest
from dvc.utils.hydra import compose_and_dump
from ruamel.yaml import YAML

from convscope import cli
from convscope.base import files, paths
from convscope.config import params_file
from convscope.nets import zoo
from convscope.stages import keep
from tests import projects

STAGES = YAML(typ="safe").load((projects.ROOT / "dvc.yaml").read_text())["stages"]
GRAPH = grimp.build_graph("convscope", cache_dir=None)
# tracking sees what a stage does and changes nothing of it
UNDECLARED = "src/convscope/tracking/"


def definition(stage):
    """What dvc.yaml says of a stage, in the form that all networks share."""
    return STAGES[stage].get("do", STAGES[stage])


def module(stage):
    """The stage's module: the baseline is trained like any network."""
    return f"convscope.stages.{'train' if stage == 'baseline' else stage.replace('-', '_')}"


def path_of(module):
    """A module's file, as dvc.yaml names it."""
    place = projects.ROOT / "src" / module.replace(".", "/")
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return str(path.relative_to(projects.ROOT))


def sections(stage, params):
    """The params with the sections that a stage declares, for net1, and nothing else."""
    declared = [key.replace("${item}", "net1") for key in definition(stage).get("params", [])]
    chosen = {}
    for key in declared:
        outer, _, inner = key.partition(".")
        chosen[outer] = {inner: params[outer][inner]} if inner else params[outer]
    return chosen


@pytest.mark.parametrize(
    ("group", "choice"),
    [
        *(("data", "digits"), ("data", "cifar10")),
        *(("study", "quick"), ("study", "laptop"), ("study", "published")),
    ],
)
def test_every_choice_composes_to_accepted_parameters(group, choice, tmp_path):
    composed = tmp_path / "params.yaml"
    conf = str(projects.ROOT / "conf")
    compose_and_dump(composed, conf, None, "config", "", [f"{group}={choice}"])
    params = params_file.load(composed)
    assert list(params.nets) == list(zoo.NETS)


def test_the_committed_parameters_are_the_composition_of_the_defaults(tmp_path):
    composed = tmp_path / "params.yaml"
    compose_and_dump(composed, str(projects.ROOT / "conf"), None, "config", "", [])
    assert (projects.ROOT / "params.yaml").read_text() == composed.read_text()


def test_every_stage_has_a_command_and_a_module():
    assert set(STAGES) == set(cli.STAGES)
    for stage in STAGES:
        assert module(stage) in GRAPH.modules, stage
        argument = " ${item}" if stage == "train" else ""
        assert definition(stage)["cmd"] == f"convscope {stage}{argument}"
    assert STAGES["train"]["foreach"] == [net for net in zoo.NETS if net != "baseline"]


def imported(stage):
    """The source files that a stage imports, directly or not."""
    used = {module(stage), *GRAPH.find_upstream_modules(module(stage))} - {"convscope"}
    return {path for path in map(path_of, used) if not path.startswith(UNDECLARED)}


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_imports_lies_in_the_folders_that_it_names_and_each_is_used(stage):
    declared = [dep for dep in definition(stage)["deps"] if dep.startswith("src/")]
    used = {
        dep: [p for p in imported(stage) if p == dep or p.startswith(f"{dep}/")] for dep in declared
    }
    assert all((projects.ROOT / dep).exists() for dep in declared)
    assert sorted(path for paths in used.values() for path in paths) == sorted(imported(stage))
    assert all(used.values()), used
    assert len(declared) <= 8


def test_the_pipelines_file_stays_short():
    assert len((projects.ROOT / "dvc.yaml").read_text().splitlines()) <= 150


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_reads_is_made_by_another(stage):
    made = {out.replace("${item}", "net1") for s in STAGES for out in definition(s)["outs"]}
    for dep in definition(stage)["deps"]:
        if dep.startswith("src/"):
            continue
        concrete = dep.replace("${analysis.net}", "net1")
        assert any(out == concrete or out.startswith(f"{concrete}/") for out in made), dep


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project whose stages have all run, each with nothing but its declared parameters."""
    folder = tmp_path_factory.mktemp("project")
    params = projects.shrunk()
    params["analysis"]["net"] = "net1"
    ablated = {"conv1": [0], "conv2": [1]}
    params["filter_ablation"]["filters"] = params["filter_identify"]["filters"] = ablated
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CONVSCOPE_WORKERS", "1")
        for stage in STAGES:
            run_with(stage, sections(stage, params))
        yield params


def run_with(stage, params):
    """Run a stage in this process with these parameters, and return its exit code."""
    YAML().dump(params, Path("params.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convscope.tracking.publish_stage", nothing)
        patch.setattr("convscope.stages.train.tracking.live", untracked)
        return cli.main([stage, "net1"] if stage == "train" else [stage])


@contextmanager
def untracked(*_):
    """Stands for ``tracking.live``: an observer for whom MLflow does not matter."""
    yield SimpleNamespace(run_started=nothing, epoch=nothing, run_finished=nothing)


def nothing(*_):
    """Does nothing."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_needs_no_other_parameters_than_it_declares(stage, finished):
    assert run_with(stage, sections(stage, finished)) == 0
    for out in definition(stage)["outs"]:
        assert Path(out.replace("${item}", "net1")).exists()


@pytest.mark.parametrize(
    ("stage", "key"),
    [(stage, key) for stage in STAGES for key in definition(stage).get("params", [])],
)
def test_a_stage_needs_every_parameter_that_it_declares(stage, key, finished, capsys):
    params = copy.deepcopy(sections(stage, finished))
    del params[key.partition(".")[0]]
    assert run_with(stage, params) == 2
    missing = key.replace("${item}", "net1")
    assert f"params.yaml: {missing} is missing" in capsys.readouterr().err


@pytest.mark.parametrize("stage", [s for s in STAGES if s not in ("download", "report")])
def test_a_stages_params_file_says_what_it_used(stage, finished):
    net = {"train": "net1"}.get(stage, paths.net_of(stage))
    folder = paths.report_of(net) if net else paths.REPORTS / stage
    used = files.read_json(folder / "params.json", stage)
    declared = sections(stage, finished)
    flat = {**declared, **({"net": declared["nets"][net]} if net else {})}
    flat.pop("nets", None)
    assert used == flat


def test_the_results_of_the_stages_can_be_kept_and_no_link_of_the_kept_report_is_dead(finished):
    YAML().dump(finished, Path("params.yaml"))
    kept = keep.keep(Path(), Path("kept"))
    report = Path("kept/reports/report.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", report)
    assert Path("reports/claims.json") in kept
    assert "(not kept)" in report
    assert [target for target in targets if not Path("kept/reports", target).exists()] == []


def test_stage_modules_are_found_from_dvc_yaml():
    for stage in STAGES:
        assert importlib.import_module(module(stage)).run
