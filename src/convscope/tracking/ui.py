"""MLflow's pages of this project, opened on the comparison of a grid."""

import json
import os
import socket
import subprocess
import sys
import time
import webbrowser
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

from convscope.base import paths
from convscope.base.errors import UserError
from convscope.tracking import percent
from convscope.tracking.failures import reason, redact, remedy
from convscope.tracking.ownership import project_id
from convscope.tracking.records import POINT, STAGE
from convscope.tracking.runs import PARENT
from convscope.tracking.server import Store, connect, publish_lock, tracking_uri

COMPARED = "net1"
HOST = "127.0.0.1"
# eight more processes, for evaluations of language models, each of which imports all of MLflow
JOBS = "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"


def serve(root: Path, port: int) -> None:
    """Serve the tracked runs on this machine until interrupted, and show where they are compared.

    Of a tracking server, which has its own pages, only the address is shown.

    Raises:
        UserError: The store's address carries a password, the port is not available, the store
            cannot be used, or the server failed.
    """
    uri = tracking_uri(root)
    if redact(uri) != uri:
        raise UserError(
            "MLFLOW_TRACKING_URI carries a password, which a command line would show: "
            "open the server's own page instead"
        )
    if _is_server(uri):
        _show(_page(root, uri.rstrip("/")))
        return
    _require_free(port)
    with (
        percent.python() as python,
        subprocess.Popen(
            server_command(uri, port, python), env={JOBS: "false", **os.environ}
        ) as server,
    ):
        try:
            page = _page(root, f"http://{HOST}:{port}")
            while server.poll() is None and not _answers(port):
                time.sleep(0.2)
            if server.poll() is None:
                _show(page)
            code = server.wait()
        except BaseException:
            server.terminate()
            raise
    if code:
        raise UserError(f"MLflow's UI ended with code {code}: what it says is above")


def server_command(uri: str, port: int, python: str = sys.executable) -> list[str]:
    """The command by which a Python serves a database's runs to this machine alone."""
    # One reader needs one worker; MLflow's four each take seconds to start.
    options = f"--host {HOST} --port {port} --workers 1".split()
    return [python, "-m", "mlflow", "ui", "--backend-store-uri", uri, *options]


def _page(root: Path, server: str) -> str:
    """The address of the page that compares the last grid of net1; without one, of all runs."""
    try:
        with publish_lock(root):
            store = connect(root)
            runs = _last_grid(store, project_id(root))
    except Exception as error:
        # MLflow, requests, SQLAlchemy and the file lock each have errors of their own
        uri, why = redact(tracking_uri(root)), reason(error)
        then = remedy(uri, why, "run `convscope ui`")
        raise UserError(f"runs at {uri} cannot be read ({why}): {then}") from None
    if len(runs) < 2:
        return f"{server}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    ids, experiments = (quote(json.dumps(each)) for each in (runs, [store.experiment_id]))
    return f"{server}/#/compare-runs?runs={ids}&experiments={experiments}"


def _last_grid(store: Store, project: str) -> list[str]:
    """The ids of the runs of the grid that was trained last."""
    where, stage = [store.experiment_id], paths.stage_of(COMPARED)
    grids = store.client.search_runs(
        where,
        f"tags.project = '{project}' and tags.stage = '{stage}' and tags.kind = '{STAGE}'",
        max_results=1,
        order_by=["attributes.start_time DESC"],
    )
    if not grids:
        return []
    condition = f"tags.kind = '{POINT}' and tags.`{PARENT}` = '{grids[0].info.run_id}'"
    points = store.client.search_runs(where, condition, order_by=["attributes.run_name"])
    return [run.info.run_id for run in points]


def _show(page: str) -> None:
    """Print an address, and open it where there is a screen; a terminal's browser would not do."""
    print(f"convscope: runs are compared at {page}", flush=True)
    if sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        webbrowser.open(page)


def _require_free(port: int) -> None:
    """Refuse a port that is not available: MLflow says so after half a minute, and ends with 0."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "it is not a port number"
        raise UserError(f"port {port} is not available ({why}): try another --port") from None


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _is_server(uri: str) -> bool:
    try:
        return urlsplit(uri).scheme in ("http", "https")
    except ValueError as error:
        raise UserError(
            f"MLFLOW_TRACKING_URI is not an address ({error}): unset it, or name a server or a "
            "database"
        ) from None
