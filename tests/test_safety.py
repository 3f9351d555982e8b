"""Safe by default: nothing keeps a secret or runs what it reads."""

import ast
import shutil
from functools import cache
from pathlib import Path

import pytest
import torch

from convscope import cli
from convscope.base.errors import UserError
from convscope.base.paths import WEIGHTS
from convscope.base.tensors import read_tensors
from convscope.tracking import failures
from tests import projects, toys

PACKAGE = projects.ROOT / "src/convscope"
SECRET = "hunter2-tracking"
# each of them runs what the bytes say, or hands words to a shell
RUNS_CODE = {
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "torch.load", "joblib.load"),
    *("numpy.load", "np.load", "pd.read_pickle", "marshal.loads", "shelve.open", "dill.load"),
    *("eval", "exec", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"),
}


@cache
def sources():
    """All nodes of the syntax trees of the package, by module."""
    return {
        str(path.relative_to(PACKAGE)): list(ast.walk(ast.parse(path.read_text())))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def dotted(node):
    """A called name, such as ``torch.load``; nothing for what is not a plain name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def test_nothing_that_is_read_can_run_code():
    found = {
        f"{name}: {dotted(node.func)}"
        for name, nodes in sources().items()
        for node in nodes
        if isinstance(node, ast.Call)
        if dotted(node.func) in RUNS_CODE
        or any(k.arg == "shell" and getattr(k.value, "value", True) for k in node.keywords)
    }
    assert found == set()


def test_the_only_unpickler_looks_up_no_name_freely():
    subclasses = {
        name: node
        for name, nodes in sources().items()
        for node in nodes
        if isinstance(node, ast.ClassDef) and "pickle.Unpickler" in map(dotted, node.bases)
    }
    assert set(subclasses) == {"data/array_pickle.py"}
    (unpickler,) = subclasses.values()
    assert "find_class" in [getattr(part, "name", "") for part in unpickler.body]


def test_weights_that_are_a_pickle_are_refused_unopened(tmp_path):
    bomb = toys.Gadget(Path.touch, tmp_path / "exploded")
    torch.save({"conv1.weight": bomb}, tmp_path / WEIGHTS)
    with pytest.raises(UserError, match="is damaged"):
        read_tensors(tmp_path / WEIGHTS, "train net1")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("works", [True, False])
def test_a_secret_of_the_environment_is_written_nowhere(
    works, one_run, empty_store, monkeypatch, capfd
):
    monkeypatch.setattr(failures, "_warned", set())
    for name in ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if works:
        shutil.copyfile(empty_store, "mlflow.db")
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:{SECRET}@127.0.0.1:9")
    assert cli.main(["train", "net1"]) == 0
    assert cli.main(["publish"]) == (0 if works else 2)
    assert Path("mlflow.db").exists() == works
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    assert ("not tracked in MLflow" in said) != works
    written = projects.contents(one_run)
    assert len(written) > 10
    assert [name for name, content in written.items() if SECRET.encode() in content] == []
