import importlib
import os
import sys

import pytest

from convscope.base import files, inputs
from convscope.base.errors import UserError


@pytest.fixture
def package(here, monkeypatch):
    """A package whose code is followed: a module that is imported, one that is not, a template."""
    monkeypatch.setattr(inputs, "PACKAGE", here)
    for name in ("imported_here.py", "not_imported.py", "page.jinja"):
        (here / name).write_text("a = 1\n")
    monkeypatch.syspath_prepend(here)
    yield here
    sys.modules.pop("imported_here", None)


def refusal(name):
    return pytest.raises(UserError, match=rf"^.*{name} was changed while the stage ran: .*run it")


def test_what_was_read_and_is_still_there_passes(package):
    files.write_json(package / "a.json", 1)
    with inputs.followed():
        files.read_json(package / "a.json", "a stage")
        files.write_json(package / "b.json", 2)
        inputs.require_unchanged()


@pytest.mark.parametrize("change", ["rewritten", "another", "gone", "changed in place"])
def test_a_file_that_was_changed_after_it_was_read_is_named(change, package):
    path = package / "a.json"
    files.write_json(path, 1)
    os.utime(path, ns=(0, 0))
    with inputs.followed():
        files.read_json(path, "a stage")
        if change == "gone":
            path.unlink()
        elif change == "another":
            files.write_json(path, 22)
        else:
            path.write_text("1\n" if change == "rewritten" else "2\n")
        with refusal("a.json"):
            inputs.require_unchanged()


def test_the_first_reading_counts_and_a_file_in_the_making_does_not(package):
    made = ("a.json", ".new.partial/b.json", ".convscope/runs/c/c.json")
    for name in made:
        files.write_json(package / name, 1)
    with inputs.followed():
        for name in made:
            files.read_json(package / name, "a stage")
        for name in made[1:]:
            (package / name).unlink()
        inputs.require_unchanged()
        files.write_json(package / "a.json", 2)
        files.read_json(package / "a.json", "a stage")
        with refusal("a.json"):
            inputs.require_unchanged()


@pytest.mark.parametrize("name", ["imported_here.py", "page.jinja"])
def test_code_that_was_changed_is_named_and_the_same_code_again_is_not(name, package):
    with inputs.followed():
        importlib.import_module("imported_here")
        (package / "not_imported.py").write_text("a = 2\n")
        (package / name).write_text("a = 1\n")
        inputs.require_unchanged()
        (package / name).write_text("a = 2\n")
        with refusal(name):
            inputs.require_unchanged()
        (package / name).unlink()
        with refusal(name):
            inputs.require_unchanged()


def test_nothing_is_followed_outside(package):
    with inputs.followed():
        pass
    files.write_json(package / "a.json", 1)
    files.read_json(package / "a.json", "a stage")
    files.write_json(package / "a.json", 2)
    inputs.require_unchanged()
