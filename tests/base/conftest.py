from types import SimpleNamespace

import pytest

from convscope.base import progress, timings


@pytest.fixture
def clock(monkeypatch):
    """Stands for the module time; it goes on only when a test says so."""
    clock = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now)
    for module in (progress, timings):
        monkeypatch.setattr(module, "time", clock)
    return clock
