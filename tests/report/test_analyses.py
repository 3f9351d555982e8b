"""What the report says of occlusion, ablated filters and what filters respond to."""

import pytest

from convscope.base.report_folder import Finished
from convscope.report import analyses
from tests.report import folders, read

DEPTH = folders.ABLATION["atlas_depth.csv"].splitlines()[0]
DEEPEST = folders.OCCLUSION["deepest_by_window.csv"].splitlines()[0]
NEITHER = "neither measurably nearer to nor farther from"


@pytest.fixture
def folder(tmp_path):
    def write(name, **files):
        for file, content in files.items():
            folders.replace(tmp_path / name / f"{file}.csv", content)
        return Finished(tmp_path, name)

    return write


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


def test_only_images_that_were_there_are_counted(text, changed):
    words = read.words(text)
    assert "A gray square slides over 2 test images; a map" in words
    assert "The same over 100 test images, with the window moved in steps of 4 pixels." in words
    assert "accuracy over the first 500 test images is compared" in words
    assert "these are the 20 test images with the largest" in words
    used = {"images": 15, "survey_images": 500, "survey_stride": 4}
    depth = folders.ABLATION["atlas_depth.csv"].replace("\n500,", "\n360,")
    frequency = f"filter,{folders.HEADER},max_class\nconv1/0,4,1,{folders.FIRST}\n"
    text = changed(
        {
            "occlusion/params.json": {"occlusion": used},
            "filter-ablation/atlas_depth.csv": depth,
            "filter-identify/class_frequency.csv": frequency,
        }
    )
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
def test_means_by_class_say_of_how_few_images_they_are(folder, images, said):
    occluded = folder("occlusion", by_image=f"image,class,window\n{images}")
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
def test_a_difference_must_be_more_than_chance_makes(folder, row, side):
    occluded = folder("occlusion", deepest_by_window=f"{DEEPEST}\n{row}\n")
    assert list(analyses.where_deepest(occluded)) == [side]


def test_filters_are_tabled_with_what_they_cost_and_whom_they_serve(text):
    section = read.section(text, "filter-ablation")
    assert read.table(section, "Accuracy by class, before and after")[2:] == [
        f"{folders.PIPED} | 80.25% | 40.12% | 40.12",
        "**overall** | **85.00%** | **60.00%** | **25.00**",
    ]
    assert read.table(section, "The filters that cost most alone")[1:] == [
        f"1 | conv1 | 1 | 2.50 | 13 | 1 | < 0.001 | {folders.PIPED}: 5.0, cat: 3.0"
    ]
    assert read.table(section, "The filters that cost least alone")[1:] == [
        "1 | conv2 | 0 | -0.50 | 4 | 6 | 0.754 | –"  # noqa: RUF001
    ]


def test_images_that_went_wrong_are_counted_as_the_study_counts(changed):
    lost = "image,true,predicted\n255,a,b\n256,a,b\n7,b,a\n"
    assert (
        "3 test images went from right to wrong, 2 of them among the first 256, where the study "
        "counts 18."
    ) in read.words(changed({"filter-ablation/newly_misclassified.csv": lost}))


def test_the_atlas_comes_with_its_numbers(text):
    words = read.words(text)
    assert (
        "One image is 0.20 points here. A filter at zero loses some images and gains others: 1 of "
        "the 4 filters change the accuracy by more than chance explains (McNemar's test of the "
        "images lost and gained, at a false discovery rate of 5% by Benjamini and Hochberg's "
        "adjustment)."
    ) in words
    assert (
        "Filters of earlier layers cost more on average. A filter of the first half of the "
        "convolutions costs more than one of the second in 75.00% of pairs (p < 0.001, Mann and "
        "Whitney's test); Spearman's rank correlation of a filter's layer and its drop is -0.50 "
        "(p = 0.031), without the last convolution -0.25 (p = 0.500). These tests take filters for "
        "independent, and a wide layer for more than a narrow one; of the layers' mean drops the "
        "correlation is not to be had. On average, a filter of "
        "conv1 costs 1.50 points and one of conv2 -0.25; the drops of a layer's filters, added up, "
        "are 3.00 points for a mean layer of the first half and -0.50 for one of the second."
    ) in words


MORE = "cost more on average"
BY_LAYER = ", but not layer by layer: one of conv2 costs -0.25 points, one of conv1 1.50."


@pytest.mark.parametrize(
    ("measured", "answer"),
    [
        ("0.9,0.01,-0.9,0.01", f"Filters of earlier layers {MORE}."),
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
def test_the_answer_follows_from_the_measures(folder, measured, answer):
    layers = folders.ABLATION["atlas_by_layer.csv"]
    depth = f"{DEPTH}\n500,4,1,{measured},,,,\n"
    ablated = folder("filter-ablation", atlas_by_layer=layers, atlas_depth=depth)
    assert analyses.verdict(ablated) == answer


def test_of_many_exceptions_the_largest_is_named(folder):
    layers = "layer,mean_drop_percent\nconv1,1.8\nconv2,7.7\nconv3,4\nconv4,1\nconv5,3\n"
    depth = folders.ABLATION["atlas_depth.csv"]
    ablated = folder("filter-ablation", atlas_by_layer=layers, atlas_depth=depth)
    assert analyses.verdict(ablated) == (
        "Filters of earlier layers cost more on average, but not layer by layer: one of conv1 "
        "costs 1.80 points, one of conv2 7.70."
    )


def test_where_every_filter_costs_the_same_no_test_is_cited(text, changed):
    assert "Dead is conv2/1: no test image" in read.words(text)
    two = folders.IDENTIFICATION["responses.csv"].replace("False", "True")
    words = read.words(changed({"filter-identify/responses.csv": two}))
    assert "Dead are conv1/0, conv2/1: no test image" in words
    responses = "filter,layer,mean,max,dead\nconv1/0,conv1,1.0,2.0,False\n"
    files = {
        "filter-ablation/atlas_depth.csv": f"{DEPTH}\n500,4,1,,,,,,,,\n",
        "filter-identify/responses.csv": responses,
    }
    words = read.words(changed(files))
    same = "There is no difference between layers: every filter costs the same. On average, a"
    assert same in words
    assert "No filter is dead: each has a test image" in words
    assert "**0 of 1**<br>each responds to some test image" in words


SEES = "conv4 sees 12 × 12 pixels, where the study shows 13 × 13, an area 17% larger; "  # noqa: RUF001
NOT_NET4 = "Not measured: the study's patches are of its net4, and these are not."


@pytest.mark.parametrize(
    ("net", "sizes", "larger", "said"),
    [
        (
            *("net4", "conv1,3\nconv4,12\nconv5,16\n", [("conv4", 12, 13), ("conv5", 16, 17)]),
            # 169 / 144 and 289 / 256
            f"{SEES}conv5 sees 16 × 16 pixels, where the study shows 17 × 17, an area 13% larger.",  # noqa: RUF001
        ),
        ("net4", "conv1,3\nconv3,7\n", [], "The layers shown here are of the same size."),
        ("net4", "conv1,5\n", None, NOT_NET4),
        ("net2", "conv1,3\n", None, NOT_NET4),
    ],
)
def test_exact_receptive_fields_are_compared_for_the_studys_network(
    net, sizes, larger, said, changed, reports
):
    used = {"analysis": {"net": net}}
    patches = f"layer,patch_size\n{sizes}"
    files = {"filter-identify/params.json": used, "filter-identify/patch_sizes.csv": patches}
    assert read.under(changed(files, "departures"), "Exact receptive fields").endswith(said)
    assert analyses.larger_patches(Finished(reports, "filter-identify")) == larger
