"""Claim 20, which the study does not make: a goal of this project."""

from convscope.study.claims.rule import Finding, rule
from convscope.study.claims.sources import NotMeasuredError, Source


@rule(20, "pipeline", grids=(), goal=True)
def same_bytes(_: Source) -> Finding:
    """Two runs of the pipeline give the same bytes.

    Two runs from scratch write the same md5 of every output into dvc.lock.
    """
    raise NotMeasuredError(
        "one run cannot show it: tests/test_pipeline.py runs the pipeline twice and compares"
    )
