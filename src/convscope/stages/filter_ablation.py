"""filter-ablation: filters at zero, or at their means -> reports/filter-ablation/."""

from dataclasses import replace

import torch
from torch import nn

from convscope import figures
from convscope.analysis.ablation import atlas, atlas_tables, joint, mean, random_sets
from convscope.base import metrics, paths, progress, runtime
from convscope.base.report_folder import Report, reporting
from convscope.config import params_file
from convscope.nets import filter_selection, trained
from convscope.nets.filter_selection import Chosen
from convscope.nets.inference import logits
from convscope.nets.trained import Subject

# which the study says are mixed up more after an ablation
PAIR = ("cat", "dog")
# how many filters at each end of the atlas
EXTREMES = 10


def run() -> None:
    """Ablate the selected filters together, then as many by chance, then every filter alone.

    Study, part 2.2.2.

    Raises:
        UserError: A parameter, the data set or the model is missing or wrong; a filter that the
            network does not have.
    """
    params = params_file.load()
    kernels = params_file.need(params.kernels, "kernels")
    analysis = params_file.need(params.analysis, "analysis")
    settings = params_file.need(params.filter_ablation, "filter_ablation")
    subject = trained.load_subject(analysis.net)
    chosen = filter_selection.need(
        subject.module, settings.filters, settings.convolutions, "filter_ablation.filters"
    )
    ablated = joint.ablated(subject.module, chosen)

    used = {
        "kernels": kernels,
        "analysis": analysis.model_dump(mode="json"),
        "filter_ablation": settings.used(chosen),
    }
    with (
        runtime.deterministic(analysis.threads, kernels),
        reporting(paths.REPORTS / "filter-ablation", used, subject.made_from) as report,
    ):
        found = _compared(subject, ablated)
        together = _together(report, subject, found, settings.newly_wrong)
        _at_means(report, subject, chosen, found)
        _by_chance(report, subject, chosen, found)
        alone = _alone(report, subject, settings.atlas_images)
        report.metrics({**together, **alone})


def _compared(subject: Subject, ablated: nn.Module) -> joint.Comparison:
    dataset = subject.dataset
    before, after = (logits(net, dataset.test_images) for net in (subject.module, ablated))
    return joint.Comparison(dataset.test_labels, before, after, dataset.classes)


def _together(
    report: Report, subject: Subject, found: joint.Comparison, newly_wrong: int
) -> dict[str, float]:
    """What the selected filters cost together; returns the headlines."""
    dataset = subject.dataset
    classes, groups = dataset.classes, dataset.groups
    accuracies, cells = found.class_accuracy(), found.confusion()
    lost = found.newly_misclassified()
    report.table("class_accuracy", accuracies)
    for name, matrix in cells.items():
        report.table(f"confusion_{name}", metrics.labeled(matrix, classes))
    report.table("between_groups", found.between_groups(groups))
    report.table("newly_misclassified", lost)

    drawn = figures.names.drawn(classes)
    report.figure("class_accuracy", figures.dots.before_after(accuracies.replace({"class": drawn})))
    change = "before \N{MINUS SIGN} after"
    shown = list(drawn.values())
    title = f"Confusion with and without the selected filters; difference: {change}"
    report.figure(
        "confusion", figures.matrices.confusion(cells, shown, groups, title, "difference")
    )
    first = lost.head(newly_wrong)
    pairs = first[["true", "predicted"]].to_numpy(dtype=str)
    captions = [f"{drawn[true]} → {drawn[predicted]}" for true, predicted in pairs]
    pixels = dataset.test_images[torch.tensor(first["image"].tolist(), dtype=torch.int64)]
    title = "Wrong only with the selected filters at zero: the first images (true → predicted)"
    report.figure("newly_misclassified", figures.galleries.gallery(pixels.cpu(), captions, title))
    return found.headlines()


def _at_means(report: Report, subject: Subject, chosen: Chosen, zeroed: joint.Comparison) -> None:
    """What the selected filters cost if the next layer gets their means, not zeros."""
    dataset = subject.dataset
    # of training images, so that nothing of the test images gets into the network; as many suffice
    some = dataset.train_images[: len(dataset.test_images)]
    averaged = mean.ablated(subject.module, chosen, mean.means(subject.module, chosen, some))
    after = replace(zeroed, after=logits(averaged, dataset.test_images))
    report.table("mean_ablation", mean.class_accuracy(zeroed, after))


def _by_chance(
    report: Report, subject: Subject, chosen: Chosen, selected: joint.Comparison
) -> None:
    """What other sets cost that are as large, so that nothing hangs on which were selected."""
    dataset = subject.dataset
    table = random_sets.costs(
        subject.module,
        random_sets.draw(subject.module, chosen),
        dataset.test_images,
        selected,
        dataset.groups,
        [PAIR] if {*PAIR} <= {*dataset.classes} else [],
        progress=progress.counter("random sets", "set"),
    )
    report.table("random_sets", table)


def _alone(report: Report, subject: Subject, first: int | None) -> dict[str, float]:
    """What every single filter costs the first test images; returns the headlines."""
    dataset, classes = subject.dataset, subject.dataset.classes
    charted = atlas.atlas(
        subject.module,
        dataset.test_images[:first],
        dataset.test_labels[:first],
        progress=progress.counter("atlas", "image x filter"),
    )
    filters = atlas_tables.by_filter(charted, classes)
    images = int(charted.images.sum())
    depth = atlas_tables.depth(filters, images)
    significant = atlas_tables.significant(filters).tolist()
    report.table("atlas", filters)
    report.table("atlas_by_layer", atlas_tables.by_layer(filters))
    report.table("atlas_extremes", atlas_tables.extremes(filters, classes, EXTREMES))
    report.table("atlas_depth", depth)
    report.table("atlas_halves", atlas_tables.halves(filters))
    report.figure("atlas", figures.atlas.atlas(filters, significant, images))
    return atlas_tables.headlines(depth)
