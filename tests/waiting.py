"""Waiting in tests for what other processes do."""

import time

SECONDS = 300  # what a server or an export may take on a busy machine


def wait_for(true, process=None, seconds=SECONDS):
    """Wait until something is true, while a process lives if one is given; what it was then."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        assert process is None or process.poll() is None
        time.sleep(0.05)
    return found
