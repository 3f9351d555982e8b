"""What the report says of occlusion, ablated filters and what filters respond to."""

import pytest
from tests.report.document import folders, read

from convscope.base.report_folder import Finished
from convscope.report.document import analyses

DEPTH = folders.ABLATION["atlas_depth.csv"].splitlines()[0]
DEEPEST = folders.OCCLUSION["deepest_by_window.csv"].splitlines()[0]
NEITHER = "neither measurably nearer to nor farther from"


@pytest.fixture
def occluded(reports):
    return Finished(reports, "occlusion")


def test_window_sizes_become_columns_in_their_own_order(text):
    section = read.section(text, "occlusion")
    assert read.table(section, "Mean accuracy, surveyed") == [
        "Class | No window | 3 × 3",  # noqa: RUF001
        "all | 95.00% | 85.00%",
        f"{folders.EVIL} | 65.00% | 55.00%",
    ]
    links = ["deepest_by_position", "by_image", "map_3", "map_13"]
    places = [section.index(f"](occlusion/{name}.csv)") for name in links]
    assert places == sorted(places)


def test_confidence_is_summed_beside_its_mean(text):
    section = read.section(text, "occlusion")
    name = "The study's measure: confidence summed over a map's pixels, means over the images"
    assert read.table(section, name)[1:] == [
        "3 | 900 | 562.50 | 675.00",
        "9 | 576 | 216.00 | 432.00",
    ]


def test_filters_at_their_means_stand_beside_zero(text):
    section = read.section(text, "filter-ablation")
    assert "they cost 2.50 points together, and 25.00 at zero." in read.words(section)
    name = "Accuracy by class with the filters at zero, and at their means"
    assert read.table(section, name)[-1] == "overall | 85.00% | 60.00% | 82.50% | 25.00 | 2.50"


def test_brightness_sparsity_and_crops_are_described(text):
    section = read.section(text, "filter-identification")
    words = read.words(section)
    assert (
        "The response of conv1/1 follows most closely the brightness of what the filter sees: "
        "their correlation is 0.988, and the cosine between its weights and as many ones, which "
        "would measure brightness alone, is 0.62"
    ) in words
    assert "the highest is 0.969 in the median (p = 0.125)." in words
    assert "In 8 of 20 images both ways agree" in words
    rows = read.table(section, "How often both ways to find a patch agree")
    assert rows[1:] == ["conv1 | 3 | 10 | 70.00% | 0.40%", "conv4 | 13 | 10 | 10.00% | 7.00%"]
    rows = read.table(section, "The share of a map that ReLU leaves at 0, by layer")
    assert rows[1:] == ["conv1 | 64 | 50.00% | 25.00%"]


def test_only_images_that_were_there_are_counted(changed):
    used = {"images": 15, "survey_images": 500, "survey_stride": 4}
    depth = folders.ABLATION["atlas_depth.csv"].replace("\n500,", "\n360,")
    frequency = f"filter,{folders.HEADER},max_class\nconv1/0,4,1,{folders.FIRST}\n"
    files = {"occlusion/params.json": {"occlusion": used}}
    files |= {"filter-ablation/atlas_depth.csv": depth}
    text = changed(files | {"filter-identify/class_frequency.csv": frequency})
    words = read.words(text)
    assert "over 2 test images (all there are of the 15 asked for); a map" in words
    assert "over 100 test images (all there are of the 500 asked for), with" in words
    assert "over the first 360 test images (all there are of the 500 asked for) is" in words
    assert "the 5 test images (all there are of the 20 asked for) with" in words
    assert " | 4 | 1 | " in read.table(text, "How many of the top 5 are of each class")[1]


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ("7,a,3\n2,b,3\n7,a,9\n2,b,9\n", "1 image a class: "),
        ("7,a,3\n2,b,3\n4,b,3\n", "1 to 2 images a class: "),
        ("7,a,3\n9,a,3\n2,b,3\n4,b,3\n", "2 images a class: "),
    ],
)
def test_means_by_class_say_of_how_few_images_they_are(occluded, images, said):
    folders.replace(occluded.path / "by_image.csv", f"image,class,window\n{images}")
    assert analyses.of_a_class(occluded).startswith(said)


