"""What a ``dvc repro`` would run, as far as dvc.yaml, dvc.lock, params.yaml and sources say.

DVC itself takes seconds to say so, since it looks at data and models too.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from convscope.base import files, paths

PIPELINE = Path("dvc.yaml")
LOCK = Path("dvc.lock")
IGNORED = Path(".dvcignore")
SOURCES = "src"
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml's, ten times as fast, for which 1e-3 is a number too, as it is for DVC."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, [*"-+.0123456789"])


@dataclass(frozen=True)
class Stage:
    """A stage as dvc.yaml defines it, networks and parameters filled in."""

    name: str
    command: str
    deps: list[str]
    params: list[str]
    outs: list[str]


@dataclass(frozen=True)
class State:
    """The project's files at some time: now, or at a commit.

    Attributes:
        stages: In an order in which they can run.
        lock: What dvc.lock says of each stage.
        params: The content of params.yaml.
        sources: The md5 of every file below src/, by its path.
    """

    stages: list[Stage]
    lock: Mapping[str, Any]
    params: Mapping[str, Any]
    sources: Mapping[str, str]

    def reason(self, stage: Stage) -> str:
        """Why a stage is not what dvc.lock says of it, data and models aside; "" if it is."""
        locked = self.lock.get(stage.name)
        if locked is None:
            return "has not run"
        known = {dep["path"]: dep.get("md5") for dep in locked.get("deps", [])}
        used = locked.get("params", {}).get(str(paths.PARAMS), {})
        moved = [key for key in stage.params if used.get(key) != value_at(self.params, key)]
        for dep in stage.deps:
            is_source = dep.startswith(f"{SOURCES}/")
            if dep not in known or (is_source and known[dep] != self._md5(dep)):
                moved.append(dep)
        if moved:
            return f"{', '.join(moved[:3])}{' and others' * (len(moved) > 3)} changed"
        return "" if locked.get("cmd") == stage.command else "its command changed"

    def _md5(self, path: str) -> str:
        """The hash of a source file or folder, as DVC has it."""
        if path in self.sources:
            return self.sources[path]
        inside = {
            name.removeprefix(f"{path}/"): md5
            for name, md5 in self.sources.items()
            if name.startswith(f"{path}/")
        }
        return files.folder_digest(inside)


def here() -> State:
    """The state of the current folder.

    Raises:
        OSError, ValueError, yaml.YAMLError: dvc.yaml or params.yaml cannot be read, or says
            nothing of stages.
    """
    try:
        lock = LOCK.read_text(encoding="utf-8")
    except OSError:
        lock = ""
    ignored = is_ignored(IGNORED.read_text(encoding="utf-8") if IGNORED.is_file() else "")
    found = [path for path in Path(SOURCES).rglob("*") if path.is_file() and not ignored(path)]
    sources = {path.as_posix(): files.digest(path) for path in found}
    pipeline, params = (path.read_text(encoding="utf-8") for path in (PIPELINE, paths.PARAMS))
    return state(pipeline, params, lock, sources)


def state(pipeline: str, params: str, lock: str, sources: Mapping[str, str]) -> State:
    """The state that the texts of dvc.yaml, params.yaml and dvc.lock and the sources say."""
    values = load(params)
    try:
        locked = load(lock)["stages"]
    except UNREADABLE:
        locked = {}
    return State(list(_stages(load(pipeline)["stages"], values)), locked, values, sources)


def load(text: str) -> Any:
    """A YAML document."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def to_run(state: State, is_there: Callable[[str], bool]) -> dict[str, str]:
    """The stages that would run, and why; ``is_there`` tells which outputs are there."""
    found: dict[str, str] = {}
    remade: list[str] = []
    for stage in state.stages:
        gone = not all(map(is_there, stage.outs))
        reason = state.reason(stage) or "not all of its outputs are here" * gone
        if not reason:
            before = any(_touch(stage.deps, out) for out in remade)
            reason = "reads what may change" * before
        if reason:
            found[stage.name] = reason
            remade += stage.outs
    return found


def _touch(deps: Iterable[str], out: str) -> bool:
    """Whether an output is, holds, or is in one of some dependencies."""
    return any(f"{dep}/".startswith(f"{out}/") or f"{out}/".startswith(f"{dep}/") for dep in deps)


def _stages(stages: Mapping[str, Any], params: Mapping[str, Any]) -> Iterable[Stage]:
    for name, defined in stages.items():
        if "foreach" not in defined:
            yield _stage(name, defined, params)
            continue
        items = defined["foreach"]
        if isinstance(items, str):
            items = _filled(items, params)
        for item in items:
            yield _stage(f"{name}@{item}", defined["do"], {**params, "item": item})


def _stage(name: str, defined: Mapping[str, Any], values: Mapping[str, Any]) -> Stage:
    parts = (
        [str(_filled(entry, values)) for entry in defined.get(part, [])]
        for part in ("deps", "params", "outs")
    )
    return Stage(name, str(_filled(defined["cmd"], values)), *parts)


def _filled(text: str, values: Mapping[str, Any]) -> Any:
    """A text with what its references stand for; of a single reference, the value itself."""
    if whole := _REFERENCE.fullmatch(text):
        return value_at(values, whole[1])
    return _REFERENCE.sub(lambda match: str(value_at(values, match[1])), text)


def value_at(values: Any, key: str) -> Any:
    """The value with a dotted key; None if there is none."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def is_ignored(rules: str) -> Callable[[Path], bool]:
    """Whether a path is litter by the rules of .dvcignore that name no folder above it."""
    lines = (line.strip().rstrip("/") for line in rules.splitlines())
    patterns = [line for line in lines if line and "/" not in line and not line.startswith("#")]
    return lambda path: any(
        fnmatch.fnmatchcase(part, pattern) for part in path.parts for pattern in patterns
    )
