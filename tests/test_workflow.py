"""The workflow of CI: what it may do, and the scripts of its steps; test_pipeline runs them all."""

import re

from ruamel.yaml import YAML

from convscope.comparison.answer import MARKER
from tests import projects, workflow
from tests.workflow import BOT, STEPS, TEXT, WORKFLOW, needs_jq


@needs_jq
def test_a_comment_is_edited_in_place_and_nobody_elses_is(tmp_path):
    ci = workflow.Runner(projects.Project(projects.ROOT), tmp_path)
    others = [("someone", f"{MARKER}\nmine"), (BOT, "of another workflow")]
    ci.write_comments(others)
    for text in ("first", "second", "third"):
        (tmp_path / "answer.md").write_text(f"{MARKER}\n{text} 'quoted' $(false) `false`\n")
        done = ci.run(f".ci/comment {tmp_path / 'answer.md'}")
        assert done.returncode == 0, done.stderr
        *before, (login, body) = ci.comments()
        assert before == others
        assert (login, body.splitlines()[:2]) == (
            BOT,
            [MARKER, f"{text} 'quoted' $(false) `false`"],
        )


def test_an_error_is_the_summary_and_fails_the_step(tmp_path):
    project = projects.copied(tmp_path / "clone")
    ci = workflow.Runner(project, tmp_path)
    done = ci.run(".ci/compare nowhere")
    assert done.returncode != 0
    summary = ci.summary.read_text()
    assert summary == (project.folder / "comparison/answer.md").read_text()
    assert summary.startswith(f"{MARKER}\n## The states could not be compared\n")
    assert "\nconvscope: BASE: 'nowhere' is not a commit of this repository" in summary


def test_shell_steps_are_single_lines_without_expressions():
    lines = [
        step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert len(lines) > 4
    for line in lines:
        assert "\n" not in line
        assert "${{" not in line
        assert re.match(r"(make |\.ci/\w+)", line)


def test_the_workflow_uses_github_s_own_actions_by_hash_and_no_more_rights_than_it_needs():
    uses = re.findall(r"uses: (.*)", TEXT)
    assert len(uses) > 5
    assert all(
        re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses
    )
    assert set(WORKFLOW["on"]) == {"pull_request", "push"}
    assert "pull_request_target" not in TEXT
    assert WORKFLOW["permissions"] == {}
    rights = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}
    assert rights == {
        "tests": {"contents": "read"},
        "compare": {"contents": "read", "pull-requests": "write"},
    }
    comment = next(step for step in STEPS if str(step.get("run")).startswith(".ci/comment"))
    assert "github.event.pull_request.head.repo.full_name == github.repository" in comment["if"]


def test_the_workflow_starts_for_what_changes_the_study():
    paths = ["params.yaml", "conf/**", "dvc.yaml", "src/**", "constraints.txt"]
    assert [event["paths"] for event in WORKFLOW["on"].values()] == [paths, paths]
    versions = WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["python"]
    assert versions == ["3.11", "3.12", "3.13"]


def test_what_is_restored_is_what_is_saved_by_the_kind_of_processor():
    caches = [step["with"] for step in STEPS if "actions/cache" in step.get("uses", "")]
    assert len(caches) == 2
    assert caches[0].items() >= caches[1].items()
    assert caches[1]["path"].split() == [".dvc/cache", ".convscope/runs"]
    assert caches[0]["key"].startswith(caches[0]["restore-keys"])
    assert "steps.processor.outputs.kind" in caches[0]["restore-keys"]


def test_the_readmes_job_for_gitlab_starts_for_the_same_files_and_keeps_the_same_caches():
    readme = (projects.ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert len(text.splitlines()) <= 10
    job = YAML(typ="safe").load(text)["compare"]
    started = [path.replace("/**/*", "/**") for path in job["rules"][0]["changes"]]
    assert started == WORKFLOW["on"]["pull_request"]["paths"]
    kept = next(step for step in STEPS if "actions/cache" in step.get("uses", ""))["with"]["path"]
    assert job["cache"]["paths"] == kept.split()
    assert job["script"].startswith("make compare ")
