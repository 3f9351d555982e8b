"""Wrong and odd texts of params.yaml, as hypothesis draws them."""

import copy
import io
import json
from functools import reduce
from operator import getitem

from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.projects import PARAMS

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
    name, section = draw(st.sampled_from(list(sections().items())))
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
