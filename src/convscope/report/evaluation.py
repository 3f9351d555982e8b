"""The report's section on the networks side by side."""

from convscope.report import columns
from convscope.report.columns import COUNT, SHARE
from convscope.report.document import Files, Heading, Part, Section, Text
from convscope.report.reading import Folder, Sheet
from convscope.report.training import AXES, all_highest, highest
from convscope.study import published

SHOWN = 10


def section(folder: Folder) -> Section:
    """The best run of every network: accuracy, confusions, protocols and mistakes."""
    best = folder.filled("best")
    by_class = folder.filled("class_accuracy")
    nets = best.column("net")
    winner = nets[highest(best)]
    return Section(
        "evaluation",
        "Evaluation: the best of every network",
        (
            Text(
                "The weights of each network's best epoch, tested in evaluation mode on all test "
                "images, with Wilson's 95% interval of the accuracy."
            ),
            best.only(_telling(best)).table(
                "The best run of every network",
                marked=dict.fromkeys(all_highest(best), "best"),
                notes=["The file also has the settings that all of them share."],
            ),
            folder.figure("best", "Test accuracy of the best run of every network"),
            Heading("Confusion matrices and accuracy by class"),
            folder.figure("confusion", "Confusion matrices, rows true, columns predicted"),
            *(
                folder.sheet(f"confusion_{net}").table(
                    f"Confusion matrix of {net}", open_columns=(slice(1, None), COUNT), folded=True
                )
                for net in nets
            ),
            by_class.table("Accuracy by class", open_columns=(slice(1, None), SHARE)),
            *_protocols(folder),
            Heading("Misclassified images"),
            *_misclassified(folder, winner),
            Files((("What every network takes each test image for", _predictions(folder)),)),
        ),
    )


def _telling(best: Sheet) -> list[str]:
    """The columns of the best runs without the settings that they share."""
    shared = {name for name in AXES if name in best.header and len(set(best.column(name))) == 1}
    return [name for name in best.header if name not in shared]


def _predictions(folder: Folder) -> str:
    return folder.sheet("predictions").source


def _protocols(folder: Folder) -> list[Part]:
    """The test protocols, which only networks trained on augmented images have."""
    tested = folder.sheet("protocols")
    if not tested.rows:
        return []
    return [
        Heading("Test protocols"),
        Text(
            "The study tested its augmented networks on augmented images, and in training mode; "
            "clean images and evaluation mode are usual."
        ),
        tested.table("Accuracy under each test protocol", notes=[_published()]),
        *(
            [folder.figure("protocols", "Accuracy under each test protocol")]
            if folder.has("protocols.png")
            else []
        ),
    ]


def _published() -> str:
    """The two of net4's accuracies that the study printed."""
    net4 = published.study()["net4"]
    best = columns.percent(net4["best"]["test_accuracy"])
    evaluated = columns.percent(net4["best_test_accuracy_in_evaluation_mode"])
    return (
        f"The study's net4, on augmented images: {best} in training mode and {evaluated} in "
        "evaluation mode."
    )


def _misclassified(folder: Folder, winner: str) -> list[Part]:
    """The winner's mistakes, the surest first."""
    wrong = folder.sheet("misclassified")
    if not wrong.rows:
        return [Text(f"{winner} gets no test image wrong.")]
    return [
        Text(
            f"{winner}, whose accuracy no other network exceeds, gets "
            f"{columns.count(len(wrong.rows))} test images wrong."
        ),
        folder.figure("misclassified", "The commonest confusions, with their surest mistakes"),
        wrong.table(
            "The surest mistakes",
            rows=range(min(SHOWN, len(wrong.rows))),
            notes=[f"The file lists all {columns.count(len(wrong.rows))}."],
        ),
    ]
