import platform
import subprocess
import sys
from unittest.mock import Mock, call

import pytest

from convscope.base import allocator

GLIBC = platform.libc_ver()[0] == "glibc"

# page faults of large blocks that are freed at once
FAULTS = """
import resource, torch
from convscope.base import allocator
def faults(blocks):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(blocks):
        torch.ones(2**23)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
usual = faults(5)
assert allocator.keep_freed_memory()
faults(12)  # these warm the memory
assert faults(5) < usual / 10
"""


@pytest.mark.skipif(not GLIBC, reason="this C library is left as it is")
def test_a_block_that_was_freed_needs_no_new_pages():
    subprocess.run([sys.executable, "-c", FAULTS], check=True)


def test_other_c_libraries_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocator.ctypes, "CDLL", None)  # whoever calls it fails
    assert not allocator.keep_freed_memory()


def test_an_older_glibc_is_asked_for_less(monkeypatch):
    mallopt = Mock(side_effect=lambda option, value: int(option == -1 or value <= 2**25))
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.17"))
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: Mock(mallopt=mallopt))
    assert allocator.keep_freed_memory()
    assert mallopt.mock_calls == [call(-1, 2**31 - 1), call(-3, 2**30), call(-3, 2**25)]
