"""Report folders made by hand, and what is judged of them."""

import io
import json

import pandas as pd

from convscope.study import claims
from convscope.study.claims.sources import Reports

MADE_FROM = {"data": "f"}
NET4 = {"analysis": {"net": "net4"}}
TOP_20 = {**NET4, "filter_identify": {"top_k": 20}}
ABLATED = {"conv1": [0, 1], "conv2": [0, 1], "conv3": [0, 1], "conv4": [0, 1], "conv5": [0, 1]}
LIKE_STUDY = {
    "test_accuracy": ("study_accuracy", "best_study_accuracy"),
    "overfit_percent": ("study_overfit_percent",),
}


def in_both_ways(files):
    """The same tables; of net3 and net4 both ways to test a network gave the same numbers."""
    found = dict(files)
    for name, content in files.items():
        if name.startswith(("train/net3/", "train/net4/")) and isinstance(content, str):
            table = pd.read_csv(io.StringIO(content), dtype=str)
            for usual, own in LIKE_STUDY.items():
                if usual in table and own[0] not in table:
                    table = table.assign(**dict.fromkeys(own, table[usual]))
            text = table.to_csv(index=False).strip()
            found[name] = text
            if name.endswith("best"):
                found[f"{name}_study"] = text
    return found


def write(reports, files):
    """Write tables, given as lines of CSV, and mappings, as JSON; names without endings."""
    stages = [name.removesuffix("params") for name in files if name.endswith("params")]
    for name, content in ({f"{stage}made_from": MADE_FROM for stage in stages} | files).items():
        path = reports / f"{name}.{'csv' if isinstance(content, str) else 'json'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n" if isinstance(content, str) else json.dumps(content))


def judged(reports, number, files):
    """The claim of this number, once these files are in the folder, ``in_both_ways``."""
    write(reports, in_both_ways(files))
    (rule,) = [rule for rule in claims.RULES if rule.number == number]
    return rule.judge(Reports.below(reports))


def holds(number, files, remark=""):
    """A case of test_rules.py: with these files the claim holds."""
    return number, files, "holds", remark


def fails(number, files, why):
    """A case of test_rules.py: with these files the claim does not hold."""
    return number, files, "does not hold", why
