"""occlusion: gray windows over test images -> reports/occlusion/ (study, part 2.1)."""

from collections.abc import Callable, Sequence

from torch import Tensor

from convscope import figures
from convscope.analysis.occlusion import sensitivity, sliding, tables
from convscope.base import paths, runtime
from convscope.base.progress import counter
from convscope.base.report_folder import Report, reporting
from convscope.config import params_file
from convscope.config.schema import Occlusion
from convscope.data import datasets
from convscope.nets import trained
from convscope.nets.trained import Subject


def run() -> None:
    """Map the confidence of some images under windows of every size, and survey many images.

    Raises:
        UserError: A parameter, the data set or the model is missing or wrong.
    """
    params = params_file.load()
    kernels = params_file.need(params.kernels, "kernels")
    analysis = params_file.need(params.analysis, "analysis")
    settings = params_file.need(params.occlusion, "occlusion")
    subject = trained.load_subject(analysis.net)

    used = {
        "kernels": kernels,
        "analysis": analysis.model_dump(mode="json"),
        "occlusion": settings.model_dump(mode="json"),
    }
    with (
        runtime.deterministic(analysis.threads, kernels),
        reporting(paths.REPORTS / "occlusion", used, subject.made_from) as report,
    ):
        _maps(report, subject, settings)
        _survey(report, subject, settings)


def _maps(report: Report, subject: Subject, settings: Occlusion) -> None:
    """Some images under every window at every position."""
    dataset, labels = subject.dataset, subject.dataset.test_labels
    shown = datasets.drawn_by_class(labels, settings.images, settings.seed)
    images, truth = dataset.test_images[shown], labels[shown]
    clean = sensitivity.confidences(subject.module, images, truth)
    done = _progress("occlusion maps", images, settings.window_sizes, stride=1)
    mapped = {
        window: sensitivity.confidence_maps(subject.module, images, truth, window, progress=done)
        for window in settings.window_sizes
    }
    names = [dataset.classes[label] for label in truth.tolist()]
    by_image = tables.by_image(shown, names, clean, mapped)
    report.table("by_image", by_image)
    report.table("by_window", tables.means(by_image, "window"))
    report.table("by_window_sums", tables.sums(by_image, images.shape[-1]))
    report.table("by_class", tables.means(by_image, "class", "window"))
    for window, confidence in mapped.items():
        report.table(f"map_{window}", tables.long_map(shown, confidence))
    report.metrics(tables.headlines(by_image))

    drawn = figures.names.drawn(dataset.classes)
    titles = [
        f"{drawn[name]} ({sure:.2f})" for name, sure in zip(names, clean.tolist(), strict=True)
    ]
    report.figure("maps", figures.maps.confidence_maps(images.cpu(), titles, mapped))


def _survey(report: Report, subject: Subject, settings: Occlusion) -> None:
    """Many images under every window at some positions."""
    dataset, labels = subject.dataset, subject.dataset.test_labels
    many = datasets.drawn_by_class(labels, settings.survey_images, settings.seed)
    images, truth, size = dataset.test_images[many], labels[many], dataset.test_images.shape[-1]
    windows, stride = settings.window_sizes, settings.survey_stride
    done = _progress("occlusion survey", images, windows, stride)
    surveyed = sensitivity.survey(subject.module, images, truth, windows, stride, progress=done)
    fall = tables.fall(surveyed, truth, dataset.classes)
    positions = tables.deepest_by_position(surveyed)
    report.table("fall_with_window", fall)
    report.table("deepest_by_position", positions)
    report.table("deepest_by_window", tables.deepest_by_window(positions, len(many), size))
    named = fall.replace({"class": figures.names.drawn(dataset.classes)})
    report.figure("fall_with_window", figures.windows.fall_with_window(named))
    report.figure("deepest", figures.maps.by_position(positions, size))


def _progress(
    title: str, images: Tensor, windows: Sequence[int], stride: int
) -> Callable[[int], None]:
    """A progress function of how many more occluded images are done."""
    size = images.shape[-1]
    places = sum(sliding.positions(size, window, stride) for window in windows)
    done, total = 0, len(images) * places
    tell = counter(title, "occluded image")

    def add(more: int) -> None:
        nonlocal done
        done += more
        tell(done, total)

    return add
