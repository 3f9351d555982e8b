"""Wrong and odd texts of params.yaml, seeded."""

import copy
import io
import json
from functools import reduce
from operator import getitem

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
    b"---\n",
)
# stands in a section for a fragment, which JSON would quote
HERE = "@"


def sections():
    """The committed parameters with one small network, so that reading them takes no time."""
    chosen = copy.deepcopy(PARAMS)
    net = {**chosen["nets"]["net1"], "l1_oc": [4], "kernel_size": [3], "stride": [1]}
    baseline = {**chosen["nets"]["baseline"], "lr": [0.1, 0.2], "batch_size": [128]}
    return {**chosen, "nets": {"net1": net, "baseline": baseline}}


def mutated_value(rng):
    """A section with one key changed, dropped, added, renamed or put elsewhere, and that key."""
    name, section = rng.choice(list(sections().items()))
    key = rng.choice(list(_keys(section)))
    holder = reduce(getitem, key[:-1], section)
    last, fragment = key[-1], rng.choice(NAMES)
    match rng.choice(("set", "set", "set", "drop", "add", "rename", "wrap", "unwrap", "twice")):
        case "set":
            holder[last], fragment = HERE, rng.choice(FRAGMENTS)
        case "drop":
            del holder[last]
        case "add" if isinstance(holder, dict):
            holder[HERE] = 1
        case "rename" if isinstance(holder, dict):
            holder[HERE] = holder.pop(last)
        case "unwrap" if isinstance(holder[last], list):
            holder[last] = holder[last][0] if holder[last] else None
        case "twice" if isinstance(holder, list):
            holder.append(holder[last])
        case _:
            holder[last] = [holder[last]]
    # JSON is YAML on one line
    text = json.dumps({name: section}).replace(json.dumps(HERE), fragment)
    return text, (name, *key[:-1])


def mutated_text(rng):
    """The committed text, or a section of it, with some bytes changed, lost, repeated or added."""
    name, section = rng.choice(list(sections().items()))
    text = bytearray(block({name: section}).encode())
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        match rng.choice(("scrap", "scrap", "flip", "cut", "line twice", "indent")):
            case "scrap":
                text[at:at] = rng.choice(SCRAPS)
            case "flip" if at < len(text):
                text[at] ^= 1 << rng.randrange(8)
            case "cut":
                del text[at : at + rng.randint(1, 40)]
            case "line twice":
                lines = bytes(text).splitlines(keepends=True) or [b""]
                number = rng.randrange(len(lines))
                text = bytearray(b"".join([*lines[: number + 1], *lines[number:]]))
            case _:
                start = text.rfind(b"\n", 0, at) + 1
                text[start:start] = b" " * rng.randint(1, 4)
    return bytes(text)


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
