"""Lines about data sets, trained networks and finished stages."""

from pathlib import Path

from convscope.base import consistency, files, inputs, paths
from convscope.base.report_folder import Finished, MadeFrom
from convscope.data import datasets
from convscope.nets import trained, zoo
from convscope.report.document import page
from convscope.stages import download, evaluate, keep
from convscope.study.claims import record, rule
from convscope.tracking import finished
from tests import toys
from tests.base import test_consistency as stages
from tests.remedies.row import Row, each, instead, nothing, remove, write
from tests.stages.conftest import save
from tests.stages.test_keep import FILES
from tests.tracking.conftest import Project

REPORTS, KEPT = Path("reports"), Path("docs/kept")
DATASET, RUN = toys.red_or_blue(), toys.run()
NETWORK = zoo.build(RUN.net, **RUN.point)


def made(**changes):
    """Finished stages; ``changes`` of what some were made from."""
    return lambda _: stages.write(REPORTS, **changes)


def consistent():
    consistency.require_consistent(REPORTS)


def from_here():
    source = MadeFrom("d", {"net4": "b"})
    consistency.require_made_from([Finished(REPORTS, "occlusion")], source)


def dataset():
    return datasets.load(paths.DATASET)


def made_anew(_):
    """Do as a missing data set's line says."""
    download.run()


def network(data=DATASET):
    """A trained net1, on this data set."""

    def do(_):
        save(RUN, NETWORK, data)
        datasets.save(DATASET, paths.DATASET)

    return do


def best():
    return trained.load_best(paths.models_of("net1"), DATASET.fingerprint)


def stage():
    """A stage during which a user edits a file, if he is at it."""
    with inputs.followed():
        files.read_json(Path("a.json"), "a stage")
        if Path("editor").exists():
            Path("a.json").write_text("[2]")
        inputs.require_unchanged()


def published():
    return finished.fingerprint(Path(), "occlusion")


def points():
    return finished.read_stage(Path(), "train@net1")


def project(*away, **changes):
    """Two finished stages, less some files, with changes."""

    def do(_):
        made = Project(Path())
        for name in away:
            (made.root / name).unlink()
        for name, content in changes.items():
            made.write(f"reports/{name}/made_from.json".replace("__", "/"), content)

    return do


def kept(**changes):
    """What a finished pipeline leaves, with these parameters."""

    def do(_):
        for name, text in FILES.items():
            write(name, text)(_)
        write("reports/download/params.json", {"data": {"source": "digits"} | changes})(_)
        write("reports/download/made_from.json", {"data": "d"})(_)

    return do


def keeps(folder=KEPT):
    return lambda: keep.keep(Path(), folder)


def status(code, said="{}", refused=""):
    """A dvc.lock, and what ``dvc status`` says of it."""

    def do(patch):
        Path("dvc.lock").write_text("")
        done = keep.subprocess.CompletedProcess([], code, said, refused)
        patch.setattr(keep.subprocess, "run", lambda *_, **__: done)

    return do


def ruled(check):
    """Make a rule of a check, whose docstring states it."""
    return lambda: rule.rule(1, "net1")(check)


def claims():
    return record.read(Path("claims.json"))


MADE = "(or `dvc repro`)"
CLAIMS = write("claims.json", {"data": "digits", "claims": [{"number": 1, "verdict": "holds"}]})

