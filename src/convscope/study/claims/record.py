"""Judged claims as claims.json, and what an earlier claims.json says."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convscope.base.errors import UserError
from convscope.study.claims.claim import Claim, Judgment, Verdict

_FIRST = ("number", "section", "statement", "rule")


def to_json(
    claims: Sequence[Claim], data: str | None, archive_md5: str | None = None
) -> dict[str, Any]:
    """Judged claims as a JSON document, with the data set that they were measured on.

    The md5 of the archive distinguishes the official data; both are None where they are unknown.
    ``verdicts`` counts the study's findings, ``goals`` those of this project.
    """
    return {
        "data": data,
        "archive_md5": archive_md5,
        "verdicts": _verdicts(claim for claim in claims if not claim.goal),
        "goals": _verdicts(claim for claim in claims if claim.goal),
        "claims": [
            {
                **{name: getattr(claim, name) for name in _FIRST},
                **_stated(claim),
                "usual": claim.usual and _stated(claim.usual),
            }
            for claim in claims
        ],
    }


def _stated(judged: Judgment) -> dict[str, Any]:
    return {**asdict(judged), "answer": judged.answer, "reach": judged.reach}


def counted(claims: Sequence[Claim]) -> str:
    """How many claims there are, in words: findings of the study, and goals of this project.

    Of the findings it says how many seeds they were judged by.
    """
    goals = sum(claim.goal for claim in claims)
    findings = len(claims) - goals
    seeds = max((claim.seeds_judged for claim in claims if not claim.goal), default=0)
    found = f"{findings} {'finding' if findings == 1 else 'findings'} of the study"
    if seeds:
        each = ", each" if findings > 1 else ","
        found += f"{each} of one seed" if seeds == 1 else f"{each} of up to {seeds} seeds"
    ours = f"{'one goal' if goals == 1 else f'{goals} goals'} of this project"
    return f"{found}, and {ours}" if goals else found


def _verdicts(claims: Iterable[Claim]) -> dict[str, int]:
    verdicts = [claim.verdict for claim in claims]
    return {str(verdict): verdicts.count(verdict) for verdict in Verdict}


def read(path: Path) -> tuple[str | None, set[int]]:
    """The data set of an earlier claims.json, and the numbers of the claims that held.

    Raises:
        UserError: The file is missing, or is not what ``to_json`` makes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        verdicts = {int(claim["number"]): Verdict(claim["verdict"]) for claim in content["claims"]}
        data = content["data"]
        if not verdicts:
            raise ValueError("it has no claims")
        if data is not None and not (isinstance(data, str) and data.isidentifier()):
            raise ValueError("its data set has no name")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: give a claims.json that the report made") from None
    except (ArithmeticError, OSError, RecursionError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(
            f"{path} is not a claims.json that the report made ({reason}): give another file"
        ) from None
    return data, {number for number, verdict in verdicts.items() if verdict is Verdict.HOLDS}
