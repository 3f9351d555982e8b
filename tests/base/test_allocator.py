import platform
import subprocess
import sys
from unittest.mock import Mock, call

import pytest

from convscope.base import allocator

GLIBC = platform.libc_ver()[0] == "glibc"

# memory that the system takes back is zeroed before it is given out again
LAST_VALUES = """
import torch
from convscope.base import allocator
def freed_and_taken(times):
    for _ in range(times):
        torch.full([2**23], 7.0)
    return [torch.empty(2**23)[2**22].item() for _ in range(5)]
assert freed_and_taken(1) == [0] * 5
assert allocator.keep_freed_memory()
assert freed_and_taken(12) == [7] * 5
"""


@pytest.mark.skipif(not GLIBC, reason="this C library is left as it is")
def test_a_block_that_was_freed_is_kept_for_the_next():
    subprocess.run([sys.executable, "-c", LAST_VALUES], check=True)


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
