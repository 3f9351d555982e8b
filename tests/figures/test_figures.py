import subprocess
import sys
import threading
from pathlib import Path

import pytest

from convscope import cli, figures

STAGES = [stage.replace("-", "_") for stage in cli.STAGES if stage != "baseline"]
LIGHT = f"""
import gc, importlib, sys
gc.disable()
for stage in {STAGES}:
    importlib.import_module(f"convscope.stages.{{stage}}")
assert "torch" in sys.modules
assert not {{"matplotlib", "scipy"}} & {{*sys.modules}}
from convscope import figures
assert figures.dots.best_runs
assert "matplotlib" in sys.modules
"""


def test_a_stage_does_not_wait_for_matplotlib_before_it_computes():
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


def test_every_module_can_be_asked_for():
    files = Path(figures.__file__).parent.glob("[a-z]*.py")
    assert sorted(path.stem for path in files) == figures.__all__
    for name in figures.__all__:
        assert figures.__getattr__(name) is sys.modules[f"convscope.figures.{name}"]
    with pytest.raises(AttributeError, match="no attribute 'pies'"):
        _ = figures.pies


def test_who_asks_while_a_thread_imports_waits_for_it(monkeypatch):
    begun, go_on, imported = threading.Event(), threading.Event(), []

    def slow(name):
        begun.set()
        go_on.wait(60)
        imported.append(name.rpartition(".")[2])

    monkeypatch.setattr(figures.importlib, "import_module", slow)
    figures.get_ready()
    assert begun.wait(60)
    asking = threading.Thread(target=figures.__getattr__, args=("dots",))
    asking.start()
    asking.join(0.1)
    assert imported == []
    go_on.set()
    asking.join(60)
    assert imported == [*figures.__all__, "dots"]


def test_a_failed_import_is_told_to_who_draws(monkeypatch):
    def broken(name):
        raise ImportError(f"cannot import {name}")

    monkeypatch.setattr(figures.importlib, "import_module", broken)
    figures._import_all()
    with pytest.raises(ImportError, match=r"cannot import convscope\.figures\.dots"):
        figures.__getattr__("dots")
