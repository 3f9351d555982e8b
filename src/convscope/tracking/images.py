"""A run's figures where MLflow's page shows them: among its charts, with a slider over steps."""

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from convscope.tracking.records import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient

# a figure for each window size: map_3.png is the third step of the image "map"
_STEPPED = re.compile(r"(map)_(\d+)")


def log(client: "MlflowClient", run_id: str, record: Record, *, again: bool) -> None:
    """Log the pictures among a record's files; those that are there already only ``again``."""
    figures = [path for path, _ in record.files if path.suffix == ".png"]
    if not figures:
        return
    from PIL import Image, UnidentifiedImageError

    logged = set() if again else _logged(client, run_id)
    stage = "train" if record.net else record.stage
    for path in figures:
        name, step = _name_and_step(path)
        key = f"{stage}/{name}"
        if (key, step) not in logged:
            # what cannot be shown is among the artifacts all the same
            with suppress(UnidentifiedImageError), Image.open(path) as image:
                client.log_image(run_id, image, key=key, step=step)


def _name_and_step(path: Path) -> tuple[str, int]:
    stepped = _STEPPED.fullmatch(path.stem)
    return (stepped[1], int(stepped[2])) if stepped else (path.stem, 0)


def _logged(client: "MlflowClient", run_id: str) -> set[tuple[str, int]]:
    """The keys and steps of a run's images, which MLflow keeps in the names of their files."""
    names = [Path(each.path).name for each in client.list_artifacts(run_id, "images")]
    parts = [name.split("+") for name in names if name.endswith(".png")]
    return {(part[0].replace("~", "/"), int(part[2])) for part in parts if len(part) > 2}
