"""Refuses finished stages that were not made from one another."""

from collections.abc import Iterable
from pathlib import Path

from convscope.base.errors import UserError
from convscope.base.report_folder import Finished, MadeFrom


def require_consistent(reports: Path) -> None:
    """Do nothing if all finished stages were made from one data set and from one another.

    Raises:
        UserError: A stage has results of another data set than the one that was made last, or of
            another run of a network than the one that was selected last.
    """
    for folder in Finished.all(reports):
        require_current(folder)


def require_current(folder: Finished) -> None:
    """The same for what one stage was made from."""
    download = Finished(folder.reports, "download")
    if download.exists and download.made_from.data != folder.made_from.data:
        raise _outdated(folder, download)
    for net, run in folder.made_from.runs.items():
        trained = Finished(folder.reports, f"train/{net}")
        if trained.exists and trained.made_from.runs.get(net) != run:
            raise _outdated(folder, trained)


def require_made_from(folders: Iterable[Finished], source: MadeFrom) -> None:
    """Do nothing if finished stages were made from a data set and the best runs of networks.

    Raises:
        UserError: One was made from another data set or other runs.
    """
    for folder in folders:
        found = folder.made_from
        if (found.data, dict(found.runs)) != (source.data, dict(source.runs)):
            raise UserError(
                f"{folder.path} was not made from the data set and the model that are here now: "
                f"run `convscope {folder.command}` (or `dvc repro`)"
            )


def _outdated(folder: Finished, source: Finished) -> UserError:
    return UserError(
        f"{folder.path} was not made from what is in {source.path} now: run "
        f"`convscope {folder.command}` (or `dvc repro`)"
    )
