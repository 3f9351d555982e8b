"""The UI's server is played by a program that listens on its port until it is told to end."""

import http.server
import json
import socket
import sys
import threading
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import pytest
from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION
from tests import projects
from tests.toys import refusal

from convscope import cli
from convscope.tracking import ui
from convscope.tracking.publishing import publish

SERVER = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page)
server.handle_request()  # the look whether it answers
raise SystemExit(int(sys.argv[2]))
"""


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def shown(monkeypatch):
    """The pages that were opened in a browser."""
    opened = []
    monkeypatch.setattr(ui.webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    return opened


def ends_with(code, monkeypatch):
    command = [sys.executable, "-c", SERVER]
    monkeypatch.setattr(ui, "server_command", lambda _, port, *__: [*command, str(port), str(code)])


def test_mlflows_own_page_is_served_to_this_machine_alone():
    command = ui.server_command("sqlite:////a/mlflow.db", 5000)
    assert command[:6] == [
        *(sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", "sqlite:////a/mlflow.db")
    ]
    assert command[6:] == ["--host", "127.0.0.1", "--port", "5000", "--workers", "1"]


@pytest.mark.usefixtures("shown")
def test_mlflow_starts_processes_for_jobs_only_where_that_is_asked_for(project, port, monkeypatch):
    assert MLFLOW_SERVER_ENABLE_JOB_EXECUTION.name == ui.JOBS
    code = f"import os, sys; sys.exit({{'false': 0, 'true': 7}}[os.environ['{ui.JOBS}']])"
    monkeypatch.setattr(ui, "server_command", lambda *_: [sys.executable, "-c", code])
    monkeypatch.delenv(ui.JOBS, raising=False)
    ui.serve(project.root, port)
    monkeypatch.setenv(ui.JOBS, "true")
    assert "ended with code 7" in refusal(ui.serve, project.root, port)


def test_it_opens_on_the_comparison_of_net1s_last_grid(project, port, shown, monkeypatch, capsys):
    (_, published) = publish(project.root)
    ends_with(0, monkeypatch)
    ui.serve(project.root, port)
    (page,) = shown
    assert capsys.readouterr().out == f"convscope: runs are compared at {page}\n"
    start, asked = page.split("/#/")
    assert start == f"http://127.0.0.1:{port}"
    assert asked.startswith("compare-runs?")
    query = {key: json.loads(value[0]) for key, value in parse_qs(urlsplit(asked).query).items()}
    client = project.store.client
    runs = [client.get_run(run_id) for run_id in query["runs"]]
    assert [run.info.run_name for run in runs] == ["lr=0.01", "lr=0.1"]
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {published.run_id}
    assert query["experiments"] == [project.store.experiment_id]


def test_without_a_grid_it_opens_on_all_runs(project, port, shown, monkeypatch):
    ends_with(0, monkeypatch)
    ui.serve(project.root, port)
    number = project.store.experiment_id
    pages = f"http://127.0.0.1:{port}/#/experiments/{number}/runs?workflowType=machine_learning"
    assert shown == [pages]


def test_without_a_screen_the_address_is_printed_and_no_browser_takes_the_terminal(
    project, port, shown, monkeypatch, capsys
):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(ui.sys, "platform", "linux")
    ends_with(0, monkeypatch)
    ui.serve(project.root, port)
    assert shown == []
    assert f"http://127.0.0.1:{port}/#/" in capsys.readouterr().out


def test_a_ui_that_fails_is_an_error(project, port, shown, monkeypatch):
    ends_with(3, monkeypatch)
    assert (
        refusal(ui.serve, project.root, port)
        == "MLflow's UI ended with code 3: what it says is above"
    )
    command = [sys.executable, "-c", "raise SystemExit(1)"]
    monkeypatch.setattr(ui, "server_command", lambda *_: command)
    assert (
        refusal(ui.serve, project.root, port)
        == "MLflow's UI ended with code 1: what it says is above"
    )
    assert len(shown) == 1  # by the first, which had answered


def test_a_ui_that_is_interrupted_takes_its_server_along(project, port, monkeypatch):
    process = Mock()
    monkeypatch.setattr(ui.subprocess, "Popen", Mock(return_value=process))
    process.__enter__ = Mock(return_value=process)
    process.__exit__ = Mock(return_value=None)
    process.poll.side_effect = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        ui.serve(project.root, port)
    process.terminate.assert_called_once_with()


def test_a_port_that_is_taken_or_not_a_port_is_refused_before_anything_starts(project, monkeypatch):
    monkeypatch.setattr(ui, "server_command", Mock(side_effect=AssertionError))
    with socket.create_server(("127.0.0.1", 0)) as other:
        for port in (other.getsockname()[1], 70000, -1):
            message = refusal(ui.serve, project.root, port)
            assert message.startswith(f"port {port} is not available ("), port
            assert message.endswith("): try another --port"), port


def test_a_server_that_cannot_be_asked_is_said(folders, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", projects.NO_SERVER)
    monkeypatch.chdir(folders.root)
    folders.write("params.yaml", "")
    assert cli.main(["ui"]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"convscope: runs at {projects.NO_SERVER} cannot be read (")
    assert line.endswith("run `convscope ui` when it answers\n")


class Experiment(http.server.BaseHTTPRequestHandler):
    """A tracking server that has an experiment and no runs."""

    def answer(self, **content):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def do_GET(self):
        self.answer(experiment={"experiment_id": "7", "name": "convscope"})

    def do_POST(self):
        self.answer(runs=[])

    def log_message(self, *_):
        pass


def test_a_servers_own_page_is_shown(folders, shown, monkeypatch):
    with http.server.HTTPServer(("127.0.0.1", 0), Experiment) as listening:
        uri = f"http://127.0.0.1:{listening.server_port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{uri}/")
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        ui.serve(folders.root, 5000)
        listening.shutdown()
    assert shown == [f"{uri}/#/experiments/7/runs?workflowType=machine_learning"]


def test_what_is_not_an_address_is_refused(folders, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://[::1:5000")
    assert "MLFLOW_TRACKING_URI is not an address" in refusal(ui.serve, folders.root, 5000)


def test_an_address_with_a_password_is_refused(folders, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://ann:pw@host")
    # a command line shows it
    assert "carries a password" in refusal(ui.serve, folders.root, 5000)
