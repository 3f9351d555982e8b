import errno
import os

import pytest

from convscope.base import errors


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EACCES, "give access there"),
        (errno.EROFS, "let it be written to"),
        (errno.ENODEV, "move the project to another, local disk"),
        (errno.EISDIR, "move away what is in the way"),
        (errno.EMFILE, "allow more open files"),
        (errno.EAGAIN, "allow more processes"),
        (errno.ENAMETOOLONG, "a shorter path"),
        (errno.EXDEV, "put that right"),
        (None, "put that right"),
    ],
)
def test_what_helps_depends_on_what_the_system_refused(number, words):
    error = OSError("odd") if number is None else OSError(number, os.strerror(number), "a")
    assert words in errors.remedy(error)
