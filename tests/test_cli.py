import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from unittest.mock import MagicMock, Mock

import pandas as pd
import pytest
import torch

from convscope import cli
from convscope.base import names
from convscope.base.errors import UserError
from convscope.stages import dvc_lock
from convscope.tracking import finished, publishing, ui
from tests import projects

HEAVY = {"torch", "mlflow", "pandas", "matplotlib", "pydantic", "shtab", "importlib.metadata"}
COMMANDS = [*cli.STAGES, "publish", "claims", "explain", "keep", "compare", "mend", "plots", "ui"]
COMMANDS += ["before", "after", "clean"]
ARGUMENTS = {"train": ["net1"], "keep": ["kept"], "compare": ["HEAD"]}
CLI = ("-m", "convscope.cli")
ELSEWHERE = "params.yaml is missing: run convscope in the project's folder"


@pytest.fixture(autouse=True)
def _project(here):  # noqa: ARG001
    """A project folder with the committed parameters and nothing else."""
    shutil.copyfile(projects.ROOT / "params.yaml", "params.yaml")


def refused(capsys, *arguments):
    """The one line, less the program's name, with which a command ends with exit code 2."""
    assert cli.main(arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    (line,) = written.err.splitlines(keepends=True)
    assert line.startswith("convscope: ")
    assert line.endswith("\n")
    return line.removeprefix("convscope: ").rstrip()


def ended(capsys, *arguments):
    """The exit code and the output of a command line that the parser ends."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return end.value.code, "".join(capsys.readouterr())


def fail_with(error, monkeypatch):
    monkeypatch.setattr(publishing, "publish", Mock(side_effect=error))


def test_an_error_is_one_line_and_exit_code_2_in_a_shell_too():
    Path("params.yaml").unlink()
    done = projects.python(*CLI, "train", "net9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"convscope: {ELSEWHERE}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_litters_a_folder_that_is_not_the_projects(command, capsys):
    Path("params.yaml").unlink()
    assert refused(capsys, command, *ARGUMENTS.get(command, [])) == ELSEWHERE
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ("net1", "data/dataset.safetensors is missing: run `convscope download`"),
        ("net9", "'net9' is not a network; known: baseline, net1, net2, net3, net4"),
    ],
)
def test_what_a_grid_cannot_be_trained_without_is_named(net, message, capsys):
    assert refused(capsys, "train", net).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "invalid choice: 'nope'"),
        ([], "required: COMMAND"),
        (["train"], "required: net"),
        (["ui", "--port", "high"], "invalid int value: 'high'"),
        (["--print-completion", "nosh"], "invalid choice: 'nosh'"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(arguments, message, capsys):
    code, output = ended(capsys, *arguments)
    assert code == 2
    assert message in output.splitlines()[-1]


def test_the_version_and_the_completions_need_no_project(capsys):
    Path("params.yaml").unlink()
    assert ended(capsys, "--version") == (0, f"convscope {version('convscope')}\n")
    for shell in ("bash", "zsh", "tcsh"):
        code, script = ended(capsys, "--print-completion", shell)
        assert code == 0
        assert all(command in script for command in COMMANDS), shell


def test_bash_completes_commands_options_and_files(tmp_path):
    (tmp_path / "earlier.json").touch()
    script = """
    source <("$0" -m convscope.cli --print-completion bash)
    pressed_tab() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shtab_convscope; }
    for words in tr filter- "claims --a" "claims --against ear"; do
        pressed_tab convscope $words
        echo "${COMPREPLY[@]}"
    done
    """
    done = subprocess.run(["bash", "-c", script, sys.executable], capture_output=True, text=True)
    found = done.stdout.splitlines()
    assert found == ["train", "filter-ablation filter-identify", "--against", "earlier.json"]


def test_help_names_the_commands_and_imports_nothing_heavy():
    done = projects.python("-X", "importtime", *CLI, "--help")
    assert done.returncode == 0
    imported = {line.split()[-1] for line in done.stderr.splitlines()}
    assert "argparse" in imported
    assert not HEAVY & imported
    assert {line.split()[0] for line in done.stdout.splitlines() if line.split()} >= set(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "module", "stage", "given"),
    [
        (["train", "net3"], "train", "train@net3", ["net3"]),
        (["baseline"], "train", "baseline", ["baseline"]),
        (["train", "baseline"], "train", "baseline", ["baseline"]),
        (["filter-ablation"], "filter_ablation", "filter-ablation", []),
    ],
)
def test_a_stage_is_run_timed_and_published(arguments, module, stage, given, monkeypatch):
    done = []
    tracker = MagicMock()
    tracker.return_value.__enter__.return_value = tracker
    tracker.publish = lambda: done.append("published")
    monkeypatch.setattr("convscope.tracking.tracker.Tracker", tracker)
    monkeypatch.setattr(f"convscope.stages.{module}.run", lambda *args: done.append(list(args)))
    monkeypatch.setattr(finished, "fingerprint", lambda _, name: f"identity of {name}")
    assert cli.main(arguments) == 0
    assert done == [[*given, *[tracker] * len(given)], "published"]
    tracker.assert_called_once_with(Path(), stage)
    (row,) = pd.read_csv("logs/timings.csv", keep_default_na=False).to_dict("records")
    assert (row["stage"], row["run"], row["fingerprint"]) == (stage, "", f"identity of {stage}")


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (["--image", "a.png"], "explore.html"),
        (["--out", "my page.html", "--image", "a.png", "--image", "b.jpg"], "my page.html"),
    ],
)
def test_own_pictures_are_shown_and_no_stage_is_run(arguments, target, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("convscope.stages.explore.show", lambda *given: shown.append(given))
    monkeypatch.setattr("convscope.stages.explore.run", lambda: pytest.fail("the stage ran"))
    monkeypatch.setattr("convscope.tracking.tracker.Tracker", lambda *_: pytest.fail("tracked"))
    assert cli.main(["explore", *arguments]) == 0
    pictures = [Path(name) for name in arguments if name.endswith(("png", "jpg"))]
    assert shown == [(pictures, Path(target))]
    assert capsys.readouterr().out == f"{target}: open it in a browser\n"


def test_a_picture_is_looked_for_before_the_analyses_and_a_page_without_one_is_refused(capsys):
    message = refused(capsys, "explore", "--image", "gone.png")
    assert message == "gone.png is missing: name a picture that is there"
    message = refused(capsys, "explore", "--out", "mine.html")
    assert message == "--out is for a page with --image: name a picture too"
    assert [path.name for path in Path().iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("stage", [stage for stage in cli.STAGES if stage != "report"])
def test_a_wrong_device_ends_a_stage_before_it_begins(stage, capsys, monkeypatch):
    module = "train" if stage == "baseline" else stage.replace("-", "_")
    monkeypatch.setattr(f"convscope.stages.{module}.run", lambda *_: pytest.fail("it began"))
    monkeypatch.setenv(names.DEVICE, "gpu")
    monkeypatch.setenv(names.WORKERS, "1")
    message = refused(capsys, stage, *ARGUMENTS.get(stage, []))
    assert message == "CONVSCOPE_DEVICE=gpu: set it to auto, cpu or cuda"
    assert [path.name for path in Path().iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("name", [names.WORKERS, names.CUDA_GRAPHS, names.DEVICE])
def test_a_wrong_setting_ends_training_before_data_is_looked_for(name, capsys, monkeypatch):
    monkeypatch.setenv(name, "many")
    assert refused(capsys, "train", "net1").startswith(f"{name}=many: set it to")


def test_publish_and_mend_say_what_they_did(capsys, monkeypatch):
    actions = {"train@net1": "created", "report": "unchanged"}
    done = [publishing.Published(stage, "f", "r", action) for stage, action in actions.items()]
    monkeypatch.setattr(publishing, "publish", lambda _: done)
    monkeypatch.setattr(dvc_lock, "mend", lambda: [dvc_lock.LOCK])
    assert (cli.main(["publish"]), cli.main(["mend"])) == (0, 0)
    assert capsys.readouterr() == (
        "train@net1: created\nreport: unchanged\n",
        "convscope: removed dvc.lock, which a killed DVC left half written; "
        "finished stages come from DVC's cache\n",
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("the server is away"), "the server is away"),
        (OSError(12, "Cannot allocate memory"), "out of memory: close other programs"),
        (RuntimeError("std::bad_alloc"), "out of memory: close other programs"),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
            "out of the GPU's memory",
        ),
    ],
)
def test_what_a_user_or_the_machine_must_put_right_is_one_line(error, message, capsys, monkeypatch):
    fail_with(error, monkeypatch)
    assert refused(capsys, "publish").startswith(message)


def test_memory_that_torch_cannot_have_is_one_line(capsys, monkeypatch):
    too_much = partial(torch.empty, 2**60, dtype=torch.uint8)  # for any address space
    monkeypatch.setattr("convscope.stages.evaluate.run", too_much)
    assert refused(capsys, "evaluate").startswith("out of memory: close other programs")


def test_the_ui_ends_with_its_server_when_it_is_told_to(capsys, monkeypatch):
    def serve(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)

    monkeypatch.setattr(ui, "serve", serve)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert cli.main(["ui"]) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "interrupted" in capsys.readouterr().err


def test_an_interrupt_is_exit_code_130(capsys, monkeypatch):
    fail_with(KeyboardInterrupt(), monkeypatch)
    assert cli.main(["publish"]) == 130
    assert capsys.readouterr().err == "convscope: interrupted; run the same command to go on\n"


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    fail_with(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), monkeypatch)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        cli.main(["publish"])


def test_a_reader_that_has_seen_enough_is_not_an_error_of_ours():
    command = f"{sys.executable} -m convscope.cli claims"
    lines = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True
    )
    assert lines.stdout.strip() in ("0", "141")
    assert lines.stderr == ""


def test_a_notebook_s_figure_backend_is_not_asked_for(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    Path("mlflow.py").write_text("raise ImportError\n")  # seconds to import; nothing is tracked
    done = projects.python(*CLI, "download")
    assert done.returncode == 0, done.stderr
    assert Path("reports/download/samples.png").is_file()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_that_a_shell_has_closed_end_nothing(closed):
    Path("reports").mkdir()
    command = f"'{sys.executable}' -m convscope.cli claims {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) is (">&-" not in closed.replace("2>&-", ""))
