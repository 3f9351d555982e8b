"""The workflows of CI: what they may do, and their scripts, which test_pipeline runs."""

import re

import pytest
from ruamel.yaml import YAML

from convscope.comparison.answer import MARKER
from tests import projects, warm, workflow
from tests.workflow import BOT, STEPS, TEXTS, WORKFLOW, WORKFLOWS, needs_jq


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
    project = projects.copied(tmp_path / "clone", warm.programs())
    ci = workflow.Runner(project, tmp_path)
    done = ci.run(".ci/compare nowhere")
    assert done.returncode != 0
    summary = ci.summary.read_text()
    assert summary == (project.folder / "comparison/answer.md").read_text()
    assert summary.startswith(f"{MARKER}\n## The states could not be compared\n")
    assert "\nconvscope: BASE: 'nowhere' is not a commit of this repository" in summary


@pytest.mark.parametrize(
    ("event", "answered", "code"),
    [
        # a claim that a merged change turned was turned on purpose
        ("push", "mkdir comparison; echo turned > comparison/answer.md", 0),
        ("push", "true", 2),
        ("pull_request", "mkdir comparison; echo turned > comparison/answer.md", 2),
    ],
)
def test_a_turned_claim_fails_a_pull_request_and_not_what_was_merged(
    event, answered, code, tmp_path
):
    project = projects.copied(tmp_path / "clone", warm.programs())
    ci = workflow.Runner(project, tmp_path)
    (tmp_path / "programs/make").write_text(f"#!/bin/sh\n{answered}\nexit 2\n")
    (tmp_path / "programs/make").chmod(0o755)
    assert ci.run(".ci/compare HEAD^1", event).returncode == code
    assert ci.summary.read_text()


def test_shell_steps_are_single_lines_without_expressions():
    jobs = [job for workflow in WORKFLOWS.values() for job in workflow["jobs"].values()]
    lines = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert len(lines) > 4
    for line in lines:
        assert "\n" not in line
        assert "${{" not in line
        assert re.match(r"(make |\.ci/\w+)", line)


@pytest.mark.parametrize(
    ("name", "rights"),
    [
        ("study", {"compare": {"contents": "read", "pull-requests": "write"}}),
        ("tests", {"tests": {"contents": "read"}}),
    ],
)
def test_a_workflow_uses_github_s_own_actions_by_hash_and_no_more_rights_than_it_needs(
    name, rights
):
    workflow, text = WORKFLOWS[name], TEXTS[name]
    uses = re.findall(r"uses: (.*)", text)
    assert len(uses) > 1
    assert all(
        re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses
    )
    assert set(workflow["on"]) == {"pull_request", "push"}
    assert "pull_request_target" not in text
    assert workflow["permissions"] == {}
    assert {job: each["permissions"] for job, each in workflow["jobs"].items()} == rights


def test_only_pull_requests_of_the_repository_itself_are_commented():
    comment = next(step for step in STEPS if str(step.get("run")).startswith(".ci/comment"))
    assert "github.event.pull_request.head.repo.full_name == github.repository" in comment["if"]


def test_the_workflow_starts_for_what_changes_the_study():
    paths = ["params.yaml", "conf/**", "dvc.yaml", "src/**", "constraints.txt"]
    assert [event["paths"] for event in WORKFLOW["on"].values()] == [paths, paths]


def test_every_change_is_checked_and_tested_on_every_python():
    workflow = WORKFLOWS["tests"]
    assert workflow["on"] == {"pull_request": None, "push": {"branches": ["main"]}}
    (job,) = workflow["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    lines = [step["run"] for step in job["steps"] if "run" in step]
    assert lines == ["make check", "make test"]


def test_what_was_trained_is_kept_whatever_becomes_of_the_comparison():
    comparing, saving = (
        next(step for step in STEPS if known in str(step.get(key)))
        for key, known in (("run", ".ci/compare"), ("uses", "cache/save"))
    )
    assert saving["if"] == "${{ always() }}"
    assert comparing["timeout-minutes"] < WORKFLOW["jobs"]["compare"]["timeout-minutes"]


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
