import pytest

from convscope.base.errors import UserError
from convscope.evaluation import protocols
from convscope.report import departures
from convscope.report.document import Facts, Heading, Table
from convscope.report.reading import Folder
from tests.report import folders

UNKNOWN = "What this changes was not measured."
NET4 = {"analysis": {"net": "net4"}}


@pytest.fixture
def section(reports):
    def read(*nets):
        return departures.section(
            Folder(reports, "download", "download"),
            [
                Folder(reports, "train/baseline", "baseline"),
                *(Folder(reports, f"train/{net}", f"train {net}") for net in nets),
            ],
            Folder(reports, "evaluate", "evaluate"),
            Folder(reports, "filter-identify", "filter-identify"),
        )

    return read


def under(section, heading):
    """The parts between a heading and the next one."""
    parts = iter(section.parts)
    assert any(part == Heading(heading) for part in parts), heading
    found = []
    for part in parts:
        if isinstance(part, Heading):
            break
        found.append(part)
    return found


def words(section, heading):
    return " ".join(part.text for part in under(section, heading) if hasattr(part, "text"))


def headings(section):
    return [part.text for part in section.parts if isinstance(part, Heading)]


def shown(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def dataset(reports, **found):
    folders.replace(reports / "download/dataset.json", found)


def test_other_images_are_named(section, reports):
    assert "other ones altogether (digits)" in words(section(), "The images")
    dataset(reports, md5="1")
    assert "other ones altogether (unknown)" in words(section(), "The images")


def test_an_unofficial_archive_is_named_by_its_md5(section, reports):
    dataset(reports, name="cifar10", md5="0123")
    text = words(section(), "The images")
    assert text.startswith("The archive (md5 0123) is not one of the two official archives")
    assert text.endswith(f"its pixels may differ from the study's. {UNKNOWN}")


@pytest.mark.parametrize(
    "md5", ["c58f30108f718f92721af3b95e74349a", "c32a1d4ab5d03f1284b67883e8d87530"]
)
def test_all_images_of_an_official_archive_are_no_departure(section, reports, md5):
    dataset(reports, name="cifar10", md5=md5)
    assert "The images" not in headings(section())
    used = {"data": {"train_images": 5000, "test_images": None}}
    folders.replace(reports / "download/params.json", used)
    assert (
        words(section(), "The images") == f"Only the first 5,000 train images are taken. {UNKNOWN}"
    )


OF_BASELINE = {
    "augment": False,
    "momentum": [0.9],
    "lr": [0.01, 0.001],
    "batch_size": [128, 256, 512],
    "l1_oc": [6],
    "filter_multiplier": [2.67],
    "kernel_size": [5],
    "stride": [1],
}
GRID_OF_NET2 = {
    "epochs": 30,
    "augment": False,
    "momentum": [0.9],
    "lr": [0.01],
    "batch_size": [128],
    "l1_oc": [18, 32, 64],
    "filter_multiplier": [2.0],
    "kernel_size": [3, 5, 7],
    "stride": [1],
}


def net2(reports, seeds=(0,), precision="fp32", **changed):
    train = {"seeds": list(seeds), "precision": precision}
    used = {"train": train, "net": {**GRID_OF_NET2, **changed}}
    folders.replace(reports / "train/net2/params.json", used)


def test_the_studys_own_grid_is_no_departure(section, reports):
    net2(reports)
    told = words(section("net2", "net10"), "The grids")
    assert "net2" not in told
    assert "net10" not in told  # the study has no such network
    used = {"train": {"seeds": [0]}, "net": {"epochs": 10, **OF_BASELINE}}
    folders.replace(reports / "train/baseline/params.json", used)
    assert "The grids" not in headings(section("net2", "net10"))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"epochs": 10}, "net2: epochs 10 (study: 30)."),
        # as many runs as the study has, and yet other ones
        (
            {"kernel_size": [3], "seeds": (0, 1, 2)},
            "net2: kernel_size 3 (study: 3, 5 and 7), 3 seeds (study: 1).",
        ),
        ({"l1_oc": [6, 12]}, "net2: l1_oc 6 and 12 (study: 18, 32 and 64)."),
        ({"batch_size": [16]}, "net2: batch_size 16 (study: 128)."),
    ],
)
def test_what_differs_from_the_studys_grid_is_listed(changed, told, section, reports):
    net2(reports, **changed)
    assert words(section("net2"), "The grids").endswith(told)


def test_the_baselines_grid_is_held_against_the_studys_too(section):
    assert "baseline: epochs 2 (study: 10), " in words(section("net2"), "The grids")


def test_half_precision_is_told(section, reports):
    net2(reports)
    assert "Half precision" not in headings(section("net2"))
    net2(reports, precision="bf16")
    assert "float32 was usual then" in words(section("net2"), "Half precision")


def test_shuffling_was_not_measured(section):
    assert words(section(), "Shuffled training images").endswith(UNKNOWN)


