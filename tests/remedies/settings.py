"""Lines about the environment, the machine and the command line."""

import errno
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import torch

from convscope.base import checkout, files, kernels, locks, machine, runtime
from convscope.config import params_file
from convscope.stages import explore
from convscope.tracking import publishing
from tests.remedies.row import (
    Row,
    command,
    each,
    env,
    instead,
    nothing,
    params,
    remove,
    replaced,
    write,
)

NATIVE = replaced(kernels, "held", lambda: "native")


def cuda(there):
    return replaced(torch.cuda, "is_available", lambda: there)


def unloaded(patch):
    """A process that begins with ``kernels.hold``."""
    for name in ("torch", "numpy"):
        patch.delitem(sys.modules, name)
    patch.setattr(os, "environ", {"PATH": "/bin"})


def working(work):
    """Let ``convscope publish`` do something else."""
    return replaced(publishing, "publish", lambda _: work() or [])


def refuse(number, *names):
    """Let the system refuse it something."""

    def work():
        raise OSError(number, os.strerror(number), *names)

    return working(work)


def run_out(error):
    """Let it run out of memory."""

    def work():
        raise error

    return working(work)


def in_a_folder():
    with files.atomic_folder(Path("x/z")):
        pass


def deep(parts):
    return lambda: files.write_text(Path("d" * 200, *["e" * 200] * parts, "x"), "")


def precision():
    machine.warn_of_emulation("train@net1", params_file.load().train.precision, "cpu")


_BUSY = ExitStack()


def at_work(_):
    _BUSY.enter_context(locks.stage_lock("train@net1"))


def no_other():
    with locks.nobody_works_on(["train@net1"]):
        pass


AGAIN = "and run the same command again"
PUBLISH = command("publish")
# what the system refuses, the words for it, and why a test cannot follow them
REFUSED = [
    (errno.EACCES, "give access there", "tests may run as root"),
    (errno.EROFS, "let it be written to, or move the project elsewhere", "needs a mount"),
    (
        errno.EFBIG,
        "allow larger files (`ulimit -f unlimited`), or move the project to another disk",
        "is a limit of this process",
    ),
    (errno.EMFILE, "allow more open files (`ulimit -n 4096`)", "is a limit of this process"),
    (
        errno.EAGAIN,
        "close other programs, or allow more processes (`ulimit -u`)",
        "is a limit of this user",
    ),
    *(
        (number, "move the project to another, local disk", "needs a mount")
        for number in (errno.ENODEV, errno.ESTALE, errno.EIO)
    ),
    (errno.ENOENT, "put it back", "tests/base/test_files.py reads again"),
    (errno.EXDEV, "put that right", "is no single case"),
]
LESS = "lower batch_size, l1_oc, data.train_images or data.test_images in params.yaml"

_FULL = [
    Row(
        "cli.main 3",
        f"x: No space left on device: make room there, {AGAIN}",
        PUBLISH,
        each(
            working(lambda: files.write_text(Path("x"), "a")),
            lambda _: Path(".x.partial").symlink_to("/dev/full"),
        ),
        nothing,
    ),
]

