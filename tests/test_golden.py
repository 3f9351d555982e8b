import copy
import os
import subprocess
import sys
from ast import literal_eval

import pytest
import torch

from convscope.base import kernels
from tests import golden, projects

REGENERATE = "if that is meant: python -m tests.golden, and commit tests/golden.json"


@pytest.fixture(scope="module")
def now():
    return golden.measure()


@pytest.fixture(scope="module")
def natively():
    """The environment and the numbers of a process that computes by native kernels."""
    code = "import gc; gc.disable()\n"  # a fifth of the time
    code += "from tests.golden import environment, measure; print([environment(), measure()])"
    environment = {**os.environ, "CONVSCOPE_KERNELS": kernels.NATIVE}
    command = [sys.executable, "-c", code]
    return literal_eval(
        subprocess.check_output(command, cwd=projects.ROOT, env=environment, text=True)
    )


@pytest.mark.parametrize("kind", [kernels.PORTABLE, kernels.NATIVE])
def test_the_numbers_are_the_committed_ones(kind, request):
    here, now = golden.environment(), request.getfixturevalue("now")
    if kind == kernels.NATIVE:
        here, now = request.getfixturevalue("natively")
    entry = golden.nearest(golden.entries(), here)
    if others := golden.differing(entry["environment"], here):
        drifted = "; ".join(golden.drifted(entry["measured"], now))
        assert not drifted, f"the numbers changed: {drifted}; {REGENERATE}"
        pytest.skip(f"numbers agree roughly; bits are not compared here: {', '.join(others)}")
    changed = "; ".join(golden.changed(entry["measured"], now))
    assert not changed, f"the numbers changed: {changed}; {REGENERATE}"


def test_measuring_twice_gives_the_same_and_leaves_torch_as_it_was(now):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    assert golden.measure() == now
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_changes_of_a_bit_and_of_a_number_are_told_apart_and_what_is_gone_is_told(now):
    other = copy.deepcopy(now)
    other["figure"]["sha256"] = "0" * 64
    other["atlas counts"] = {"sha256": "1" * 64, "numbers": [99.0]}
    assert not list(golden.changed(now, now))
    bits, counts = sorted(golden.changed(now, other), reverse=True)
    assert bits == "figure (in its last bits)"
    assert counts.startswith("atlas counts (was ")
    assert counts.endswith("is 99)")
    assert list(golden.drifted(now, other)) == [counts]
    del other["figure"], other["atlas counts"]
    gone = [line.split(" (")[0] for line in golden.changed(now, other)]
    assert gone == ["atlas counts", "figure"]


def test_the_nearest_environment_is_compared_with():
    here = {"torch": "2", "python": "3.11"}
    far = {"environment": {"torch": "1", "python": "3.12"}}
    near = {"environment": {"torch": "2", "python": "3.12"}}
    assert golden.nearest([far, near], here) is near
    assert golden.differing(near["environment"], here) == ["python 3.11, not 3.12"]
