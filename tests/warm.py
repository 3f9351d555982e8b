"""The commands ``convscope``, ``dvc`` and ``python``, forked from a process that has imported much.

A test puts the folder ``programs()`` before all others in PATH. The programs there behave as those
of the environment, whatever starts them, without the seconds of importing torch, MLflow and DVC.
The processes that share the tests share them. ``python`` runs what follows ``-c`` or ``-m``.

A program that a forked one starts is of its group, as it would be, and a signal to one of them, by
``process_of``, is a signal to no other; but what a killed client stood for ends with its group.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock

from tests import forked, threads

ROOT = Path(__file__).parent.parent
IMPORTED = (
    *(f"convscope.stages.{stage.stem}" for stage in ROOT.glob("src/convscope/stages/[a-z]*.py")),
    *("convscope.training.explain", "convscope.study.claims.terminal", "torch._dynamo"),
    *("convscope.comparison.command", "convscope.tracking.exported"),
    *("mlflow", "mlflow.store.tracking.sqlalchemy_store", "matplotlib.backends.backend_agg"),
    *("alembic.command", "sqlalchemy.dialects.sqlite", "scipy.stats", "matplotlib.style.core"),
    *("dvc.cli", "dvc.commands.repro", "dvc.commands.experiments.run", "dvc.commands.data_sync"),
    "tests.prepared",
)
if importlib.util.find_spec("distributed"):
    IMPORTED += ("distributed.cli.dask_scheduler", "distributed.cli.dask_worker")
# hands over what a program inherits, and ends as the forked process does
CLIENT = """#!{python} -IS
import json, os, signal, socket, sys
options = (word for word in sys.argv[1:] if word not in {flags!r})
if {name!r} == "python" and next(options, "") not in ("-c", "-m"):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.connect({address!r})
streams = [0, 1, 2]
for number in map(int, os.listdir("/proc/self/fd")):
    try:
        streams += [number] * (number > 2 and os.get_inheritable(number))
    except OSError:
        pass  # it was that of the listing
request = {{
    "client": os.getpid(),
    "group": os.getpgid(0),
    "name": {name!r},
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "streams": streams,
    "blocked": [*signal.pthread_sigmask(signal.SIG_BLOCK, [])],
}}
socket.send_fds(server, [json.dumps(request).encode()], streams)
code = int(server.recv(8) or -signal.SIGKILL)
if code < 0:
    os.kill(os.getpid(), -code)
os._exit(code % 256)
"""
NAMES = ("convscope", "dvc", "python")
LIFELINE = b"{}"
MOST_STREAMS = 250  # that a message can carry


@cache
def programs() -> Path:
    """The folder of the programs, which are ready until this process ends."""
    if sys.platform != "linux":  # elsewhere system libraries may not survive a fork
        return Path(sys.executable).parent
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")[:16]
    folder = Path(tempfile.gettempdir(), f"convscope-warm-{run}")
    with FileLock(f"{folder}.lock"):
        if not _joined(folder):
            _start(folder)
            assert _joined(folder, wait=False)
    return folder


def process_of(client: int) -> int | None:
    """The number of the process that a client stands for, None before it is forked and after."""
    if sys.platform != "linux":
        return client
    with contextlib.suppress(FileNotFoundError):
        return int((programs() / str(client)).readlink().name)
    return None


# as long as any is open the server stays
_lifelines: list[socket.socket] = []


def _joined(folder: Path, wait: bool = True) -> bool:
    """Whether a server is there, which then stays until this process ends; it says so itself."""
    lifeline = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        lifeline.connect(str(folder / "socket"))
        lifeline.send(LIFELINE)
        if wait and not lifeline.recv(1):
            raise ConnectionResetError
    except OSError:
        lifeline.close()
        return False
    _lifelines.append(lifeline)
    return True


def _start(folder: Path) -> None:
    """Make the folder, and start its server, whose address can be connected to at once."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    address = str(folder / "socket")
    for name in NAMES:
        place = {"python": sys.executable, "address": address, "flags": forked.FLAGS}
        text = CLIENT.format(name=name, **place)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(64)
        subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(folder), str(listening.fileno())],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "agg"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[listening.fileno()],
        )


class Server:
    """Forks for each request, and tells the client how its process ended."""

    def __init__(self, folder: Path, listening: socket.socket) -> None:
        self.folder, self.listening = folder, listening
        self.lifelines: list[socket.socket] = []
        self.clients: dict[int, socket.socket] = {}
        self.links: dict[int, Path] = {}

    def serve(self) -> None:
        """Answer until nobody holds a lifeline any more."""
        woken, wakes = socket.socketpair()
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            asked = [woken, self.listening, *self.lifelines, *self.clients.values()]
            for ready in select.select(asked, [], [])[0]:
                if ready is woken:
                    woken.recv(4096)
                    self._bury()
                elif ready is self.listening:
                    self._accept()
                else:
                    self._hang_up(ready)
            if not self.lifelines:
                break
        signal.set_wakeup_fd(-1)
        for process in self.clients:
            _kill(process)

    def _accept(self) -> None:
        connection, _ = self.listening.accept()
        received, streams, _, _ = socket.recv_fds(connection, 1 << 18, MOST_STREAMS)
        if received == LIFELINE:
            self.lifelines.append(connection)
            connection.send(b"+")
            return
        if not received:  # its client has been killed meanwhile
            connection.close()
            return
        request = json.loads(received)
        if (process := os.fork()) == 0:
            _join_group(request["group"] if request["group"] in self.clients else 0)
            for inherited in (self.listening, connection, *self.lifelines, *self.clients.values()):
                inherited.close()
            forked.become(request, streams, self.folder)
        for stream in streams:
            os.close(stream)
        self.clients[process] = connection
        self.links[process] = self.folder / str(request["client"])
        self.links[process].unlink(missing_ok=True)
        self.links[process].symlink_to(str(process))

    def _bury(self) -> None:
        """Tell clients how their processes have ended."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self.links.pop(found[0]).unlink(missing_ok=True)
                if client := self.clients.pop(found[0], None):
                    with contextlib.suppress(OSError):
                        client.send(str(os.waitstatus_to_exitcode(found[1])).encode())
                    client.close()

    def _hang_up(self, connection: socket.socket) -> None:
        """End what a client that has been killed stood for."""
        if connection in self.lifelines:
            self.lifelines.remove(connection)
        for process, client in self.clients.items():
            if client is connection:
                _kill(process)
                del self.clients[process]
                break
        connection.close()


def _join_group(leader: int) -> None:
    """Let this be of the group of another forked process, whose program started our client.

    A signal to that group then reaches both. Everything else leads a group of its own.
    """
    try:
        os.setpgid(0, leader)
    except PermissionError:  # it has ended, or begun a session
        os.setpgid(0, 0)


def _kill(process: int) -> None:
    """End a process, and with a leader all of its group, as a signal to a client's group would."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process) == process:
            os.killpg(process, signal.SIGKILL)
        os.kill(process, signal.SIGKILL)


def main() -> None:
    """Import, then serve; this ends with the last process that runs tests."""
    folder, listening = Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    gc.disable()  # a fifth of the time
    threads.import_torch()
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()
    Server(folder, listening).serve()
    shutil.rmtree(folder, ignore_errors=True)
    Path(f"{folder}.lock").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
