"""What the report says of where it departs from the study, and what that changes."""

from collections.abc import Sequence

import pandas as pd

from convscope.base.names import AUGMENTED, CLEAN, STUDY
from convscope.base.report_folder import Finished
from convscope.report import published_size
from convscope.report.columns import Headings, Kind
from convscope.report.data_set import STUDY_DATA_NAME, DataSet
from convscope.report.evaluation import has_selected
from convscope.report.markdown import Fact
from convscope.report.text import count, counted
from convscope.study import published

STUDY_NET = "net4"
UNKNOWN = "What this changes was not measured."
_GAINS = {
    "Clean instead of augmented images (points)": (CLEAN, AUGMENTED),
    "Evaluation instead of training mode (points)": (AUGMENTED, STUDY),
    "Both (points)": (CLEAN, STUDY),
}


def images(download: Finished, data: DataSet) -> list[str]:
    """Sentences on other images than the study's; none where they are the same."""
    if not data.studied:
        return [
            f"The study is about {STUDY_DATA_NAME}. The images here are entirely different ones "
            f"({data.name or 'unknown'}): its numbers are printed next to the ones measured here "
            "to show how the report reads, and do not check them."
        ]
    found = []
    if not data.official:
        found.append(
            f"The archive (md5 {data.md5 or 'unknown'}) is not one of the two official archives "
            f"of {STUDY_DATA_NAME}, so its pixels may differ from the study's. {UNKNOWN}"
        )
    for part in ("train", "test"):
        if kept := download.param("data", f"{part}_images", int):
            found.append(f"Only the first {count(kept)} {part} images are taken. {UNKNOWN}")
    return found


def grids(folders: Sequence[Finished]) -> list[str]:
    """What differs from the study's grid, a sentence a network; none of those where nothing does."""
    found = {folder.path.name: published_size.differences(folder) for folder in folders}
    return [f"{name}: {', '.join(what)}." for name, what in found.items() if what]


def half_precision(folders: Sequence[Finished]) -> bool:
    """Whether a network was trained in bfloat16."""
    return any(folder.param("train", "precision", str) == "bf16" for folder in folders)


def gains(evaluate: Finished) -> tuple[pd.DataFrame, Headings]:
    """The points of accuracy that one test protocol has over another, by network."""
    tested = evaluate.table("protocols", ["net", "protocol"], numbers=["accuracy"])
    if tested.duplicated(["net", "protocol"]).any():
        raise evaluate.damaged("protocols.csv", "it has several rows for a network and protocol")
    by_net = tested.pivot(index="net", columns="protocol", values="accuracy")
    by_net = by_net.reindex(index=tested["net"].unique(), columns=[CLEAN, AUGMENTED, STUDY])
    found = {name: 100 * (by_net[way] - by_net[other]) for name, (way, other) in _GAINS.items()}
    return pd.DataFrame(found).reset_index(), {name: (name, Kind("{:+z.2f}")) for name in _GAINS}


def gain_of_selection(evaluate: Finished) -> list[Fact]:
    """How far the best epoch is above the selected one or, if none was, above the last."""
    name = f"mean_best_less_{'chosen' if has_selected(evaluate) else 'last'}"
    frame = evaluate.filled("selection", ["net"], numbers=["runs"], gaps=[name])
    return [
        Fact(str(net), f"{points:z.2f} points", (f"mean of {runs} runs",), "selection")
        for net, points, runs in frame[["net", name, "runs"]].dropna().itertuples(index=False)
    ]


def class_sample(evaluate: Finished) -> str:
    """How far the study's sample of test images is from all of them, there and here."""
    own = published.printed_class_accuracy().set_index("class")["before_percent"]
    complete = published.table("filter-ablation/class_accuracy").set_index("class")
    theirs = (own - complete["before_percent"]).drop("overall").abs().max()
    sample = evaluate.table("class_sample", numbers=["sampled_images"])
    return (
        "The study's table of accuracies by class is of 316 test images, the first 4 of each batch "
        f"of 128; in some class it is {theirs:.1f} points off its own confusion matrix of all "
        "images. Here the tables are of all test images, of which the study's rule takes "
        f"{count(sample['sampled_images'].sum())}. {_spread(evaluate)}"
    )


def _spread(evaluate: Finished) -> str:
    sample = evaluate.table("class_sample", ["net", "class"], gaps=["difference_points"])
    measured = sample.dropna(subset="difference_points")
    if measured.empty:
        raise evaluate.damaged("class_sample.csv", "no class has an image")
    apart = measured["difference_points"].abs()
    worst = measured.loc[apart.idxmax()]
    absent = len(sample) - len(measured)
    missing = f" {counted(absent, 'class has', 'classes have')} no image there." if absent else ""
    return (
        f"For {worst['net']}, whose accuracy no other network exceeds, these give accuracies by "
        f"class that are {apart.mean():.1f} points off on average and up to {apart.max():.1f} "
        f"(class {worst['class']}).{missing}"
    )


def patches(identified: Finished) -> str:
    """How much larger the study's patches are than the receptive fields."""
    frame = identified.filled("patch_sizes", ["layer"], numbers=["patch_size"])
    block = published.study()["filter_identification"]
    exact, shown = block["exact_receptive_field"], block["patch_size"]
    sizes = dict(zip(frame["layer"], frame["patch_size"], strict=True))
    known = {layer: size for layer, size in sizes.items() if layer in shown}
    other_net = identified.param("analysis", "net", str) != STUDY_NET
    if other_net or not known or any(known[layer] != exact[layer] for layer in known):
        return f"Not measured: the study's patches are of its {STUDY_NET}, and these are not."
    larger = [
        f"{layer} sees {size:.0f} × {size:.0f} pixels, where the study shows "  # noqa: RUF001
        f"{shown[layer]} × {shown[layer]}, an area {100 * (shown[layer] ** 2 / size**2 - 1):.0f}% "  # noqa: RUF001
        "larger"
        for layer, size in known.items()
        if size != shown[layer]
    ]
    return f"{'; '.join(larger)}." if larger else "The layers shown here are of the same size."
