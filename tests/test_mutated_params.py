"""Wrong and odd texts of params.yaml, as hypothesis draws them and by hand."""

import copy
import io
import json
import re
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from convscope.base.errors import UserError
from convscope.config import params_file
from convscope.nets import zoo
from tests.projects import PARAMS

LONGEST = 500

pytestmark = pytest.mark.usefixtures("here")

# scalars and fragments as a user or an accident could write them
FRAGMENTS = (
    *("0", "-1", "1", "2", "3", "33", "64", "65", "1000001", "-999999999", "9" * 25),
    *("0x1F", "0o17"),
    *("0.0", "-0.0", "0.5", "1.0", "1.5", "-0.1", "1e-400", "1e999", "-1e999", "1.0e-300", "8.5"),
    *(".nan", ".inf", "-.inf", "NaN", "Infinity", "true", "false", "yes", "null", "~", "''", "' '"),
    *("'1'", '"0.1"', "ten", "net9", "digits", "cifar10", "validation", "test", "bf16", "fp16"),
    *("[]", "{}", "[[]]", "[1]", "[0]", "[0, 0]", "[1, 1.0]", "[0.1, 0.2]", "[-1]", "[null]"),
    *("[true]", "['1']", "[[1]]", "[.nan]", "{a: 1}", "{conv1: [0]}", "{conv9: [0]}", "{1: 2}"),
    *("{conv1: 0}", "{conv1: []}", "{[1]: 2}", "{null: 1}", "2020-01-01", "12:30:45", "1_0"),
    *("!!int ''", "!!float x", "!!bool maybe", "!!timestamp soon", "!!binary '?'", "!!set {a}"),
    *("!!python/object/apply:os.system [true]", "!thing 1", "&a [*a]", "&a {b: *a}", "*nowhere"),
    *('"a\\nb"', '"\\ud800"', '"\\0"', '"\\e[31m"', "é", "x" * 300, "'" + "y " * 200 + "'"),
    *("0x" + "f" * 4000, "9" * 5000, "[" * 60 + "]" * 60, "[" + "1," * 200 + "1]", "a: b", "- 1"),
)
NAMES = ("extra", "Epochs", "sedes", '"a\\nb"', "1", "null", "true", "[1]", '"\\ud800"', "z" * 400)
SCRAPS = (
    *(b"\t", b"\n", b"\r", b"\0", b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\x1b[2J", b"\xef\xbb\xbf"),
    *(b":", b"-", b"[", b"}", b"&a ", b"*a", b"!", b"#", b"'", b'"', b"|", b">", b"%", b"@"),
    *(b"---\n", b" ", b"    "),
)
# stands in a section for a fragment, which JSON would quote
HERE = "@"


def sections():
    """The committed parameters with one small network, so that reading them takes no time."""
    chosen = copy.deepcopy(PARAMS)
    net = {**chosen["nets"]["net1"], "l1_oc": [4], "kernel_size": [3], "stride": [1]}
    baseline = {**chosen["nets"]["baseline"], "lr": [0.1, 0.2], "batch_size": [128]}
    return {**chosen, "nets": {"net1": net, "baseline": baseline}}


@st.composite
def values(draw):
    """A section with one key changed, dropped, added, renamed or put elsewhere, and that key."""
    name, section = draw(st.sampled_from([each for each in sections().items() if _keys(each[1])]))
    *outer, last = draw(st.sampled_from(_keys(section)))
    holder, fragment = reduce(getitem, outer, section), draw(st.sampled_from(NAMES))
    match draw(st.sampled_from(("set", "set", "set", "drop", "add", "rename", "wrap", "unwrap"))):
        case "set":
            holder[last], fragment = HERE, draw(st.sampled_from(FRAGMENTS))
        case "drop":
            del holder[last]
        case "add" if isinstance(holder, dict):
            holder[HERE] = 1
        case "rename" if isinstance(holder, dict):
            holder[HERE] = holder.pop(last)
        case "unwrap" if isinstance(holder[last], list):
            holder[last] = holder[last][0] if holder[last] else None
        case "add":
            holder.append(holder[last])
        case _:
            holder[last] = [holder[last]]
    # JSON is YAML on one line
    text = json.dumps({name: section}).replace(json.dumps(HERE), fragment)
    return text, (name, *outer)


@st.composite
def texts(draw):
    """A section of the committed text with bytes changed, lost or added, or lines repeated."""
    name, section = draw(st.sampled_from(list(sections().items())))
    text = block({name: section}).encode()
    lines = text.splitlines(keepends=True)
    added = (st.sampled_from((b"", *SCRAPS)), st.sampled_from(lines), st.binary(max_size=1))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        lost = draw(st.sampled_from((0, 0, 1, 9, 40)))
        text = text[:start] + draw(st.one_of(added)) + text[start + lost :]
    return text


def _keys(value, before=()):
    """Where something is in a section."""
    if not isinstance(value, dict | list):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [key for n, inner in items for key in ((*before, n), *_keys(inner, (*before, n)))]


def block(value):
    """A mapping as YAML with a line for each key."""
    out = io.BytesIO()
    YAML(typ="safe", pure=True).dump(value, out)
    return out.getvalue().decode()


def judged(content):
    """The parameters if a text is accepted with sense, or the line with which it is refused."""
    path = Path("params.yaml")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        params = params_file.load(path)
    except UserError as error:
        message = str(error)
        assert message.isprintable(), message
        assert message.startswith("params.yaml")
        assert len(message.removeprefix("params.yaml")) <= LONGEST
        return message.removeprefix("params.yaml").removeprefix(": ")
    finally:
        assert list(Path().iterdir()) == [path]
    written = YAML(typ="safe", pure=True).load(path.read_bytes().decode())
    assert same(written, params.model_dump(exclude_unset=True)), content
    for net, grid in params.nets.items():
        for point in grid.points()[:8]:
            with torch.device("meta"):
                zoo.build(net, **point)
    return params


def same(written, loaded):
    """Whether values are those of the file; only whole numbers may have become floats."""
    if isinstance(written, dict):
        keys = isinstance(loaded, dict) and written.keys() == loaded.keys()
        return keys and all(same(written[key], loaded[key]) for key in written)
    if isinstance(written, list):
        return len(written) == len(loaded) and all(map(same, written, loaded))
    return written == loaded and isinstance(written, bool) == isinstance(loaded, bool)


def names(message, key):
    """Whether a line names a key, a part of it, or the mapping that it is in."""
    named = tuple(re.findall(r"[^.\[\]]+", message.split(": ")[0].split(" has ")[0]))
    expected = tuple(map(str, key))
    length = min(len(named), len(expected))
    return length > 0 and named[:length] == expected[:length]


def refusals(mutations, examples, least):
    """What was refused of so many mutations, and why: more than ``least`` of them are."""
    refused = []

    @settings(max_examples=examples, derandomize=True, deadline=None)
    @given(mutations)
    def judge(mutation):
        message = judged(mutation[0])
        if isinstance(message, str):
            refused.append((*mutation, message))

    judge()
    assert len(refused) > least
    return refused


def test_mutated_values_are_refused_by_their_key_or_accepted_with_sense():
    for text, key, message in refusals(values(), 800, 400):
        assert names(message, key) or "is not a readable YAML file" in message, (text, message)


@pytest.mark.parametrize("value", ["fast", "PORTABLE", "1", "true", "[portable]", "{portable: 1}"])
def test_kernels_are_of_a_kind_there_is(value):
    assert judged(f"kernels: {value}\n").startswith("kernels: ")


def test_mutated_texts_are_refused_in_one_line_or_accepted_with_sense():
    refusals(st.tuples(texts()), 400, 160)


@pytest.mark.parametrize("write", [json.dumps, block])
def test_the_sections_that_are_mutated_are_accepted(write):
    for name, section in sections().items():
        assert isinstance(judged(write({name: section})), params_file.Params), name


def aliases(depth):
    """Lists of nine aliases of lists of nine aliases: short to write, 9**depth long to print."""
    items = ["x", *(f"*a{level}" for level in range(depth - 1))]
    return "\n".join(f"a{n}: &a{n} [{', '.join([item] * 9)}]" for n, item in enumerate(items))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not map sections to their keys"),
        ("# nothing\n", "does not map sections to their keys"),
        ("- train\n- data\n", "does not map sections to their keys"),
        ("train", "does not map sections to their keys"),
        ("!!set {train, data}", "does not map sections to their keys"),
        ("evaluate: 1\n---\nevaluate: 2\n", "another document"),
        ("evaluate: {seed: 1, seed: 1}", "duplicate key"),
        ("evaluate:\n\tseed: 1", "cannot start any token in line 2"),
        ("- " * 5000 + "x", "is not a readable YAML file (maximum recursion depth exceeded"),
        ("evaluate: {" * 400, "is not a readable YAML file"),
        ("evaluate: &a [*a]", "evaluate: Input should be a valid dictionary"),
        (aliases(12), "a0: is unknown"),
        (f"{aliases(12)}\nevaluate: *a11\n".replace("a0:", "evaluate:", 1), "duplicate key"),
        ("evaluate: 0x" + "f" * 9000, "evaluate: Input should be"),
        ("? [evaluate]\n: 1", "Keys should be strings"),
        ("true: 1", "Keys should be strings"),
        ("<<: *a", "undefined alias"),
        ("'" + "k" * 900 + "': 1", "kkk...: is unknown"),
        ('"a\\nb": 1', "is unknown"),
        ('nets: {"net\\n1": {}}', "is not a network; known: baseline"),
        ("nets: [net1]", "nets: Input should be a valid dictionary"),
        ('data: {archives: [{url: "file:a\\nb", md5: x}], source: digits}', "data.archives[0].url"),
        ("filter_ablation: {filters: {fc1: [0]}, newly_wrong: 1, atlas_images: 1}", "filters.fc1"),
        ("evaluate: é".encode("latin1"), "is not a readable YAML file"),
        ("evaluate: 1".encode("utf-16"), "is not a readable YAML file"),
    ],
)
def test_odd_texts_are_refused_with_their_reason(text, message):
    assert message in judged(text)


