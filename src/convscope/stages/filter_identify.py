"""filter-identify: what filters respond to -> reports/filter-identify/ (study, part 2.2.1)."""

from convscope import figures
from convscope.analysis.filters import brightness, crops, tables
from convscope.analysis.filters.responses import first_layer_pictures
from convscope.base import paths, runtime
from convscope.base.report_folder import Report, reporting
from convscope.config import params_file
from convscope.data.datasets import DataSet
from convscope.nets import filter_selection, trained
from convscope.nets.trained import Subject


def run() -> None:
    """Find the images and patches to which the selected filters respond most.

    Raises:
        UserError: A parameter, the data set or the model is missing or wrong; a filter that the
            network does not have.
    """
    params = params_file.load()
    kernels = params_file.need(params.kernels, "kernels")
    analysis = params_file.need(params.analysis, "analysis")
    settings = params_file.need(params.filter_identify, "filter_identify")
    subject = trained.load_subject(analysis.net)
    chosen = filter_selection.need(
        subject.module, settings.filters, settings.convolutions, "filter_identify.filters"
    )
    classes, labels = subject.dataset.classes, subject.dataset.test_labels
    pixels = subject.dataset.test_images

    used = {
        "kernels": kernels,
        "analysis": analysis.model_dump(mode="json"),
        "filter_identify": settings.used(chosen),
    }
    with (
        runtime.deterministic(analysis.threads, kernels),
        reporting(paths.REPORTS / "filter-identify", used, subject.made_from) as report,
    ):
        found = tables.identify(subject.module, chosen, pixels, settings.top_k)
        responses = tables.response_sizes(found)
        report.table("responses", responses)
        report.table("dead_by_layer", tables.dead_by_layer(found))
        report.table("sparsity", tables.sparsity(found))
        report.table("patch_sizes", tables.patch_sizes(found))
        report.table("top_images", tables.top_images(found, labels, classes))
        report.metrics({"filters": len(found), "dead_filters": sum(item.dead for item in found)})
        best_crops = crops.best(subject.module, found, pixels, settings.shown)
        report.table("crops", crops.by_image(best_crops))
        report.table("crops_by_layer", crops.by_layer(best_crops))
        _class_frequency(report, subject, found)
        _brightness(report, subject)

        first = first_layer_pictures(subject.module.get_parameter("conv1.weight"))
        report.figure("first_layer", figures.galleries.filter_pictures(first))
        report.figure("responses", figures.dots.responses(responses))
        blocks = [_block(item, subject.dataset, settings.shown) for item in found]
        report.figure("top_images", figures.galleries.top_images(blocks))


def _class_frequency(report: Report, subject: Subject, found: list[tables.Identified]) -> None:
    """How often each class is among the images to which a filter responds most."""
    dataset, classes = subject.dataset, subject.dataset.classes
    frequency = tables.class_frequency(found, dataset.test_labels, classes)
    report.table("class_frequency", frequency)
    by_class = frequency.set_index("filter")[list(classes)]
    named = by_class.rename(columns=figures.names.drawn(classes))
    report.figure("class_frequency", figures.matrices.class_frequency(named))


def _brightness(report: Report, subject: Subject) -> None:
    """What the filters of the first convolution have to do with brightness."""
    seen = brightness.covariance(subject.module, subject.dataset.test_images)
    by_filter = brightness.by_filter(subject.module, seen)
    report.table("brightness", by_filter)
    report.table("brightness_by_chance", brightness.by_chance(by_filter, seen))


def _block(item: tables.Identified, dataset: DataSet, shown: int) -> dict[str, object]:
    """One filter's part of the figure: its first images, where the patch is, and captions."""
    top = item.images[:shown].to(dataset.test_images.device)
    drawn = list(figures.names.drawn(dataset.classes).values())
    classes = [drawn[label] for label in dataset.test_labels[top].tolist()]
    return {
        "name": item.name,
        "dead": item.dead,
        "images": dataset.test_images[top].cpu(),
        "boxes": [tuple(patch) for patch in item.patches[:shown]],
        "captions": [
            f"{name} {figures.style.fixed(response, 1)}"
            for name, response in zip(classes, item.responses[:shown].tolist(), strict=True)
        ],
    }
