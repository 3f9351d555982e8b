"""The one exception that a user is meant to read, and the one that any line may raise."""

import errno

# torch has an error of its own for memory on a GPU alone; of cuBLAS and cuDNN only the words tell
_OUT_OF_MEMORY = ("allocate memory", "out of memory", "bad_alloc", "ALLOC_FAILED")


class UserError(Exception):
    """Something that the user can put right.

    Its message is one line: what is wrong, where (file and key), and what to do. The command line
    prints it without a traceback and exits with code 2.
    """


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, torch or the system could not have the memory that it asked for.

    Args:
        error: Anything that was raised.
    """
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    words = isinstance(error, RuntimeError) and any(word in str(error) for word in _OUT_OF_MEMORY)
    return words or isinstance(error, MemoryError)
