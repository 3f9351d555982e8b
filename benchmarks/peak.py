"""``python -m benchmarks.peak COMMAND ...``: run a command, print its time and memory as JSON.

It imports little, since Linux hands a process's peak memory on to the programs that it starts.
"""

import json
import resource
import subprocess
import sys
import time


def main() -> int:
    """Run the command; its exit code."""
    began = time.perf_counter()
    done = subprocess.run(sys.argv[1:], check=False, stdout=sys.stderr)
    seconds = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    # of the command and of all processes that it waited for, the largest one's
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    print(json.dumps({"seconds": seconds, "peak": peak}))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
