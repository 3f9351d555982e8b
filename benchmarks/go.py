"""The published study on a machine that lends its GPU for minutes.

``python -m benchmarks study --go`` needs neither DVC nor MLflow. What is finished comes back;
called again on the same machine, it goes on after the last epochs.
"""

import json
import lzma
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from benchmarks import gpu_checks, subjects, table
from benchmarks.measuring import Row
from convscope.base import files, kernels, names, paths, runtime
from convscope.base.paths import BEST, RUN, WEIGHTS

ROOT = Path(__file__).parents[1]
WORK = ROOT / ".convscope" / "published"
# the analyses need net4; small runs fill nothing alone, so that several share the GPU
SIDE_BY_SIDE = {"net4": 2, "net2": 3, "net1": 8, "baseline": 6, "net3": 3}
ANALYSES = ("evaluate", "occlusion", "filter-ablation", "filter-identify", "explore", "report")
KEPT = Path("kept")
FINISHED, FAILED, CUT = "finished", "failed, as it says above", "cut short: call again to go on"
END_SECONDS = 25.0  # for an epoch to end, and for results to be packed
LIMIT = 60_000_000  # bytes that may come back
FLOAT = 4


@dataclass
class Outcome:
    """What a call has done.

    Attributes:
        rows: The checks and the profile.
        stages: The seconds of each stage that was begun, and what came of it.
    """

    rows: list[Row]
    stages: dict[str, tuple[float, str]]


def run(minutes: float, out: Path, quick: bool) -> int:
    """Check the GPU, profile a step of each network, and train and analyze until time is up.

    Args:
        minutes: After which it must have ended.
        out: A folder for what comes back: report.txt, kernels.txt, study.tar.gz, and the weights
            of the best runs as ``packed`` makes them; at most 8 files and ``LIMIT`` bytes.
        quick: On the digits and a shrunk grid, to try it.

    Returns:
        The exit code: 1 if a check was not met, since nothing was trained then.
    """
    end = time.monotonic() + 60 * minutes - END_SECONDS
    out.mkdir(parents=True, exist_ok=True)
    device = runtime.device()
    outcome = Outcome(list(gpu_checks.checks(device)), {})
    if all(row.met is not False for row in outcome.rows):
        params = _params(quick)
        WORK.mkdir(parents=True, exist_ok=True)
        files.write_text(WORK / paths.PARAMS, json.dumps(params, indent=2) + "\n")
        data = subjects.part(*((600, 60) if quick else (50_000, 10_000))).to(device)
        nets = [net for net in SIDE_BY_SIDE if net in params["nets"]]
        runs = gpu_checks.widest(WORK / paths.PARAMS, data, nets)
        steps = 1 if quick else gpu_checks.STEPS
        outcome.rows += gpu_checks.profile(runs, data, out / "kernels.txt", steps)
        del data
        _train_and_analyze(nets, end, outcome)
        pack(WORK, out)
    report = _report(outcome)
    files.write_text(out / "report.txt", report)
    print(report)
    return int(any(row.met is False for row in outcome.rows))


def _params(quick: bool) -> dict[str, Any]:
    """The published study on the archive that the environment names, or the digits, shrunk."""
    params: dict[str, Any] = YAML(typ="safe").load(gpu_checks.STUDY)
    archive = subjects.archive()
    params["kernels"] = kernels.held()
    params["data"] = {"source": "digits", "path": "conf/data", "train_images": 600}
    if archive is not None:
        listed = [{"url": archive.url, "md5": archive.md5}]
        params["data"] = {"source": "cifar10", "archives": listed, "path": "conf/data"}
    if quick:
        params["data"] |= {"train_images": 600, "test_images": 60}
        params["train"]["precision"] = "fp32"
        params["nets"] = {net: params["nets"][net] for net in ("baseline", "net1", "net4")}
        for grid in params["nets"].values():
            grid |= {"epochs": 1, "l1_oc": [4], "kernel_size": [3], "filter_multiplier": [2.0]}
            grid |= {"lr": [0.01], "batch_size": [8], "stride": [1]}
        params["occlusion"] |= {"images": 2, "survey_images": 4}
        params["filter_ablation"] |= {"atlas_images": 20}
    return params


