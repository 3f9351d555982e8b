import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests import projects, toys
from tests.stages import pipelines
from tests.training.toy_runs import cached, cut

from convscope import cli
from convscope.base import files, locks, paths
from convscope.config import params_file
from convscope.data import datasets
from convscope.stages import clean, pipeline
from convscope.training import grid, plan

AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")


def git(*arguments):
    return subprocess.run(["git", *AUTHOR, *arguments], check=True, capture_output=True, text=True)


def commit():
    git("add", "-A")
    git("commit", "-qm", "a state", "--allow-empty")


def params(**net1):
    """Parameters whose only grid is net1's, with this changed."""
    content = projects.one_run(**net1)
    content["nets"] = {"net1": content["nets"]["net1"]}
    content["analysis"]["net"] = "net1"
    for stage in ("filter_ablation", "filter_identify"):
        content[stage]["filters"] = 1
    pipelines.params(content)


def kept(**point):
    """A finished run in the store, as far as cleaning reads it; its fingerprint."""
    (run,) = plan.runs(params_file.load(), "net1", datasets.load(paths.DATASET))
    return stored(replace(run, point=run.point | point))


def stored(run):
    document = {"net": run.net, "point": run.point, "fingerprint": run.fingerprint}
    files.write_json(grid.store_folder(run) / paths.RUN, document)
    (grid.store_folder(run) / paths.WEIGHTS).write_bytes(bytes(1000))
    return run.fingerprint


def lock(*runs):
    """Record in dvc.lock a model folder of these runs, which DVC's cache has."""
    listed = [
        {
            "md5": cached(json.dumps({"fingerprint": run}).encode()),
            "relpath": f"runs/{run}/{paths.RUN}",
        }
        for run in runs
    ]
    pipelines.lock(**{"train@net1": cached(json.dumps(listed).encode(), ".dir")})


def left():
    return {path.name for path in paths.KEPT_RUNS.iterdir()}


@pytest.fixture(autouse=True)
def _project(here):
    """A repository whose params.yaml has one run of net1; nothing is committed."""
    pipelines.write()
    datasets.save(toys.red_or_blue(), paths.DATASET)
    params(l1_oc=[4])
    files.write_text(here / ".gitignore", "/data\n/models\n/.convscope\n/.dvc\n")
    git("init", "-q", "-b", "main")
    pipelines.lock()
    commit()


def test_a_run_that_nothing_refers_to_is_dropped_and_nothing_else(capsys):
    here, other = kept(), kept(l1_oc=5)
    before = projects.contents(Path())
    assert cli.main(["clean", "--dry-run"]) == 0
    assert projects.contents(Path()) == before
    shown, total = capsys.readouterr().out.splitlines()
    assert shown.startswith("net1  lr=0.01 batch_size=16 momentum=0.9 l1_oc=5 ")
    assert shown.endswith(": 1.3 kB")
    assert total == "1 of 2 finished runs would be dropped: 1.3 kB"

    assert cli.main(["clean"]) == 0
    assert left() == {here}
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 2 finished runs dropped: 1.3 kB"
    gone = {path for path in before if other in path}
    locks_made = {path for path in projects.contents(Path()) if "/locks/" in path}
    assert set(projects.contents(Path())) - locks_made == set(before) - gone
    assert clean.clean(dry_run=False) == ["0 of 1 finished runs dropped: 0 bytes"]


@pytest.mark.parametrize(
    "keep",
    [
        ("branch", "other"),
        ("tag", "mine"),
        ("update-ref", "refs/remotes/origin/theirs", "HEAD"),
        ("update-ref", "refs/exps/ab/cdef/late-ibis", "HEAD"),
    ],
    ids=["branch", "tag", "remote", "experiment"],
)
@pytest.mark.parametrize("known", [True, False], ids=["in DVC's cache", "not in DVC's cache"])
def test_what_git_keeps_refers_to_its_runs(keep, known):
    params(l1_oc=[5])
    theirs = kept()
    lock(theirs) if known else pipelines.lock()
    commit()
    git(*keep)
    git("reset", "-q", "--hard", "HEAD~1")
    assert len({kept(), kept(l1_oc=6), theirs}) == 3
    clean.clean(dry_run=False)
    assert left() == {kept(), theirs}
    if keep[0] == "branch":
        git("branch", "-D", "other")
        clean.clean(dry_run=False)
        assert left() == {kept()}


