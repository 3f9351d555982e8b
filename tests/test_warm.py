"""The programs that tests start forked behave as those that are started."""

import os
import signal
import subprocess
import sys

import pytest

from tests import projects, warm
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(sys.platform != "linux", reason="programs are forked on Linux alone"),
]
ALIVE = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


@pytest.fixture
def project(tmp_path):
    return projects.Project(tmp_path, warm.programs())


@pytest.mark.parametrize(
    ("code", "ended", "said"),
    [
        ("import sys; print(__name__, *sys.argv); sys.exit(3)", 3, "__main__ -c a b\n"),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM, ""),
        (
            "import os; print(os.environ['MINE'], os.getcwd(), flush=True); os._exit(0)",
            0,
            "yes {}\n",
        ),
        ("import sys; sys.exit('a word')", 1, "a word\n"),
    ],
)
def test_a_process_has_what_its_client_has_and_both_end_alike(code, ended, said, project):
    done = project.run("python", "-c", code, "a", "b", MINE="yes")
    assert (done.returncode, done.stdout + done.stderr) == (ended, said.format(project.folder))


def test_another_folders_sources_are_imported_anew_and_what_it_starts_as_well(project):
    package = project.folder / "src/convscope"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    code = "import convscope, subprocess, sys; print(convscope.__file__, flush=True); {}"
    again = f"subprocess.run([sys.executable, '-c', {code.format('')!r}])"
    done = project.run("python", "-c", code.format(again))
    assert done.stdout.split() == [str(package / "__init__.py")] * 2, done.stderr


def test_a_process_has_its_clients_open_files_by_their_numbers_and_its_blocked_signals(project):
    ours, theirs = os.pipe()
    with open(ours) as said:  # noqa: PTH123
        blocked = "signal.pthread_sigmask(signal.SIG_BLOCK, [])"
        code = f"import os, signal; os.write({theirs}, str({blocked}).encode())"
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        try:
            command = ["python", "-c", code]
            subprocess.run(command, env=project.environment(), pass_fds=[theirs], check=True)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(theirs)
        assert said.read() == str({*before, signal.SIGUSR1})


def test_a_process_is_in_the_group_of_the_one_that_started_it_and_is_not_killed_with_it(project):
    code = "import os, subprocess; print(os.getpid(), flush=True); "
    code += f"subprocess.run(['python', '-c', {ALIVE!r}])"
    with subprocess.Popen(
        ["python", "-c", code], env=project.environment(), stdout=subprocess.PIPE, text=True
    ) as client:
        first, second = (int(client.stdout.readline()) for _ in range(2))
        assert warm.process_of(client.pid) == first == os.getpgid(first) == os.getpgid(second)
        os.kill(first, signal.SIGKILL)
        assert client.wait() == -signal.SIGKILL
        assert warm.process_of(client.pid) is None
        assert os.getpgid(second) == first
        os.killpg(first, signal.SIGTERM)
    wait_for(lambda: not os.path.exists(f"/proc/{second}"))  # noqa: PTH110


def test_a_client_that_is_killed_takes_its_process_along(project):
    with subprocess.Popen(
        ["python", "-c", ALIVE], env=project.environment(), stdout=subprocess.PIPE, text=True
    ) as client:
        number = int(client.stdout.readline())
        client.kill()
    wait_for(lambda: not os.path.exists(f"/proc/{number}"))  # noqa: PTH110