def _train_and_analyze(nets: list[str], end: float, outcome: Outcome) -> None:
    """Run the stages by hand until time is up."""
    commands = [["download"], *(_training(net) for net in nets), *([name] for name in ANALYSES)]
    commands.append(["keep", str(KEPT)])
    for command in commands:
        left = end - time.monotonic()
        if left <= 0:
            return
        began = time.monotonic()
        workers = str(SIDE_BY_SIDE.get(command[-1], 1))
        came = _stage(command, left, {names.WORKERS: workers})
        outcome.stages[" ".join(command)] = time.monotonic() - began, came
        if came != FINISHED:
            return


def _training(net: str) -> list[str]:
    return [net] if net == paths.BASELINE else ["train", net]


def _stage(command: list[str], seconds: float, environment: Mapping[str, str]) -> str:
    """Run a stage in the study's folder; what came of it. It is interrupted when time is up."""
    variables = {**os.environ, **environment, "PYTHONPATH": str(ROOT / "src")}
    called = [sys.executable, "-m", "convscope.cli", *command]
    with subprocess.Popen(called, cwd=WORK, env=variables, start_new_session=True) as process:
        try:
            return FAILED if process.wait(seconds) else FINISHED
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(END_SECONDS / 2)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            return CUT


def pack(work: Path, out: Path) -> None:
    """Put what is finished into a folder: tables, figures, runs, and weights while they fit."""
    with tarfile.open(out / "study.tar.gz", "w:gz") as tar:
        for top in (paths.REPORTS, paths.MODELS, KEPT, Path(".convscope/runs"), Path("logs")):
            for path in sorted((work / top).rglob("*")):
                if path.is_file() and path.suffix not in (".safetensors", ".partial"):
                    tar.add(path, path.relative_to(work))
    size = (out / "study.tar.gz").stat().st_size
    for net in SIDE_BY_SIDE:
        best = work / paths.models_of(net) / BEST
        if best.is_file():
            run = json.loads(best.read_text())["id"]
            content = packed((work / paths.models_of(net) / "runs" / run / WEIGHTS).read_bytes())
            size += len(content)
            if size <= LIMIT:
                (out / f"{net}-{run}.xz").write_bytes(content)


def packed(content: bytes) -> bytes:
    """A weights file, smaller: the first bytes of all numbers, then the second, ..., compressed."""
    whole = len(content) - len(content) % FLOAT
    planes = np.frombuffer(content[:whole], np.uint8).reshape(-1, FLOAT).T
    return lzma.compress(planes.tobytes() + content[whole:])


def unpacked(content: bytes) -> bytes:
    """The weights file that ``packed`` was given."""
    plain = lzma.decompress(content)
    whole = len(plain) - len(plain) % FLOAT
    planes = np.frombuffer(plain[:whole], np.uint8).reshape(FLOAT, -1).T
    return planes.tobytes() + plain[whole:]


def _report(outcome: Outcome) -> str:
    """What was checked, measured, done and left undone."""
    rows = table.text("Before the study", outcome.rows)
    lines = [table.machine(subjects.images_used()), "", rows]
    for stage, (seconds, came) in outcome.stages.items():
        lines.append(f"{stage}: {came} after {seconds:.1f} s")
    runs = _runs(WORK / ".convscope" / "runs")
    lines += ["", *(f"{name}: {count} of its runs finished" for name, count in runs)]
    return "\n".join(lines) + "\n"


def _runs(store: Path) -> Iterator[tuple[str, int]]:
    """Networks, and how many of their runs are in a store."""
    nets = [json.loads(path.read_text())["net"] for path in store.glob(f"*/{RUN}")]
    yield from ((net, nets.count(net)) for net in SIDE_BY_SIDE if net in nets)
