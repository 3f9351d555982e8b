import platform
from pathlib import Path

import pytest

from convscope import machine


def test_the_processor_is_named_as_the_system_names_it(tmp_path, monkeypatch):
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nmodel name\t: A Chip: 9000\nmodel name\t: Another\n")
    monkeypatch.setattr(machine, "_LISTING", listing)
    assert machine.processor() == "A Chip: 9000"


def test_without_a_listing_the_architecture_has_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_LISTING", tmp_path / "none")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine.processor() == platform.machine()


def test_torch_says_whether_the_processor_computes_in_bf16():
    listing = Path("/proc/cpuinfo")
    flags = set(listing.read_text().split()) if listing.is_file() else set()
    without = "avx2" in flags and not any(flag.startswith("avx512") for flag in flags)
    if not without and "avx512_bf16" not in flags:
        pytest.skip("what this processor computes in cannot be read here")
    assert machine.computes_in_bf16() != without