def test_each_way_of_testing_has_its_gain_in_points(section):
    (table,) = [
        part
        for part in under(section(), "Evaluation mode, clean test images")
        if isinstance(part, Table)
    ]
    # 0.75 on clean images, 0.625 on augmented ones, 0.65625 in training mode
    assert shown(table) == [["net10", "+12.50", "-3.12", "+9.38"]]
    assert table.source == "evaluate/protocols.csv"


def test_a_way_of_testing_that_is_missing_has_no_gain(section, reports):
    folders.replace(
        reports / "evaluate/protocols.csv",
        f'net,protocol,accuracy\nnet3,"{departures.CLEAN}",0.5\nnet4,"{departures.STUDY}",0.25\n'
        f'net4,"{departures.CLEAN}",0.5\n',
    )
    table = under(section(), "Evaluation mode, clean test images")[-1]
    assert shown(table) == [["net3", "–", "–", "–"], ["net4", "–", "–", "+25.00"]]  # noqa: RUF001
    folders.replace(reports / "evaluate/protocols.csv", "net,protocol,accuracy\n")
    text = words(section(), "Evaluation mode, clean test images")
    assert text.endswith("Not measured: no network here was trained on augmented images.")


def test_the_ways_of_testing_are_named_as_the_analysis_names_them():
    names = (protocols.CLEAN, protocols.AUGMENTED, protocols.STUDY)
    assert names == (departures.CLEAN, departures.AUGMENTED, departures.STUDY)


def test_the_gain_of_choosing_links_to_its_section(section, reports):
    heading = "The choice of the best epoch"
    (facts,) = [part for part in under(section(), heading) if isinstance(part, Facts)]
    assert [(f.label, f.value, f.details, f.section) for f in facts.facts] == [
        ("net2", "0.25 points", ("mean of 2 runs",), "selection"),
        ("net10", "3.50 points", ("mean of 2 runs",), "selection"),
    ]
    assert "above the last by:" in words(section(), heading)
    content = "net,runs,mean_best_less_last,chosen_accuracy,mean_best_less_chosen\n"
    rows = "net1,3,9,0.5,1.5\nnet2,3,9,,\n"
    folders.replace(reports / "evaluate/selection.csv", content + rows)
    (facts,) = [part for part in under(section(), heading) if isinstance(part, Facts)]
    assert [fact.value for fact in facts.facts] == ["1.50 points"]
    assert "above the chosen epoch by:" in words(section(), heading)


def test_the_studys_sample_is_held_against_all_images(section, reports):
    text = words(section(), "The table by class")
    # the study's cat: 70 percent in its table, 790 of 1,000 in its matrix
    assert "in some class it is 9.0 points off its own confusion matrix" in text
    assert "takes 76. For net10, whose accuracy no other network exceeds" in text
    # 12.5 and 6.25 points off
    assert f"are 9.4 points off on average and up to 12.5 (class {folders.EVIL})." in text
    header = "net,class,sampled_images,sampled_accuracy,accuracy,difference_points\n"
    rows = "net1,cat,0,,0.5,\nnet1,dog,2,0.5,0.25,25.0\n"
    folders.replace(reports / "evaluate/class_sample.csv", header + rows)
    assert words(section(), "The table by class").endswith(
        "are 25.0 points off on average and up to 25.0 (class dog). 1 class has no image there."
    )

    folders.replace(reports / "evaluate/class_sample.csv", header)
    with pytest.raises(UserError, match=r"class_sample\.csv is damaged \(no class has an image\)"):
        section()


def test_even_receptive_fields_are_held_against_the_studys_odd_ones(section, reports):
    folders.replace(reports / "filter-identify/params.json", NET4)
    sizes = reports / "filter-identify/patch_sizes.csv"
    folders.replace(sizes, "layer,patch_size\nconv1,3\nconv4,12\nconv5,16\n")
    # 169 / 144 and 289 / 256
    assert words(section(), "Exact receptive fields").endswith(
        "conv4 sees 12 × 12 pixels, where the study shows 13 × 13, an area 17% larger; "  # noqa: RUF001
        "conv5 sees 16 × 16 pixels, where the study shows 17 × 17, an area 13% larger."  # noqa: RUF001
    )
    folders.replace(sizes, "layer,patch_size\nconv1,3\nconv3,7\n")
    assert words(section(), "Exact receptive fields").endswith("are of the same size.")


@pytest.mark.parametrize(("net", "size"), [("net4", 5), ("net2", 3)])
def test_patches_of_another_network_are_not_compared(section, reports, net, size):
    folders.replace(reports / "filter-identify/params.json", {"analysis": {"net": net}})
    folders.replace(
        reports / "filter-identify/patch_sizes.csv", f"layer,patch_size\nconv1,{size}\n"
    )
    assert "Not measured: the study's patches" in words(section(), "Exact receptive fields")
