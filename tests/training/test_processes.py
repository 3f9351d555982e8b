import os
import signal
import subprocess
import sys
import threading

import pytest

from convscope.training import processes

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the server")
STARTED = (
    "import sys, multiprocessing.forkserver as f; from convscope.training import processes; "
    "processes.warm_up(); print(f._forkserver._forkserver_pid is not None, 'torch' in sys.modules)"
)

# the line's number holds a bit for each signal, the first for signal 1
BLOCKED = (
    "import signal, multiprocessing.forkserver as f; from pathlib import Path; "
    "from convscope.training import processes; processes.warm_up(); "
    "status = Path(f'/proc/{f._forkserver._forkserver_pid}/status').read_text(); "
    "(blocked,) = [line for line in status.splitlines() if line.startswith('SigBlk')]; "
    "print(bool(int(blocked.split()[1], 16) >> signal.SIGINT - 1 & 1))"
)


def printed(code, **environment):
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@LINUX
@pytest.mark.parametrize(("workers", "started"), [("2", "True False"), ("1", "False False")])
def test_the_server_starts_without_torch_here_and_only_where_it_is_of_use(workers, started):
    assert printed(STARTED, CONVSCOPE_WORKERS=workers) == started


@LINUX
def test_the_server_never_sees_an_interrupt():
    assert printed(BLOCKED, CONVSCOPE_WORKERS="2") == "True"


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no masks")
def test_an_interrupt_waits_and_is_seen_by_this_process_afterwards():
    held = False
    with pytest.raises(KeyboardInterrupt), processes.interrupts_held():  # noqa: PT012
        # to this thread: another one of torch's, which holds nothing, could take the process's
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        held = True
    assert held
