"""Lines about git and DVC."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from convscope.comparison import clone, programs
from convscope.stages import clean, dvc_lock, dvc_plots
from tests.comparison import states
from tests.comparison.conftest import DVC, Repository
from tests.remedies.row import Row, command, each, env, instead, nothing, replaced, write
from tests.stages import pipelines, test_clean

OTHER = Path("other")


def in_git(_):
    """A repository with a commit of all that is here."""
    project = Repository(Path())
    project.git("init", "--quiet")
    project.git("add", "--all")
    project.git("commit", "--quiet", "-m", "a state")


def fake(patch):
    """A stand-in for DVC, a project for it, and no git."""
    (program := Path("bin/dvc").absolute()).parent.mkdir()
    program.write_text(DVC)
    program.chmod(0o755)
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join((str(program.parent), beside, os.environ["PATH"]))
    for name in ("PATH", "INSTALLED"):
        patch.setenv(name, path)
    patch.setenv("SEEN", str(Path("../seen").absolute()))
    patch.setattr("tempfile.tempdir", None)
    states.write(Path(), {"params.yaml": states.PARAMS, "dvc.yaml": {}, ".gitignore": "bin\n"})
    states.write(Path("made"), {k: v for k, v in states.files().items() if k != "params.yaml"})


def committed(**files):
    """Another commit, with these files; of None, without them."""

    def do(_):
        for name, content in files.items():
            path = Path(name.replace("__", "."))
            path.unlink(missing_ok=True) if content is None else path.write_text(content)
        Repository(Path()).git("add", "--all")
        Repository(Path()).git("commit", "--quiet", "-m", "another")

    return do


def compare(*arguments):
    return command("compare", *arguments)


def cleaned():
    return clean.clean(dry_run=True)


def small(_):
    """A small pipeline as files."""
    pipelines.write()
    test_clean.params(l1_oc=[4])


def broken(_):
    """A branch that stands at a commit whose pipeline cannot be read."""
    in_git(_)
    git = Repository(Path()).git
    git("checkout", "-qb", "broken")
    committed(dvc__yaml="stages: [")(_)
    git("checkout", "-q", "-")


def ended(code):
    """Let every program end so."""
    done = subprocess.CompletedProcess([], code)
    return replaced(dvc_plots.subprocess, "run", lambda *_, **__: done)


# in the place of a package that needs seconds to bundle what other tests look at
INSTALLED = SimpleNamespace(javascript_bundle=lambda _: "")
NO_PROGRAMS = env(PATH="/nonexistent")
PIPELINE = write("dvc.yaml", "stages: {}")
CONFLICT = "stages:\n<<<<<<< HEAD\n=======\n>>>>>>> other\n"
FAKED = each(fake, in_git)
TAKE = "take a side, such as `git checkout --ours dvc.lock`, and run `dvc repro`"


ROWS = [
    Row(
        "stages/dvc_lock.mend",
        "dvc.yaml is missing: run this in the project's folder",
        dvc_lock.mend,
        nothing,
        each(PIPELINE, in_git),
    ),
    Row(
        "stages/dvc_lock.mend 2",
        "this folder is not in a git repository, which DVC needs: run `git init`",
        dvc_lock.mend,
        PIPELINE,
        lambda _: Repository(Path()).git("init", "--quiet"),
    ),
    Row(
        "stages/dvc_lock._read_lock",
        f"dvc.lock has a merge conflict: {TAKE}",
        dvc_lock.mend,
        each(PIPELINE, in_git, write("dvc.lock", CONFLICT)),
        write("dvc.lock", "stages: {}\n"),
    ),
    Row(
        "stages/dvc_plots.show",
        "`dvc plots diff nowhere` failed with code 1: what it says is above",
        lambda: dvc_plots.show(["nowhere"]),
        each(replaced(dvc_plots, "template", str), ended(1)),
        ended(0),
    ),
    Row(
        "stages/dvc_plots.template",
        "vl-convert-python is not installed: run `make install`, or `dvc plots show`, whose page "
        "needs a network",
        dvc_plots.template,
        lambda patch: patch.setitem(sys.modules, "vl_convert", None),
        lambda patch: patch.setitem(sys.modules, "vl_convert", INSTALLED),
    ),
    Row(
        "stages/references.found",
        "which runs commit … needs cannot be read (…), and no run is dropped: delete the branch, "
        "tag or experiment that stands there (`git for-each-ref --points-at …` names it)",
        cleaned,
        each(small, broken),
        lambda _: Repository(Path()).git("branch", "-qD", "broken"),
    ),
    Row(
        "stages/references._add_this_folder",
        "dvc.yaml cannot be read (…): correct it, or take it back by `git checkout dvc.yaml`",
        cleaned,
        each(small, in_git, write("dvc.yaml", "stages: [\n")),
        lambda _: Repository(Path()).git("checkout", "dvc.yaml"),
    ),
    Row(
        "stages/references._git",
        "git, which knows the branches, is not installed here: install it",
        cleaned,
        each(small, in_git, NO_PROGRAMS),
        lambda patch: patch.setenv("PATH", os.defpath),
    ),
    Row(
        "stages/references._git 2",
        "`git rev-list --no-walk --all` failed (fatal: not a git repository…): put that right, "
        "and clean again",
        cleaned,
        each(small, in_git, lambda _: Path(".git/HEAD").rename("HEAD")),
        lambda _: Path("HEAD").rename(".git/HEAD"),
    ),
    Row(
        "comparison/clone.Clone.__init__",
        "comparing needs a git repository with a commit: run `git init`, `git add --all` and "
        "`git commit` (git says: fatal: not a git repository…)",
        compare("HEAD"),
        fake,
        in_git,
    ),
    Row(
        "comparison/clone.Clone.__init__ 2",
        "comparing needs git 2.31 or later: install that",
        compare("HEAD"),
        each(FAKED, replaced(clone, "git", lambda *_: "--path-format=absolute\n/a\n\nobjects")),
        replaced(clone, "git", programs.git),
    ),
    Row(
        "comparison/clone.Clone.revision",
        "BASE: 'nowhere' is not a commit of this repository: name a commit, a branch or a tag (a "
        "shallow clone lacks the earlier ones: `git fetch --unshallow`)",
        compare("nowhere"),
        FAKED,
        instead(compare("HEAD")),
    ),
    Row(
        "comparison/clone.Clone.run",
        "before HEAD~1 (…) has no dvc.yaml: compare with a later commit",
        compare("HEAD~1"),
        each(FAKED, committed(dvc__yaml=None), committed(dvc__yaml="{}")),
        instead(compare("HEAD")),
    ),
    Row(
        "comparison/clone.Clone.run 2",
        "before HEAD (…) does not run here: `dvc repro` ended with 3 (first | convscope: net1 is "
        "broken): mend it, or compare with another commit",
        compare("HEAD"),
        each(FAKED, committed(fails="")),
        instead(compare("HEAD~1", "--head", "HEAD~1")),
    ),
    Row(
        "comparison/command._require_own",
        "other is a link: name the folder itself",
        compare("HEAD", "--out", "other"),
        each(FAKED, lambda _: OTHER.symlink_to("elsewhere")),
        instead(compare("HEAD", "--out", "elsewhere")),
    ),
    Row(
        "comparison/command._require_own 2",
        "other is not a folder that `convscope compare` made: name another",
        compare("HEAD", "--out", "other"),
        each(FAKED, write(OTHER / "thesis.tex", "")),
        instead(compare("HEAD", "--out", "new")),
    ),
    Row(
        "comparison/programs.said",
        "git is not installed here: install it (comparing needs git and DVC)",
        compare("HEAD"),
        each(FAKED, NO_PROGRAMS),
        lambda patch: patch.setenv("PATH", os.environ["INSTALLED"]),
    ),
    Row(
        "comparison/programs.said 2",
        "`dvc cache dir` failed (ERROR: no): put that right, and compare again",
        lambda: programs.said(["dvc", "cache", "dir"], Path()),
        each(FAKED, write("bin/dvc", "#!/bin/sh\necho ERROR: no >&2\nexit 1\n")),
        write("bin/dvc", DVC),
    ),
]
