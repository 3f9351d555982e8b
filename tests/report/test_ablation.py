import pytest

from convscope.report import ablation
from convscope.report.document import Files, Table, Text
from convscope.report.reading import finished
from tests.report import folders

DEPTH = "first_costs_more,halves_p_value,correlation,p_value,layer_correlation"


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
        ["1", "conv1", "1", "2.50", f"{folders.PIPED}: 5.0, cat: 3.0"]
    ]
    assert shown(folder, "The filters that cost least alone") == [
        ["1", "conv2", "0", "-0.50", "–"]  # noqa: RUF001
    ]
    files = [part for part in ablation.section(folder).parts if isinstance(part, Files)]
    assert files[-1].files[0][1] == "filter-ablation/atlas.csv"


def test_the_atlas_tells_how_many_images_it_is_of_and_what_may_be_chance(folder):
    (about,) = (text for text in texts(folder) if text.startswith("Each of the 2 filters"))
    assert "over the first 500 test images is compared" in about
    assert (
        "One image is 0.20 points here. A net change of fewer than 6 images (1.20 points) may be "
        "chance, whichever images they are (McNemar's test at 5%); 1 of the 4 filters change at "
        "least as many."
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
        "A single filter of an earlier layer matters more. A filter of the first half of the "
        "convolutions costs more than one of the second in 75.00% of pairs (p < 0.001, Mann and "
        "Whitney's test); Spearman's rank correlation of a filter's layer and its drop is -0.50 "
        "(p = 0.031). Both tests take filters for independent, and a wide layer for more than a "
        "narrow one; of the layers' mean drops the correlation is -1.00. On average, a filter of "
        "conv1 costs 1.50 points and one of conv2 -0.25; the drops of a layer's filters, added up, "
        "are 3.00 points for a mean layer of the first half and -0.50 for one of the second."
    ) in texts(folder)


@pytest.mark.parametrize(
    ("measured", "answer"),
    [
        ("0.9,0.01,-0.9,0.01", "A single filter of an earlier layer matters more."),
        ("0.1,0.01,0.9,0.01", "A single filter of a later layer matters more."),
        (
            "0.9,0.01,-0.1,0.5",
            "A single filter of an earlier layer matters more, by one of two measures.",
        ),
        (
            "0.4,0.5,0.9,0.01",
            "A single filter of a later layer matters more, by one of two measures.",
        ),
        ("0.9,0.01,0.9,0.01", "Whether earlier layers matter more depends on the measure."),
        ("0.9,0.05,-0.9,0.05", "There is no significant difference between earlier and later"),
        (",,,", "There is no difference between layers: every filter costs the same."),
        ("0.5,1.0,,", "There is no difference between layers: every filter costs the same."),
    ],
)
def test_the_answer_follows_from_the_measures(folder, measured, answer):
    folders.replace(folder.path / "atlas_depth.csv", f"{DEPTH}\n{measured},\n")
    assert ablation.verdict(folder.sheet("atlas_depth")).startswith(answer)
