"""UserError, which a user is meant to read, and a test for running out of memory."""

import errno

# torch has an error class for a GPU's memory only; cuBLAS and cuDNN say it in their messages
_OUT_OF_MEMORY = ("allocate memory", "out of memory", "bad_alloc", "ALLOC_FAILED")


class UserError(Exception):
    """Something that the user can correct.

    Its message is one line: what is wrong, where (file and key), and what to do. The command line
    prints it without a traceback and exits with code 2.
    """


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that Python, torch or the system ran out of memory."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, RuntimeError):
        return any(text in str(error) for text in _OUT_OF_MEMORY)
    return isinstance(error, MemoryError)
