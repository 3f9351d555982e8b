"""What a process forked by ``warm`` does to be the program that a client asks for."""

import atexit
import importlib
import json
import os
import runpy
import signal
import sys
import threading
import traceback
from filecmp import cmp
from pathlib import Path
from types import ModuleType
from typing import NoReturn

PACKAGE = "convscope"
SOURCES = Path(__file__).parent.parent / "src"


def become(request: bytes, streams: list[int], programs: Path) -> NoReturn:
    """Take over a client's folder, environment and streams, and run its program to its end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    name, arguments, folder, environment = json.loads(request)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.executable = str(programs / "python")  # what a program starts by it is forked too
    try:
        folder = environment.get("PYTHONPATH", "").split(os.pathsep)[0]
        if folder and (Path(folder) / PACKAGE).is_dir():
            _import_from(Path(folder), anew=name == "python")
        code = _run(name, arguments)
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
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


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
    if arguments[0] == "-P":
        del arguments[0]
    else:
        sys.path.insert(0, "")
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