def test_of_a_state_in_dvcs_cache_runs_that_other_code_trained_are_dropped():
    lock(kept())
    commit()
    earlier = stored(replace(run_here(), data="other data"))
    clean.clean(dry_run=False)
    assert left() == {kept()}
    # where the code has moved on since dvc.lock was written, that cannot be told
    stored(replace(run_here(), data="other data"))
    Path("src/training.py").write_text("moved on")
    commit()
    clean.clean(dry_run=False)
    assert left() == {kept(), earlier}


def run_here():
    (run,) = plan.runs(params_file.load(), "net1", datasets.load(paths.DATASET))
    return run


def test_what_was_set_aside_is_kept():
    for width in (5, 6):
        params(l1_oc=[width])
        kept()
        git("stash")
    kept(l1_oc=7)
    clean.clean(dry_run=False)
    assert left() == {kept(l1_oc=5), kept(l1_oc=6)}


def test_models_that_are_here_and_dvc_lock_refer_to_runs_too():
    lock(kept(l1_oc=5))
    model = kept(l1_oc=6)
    files.write_json(Path(f"models/net1/runs/a/{paths.RUN}"), {"fingerprint": model})
    files.write_text(Path(f"models/net1/runs/b/{paths.RUN}"), "{")
    kept(l1_oc=7)
    clean.clean(dry_run=False)
    assert left() == {kept(l1_oc=5), model}


def test_without_the_data_set_every_run_of_the_grids_points_stays():
    here, other = kept(), kept(l1_oc=5)
    shutil.rmtree("data")
    clean.clean(dry_run=False)
    assert left() == {here}
    assert here != other


def test_a_grids_own_seeds_and_numbers_in_any_notation_count():
    text = Path("params.yaml").read_text()
    edited = text.replace("    lr:\n    - 0.01\n", "    seeds: [7]\n    lr: [1e-2]\n")
    assert edited != text
    seventh, other = kept(seed=7), kept()
    Path("params.yaml").write_text(edited)
    commit()
    git("branch", "other")
    git("reset", "-q", "--hard", "HEAD~1")
    params(l1_oc=[9])
    commit()
    assert clean.clean(dry_run=False)[-1].startswith("1 of 2")
    assert left() == {seventh}
    assert seventh != other


def test_without_git_only_this_folder_refers_to_runs():
    shutil.rmtree(".git")
    kept(l1_oc=5)
    clean.clean(dry_run=False)
    assert left() == set()


def test_unfinished_and_unknown_folders_stay():
    folder = grid.store_folder(toys.run(epochs=3))
    cut(toys.run(epochs=3), 1, folder)
    (paths.KEPT_RUNS / "mine").mkdir()
    files.write_json(paths.KEPT_RUNS / "renamed" / paths.RUN, {"fingerprint": "other", **POINTLESS})
    assert clean.clean(dry_run=False) == [
        "0 of 0 finished runs dropped: 0 bytes",
        "3 unfinished stay: which they are cannot be told",
    ]
    assert left() == {folder.name, "mine", "renamed"}


POINTLESS = {"net": "net1", "point": {}}


def test_while_a_grid_is_trained_nothing_is_dropped():
    other = kept(l1_oc=5)
    with locks.stage_lock("train@net3"):
        message = toys.refusal(lambda: clean.clean(dry_run=False))
        assert clean.clean(dry_run=True)[-1].startswith("1 of 1")
    assert message == (
        "another process works on train@net3: run the same command when it has ended"
    )
    assert left() == {other}
    clean.clean(dry_run=False)
    assert left() == set()


def test_a_commit_that_cannot_be_read_is_named_and_nothing_is_dropped():
    other = kept(l1_oc=5)
    git("checkout", "-qb", "broken")
    pipeline.PIPELINE.write_text("stages: [")
    commit()
    git("checkout", "-q", "main")
    message = toys.refusal(lambda: clean.clean(dry_run=False))
    assert "cannot be read" in message
    assert "`git for-each-ref --points-at" in message
    assert left() == {other}


def test_a_commit_without_the_project_refers_to_nothing():
    git("checkout", "-q", "--orphan", "pages")
    git("rm", "-rqf", ".")
    files.write_text(Path("index.html"), "")
    git("add", "index.html")
    git("commit", "-qm", "pages")
    git("checkout", "-q", "main")
    kept(l1_oc=5)
    clean.clean(dry_run=False)
    assert left() == set()
