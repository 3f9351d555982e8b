"""What a small finished study leaves, to be written with changes."""

import copy
import json
from pathlib import Path
from typing import Any

from tests import projects

from convscope.comparison.state import State

PARAMS = {"nets": {"net1": {"epochs": 3, "l1_oc": [4, 6]}}, "occlusion": {"seed": 0}}
POINT = {"lr": 0.01, "l1_oc": 4, "seed": 0}
SETTINGS = {"epochs": 3, "augment": {"flip": 0.0}}
IDENTITY = {"data": "d", "code": "c", "layers": "l4", "torch": "2.13.0"}


def run(fingerprint: str, net: str = "net1", **point: Any) -> dict[str, Any]:
    """A run.json."""
    found = {"net": net, "point": POINT | point, "settings": SETTINGS, "identity": IDENTITY}
    return copy.deepcopy(found) | {"fingerprint": fingerprint}


def claim(number: int, verdict: str, why: str = "") -> dict[str, Any]:
    """A claim of claims.json."""
    return {"number": number, "statement": f"Finding {number}.", "verdict": verdict, "why": why}


def files() -> dict[str, Any]:
    """The files of a finished study, by path: ten test images, of which net1 gets eight right."""
    predicted = "".join(f"{image},1,{int(image < 8)}\n" for image in range(10))
    return {
        "params.yaml": copy.deepcopy(PARAMS),
        "reports/download/dataset.json": {"name": "digits", "fingerprint": "d"},
        "reports/evaluate/best.csv": "net,test_accuracy,low,high\nnet1,0.8,0.49,0.9433\n",
        "reports/evaluate/predictions.csv": f"image,label,net1\n{predicted}",
        "reports/evaluate/metrics.json": {"net1_test_accuracy": 0.8},
        "reports/occlusion/metrics.json": {"confidence_3": 0.75},
        "reports/occlusion/maps.png": b"a picture",
        "reports/claims.json": {"claims": [claim(1, "holds"), claim(2, "does not hold", "x")]},
        "models/net1/best.json": {"run": 2},
        "models/net1/history.csv": (
            "run,epoch,test_accuracy\n1,1,0.1\n1,2,0.2\n1,3,0.3\n2,1,0.5\n2,2,0.7\n2,3,0.8\n"
        ),
        "models/net1/runs/a/run.json": run("a"),
        "models/net1/runs/b/run.json": run("b", l1_oc=6),
        "logs/timings.csv": "stage,run,fingerprint,seconds,device\n",
    }


def write(folder: Path, content: dict[str, Any], name: str = "", seconds: float = 7.0) -> State:
    """Write a study's files; None leaves one out."""
    for place, value in content.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)
        elif isinstance(value, str):
            path.write_text(value)
        elif value is not None and path.suffix == ".yaml":
            projects.write_yaml(value, path)
        elif value is not None:
            path.write_text(json.dumps(value))
    return State(name or folder.name, folder, seconds)
