"""The command line: a command for each stage, and for what is done with finished stages."""

import argparse
import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from convscope.base import checkout, experiments, kernels, paths, streams
from convscope.base.errors import UserError, machine_trouble
from convscope.comparison import arguments as compared

STAGES = {
    "download": "make the data set",
    "baseline": "train the learning-rate x batch-size grid",
    "train": "train the grid of a network",
    "evaluate": "test the best run of every network",
    "occlusion": "slide gray windows over test images",
    "filter-ablation": "zero filters and see what is lost",
    "filter-identify": "find what filters respond to",
    "explore": "write reports/explore.html, on which the analyzed network runs",
    "report": "write reports/report.html, report.md, claims.json and metrics.json",
}
NET = "a name under nets in params.yaml"
# with a person's own pictures
OWN_PAGE = Path("explore.html")
INTERRUPTED = 130
READER_GONE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without arguments, the one that this process was started with.

    Returns:
        The exit code: 0; 1 if a claim no longer holds (``claims --against``, ``compare``); 2 for an
        error that the user can put right; 130 if interrupted; 141 if the reader of the output
        has gone.
    """
    try:
        options = _parser().parse_args(arguments)
        if not paths.PARAMS.is_file():  # any other folder would be littered
            raise UserError("params.yaml is missing: run convscope in the project's folder")
        if options.run not in (_before, _after, _mend):  # which compute nothing, and shall be quick
            _hold_kernels()
        code: int | None = options.run(options)
        sys.stdout.flush()
        return code or 0
    except UserError as error:
        print(f"convscope: {experiments.undo(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # the reader has seen enough; Python must not try to write the rest when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (OSError, MemoryError, RuntimeError) as error:
        if (refused := machine_trouble(error)) is None:
            raise
        print(f"convscope: {refused}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("convscope: interrupted; run the same command to go on", file=sys.stderr)
        return INTERRUPTED


def _hold_kernels() -> None:
    """Compute by the kernels that params.yaml asks for; torch has not been imported yet."""
    from convscope.config import content

    kernels.hold(content.kernels(paths.PARAMS))


class _Print(argparse.Action):
    """An option that prints what the function ``const`` makes of its value, and ends."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, value: Any, *__: object) -> None:
        print(self.const(value), flush=True)
        parser.exit()


def _version(_: object) -> str:
    import importlib.metadata

    return f"convscope {importlib.metadata.version('convscope')}"


def _completion(shell: str) -> str:
    """A script for a shell, by which it completes commands, options, and names of files."""
    import shtab

    return shtab.complete(_parser(shtab.FILE), shell)


def _parser(files: object = None) -> argparse.ArgumentParser:
    """The parser; ``files`` is how a shell completes the name of a file."""
    parser = argparse.ArgumentParser(
        prog="convscope",
        description="A published study of convolutional networks on CIFAR-10, rerun. "
        "`dvc repro` runs the stages in order; the command with a stage's name runs it by hand.",
    )
    parser.add_argument(
        "--version", action=_Print, nargs=0, const=_version, help="print it and exit"
    )
    parser.add_argument(
        "--print-completion",
        action=_Print,
        const=_completion,
        choices=("bash", "zsh", "tcsh"),
        help="print the script by which a shell completes commands and options",
    )
    _add_commands(parser, files)
    return parser