ROWS = [
    Row(
        "base/runtime.device",
        "CONVSCOPE_DEVICE=mps: Apple's GPU rounds differently, and its results have never been "
        "compared with a processor's: set it to auto or cpu",
        runtime.device,
        env(CONVSCOPE_DEVICE="mps"),
        env(CONVSCOPE_DEVICE="auto"),
    ),
    Row(
        "base/runtime.device 2",
        "CONVSCOPE_DEVICE=gpu: set it to auto, cpu or cuda",
        runtime.device,
        env(CONVSCOPE_DEVICE="gpu"),
        env(CONVSCOPE_DEVICE="auto"),
    ),
    Row(
        "base/runtime.device 3",
        "CONVSCOPE_DEVICE=cuda, but torch sees no CUDA device: set it to auto or cpu",
        runtime.device,
        each(cuda(False), env(CONVSCOPE_DEVICE="cuda")),
        env(CONVSCOPE_DEVICE="cpu"),
    ),
    *(
        Row(
            "base/runtime.device 4",
            "CONVSCOPE_DEVICE=cuda, but portable kernels run on processors only: set kernels to "
            "native in params.yaml, or CONVSCOPE_DEVICE to cpu",
            runtime.device,
            each(cuda(True), env(CONVSCOPE_DEVICE="cuda")),
            mend,
        )
        for mend in (NATIVE, env(CONVSCOPE_DEVICE="cpu"))
    ),
    Row(
        "base/runtime.workers",
        "CONVSCOPE_WORKERS=many: set it to a whole number from 1 to 256",
        lambda: str(runtime.workers(1)),
        env(CONVSCOPE_WORKERS="many"),
        env(CONVSCOPE_WORKERS="3"),
    ),
    Row(
        "base/runtime.cuda_graphs",
        "CONVSCOPE_CUDA_GRAPHS=yes: set it to on or off",
        lambda: runtime.cuda_graphs(torch.device("cpu")),
        env(CONVSCOPE_CUDA_GRAPHS="yes"),
        env(CONVSCOPE_CUDA_GRAPHS="on"),
    ),
    Row(
        "base/kernels.hold",
        "GLIBC_TUNABLES changes the instructions that compute: unset it",
        lambda: kernels.hold("portable"),
        env(GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2"),
        env(GLIBC_TUNABLES=None),
    ),
    Row(
        "base/kernels.hold 2",
        "torch was imported before its kernels were held to native: begin with `from "
        "convscope.base import kernels; kernels.hold('native')`",
        lambda: kernels.hold("native"),
        nothing,
        unloaded,
    ),
    Row(
        "base/kernels.warn_of_other_bits",
        "occlusion: kernels: portable gives the same numbers on all x86-64 processors with AVX2 "
        "under Linux; here the last digits may differ, as with native",
        lambda: kernels.warn_of_other_bits("occlusion"),
        replaced(machine, "has_avx2", lambda: False),
        NATIVE,
    ),
    Row(
        "base/machine.warn_of_emulation",
        "train@net1: this processor does not compute in bf16; torch emulates it, several times "
        "slower than fp32: set train.precision to fp32 in params.yaml",
        precision,
        each(
            replaced(machine, "computes_in_bf16", lambda _: False),
            params(kernels="native", train__precision="bf16"),
        ),
        params(kernels="native", train__precision="fp32"),
    ),
    Row(
        "base/locks.nobody_works_on",
        "another process works on train@net1: run the same command when it has ended",
        no_other,
        at_work,
        lambda _: _BUSY.close(),
    ),
    Row(
        "base/checkout.is_own",
        "src/convscope is not what runs, but …: install this folder (`make install`), or start "
        "Python without -I and PYTHONSAFEPATH",
        checkout.is_own,
        each(
            write("src/convscope/cli.py", ""),
            lambda patch: patch.setenv("PYTHONPATH", str(Path("src").absolute())),
        ),
        lambda patch: patch.setattr(checkout, "RUNS", Path("src/convscope").absolute()),
    ),
    Row(
        "cli.main",
        "params.yaml is missing: run convscope in the project's folder",
        command("claims"),
        remove("params.yaml"),
        params(),
    ),
    Row(
        "cli._explore",
        "--out is for a page with --image: name a picture too",
        command("explore", "--out", "mine.html"),
        replaced(explore, "show", lambda *_: None),
        instead(command("explore", "--out", "mine.html", "--image", "a.png")),
    ),
    *(_FULL if Path("/dev/full").exists() else ()),  # not every system has it
    Row(
        "cli.main 3",
        f"x: Is a directory: move away what is in the way, {AGAIN}",
        PUBLISH,
        each(working(lambda: files.write_text(Path("x"), "a")), lambda _: Path("x").mkdir()),
        lambda _: Path("x").rename("y"),
    ),
    Row(
        "cli.main 3",
        f"x: File exists: move away what is in the way, {AGAIN}",
        PUBLISH,
        each(working(lambda: files.write_text(Path("x/y"), "a")), write("x", "")),
        lambda _: Path("x").rename("y"),
    ),
    *(
        Row(
            "cli.main 3",
            f"x: Not a directory: move away what is in the way, {AGAIN}",
            PUBLISH,
            each(working(work), write("x", "")),
            lambda _: Path("x").unlink() or files.write_json(Path("x/y"), {}),
        )
        for work in (lambda: files.read_json(Path("x/y"), "download"), in_a_folder)
    ),
    Row(
        "cli.main 3",
        f"…: File name too long: move the project to a folder with a shorter path, {AGAIN}",
        PUBLISH,
        working(deep(25)),
        working(deep(1)),
    ),
    *(
        Row(
            "cli.main 3",
            f"a: {os.strerror(number)}: {words}, {AGAIN}",
            PUBLISH,
            refuse(number, "a"),
            why,
        )
        for number, words, why in REFUSED
    ),
    Row(
        "cli.main 3",
        f"out of memory: close other programs, or {LESS}",
        PUBLISH,
        run_out(MemoryError()),
        "buys memory",
    ),
    Row(
        "cli.main 3",
        f"out of the GPU's memory: close what else uses it, set CONVSCOPE_DEVICE=cpu, or {LESS}",
        PUBLISH,
        run_out(torch.OutOfMemoryError("CUDA out of memory")),
        "needs a GPU",
    ),
]
