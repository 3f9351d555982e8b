"""Judged claims as claims.json, and what changed since an earlier one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convscope.base.errors import UserError
from convscope.study.claims.claim import Claim, Verdict


def to_json(
    claims: Sequence[Claim], data: str | None, archive_md5: str | None = None
) -> dict[str, Any]:
    """Judged claims as a JSON document.

    Args:
        claims: What ``judge`` found.
        data: The data set that the files were measured on; the study's is cifar10. None where
            that is unknown.
        archive_md5: Of the archive that it came from, which tells an official one from others.

    Returns:
        ``data``, ``archive_md5``, how many claims have each verdict (``verdicts``), and the
        ``claims``.
    """
    return {
        "data": data,
        "archive_md5": archive_md5,
        "verdicts": {
            str(verdict): sum(claim.verdict is verdict for claim in claims) for verdict in Verdict
        },
        "claims": [{**asdict(claim), "verdict": str(claim.verdict)} for claim in claims],
    }


def read(path: Path) -> dict[str, Any]:
    """Read of an earlier claims.json what ``changed`` needs.

    Returns:
        ``data``, and of each of the ``claims`` its number and verdict.

    Raises:
        UserError: The file is missing, or is not what ``to_json`` makes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        judged = [
            {"number": int(claim["number"]), "verdict": str(Verdict(claim["verdict"]))}
            for claim in content["claims"]
        ]
        data = content["data"]
        if not judged:
            raise ValueError("it has no claims")
        if data is not None and not (isinstance(data, str) and data.isidentifier()):
            raise ValueError("its data set has no name")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: give a claims.json that the report made") from None
    except (ArithmeticError, OSError, RecursionError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(
            f"{path} is no claims.json ({reason}): give one that the report made"
        ) from None
    return {"data": data, "claims": judged}


def changed(before: Mapping[str, Any], now: Sequence[Claim]) -> list[Claim]:
    """The claims that held before and do not any more, or can no longer be judged.

    Args:
        before: An earlier claims.json, as ``to_json`` made it.
        now: What ``judge`` finds now.
    """
    held = {claim["number"] for claim in before["claims"] if claim["verdict"] == str(Verdict.HOLDS)}
    return [claim for claim in now if claim.number in held and claim.verdict is not Verdict.HOLDS]
