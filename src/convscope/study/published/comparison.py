"""A measured table beside a published one."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd


class Comparison(NamedTuple):
    """What both tables have, and what only the published one has.

    Attributes:
        rows: The keys, then for each shared column ``<column>_published``, ``<column>_measured``
            and, where it holds numbers, ``<column>_difference``, measured - published; in the
            order of the published table.
        missing: The keys of the published rows that were not measured.
    """

    rows: pd.DataFrame
    missing: pd.DataFrame


def beside(measured: pd.DataFrame, published: pd.DataFrame, keys: Sequence[str] = ()) -> Comparison:
    """Put a measured table beside the study's.

    Args:
        measured: One of our tables.
        published: The study's table of the same name.
        keys: The columns that tell rows apart, in both tables; no key where each has one row.

    Returns:
        The rows whose keys are in both tables, and the keys that are in the study's alone.

    Raises:
        ValueError: The keys do not tell a table's rows apart.
    """
    keys = list(keys)
    for frame in (measured, published):
        if frame.duplicated(keys).any() if keys else len(frame) != 1:
            raise ValueError(f"the keys {keys} do not tell the rows of a table apart")
    # class names that look like numbers come as numbers from a file
    measured = measured.astype(
        {key: str for key in keys if _is_number(measured[key]) != _is_number(published[key])}
    )
    shared = [name for name in published.columns if name in measured.columns and name not in keys]
    sides = [
        frame[[*keys, *shared]].rename(columns={name: f"{name}_{side}" for name in shared})
        for side, frame in (("published", published), ("measured", measured))
    ]
    if not keys:
        joined = sides[0].merge(sides[1], how="cross")
        return Comparison(_with_differences(joined, keys, shared), pd.DataFrame())
    points = pd.MultiIndex.from_frame(measured[keys])
    absent = ~pd.MultiIndex.from_frame(published[keys]).isin(points)
    joined = sides[0].merge(sides[1], on=keys)
    missing = published.loc[absent, keys].reset_index(drop=True)
    return Comparison(_with_differences(joined, keys, shared), missing)


def _with_differences(
    joined: pd.DataFrame, keys: Sequence[str], shared: Sequence[str]
) -> pd.DataFrame:
    """The comparison's columns, in order."""
    ordered = {key: joined[key] for key in keys}
    for name in shared:
        published, measured = joined[f"{name}_published"], joined[f"{name}_measured"]
        ordered |= {f"{name}_published": published, f"{name}_measured": measured}
        if all(_is_number(column) for column in (published, measured)):
            ordered[f"{name}_difference"] = measured - published
    return pd.DataFrame(ordered)


def _is_number(column: "pd.Series[float]") -> bool:
    numeric, boolean = pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype
    return bool(numeric(column)) and not bool(boolean(column))
