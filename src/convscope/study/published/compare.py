"""A measured table and the study's in one table, with their differences."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd


class Comparison(NamedTuple):
    """What both tables have, in the published order, and the keys that were not measured.

    ``rows`` has the keys, then for each shared column ``<column>_published``, ``<column>_measured``
    and, where it holds numbers, ``<column>_difference``, measured - published.
    """

    rows: pd.DataFrame
    missing: pd.DataFrame


def compare(
    measured: pd.DataFrame, published: pd.DataFrame, keys: Sequence[str] = ()
) -> Comparison:
    """Join a measured table with the study's table of the same name.

    The keys are the columns that identify a row in both; there are none where each has one row.

    Raises:
        ValueError: The keys do not identify the rows of a table.
    """
    keys = list(keys)
    for frame in (measured, published):
        if frame.duplicated(keys).any() if keys else len(frame) != 1:
            raise ValueError(f"the keys {keys} do not identify the rows of a table")
    shared = [name for name in published if name in measured and name not in keys]
    sides, missing = ("_published", "_measured"), pd.DataFrame()
    if keys:
        known = {*measured[keys].itertuples(index=False, name=None)}
        rows = published[keys].itertuples(index=False, name=None)
        missing = published.loc[[row not in known for row in rows], keys]
        both = published.merge(measured, on=keys, suffixes=sides)
    else:
        both = published.merge(measured, how="cross", suffixes=sides)
    found: dict[str, pd.Series[float]] = {}
    for name in shared:
        theirs, ours = (both[f"{name}{side}"] for side in sides)
        found |= {str(theirs.name): theirs, str(ours.name): ours}
        if _is_number(theirs) and _is_number(ours):
            found[f"{name}_difference"] = ours - theirs
    return Comparison(both[keys].assign(**found), missing.reset_index(drop=True))


def _is_number(column: "pd.Series[float]") -> bool:
    return column.dtype.kind in "iuf"
