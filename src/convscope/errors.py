"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something that the user can put right.

    Its message is one line: what is wrong, where (file and key), and what to do. The command line
    prints it without a traceback and exits with code 2.
    """
