"""The best run of each network -> MLflow's model registry, a version for each fingerprint."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from convscope.base import files, paths, progress
from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.tracking import registrar
from convscope.tracking.failures import PUBLISH, reason, warn
from convscope.tracking.records import flatten
from convscope.tracking.server import NOTE, Store, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

# of the store, the project's folder and the stage's run
Register = Callable[[Store, Path, str], None]

STAGE = "evaluate"
ALIAS = "best"
# a registrar holds it, while stages come and go
_LOCK = paths.KEPT / "registry.lock"
# what a registrar at low priority may need, while others compute
_LOCK_SECONDS = 300
# the tag by which MLflow's page knows the versions of a logged model in the registry
_VERSIONS = "mlflow.modelVersions"


@dataclass(frozen=True)
class Candidate:
    """A network's best run, to be registered.

    ``tags`` are what its version is found and compared by.
    """

    net: str
    fingerprint: str
    point: dict[str, str]
    tags: dict[str, str]

    @property
    def name(self) -> str:
        """What the network is called in the registry, whatever project it is of."""
        return f"convscope-{self.net}"

    @property
    def summary(self) -> str:
        """Which run it is, in a sentence."""
        accuracy = 100 * float(self.tags["test_accuracy"])
        return f"The best {self.net} on {self.tags['data']}: test accuracy {accuracy:.2f} %."


def candidates(root: Path, nets: Iterable[str]) -> list[Candidate]:
    """The best runs of some networks.

    Raises:
        UserError: A best.json, or what describes the data set, is missing or damaged.
    """
    dataset = Finished(root / paths.REPORTS, "download").json("dataset")
    found = []
    for net in nets:
        path, command = root / paths.models_of(net) / paths.BEST, f"train {net}"
        best = files.read_json(path, command)
        try:
            tags = {
                "net": net,
                "fingerprint": str(best["fingerprint"]),
                "data": str(dataset.get("name")),
                "data_fingerprint": str(best["identity"]["data"]),
                "test_accuracy": repr(float(best["best"]["test_accuracy"])),
                "weights_md5": str(best["md5"][paths.WEIGHTS]),
            }
            found.append(Candidate(net, tags["fingerprint"], flatten(best["point"]), tags))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise files.damaged(path, command, repr(error)) from None
    return found


def register(store: Store, root: Path, run_id: str) -> None:
    """Register the networks that the finished stage evaluate has compared, which takes seconds.

    A registry that is missing or refuses is a line on standard error, and no error.

    Args:
        store: Where the stage has been published.
        root: The project's folder.
        run_id: The stage's run in MLflow, to which the models will belong.
    """
    try:
        with _alone(root):
            for candidate in _compared(root):
                version = _version(store.client, candidate)
                if version is None:
                    progress.say(f"{candidate.name}: a new version in MLflow's registry")
                    version = _create(store, root, candidate, run_id)
                _point_alias(store.client, candidate, version)
    except Exception as error:
        _warn(root, error)


def register_later(store: Store, root: Path, run_id: str) -> None:
    """The same, but what takes seconds is left to a process that outlives this one."""
    try:
        new = [each for each in _compared(root) if _version(store.client, each) is None]
        for candidate in new:
            _ensure_name(store.client, candidate)  # what refuses does it before the stage ends
        if new:
            (root / _LOCK).touch()  # a stage leaves the same files, whenever the process ends
            registrar.start(root)
            return
    except Exception as error:
        _warn(root, error)
        return
    register(store, root, run_id)


def _alone(root: Path) -> AbstractContextManager[object]:
    """Keep other processes of this project from registering the same."""
    lock = FileLock(root / _LOCK)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        progress.say("networks: another process is registering them; waiting for it")
        return lock.acquire(timeout=_LOCK_SECONDS)


def _compared(root: Path) -> list[Candidate]:
    return candidates(root, Finished(root / paths.REPORTS, STAGE).made_from.runs)


def _warn(root: Path, error: Exception) -> None:
    """One line; MLflow, requests, SQLAlchemy and torch each have errors of their own."""
    if isinstance(error, UserError):
        said = f"convscope: warning: model registry: {error}, then {PUBLISH}"
        print(said, file=sys.stderr)
    else:
        warn(tracking_uri(root), "model registry", reason(error))


def _version(client: "MlflowClient", candidate: Candidate) -> "ModelVersion | None":
    """The candidate's version if it is registered; the latest, if somebody has copied it."""
    condition = f"name = '{candidate.name}' and tags.fingerprint = '{candidate.fingerprint}'"
    found = client.search_model_versions(condition)
    return max(found, key=lambda version: int(version.version), default=None)


