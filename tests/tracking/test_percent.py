"""An environment below a folder with a percent sign is played by a link to that of the tests."""

import json
import subprocess
import sys

PROGRAM = """
import json, subprocess, sys
from pathlib import Path
from convscope.tracking import percent, server
store = server.connect(Path(sys.argv[1]))
with percent.python() as python:
    prefix = subprocess.check_output([python, "-c", "import sys; print(sys.prefix)"], text=True)
print(json.dumps([sys.prefix, store.experiment_id, prefix.strip(), Path(prefix.strip()).exists()]))
"""


def test_mlflow_works_below_any_folder(tmp_path):
    environment = tmp_path / "Ordner 100% é 数据"
    environment.symlink_to(sys.prefix)
    project = tmp_path / "100% mine"
    project.mkdir()
    command = [str(environment / "bin/python"), "-c", PROGRAM, str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    prefix, experiment, other, is_there = json.loads(done.stdout)
    assert prefix == str(environment)
    assert experiment
    assert "%" not in other
    assert not is_there
    assert (project / "mlflow.db").is_file()
    assert done.stderr == ""
