import platform

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
