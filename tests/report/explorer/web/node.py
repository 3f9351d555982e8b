"""The page's modules in node, without a browser."""

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch

from convscope.report import explorer

NODE = shutil.which("node")
needed = pytest.mark.skipif(NODE is None, reason="needs node")

# arrays go as text, which is quicker than numbers and loses nothing
PRELUDE = """
import { readFileSync } from "node:fs";
import vm from "node:vm";
const given = JSON.parse(readFileSync(0, "utf8"));
const sent = ({ buffer, byteOffset, byteLength }) =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");
const offs = (off) =>
  new Map(Object.entries(off).map(([layer, filters]) => [layer, new Set(filters)]));
const sets = (off) =>
  Object.fromEntries([...off].map(([layer, filters]) => [layer, [...filters]]));
const images = (text) => {
  const levels = new Uint8Array(Buffer.from(text, "base64"));
  return Array.from({ length: levels.length / 3072 }, (_, at) =>
    Float32Array.from(levels.subarray(3072 * at, 3072 * (at + 1)), (level) => level / 255));
};
"""


def evaluated(modules: Mapping[str, str], body: str, given: Any = None) -> Any:
    """What the body of a function returns.

    Args:
        modules: What it uses of modules: ``{"state": "parse, format"}``.
        body: It knows ``given``, and of the prelude: ``images`` of their text, ``offs``, filters
            as the page has them, and back, ``sets``; ``sent``, an array for ``floats``.
        given: For JSON, as is what the function returns.
    """
    imports = "".join(
        f'import {{ {names} }} from "./{name}.js";\n' for name, names in modules.items()
    )
    script = f"{imports}{PRELUDE}const found = await (async () => {{\n{body}\n}})();\n"
    script += "process.stdout.write(JSON.stringify(found ?? null));"
    return json.loads(printed(script, json.dumps(given)))


def printed(script: str, text: str = "") -> str:
    """What a script that may import the page's modules prints when it reads a text."""
    assert NODE is not None
    command = [NODE, "--input-type=module", "--eval", script]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=_modules().name, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def _modules() -> "TemporaryDirectory[str]":
    """A copy of web/ in a folder that tells every version of node that it has modules."""
    folder = TemporaryDirectory(prefix="web-")
    shutil.copytree(Path(explorer.__file__).parent / "web", folder.name, dirs_exist_ok=True)
    (Path(folder.name) / "package.json").write_text('{"type": "module"}')
    return folder


def text(levels: torch.Tensor) -> str:
    """Images, uint8, for a script."""
    return b64encode(levels.numpy().tobytes()).decode()


def floats(sent: str) -> torch.Tensor:
    """The floats that a script sent."""
    return torch.from_numpy(np.frombuffer(b64decode(sent), "<f4").copy())
