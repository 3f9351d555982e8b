"""What a finished pipeline leaves, and how two of them differ."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
where r.lifecycle_stage = 'active' order by 1, 2, 3
"""
METRICS = """
select r.name, m.key, m.step, m.value
from metrics m join runs r on r.run_uuid = m.run_uuid
where m.key <> 'seconds' order by 1, 2, 3, 4
"""


@dataclass(frozen=True)
class State:
    """All that a finished pipeline leaves and that may not vary.

    Attributes:
        locked: The hashes in dvc.lock, by stage and output.
        files: Every file's name, with the hash of those that the pipeline made.
        tracked: MLflow's runs: name, status, parent.
        metrics: MLflow's numbers: run, key, step, value.
        trained: How often each run was trained to its end, as far as logs/timings.csv knows.
    """

    locked: dict[str, dict[str, str]]
    files: dict[str, str]
    tracked: list[tuple[Any, ...]]
    metrics: list[tuple[Any, ...]]
    trained: dict[str, int]


def locked(folder: Path) -> dict[str, dict[str, str]]:
    """The hashes that a project's dvc.lock holds, by stage and output."""
    stages = YAML(typ="safe").load((folder / "dvc.lock").read_text())["stages"]
    return {stage: {out["path"]: out["md5"] for out in of["outs"]} for stage, of in stages.items()}


def read(folder: Path) -> State:
    """The state of a project folder whose pipeline has finished."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    kept = [n for n in names if not n.startswith(VARYING) and "__pycache__" not in n]
    files = {n: digest(folder / n) if n.startswith(OUTPUTS) else "" for n in kept}
    with sqlite3.connect(folder / "mlflow.db") as database:
        tracked, metrics = (database.execute(query).fetchall() for query in (RUNS, METRICS))
    lines = (folder / "logs/timings.csv").read_text().splitlines()[1:]
    runs = [line.split(",")[2] for line in lines if line.split(",")[1]]
    return State(locked(folder), files, tracked, metrics, {run: runs.count(run) for run in runs})


def differences(calm: State, other: State) -> Iterator[str]:
    """What is in another state and not in the undisturbed one, or the other way round."""
    yield from _unlike("dvc.lock: ", calm.locked, other.locked)
    yield from _unlike("", calm.files, other.files)
    both = {"runs": (calm.tracked, other.tracked), "metrics": (calm.metrics, other.metrics)}
    for what, (ours, theirs) in both.items():
        if ours != theirs:
            more = [row for row in theirs if row not in ours][:5]
            less = [row for row in ours if row not in theirs][:5]
            yield f"MLflow: {len(theirs)} {what}, not {len(ours)}: more {more}, less {less}"
    for run, count in other.trained.items():
        if count > 1:
            yield f"run {run} was trained {count} times"


def _unlike(where: str, calm: Mapping[str, object], other: Mapping[str, object]) -> Iterator[str]:
    """What two maps do not have in common."""
    for name in sorted(calm.keys() | other.keys()):
        if name not in calm:
            yield f"{where}{name}: left behind"
        elif name not in other:
            yield f"{where}{name}: missing"
        elif calm[name] != other[name]:
            yield f"{where}{name}: other bytes"
