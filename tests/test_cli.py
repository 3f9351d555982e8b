import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from convscope import cli, tracking
from convscope.base import names
from convscope.base.errors import UserError

PARAMS = Path(__file__).parents[1] / "params.yaml"
HEAVY = {"torch", "mlflow", "pandas", "matplotlib", "pydantic", "convscope.config.params_file"}


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    """A project folder with the committed parameters and nothing else."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(PARAMS, "params.yaml")


def run(*arguments):
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "convscope.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def refused(capsys, *arguments):
    """The one line, less the program's name, with which a command ends with exit code 2."""
    assert cli.main(arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("convscope: ")
    assert written.err.endswith("\n")
    assert written.err.count("\n") == 1
    return written.err.removeprefix("convscope: ").rstrip()


def test_an_error_is_one_line_and_exit_code_2_in_a_shell_too():
    Path("params.yaml").unlink()
    done = run("train", "net9")
    assert (done.returncode, done.stdout) == (2, "")
    told = "convscope: params.yaml is missing: run convscope in the project's folder\n"
    assert done.stderr == told


def test_every_stage_has_a_command_and_needs_params(capsys):
    Path("params.yaml").unlink()
    for stage in cli.STAGES:
        arguments = [stage, "net1"] if stage == "train" else [stage]
        told = refused(capsys, *arguments)
        assert "is missing" in told, stage


def test_an_unknown_key_is_named(capsys):
    text = PARAMS.read_text().replace("  net1:\n", "  net1:\n    epoks: 3\n")
    Path("params.yaml").write_text(text)
    assert "params.yaml: nets.net1.epoks: is unknown" in refused(capsys, "train", "net1")


def test_a_missing_data_set_is_named_with_its_stage(capsys):
    told = refused(capsys, "train", "net1")
    assert told.startswith("data/dataset.safetensors is missing: run `convscope download`")


def test_an_unknown_net_is_named(capsys):
    told = refused(capsys, "train", "net9")
    assert told.startswith("'net9' is no network; known: net1, net2, net3, net4")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nope"], "invalid choice: 'nope'"),
        ([], "required: COMMAND"),
        (["train"], "required: net"),
        (["ui", "--port", "high"], "invalid int value: 'high'"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(arguments, told, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err.splitlines()[-1]


def test_an_interrupt_is_exit_code_130(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run_stage", interrupted)
    assert cli.main(["evaluate"]) == 130
    assert capsys.readouterr().err == "convscope: interrupted; run the same command to go on\n"


def test_help_names_the_commands_and_imports_nothing_heavy():
    code = f"""
import sys
from convscope import cli
try:
    cli.main(["--help"])
except SystemExit as ended:
    assert ended.code == 0
print("heavy:", {HEAVY} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *described, heavy = done.stdout.splitlines()
    assert heavy == "heavy: set()"
    for command in (*cli.STAGES, "publish", "ui"):
        assert any(line.split()[:1] == [command] for line in described), command


@pytest.mark.parametrize(
    ("arguments", "module", "stage", "given"),
    [
        (["train", "net3"], "train", "train@net3", ["net3"]),
        (["baseline"], "train", "baseline", ["baseline"]),
        (["filter-ablation"], "filter_ablation", "filter-ablation", []),
    ],
)
def test_a_stage_is_run_timed_and_published(arguments, module, stage, given, monkeypatch):
    done = []
    monkeypatch.setattr(f"convscope.stages.{module}.run", lambda *args: done.append(list(args)))
    monkeypatch.setattr(tracking, "fingerprint", lambda _, name: f"identity of {name}")
    monkeypatch.setattr(tracking, "publish_stage", lambda _, name: done.append(name))
    assert cli.main(arguments) == 0
    assert done == [given, stage]
    (row,) = pd.read_csv("logs/timings.csv", keep_default_na=False).to_dict("records")
    assert (row["stage"], row["run"], row["fingerprint"]) == (stage, "", f"identity of {stage}")


@pytest.mark.parametrize("stage", [stage for stage in cli.STAGES if stage != "report"])
def test_a_wrong_device_ends_a_stage_before_it_begins(stage, capsys, monkeypatch):
    module = "train" if stage == "baseline" else stage.replace("-", "_")
    monkeypatch.setattr(f"convscope.stages.{module}.run", lambda *_: pytest.fail("it began"))
    monkeypatch.setenv(names.DEVICE, "gpu")
    monkeypatch.setenv(names.WORKERS, "1")
    told = refused(capsys, stage, *(["net1"] if stage == "train" else []))
    assert told == "CONVSCOPE_DEVICE=gpu: set it to auto, cpu or cuda"
    assert [path.name for path in Path().iterdir()] == ["params.yaml"]


def test_a_device_that_is_not_there_ends_a_stage_before_it_begins(capsys, monkeypatch):
    monkeypatch.setattr("convscope.stages.download.run", lambda: pytest.fail("it began"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(names.DEVICE, "cuda")
    assert "torch sees no CUDA device" in refused(capsys, "download")


def test_publish_tells_what_it_did(capsys, monkeypatch):
    done = [
        tracking.Published("train@net1", "f1", "r1", "created"),
        tracking.Published("report", "f2", "r2", "unchanged"),
    ]
    monkeypatch.setattr(tracking, "publish", lambda _: done)
    assert cli.main(["publish"]) == 0
    assert capsys.readouterr().out == "train@net1: created\nreport: unchanged\n"


@pytest.mark.parametrize("command", ["publish", "claims", "ui", "report"])
def test_no_command_litters_a_folder_that_is_not_the_projects(
    command, capsys, monkeypatch, tmp_path
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert "run convscope in the project's folder" in refused(capsys, command)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "reports/x.csv"), "reports/x.csv: No space left"),
        (PermissionError(13, "Permission denied", "reports"), "reports: Permission denied"),
        (MemoryError(), "out of memory: close other programs, or lower batch_size"),
        (OSError(12, "Cannot allocate memory"), "out of memory: close other programs"),
        (RuntimeError("std::bad_alloc"), "out of memory: close other programs"),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee docs"),
            "out of the GPU's memory: close what else uses it, set CONVSCOPE_DEVICE=cpu, or lower",
        ),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
            "out of the GPU's memory",
        ),
    ],
)
def test_what_the_machine_refuses_is_one_line(error, told, capsys, monkeypatch):
    fail_with(error, monkeypatch)
    assert refused(capsys, "publish").startswith(told)


def fail_with(error, monkeypatch):
    def failing(_):
        raise error

    monkeypatch.setattr(tracking, "publish", failing)


def test_memory_that_torch_cannot_have_is_one_line(capsys, monkeypatch):
    # more than any address space holds
    monkeypatch.setattr(
        "convscope.stages.evaluate.run", lambda: torch.empty(2**60, dtype=torch.uint8)
    )
    assert refused(capsys, "evaluate").startswith("out of memory: close other programs")


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    fail_with(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), monkeypatch)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        cli.main(["publish"])


def test_publish_that_cannot_is_exit_code_2(capsys, monkeypatch):
    fail_with(UserError("the server is away"), monkeypatch)
    assert refused(capsys, "publish") == "the server is away"


def ui_that_ends_with(code, monkeypatch):
    command = [sys.executable, "-c", f"raise SystemExit({code})", "mlflow"]
    monkeypatch.setattr(tracking, "ui_command", lambda *_: command)


def test_a_ui_that_fails_is_exit_code_2(capsys, monkeypatch):
    ui_that_ends_with(1, monkeypatch)
    assert "the UI ended with code 1" in refused(capsys, "ui", "--port", "5001")


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_refused_before_anything_starts(port, capsys, monkeypatch):
    ui_that_ends_with(0, monkeypatch)
    assert f"port {port} cannot be had" in refused(capsys, "ui", "--port", port)


def test_a_port_that_is_taken_is_told_before_anything_starts(capsys, monkeypatch):
    ui_that_ends_with(0, monkeypatch)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert "try another --port" in refused(capsys, "ui", "--port", str(port))


def test_the_address_of_a_server_is_told(capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0))
    assert cli.main(["ui"]) == 0
    assert capsys.readouterr().out == "the runs are at http://127.0.0.1:9\n"


def test_a_ui_that_was_closed_is_exit_code_0(monkeypatch):
    ui_that_ends_with(0, monkeypatch)
    assert cli.main(["ui"]) == 0


def test_a_reader_that_has_seen_enough_is_no_error_of_ours():
    command = f"{sys.executable} -m convscope.cli claims"
    lines = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True
    )
    assert lines.stdout.strip() in ("0", "141")
    assert lines.stderr == ""


def test_a_notebook_s_figure_backend_is_not_asked_for(monkeypatch):
    shutil.copyfile(PARAMS, "params.yaml")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    code = "import sys; from convscope import cli; sys.exit(cli.main(['download']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path("reports/download/samples.png").is_file()