def _add_commands(parser: argparse.ArgumentParser, files: object) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[..., int | None], what: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=f"{name}: {what}.")
        added.set_defaults(run=run)
        return added

    for stage, what in STAGES.items():
        of_stage = command(stage, _run_stage, what)
        of_stage.set_defaults(stage=stage, net=paths.BASELINE if stage == paths.BASELINE else None)
        if stage == "train":
            of_stage.add_argument("net", help=f"{NET}, such as net1")
        if stage == "explore":
            _add_pictures(of_stage, files)
    command("publish", _publish, "send finished stages to MLflow, each once")
    claims = command("claims", _claims, "say which of the study's findings hold")
    against = claims.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="an earlier claims.json: exit with 1 if a claim that held there no longer does",
    )
    explain = command("explain", _explain, "say why each run would be reused or trained")
    explain.add_argument("net", nargs="?", help=f"{NET} (default: all grids)")
    keep = command("keep", _keep, "copy tables, figures and claims into a small folder")
    folder = keep.add_argument("folder", type=Path, help="to make, such as docs/results/mine")
    command("mend", _mend, "remove what a killed DVC left half written")
    command("before", _before, "mend, and say what `dvc repro` will run and about how long")
    command("after", _after, "say the accuracies, what changed since the last time, what to open")
    clean = command("clean", _clean, "drop kept runs that nothing refers to any more")
    clean.add_argument("--dry-run", action="store_true", help="only say which those are")
    ui = command("ui", _open_ui, "open the MLflow UI on this machine")
    ui.add_argument("--port", type=int, default=5000, help="its port (default: %(default)s)")
    plots = command("plots", _plots, "write the charts of runs to a page that needs no network")
    plots.add_argument(
        "revisions",
        nargs="*",
        help="experiments, branches or commits to compare (default: the files as they are)",
    )
    compare = command("compare", _compare, "run two states, and say what is different")
    out = compared.add(compare)
    for path in (against, folder, out):
        path.complete = files  # type: ignore[attr-defined]


def _add_pictures(explore: argparse.ArgumentParser, files: object) -> None:
    explore.set_defaults(run=_explore)
    image = explore.add_argument(
        "--image",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="also show this picture, its middle square scaled to 32 x 32 pixels, on a page of its "
        "own instead of reports/explore.html; can be given again",
    )
    out = explore.add_argument(
        "--out",
        type=Path,
        default=OWN_PAGE,
        help="that page's file (default: %(default)s)",
    )
    for path in (image, out):
        path.complete = files  # type: ignore[attr-defined]


def _explore(options: argparse.Namespace) -> None:
    if not options.image:
        if options.out != OWN_PAGE:
            raise UserError("--out is for a page with --image: name a picture too")
        _run_stage(options)
        return
    from convscope.stages import explore

    explore.show(options.image, options.out)
    print(f"{options.out}: open it in a browser")


def _run_stage(options: argparse.Namespace) -> None:
    from convscope.stages import running

    name = options.stage if options.net is None else paths.stage_of(options.net)
    running.run(name, options.net, STAGES[options.stage])


def _publish(_: argparse.Namespace) -> None:
    from convscope.tracking import publishing

    for published in publishing.publish(Path()):
        print(f"{published.stage}: {published.action}")


def _claims(options: argparse.Namespace) -> int:
    from convscope.study.claims import terminal

    return terminal.run(paths.REPORTS, options.against)


def _explain(options: argparse.Namespace) -> None:
    from convscope.training import explain

    explain.show(options.net)


def _keep(options: argparse.Namespace) -> None:
    from convscope.base import locks
    from convscope.stages import keep

    with locks.stage_lock("keep"):
        kept = keep.keep(Path(), options.folder)
    print(f"{options.folder}: {len(kept)} files")


def _compare(options: argparse.Namespace) -> int:
    from convscope.comparison import command

    return command.run(options.base, options.head, options.out, allow_turned=options.allow_turned)


def _mend(_: argparse.Namespace) -> None:
    from convscope.stages import dvc_lock

    for path in dvc_lock.mend():
        print(
            f"convscope: removed {path}, which a killed DVC left half written; "
            "finished stages come from DVC's cache",
            file=sys.stderr,
        )


def _clean(options: argparse.Namespace) -> None:
    from convscope.stages import clean

    print(*clean.clean(dry_run=options.dry_run), sep="\n")


def _before(options: argparse.Namespace) -> None:
    from convscope.stages import before

    _mend(options)
    for line in before.announcement():
        print(f"convscope: {line}")


def _after(_: argparse.Namespace) -> None:
    from convscope.stages import after

    print("", *after.summary(), sep="\n")


def _plots(options: argparse.Namespace) -> None:
    from convscope.stages import dvc_plots

    dvc_plots.show(options.revisions)


def _open_ui(options: argparse.Namespace) -> None:
    from convscope.tracking import ui

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its server ends with it
    ui.serve(Path(), options.port)


def program() -> NoReturn:
    """Run a command and end this process, without taking all modules apart: that takes a second."""
    streams.open_closed()
    code = main() if checkout.is_own() else 2
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    program()
