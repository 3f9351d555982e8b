import pytest

from convscope.report import occlusion
from convscope.report.document import Figure, Table, Text
from convscope.report.reading import finished
from tests.report import folders

DEEPEST = "window,images,mean_distance,chance_distance,standard_error,central_share,chance_share\n"


@pytest.fixture
def folder(reports):
    return finished(reports, "occlusion", "occlusion")


def texts(folder):
    return [part.text for part in occlusion.section(folder).parts if isinstance(part, Text)]


def test_it_tells_how_many_images_were_really_used(folder):
    first, surveyed, *_ = texts(folder)
    assert first.startswith("A gray square slides over 2 test images; a map")
    assert surveyed.startswith("The same over 100 test images, with the window")
    asked = {**folders.OCCLUSION["params.json"], "occlusion": {"images": 15, "survey_images": 500}}
    folders.replace(folder.path / "params.json", folders.json.dumps(asked))
    folder = finished(folder.reports, "occlusion", "occlusion")
    first, surveyed, *_ = texts(folder)
    assert "over 2 test images (all there are of the 15 asked for); a map" in first
    assert "over 100 test images (all there are of the 500 asked for), with" in surveyed


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ("7,a,3\n2,b,3\n7,a,9\n2,b,9\n", "1 image a class: "),
        ("7,a,3\n2,b,3\n4,b,3\n", "1 to 2 images a class: "),
        ("7,a,3\n9,a,3\n2,b,3\n4,b,3\n", "2 images a class: "),
    ],
)
def test_means_by_class_tell_of_how_few_images_they_are(folder, images, told):
    folders.replace(folder.path / "by_image.csv", f"image,class,window\n{images}")
    (table,) = [
        part
        for part in occlusion.section(folder).parts
        if isinstance(part, Table) and part.caption == "Mean confidence by class"
    ]
    assert table.notes[0].startswith(told)


def test_the_deepest_drops_are_told_and_drawn(folder):
    row = "9,100,8.0,8.1,0.5,0.25,0.25\n13,100,7.5,7.0,0.5,0.25,0.25\n"
    table = folders.OCCLUSION["deepest_by_window.csv"]
    folders.replace(folder.path / "deepest_by_window.csv", table + row)
    assert texts(folder)[-1] == (
        "Under windows of 3 × 3 (6.2 pixels, standard error 0.5; by chance 12.0) "  # noqa: RUF001
        "the deepest drop lies nearer to the image's center than by chance. Under windows of "
        "9 × 9 (8.0 pixels, standard error 0.5; by chance 8.1), "  # noqa: RUF001
        "13 × 13 (7.5 pixels, standard error 0.5; by chance 7.0) "  # noqa: RUF001
        "the deepest drop lies neither measurably nearer to nor farther from the image's center "
        "than by chance."
    )
    drawn = [part for part in occlusion.section(folder).parts if isinstance(part, Figure)]
    assert drawn[-1].source == "occlusion/deepest.png"


@pytest.mark.parametrize(
    ("mean", "where"),
    [
        ("9.03", "nearer to the image's center than by chance."),
        (
            "9.05",
            "neither measurably nearer to nor farther from the image's center than by chance.",
        ),
        (
            "10.95",
            "neither measurably nearer to nor farther from the image's center than by chance.",
        ),
        ("10.97", "farther from the image's center than by chance."),
    ],
)
def test_a_difference_must_be_more_than_chance_makes(folder, mean, where):
    row = f"9,100,{mean},10.0,0.49,0.25,0.25\n"
    folders.replace(folder.path / "deepest_by_window.csv", DEEPEST + row)
    assert texts(folder)[-1].endswith(where)


@pytest.mark.parametrize(
    "row", ["32,5,0.0,0.0,0.0,1.0,1.0", "28,4,2.82842712474619,2.8284271247461903,0.0,0.0,0.0"]
)
def test_where_all_positions_are_equally_far_there_is_no_difference(row, folder):
    folders.replace(folder.path / "deepest_by_window.csv", f"{DEEPEST}{row}\n")
    assert "lies neither measurably nearer to nor farther from" in texts(folder)[-1]
