"""The committed results, and what the READMEs say of them."""

import csv
import json
import re
from pathlib import Path

import pytest

from tests import projects

RESULTS = projects.ROOT / "docs" / "results"
LAPTOP = RESULTS / "cifar10-laptop"
README = projects.ROOT / "README.md"
MEBIBYTE = 2**20


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def percent(accuracy: str) -> str:
    return f"{100 * float(accuracy):.2f} %"


@pytest.mark.parametrize("page", [README, RESULTS / "README.md"], ids=lambda page: str(page.parent))
def test_the_accuracies_of_a_readme_are_those_of_the_results(page):
    text = page.read_text(encoding="utf-8")
    for best in rows(LAPTOP / "reports" / "evaluate" / "best.csv"):
        interval = f"{100 * float(best['low']):.2f} to {percent(best['high'])}"
        assert f"| {best['net']} | {percent(best['test_accuracy'])} | {interval} |" in text


@pytest.mark.parametrize("page", [README, RESULTS / "README.md"], ids=lambda page: str(page.parent))
def test_the_verdicts_of_a_readme_are_those_of_the_results(page):
    claims = json.loads((LAPTOP / "reports" / "claims.json").read_text(encoding="utf-8"))
    counts = claims["verdicts"]
    said = (
        f"{counts['holds']} hold, {counts['does not hold']} do not, "
        f"{counts['not measured']} cannot be judged"
    )
    assert said in " ".join(page.read_text(encoding="utf-8").split())


def test_the_results_name_the_data_the_machine_and_the_versions():
    about = json.loads((LAPTOP / "about.json").read_text(encoding="utf-8"))
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert about["data"]["md5"] in text
    assert about["machine"]["processor"] in text
    for package in ("torch", "torchvision"):
        assert f"{package} {about['versions'][package].partition('+')[0]}" in text


def test_each_network_of_the_results_beats_the_one_before():
    best = [float(row["test_accuracy"]) for row in rows(LAPTOP / "reports/evaluate/best.csv")]
    assert len(best) == 4
    assert best == sorted(set(best))


def test_every_link_of_the_readmes_leads_to_a_file():
    for page in (README, RESULTS / "README.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_results_stay_small():
    size = sum(path.stat().st_size for path in RESULTS.rglob("*") if path.is_file())
    assert size < 4 * MEBIBYTE
