"""The command line: one command a stage, and what is done with finished stages."""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from convscope.base import paths
from convscope.base.errors import UserError, is_out_of_memory
from convscope.base.names import DEVICE

STAGES = {
    "download": "make the data set",
    "baseline": "train the learning-rate x batch-size grid",
    "train": "train the grid of a network",
    "evaluate": "test the best run of every network",
    "occlusion": "slide gray windows over test images",
    "filter-ablation": "zero filters and see what is lost",
    "filter-identify": "find what filters respond to",
    "report": "write reports/report.html, report.md and claims.json",
}
INTERRUPTED = 130
READER_GONE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line without the program's name; None takes this process's.

    Returns:
        The exit code: 0; 1 when a claim no longer holds (``claims --against``); 2 for an error
        that the user can put right; 130 when interrupted; 141 when who reads the output has
        gone.
    """
    asked = _parser().parse_args(arguments)
    try:
        _require_project()
        code = _do(asked)
        sys.stdout.flush()
        return code
    except UserError as error:
        print(f"convscope: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # who reads has seen enough; Python must not try to write the rest when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (OSError, MemoryError, RuntimeError) as error:
        if (trouble := _machine_trouble(error)) is None:
            raise
        print(f"convscope: {trouble}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("convscope: interrupted; run the same command to go on", file=sys.stderr)
        return INTERRUPTED


def _do(asked: argparse.Namespace) -> int:
    """Run the command that was asked for; its exit code."""
    if asked.command == "publish":
        _publish()
    elif asked.command == "claims":
        return _judge(asked.against)
    elif asked.command == "explain":
        _explain(asked.net)
    elif asked.command == "keep":
        _keep(asked.folder)
    elif asked.command == "ui":
        _open_ui(asked.port)
    else:
        _run_stage(asked.command, getattr(asked, "net", None))
    return 0


def _require_project() -> None:
    """Refuse to litter a folder that is not the project's."""
    if not Path("params.yaml").is_file():
        raise UserError("params.yaml is missing: run convscope in the project's folder")


def _machine_trouble(error: Exception) -> str | None:
    """What the machine refused, in one line: a full disk, a folder that is read-only, memory."""
    if is_out_of_memory(error):
        return _out_of_memory(error)
    if not isinstance(error, OSError):
        return None  # a mistake of ours
    where = f"{error.filename}: " if error.filename else ""
    what = error.strerror or " ".join(str(error).split()) or type(error).__name__
    return f"{where}{what}: make room or give access there, and run the same command again"


def _out_of_memory(error: Exception) -> str:
    """Whose memory ran out, and how to need less."""
    less = "lower batch_size, l1_oc, data.train_images or data.test_images in params.yaml"
    if any(name in str(error) for name in ("CUDA", "CUBLAS", "CUDNN")):
        return f"out of the GPU's memory: close what else uses it, set {DEVICE}=cpu, or {less}"
    return f"out of memory: close other programs, or {less}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="convscope",
        description="A published study of convolutional networks on CIFAR-10, rerun. "
        "`dvc repro` runs the stages in order; these commands run one by hand.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for stage, what in STAGES.items():
        command = commands.add_parser(stage, help=what, description=f"{stage}: {what}.")
        if stage == "train":
            command.add_argument("net", help="a name under nets in params.yaml, such as net1")
    commands.add_parser("publish", help="send finished stages to MLflow, each once")
    claims = commands.add_parser("claims", help="say which of the study's findings hold")
    claims.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="an earlier claims.json: exit with 1 if a claim that held there no longer does",
    )
    explain = commands.add_parser("explain", help="say why each run would be reused or trained")
    explain.add_argument(
        "net",
        nargs="?",
        help="a name under nets in params.yaml (default: all grids)",
    )
    keep = commands.add_parser("keep", help="copy tables, figures and claims into a small folder")
    keep.add_argument("folder", type=Path, help="the folder to make, such as docs/results/mine")
    ui = commands.add_parser("ui", help="open the MLflow UI on this machine")
    ui.add_argument("--port", type=int, default=5000, help="its port (default: %(default)s)")
    return parser


def _run_stage(stage: str, net: str | None) -> None:
    """Run a stage, note how long it took, and send what it made to MLflow; a second one waits."""
    from convscope import tracking
    from convscope.base import allocator, locks, timings

    # figures are drawn into files; a notebook's shell asks for a backend that is not here
    os.environ["MPLBACKEND"] = "agg"
    allocator.keep_freed_memory()
    if stage == paths.BASELINE:
        stage, net = "train", stage
    name = stage if net is None else paths.stage_of(net)
    module = stage.replace("-", "_")
    if net is not None:
        from convscope.training import processes

        processes.warm_up()
    run = importlib.import_module(f"convscope.stages.{module}").run
    device = _device()  # a wrong setting ends the stage before anything begins
    root = Path()
    with locks.stage_lock(name):
        began = time.monotonic()
        run() if net is None else run(net)
        seconds = time.monotonic() - began
        identity = tracking.fingerprint(root, name)
        timings.record(name, "", identity, seconds, device)
        tracking.publish_stage(root, name)


def _device() -> str:
    """The kind of device that a stage computes on; one that does not import torch needs none."""
    if "torch" not in sys.modules:
        return "cpu"
    from convscope.base import runtime

    return runtime.device().type


def _publish() -> None:
    from convscope import tracking

    for published in tracking.publish(Path()):
        print(f"{published.stage}: {published.action}")


def _judge(against: Path | None) -> int:
    from convscope.base import paths
    from convscope.study.claims import terminal

    return terminal.run(paths.REPORTS, against)


def _explain(net: str | None) -> None:
    from convscope.training import explain

    explain.show(net)


def _keep(folder: Path) -> None:
    from convscope.base import locks
    from convscope.stages import keep

    with locks.stage_lock("keep"):
        kept = keep.keep(Path(), folder)
    print(f"{folder}: {len(kept)} files")


def _open_ui(port: int) -> None:
    import subprocess

    from convscope import tracking

    command = tracking.ui_command(Path(), port)
    if "mlflow" in command:
        _require_free(port)
    else:
        print(f"the runs are at {command[-1]}")
    if code := subprocess.run(command, check=False).returncode:
        raise UserError(f"the UI ended with code {code}")


def _require_free(port: int) -> None:
    """Refuse a port that cannot be had: MLflow would say so after half a minute, and end with 0."""
    import socket

    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "it is no port"
        raise UserError(f"port {port} cannot be had ({why}): try another --port") from None


if __name__ == "__main__":
    sys.exit(main())
