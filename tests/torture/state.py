"""What a finished pipeline leaves, and how two of them differ."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

from convscope.base.files import digest

OUTPUTS = ("data", "models", "reports", ".convscope/runs")
# times and what is said of them differ from run to run, and Python keeps its own bytecode
VARYING = (".git/", ".dvc/tmp/", ".dvc/cache/", "logs/", "mlartifacts/", "mlflow.db")
RUNS = """
select r.name, r.status, parent.name
from runs r
left join tags t on t.run_uuid = r.run_uuid and t.key = 'mlflow.parentRunId'
left join runs parent on parent.run_uuid = t.value
where r.lifecycle_stage = 'active'
"""
METRICS = """
select r.name, m.key, m.step, m.value
from metrics m join runs r on r.run_uuid = m.run_uuid
where m.key <> 'time/seconds'
"""

# what is there, and its hash or how often it is there
State = dict[str, object]


def locked(folder: Path) -> dict[str, dict[str, str]]:
    """The hashes that a project's dvc.lock holds, by stage and output."""
    stages = YAML(typ="safe").load((folder / "dvc.lock").read_text())["stages"]
    return {stage: {out["path"]: out["md5"] for out in of["outs"]} for stage, of in stages.items()}


def read(folder: Path) -> State:
    """All that a project folder whose pipeline has finished holds and that may not vary.

    These are the hashes in dvc.lock, every file's name with the hash of those that the pipeline
    made, MLflow's runs and numbers, and the runs that logs/timings.csv says were trained twice.
    """
    state: State = {f"dvc.lock: {stage}": outs for stage, outs in locked(folder).items()}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(VARYING) and "__pycache__" not in name:
            state[name] = digest(path) if name.startswith(OUTPUTS) else ""
    with sqlite3.connect(folder / "mlflow.db") as database:
        for what, query in (("run", RUNS), ("metric", METRICS)):
            state |= Counter(f"MLflow {what} {row}" for row in database.execute(query))
    lines = (line.split(",") for line in (folder / "logs/timings.csv").read_text().splitlines()[1:])
    trained = Counter(fingerprint for _, run, fingerprint, *_ in lines if run)
    return state | {f"trained again: {run}": n for run, n in trained.items() if n > 1}


def differences(calm: State, other: State) -> Iterator[str]:
    """What is in another state and not in the undisturbed one, or the other way round."""
    for name in sorted(calm.keys() | other.keys()):
        if name not in calm:
            yield f"{name}: is new"
        elif name not in other:
            yield f"{name}: is missing"
        elif calm[name] != other[name]:
            yield f"{name}: {other[name]}, not {calm[name]}"
