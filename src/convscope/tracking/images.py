"""A run's figures where MLflow's page shows them: among its charts."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from convscope.tracking.records import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient


def log(client: "MlflowClient", run_id: str, record: Record, *, again: bool) -> None:
    """Log the pictures among a record's files; those that are there already only ``again``."""
    figures = [path for path, _ in record.files if path.suffix == ".png"]
    if not figures:
        return
    from PIL import Image, UnidentifiedImageError

    logged = set() if again else _logged(client, run_id)
    stage = "train" if record.net else record.stage
    for path in figures:
        if (key := f"{stage}/{path.stem}") not in logged:
            # what cannot be shown is among the artifacts all the same
            with suppress(UnidentifiedImageError), Image.open(path) as image:
                client.log_image(run_id, image, key=key)


def _logged(client: "MlflowClient", run_id: str) -> set[str]:
    """The keys of a run's images, with which MLflow begins the names of their files."""
    names = [Path(each.path).name for each in client.list_artifacts(run_id, "images")]
    return {name.split("+")[0].replace("~", "/") for name in names if name.endswith(".png")}
