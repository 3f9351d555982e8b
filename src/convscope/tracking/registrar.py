"""A process that registers networks while the next stages work: their export takes seconds."""

import os
import signal
import subprocess
import sys
from pathlib import Path

LOG = Path("logs/registry.log")
NICENESS = 19


def start(root: Path) -> None:
    """Start the process, and do not wait for it.

    It holds no stream of this one, so that nobody waits for it who reads them; what it has to say
    goes to ``LOG``. Killed at any moment, it leaves what the next attempt goes on from.
    """
    log_file = root / LOG
    log_file.parent.mkdir(exist_ok=True)
    with log_file.open("w", encoding="utf-8") as log:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "convscope.tracking.registrar"],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def main() -> None:
    """The process: publish the stage evaluate of the current folder, with its networks."""
    if hasattr(os, "nice"):
        os.nice(NICENESS - os.nice(0))
    # a tracker starts it, which neither heeds, so that it ends with its stage
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    from convscope.tracking import models, publishing, server

    server.import_mlflow()
    server.import_store(Path())  # before others have to wait for the store
    publishing.publish_stages(Path(), [models.STAGE])


if __name__ == "__main__":
    main()
