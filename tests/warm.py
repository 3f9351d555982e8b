"""The commands ``convscope`` and ``dvc``, forked from a process that has imported all they import.

A test puts the folder ``programs()`` before all others in PATH. The programs there behave as those
of the environment, whatever starts them, without the seconds of importing torch, MLflow and DVC.
"""

import atexit
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
IMPORTED = (
    *(f"convscope.stages.{stage.stem}" for stage in ROOT.glob("src/convscope/stages/[a-z]*.py")),
    *("convscope.training.explain", "convscope.study.claims.terminal", "torch._dynamo"),
    "convscope.comparison.command",
    *("mlflow", "mlflow.store.tracking.sqlalchemy_store", "matplotlib.backends.backend_agg"),
    *("dvc.cli", "dvc.commands.repro", "dvc.commands.experiments.run", "dvc.commands.data_sync"),
)
# hands its arguments, folder, environment and streams over, and ends as the forked process does
CLIENT = """#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.connect({address!r})
request = json.dumps([{name!r}, sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [request], [0, 1, 2])
os._exit((server.recv(1) or [137])[0])  # nothing comes of one that was killed
"""


@cache
def programs() -> Path:
    """The folder of the programs, which are ready until this process ends."""
    if sys.platform != "linux":  # elsewhere system libraries may not survive a fork
        return Path(sys.executable).parent
    folder = Path(tempfile.mkdtemp(prefix="convscope-warm-"))
    address = str(folder / "socket")
    for name in ("convscope", "dvc"):
        text = CLIENT.format(python=sys.executable, address=address, name=name)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(64)
        subprocess.Popen(  # its input ends with this process
            [sys.executable, "-m", "tests.warm", str(folder), str(listening.fileno())],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "agg"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listening.fileno()],
        )
    return folder


def main() -> None:
    """Fork for each request and run its program there, until the test process ends."""
    folder, listening = Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    gc.disable()  # a fifth of the time
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the children
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = ended(*become(connection))
            connection.sendall(bytes([code]))
            os._exit(code)
        connection.close()
    shutil.rmtree(folder)


def become(connection: socket.socket) -> tuple[str, list[str]]:
    """Take over a client's folder, environment and streams: its program's name and arguments."""
    request, streams, _, _ = socket.recv_fds(connection, 1 << 18, 3)
    name, arguments, folder, environment = json.loads(request)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [name, *arguments]
    return name, arguments


def ended(name: str, arguments: list[str]) -> int:
    """Run a program to its end; its exit code."""
    try:
        code = importlib.import_module(f"{name}.cli").main(arguments)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    # what an interpreter does at its end, but for taking all modules apart, which takes seconds
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
