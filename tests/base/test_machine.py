import platform

import pytest
import torch

from convscope.base import machine


@pytest.fixture
def cpuinfo(tmp_path, monkeypatch):
    """The file in which the system lists its processors; it is not there yet."""
    monkeypatch.setattr(machine, "_LISTING", tmp_path / "cpuinfo")
    return tmp_path / "cpuinfo"


def test_the_processor_is_named_as_the_system_names_it(cpuinfo):
    cpuinfo.write_text("processor\t: 0\nmodel name\t: A Chip: 9000\nmodel name\t: Another\n")
    assert machine.processor() == "A Chip: 9000"


@pytest.mark.usefixtures("cpuinfo")
def test_without_a_listing_the_architecture_has_to_do(monkeypatch):
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine.processor() == platform.machine()


@pytest.mark.parametrize(
    ("listing", "kernels", "computes"),
    [
        ("flags\t\t: avx2\n", False, False),
        ("flags\t\t: avx2 avx512f avx512bw avx512vl avx512dq\n", True, False),
        ("flags\t\t: avx2 avx512f avx512_bf16\n", True, True),
        ("flags\t\t: avx2 avx512f amx_bf16\n", True, True),
        ("flags\t\t: avx2 avx_ne_convert\n", True, True),
        ("flags\t\t: avx512_bf16\n", False, False),
        ("Features\t: asimd bf16\n", True, True),
        ("Features\t: asimd\n", False, False),
    ],
)
def test_a_processor_computes_in_bf16_if_it_has_kernels_and_instructions(
    listing, kernels, computes, cpuinfo, monkeypatch
):
    cpuinfo.write_text(listing)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: kernels)
    assert machine.computes_in_bf16() == computes


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_that_emulates_bf16_does_not_compute_in_it(native, monkeypatch):
    def supported(including_emulation=True):
        return including_emulation or native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert machine.computes_in_bf16("cuda") == native


@pytest.mark.parametrize(
    ("precision", "device", "has_bf16", "warned"),
    [
        ("bf16", "cpu", False, "processor"),
        ("bf16", "cpu", True, None),
        ("bf16", "cuda", False, "GPU"),
        ("fp32", "cpu", False, None),
    ],
)
def test_emulated_precision_is_warned_of(precision, device, has_bf16, warned, monkeypatch, capsys):
    monkeypatch.setattr(machine, "computes_in_bf16", lambda _: has_bf16)
    machine.warn_of_emulation("train@net1", precision, device)
    line = (
        f"convscope: train@net1: this {warned} does not compute in bf16; torch emulates it, "
        "several times slower than fp32: set train.precision to fp32 in params.yaml\n"
    )
    assert capsys.readouterr().err == (line if warned else "")


@pytest.mark.parametrize(
    ("architecture", "listing", "kind", "avx2"),
    [
        (
            "x86_64",
            "vendor_id\t: AuthenticAMD\nflags\t\t: sse avx2 fma avx512f\n",
            "x86_64, AuthenticAMD, avx2 avx512f fma",
            True,
        ),
        ("x86_64", "flags\t\t: avx2\n", "x86_64, unknown make, avx2", False),
        (
            "aarch64",
            "CPU implementer\t: 0x41\nFeatures\t: fp asimd\n",
            "aarch64, 0x41, asimd",
            False,
        ),
    ],
)
def test_a_kind_of_processor_is_what_libraries_choose_by(
    architecture, listing, kind, avx2, cpuinfo, monkeypatch
):
    monkeypatch.setattr(platform, "machine", lambda: architecture)
    cpuinfo.write_text(listing)
    assert machine.kind() == kind
    assert machine.has_avx2() == avx2
