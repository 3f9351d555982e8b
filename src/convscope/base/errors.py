"""UserError, which a user is meant to read, and what a user can do about a machine's refusals."""

import errno
from pathlib import Path

from convscope.base.names import DEVICE

# torch has an error class for a GPU's memory only; cuBLAS and cuDNN say it in their messages
_OUT_OF_MEMORY = ("allocate memory", "out of memory", "bad_alloc", "ALLOC_FAILED")


_MOVE = "move the project to another, local disk"
# what helps against what a system refuses, by its number
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room there"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "give access there"),
    errno.EROFS: "let it be written to, or move the project elsewhere",
    errno.EFBIG: "allow larger files (`ulimit -f unlimited`), or move the project to another disk",
    errno.ENOENT: "put it back",
    **dict.fromkeys((errno.ENODEV, errno.ENOTSUP, errno.ESTALE, errno.EIO), _MOVE),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST), "move away what is in the way"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (`ulimit -n 4096`)"),
    errno.EAGAIN: "close other programs, or allow more processes (`ulimit -u`)",
    errno.ENAMETOOLONG: "move the project to a folder with a shorter path",
}


class UserError(Exception):
    """Something that the user can correct.

    Its message is one line: what is wrong, where (file and key), and what to do. The command line
    prints it without a traceback and exits with code 2.
    """


def remedy(error: OSError) -> str:
    """What a user can do about what the system refused."""
    return _REMEDIES.get(error.errno or 0, "put that right")


def _place(error: OSError) -> object:
    """Where the system refused something: of a replacement, at what was to be replaced."""
    name = error.filename2 or error.filename
    if isinstance(error, NotADirectoryError) and isinstance(name, str):
        # of the folders above it one is a file, which is in the way
        return next((part for part in Path(name).parents if part.is_file()), name)
    return name


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that Python, torch or the system ran out of memory."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError):
        return any(text in str(error) for text in _OUT_OF_MEMORY)
    return isinstance(error, MemoryError)


def machine_trouble(error: Exception) -> str | None:
    """What the machine refused, with the remedy, in one line; None of a mistake of ours."""
    if is_out_of_memory(error):
        less = "lower batch_size, l1_oc, data.train_images or data.test_images in params.yaml"
        if any(name in str(error) for name in ("CUDA", "CUBLAS", "CUDNN")):
            less = f"set {DEVICE}=cpu, or {less}"
            return f"out of the GPU's memory: close what else uses it, {less}"
        return f"out of memory: close other programs, or {less}"
    if not isinstance(error, OSError):
        return None
    what = error.strerror or " ".join(str(error).split()) or type(error).__name__
    name = _place(error)
    where = f"{name}: " if name else ""
    return f"{where}{what}: {remedy(error)}, and run the same command again"
