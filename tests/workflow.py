"""The workflow's shell steps, run as GitHub's runner does, with a toy of ``gh``."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests import projects

TEXTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((projects.ROOT / ".github/workflows").glob("*.yml"))
}
WORKFLOWS = {name: YAML(typ="safe").load(text) for name, text in TEXTS.items()}
WORKFLOW = WORKFLOWS["study"]
STEPS = WORKFLOW["jobs"]["compare"]["steps"]
SHELL = [step["run"] for step in STEPS if "run" in step]
SUMMARY, ARTIFACT = "summary.md", "https://example.invalid/artifact"
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq, which gh has inside")
BOT = "github-actions[bot]"
# keeps comments in a file as GitHub does; a request for them is answered by jq, as by gh itself
GH = """#!{python}
import json, os, pathlib, subprocess, sys
store, words = pathlib.Path(os.environ["COMMENTS"]), sys.argv[1:]
assert words[0] == "api" and os.environ["GH_TOKEN"] == "secret", words
comments = json.loads(store.read_text())
option = dict(zip(words, words[1:]))
if "--field" not in option:
    assert "repos/me/study/issues/7/comments?per_page=100" in words, words
    jq = ["jq", "--raw-output", option["--jq"]]
    sys.exit(subprocess.run(jq, input=json.dumps(comments), text=True).returncode)
name, _, source = option["--field"].partition("=@")
assert name == "body", words
body = pathlib.Path(source).read_text()
if option["--method"] == "POST":
    assert "repos/me/study/issues/7/comments" in words, words
    comments.append({{"id": 100 + len(comments), "user": {{"login": "{bot}"}}, "body": body}})
else:
    assert option["--method"] == "PATCH", words
    (number,) = [word.rpartition("/")[2] for word in words if "/issues/comments/" in word]
    (comment,) = [comment for comment in comments if comment["id"] == int(number)]
    comment["body"] = body
store.write_text(json.dumps(comments))
"""


class Runner:
    """Runs shell lines as GitHub's runner does, in a project's folder.

    The project's environment is installed already: it is that of the tests.
    """

    def __init__(self, project: projects.Project, folder: Path) -> None:
        """Keep what steps write in a folder; ``project`` may be committed to."""
        self.project, self.folder = project, folder
        program = folder / "programs/gh"
        program.parent.mkdir()
        program.write_text(GH.format(python=sys.executable, bot=BOT))
        program.chmod(0o755)
        self.summary, self.output = folder / SUMMARY, folder / "output"
        self.write_comments([])

    def run(self, line: str, event: str = "pull_request") -> subprocess.CompletedProcess[str]:
        """Run a step's line."""
        return self.project.run(
            *("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line),
            PATH=f"{self.folder / 'programs'}:{self.project.environment()['PATH']}",
            GITHUB_OUTPUT=str(self.output),
            GITHUB_STEP_SUMMARY=str(self.summary),
            GITHUB_REPOSITORY="me/study",
            GITHUB_EVENT_NAME=event,
            GITHUB_SERVER_URL="https://example.invalid",
            GITHUB_RUN_ID="5",
            COMMENTS=str(self.folder / "comments.json"),
            GH_TOKEN="secret",
            PULL="7",
            ARTIFACT=ARTIFACT,
        )

    def write_comments(self, comments: list[tuple[str, str]]) -> None:
        """Make these the comments of the pull request: who wrote them, and what."""
        stored = [
            {"id": number, "user": {"login": login}, "body": body}
            for number, (login, body) in enumerate(comments)
        ]
        (self.folder / "comments.json").write_text(json.dumps(stored))

    def comments(self) -> list[tuple[str, str]]:
        """The comments as they are now."""
        stored: list[dict[str, Any]] = json.loads((self.folder / "comments.json").read_text())
        return [(each["user"]["login"], each["body"]) for each in stored]


def commit(project: projects.Project) -> None:
    """Commit all changes."""
    author = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    for command in (("add", "--all"), (*author, "commit", "--quiet", "-m", "a change")):
        subprocess.run(["git", *command], cwd=project.folder, check=True)
