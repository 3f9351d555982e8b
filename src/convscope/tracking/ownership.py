"""Which project folder MLflow runs belong to, wherever several share a tracking server."""

import json
import uuid
from pathlib import Path
from typing import NamedTuple

from convscope.base import files, paths

MARK = paths.KEPT / "project.json"


class _Mark(NamedTuple):
    id: str
    folder: str


def project_id(root: Path) -> str:
    """The project folder's own id: made once, kept when the folder is moved, not when it is copied.

    Call it under ``publish_lock``: two processes must not both make one.
    """
    path, here = root / MARK, str(root.resolve())
    mark = _read(path)
    # the original of a copy is still where the mark says
    if mark is None or (mark.folder != here and _read(Path(mark.folder) / MARK) == mark):
        mark = _Mark(uuid.uuid4().hex, "")
    if mark.folder != here:
        path.parent.mkdir(exist_ok=True)
        files.write_json(path, {"id": mark.id, "folder": here})
    return mark.id


def _read(path: Path) -> _Mark | None:
    """The mark; None where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _Mark(str(content["id"]), str(content["folder"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
