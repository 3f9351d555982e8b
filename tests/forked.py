"""What a process forked by ``warm`` does to be the program that a client asks for."""

import atexit
import fcntl
import importlib
import itertools
import multiprocessing
import os
import runpy
import signal
import sys
import threading
import traceback
from filecmp import cmp
from multiprocessing import process
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

PACKAGE = "convscope"
FLAGS = ("-B", "-P")
SOURCES = Path(__file__).parent.parent / "src"


def become(request: dict[str, Any], streams: list[int], programs: Path) -> NoReturn:
    """Take over what a client has inherited, and run its program to its end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _renumber(streams, request["streams"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    # of busy processors what is nicer than tests gets nothing, and tests wait for it
    os.nice = lambda _: os.getpriority(os.PRIO_PROCESS, 0)
    sys.executable = str(programs / "python")  # what a program starts by it is forked too
    multiprocessing.set_executable(sys.executable)
    process.ORIGINAL_DIR = request["folder"]  # for "" in the path of what this one starts
    signal.pthread_sigmask(signal.SIG_SETMASK, request["blocked"])
    try:
        folder = os.environ.get("PYTHONPATH", "").split(os.pathsep)[0]
        if folder and (Path(folder) / PACKAGE).is_dir():
            _import_from(Path(folder), anew=request["name"] == "python")
        code = _run(request["name"], request["arguments"])
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    # what an interpreter does at its end, but for taking all modules apart, which takes seconds
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _renumber(streams: list[int], numbers: list[int]) -> None:
    """Give open files the numbers that they have in a client."""
    free = max(*streams, *numbers) + 1
    kept = [fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, free) for stream in streams]
    for stream in streams:
        os.close(stream)
    for stream, number in zip(kept, numbers, strict=True):
        os.dup2(stream, number)
        os.close(stream)


def _import_from(folder: Path, anew: bool) -> None:
    """Let this project's modules be a folder's: import them anew, if only where they differ."""
    if folder.samefile(SOURCES) or (not anew and _same(folder, SOURCES)):
        return
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]
    sys.path[:] = [str(folder), *(path for path in sys.path if path != str(SOURCES))]


def _same(folder: Path, other: Path) -> bool:
    """Whether the modules and what they read are the same in two source folders."""
    listed = [
        {path.relative_to(top) for path in (top / PACKAGE).rglob("*") if path.suffix != ".pyc"}
        for top in (folder, other)
    ]
    if listed[0] != listed[1]:
        return False
    return all(cmp(folder / n, other / n) for n in listed[0] if (folder / n).is_file())


def _run(name: str, arguments: list[str]) -> int | str | None:
    """Run ``convscope``, ``dvc``, or ``python`` with ``-c`` or ``-m``."""
    sys.argv = [name, *arguments]
    if name != "python":
        return importlib.import_module(f"{name}.cli").main(arguments)
    flags = list(itertools.takewhile(FLAGS.__contains__, arguments))
    if "-P" not in flags:
        sys.path.insert(0, "")
    sys.dont_write_bytecode |= "-B" in flags
    del arguments[: len(flags)]
    option, what = arguments[:2]
    sys.argv = [option, *arguments[2:]]
    if option == "-m":
        if not hasattr(sys.modules.get(what), "__path__"):
            sys.modules.pop(what, None)  # it is run anew
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), sys.modules["__main__"].__dict__)
    return None
