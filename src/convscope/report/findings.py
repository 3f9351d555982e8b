"""What the report says of the study's claims: on what they were judged, and how many hold."""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from convscope.base.report_folder import Finished
from convscope.report.columns import AS_IS, TEXT, Headings
from convscope.report.data_set import STUDY_DATA_NAME, DataSet
from convscope.report.markdown import Fact, escape
from convscope.study import claims
from convscope.study.claims import Claim, Verdict

_SECTIONS = {"filter-identify": "filter-identification", "pipeline": "reproduce"}


def judged_on(number: int, data: DataSet) -> str:
    """What the verdicts are about, and on which images they were found."""
    about = f"The study's {number} findings are about {STUDY_DATA_NAME}."
    if data.official:
        return f"{about} They are judged here by what was measured on the same images."
    measured = f"{about} They are judged here by what was measured on {data.called}: "
    if data.studied:
        return f"{measured}its pixels may differ from the study's."
    return (
        f"{measured}a verdict says what carries over to other images and smaller grids, and does "
        "not check the study itself."
    )


def verdicts(judged: Sequence[Claim]) -> list[Fact]:
    """How many claims have each verdict."""
    return [_count(judged, verdict) for verdict in Verdict]


def _count(judged: Sequence[Claim], verdict: Verdict) -> Fact:
    found = [claim for claim in judged if claim.verdict is verdict]
    details = [f"of {len(judged)} claims"]
    if verdict is not Verdict.NOT_MEASURED:
        own = sum(not claim.differing for claim in found)
        details.append(f"{own} of them on the study's own grids")
    return Fact(verdict.capitalize(), str(len(found)), details, "claims")


def topic(claim: Claim, nets: Sequence[Finished]) -> Markup:
    """The part of the study that a claim is from, linked to the report's section on it."""
    section = _SECTIONS.get(claim.section, claim.section)
    if claim.section.startswith("net"):
        section = f"train-{claim.section}"
        if claim.section not in {folder.path.name for folder in nets}:
            return escape(claim.section)
    return Markup(f"[{escape(claim.section)}](#{section})")


def numbers(claim: Claim) -> tuple[pd.DataFrame, Headings]:
    """What the rule compares: the study's numbers and the measured ones, as they are printed."""
    sides = {"Published": claim.published, "Measured": claim.measured}
    names = list(dict.fromkeys([*claim.published, *claim.measured]))
    shown = {
        side: [claims.shown(name, found[name]) if name in found else None for name in names]
        for side, found in sides.items()
    }
    headings = {"Number": ("Number", TEXT)} | {side: (side, AS_IS) for side in sides}
    return pd.DataFrame({"Number": names, **shown}), headings
