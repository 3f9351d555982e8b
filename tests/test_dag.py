"""dvc.yaml against the code: sources by the imports, params by running stages with nothing else."""

import copy
import json
import re
import shutil
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import grimp
import pandas as pd
import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from convscope import cli
from convscope.base import files, paths
from convscope.nets import zoo
from convscope.stages import keep
from tests import projects

PIPELINE = YAML(typ="safe").load((projects.ROOT / "dvc.yaml").read_text())
STAGES = PIPELINE["stages"]
CHARTS = {
    name: chart
    for plot in PIPELINE["plots"]
    if isinstance(plot, dict)
    for name, chart in plot.items()
}
PICTURES = [plot for plot in PIPELINE["plots"] if isinstance(plot, str)]
TEMPLATES = projects.ROOT / ".dvc/plots"
# tracking sees what a stage does and changes nothing of it
UNDECLARED = "src/convscope/tracking/"


@cache
def graph():
    """What imports what."""
    return grimp.build_graph("convscope", cache_dir=None)


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
    declared = {}
    for key in definition(stage).get("params", []):
        outer, _, inner = key.replace("${item}", "net1").partition(".")
        declared[outer] = {inner: params[outer][inner]} if inner else params[outer]
    return declared


def test_dvc_parses_by_compiled_code_and_reads_what_python_would():
    assert YAML(typ="safe").Parser is not YAML(typ="safe", pure=True).Parser
    for name in ("dvc.yaml", "dvc.lock", "params.yaml"):
        text = (projects.ROOT / name).read_text()
        assert YAML(typ="safe").load(text) == YAML(typ="safe", pure=True).load(text)


def test_every_stage_has_a_command_and_a_module():
    assert set(STAGES) == set(cli.STAGES)
    for stage in STAGES:
        assert module(stage) in graph().modules, stage
        argument = " ${item}" if stage == "train" else ""
        assert definition(stage)["cmd"] == f"convscope {stage}{argument}"
    assert STAGES["train"]["foreach"] == [net for net in zoo.NETS if net != "baseline"]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_imports_lies_in_the_folders_that_it_names_and_each_is_used(stage):
    modules = {module(stage), *graph().find_upstream_modules(module(stage))} - {"convscope"}
    imported = [path for path in map(path_of, modules) if not path.startswith(UNDECLARED)]
    declared = [dep for dep in definition(stage)["deps"] if dep.startswith("src/")]
    used = {dep: [p for p in imported if p == dep or p.startswith(f"{dep}/")] for dep in declared}
    assert all((projects.ROOT / dep).exists() for dep in declared)
    assert sorted(path for paths in used.values() for path in paths) == sorted(imported)
    assert all(used.values()), used
    assert len(declared) <= 9


def test_the_pipelines_file_stays_short():
    assert len((projects.ROOT / "dvc.yaml").read_text().splitlines()) <= 150


def test_litter_among_the_sources_changes_no_hash(here):
    project = projects.copied(here)
    for out in map(Path, ("data/dataset.safetensors", "reports/download/metrics.json")):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch()
    Repo().commit("download", force=True)
    assert Repo().status(["download"]) == {}

    # what an import writes, by this interpreter and by another
    without = ("env", "-u", "PYTHONPYCACHEPREFIX", "-u", "PYTHONDONTWRITEBYTECODE")
    imported = project.run(*without, sys.executable, "-c", "import convscope.data.archives")
    assert imported.returncode == 0, imported.stderr
    data = Path("src/convscope/data")
    (compiled,) = data.glob("__pycache__/archives.*.pyc")
    shutil.copyfile(compiled, compiled.with_name("archives.cpython-399.pyc"))
    (data / ".ipynb_checkpoints").mkdir()
    litter = ("archives.py~", ".archives.py.swp", "archives.py.orig", ".DS_Store")
    for name in (*litter, ".ipynb_checkpoints/archives-checkpoint.py"):
        shutil.copyfile(data / "archives.py", data / name)
    assert Repo().status(["download"]) == {}

    shutil.copyfile(data / "archives.py", data / "archives2.py")
    assert "src/convscope/data" in str(Repo().status(["download"]))


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_reads_is_made_by_another(stage):
    made = {out.replace("${item}", "net1") for s in STAGES for out in definition(s)["outs"]}
    given = ("src/", "${data.path}")
    read = [dep for dep in definition(stage)["deps"] if not dep.startswith(given)]
    for dep in (dep.replace("${analysis.net}", "net1") for dep in read):
        assert any(out == dep or out.startswith(f"{dep}/") for out in made), dep


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """All parameters, and the stages' exit codes with nothing but what each declares."""
    params = projects.shrunk()
    params["analysis"]["net"] = "net1"
    params["filter_ablation"]["filters"] = {"conv1": [0], "conv2": [1]}
    params["filter_identify"]["filters"] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        patch.setenv("CONVSCOPE_WORKERS", "1")
        codes = {stage: run_with(stage, sections(stage, params)) for stage in STAGES}
        yield SimpleNamespace(params=params, codes=codes)


