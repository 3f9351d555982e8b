import pytest

from convscope.report import ablation
from convscope.report.document import Files, Table, Text
from convscope.report.reading import finished
from tests.report import folders

DEPTH = (
    "first_costs_more,halves_p_value,correlation,p_value,but_last_correlation,but_last_p_value,"
    "layer_correlation,layer_p_value"
)


@pytest.fixture
def folder(reports):
    return finished(reports, "filter-ablation", "filter-ablation")


def texts(folder):
    return [part.text for part in ablation.section(folder).parts if isinstance(part, Text)]


def shown(folder, caption):
    (table,) = (
        part
        for part in ablation.section(folder).parts
        if isinstance(part, Table) and part.caption == caption
    )
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_the_filters_that_cost_most_and_least_are_shown_with_whom_they_serve(folder):
    assert shown(folder, "The filters that cost most alone") == [
        ["1", "conv1", "1", "2.50", "13", "1", "< 0.001", f"{folders.PIPED}: 5.0, cat: 3.0"]
    ]
    assert shown(folder, "The filters that cost least alone") == [
        ["1", "conv2", "0", "-0.50", "4", "6", "0.754", "–"]  # noqa: RUF001
    ]
    files = [part for part in ablation.section(folder).parts if isinstance(part, Files)]
    assert files[-1].files[0][1] == "filter-ablation/atlas.csv"


def test_the_atlas_tells_how_many_images_it_is_of_and_how_many_drops_are_no_chance(folder):
    (about,) = (text for text in texts(folder) if text.startswith("Each of the 2 filters"))
    assert "over the first 500 test images is compared" in about
    assert (
        "One image is 0.20 points here. A filter at zero loses some images and gains others: 1 of "
        "the 4 filters change the accuracy by more than chance explains (McNemar's test of the "
        "images lost and gained, at a false discovery rate of 5% by Benjamini and Hochberg's "
        "adjustment)."
    ) in texts(folder)


def test_images_that_the_data_lacks_are_not_claimed(folder):
    depth = folders.ABLATION["atlas_depth.csv"].replace("\n500,", "\n360,")
    folders.replace(folder.path / "atlas_depth.csv", depth)
    assert any(
        "over the first 360 test images (all there are of the 500 asked for) is" in text
        for text in texts(folder)
    )


def test_images_that_went_wrong_are_counted_as_the_study_counts(folder):
    lost = "image,true,predicted\n255,a,b\n256,a,b\n7,b,a\n"
    folders.replace(folder.path / "newly_misclassified.csv", lost)
    assert (
        "3 test images went from right to wrong, 2 of them among the first 256, where the study "
        "counts 18."
    ) in texts(folder)


def test_the_answer_comes_with_its_numbers(folder):
    assert (
        "Filters of earlier layers cost more on average. A filter of the first half of the "
        "convolutions costs more than one of the second in 75.00% of pairs (p < 0.001, Mann and "
        "Whitney's test); Spearman's rank correlation of a filter's layer and its drop is -0.50 "
        "(p = 0.031), without the last convolution -0.25 (p = 0.500). These tests take filters for "
        "independent, and a wide layer for more than a narrow one; of the layers' mean drops the "
        "correlation is not to be had. On average, a filter of "
        "conv1 costs 1.50 points and one of conv2 -0.25; the drops of a layer's filters, added up, "
        "are 3.00 points for a mean layer of the first half and -0.50 for one of the second."
    ) in texts(folder)


@pytest.mark.parametrize(
    ("measured", "answer"),
    [
        ("0.9,0.01,-0.9,0.01", "Filters of earlier layers cost more on average."),
        (
            "0.1,0.01,0.9,0.01",
            "Filters of later layers cost more on average, but not layer by layer: one of conv2 "
            "costs -0.25 points, one of conv1 1.50.",
        ),
        (
            "0.9,0.01,-0.1,0.5",
            "Filters of earlier layers cost more on average, by one of two measures.",
        ),
        (
            "0.4,0.5,0.9,0.01",
            "Filters of later layers cost more on average, by one of two measures, but not",
        ),
        ("0.9,0.01,0.9,0.01", "Whether earlier layers matter more depends on the measure."),
        ("0.9,0.05,-0.9,0.05", "There is no significant difference between earlier and later"),
        (",,,", "There is no difference between layers: every filter costs the same."),
        ("0.5,1.0,,", "There is no difference between layers: every filter costs the same."),
    ],
)
def test_the_answer_follows_from_the_measures(folder, measured, answer):
    folders.replace(folder.path / "atlas_depth.csv", f"{DEPTH}\n{measured},,,,\n")
    found = ablation.verdict(folder.sheet("atlas_depth"), folder.sheet("atlas_by_layer"))
    assert found.startswith(answer)


def test_of_many_exceptions_the_largest_is_named(folder):
    layers = "layer,mean_drop_percent\nconv1,1.8\nconv2,7.7\nconv3,4\nconv4,1\nconv5,3\n"
    folders.replace(folder.path / "atlas_by_layer.csv", layers)
    found = ablation.verdict(folder.sheet("atlas_depth"), folder.sheet("atlas_by_layer"))
    assert found.startswith(
        "Filters of earlier layers cost more on average, but not layer by layer: one of conv1 "
        "costs 1.80 points, one of conv2 7.70. A filter"
    )
