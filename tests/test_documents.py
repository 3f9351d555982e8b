"""What the documents say of the project and of the committed results."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file, save_file

from convscope.base import files, tensors
from convscope.base.names import STUDY
from convscope.nets import inference, zoo
from convscope.study import claims, published
from tests import projects, toys

RESULTS = projects.ROOT / "docs" / "results"
LAPTOP = RESULTS / "cifar10-laptop"
REPORTS = LAPTOP / "reports"
OVERNIGHT = RESULTS / "cifar10-overnight/reports"
README = projects.ROOT / "README.md"
PACKAGE = projects.ROOT / "src/convscope"
MEBIBYTE = 2**20


def rows(path: Path) -> list[dict[str, Any]]:
    return pd.read_csv(path).to_dict("records")


def one_line(page: Path) -> str:
    return " ".join(page.read_text(encoding="utf-8").split())


def percent(accuracy: float) -> str:
    return f"{100 * accuracy:.2f} %"


@pytest.mark.parametrize("page", [README, RESULTS / "README.md"], ids=lambda page: str(page.parent))
def test_the_accuracies_and_verdicts_of_a_readme_are_those_of_the_results(page):
    text = one_line(page)
    for best in rows(REPORTS / "evaluate/best.csv"):
        interval = f"{100 * best['low']:.2f} to {percent(best['high'])}"
        row = best["net"], percent(best["test_accuracy"]), interval
        assert f"| {' | '.join(row)} |" in text
    # like for like, beside the published number
    ways = pd.read_csv(REPORTS / "evaluate/protocols.csv").set_index(["net", "protocol"])
    for net, printed in (("net3", "87.50 %"), ("net4", "88.74 %")):
        alike = ways["accuracy"][net, STUDY]
        assert f"| {percent(alike)} | {printed} |" in text
    counts = files.read_json(REPORTS / "claims.json", "report")["verdicts"].values()
    assert "{} hold, {} do not, {} were not measured".format(*counts) in text


def test_the_readme_says_on_which_grids_claims_were_judged():
    claims = files.read_json(REPORTS / "claims.json", "report")["claims"]
    rests = [claim for claim in claims if not claim["differing"] and claim["section"] != "pipeline"]
    assert [claim["verdict"] for claim in rests] == ["holds"] * 5
    others = sum(claim["verdict"] == "holds" for claim in claims) - 5
    assert "All five that rest on grids of the published size hold;" in one_line(README)
    assert f"hold; {others} of the {len(claims) - 5} others hold" in one_line(README)


def test_what_the_readme_says_of_the_ablation_is_what_was_measured():
    folder, text = REPORTS / "filter-ablation", one_line(README)
    metrics = files.read_json(folder / "metrics.json", "report")
    before, after = (percent(metrics[f"accuracy_{when}"]) for when in ("before", "after"))
    assert f"falls from {before} to {after}, and takes more than two thirds of all" in text
    confusion = pd.read_csv(folder / "confusion_after.csv", index_col="true")
    assert confusion["deer"].sum() / confusion.to_numpy().sum() > 2 / 3
    (depth,) = rows(folder / "atlas_depth.csv")
    assert f"{depth['significant']} of the {depth['filters']} change the accuracy" in text
    first, last = pd.read_csv(folder / "atlas_halves.csv")["mean_drop_percent"]
    assert f"costs {first:.1f} points on average and one of the last three {last:.1f}," in text
    layers = pd.read_csv(folder / "atlas_by_layer.csv", index_col="layer")
    means = layers["mean_drop_percent"]
    assert means.idxmax() == "conv2"
    assert means["conv1"] < means["conv5"]


def test_the_results_name_the_data_the_machine_and_the_versions():
    about = files.read_json(LAPTOP / "about.json", "report")
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert about["data"]["md5"] in text
    assert about["machine"]["processor"] in text
    for package in ("torch", "torchvision"):
        assert f"{package} {about['versions'][package].partition('+')[0]}" in text


@pytest.mark.parametrize(
    ("table", "keys", "seeds"),
    [
        ("baseline/by_lr_batch_size", ["lr", "batch_size"], 3),
        ("net1/by_kernel_size_stride", ["kernel_size", "stride"], 1),
        ("net1/by_l1_oc_filter_multiplier", ["l1_oc", "filter_multiplier"], 1),
        ("net2/by_kernel_size", ["kernel_size"], 1),
    ],
)
def test_means_of_the_overnight_study_are_told_as_they_were_measured(table, keys, seeds):
    text = one_line(RESULTS / "README.md")
    found = pd.read_csv(OVERNIGHT / f"train/{table}.csv")
    compared = found.merge(published.table(f"train/{table}"), on=keys)
    assert len(compared) == len(found) >= 3
    for row in compared.to_dict("records"):
        cells = [f"{row[key]:g}" for key in keys]
        cells += [percent(row[f"test_accuracy_{side}"]) for side in ("y", "x")]
        cells += [f"{100 * row['test_accuracy_std']:.2f}"] if seeds > 1 else []
        assert f"| {' | '.join(cells)} |" in text


def test_verdicts_of_the_overnight_study_are_those_of_the_rules():
    text = one_line(RESULTS / "README.md")
    judged = claims.judge(OVERNIGHT)
    by_verdict = {verdict: [] for verdict in ("holds", "does not hold", "not measured")}
    for claim in judged:
        by_verdict[claim.verdict].append(str(claim.number))
    (_, *held, last), (*failed, worst), _ = by_verdict.values()
    assert f"claims {', '.join(held)} and {last} hold" in text
    assert f"claims {', '.join(failed)} and {worst} do not" in text
    (best,) = rows(OVERNIGHT / "train/net1/best.csv")
    said = f"run {best['run']}: {percent(best['test_accuracy'])} in epoch {best['epoch']} "
    assert said + "(published: 67.04 % in epoch 12)" in text
    assert f"claim 1 {judged[0].answer}" in text
    # that one is told by itself
    assert {len(claim.seeds) for claim in judged[1:] if claim.verdict == "holds"} == {1}
    assert min(each.margin for each in judged[0].seeds) == pytest.approx(7.81, abs=0.005)


def test_what_is_said_of_the_overnight_studys_net2_is_what_was_measured():
    text = one_line(RESULTS / "README.md")
    widths = pd.read_csv(OVERNIGHT / "train/net2/by_l1_oc.csv", index_col="l1_oc")["test_accuracy"]
    printed = published.table("train/net2/by_l1_oc").set_index("l1_oc")["test_accuracy"]
    assert f"| 6 | not trained | {percent(widths[6])} |" in text
    assert f"| 18 | {percent(printed[18])} | {percent(widths[18])} |" in text
    (best,) = rows(OVERNIGHT / "train/net2/best.csv")
    assert (best["l1_oc"], best["kernel_size"], best["epoch"]) == (18, 5, 16)
    assert f"kernel 5: {percent(best['test_accuracy'])} in epoch 16 (published: 75.03 %" in text
    assert f"more than {best['overfit_percent']:.2f} points (7: above 20)" in text
    assert f"more than {percent(best['train_accuracy'])} of the training images" in text
    doubled = {claim.number: claim.measured for claim in claims.judge(OVERNIGHT)}[46]
    overfit, accuracy = doubled.values()
    assert f"adds {overfit:.2f} points to overfit and {accuracy:.2f} to test accuracy" in text
    said = f"the mean at l1_oc 18 is {percent(widths[18])} (published: {percent(printed[18])})"
    assert f"{said}, the best {percent(best['test_accuracy'])}." in one_line(README)


def test_what_is_said_of_the_overnight_studys_net4_is_what_was_measured():
    text = one_line(RESULTS / "README.md")
    means = pd.read_csv(OVERNIGHT / "train/net4/by_dropout_rate.csv", index_col="dropout_rate")
    runs = pd.read_csv(OVERNIGHT / "train/net4/runs.csv", index_col="dropout_rate")
    printed = published.table("train/net4/by_dropout_rate").set_index("dropout_rate")
    for rate, highest in ((0.3, percent(0.8874)), (0.5, "never above 88 %")):
        told = [means["study_accuracy"][rate], means["test_accuracy"][rate]]
        best = [runs["best_study_accuracy"][rate], runs["test_accuracy"][rate]]
        cells = map(percent, [printed["test_accuracy"][rate], *told])
        row = [f"{rate:g}", *cells, highest, *map(percent, best)]
        assert f"| {' | '.join(row)} |" in text
    (best,) = rows(OVERNIGHT / "train/net4/best.csv")
    two_ways = percent(best["test_accuracy"]), percent(best["study_accuracy"])
    assert "epoch {}, with {} in the usual way, {} in".format(best["epoch"], *two_ways) in text
    usual, alike = two_ways
    assert f"epochs, reaches {alike} in the study's way" in one_line(README)
    assert f"and {usual} in the usual way" in one_line(README)
    live = (RESULTS / "net4-live.html").read_text(encoding="utf-8")
    assert re.search(rf'"accuracy": ?{best["test_accuracy"]},', live)
    folder = OVERNIGHT / "filter-ablation"
    overall = pd.read_csv(folder / "mean_ablation.csv", index_col="class").loc["overall"]
    assert f"falls to {overall['zeroed_percent']:.2f} %, with those at their means" in text
    assert f"instead to {overall['averaged_percent']:.2f} %" in text
    drawn = pd.read_csv(folder / "random_sets.csv")["drop_points"]
    assert (
        f"cost {drawn.min():.0f} to {drawn.max():.0f} points, the median {drawn.median():.0f}."
        in text
    )
    dead = pd.read_csv(OVERNIGHT / "filter-identify/dead_by_layer.csv")
    assert dead["dead_filters"].sum() == 0
    assert f"none of its {dead['filters'].sum()} filters in the first five" in text


def test_each_network_of_the_results_beats_the_one_before():
    best = pd.read_csv(REPORTS / "evaluate/best.csv")["test_accuracy"].tolist()
    assert len(best) == 4
    assert best == sorted(set(best))


def test_every_link_of_the_readmes_leads_to_a_file():
    for page in (README, RESULTS / "README.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_results_stay_small():
    size = sum(path.stat().st_size for path in RESULTS.rglob("*") if path.is_file())
    assert size < 6 * MEBIBYTE


def test_the_projects_tracked_files_stay_small():
    listed = subprocess.check_output(["git", "-C", projects.ROOT, "ls-files", "-z"], text=True)
    paths = [projects.ROOT / name for name in listed.split("\0") if name]
    assert 0 < sum(path.stat().st_size for path in paths if path.is_file()) < 8 * MEBIBYTE


def read(name):
    return (projects.ROOT / name).read_text(encoding="utf-8")


PYPROJECT = tomllib.loads(read("pyproject.toml"))
TEXT = read("README.md")


def test_the_readmes_tree_shows_the_rooms_in_the_order_in_which_they_may_import():
    shown = re.findall(r"^ {8}(\w+)(?:/|\.py) ", TEXT, re.MULTILINE)
    assert shown == PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(shown) == {*rooms, "cli"}


def test_the_files_that_the_documents_name_are_there():
    documents = TEXT + read("CONTRIBUTING.md")
    named = set(re.findall(r"`([\w/-]+/[\w-]+\.(?:py|yaml))`", documents))
    placed = {path for path in named if not path.endswith("/NAME.py")}
    assert len(placed) > 10
    assert placed == {p for p in placed if (projects.ROOT / p).exists() or (PACKAGE / p).exists()}


def test_the_hooks_before_a_commit_are_the_checks_of_make():
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)[1]
    (local,) = YAML(typ="safe").load(read(".pre-commit-config.yaml"))["repos"]
    hooks = [hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]]
    assert hooks == [line.strip() for line in recipe.splitlines()]


def test_a_citation_is_of_this_version():
    citation = YAML(typ="safe").load(read("CITATION.cff"))
    project = PYPROJECT["project"]
    for key in ("version", "license"):
        assert citation[key] == project[key]


def test_the_readmes_plain_torch_gives_the_same_logits_without_convscope(here):
    torch.manual_seed(0)
    module = zoo.build("net4", l1_oc=4, filter_multiplier=1.5)
    with torch.no_grad():
        for key, values in module.state_dict().items():
            if "running" in key:  # as if it had been trained
                values += torch.rand_like(values)
    tensors.write_tensors(Path("models/net4/runs/a/best.safetensors"), module.state_dict())
    files.write_json(Path("models/net4/best.json"), {"id": "a"})
    images = toys.noise(5)
    save_file({"images": images}, "images.safetensors")
    (code,) = re.findall(r"^```python\n(import json\n.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    script = here / "plain.py"
    script.write_text(
        "import sys\nsys.modules['convscope'] = None\n"
        f"{code}\n"
        "from safetensors.torch import save_file\n"
        "images = load_file('images.safetensors')['images']\n"
        "save_file({'logits': network(images / 255).detach()}, 'logits.safetensors')\n"
    )
    done = projects.python(str(script))
    assert done.returncode == 0, done.stderr
    found = load_file("logits.safetensors")["logits"]
    torch.testing.assert_close(found, inference.logits(module, images))