def run_with(stage, params):
    """Run a stage in this process with these parameters, and return its exit code."""
    projects.write_yaml(params, Path("params.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convscope.tracking.tracker.Tracker", MagicMock())
        return cli.main([stage, "net1"] if stage == "train" else [stage])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_needs_no_other_parameters_than_it_declares(stage, finished):
    assert finished.codes[stage] == 0
    for out in definition(stage)["outs"]:
        assert Path(out.replace("${item}", "net1")).exists()


@pytest.mark.parametrize(
    ("stage", "key"),
    [(stage, key) for stage in STAGES for key in definition(stage).get("params", [])],
)
def test_a_stage_needs_every_parameter_that_it_declares(stage, key, finished, capsys):
    params = copy.deepcopy(sections(stage, finished.params))
    del params[key.partition(".")[0]]
    assert run_with(stage, params) == 2
    missing = key.replace("${item}", "net1")
    assert f"params.yaml: {missing} is missing" in capsys.readouterr().err


def made(path):
    """The file of a finished project; net1's, where dvc.yaml names that of another network."""
    outs = {out.replace("${item}", "net1") for s in STAGES for out in definition(s)["outs"]}
    found = Path(re.sub("net[2-9]", "net1", path))
    assert not outs.isdisjoint({str(found), *map(str, found.parents)}), f"{path} is no output"
    return found


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_names_files_and_columns_that_stages_write(name, finished):
    chart = CHARTS[name]
    template = (TEMPLATES / f"{chart['template']}.json").read_text()
    read = {*re.findall(r'"field": "(\w+)"', template), *re.findall(r"datum\.(\w+)", template)}
    read -= {"rev", *re.findall(r'"as": "(\w+)"', template)}
    assert finished.codes["report"] == 0
    for path, columns in chart["y"].items():
        table = files.read_csv(made(path), "")
        drawn = {chart["x"], *(columns if isinstance(columns, list) else [columns])}
        assert len(table)
        assert {re.sub("net[2-9]", "net1", column) for column in drawn | read} <= set(table)


@pytest.mark.parametrize("path", PICTURES)
def test_a_picture_is_one_that_a_stage_draws(path, finished):
    assert finished.codes["report"] == 0
    assert made(path).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("path", PIPELINE["metrics"])
def test_metrics_are_numbers_and_words_that_a_stage_writes(path, finished):
    assert finished.codes["report"] == 0
    found = files.read_json(made(path), "")
    assert found
    assert {type(value) for value in found.values()} <= {int, float, str}


def test_every_network_has_its_curves_its_metrics_and_its_model():
    for net in zoo.NETS:
        assert CHARTS[net]["y"] == {f"{paths.models_of(net)}/history.csv": "test_accuracy"}
        assert net in CHARTS[net]["title"]
        assert f"{paths.report_of(net)}/metrics.json" in PIPELINE["metrics"]
        assert PIPELINE["artifacts"][net] == {"path": f"{paths.models_of(net)}", "type": "model"}
    assert set(PIPELINE["artifacts"]) == set(zoo.NETS)
    compared = [net for net, known in zoo.NETS.items() if known.compared]
    assert list(CHARTS["classes"]["y"].values()) == [compared]


@pytest.mark.parametrize("stage", [s for s in STAGES if s not in ("download", "report")])
def test_a_stages_params_file_says_what_it_used(stage, finished):
    net = {"train": "net1"}.get(stage, paths.net_of(stage))
    folder = paths.report_of(net) if net else paths.REPORTS / stage
    used = files.read_json(folder / "params.json", stage)
    declared = copy.deepcopy(sections(stage, finished.params))
    if net:
        declared["net"] = declared.pop("nets")[net]
    if stage.startswith("filter-"):
        # by their names, whatever names them in params.yaml
        of_filters = declared[stage.replace("-", "_")]
        del of_filters["convolutions"]
        if of_filters["filters"] == 1:
            of_filters["filters"] = {"conv1": [0], "conv2": [0]}
    assert used == declared


def test_the_results_of_the_stages_can_be_kept_and_no_link_of_the_kept_report_is_dead(finished):
    projects.write_yaml(finished.params, Path("params.yaml"))
    kept = keep.keep(Path(), Path("kept"))
    report = Path("kept/reports/report.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", report)
    assert Path("reports/claims.json") in kept
    assert "(not kept)" in report
    assert [target for target in targets if not Path("kept/reports", target).exists()] == []


def test_the_readmes_code_runs_in_a_finished_project(finished):
    readme = (projects.ROOT / "README.md").read_text(encoding="utf-8")
    example, imports, _ = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    projects.write_yaml(finished.params, Path("params.yaml"))
    exec(example, drawn := {})
    assert tuple(drawn["confidence"].shape) == (1, 24, 24)
    assert Path("confidence.png").read_bytes().startswith(b"\x89PNG")

    assert drawn["responses"].shape == (1, drawn["subject"].module.conv2.out_channels)
    assert not drawn["without"].conv1.weight[:2].any()

    exec(imports, names := {"Path": Path})
    names["history"] = pd.read_csv("models/net1/history.csv")
    calls = re.findall(r"# (\w+\(.*\))$", imports, re.MULTILINE)
    assert len(calls) == 3
    for call in calls:
        eval(call, names)


def test_the_notebook_runs_from_top_to_bottom_and_keeps_no_outputs(finished, monkeypatch):
    notebook = json.loads((projects.ROOT / "docs/convscope.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    projects.write_yaml(finished.params, Path("params.yaml"))
    monkeypatch.chdir("models")  # Jupyter starts a notebook in its own folder
    ran = {"display": [].append}
    for cell in cells:
        exec(compile("".join(cell["source"]), "a cell", "exec"), ran)
    assert ran["confidence"].shape[0] == len(ran["images"])
    assert {"before", "after"} <= ran.keys()