def test_a_value_of_nested_aliases_is_not_written_out():
    nested = aliases(9).replace("\n", ", ")
    others = "pairs: 1, images_per_pair: 1, threads: 1"
    message = judged(f"evaluate: {{seed: [{{{nested}}}], {others}}}")
    assert message.startswith("evaluate.seed: Input should be a valid integer (it is [{'a0': [")


@pytest.mark.parametrize(
    ("net", "changes", "why"),
    [
        (
            "net1",
            {"kernel_size": [3, 31]},
            "(the 1x1 feature map is too small for a 31x31 convolution): change l1_oc=4",
        ),
        ("net4", {"stride": [9], "dropout_rate": [0.0]}, "is too small for a"),
        ("net1", {"dropout_rate": [0.0, 0.5]}, "net1 has no dropout, so dropout_rate must be 0"),
        ("net2", {"dropout_rate": [0.5]}, "net2 has no dropout, so dropout_rate must be 0"),
        ("net1", {"l1_oc": [1], "filter_multiplier": [0.5]}, "would have no filters"),
    ],
)
def test_values_that_are_right_alone_and_wrong_together_are_refused(net, changes, why):
    grid = {**sections()["nets"]["net1"], **changes}
    message = judged(json.dumps({"nets": {net: grid}}))
    assert message.startswith(f"nets.{net} has a point that cannot be built (")
    assert why in message
