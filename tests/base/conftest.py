import pytest

from convscope.base import progress, timings


class Clock:
    """Stands for the module time; it goes on only when a test says so."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (progress, timings):
        monkeypatch.setattr(module, "time", clock)
    return clock
