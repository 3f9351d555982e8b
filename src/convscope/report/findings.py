"""The report's section on the study's claims, and whether the measured files bear them out."""

from collections.abc import Container, Sequence

from convscope.report.columns import NOTHING
from convscope.report.document import (
    Cell,
    Column,
    Fact,
    Facts,
    Judged,
    Judgments,
    Row,
    Section,
    Table,
    Text,
)
from convscope.report.images import STUDY_DATA_NAME, Images
from convscope.study import claims
from convscope.study.claims import Claim, Verdict

SOURCE = "claims.json"
_ID = "claims"
_HOW = (
    "A claim is judged wherever its words can be applied to what was measured, and by the numbers "
    "alone, however little lies between them; it is not measured where something that it names is "
    "not there. Where a grid that it rests on has other epochs, widths or settings than the "
    "study's, the verdict says so: it is of that grid."
)
_SECTIONS = {"filter-identify": "filter-identification", "pipeline": "reproduce"}
_COLUMNS = (
    Column("Number", "number", numeric=False),
    Column("Published", "published", numeric=True),
    Column("Measured", "measured", numeric=True),
)


def section(judged: Sequence[Claim], images: Images, sections: Container[str]) -> Section:
    """The claims: how many hold, and each with its numbers and its rule.

    Args:
        judged: The claims.
        images: What the files were measured on.
        sections: Identifiers of the report's other sections, to link to.
    """
    return Section(
        _ID,
        "Claims",
        (
            Text(f"{_judged_on(len(judged), images)} {_HOW}"),
            Facts(tuple(_count(judged, verdict) for verdict in Verdict)),
            Judgments(SOURCE, tuple(_one(claim, sections) for claim in judged)),
        ),
    )


def _judged_on(number: int, images: Images) -> str:
    """What the verdicts are about, and on which images they were found."""
    about = f"The study's {number} findings are about {STUDY_DATA_NAME}."
    if images.official:
        return f"{about} They are judged here by what was measured on the same images."
    measured = f"{about} They are judged here by what was measured on {images.called}: "
    if images.studied:
        return f"{measured}its pixels may differ from the study's."
    return (
        f"{measured}a verdict tells what carries over to other images and smaller grids, and does "
        "not check the study itself."
    )


def _count(judged: Sequence[Claim], verdict: Verdict) -> Fact:
    found = [claim for claim in judged if claim.verdict is verdict]
    details = [f"of {len(judged)} claims"]
    if verdict is not Verdict.NOT_MEASURED:
        own = sum(not claim.differing for claim in found)
        details.append(f"{own} of them on the study's own grids")
    return Fact(verdict.capitalize(), str(len(found)), tuple(details), _ID)


def _one(claim: Claim, sections: Container[str]) -> Judged:
    linked = _SECTIONS.get(claim.section, claim.section)
    if claim.section.startswith("net"):
        linked = f"train-{claim.section}"
    return Judged(
        number=claim.number,
        topic=claim.section,
        section=linked if linked in sections else "",
        statement=claim.statement,
        verdict=claim.verdict.value,
        caveat=claim.caveat,
        numbers=_numbers(claim),
        rule=claim.rule,
        why=claim.why,
    )


def _numbers(claim: Claim) -> Table:
    """What the rule compares: the study's numbers beside the measured ones."""
    return Table(
        caption=f"The numbers of claim {claim.number}",
        source=SOURCE,
        columns=_COLUMNS,
        rows=tuple(
            Row((Cell(name, name), _cell(claim.published, name), _cell(claim.measured, name)))
            for name in dict.fromkeys([*claim.published, *claim.measured])
        ),
    )


def _cell(numbers: claims.Numbers, name: str) -> Cell:
    if name not in numbers:
        return Cell(NOTHING, "")
    return Cell(claims.shown(name, numbers[name]), repr(numbers[name]))
