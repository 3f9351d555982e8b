import contextlib
import http.server
import sqlite3
import threading

import pytest
from tests.toys import refusal

from convscope.tracking import failures
from convscope.tracking.failures import reason, redact
from convscope.tracking.publishing import publish


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://ann:pw@host:5000/a", "http://***@host:5000/a"),
        ("https://ann:p@w/x@host", "https://***@host"),
        ("postgresql+psycopg2://ann:pw@db/mlflow", "postgresql+psycopg2://***@db/mlflow"),
        ("https://host/a?api_key=abc&x=1", "https://host/a?api_key=***&x=1"),
        ("mssql:///?odbc_connect=a%3BPWD%3Db&x=1", "mssql:///?odbc_connect=***&x=1"),
        ("sqlite:////home/ann/mlflow.db", "sqlite:////home/ann/mlflow.db"),
        ("sqlite:////home/ann@work/mlflow.db", "sqlite:////home/ann@work/mlflow.db"),
    ],
)
def test_redact_blanks_secrets_only(uri, shown):
    assert redact(f"cannot reach {uri}: refused") == f"cannot reach {shown}: refused"


def test_the_reason_is_one_line_with_the_cause():
    request = (
        "API request to http://a:b@h/api failed with exception Pool(host='h'): Max retries exceeded"
        " (Caused by NewConnectionError(\"HTTPConnection(host='h'): Connection refused\"))"
    )
    assert reason(Exception(request)) == "HTTPConnection(host='h'): Connection refused"
    assert reason(Exception("locked\n[SQL: INSERT INTO runs]")) == "locked"
    assert reason(TimeoutError()) == "TimeoutError"


def of_version(project, version):
    with contextlib.closing(sqlite3.connect(project.root / "mlflow.db")) as database, database:
        database.execute("update alembic_version set version_num = ?", (version,))


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        ("451aebb31d03", "run `mlflow db upgrade sqlite:///{root}/mlflow.db`"),  # of MLflow 1.0
        ("ffffffffffff", "a newer MLflow made it: install that version, or move it away"),
    ],
)
def test_a_database_of_another_version_is_upgraded_or_needs_that_version(version, remedy, project):
    of_version(project, version)
    line = refusal(publish, project.root)
    assert f"found version {version}" in line
    assert remedy.format(root=project.root) in line
    assert line.endswith("then run `convscope publish`")


@pytest.mark.parametrize("uri", ["./mlruns", "file:./mlruns"])
def test_a_folder_of_runs_is_refused_with_a_way_to_keep_them(uri, folders, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    line = refusal(publish, folders.root)
    assert "unset MLFLOW_TRACKING_URI" in line
    assert "`mlflow migrate-filestore` moves old runs" in line


class Refusing(http.server.BaseHTTPRequestHandler):
    code = 401

    def do_GET(self):
        self.send_error(self.code, "no")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (401, "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        (403, "ask its owner to let you write there"),
        (404, "name an MLflow server in MLFLOW_TRACKING_URI"),
    ],
)
def test_a_server_that_refuses_says_what_it_wants(code, remedy, folders, monkeypatch):
    monkeypatch.setattr(Refusing, "code", code)
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as listening:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listening.server_port}")
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        line = refusal(publish, folders.root)
        listening.shutdown()
    assert f"{remedy}" in line
    assert "answers" not in line


@pytest.mark.parametrize(
    ("uri", "remedy"),
    [
        ("postgresql://ann:pw@127.0.0.1:1/x", "install psycopg, the driver of that database"),
        ("ftp://host/x", "name a server or database"),
    ],
)
def test_an_address_that_cannot_be_used_says_what_is_missing(uri, remedy, folders, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    line = refusal(publish, folders.root)
    assert remedy in line
    assert "pw" not in line


def test_what_passes_by_itself_is_waited_for():
    line = failures.failure("https://ann:pw@host", "occlusion", "Connection refused")
    assert line == (
        "occlusion: not tracked in MLflow at https://***@host (Connection refused): "
        "run `convscope publish` when it answers"
    )
