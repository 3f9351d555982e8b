"""A small pipeline as files: a data set, a network's grid, and what is made of it."""

from pathlib import Path

import yaml

from convscope.base import files
from convscope.stages import pipeline

PIPELINE = """
stages:
  download: {cmd: convscope download, deps: [src/data], params: [data], outs: [data/set]}
  train:
    foreach: [net1]
    do:
      cmd: convscope train ${item}
      deps: [data/set, src/training.py]
      params: [kernels, train, 'nets.${item}']
      outs: ['models/${item}']
  occlusion:
    cmd: convscope occlusion
    deps: ['models/${analysis.net}']
    params: [analysis]
    outs: [reports/occlusion]
"""
PARAMS = {
    "data": {"source": "digits"},
    "kernels": "portable",
    "train": {"seeds": [0], "select_on": "test"},
    "nets": {"net1": {"epochs": 8, "l1_oc": [4, 6], "kernel_size": [3, 5]}},
    "analysis": {"net": "net1"},
}


def write():
    """Leave the pipeline's files in the current folder as it is when all has run."""
    files.write_text(pipeline.PIPELINE, PIPELINE)
    params(PARAMS)
    for path in ("src/data/a.py", "src/data/sub/b.py", "src/training.py", "data/set"):
        files.write_text(Path(path), path)
    for path in ("models/net1/best.json", "reports/occlusion/metrics.json"):
        files.write_text(Path(path), "{}")
    lock()


def params(content):
    files.write_text(Path("params.yaml"), yaml.safe_dump(content))


def lock(**more):
    """Record in dvc.lock what the sources and the parameters are; ``more`` are outputs' hashes."""
    state = pipeline.here()
    stages = {
        stage.name: {
            "cmd": stage.command,
            "deps": [{"path": dep, "md5": state._md5(dep)} for dep in stage.deps],
            "params": {
                "params.yaml": {key: pipeline.value_at(state.params, key) for key in stage.params}
            },
            "outs": [{"path": out, "md5": more.get(stage.name, "")} for out in stage.outs],
        }
        for stage in state.stages
    }
    files.write_text(pipeline.LOCK, yaml.safe_dump({"schema": "2.0", "stages": stages}))
