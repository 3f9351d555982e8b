"""What the project's documents say of the project."""

import re
import tomllib

from ruamel.yaml import YAML

from tests import projects

PACKAGE = projects.ROOT / "src/convscope"


def read(name):
    return (projects.ROOT / name).read_text(encoding="utf-8")


PYPROJECT = tomllib.loads(read("pyproject.toml"))
README = read("README.md")


def test_the_readmes_tree_shows_the_rooms_in_the_order_in_which_they_may_import():
    shown = re.findall(r"^ {8}(\w+)(?:/|\.py) ", README, re.MULTILINE)
    assert shown == PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(shown) == {*rooms, "cli"}


def test_the_files_that_the_documents_name_are_there():
    documents = README + read("CONTRIBUTING.md")
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