ROWS = [
    Row(
        "base/files.missing",
        f"data/dataset.safetensors is missing: run `convscope download` {MADE} to make it",
        dataset,
        nothing,
        made_anew,
    ),
    Row(
        "base/files.damaged",
        f"data/dataset.safetensors is damaged (…): delete it and run `convscope download` {MADE}",
        dataset,
        write(paths.DATASET, b"cut"),
        each(remove(paths.DATASET), made_anew),
    ),
    Row(
        "base/files.damaged",
        "data/dataset.safetensors is damaged (it is a folder): delete it and run `convscope "
        f"download` {MADE}",
        dataset,
        lambda _: paths.DATASET.mkdir(parents=True),
        each(lambda _: paths.DATASET.rmdir(), made_anew),
    ),
    Row(
        "base/consistency._outdated",
        "reports/evaluate was not made from what is in reports/download now: run `convscope "
        f"evaluate` {MADE}",
        consistent,
        made(evaluate={"data": "e"}),
        made(),
    ),
    Row(
        "base/consistency.require_made_from",
        "reports/occlusion was not made from the data set and the model that are here now: run "
        f"`convscope occlusion` {MADE}",
        from_here,
        made(occlusion={"runs": {"net4": "c"}}),
        made(),
    ),
    Row(
        "base/inputs.require_unchanged",
        "a.json was changed while the stage ran: its outputs are of what was there before, and "
        "are not recorded; run it again (finished training runs are kept)",
        stage,
        each(write("a.json", [1]), write("editor", "")),
        remove("editor"),
    ),
    Row(
        "base/report_folder.Finished.require",
        f"reports/evaluate is missing: run `convscope evaluate` {MADE}",
        lambda: Finished(REPORTS, "evaluate").require(),
        nothing,
        made(),
    ),
    Row(
        "nets/trained.load_best",
        "models/net1 was trained on another data set than the one that is here: run `convscope "
        f"train net1` {MADE}",
        best,
        network(toys.red_or_blue(42)),
        network(),
    ),
    Row(
        "report/document/page._nets",
        f"reports/train has no network: run `convscope train net1` {MADE} before the report",
        lambda: page._nets(REPORTS),
        nothing,
        made(),
    ),
    Row(
        "stages/evaluate._load",
        "models has no trained network: run `convscope train net1`",
        lambda: evaluate._load(DATASET.fingerprint),
        nothing,
        network(),
    ),
    Row(
        "stages/keep.keep",
        "reports/report.md is missing: run `dvc repro` first",
        keeps(),
        each(kept(), remove("reports/report.md")),
        kept(),
    ),
    Row(
        "stages/keep._require_own_folder",
        "docs/kept is a link or leads upwards: name the folder itself",
        keeps(),
        each(kept(), lambda _: KEPT.parent.mkdir(), lambda _: KEPT.symlink_to("own")),
        instead(keeps(Path("docs/own"))),
    ),
    Row(
        "stages/keep._require_own_folder 2",
        "reports/kept is among the results: name a folder outside reports/",
        keeps(REPORTS / "kept"),
        kept(),
        instead(keeps()),
    ),
    Row(
        "stages/keep._require_own_folder 3",
        "docs/kept is not a folder that `convscope keep` made: name another",
        keeps(),
        each(kept(), write(KEPT / "thesis.tex", "")),
        instead(keeps(Path("docs/other"))),
    ),
    Row(
        "stages/keep._require_same_params",
        "params.yaml: data.source is not what stage download ran with: run `dvc repro` first",
        keeps(),
        kept(source="cifar10"),
        kept(),
    ),
    Row(
        "stages/keep._require_recorded",
        "`dvc status` failed (ERROR: locked): put that right, and keep again",
        keeps(),
        each(kept(), status(1, "", "ERROR:\n locked")),
        status(0),
    ),
    Row(
        "stages/keep._require_recorded 2",
        "dvc.lock does not record the results of train@net1 that are here: run `dvc repro`, or "
        "for results that were made by hand `dvc commit -f`",
        keeps(),
        each(kept(), status(0, '{"train@net1": []}')),
        status(0),
    ),
    Row(
        "study/claims/rule.rule.decorate",
        "docstrings state the claims: run Python without -OO, and unset PYTHONOPTIMIZE",
        ruled(lambda _: None),
        nothing,
        instead(ruled(ruled)),
    ),
    Row(
        "study/claims/record.read",
        "claims.json is missing: give a claims.json that the report made",
        claims,
        nothing,
        CLAIMS,
    ),
    Row(
        "study/claims/record.read 2",
        "claims.json is not a claims.json that the report made (KeyError: 'claims'): give "
        "another file",
        claims,
        write("claims.json", {}),
        CLAIMS,
    ),
    Row(
        "tracking/finished.fingerprint",
        "stage occlusion has not finished: reports/occlusion/metrics.json is missing: run `dvc "
        "repro`",
        published,
        project("reports/occlusion/metrics.json"),
        project(),
    ),
    Row(
        "tracking/finished._with_points",
        "reports/train/net1 was not made from what is in models/net1 now: run `convscope train "
        f"net1` {MADE}",
        points,
        project(train__net1={"data": "d", "runs": {"net1": "point-0.01"}}),
        project(),
    ),
]
