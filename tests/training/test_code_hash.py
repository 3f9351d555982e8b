"""What a hash of code holds and what it does not, on a small package; and what training's holds."""

import re
import shutil

import grimp
import pytest

from convscope.training import code_hash, run

STEP = '''"""Words."""
from pack.numbers import RATE as rate
from pack import tools

class Step:
    """More words."""
    factor: int = 2

    def take(self, x: float) -> float:
        if x < 0:
            raise ValueError(f"{x} is bad") from None
        return tools.scaled(x) * rate

    def other(self):
        return 1
'''
TOOLS = "import math as m\ndef scaled(x):\n    return m.exp(x)\ndef unused(x):\n    return x\n"


@pytest.fixture
def pack(tmp_path):
    """A function that writes the package anew, with some files changed, and hashes its step."""
    folder = tmp_path / "pack"

    def of(root="step.Step", opaque=(), **changed):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "sub").mkdir(parents=True)
        texts = {"step": STEP, "tools": TOOLS, "numbers": "RATE = 0.5\n"} | changed
        for name, text in texts.items():
            (folder / f"{name.replace('__', '/')}.py").write_text(text)
        return code_hash.code_hash([f"pack.{root}"], opaque, folder, "pack")

    return of


def test_comments_docstrings_layout_and_annotations_do_not_count(pack):
    other = STEP.replace("More words", "Others").replace("x: float) -> float", "x)")
    other = other.replace(
        "return tools.scaled(x) * rate", "return (  # why\n tools.scaled(x) * rate)"
    )
    assert pack(step=other) == pack()


def test_where_code_is_what_it_is_called_and_how_it_is_imported_do_not_count(pack):
    before = pack()
    moved = STEP.replace("pack.numbers import RATE as rate", "pack.sub.pace import PACE")
    moved = moved.replace("* rate", "* PACE").replace("class Step", "class Stride")
    moved = moved.replace("from pack import tools", "import pack.sub.kit as k")
    moved = moved.replace("tools.scaled", "k.scale")
    kit = "def scale(x):\n    from math import exp\n    return exp(x)\n"
    assert pack("walk.Stride", walk=moved, sub__kit=kit, sub__pace="PACE = 0.5\n") == before


@pytest.mark.parametrize(
    ("of", "old", "new"),
    [
        ("step", "* rate", "/ rate"),
        ("step", "factor: int = 2", "factor: int = 3"),
        ("step", "factor: int", "weight: int"),
        ("step", "ValueError", "KeyError"),
        ("step", "take(self, x: float", "take(self, x: float, y=1"),
        ("step", "return 1", "return 1, ''"),
        ("tools", "m.exp(x)", "m.log(x)"),
        ("tools", "m.exp(x)", "math.exp(x)"),
        ("tools", "import math as m", "import cmath as m"),
        ("tools", "import math as m\n", "import math as m\nm.seed = 1\n"),
        ("numbers", "0.5", "0.25"),
    ],
)
def test_what_code_does_counts_however_far_it_is_imported_from(pack, of, old, new):
    text = {"step": STEP, "tools": TOOLS, "numbers": "RATE = 0.5\n"}[of]
    assert old in text
    assert pack(**{of: text.replace(old, new)}) != pack()


def test_the_words_of_an_error_and_code_that_is_not_used_do_not_count(pack):
    assert pack(step=STEP.replace("is bad", "is below 0")) == pack()
    assert pack(tools=TOOLS.replace("return x\n", "return -x\n")) == pack()


def test_a_method_can_be_hashed_for_itself(pack):
    other = STEP.replace("return 1", "return 2")
    assert pack("step.Step.take", step=other) == pack("step.Step.take")
    assert pack("step.Step.other", step=other) != pack("step.Step.other")


def test_what_opaque_modules_do_does_not_count(pack):
    other = TOOLS.replace("exp", "log")
    assert pack(opaque=["pack.tools"], tools=other) == pack(opaque=["pack.tools"])


def test_a_local_name_is_not_taken_for_a_definition(pack):
    local = "scaled = 3\ndef take(scaled):\n    return scaled\n"
    assert pack("step.take", step=local) == pack("step.take", step=local.replace("= 3", "= 4"))
    used = local.replace("(scaled)", "(other)")
    assert pack("step.take", step=used) != pack("step.take", step=used.replace("= 3", "= 4"))


def test_what_is_not_there_is_refused(pack):
    with pytest.raises(ValueError, match=re.escape("no definition 'pack.step.Missing'")):
        pack("step.Missing")


def test_every_python_has_the_same_hash(pack):
    text = (
        'class Pair:\n    def show(self, width=3, *, end=""):\n'
        '        return f"{self:<{width}}" + f"{end!r:>8}", [x async for x in ()], 1.5, b"y"\n'
    )
    # as Python 3.11, 3.12 and 3.13 all had it
    assert pack("step.Pair", step=text) == (
        "5c3a3f5d13d569f6b0245562c19cf24ecdc1ccfe89b419256df0e786db92e14b"
    )


def test_a_runs_identity_reaches_what_trains_and_nothing_that_only_carries_bytes():
    reader = code_hash._Reader(code_hash.FOLDER, code_hash.PACKAGE, run._NO_NUMBERS)
    for root in run._ROOTS:
        reader.root(root)
    reached = {name for _, name in reader._digests}
    assert {"derived_seed", "apply", "draw", "Step", "deterministic", "logits", "Conv"} <= reached
    assert not {"write_tensors", "atomic_write", "NETS", "UserError", "digest"} & reached


@pytest.mark.parametrize("module", run._NO_NUMBERS)
def test_the_modules_that_are_left_out_of_a_runs_identity_exist(module):
    assert code_hash._Reader(code_hash.FOLDER, code_hash.PACKAGE, ()).path(module)


GRAPH = grimp.build_graph("convscope", cache_dir=None, include_external_packages=True)


def test_core_modules_import_neither_dvc_nor_mlflow_nor_pydantic():
    rooms = ("data", "nets", "training.trainer", "training.grid", "analysis", "evaluation")
    for room in rooms:
        used = GRAPH.find_upstream_modules(f"convscope.{room}", as_package=True)
        # best.json is checked by pydantic when a trained network is read
        used -= {"pydantic"} if "convscope.nets.trained" in used or room == "nets" else set()
        assert not {"dvc", "mlflow", "pydantic"} & used, room


def test_training_needs_neither_tracking_nor_configuration_nor_figures():
    used = GRAPH.find_upstream_modules("convscope.training.trainer")
    rooms = {name.split(".")[1] for name in used if name.startswith("convscope.")}
    assert rooms == {"base", "data", "nets", "training"}
