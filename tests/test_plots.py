"""What DVC shows of revisions: charts, pictures and metrics, of the results in docs/results.

That every chart names what the stages write is a test of dvc.yaml, in test_dag.py.
"""

import json
import re
import shutil

import pandas as pd
import pytest
import torch
import vl_convert
from dvc_render import VegaRenderer
from playwright.sync_api import expect
from ruamel.yaml import YAML

from convscope.base import files
from convscope.base.names import POINT
from convscope.evaluation import predictions
from convscope.study import claims
from tests import projects, warm

RESULTS = projects.ROOT / "docs/results/cifar10-overnight"
TEMPLATES = projects.ROOT / ".dvc/plots"
PLOTS = YAML(typ="safe").load((projects.ROOT / "dvc.yaml").read_text())["plots"]
CHARTS = {name: chart for plot in PLOTS if isinstance(plot, dict) for name, chart in plot.items()}
PICTURES = [plot for plot in PLOTS if isinstance(plot, str)]
# DVC puts the files as they are first
REVISIONS = ["workspace", "HEAD"]
# what is not kept, or came after the results that are
LATER = ("report.html", "explore.html", "explore/images.csv")
CHANGED = "reports/train/net3/metrics.json"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with committed results, and other ones of net3 in its files."""
    copy = projects.copied(tmp_path_factory.mktemp("clone"), warm.programs())
    for name in ("models", "reports"):
        shutil.copytree(RESULTS / name, copy.folder / name, dirs_exist_ok=True)
    reports = copy.folder / "reports"
    for name in ("data/dataset.safetensors", *(f"reports/{name}" for name in LATER)):
        files.write_text(copy.folder / name, "")
    tables = {
        path.stem[10:]: pd.read_csv(path) for path in sorted(reports.glob("*/confusion_net*.csv"))
    }
    matrices = {net: torch.tensor(table.iloc[:, 1:].values) for net, table in tables.items()}
    cells = predictions.confusion_cells(matrices, tables["net1"]["true"])
    files.write_csv(reports / "evaluate/confusion.csv", cells)
    files.write_json(reports / "explore/metrics.json", {"images": 200})
    files.write_json(reports / "metrics.json", claims.to_metrics(claims.judge(reports)))
    author = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    for command in (("dvc", "commit", "-f"), ("git", *author, "commit", "-qam", "results")):
        done = copy.run(*command)
        assert done.returncode == 0, done.stderr

    history = files.read_csv(copy.folder / "models/net3/history.csv", "train net3")
    files.write_csv(copy.folder / "models/net3/history.csv", history.assign(dropout_rate=0.25))
    for path, change in (
        (copy.folder / CHANGED, {"test_accuracy": 0.75}),
        (reports / "metrics.json", {"claim_03_net1_stride": "not measured"}),
    ):
        files.write_json(path, json.loads(path.read_text()) | change)
    return copy


def says(project, *command):
    """What a command of DVC prints as JSON, without a complaint."""
    done = project.run("dvc", *command, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def compared(project):
    """What ``dvc plots diff`` hands to the page and to VS Code, by plot."""
    drawn = says(project, "plots", "diff", *REVISIONS)
    assert set(drawn) == {"data"}  # and no errors
    return drawn["data"]


def test_every_template_is_used_and_hides_none_of_dvcs_own(project):
    used = {chart["template"] for chart in CHARTS.values()}
    assert {path.stem for path in TEMPLATES.glob("*.json")} == used
    known = project.run("dvc", "plots", "templates").stdout.split()
    assert "linear" in known
    assert used.isdisjoint(known)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_shows_both_revisions(name, compared):
    (chart,) = compared[name]
    assert (chart["type"], chart["revisions"]) == ("vega", REVISIONS)
    texts = drawn_texts(chart["content"])
    assert set(REVISIONS) <= set(texts)
    assert CHARTS[name]["title"] in texts


def test_a_picture_of_each_revision_is_shown(compared):
    assert set(compared) == {*CHARTS, *PICTURES}
    for path in PICTURES:
        shown = [(each["type"], each["revisions"]) for each in compared[path]]
        assert shown == [("image", [revision]) for revision in REVISIONS]


def test_metrics_say_by_name_what_moved_and_which_verdict_turned(project):
    moved = says(project, "metrics", "diff")
    assert set(moved) == {CHANGED, "reports/metrics.json"}
    assert moved[CHANGED]["test_accuracy"]["new"] == 0.75
    assert moved["reports/metrics.json"] == {
        "claim_03_net1_stride": {"old": "holds in 3 of 3 seeds", "new": "not measured"}
    }


def test_experiments_are_listed_with_what_differs_alone(project):
    named = ("--only-changed", "--drop", "models|reports.*")
    done = project.run("dvc", "exp", "show", *named, "--csv")
    assert done.returncode == 0, done.stderr
    header = done.stdout.splitlines()[0].split(",")
    assert "claim_03_net1_stride" in header
    assert not [name for name in header if name.startswith(("claim_04", "reports", "models"))]


def test_the_page_needs_no_network_and_draws_every_chart(project, visit):
    done = project.run("convscope", "plots", *REVISIONS)
    assert done.returncode == 0, done.stderr
    path = project.folder / "dvc_plots/index.html"
    assert done.stdout.strip() == path.as_uri()
    page = visit(path)
    assert page.locator("script[src], link[href]").count() == 0
    expect(page.locator("svg.marks")).to_have_count(len(CHARTS))
    expect(page.locator("img")).to_have_count(len(PICTURES) * len(REVISIONS))
    drawn = page.locator("img").evaluate_all("images => images.map((each) => each.naturalWidth)")
    assert all(drawn)


def drawn_texts(content):
    """The words of a chart, from top left to bottom right in what each group holds."""
    svg = vl_convert.vegalite_to_svg(content)
    return re.findall("<text[^>]*>([^<]*)</text>", svg)


def filled(name, rows, **columns):
    """A template with these rows, as DVC fills it."""
    title = {"title": "chart", **columns}
    return VegaRenderer(rows, "plot", template=name, template_dir=str(TEMPLATES), **title)


def test_each_confusion_matrix_is_under_its_network_and_beside_its_revision():
    rows = [
        {
            "rev": rev,
            "net": net,
            "true": "cat",
            "predicted": "dog",
            "images": str(images),
            "share": "1",
        }
        for rev, tens in (("old", 10), ("new", 20))
        for net, images in (("net1", tens + 1), ("net2", tens + 2), ("net3", tens + 3))
    ]
    texts = drawn_texts(filled("cells", rows, x="predicted", y="true").get_filled_template())
    names = [text for text in texts if text in ("old", "new") or text.startswith("net")]
    assert names == ["old", "new", "net1", "net2", "net3"]
    assert [text for text in texts if text.isdigit()] == ["11", "12", "13", "21", "22", "23"]


def grid_drawn(rates, seeds):
    """The chart of a grid of these dropout rates, each from some seeds."""
    same = dict.fromkeys((*POINT, "loss", "total_parameters"), "1")
    rows = [
        {
            **same,
            "rev": "old",
            "run": f"{rate} {seed}",
            "epoch": epoch,
            "test_accuracy": "0.5",
            "dropout_rate": rate,
            "seed": seed,
        }
        for rate in rates
        for seed in seeds
        for epoch in ("1", "2")
    ]
    return filled("runs", rows, x="epoch", y="test_accuracy").get_filled_template()


def test_a_setting_is_called_by_what_varies_and_its_seeds_are_lines_of_their_own():
    chart = grid_drawn(("0.1", "0.5"), "012")
    named = [text for text in drawn_texts(chart) if "dropout" in text]
    assert named == ["dropout_rate 0.1", "dropout_rate 0.5"]
    lines = re.findall('aria-roledescription="line mark"', vl_convert.vegalite_to_svg(chart))
    assert len(lines) == 6
    assert "the only setting" in drawn_texts(grid_drawn(("0.1",), "01"))


def test_the_legend_of_a_large_grid_names_every_setting():
    rates = [f"0.{tenths:02}" for tenths in range(1, 50)]
    named = [text for text in drawn_texts(grid_drawn(rates, "0")) if "dropout" in text]
    assert named == [f"dropout_rate {rate}" for rate in rates]