def test_the_deepest_drops_are_described_and_drawn(changed):
    row = "9,100,8.0,8.1,0.5,0.25,0.25\n13,100,7.5,7.0,0.5,0.25,0.25\n"
    table = folders.OCCLUSION["deepest_by_window.csv"]
    section = changed({"occlusion/deepest_by_window.csv": table + row}, "occlusion")
    assert (
        "Under windows of 3 × 3 (6.2 pixels, standard error 0.5; by chance 12.0) "  # noqa: RUF001
        "the deepest drop lies nearer to the image's center than by chance. Under windows of "
        "9 × 9 (8.0 pixels, standard error 0.5; by chance 8.1), "  # noqa: RUF001
        "13 × 13 (7.5 pixels, standard error 0.5; by chance 7.0) "  # noqa: RUF001
        f"the deepest drop lies {NEITHER} the image's center than by chance. ![Mean"
    ) in read.under(section, "Where the drop is deepest")
    assert "(occlusion/deepest.png)" in section


@pytest.mark.parametrize(
    ("row", "side"),
    [
        ("9,100,9.03,10.0,0.49,0.25,0.25", "nearer to"),
        ("9,100,9.05,10.0,0.49,0.25,0.25", NEITHER),
        ("9,100,10.95,10.0,0.49,0.25,0.25", NEITHER),
        ("9,100,10.97,10.0,0.49,0.25,0.25", "farther from"),
        # where all positions are equally far there is no difference
        ("32,5,0.0,0.0,0.0,1.0,1.0", NEITHER),
        ("28,4,2.82842712474619,2.8284271247461903,0.0,0.0,0.0", NEITHER),
    ],
)
def test_a_difference_must_be_more_than_chance_makes(occluded, row, side):
    folders.replace(occluded.path / "deepest_by_window.csv", f"{DEEPEST}\n{row}\n")
    assert list(analyses.where_deepest(occluded)) == [side]


MORE, BUT = "more often cost more", "but not layer by layer"
BY_LAYER = f", {BUT}: one of conv2 costs -0.25 points, one of conv1 1.50."
# of many exceptions the largest is named
MIXED = "layer,mean_drop_percent\nconv1,1.8\nconv2,7.7\nconv3,4\nconv4,1\nconv5,3\n"
LARGEST = (
    f"Filters of earlier layers {MORE}, {BUT}: one of conv1 costs 1.80 points, one of conv2 7.70."
)


@pytest.mark.parametrize(
    ("measured", "answer"),
    [
        ("0.9,0.01,-0.9,0.01", f"Filters of earlier layers {MORE}."),
        ("0.75,0.0001,-0.5,0.03", LARGEST),
        ("0.1,0.01,0.9,0.01", f"Filters of later layers {MORE}{BY_LAYER}"),
        ("0.9,0.01,-0.1,0.5", f"Filters of earlier layers {MORE}, by one of two measures."),
        ("0.4,0.5,0.9,0.01", f"Filters of later layers {MORE}, by one of two measures{BY_LAYER}"),
        ("0.9,0.01,0.9,0.01", "Whether earlier layers matter more depends on the measure."),
        (
            "0.9,0.05,-0.9,0.05",
            "There is no significant difference between earlier and later layers.",
        ),
        (",,,", ""),
        ("0.5,1.0,,", ""),
    ],
)
def test_the_answer_follows_from_the_measures(reports, measured, answer):
    ablated = Finished(reports, "filter-ablation")
    if answer == LARGEST:
        folders.replace(ablated.path / "atlas_by_layer.csv", MIXED)
    depth = f"{DEPTH}\n500,4,1,{measured},,,,\n"
    folders.replace(ablated.path / "atlas_depth.csv", depth)
    assert analyses.verdict(ablated) == answer


SEES = (
    "conv4 sees 12 × 12 pixels, where the study shows 13 × 13, an area 17% larger",  # noqa: RUF001
    "conv5 sees 16 × 16 pixels, where the study shows 17 × 17, an area 13% larger",  # noqa: RUF001
)
NOT_NET4 = "Not measured: the study's patches are of its net4, and these are not."


@pytest.mark.parametrize(
    ("net", "sizes", "said"),
    [
        # 169 / 144 and 289 / 256
        ("net4", "conv1,3\nconv4,12\nconv5,16\n", f"{SEES[0]}; {SEES[1]}."),
        ("net4", "conv1,3\nconv3,7\n", "The layers shown here are of the same size."),
        ("net4", "conv1,5\n", NOT_NET4),
        ("net2", "conv1,3\n", NOT_NET4),
    ],
)
def test_exact_receptive_fields_are_compared_for_the_studys_network(net, sizes, said, changed):
    used = {"analysis": {"net": net}}
    files = {"params.json": used, "patch_sizes.csv": f"layer,patch_size\n{sizes}"}
    text = changed({f"filter-identify/{name}": each for name, each in files.items()}, "departures")
    assert read.under(text, "Exact receptive fields").endswith(said)
