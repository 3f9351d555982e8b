"""What the documents say of the project and of the committed results."""

import re
import subprocess
import tomllib
from pathlib import Path

import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file, save_file

from convscope.base import files, tensors
from convscope.nets import inference, zoo
from tests import projects, toys

RESULTS = projects.ROOT / "docs" / "results"
README = projects.ROOT / "README.md"
PACKAGE = projects.ROOT / "src/convscope"
MEBIBYTE = 2**20


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
