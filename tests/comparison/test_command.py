import os
import signal
import subprocess
import sys

import psutil
import pytest
from tests import projects, warm
from tests.comparison import states
from tests.waiting import wait_for

from convscope import cli

LOST = {"claims": [states.claim(1, "does not hold"), states.claim(2, "does not hold")]}
CLAIMS = "reports__claims.json"
SECONDS = 120


def compared(capsys, *arguments):
    """The exit code and the Markdown of ``convscope compare``."""
    code = cli.main(["compare", *arguments])
    return code, capsys.readouterr().out


def running():
    """The commands of all processes, which those that have ended no longer have."""
    commands = (each.info["cmdline"] or () for each in psutil.process_iter(["cmdline"]))
    return "\n".join(" ".join(command) for command in commands)


def refused(capsys, *arguments):
    """The line with which it ends."""
    assert cli.main(["compare", *arguments]) == 2
    return capsys.readouterr().err.splitlines()[-1].removeprefix("convscope: ")


def test_a_claim_that_no_longer_holds_is_exit_code_1_unless_allowed(repository, capsys):
    repository.commit(**{CLAIMS: LOST})
    code, text = compared(capsys, "HEAD~1")
    assert code == 1
    assert "**Claim 1 held and no longer does.**" in text
    assert compared(capsys, "HEAD~1", "--allow-turned")[0] == 0
    assert compared(capsys, "HEAD", "--head", "HEAD~1")[0] == 0


def test_the_working_tree_is_compared_with_what_is_not_committed(repository, capsys):
    states.write(
        repository.folder / "made", {"reports/new.png": b"new", "reports/claims.json": LOST}
    )
    (repository.folder / "ignored").touch()
    before = projects.snapshot(repository.folder)
    status = repository.git("status", "--porcelain")
    code, text = compared(capsys, "HEAD")
    short = repository.git("rev-parse", "HEAD")[:10]
    assert code == 1
    assert f"## HEAD ({short}) → {short} with uncommitted changes\n" in text
    assert "| `reports/new.png` | new |" in text
    assert repository.git("status", "--porcelain") == status
    # caches and locks are made where they are not there
    after = projects.snapshot(repository.folder)
    made = {name: time for name, time in after[0].items() if name not in before[0]}
    assert {path.relative_to(repository.folder).parts[0] for path in made} == {".dvc", ".convscope"}
    assert after[1] == before[1]


def test_of_a_clean_tree_the_commit_is_compared(repository, capsys):
    commit = repository.git("rev-parse", "HEAD")
    assert f"## HEAD ({commit[:10]}) → {commit[:10]}\n" in compared(capsys, "HEAD")[1]
    assert f"## {commit[:10]} → {commit[:10]}\n" in compared(capsys, commit)[1]


def test_both_states_run_in_one_clone_which_is_gone_afterwards(repository, capsys):
    compared(capsys, "HEAD")
    first, second = repository.seen.read_text().splitlines()
    assert first == second != str(repository.folder)
    assert list((repository.folder.parent / "tmp").iterdir()) == []


def test_what_an_earlier_state_left_is_not_in_the_later(repository, capsys):
    repository.commit(**{"reports__more.png": b"more"})
    assert "| `reports/more.png` | gone |" in compared(capsys, "HEAD", "--head", "HEAD~1")[1]


def test_the_clone_has_the_caches_of_the_project(repository, capsys, tmp_path):
    script = tmp_path / "bin/dvc"
    listing = f"ls -l .dvc .convscope >{tmp_path}/ls; cp -r"
    script.write_text(script.read_text().replace("cp -r", listing))
    compared(capsys, "HEAD")
    links = (tmp_path / "ls").read_text()
    for shared in (".dvc/cache", ".convscope/runs", ".convscope/locks"):
        assert f"-> {repository.folder / shared}\n" in links


def test_a_pipeline_that_fails_is_one_line_with_its_last_lines(repository, capsys):
    repository.commit(fails="")
    short = repository.git("rev-parse", "HEAD")[:10]
    assert refused(capsys, "HEAD~1") == (
        f"after {short} does not run here: `dvc repro` ended with 3 (first | "
        "convscope: net1 is broken): mend it, or compare with another commit"
    )
    assert list((repository.folder.parent / "tmp").iterdir()) == []


