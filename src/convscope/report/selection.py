"""The report's section on how much of the best accuracies is luck of choosing."""

from convscope.report.document import Heading, Part, Section, Text
from convscope.report.reading import Folder, Sheet

ID = "selection"
TITLE = "Selection: how much is luck"
_ALONE = ("net", "runs", "choices", "run", "epoch", "test_accuracy", "low", "high")
_LAST = ("last_accuracy", "best_less_last", "mean_best_less_last")
_VALIDATED = (
    *("net", "run", "epoch", "test_accuracy", "chosen_run", "chosen_epoch", "chosen_accuracy"),
    *("chosen_low", "chosen_high", "best_less_chosen", "mean_best_less_chosen"),
)


def section(folder: Folder) -> Section:
    """Best, last and chosen epochs, and McNemar's test of each pair of networks.

    Args:
        folder: The report folder of evaluate.

    Raises:
        UserError: One of its files is missing or damaged.
    """
    sheet = folder.filled("selection")
    return Section(
        ID,
        TITLE,
        (
            Text(
                "A network's best accuracy, as the study reports it, is the highest of all epochs "
                "of all its runs on the test images: the more there are to choose from, the "
                "luckier the best of them. Beside it is the last epoch of the same run, which no "
                "image chose, though the run itself was chosen. The intervals are Wilson's: they "
                "tell how much depends on which images are in the test set, and know nothing of "
                "the choosing."
            ),
            sheet.only((*_ALONE, *_LAST)).table(
                "The best epoch on the test images, and the last of the same run",
                notes=[
                    "Best minus last is not all luck: a network that overfits gets worse toward "
                    "the end. The mean is over all runs of the network, each one's best minus its "
                    "own last."
                ],
            ),
            folder.figure("selection", "Test accuracy by the way of choosing the epoch"),
            Heading("Chosen on validation images"),
            *_validated(sheet),
            Heading("Are two networks different?"),
            *_pairs(folder),
        ),
    )


def validated(sheet: Sheet) -> bool:
    """Whether selection.csv has epochs that validation images chose."""
    return "chosen_accuracy" in sheet.header


def _validated(sheet: Sheet) -> list[Part]:
    if not validated(sheet):
        return [
            Text(
                "Not measured: train.select_on is test. Set it to validation in params.yaml and "
                "run `dvc repro`: every network is then trained anew, without the held-out images."
            ),
        ]
    return [
        Text(
            "Here train.select_on is validation: a part of the training images is held out of "
            "training and chooses the run and the epoch, and the test images only measure them. "
            "The best that the test images would have chosen is at least as high; what lies "
            "between is the luck of choosing on the test images, together with the error of "
            "choosing on few validation images."
        ),
        sheet.only(_VALIDATED).table(
            "The best epoch on the test images, and the one that validation images chose",
            notes=["The mean is over all runs, each one's best minus the epoch chosen in it."],
        ),
    ]


def _pairs(folder: Folder) -> list[Part]:
    sheet = folder.sheet("mcnemar")
    if not sheet.rows:
        return [Text("There is one network, and nothing to compare it with.")]
    return [
        Text(
            "McNemar's exact test of the networks' best runs. If two networks are equally good, an "
            "image that only one of them gets right is as likely the one's as the other's; the "
            "p-value is the probability of a split at least as uneven as the one here. It takes "
            "the networks as they are: neither the choosing of their epochs nor the number of "
            "pairs is corrected for."
        ),
        sheet.table("McNemar's test of each pair of networks"),
    ]
