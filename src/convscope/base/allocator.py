"""Keep the memory that a process frees, because its next step needs it again.

glibc gives large blocks back to the system as soon as they are freed, and the system hands out
zeroed pages one by one when they are asked for again: a tenth to a fifth of a training step.
"""

import ctypes
import platform

# from malloc.h, and its largest values; older versions of glibc admit 32 MiB as the second
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1
_LARGE_BLOCKS = (2**30, 2**25)


def keep_freed_memory() -> bool:
    """Let this process's C library keep what is freed, if it is glibc; whether it will."""
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    kept = library.mallopt(_TRIM_THRESHOLD, _NEVER)
    return bool(kept and any(library.mallopt(_MMAP_THRESHOLD, size) for size in _LARGE_BLOCKS))
