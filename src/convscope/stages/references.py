"""Which kept runs are referred to: by this folder, and by what git keeps, branches and the like.

A commit's dvc.lock names its model folders; where DVC's cache has them, they say which runs they
are made of. Where it has not, or what the commit holds has moved on since, every run of a point of
its grids counts, however it was trained: a run that is dropped in error costs hours, one that is
kept in error some kilobytes.
"""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convscope.base import paths
from convscope.base.errors import UserError
from convscope.config import params_file
from convscope.data import datasets
from convscope.stages import dvc_lock, pipeline
from convscope.stages.pipeline import State
from convscope.training import dvc_cache, explain, plan

FILES = (pipeline.PIPELINE, pipeline.LOCK, paths.PARAMS, pipeline.IGNORED)


@dataclass
class References:
    """What is referred to.

    Attributes:
        fingerprints: Runs that are known exactly.
        grids: Networks, each with the values of a grid's axes and seeds: all runs of its points.
    """

    fingerprints: set[str] = field(default_factory=set)
    grids: list[tuple[str, Mapping[str, list[Any]]]] = field(default_factory=list)

    def has(self, fingerprint: str, net: str, point: Mapping[str, Any]) -> bool:
        """Whether something refers to a run."""
        return fingerprint in self.fingerprints or any(
            net == of and all(value in grid.get(name, [value]) for name, value in point.items())
            for of, grid in self.grids
        )

    def add_grid(self, net: str, params: Mapping[str, Any]) -> None:
        """Add all runs of the points of a network's grid, by the content of some params.yaml."""
        section = pipeline.value_at(params, f"nets.{net}")
        if isinstance(section, Mapping):
            seeds = section.get("seeds") or pipeline.value_at(params, "train.seeds")
            values = {**section, "seed": seeds}
            self.grids.append((net, {k: each for k, each in values.items() if type(each) is list}))

    def add_state(self, state: State) -> None:
        """Add the runs of a state of the project."""
        for stage in state.stages:
            if (net := paths.net_of(stage.name)) is None:
                continue
            known = _locked(state, stage.name)
            self.fingerprints |= known or set()
            if known is None or state.reason(stage):
                self.add_grid(net, state.params)
        for net in state.params.get("nets") or {}:
            if paths.stage_of(net) not in {stage.name for stage in state.stages}:
                self.add_grid(net, state.params)


def found() -> References:
    """What refers to runs in this folder and its git repository, if it has one.

    Raises:
        UserError: params.yaml is wrong, git does not answer, or the files of a commit that a
            branch, a tag, an experiment or a stash names cannot be read.
    """
    references = References()
    _add_this_folder(references)
    if dvc_lock.in_git():
        repository = _Repository()
        for commit in repository.tips():
            try:
                if state := repository.state(commit):
                    references.add_state(state)
            except pipeline.UNREADABLE as error:
                raise UserError(
                    f"which runs commit {commit[:10]} needs cannot be read ({error!r}), and no run "
                    "is dropped: delete the branch, tag or experiment that stands there (`git "
                    f"for-each-ref --points-at {commit[:10]}` names it)"
                ) from None
    return references


def _add_this_folder(references: References) -> None:
    params = params_file.load()
    try:
        state = pipeline.here()
    except pipeline.UNREADABLE as error:
        raise UserError(
            f"{pipeline.PIPELINE} cannot be read ({' '.join(str(error).split())}): correct it, or "
            f"take it back by `git checkout {pipeline.PIPELINE}`"
        ) from None
    for document in paths.MODELS.glob(f"*/runs/*/{paths.RUN}"):
        with suppress(*pipeline.UNREADABLE):
            references.fingerprints.add(json.loads(document.read_bytes())["fingerprint"])
    for stage in state.lock:
        references.fingerprints |= _locked(state, stage) or set()
    try:
        if explain.is_outdated(params):
            raise UserError("it would be made anew")
        dataset = datasets.load(paths.DATASET)
        runs = [run for net in params.nets for run in plan.runs(params, net, dataset)]
        references.fingerprints |= {run.fingerprint for run in runs}
    except UserError:  # without the data set no run of params.yaml is known exactly
        for net in params.nets:
            references.add_grid(net, state.params)


def _locked(state: State, stage: str) -> set[str] | None:
    """The runs in the model folder that dvc.lock has of a stage; None if they are not known."""
    net = paths.net_of(stage)
    outs = state.lock.get(stage, {}).get("outs", [])
    digest = {out.get("path"): out.get("md5") for out in outs}.get(str(paths.models_of(net or "")))
    return dvc_cache.fingerprints(digest) if net and isinstance(digest, str) else None


class _Repository:
    """The files of commits, each read once."""

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}
        self._md5s: dict[str, str] = {}
        self._seen: set[str] = set()

    def tips(self) -> list[str]:
        """The commits that branches, tags, experiments, stashes and worktrees stand at."""
        named = _git("rev-list", "--no-walk", "--all").decode().split()
        refs = _git("for-each-ref", "--format=%(refname)", "refs/stash", "refs/exps").decode()
        for ref in refs.split():
            if ref.endswith(("stash", "failed")):  # a list, of which the ref is only the latest
                named += _git("rev-list", "--walk-reflogs", ref, "--").decode().split()
        return list(dict.fromkeys(named))

    def state(self, commit: str) -> State | None:
        """The project at a commit; None if it is not there, or was seen at another."""
        listed = _git("ls-tree", "-r", "-z", commit, "--", *map(str, FILES), pipeline.SOURCES)
        key = hashlib.sha256(listed).hexdigest()
        if key in self._seen:
            return None
        self._seen.add(key)
        entries = (line.split("\t", 1) for line in listed.decode().split("\0") if line)
        found = ((path, *start.split()) for start, path in entries)
        blobs = {path: name for path, _, kind, name in found if kind == "blob"}
        self._read(set(blobs.values()))
        texts = {name: self._texts.get(blobs.get(str(name), ""), b"").decode() for name in FILES}
        if not texts[paths.PARAMS] or not texts[pipeline.PIPELINE]:
            return None
        ignored = pipeline.is_ignored(texts[pipeline.IGNORED])
        sources = {
            path: self._md5s[blob]
            for path, blob in blobs.items()
            if path.startswith(f"{pipeline.SOURCES}/") and not ignored(Path(path))
        }
        return pipeline.state(
            texts[pipeline.PIPELINE], texts[paths.PARAMS], texts[pipeline.LOCK], sources
        )

    def _read(self, blobs: set[str]) -> None:
        """Read the blobs that were not read yet."""
        missing = sorted(blobs - self._texts.keys())
        said = _git("cat-file", "--batch", stdin="\n".join(missing).encode())
        for blob in missing:
            header, _, said = said.partition(b"\n")
            size = int(header.split()[2])
            self._texts[blob], said = said[:size], said[size + 1 :]
            self._md5s[blob] = hashlib.md5(self._texts[blob]).hexdigest()


def _git(*arguments: str, stdin: bytes = b"") -> bytes:
    """What a git command prints; a UserError where it fails."""
    try:
        done = subprocess.run(["git", *arguments], input=stdin, capture_output=True, check=True)
    except FileNotFoundError:
        raise UserError(
            "git, which knows the branches, is not installed here: install it"
        ) from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.decode(errors="replace").split())
        raise UserError(
            f"`git {' '.join(arguments)}` failed ({reason}): put that right, and clean again"
        ) from None
    return done.stdout