@pytest.mark.parametrize("text", ["nowhere", "", "--all", "HEAD:params.yaml"])
def test_what_is_no_commit_is_refused(text, repository, capsys):  # noqa: ARG001
    line = refused(capsys, "--", text)
    assert line.startswith(
        f"BASE: {text!r} is not a commit of this repository: name a commit, a branch"
    )
    assert refused(capsys, "HEAD", f"--head={text}").startswith(f"--head: {text!r} is not a commit")


def test_code_of_before_the_command_that_is_installed_runs_by_its_own(repository, capsys, tmp_path):
    earlier = f"def main():\n    open({str(tmp_path / 'ran')!r}, 'a').write(__file__ + '\\n')\n"
    states.write(
        repository.folder, {"src/convscope/__init__.py": "", "src/convscope/cli.py": earlier}
    )
    repository.commit()
    repository.git("rm", "--quiet", "-r", "src")
    repository.commit()
    assert compared(capsys, "HEAD~1")[0] == 0
    (ran,) = (tmp_path / "ran").read_text().splitlines()
    assert ran.startswith(str(tmp_path / "tmp"))


def test_a_shallow_clone_a_worktree_and_a_folder_of_a_repository_can_be_compared(
    repository, capsys, tmp_path, monkeypatch
):
    repository.commit(**{CLAIMS: LOST})
    url = f"file://{repository.folder}"
    repository.git("clone", "--quiet", "--depth=2", url, str(tmp_path / "shallow"))
    repository.git("worktree", "add", "--quiet", str(tmp_path / "tree"))
    whole = tmp_path / "whole"
    repository.git("clone", "--quiet", url, str(whole))
    git = ("git", "-C", str(whole), "-c", "user.name=t", "-c", "user.email=t@example.invalid")
    (whole / "inner").mkdir()
    for name in ("made", "params.yaml", "dvc.yaml"):
        subprocess.run([*git, "mv", name, f"inner/{name}"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "moved"], check=True)
    for folder, base in (("shallow", "HEAD~1"), ("tree", "HEAD~1"), ("whole/inner", "HEAD")):
        monkeypatch.chdir(tmp_path / folder)
        code, _ = compared(capsys, base)
        assert code == (0 if base == "HEAD" else 1), folder


def test_it_works_within_a_hook_of_git(repository, capsys, monkeypatch):  # noqa: ARG001
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert compared(capsys, "HEAD")[0] == 0


def test_the_answer_and_both_states_are_kept_in_a_folder(repository, capsys, tmp_path):
    repository.commit(**{CLAIMS: LOST})
    out = tmp_path / "out"
    for _ in range(2):  # an earlier one is replaced
        _, text = compared(capsys, "HEAD~1", "--out", str(out))
    assert (out / "answer.md").read_text() == text
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "before/reports/occlusion/maps.png").read_bytes() == b"a picture"
    assert '"does not hold"' in (out / "after/reports/claims.json").read_text()


def test_a_link_is_not_taken_for_the_folder_of_the_answer(repository, capsys, tmp_path):  # noqa: ARG001
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/answer.md").touch()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    assert cli.main(["compare", "HEAD", "--out", str(tmp_path / "link")]) == 2
    assert "is a link: name the folder itself" in capsys.readouterr().err


def test_what_a_pipeline_leaves_at_work_is_ended(repository, capsys):
    repository.commit(leaves="")
    assert compared(capsys, "HEAD")[0] == 0
    wait_for(lambda: "sleep 611" not in running(), seconds=SECONDS)


@pytest.mark.usefixtures("warm_python")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_is_ended_leaves_nothing_and_nothing_running(number, repository, tmp_path):
    repository.commit(slow="")
    before = projects.contents(repository.folder)
    command = [sys.executable, "-m", "convscope.cli", "compare", "HEAD"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "seen.slow").exists, process, SECONDS)
    os.kill(warm.process_of(process.pid), number)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert list((tmp_path / "tmp").iterdir()) == []
    assert projects.contents(repository.folder) == before
    assert str(tmp_path) not in running()
