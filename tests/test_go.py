"""The script for a machine with a GPU, on a machine without one."""

import json
import sys
import tarfile
import time

import pytest
from benchmarks import __main__ as command
from benchmarks import go, gpu_checks
from benchmarks.measuring import Row

from convscope.base import kernels, paths
from tests import toys


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setattr(go, "WORK", tmp_path / "work")
    return tmp_path / "work"


def test_stages_run_in_order_until_one_fails_and_all_that_is_there_comes_back(
    tmp_path, monkeypatch, work
):
    begun = []

    def stage(what, seconds, environment):
        begun.append((" ".join(what), environment["CONVSCOPE_WORKERS"], seconds > 0))
        return go.FAILED if what == ["evaluate"] else go.FINISHED

    monkeypatch.setattr(go, "_stage", stage)
    assert go.run(30, tmp_path / "out", quick=True) == 0
    nets = [("train net4", "2", True), ("train net1", "8", True), ("baseline", "6", True)]
    assert begun == [("download", "1", True), *nets, ("evaluate", "1", True)]
    params = json.loads((work / "params.yaml").read_text())
    assert params["kernels"] == kernels.held()
    report = (tmp_path / "out" / "report.txt").read_text()
    assert "recorded steps give the bytes of launched ones" in report
    assert "not measured: no CUDA device here" in report
    assert "train net4: finished after" in report
    assert "evaluate: failed, as it says above after" in report
    listed = (tmp_path / "out" / "kernels.txt").read_text()
    assert listed.count("convolution_backward") >= 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("report.txt", "kernels.txt", "study.tar.gz")
    }


def test_nothing_is_trained_where_a_check_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_checks, "checks", lambda _: iter([Row("a check", met=False)]))
    monkeypatch.setattr(go, "_stage", lambda *_: pytest.fail("trained"))
    assert go.run(30, tmp_path / "out", quick=True) == 1
    assert "a check" in (tmp_path / "out" / "report.txt").read_text()


def test_augmentation_that_differs_is_found(monkeypatch):
    apply, calls = gpu_checks.augment.apply, []

    def wrong(images, draws):
        calls.append(len(images))  # toys are tested by it too, in smaller batches
        return apply(images, draws) + 0.1 * (calls[-1] == 64 and calls.count(64) == 1)

    monkeypatch.setattr(gpu_checks.augment, "apply", wrong)
    rows = list(gpu_checks.checks(toys.torch.device("cpu")))
    assert [row.met for row in rows] == [None, False, True]


def test_a_stage_is_interrupted_when_time_is_up(tmp_path, work, monkeypatch):
    work.mkdir()
    package = tmp_path / "src" / "convscope"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr(go, "ROOT", tmp_path)
    began = time.monotonic()
    assert go._stage(["train", "net4"], 1, {}) == go.CUT
    assert time.monotonic() - began < 60


def test_weights_come_back_to_the_byte_and_smaller():
    weights = toys.torch.randn(10_000, generator=toys.torch.Generator().manual_seed(0))
    for content in (weights.numpy().tobytes(), b"", b"abc", weights.numpy().tobytes() + b"xyz"):
        assert go.unpacked(go.packed(content)) == content
    assert len(go.packed(weights.numpy().tobytes())) < 0.92 * 40_000


def test_of_weights_the_most_important_fit(tmp_path, monkeypatch):
    for net in ("net4", "net2"):
        folder = tmp_path / paths.models_of(net)
        (folder / "runs" / "one").mkdir(parents=True)
        (folder / paths.BEST).write_text('{"id": "one"}')
        (folder / "runs" / "one" / paths.WEIGHTS).write_bytes(toys.noise(4).numpy().tobytes())
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(go, "LIMIT", 20_000)
    go.pack(tmp_path, out)
    assert {path.name for path in out.iterdir()} == {"study.tar.gz", "net4-one.xz"}
    with tarfile.open(out / "study.tar.gz") as tar:
        assert sorted(tar.getnames()) == ["models/net2/best.json", "models/net4/best.json"]


def test_it_is_asked_for_with_the_study(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        command.main(["atlas", "--go"])
    assert "--go is for study" in capsys.readouterr().err
    monkeypatch.setattr(go, "run", lambda minutes, out, quick: (minutes, out.name, quick))
    assert command.main(["study", "--go", "--minutes", "3", "--out", "x"]) == (3.0, "x", False)
    assert sys.modules["benchmarks.go"] is go