def _create(store: Store, root: Path, candidate: Candidate, run_id: str) -> "ModelVersion":
    """Register a version, which is there with all its tags or not at all."""
    client, name = store.client, candidate.name
    logged = _logged(store, root, candidate, run_id)
    _ensure_name(client, candidate)
    version = client.create_model_version(
        name,
        logged.artifact_location,
        run_id=run_id,
        tags=candidate.tags,
        description=logged.tags[NOTE],
        await_creation_for=0,
        model_id=logged.model_id,
    )
    # an earlier version of it has been deleted, or there would be no new one
    versions = json.dumps([{"name": name, "version": version.version}])
    client.set_logged_model_tags(logged.model_id, {_VERSIONS: versions})
    return version


def _ensure_name(client: "MlflowClient", candidate: Candidate) -> None:
    """Create a registered model, without versions, unless it is there."""
    from mlflow.exceptions import MlflowException

    if _aliases(client, candidate.name) is not None:
        return
    described = f"The best {candidate.net} of each study of convscope, a version for each result."
    try:
        client.create_registered_model(candidate.name, description=described)
    except MlflowException as error:
        # another project may have just created it on this server
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _logged(store: Store, root: Path, candidate: Candidate, run_id: str) -> "LoggedModel":
    """The model that belongs to a run: of an earlier version, or uploaded now."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    client = store.client
    condition = f"source_run_id = '{run_id}' AND tags.fingerprint = '{candidate.fingerprint}'"
    for earlier in client.search_logged_models([store.experiment_id], condition):
        if earlier.status == "READY":
            return earlier
        client.delete_logged_model(earlier.model_id)  # its upload was cut short
    with tempfile.TemporaryDirectory(prefix="convscope-") as folder:
        _export(root, candidate, Path(folder))
        description = (Model.load(folder).metadata or {})["description"]
        model = client.create_logged_model(
            store.experiment_id,
            candidate.net,
            run_id,
            tags={**candidate.tags, NOTE: f"{candidate.summary} {description}"},
            params=candidate.point,
        )
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        client.log_model_artifacts(model.model_id, folder)
    return client.finalize_logged_model(model.model_id, "READY")


def _export(root: Path, candidate: Candidate, folder: Path) -> None:
    """Write the candidate as an MLflow model into an empty folder.

    Raises:
        UserError: The model folder or the data set is missing or damaged, or is another by now.
    """
    # seconds to import, and only here
    from convscope.data import datasets
    from convscope.nets import trained
    from convscope.tracking import exported

    dataset = datasets.load(root / paths.DATASET)
    models = root / paths.models_of(candidate.net)
    network, best = trained.load_best(models, dataset.fingerprint)
    if best["fingerprint"] != candidate.fingerprint:
        raise UserError(f"{models} has just been replaced: let the stage evaluate end")
    exported.save(network, dataset.classes, dataset.test_images[: exported.EXAMPLES], folder)


def _aliases(client: "MlflowClient", name: str) -> dict[str, str] | None:
    """The versions of a registered model by their aliases; None if there is no such model."""
    from mlflow.exceptions import MlflowException

    try:
        return dict(client.get_registered_model(name).aliases)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _point_alias(client: "MlflowClient", candidate: Candidate, version: "ModelVersion") -> None:
    """Let ``ALIAS`` name the version, unless it names one of other data, or a later, better one."""
    number = int(version.version)
    held = (_aliases(client, candidate.name) or {}).get(ALIAS)
    if held is not None:
        tags = client.get_model_version(candidate.name, held).tags
        same_data = tags.get("data_fingerprint") == candidate.tags["data_fingerprint"]
        if not same_data or int(held) == number:
            return
        is_better = float(candidate.tags["test_accuracy"]) > float(tags["test_accuracy"])
        if int(held) > number and not is_better:
            return
    client.set_registered_model_alias(candidate.name, ALIAS, version.version)
