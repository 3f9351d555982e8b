"""What a hash of code holds and what it does not, on a small package; and what training's holds."""

import re
import shutil
from functools import cache

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
        self.seen = x
        return tools.scaled(x) * rate

    def other(self):
        return 1
'''
TOOLS = "import math as m\ndef scaled(x):\n    return m.exp(x)\ndef unused(x):\n    return x\n"
FILES = {"step": STEP, "tools": TOOLS, "numbers": "RATE = 0.5\n", "__init__": ""}


@pytest.fixture
def pack(tmp_path):
    """A function that writes the package anew, with some files changed, and hashes its step."""
    folder = tmp_path / "pack"

    def of(root="step:Step", opaque=(), **changed):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "sub").mkdir(parents=True)
        for name, text in (FILES | changed).items():
            (folder / f"{name}.py").write_text(text)
        return code_hash.code_hash([f"pack.{root}"], opaque, folder, "pack")

    return of


def test_where_code_is_what_it_is_called_and_how_it_is_imported_do_not_count(pack):
    before = pack()
    moved = STEP.replace("pack.numbers import RATE as rate", "pack.sub.pace import PACE")
    moved = moved.replace("* rate", "* PACE").replace("class Step", "class Stride")
    moved = moved.replace("from pack import tools", "import pack.sub.kit as k")
    moved = moved.replace("tools.scaled", "k.scale")
    kit = "def scale(x):\n    from math import exp\n    return exp(x)\n"
    files = {"walk": moved, "sub/kit": kit, "sub/pace": "PACE = 0.5\n"}
    assert pack("walk:Stride", **files) == before


@pytest.mark.parametrize(
    ("of", "old", "new"),
    [
        ("step", "More words", "Others"),
        ("step", "factor: int = 2", 'factor: int = 2\n    """Words."""'),
        ("step", "x: float) -> float", "x)"),
        ("step", "self.seen = x", "self.seen: float = x"),
        ("step", "return tools.scaled(x) * rate", "return (  # why\n tools.scaled(x) * rate)"),
        ("step", "is bad", "is below 0"),
        ("step", 'ValueError(f"{x} is bad")', "ValueError"),
        ("step", "class Step", "if TYPE_CHECKING:\n    import abc\nclass Step"),
        ("tools", "return x\n", "return -x\n"),
    ],
)
def test_what_computes_nothing_and_what_is_not_used_do_not_count(pack, of, old, new):
    assert old in FILES[of]
    assert pack(**{of: FILES[of].replace(old, new)}) == pack()


@pytest.mark.parametrize(
    ("of", "old", "new"),
    [
        ("step", "* rate", "/ rate"),
        ("step", "factor: int = 2", "factor: int = 3"),
        ("step", "factor: int = 2", "factor = 2"),
        ("step", "factor: int", "weight: int"),
        ("step", "ValueError", "KeyError"),
        ("step", "take(self, x: float", "take(self, x: float, y=1"),
        ("step", "return 1", "return 1, ''"),
        ("tools", "m.exp(x)", "m.log(x)"),
        ("tools", "m.exp(x)", "math.exp(x)"),
        ("tools", "import math as m", "import cmath as m"),
        ("tools", "import math as m\n", "import math as m\nm.seed = 1\n"),
        ("numbers", "0.5", "0.25"),
        ("__init__", "", "import math\nmath.seed = 1\n"),
    ],
)
def test_what_code_does_counts_however_far_it_is_imported_from(pack, of, old, new):
    assert old in FILES[of]
    assert pack(**{of: FILES[of].replace(old, new, 1)}) != pack()


def test_a_method_can_be_hashed_for_itself(pack):
    other = STEP.replace("return 1", "return 2")
    assert pack("step:Step.take", step=other) == pack("step:Step.take")
    assert pack("step:Step.other", step=other) != pack("step:Step.other")


@pytest.mark.parametrize("opaque", ["pack.tools", "pack.tools.scaled"])
def test_what_is_opaque_is_not_looked_into(pack, opaque):
    other = TOOLS.replace("exp", "log")
    assert pack(opaque=[opaque], tools=other) == pack(opaque=[opaque])


def test_a_local_name_is_not_taken_for_a_definition(pack):
    local = "scaled = 3\ndef take(scaled):\n    return scaled\n"
    assert pack("step:take", step=local) == pack("step:take", step=local.replace("= 3", "= 4"))
    used = local.replace("(scaled)", "(other)")
    assert pack("step:take", step=used) != pack("step:take", step=used.replace("= 3", "= 4"))


@pytest.mark.parametrize(
    "take",
    [
        "def take(rate=rate):\n    return rate",
        "def take(x):\n    return rate, [rate for rate in x]",
        "def take(x):\n    return [rate for rate in rate]",
        "def take(x):\n    return rate, lambda rate: rate",
        "def take(x):\n    def inner(rate):\n        return rate\n    return inner(rate)",
        "def take(x):\n    global rate\n    rate += 1\n    return rate",
        "@rate\ndef take(rate):\n    return rate",
        "def other():\n    from math import e as rate\ndef take():\n    return rate",
    ],
)
def test_a_name_that_is_local_elsewhere_is_still_followed(pack, take):
    one, other = (pack("step:take", step=f"rate = [{n}]\n{take}\n") for n in (1, 2))
    assert one != other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # what a statement of the module sets
        ("import os\nos.a = 1\ndef take(): os", "import os\nos.b = 1\ndef take(): os"),
        ("T = {}\nT[0] = 1\ndef take(): T", "T = {}\nT[1] = 1\ndef take(): T"),
        ("A, B = 1, 2\ndef take(): return A", "A, B = 1, 2\ndef take(): return B"),
        ("A = 0\nB = 0\ndef take(): A + A", "A = 0\nB = 0\ndef take(): A + B"),
        # which of two classes that are alike
        (
            "class A: ...\nclass B: ...\ndef take(x): return isinstance(x, A), A, B",
            "class A: ...\nclass B: ...\ndef take(x): return isinstance(x, B), A, B",
        ),
        # where a circle closes
        (
            "def take(): f\ndef f(): g\ndef g(): h\ndef h(): f",
            "def take(): f\ndef f(): g\ndef g(): h\ndef h(): g",
        ),
        # where a local import comes from
        (
            "def take():\n    from pack.tools import scaled as f\n    return f\n"
            "def g():\n    from math import exp as f",
            "def take():\n    from pack.tools import unused as f\n    return f\n"
            "def g():\n    from math import exp as f",
        ),
    ],
)
def test_programs_that_are_nearly_alike_are_told_apart(pack, one, other):
    assert pack("step:take", step=one) != pack("step:take", step=other)


@pytest.mark.parametrize("statement", ["from pack.tools import *", "from . import tools"])
def test_an_import_that_cannot_be_followed_is_refused(pack, statement):
    with pytest.raises(ValueError, match=re.escape(f"cannot follow '{statement}'")):
        pack(step=f"{statement}\n{STEP}")


@pytest.mark.parametrize("missing", ["step:Missing", "step:Step.missing", "tools:Step"])
def test_what_is_not_there_is_refused(pack, missing):
    with pytest.raises(ValueError, match="does not define"):
        pack(missing)


def test_every_python_has_the_same_hash(pack):
    text = (
        'class Pair:\n    def show(self, width=3, *, end=""):\n'
        '        return f"{self:<{width}}" + f"{end!r:>8}", [x async for x in ()], 1.5, b"y"\n'
    )
    # as Python 3.11, 3.12 and 3.13 all have it
    assert pack("step:Pair", step=text) == (
        "714e9b55467aca53f7474b99be7f9e6cdbfbeaf4c95f388278355b2a3f26f64f"
    )


def test_a_runs_identity_reaches_what_trains_and_nothing_that_only_carries_bytes():
    reader = code_hash.Reader(list(run._ROOTS), run._NO_NUMBERS)
    reader.outlines()
    reached = {name.rpartition(":")[2] for name in reader.met}
    assert {"derived_seed", "apply", "draw", "Step", "deterministic", "logits", "Conv"} <= reached
    assert {"build", "assemble"} <= reached
    assert not {"write_tensors", "atomic_write", "NETS", "UserError", "digest"} & reached


@pytest.mark.parametrize("name", sorted(run._NO_NUMBERS))
def test_what_is_left_out_of_a_runs_identity_exists(name):
    module, _, definition = name.rpartition(".")
    reader = code_hash.Reader([])
    assert reader.path(name) or reader._module(module).definitions[definition]


@cache
def graph():
    """What imports what, also of other packages."""
    return grimp.build_graph("convscope", cache_dir=None, include_external_packages=True)


def test_of_the_core_rooms_only_readers_of_documents_import_pydantic():
    core = ("base", "data", "nets", "training", "analysis", "evaluation")
    importers = graph().find_modules_that_directly_import("pydantic")
    found = {name for name in importers if name.split(".")[1] in core}
    assert found <= {
        f"convscope.{n}" for n in ("data.archives", "nets.trained", "training.explain")
    }


def test_training_needs_neither_tracking_nor_configuration_nor_figures():
    used = graph().find_upstream_modules("convscope.training.trainer")
    rooms = {name.split(".")[1] for name in used if name.startswith("convscope.")}
    assert rooms == {"base", "data", "nets", "training"}
