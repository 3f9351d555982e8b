"""The content of params.yaml before it is checked; reading it does not import torch."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from convscope.base.errors import UserError
from convscope.base.kernels import NATIVE, PORTABLE

MAX_TEXT = 120
_MEND = "correct it, or take it back by `git checkout params.yaml`"


def read(path: Path) -> dict[str, Any]:
    """The sections as YAML has them; a UserError if they cannot be read."""
    try:
        content = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run convscope in the project's folder") from None
    except Exception as error:  # of a tag that does not fit its value, the reader raises anything
        reason = one_line(str(getattr(error, "problem", None) or error) or type(error).__name__)
        if mark := getattr(error, "problem_mark", None):
            reason += f" in line {mark.line + 1}"
        raise UserError(f"{path} is not a readable YAML file ({reason}): {_MEND}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} does not map sections to their keys: {_MEND}")
    return content


def kernels(path: Path) -> str:
    """Its kind of kernels; portable where it has none, or cannot be read: its checks come later."""
    try:
        found = read(path).get("kernels")
    except UserError:
        return PORTABLE
    return NATIVE if found == NATIVE else PORTABLE


def one_line(text: str, most: int = MAX_TEXT) -> str:
    """A text in printable characters; of a long one, the beginning."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))
    return text if len(text) <= most else f"{text[:most]}..."


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)
