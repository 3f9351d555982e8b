"""A checkout on Windows, where git writes other line ends unless it is told not to."""

import subprocess

from convscope.training import code_hash
from tests import projects

CODE = '''
"""Words."""

def double(number):
    """Words."""
    text = """a
b"""
    return 2 * number, text
'''


def test_a_checkout_has_the_same_bytes(tmp_path):
    project = projects.copied(tmp_path / "project", results=True)
    clone = tmp_path / "clone"
    windows = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    command = ["git", *windows, "clone", "--quiet", str(project.folder), str(clone)]
    subprocess.run(command, check=True)
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=clone, text=True)
    names = listed.strip("\0").split("\0")
    assert "src/convscope/cli.py" in names
    for name in names:
        assert (clone / name).read_bytes() == (project.folder / name).read_bytes(), name


def test_runs_are_reused_by_sources_with_windows_line_ends(tmp_path):
    found = []
    for name, end in (("unix", "\n"), ("windows", "\r\n")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "twice.py").write_bytes(CODE.replace("\n", end).encode())
        found.append(code_hash.code_hash(["mine.twice:double"], folder=folder, package="mine"))
    assert found[0] == found[1]
