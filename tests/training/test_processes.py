import os
import signal
import subprocess
import sys
import threading

import pytest

from convscope.training import processes

# the line's number holds a bit for each signal, the first for signal 1
STARTED = """
import multiprocessing.forkserver, os, signal, sys
from pathlib import Path
from convscope.training import processes
processes.warm_up()
assert "torch" not in sys.modules
if server := multiprocessing.forkserver._forkserver._forkserver_pid:
    status = Path(f"/proc/{server}/status").read_text().splitlines()
    (blocked,) = [line for line in status if line.startswith("SigBlk")]
    print("interrupts held:", bool(int(blocked.split()[1], 16) >> signal.SIGINT - 1 & 1))
    os.kill(server, signal.SIGKILL)  # without the seconds of its imports
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the server")
@pytest.mark.parametrize(("workers", "started"), [("2", "interrupts held: True\n"), ("1", "")])
def test_the_server_starts_without_torch_here_and_where_it_is_of_use_and_sees_no_interrupt(
    workers, started
):
    environment = os.environ | {"CONVSCOPE_WORKERS": workers}
    command = [sys.executable, "-c", STARTED]
    assert subprocess.check_output(command, env=environment, text=True) == started


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the server")
def test_the_server_starts_below_a_temporary_folder_whose_name_is_too_long_for_a_socket(tmp_path):
    deep = tmp_path / ("job" * 40)
    deep.mkdir()
    environment = os.environ | {"CONVSCOPE_WORKERS": "2", "TMPDIR": str(deep)}
    script = f"{STARTED}\nimport tempfile; print(tempfile.gettempdir())"
    said = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    assert said == f"interrupts held: True\n{deep}\n"


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no masks")
def test_an_interrupt_waits_and_is_seen_by_this_process_afterwards():
    held = False
    with pytest.raises(KeyboardInterrupt), processes.interrupts_held():  # noqa: PT012
        # to this thread: another one of torch's, which holds nothing, could take the process's
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        held = True
    assert held
