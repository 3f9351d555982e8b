"""Standard streams that are open, whatever a shell has done with them."""

import os
import sys


def open_closed() -> None:
    """Give the standard streams that a shell has closed (``>&-``) to nobody.

    Python has no object for these, and the next file that is opened would take their place.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            taken = os.open(os.devnull, os.O_RDWR)
            if taken != number:
                os.dup2(taken, number)
                os.close(taken)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
