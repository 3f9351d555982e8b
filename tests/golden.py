"""Numbers that must not change unnoticed, and the kind of machine and versions that they hold for.

After a change that is meant to move numbers:

    python -m tests.golden

and commit tests/golden.json. It has an entry of portable kernels, for all x86-64 processors, and of
native ones as many as kinds of machines: ``CONVSCOPE_KERNELS=native python -m tests.golden``.
"""

import hashlib
import json
import math
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from convscope.analysis.ablation.atlas import atlas
from convscope.analysis.occlusion import sensitivity
from convscope.base import files, kernels, runtime
from convscope.base.paths import HISTORY, WEIGHTS
from convscope.base.tensors import read_tensors
from convscope.data import augment
from convscope.figures import curves
from convscope.nets import zoo
from convscope.training import trainer
from tests import toys

PATH = Path(__file__).with_name("golden.json")
PACKAGES = ("torch", "numpy", "pandas", "matplotlib", "pillow")
# another machine rounds differently, and training lets that grow
CLOSE = partial(math.isclose, rel_tol=0.05, abs_tol=0.02)

Measured = tuple[bytes, list[float]]


def environment() -> dict[str, str]:
    """What the bits of a result depend on besides the code."""
    return {
        "system": platform.system(),
        "processor": kernels.computed_on("cpu"),
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in PACKAGES},
    }


def measure() -> dict[str, dict[str, Any]]:
    """Run every measurement: its name, the hash of its bytes, and some of its numbers."""
    found = {}
    _trained.cache_clear()
    with runtime.deterministic(1, kernels.held() or kernels.PORTABLE):
        for name, measurement in MEASUREMENTS.items():
            content, numbers = measurement()
            found[name] = {"sha256": hashlib.sha256(content).hexdigest(), "numbers": numbers}
    return found


@cache
def _trained(net: str) -> tuple[bytes, list[float], torch.nn.Sequential]:
    """The files and the losses of a tiny run, and its network."""
    run = toys.run(net, epochs=4, dropout_rate=0.3 if net == "net4" else 0.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trainer.train(run, toys.red_or_blue(), folder, torch.device("cpu"))
        content = (folder / HISTORY).read_bytes() + (folder / WEIGHTS).read_bytes()
        losses = files.read_csv(folder / HISTORY, "")["loss"].tolist()
        weights, _ = read_tensors(folder / WEIGHTS, "")
    module = zoo.build(net, **run.point)
    module.load_state_dict(weights)
    return content, losses, module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _augmented() -> Measured:
    images = toys.red_or_blue().train_images
    draws = augment.draw(len(images), toys.AUGMENTED, torch.Generator().manual_seed(0))
    pixels = augment.apply(images, draws)
    return pixels.numpy().tobytes(), pixels.mean((1, 2, 3))[:8].tolist()


def _occluded() -> Measured:
    data = toys.red_or_blue()
    images, labels = data.test_images[:2], data.test_labels[:2]
    maps = sensitivity.confidence_maps(_trained("net4")[2], images, labels, window=24)
    return maps.numpy().tobytes(), maps.flatten()[::20].tolist()


def _ablated() -> Measured:
    data = toys.red_or_blue()
    found = atlas(_trained("net4")[2], data.test_images, data.test_labels)
    counts = torch.cat([found.intact[None], *found.ablated.values()])
    rates = [found.drop(layer).mean().item() for layer in found.ablated]
    return counts.numpy().tobytes(), rates


def _drawn() -> Measured:
    epochs = np.arange(1, 5)
    measured = {"loss": 2.0 / epochs, "train_accuracy": 0.2 * epochs}
    measured |= {"test_accuracy": 0.15 * epochs, "overfit_percent": 5.0 * epochs}
    history = pd.DataFrame({"run": 1, "epoch": epochs, **measured, **toys.POINT})
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "curves.png"
        curves.learning_curves(history, title="golden").write(path)
        with Image.open(path) as picture:
            return path.read_bytes(), [float(np.asarray(picture.convert("L")).mean())]


MEASUREMENTS: dict[str, Callable[[], Measured]] = {
    "training net1": lambda: _trained("net1")[:2],
    "training net4": lambda: _trained("net4")[:2],
    "augmentation": _augmented,
    "occlusion map": _occluded,
    "atlas counts": _ablated,
    "figure": _drawn,
}


def entries() -> list[dict[str, Any]]:
    """The committed entries, one for each kind of machine and versions."""
    return list(json.loads(PATH.read_text(encoding="utf-8"))) if PATH.is_file() else []


def nearest(known: Sequence[dict[str, Any]], here: dict[str, str]) -> dict[str, Any]:
    """The entry whose environment differs from this one in the fewest keys."""
    return min(known, key=lambda entry: len(differing(entry["environment"], here)))


def differing(there: dict[str, str], here: dict[str, str]) -> list[str]:
    """In what two environments differ, in words."""
    return [
        f"{key} {here.get(key)}, not {there.get(key)}"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]


def changed(golden: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Measurements whose bytes are no longer the golden ones."""
    for name in sorted(golden.keys() | now.keys()):
        one, other = golden.get(name, {}), now.get(name, {})
        if one.get("sha256") != other.get("sha256"):
            yield next(drifted({name: one}, {name: other}), f"{name} (in its last bits)")


def drifted(golden: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Measurements whose numbers are further from the golden ones than rounding explains."""
    for name in sorted(golden.keys() | now.keys()):
        one, other = (side.get(name, {}).get("numbers", []) for side in (golden, now))
        if len(one) != len(other) or not all(map(CLOSE, one, other)):
            was, is_now = (" ".join(f"{n:.4g}" for n in numbers) for numbers in (one, other))
            yield f"{name} (was {was}, is {is_now})"


def main() -> None:
    """Write the entry of this machine and these kernels anew."""
    here = environment()
    found = [entry for entry in entries() if entry["environment"] != here]
    found.append({"environment": here, "measured": measure()})
    files.write_json(PATH, sorted(found, key=lambda entry: json.dumps(entry["environment"])))
    print(f"wrote {PATH}: {len(found)} kinds of machine")


if __name__ == "__main__":
    main()
