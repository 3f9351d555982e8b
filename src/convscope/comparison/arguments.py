"""The arguments of ``convscope compare``; nothing here takes time to import."""

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> argparse.Action:
    """Add the arguments to the command's parser; the one that names a folder."""
    parser.add_argument("base", help="the revision to compare with, such as HEAD~1 or main")
    parser.add_argument(
        "--head",
        metavar="REVISION",
        help="the other one (default: the working tree, with what is not committed)",
    )
    parser.add_argument(
        "--allow-turned",
        action="store_true",
        help="exit with 0 even if a claim that held no longer does",
    )
    return parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="a folder to make, for the answer and both states' results",
    )
